"""What an admin sets up beside objects: permissions, roles, queues, record types, rules of assignment, views.

Must not act. Source: Metadata API Developer Guide. Invariant: values as their source says them; names of objects and fields
in permissions are in lower case.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ObjectAccess:
    """What a permission set allows on an object."""

    read: bool = False
    create: bool = False
    edit: bool = False
    delete: bool = False
    view_all: bool = False
    modify_all: bool = False
    all_fields: bool = False


@dataclass(frozen=True, slots=True)
class PermissionSet:
    """A permission set or profile. `readable` and `editable` hold `Object.Field` in lower case, record types `Object.Name`."""

    name: str
    label: str
    objects: Mapping[str, ObjectAccess] = field(default_factory=dict)
    readable: frozenset[str] = frozenset()
    editable: frozenset[str] = frozenset()
    user_permissions: frozenset[str] = frozenset()
    record_types: frozenset[str] = frozenset()
    default_record_types: frozenset[str] = frozenset()
    is_profile: bool = False


@dataclass(frozen=True, slots=True)
class PermissionSetGroup:
    """Permission sets given together."""

    name: str
    label: str
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """A place in the role hierarchy; who stands above sees what those below own."""

    name: str
    label: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class RecordType:
    """A record type of an object: the picklist values it offers, and which of them it starts with."""

    sobject: str
    developer_name: str
    label: str
    active: bool = True
    description: str | None = None
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    is_person: bool = False


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue that may own records of some objects."""

    developer_name: str
    name: str
    objects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of a field with a value or with another field, in the words of the metadata (`equals`, `notEqual`)."""

    field: str
    operation: str
    value: str = ""
    value_field: str | None = None


@dataclass(frozen=True, slots=True)
class Criteria:
    """Conditions that all hold, or as `logic` combines their numbers (`1 AND (2 OR 3)`); `message` is shown on refusal."""

    conditions: tuple[Condition, ...] = ()
    logic: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class AssignmentEntry:
    """One line of an assignment rule: who gets the records that meet its criteria or formula."""

    criteria: Criteria
    formula: str | None = None
    assigned_to: str | None = None
    assigned_to_type: str = "User"


@dataclass(frozen=True, slots=True)
class AssignmentRule:
    """The lines by which new cases or leads find their owner; the first that fits decides."""

    sobject: str
    name: str
    active: bool = False
    entries: tuple[AssignmentEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class MetadataRecord:
    """A record of a custom metadata type."""

    sobject: str
    developer_name: str
    label: str
    values: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListFilter:
    """One condition of a list view, in the words of the metadata (`equals`, `greaterThan`); value may be empty."""

    field: str
    operation: str
    value: str


@dataclass(frozen=True, slots=True)
class ListView:
    """A list view of an object as its source says it; names of standard columns may be those of the user interface (`NAME`)."""

    name: str
    label: str
    object: str
    columns: tuple[str, ...] = ()
    filters: tuple[ListFilter, ...] = ()
    scope: str = "Everything"
    logic: str | None = None
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class CompactLayout:
    """The first fields of a record's page; `primary` where its object is assigned this one."""

    name: str
    label: str
    object: str
    fields: tuple[str, ...] = ()
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Ignored:
    """Metadata that was found and is not carried out: the file, its kind, and whether a real org would behave differently for it."""

    path: str
    kind: str
    changes_behaviour: bool
    why: str
