"""Person accounts: an Account and a Contact that are one person.

Must not write rows. Source: recorded describe of Account in an org with person accounts (CumulusCI cassettes); Salesforce
Help, "Considerations for Using Person Accounts". Invariant: a mirrored field of Account has exactly one counterpart on
Contact, `LastName` the same one, `PersonEmail` the `Email`, `Level__pc` the `Level__c`.
"""

from collections.abc import Mapping
from dataclasses import replace

from sandbox.org.errors import OrgError
from sandbox.org.schema import Field, ObjectType
from sandbox.org.standard import person_fields
from sandbox.org.storage import Row
from sandbox.org.values import Stored

_NAMES = ("LastName", "FirstName", "Salutation")
_BOTH = ("Phone", "Fax", "Description", "OwnerId", "CurrencyIsoCode")


def with_person_accounts(objects: dict[str, ObjectType]) -> None:
    """Give Account and Contact the fields of person accounts."""
    account, contact = objects["Account"], objects["Contact"]
    fields = dict(account.fields)
    fields["Name"] = replace(fields["Name"], nillable=True, compound="Name", traits=(("extraTypeInfo", "switchablepersonname"),))
    for each in person_fields():
        counterpart = contact.fields.get(_contact_name(each.name))
        if counterpart is not None and counterpart.choices:
            fields[each.name] = replace(each, choices=counterpart.choices)
        else:
            fields[each.name] = each
    for each in contact.fields.values():
        if each.custom:
            mirrored = _mirrored(each)
            fields[mirrored.name] = mirrored
    objects["Account"] = replace(account, fields=fields)
    flag = replace(fields["IsPersonAccount"], formula="Account.IsPersonAccount")
    objects["Contact"] = replace(contact, fields={**contact.fields, flag.name: flag})


def _mirrored(field: Field) -> Field:
    """Show a custom field of Contact on Account, under an ending of its own."""
    name = field.name.removesuffix("__c") + "__pc"
    relation = field.relationship.removesuffix("__r") + "__pr" if field.relationship else None
    formula = f"PersonContact.{field.name}" if field.calculated else None
    return replace(
        field,
        name=name,
        relationship=relation,
        child_relationship=None,
        cascade_delete=False,
        restricted_delete=False,
        formula=formula,
        summary=None,
        unique=False,
        external_id=False,
    )


def _contact_name(name: str) -> str:
    if name in _NAMES:
        return name
    return name.removesuffix("__pc") + "__c" if name.endswith("__pc") else name.removeprefix("Person")


def mirrors(account: ObjectType, contact: ObjectType) -> dict[str, str]:
    """Map each stored field of a person account to the field of its contact that says the same."""
    found = {name: name for name in _BOTH if name in account.fields and name in contact.fields}
    for each in account.fields.values():
        own = each.name in _NAMES or each.name.endswith("__pc") or each.name.startswith("Person")
        other = _contact_name(each.name)
        if own and each.stored and other in contact.fields and contact.fields[other].stored and other != "ContactId":
            found[each.name] = other
    return found


def check(given: Mapping[str, Stored], *, person: bool) -> None:
    """Refuse the fields of the other kind of account. Raises OrgError."""
    if person:
        wrong = ["Name"] if given.get("Name") is not None else []
    else:
        wrong = [name for name, value in given.items() if value and (name in _NAMES or name.endswith("__pc") or name.startswith("Person"))]
    if wrong:
        words = f"Account: bad field names on insert/update call: {', '.join(wrong)}"
        raise OrgError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", words, wrong)


def full_name(row: Row) -> str:
    """Compose the name of a person account."""
    return " ".join(str(part) for part in (row.get("FirstName"), row.get("LastName")) if part)
