"""What would block a new record of Dunwell's: required fields that it does not fill, record types, validation rules.

Must not look at rights. Invariant: what describe tells is a problem; what only a try could tell is a doubt.

Required is what may be filled, may not be empty and has no default (salesforce.md C.11).
"""

from connector.checks.advice import field_page, sobject_page
from connector.checks.problems import Finding, Findings, listed
from connector.checks.said import Said
from connector.checks.written import Written, written
from connector.mapping.org import Mapping
from connector.salesforce.describe import ObjectDescription


def inserts(said: Said, mapping: Mapping) -> Findings:
    """Tell of each object whose records could not be made."""
    found = Finding()
    for name, one in written(mapping).items():
        sobject = said.objects.get(name)
        if sobject is not None and one.made:
            _required(sobject, one, found)
            _record_type(sobject, found)
        if sobject is not None:
            _rules(said, name, found)
    return found.done()


def _required(sobject: ObjectDescription, one: Written, found: Finding) -> None:
    for field in sobject.fields.values():
        if field.required and field.name not in one.made:
            page = field_page(sobject.name, field.name)
            where, what = (
                f"{sobject.name}.{field.name}",
                f"{field.name} is required, and Dunwell does not fill it: new records would be refused",
            )
            found.wrong(where, what, f"take Required away or give a default value in {page} > Edit")


def _record_type(sobject: ObjectDescription, found: Finding) -> None:
    given = next((one for one in sobject.record_type_infos if one.default_record_type_mapping and not one.master), None)
    if given is not None:
        what = f"new records get the record type '{given.name}', and the org does not tell which picklist values it allows"
        page = f"Setup > Object Manager > {sobject_page(sobject.name)} > Record Types > {given.name}"
        found.doubt(sobject.name, what, f"see in {page} that it has every value")


def _rules(said: Said, name: str, found: Finding) -> None:
    rules = [rule for sobject, rule in said.rules or () if sobject == name]
    if rules:
        page = f"Setup > Object Manager > {sobject_page(name)} > Validation Rules"
        found.doubt(
            name,
            f"validation rules are active, and could refuse what Dunwell writes: {listed(rules)}",
            f"see in {page} that they let it through",
        )
