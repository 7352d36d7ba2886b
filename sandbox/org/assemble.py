"""What was found in DX source → the objects of the org.

Must not read files. Fields under objects/Activity surface on Task and Event, as on the platform; custom fields of Contact
surface on person accounts. Invariant: key prefixes follow from the names alone (custom objects count from a00, events from
e00, metadata types from m00).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from sandbox.org.custom import custom_object
from sandbox.org.dx.objects import ObjectFile
from sandbox.org.ids import base62
from sandbox.org.persons import with_person_accounts
from sandbox.org.schema import Choice, Field, ObjectType, Rule
from sandbox.org.setup import (
    AssignmentRule,
    CompactLayout,
    Ignored,
    ListView,
    MetadataRecord,
    PermissionSet,
    PermissionSetGroup,
    Queue,
    RecordType,
    Role,
)
from sandbox.org.standard import record_type_field, standard_objects

FEATURES = frozenset({"MultiCurrency", "PersonAccounts", "Payments", "OrderManagement", "Billing"})
_INCLUDES = {"OrderManagement": {"Payments", "Invoices"}, "Billing": {"Payments", "Invoices"}}
_ACTIVITY_OBJECTS = ("Task", "Event")
_STANDARD_VALUE_SETS = {
    "CaseStatus": ("Case", "Status"),
    "CaseType": ("Case", "Type"),
    "CaseReason": ("Case", "Reason"),
    "CaseOrigin": ("Case", "Origin"),
    "CasePriority": ("Case", "Priority"),
    "TaskStatus": ("Task", "Status"),
    "TaskPriority": ("Task", "Priority"),
    "TaskSubject": ("Task", "Subject"),
    "TaskType": ("Task", "Type"),
    "EventSubject": ("Event", "Subject"),
    "AccountType": ("Account", "Type"),
    "AccountRating": ("Account", "Rating"),
    "AccountOwnership": ("Account", "Ownership"),
    "Industry": ("Account", "Industry"),
    "LeadStatus": ("Lead", "Status"),
    "LeadSource": ("Lead", "LeadSource"),
    "Salutation": ("Contact", "Salutation"),
    "OpportunityStage": ("Opportunity", "StageName"),
    "OpportunityType": ("Opportunity", "Type"),
    "CampaignStatus": ("Campaign", "Status"),
    "CampaignType": ("Campaign", "Type"),
    "ContractStatus": ("Contract", "Status"),
    "OrderStatus": ("Order", "Status"),
    "OrderType": ("Order", "Type"),
    "Product2Family": ("Product2", "Family"),
}


@dataclass(slots=True)
class Draft:
    """An object while its files are being gathered."""

    file: ObjectFile | None = None
    fields: list[Field] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    record_types: list[RecordType] = field(default_factory=list)


@dataclass(slots=True)
class Source:
    """Everything found in the DX directories."""

    features: frozenset[str] = frozenset()
    drafts: dict[str, Draft] = field(default_factory=dict)
    permission_sets: dict[str, PermissionSet] = field(default_factory=dict)
    groups: dict[str, PermissionSetGroup] = field(default_factory=dict)
    roles: list[Role] = field(default_factory=list)
    channels: dict[str, list[str]] = field(default_factory=dict)
    enriched: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    value_sets: dict[str, tuple[Choice, ...]] = field(default_factory=dict)
    standard_values: dict[str, tuple[Choice, ...]] = field(default_factory=dict)
    queues: list[Queue] = field(default_factory=list)
    list_views: list[ListView] = field(default_factory=list)
    compact_layouts: list[CompactLayout] = field(default_factory=list)
    assignment_rules: list[AssignmentRule] = field(default_factory=list)
    metadata_records: list[MetadataRecord] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)

    def draft(self, name: str) -> Draft:
        """Give the draft of an object, a new one the first time."""
        return self.drafts.setdefault(name, Draft())


def assemble(source: Source) -> dict[str, ObjectType]:
    """Build every object of the org. Raises ValueError for an unknown feature or fields without an object."""
    unknown = source.features - FEATURES
    if unknown:
        raise ValueError(f"the sandbox does not know the feature {', '.join(sorted(unknown))}")
    objects = _bought(source.features)
    activity = source.drafts.pop("Activity", Draft())
    for name in _ACTIVITY_OBJECTS:
        source.draft(name).fields += [replace(each, activity=True) for each in activity.fields]
    prefixes = _prefixes(name for name in source.drafts if name not in objects)
    for name, draft in sorted(source.drafts.items()):
        if name in objects:
            objects[name] = _extended(objects[name], draft)
        elif draft.file is None:
            raise ValueError(f"objects/{name}: fields without {name}.object-meta.xml")
        else:
            made = custom_object(name, draft.file, draft.fields, prefixes[name], currency="MultiCurrency" in source.features)
            objects[name] = replace(_with_record_type(made, draft), rules=tuple(draft.rules))
    if "PersonAccounts" in source.features:
        with_person_accounts(objects)
        source.draft("Account").record_types += _person_types(source)
    for set_name, values in source.standard_values.items():
        if set_name in _STANDARD_VALUE_SETS:
            _revalue(objects, *_STANDARD_VALUE_SETS[set_name], values)
    with_activities = tuple(one.name for one in objects.values() if one.activities and one.custom)
    return {name: _resolved(one, objects, with_activities) for name, one in objects.items()}


def _bought(features: frozenset[str]) -> dict[str, ObjectType]:
    """Give the standard objects an org with these features has; invoices are made by clients only with Billing."""
    all_of = features.union(*(_INCLUDES.get(each, set()) for each in features))
    found = {}
    for name, one in standard_objects(currency="MultiCurrency" in features).items():
        if one.feature is None or one.feature in all_of:
            made_here = one.feature != "Invoices" or "Billing" in features
            found[name] = one if made_here else replace(one, createable=False, deletable=False)
    return found


def _person_types(source: Source) -> list[RecordType]:
    """Give the person record type an org gets when person accounts are enabled, unless its source has one."""
    given = source.draft("Account").record_types
    if any(each.is_person or each.developer_name == "PersonAccount" for each in given):
        return []
    return [RecordType("Account", "PersonAccount", "Person Account", is_person=True)]


def _prefixes(names: Iterator[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    counts = {"a": 0, "e": 0, "m": 0}
    for name in sorted(names):
        letter = "e" if name.endswith("__e") else "m" if name.endswith("__mdt") else "a"
        found[name] = letter + base62(counts[letter], 2)
        counts[letter] += 1
    return found


def _extended(base: ObjectType, draft: Draft) -> ObjectType:
    sharing = draft.file.sharing if draft.file and draft.file.sharing else base.sharing
    fields = {**base.fields, **{each.name: each for each in draft.fields}}
    return _with_record_type(replace(base, fields=fields, rules=(*base.rules, *draft.rules), sharing=sharing), draft)


def _with_record_type(one: ObjectType, draft: Draft) -> ObjectType:
    if not draft.record_types or "RecordTypeId" in one.fields:
        return one
    standard = {name: each for name, each in one.fields.items() if not each.custom}
    rest = {name: each for name, each in one.fields.items() if each.custom}
    return replace(one, fields={**standard, "RecordTypeId": record_type_field(), **rest})


def _revalue(objects: dict[str, ObjectType], name: str, field_name: str, values: tuple[Choice, ...]) -> None:
    one = objects.get(name)
    if one is None or field_name not in one.fields:
        return
    default = next((each.value for each in values if each.default), None)
    changed = replace(one.fields[field_name], choices=values, default=default)
    objects[name] = replace(one, fields={**one.fields, field_name: changed})


def _resolved(one: ObjectType, objects: dict[str, ObjectType], with_activities: tuple[str, ...]) -> ObjectType:
    """Name the real targets of lookups: `*` stands for every custom object with activities."""
    fields = {}
    for name, each in one.fields.items():
        targets = each.reference_to
        if "*" in targets:
            targets = tuple(sorted({*with_activities, *(target for target in targets if target in objects)}))
        elif len(targets) > 1:
            targets = tuple(target for target in targets if target in objects)
        fields[name] = each if targets == each.reference_to else replace(each, reference_to=targets)
    return replace(one, fields=fields)
