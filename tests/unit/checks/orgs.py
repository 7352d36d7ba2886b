"""Orgs in words: one that has everything a mapping needs, and the same with something else about it."""

from dataclasses import replace
from pathlib import Path

from connector.checks import needs
from connector.checks.kinds import AMOUNT, CURRENCY, DATE, DAY, FLAG, LOOKUP, MOMENT, NUMBER
from connector.checks.place import Places
from connector.checks.said import Access, Grant, Queue, Said
from connector.mapping.org import load_mapping
from connector.salesforce.describe import FieldDescription, ObjectDescription, PicklistValue

ROOT = Path(__file__).parents[3]
MAPPING, SOURCE = load_mapping(ROOT / "mappings", "findock")
PLACES = Places(SOURCE)
NEEDS = needs.needs(MAPPING)
USER = "integration@example.com"
TYPES = {
    AMOUNT: "currency",
    CURRENCY: "picklist",
    DATE: "date",
    DAY: "date",
    FLAG: "boolean",
    LOOKUP: "reference",
    MOMENT: "datetime",
    NUMBER: "double",
}


def field(name: str, described: str = "string", **more: object) -> FieldDescription:
    """One field that may be read and written."""
    given = {"length": 255, "createable": True, "updateable": True, **more}
    return FieldDescription.model_validate({"name": name, "type": described, **given})


def thing(name: str, *fields: FieldDescription, **more: object) -> ObjectDescription:
    """One object."""
    whole = {"createable": True, "updateable": True, "queryable": True, **more}
    return ObjectDescription.model_validate({"name": name, "fields": {one.name: one for one in fields}, **whole})


def _field(need: needs.Need) -> FieldDescription:
    described = TYPES.get(need.kind, "picklist" if need.values else "string")
    relation = need.relation or (need.field.replace("__c", "__r") if need.field.endswith("__c") else need.field.removesuffix("Id"))
    return field(
        need.field,
        described,
        unique=need.unique,
        reference_to=(need.target or "Thing__c",) if described == "reference" else (),
        relationship_name=relation if described == "reference" else None,
        picklist_values=tuple(PicklistValue(value=value) for value, _ in need.values),
    )


def orderly() -> Said:
    """An org that gives the shipped mapping all it needs."""
    by_object: dict[str, dict[str, FieldDescription]] = {one.sobject: {} for one in needs.objects(MAPPING)}
    for need in NEEDS:
        if "." not in need.field:
            by_object[need.sobject][need.field] = _field(need)
    parents = {"cpm__Mandate__c": "cpm__Mandate__r", "cpm__Payment_Profile__c": "cpm__Payment_Profile__r"}
    for parent, relation in parents.items():
        by_object[parent] = {"cpm__Active__c": field("cpm__Active__c", "boolean"), "SystemModstamp": field("SystemModstamp", "datetime")}
        link = field(parent, "reference", reference_to=(parent,), relationship_name=relation)
        by_object[MAPPING.installments.object][parent] = link
    return Said(
        username=USER,
        objects={name: thing(name, *fields.values()) for name, fields in by_object.items()},
        organization="Example",
        access=Access(("Dunwell Integration",), frozenset(), {name: Grant(read=True, view_all=True) for name in by_object}),
        queues={one.queue: Queue(owns_tasks=True) for one in MAPPING.roles.values() if one.queue},
        users={},
    )


def with_object(said: Said, name: str, described: ObjectDescription | None) -> Said:
    """The same org with another object of that name."""
    return replace(said, objects={**said.objects, name: described})


def with_field(said: Said, sobject: str, name: str, **changes: object) -> Said:
    """The same org with one field that differs; ``None`` for ``type`` takes it away."""
    whole = said.objects[sobject]
    assert whole is not None
    fields = dict(whole.fields)
    if changes.get("type", "") is None:
        del fields[name]
    else:
        fields[name] = fields.get(name, field(name)).model_copy(update=changes)
    return with_object(said, sobject, whole.model_copy(update={"fields": fields}))
