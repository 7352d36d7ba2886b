"""The standard objects: small files of facts, and the system fields every object has.

Must not read an org's own source. Each JSON file names where its facts come from; an absent key means nillable,
createable and updateable. Source of the system fields: Salesforce Object Reference, "System Fields".
Invariant: `standard_objects()` gives fresh values each time and never fails on a shipped file.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files

from sandbox.org.schema import Choice, Field, ObjectType, Summary
from sandbox.org.types import Json, Record

CURRENCIES = ("EUR", "USD", "GBP", "SEK", "NOK", "DKK", "CHF", "CAD", "AUD", "NZD", "JPY")
_NO_CURRENCY = frozenset(
    [
        "Attachment",
        "BusinessHours",
        "CaseComment",
        "ContentDocument",
        "ContentDocumentLink",
        "ContentVersion",
        "CurrencyType",
        "EmailTemplate",
        "FieldPermissions",
        "Group",
        "GroupMember",
        "Holiday",
        "Note",
        "ObjectPermissions",
        "OrgWideEmailAddress",
        "Organization",
        "PermissionSet",
        "PermissionSetAssignment",
        "Profile",
        "QueueSobject",
        "RecordType",
        "UserRole",
    ]
)


def system_fields(*, owner: bool, currency: bool) -> list[Field]:
    """List the fields every object has: id, audit fields, and where they apply owner and currency."""

    def fixed(name: str, label: str, kind: str, **more: Json) -> Field:
        return Field(name, label, kind, createable=False, updateable=False, nillable=False, defaulted_on_create=True, **more)

    def audit(name: str, label: str, relationship: str) -> Field:
        return fixed(name, label, "reference", length=18, reference_to=("User",), relationship=relationship)

    found = [
        fixed("Id", "Record ID", "id", length=18),
        fixed("IsDeleted", "Deleted", "boolean"),
        fixed("CreatedDate", "Created Date", "datetime"),
        audit("CreatedById", "Created By ID", "CreatedBy"),
        fixed("LastModifiedDate", "Last Modified Date", "datetime"),
        audit("LastModifiedById", "Last Modified By ID", "LastModifiedBy"),
        fixed("SystemModstamp", "System Modstamp", "datetime"),
    ]
    if owner:
        found.append(
            Field(
                "OwnerId",
                "Owner ID",
                "reference",
                length=18,
                nillable=False,
                defaulted_on_create=True,
                reference_to=("Group", "User"),
                relationship="Owner",
            )
        )
    if currency:
        choices = tuple(Choice(code, code) for code in CURRENCIES)
        found.append(
            Field(
                "CurrencyIsoCode",
                "Currency ISO Code",
                "picklist",
                length=3,
                defaulted_on_create=True,
                choices=choices,
                restricted=True,
            )
        )
    return found


def record_type_field() -> Field:
    """Give the lookup to RecordType that an object with record types has."""
    return Field(
        "RecordTypeId",
        "Record Type ID",
        "reference",
        length=18,
        defaulted_on_create=True,
        reference_to=("RecordType",),
        relationship="RecordType",
    )


def standard_objects(*, currency: bool = True) -> dict[str, ObjectType]:
    """Read every fact file of this folder: API name → object, system fields included."""
    found = {}
    for path in sorted(files(__package__).iterdir(), key=lambda each: each.name):
        if path.name.endswith(".json"):
            one = _object(json.loads(path.read_text(encoding="utf-8")), currency=currency)
            found[one.name] = one
    return found


def person_fields() -> list[Field]:
    """Read the fields that person accounts add to Account."""
    path = files(__package__) / "extra" / "PersonAccount.json"
    return [_field(each) for each in json.loads(path.read_text(encoding="utf-8"))["fields"]]


def _object(facts: Mapping[str, Json], *, currency: bool) -> ObjectType:
    name = facts["name"]
    fields = system_fields(owner=False, currency=currency and name not in _NO_CURRENCY) + [_field(each) for each in facts["fields"]]
    fields[0] = replace(fields[0], label=f"{facts['label']} ID")
    return ObjectType(
        name=name,
        label=facts["label"],
        label_plural=facts["plural"],
        key_prefix=facts["prefix"],
        fields={one.name: one for one in fields},
        activities=facts.get("activities", False),
        sharing=facts.get("sharing", "ReadWrite"),
        createable=facts.get("createable", True),
        updateable=facts.get("updateable", True),
        deletable=facts.get("deletable", True),
        permissionable=facts.get("permissionable", True),
        feature=facts.get("feature"),
        traits=facts.get("traits", {}),
    )


def _field(facts: Record) -> Field:
    kind = facts["type"]
    length = facts.get("length", 18 if kind == "reference" else 0)
    return Field(
        name=facts["name"],
        label=facts["label"],
        type=kind,
        length=length,
        precision=facts.get("precision", 0),
        scale=facts.get("scale", 0),
        nillable=facts.get("nillable", kind != "boolean"),
        createable=facts.get("createable", True),
        updateable=facts.get("updateable", True),
        default=_default(facts),
        defaulted_on_create=facts.get("defaultedOnCreate", False) or kind == "boolean",
        choices=_choices(facts.get("choices", ())),
        restricted=facts.get("restricted", False),
        reference_to=tuple(facts.get("referenceTo", ())),
        relationship=facts.get("relationship"),
        child_relationship=facts.get("childRelationship"),
        cascade_delete=facts.get("cascadeDelete", False),
        formula=facts.get("formula"),
        auto_number=facts.get("autoNumber"),
        name_field=facts.get("nameField", False),
        permissionable=facts.get("permissionable", False),
        long_text=kind == "textarea" and length > 255,
        compound=facts.get("compound"),
        controller=facts.get("controller"),
        unique=facts.get("unique", False),
        id_lookup=facts.get("idLookup", False),
        restricted_delete=facts.get("restrictedDelete", False),
        traits=tuple(facts.get("traits", {}).items()),
        summary=_summary(facts.get("summary")),
    )


def _summary(facts: Record | None) -> Summary | None:
    return None if facts is None else Summary(facts["child"], facts["key"], facts["operation"], facts["field"])


def _default(facts: Record) -> str | None:
    if facts["type"] == "boolean":
        return str(facts.get("default", "false"))
    given = facts.get("default")
    return None if given is None else str(given)


def _choices(given: Sequence[Json]) -> tuple[Choice, ...]:
    return tuple(
        Choice(each, each)
        if isinstance(each, str)
        else Choice(
            each["value"],
            each.get("label", each["value"]),
            default=each.get("default", False),
            closed=each.get("closed", False),
            won=each.get("won", False),
            probability=each.get("probability"),
            forecast=each.get("forecast"),
        )
        for each in given
    )
