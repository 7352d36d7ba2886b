"""What an org consists of: objects, their fields, permission sets, events. Read once, then only looked up.

Must not know files or SQL. Names are looked up without regard to case, as the platform does.
Invariant: every field of an object is reachable by its API name, and every lookup by its relationship name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sandbox.org.setup import (
    AssignmentRule,
    CompactLayout,
    Criteria,
    Ignored,
    ListView,
    MetadataRecord,
    PermissionSet,
    PermissionSetGroup,
    Queue,
    RecordType,
    Role,
)

Trait = str | bool | int | None
"""The value of a describe key that no rule foretells."""

TEXT_TYPES = frozenset(
    {"string", "textarea", "phone", "email", "url", "picklist", "multipicklist", "combobox", "encryptedstring", "anyType"}
)
NUMBER_TYPES = frozenset({"double", "currency", "percent", "int"})
COMPOUND_TYPES = frozenset({"address", "location"})


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a picklist. valid_for: the values of the controlling field it goes with."""

    value: str
    label: str
    default: bool = False
    active: bool = True
    closed: bool = False
    valid_for: tuple[str, ...] = ()
    won: bool = False
    probability: int | None = None
    forecast: str | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """A roll-up over child records: `operation` is count, sum, min or max."""

    child: str
    foreign_key: str
    operation: str
    summarized: str | None = None
    filters: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A field as describe shows it. `type` is the describe type; `nillable` False without a default means required.

    default: a value, or an expression when `default_is_formula`. formula: set for calculated fields (never stored).
    length counts characters; precision and scale digits. compound: the address whose permissions the field shares.
    controller: the field that a dependent picklist follows. traits: describe keys that differ from what follows from the rest.
    Two fields are equal only when they are the same one: looking a field up must cost nothing.
    """

    name: str
    label: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    default: str | None = None
    default_is_formula: bool = False
    defaulted_on_create: bool = False
    choices: tuple[Choice, ...] = ()
    restricted: bool = False
    reference_to: tuple[str, ...] = ()
    relationship: str | None = None
    child_relationship: str | None = None
    cascade_delete: bool = False
    restricted_delete: bool = False
    unique: bool = False
    external_id: bool = False
    case_sensitive: bool = False
    custom: bool = False
    formula: str | None = None
    blank_as_zero: bool = True
    summary: Summary | None = None
    auto_number: str | None = None
    name_field: bool = False
    permissionable: bool = False
    activity: bool = False
    long_text: bool = False
    compound: str | None = None
    help: str | None = None
    controller: str | None = None
    lookup_filter: Criteria | None = None
    id_lookup: bool = False
    traits: tuple[tuple[str, Trait], ...] = ()

    @property
    def stored(self) -> bool:
        """Whether the value lies in the table (formulas and roll-ups do not)."""
        return self.formula is None and self.summary is None and self.type not in COMPOUND_TYPES

    @property
    def calculated(self) -> bool:
        """Whether the value is worked out on reading."""
        return self.formula is not None or self.summary is not None

    @property
    def is_text(self) -> bool:
        """Whether values are texts compared without regard to case."""
        return self.type in TEXT_TYPES

    @property
    def is_number(self) -> bool:
        """Whether values are numbers."""
        return self.type in NUMBER_TYPES

    @property
    def polymorphic(self) -> bool:
        """Whether the lookup may point at more than one object."""
        return len(self.reference_to) > 1


@dataclass(frozen=True, slots=True)
class Rule:
    """A validation rule: a write after which `condition` holds is refused with `message`."""

    name: str
    condition: str
    message: str
    error_field: str | None = None


@dataclass(frozen=True)
class ObjectType:
    """An object as describe shows it. `kind` is `record` or `event` (a platform event, `__e`).

    setting: the kind of custom setting (Hierarchy, List). feature: what an org must have bought to have the object.
    """

    name: str
    label: str
    label_plural: str
    key_prefix: str
    fields: Mapping[str, Field]
    kind: str = "record"
    custom: bool = False
    activities: bool = False
    sharing: str = "ReadWrite"
    publish_after_commit: bool = True
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    permissionable: bool = True
    rules: tuple[Rule, ...] = ()
    setting: str | None = None
    feature: str | None = None
    traits: Mapping[str, object] = field(default_factory=dict)

    @cached_property
    def _by_lower(self) -> dict[str, Field]:
        return {name.lower(): one for name, one in self.fields.items()}

    @cached_property
    def _by_relationship(self) -> dict[str, Field]:
        return {one.relationship.lower(): one for one in self.fields.values() if one.relationship}

    def field(self, name: str) -> Field | None:
        """Find the field of that API name, in any case, or None."""
        return self._by_lower.get(name.lower())

    def lookup(self, relationship: str) -> Field | None:
        """Find the lookup field whose relationship name this is (`Account`, `Parent__r`), or None."""
        return self._by_relationship.get(relationship.lower())

    @cached_property
    def name_field(self) -> Field | None:
        """The field that names a record (`Name`, `CaseNumber`, `Subject`), or None."""
        return next((one for one in self.fields.values() if one.name_field), None)


@dataclass(frozen=True, slots=True)
class ChildRelationship:
    """The other end of a lookup: records of `child` whose `field` points here."""

    child: str
    field: str
    name: str | None
    cascade_delete: bool
    restricted_delete: bool


@dataclass(frozen=True)
class Schema:
    """All objects by API name, the permission sets, and the entities selected for Change Data Capture.

    change_entities maps a channel (`ChangeEvents`, `X__chn`) to the events selected on it, enriched_fields a channel and one of
    its change events to the fields added to every update and deletion.
    """

    objects: Mapping[str, ObjectType]
    permission_sets: Mapping[str, PermissionSet] = field(default_factory=dict)
    change_entities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    enriched_fields: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    record_types: tuple[RecordType, ...] = ()
    queues: tuple[Queue, ...] = ()
    list_views: tuple[ListView, ...] = ()
    compact_layouts: tuple[CompactLayout, ...] = ()
    groups: Mapping[str, PermissionSetGroup] = field(default_factory=dict)
    roles: tuple[Role, ...] = ()
    assignment_rules: tuple[AssignmentRule, ...] = ()
    metadata_records: tuple[MetadataRecord, ...] = ()
    features: frozenset[str] = frozenset()
    ignored: tuple[Ignored, ...] = ()

    @cached_property
    def _by_lower(self) -> dict[str, ObjectType]:
        return {name.lower(): one for name, one in self.objects.items()}

    @cached_property
    def _by_prefix(self) -> dict[str, ObjectType]:
        return {one.key_prefix: one for one in self.objects.values()}

    @cached_property
    def children(self) -> Mapping[str, tuple[ChildRelationship, ...]]:
        """For each object, the lookups of other objects that point at it."""
        found: dict[str, list[ChildRelationship]] = {name: [] for name in self.objects}
        for child in self.records():
            for one in child.fields.values():
                for parent in one.reference_to:
                    if parent in found and (one.child_relationship or one.custom or not one.polymorphic):
                        found[parent].append(
                            ChildRelationship(child.name, one.name, one.child_relationship, one.cascade_delete, one.restricted_delete)
                        )
        return {name: tuple(ends) for name, ends in found.items()}

    def get(self, name: str) -> ObjectType | None:
        """Find the object of that API name, in any case, or None."""
        return self._by_lower.get(name.lower())

    def of_id(self, record_id: str) -> ObjectType | None:
        """Find the object an id belongs to, by its first three characters, or None."""
        return self._by_prefix.get(record_id[:3])

    def records(self) -> Iterator[ObjectType]:
        """List the objects that have records (platform events have none)."""
        return (one for one in self.objects.values() if one.kind == "record")

    def events(self) -> Iterator[ObjectType]:
        """List the platform events."""
        return (one for one in self.objects.values() if one.kind == "event")
