"""What the org said when it was asked: typed, and nothing beyond what a rule needs.

Must not ask or judge. Invariant: None means that the org does not tell, an empty collection that there is nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from connector.salesforce.client import Limit
from connector.salesforce.describe import ObjectDescription
from connector.salesforce.wire import Record

Rows = Sequence[Record] | None
"""The rows of a question; None when the org refuses to answer it."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What may be done with the records of an object."""

    read: bool = False
    create: bool = False
    edit: bool = False
    view_all: bool = False

    def __or__(self, other: "Grant") -> "Grant":
        return Grant(self.read or other.read, self.create or other.create, self.edit or other.edit, self.view_all or other.view_all)


@dataclass(frozen=True, slots=True)
class Access:
    """What the permission sets of the integration user, its profile's included, grant together."""

    sets: tuple[str, ...]
    permissions: frozenset[str]
    objects: Mapping[str, Grant]

    def sees_all(self, sobject: str) -> bool:
        """Whether no record of ``sobject`` is hidden by sharing, now or after a change of sharing."""
        whole = {"ViewAllData", "ModifyAllData"} & self.permissions
        return bool(whole) or self.objects.get(sobject, Grant()).view_all


@dataclass(frozen=True, slots=True)
class Giver:
    """A permission set that gives something the integration user lacks; ``what`` is an object, or ``Object.Field``."""

    label: str
    what: str
    grant: Grant


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue: whether Tasks may be its own (None = the org does not tell), and who serves it."""

    owns_tasks: bool | None = None
    empty: bool = False
    """It has no members."""
    idle: bool = False
    """It has members, and none of them is an active user or a group."""


@dataclass(frozen=True, slots=True)
class Licence:
    """A package's licences: its status, whether everyone has one, whether the integration user has."""

    status: str
    site_wide: bool
    held: bool | None


@dataclass(frozen=True, slots=True)
class Said:
    """Everything that was asked of an org."""

    username: str
    """Of the integration user; empty where the org does not tell."""
    objects: Mapping[str, ObjectDescription | None]
    """By name; None for one that does not exist or may not be seen."""
    organization: str = ""
    known_objects: tuple[str, ...] = ()
    """Names of all objects the user sees; asked only when one is missing."""
    access: Access | None = None
    givers: tuple[Giver, ...] = ()
    queues: Mapping[str, Queue] | None = None
    users: Mapping[str, bool] | None = None
    """Username → active, of those asked for."""
    licences: Mapping[str, Licence] | None = None
    """By package prefix."""
    limits: Mapping[str, Limit] | None = None
    refused_channels: Mapping[str, str] | None = None
    """Channel → why it cannot be subscribed to; None when it was not tried."""
    rules: tuple[tuple[str, str], ...] | None = None
    """Active validation rules: object, name."""

    def with_channels(self, refused: Mapping[str, str]) -> "Said":
        """The same, and which channels were refused."""
        return replace(self, refused_channels=refused)

    def user(self) -> str:
        """The integration user, for a sentence."""
        return self.username or "the integration user"


def access_of(sets: Rows, objects: Rows) -> Access | None:
    """What the user's permission sets grant; None where the org does not tell: every user has one, its profile's."""
    if not sets or objects is None:
        return None
    names, permissions = list[str](), set[str]()
    for row in sets:
        one = _parent(row, "PermissionSet")
        if one.get("Name") is not None and not one.get("IsOwnedByProfile"):
            names.append(str(one.get("Label") or one["Name"]))
        permissions |= {name.removeprefix("Permissions") for name, given in one.items() if name.startswith("Permissions") and given is True}
    summed: dict[str, Grant] = {}
    for row in objects:
        name = str(row.get("SobjectType"))
        summed[name] = summed.get(name, Grant()) | grant_of(row)
    return Access(tuple(sorted(names)), frozenset(permissions), summed)


def grant_of(row: Record) -> Grant:
    """What a row of ObjectPermissions or FieldPermissions grants."""

    def flag(name: str) -> bool:
        return row.get(f"Permissions{name}") is True

    return Grant(flag("Read"), flag("Create"), flag("Edit"), flag("ViewAllRecords") or flag("ModifyAllRecords"))


def givers_of(rows: Iterable[Rows]) -> tuple[Giver, ...]:
    """Permission sets, no profiles, that grant what rows of ObjectPermissions and FieldPermissions say; those of Dunwell first."""
    found = []
    for row in (row for some in rows for row in some or ()):
        parent = _parent(row, "Parent")
        if parent.get("IsOwnedByProfile") is False:
            found.append(Giver(str(parent.get("Label")), str(row.get("Field") or row.get("SobjectType")), grant_of(row)))
    return tuple(sorted(found, key=lambda one: (not one.label.startswith("Dunwell"), one.label, one.what)))


def queues_of(queues: Rows, owning: Rows, members: Rows, active: Rows) -> Mapping[str, Queue] | None:
    """Every queue of the org by its developer name."""
    if queues is None:
        return None
    may_own = None if owning is None else {str(row.get("QueueId")) for row in owning}
    working = None if active is None else {str(row.get("Id")) for row in active}
    filled, served = set[str](), set[str]()
    for row in members or ():
        member, queue = str(row.get("UserOrGroupId")), str(row.get("GroupId"))
        filled.add(queue)
        if not member.startswith("005") or working is None or member in working:
            served.add(queue)
    return {
        str(row.get("DeveloperName")): Queue(
            None if may_own is None else record in may_own,
            empty=members is not None and record not in filled,
            idle=record in filled and record not in served,
        )
        for row in queues
        if (record := str(row.get("Id")))
    }


def licences_of(packages: Rows, held: Rows) -> Mapping[str, Licence] | None:
    """Licences by package prefix; -1 allowed licences are a licence for the whole org (Object Reference, PackageLicense)."""
    if packages is None:
        return None
    mine = None if held is None else {str(row.get("PackageLicenseId")) for row in held}
    return {
        str(row.get("NamespacePrefix")): Licence(
            str(row.get("Status")), row.get("AllowedLicenses") == -1, None if mine is None else str(row.get("Id")) in mine
        )
        for row in packages
    }


def _parent(row: Record, name: str) -> Record:
    found = row.get(name)
    return found if isinstance(found, Mapping) else {}
