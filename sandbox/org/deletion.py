"""Into the recycle bin and out of it: what goes along, what is let go, and what comes back.

Must not check whether the user may: the Writer has. Source: Object Reference, delete() and undelete(); Salesforce Help,
"Manage Your Recycle Bin" and "Considerations for Deleting Accounts"; `restrictedDelete` of recorded describes.
Invariant: what one deletion took along comes back with it, and nothing else does.
"""

from collections.abc import Callable, Sequence

from sandbox.org import errors
from sandbox.org.bin import Bin
from sandbox.org.companions import Companions
from sandbox.org.conduct import Conduct
from sandbox.org.parts import Parts
from sandbox.org.schema import ChildRelationship, ObjectType
from sandbox.org.storage import Row
from sandbox.org.types import AUDIT, ChangeKind, Session
from sandbox.org.unique import Unique
from sandbox.org.values import stamp

_NAMED = 10
"""How many of the records that hold on to another are named in a refusal."""
Tell = Callable[[ObjectType, ChangeKind, Row, tuple[str, ...], Session], None]


class Deletion:
    """Deletes and undeletes the records of one org."""

    def __init__(self, parts: Parts, conduct: Conduct, companions: Companions, unique: Unique, tell: Tell) -> None:
        self._schema = parts.schema
        self._database = parts.database
        self._clock = parts.clock
        self._conduct = conduct
        self._companions = companions
        self._unique = unique
        self._tell = tell
        self._bin = Bin(parts.database)

    def delete(self, one: ObjectType, row: Row, session: Session) -> None:
        """Put a record into the bin, and with it its details; a person account goes whole. Raises OrgError."""
        person = self._companions.account_of(one, row)
        if person is not None:
            one = self._schema.objects["Account"]
            row = self._database.get(one, person) or row
        self._delete(one, row, session, str(row["Id"]))

    def _delete(self, one: ObjectType, row: Row, session: Session, root: str) -> None:
        record_id = str(row["Id"])
        self._conduct.before_delete(one, row)
        for end in self._schema.children[one.name]:
            self._let_go(one, record_id, end, session, root)
        self._bin.threw(record_id, root)
        self._mark(one, row, session, deleted=True)

    def _mark(self, one: ObjectType, row: Row, session: Session, *, deleted: bool) -> None:
        at = stamp(self._clock.now())
        audit: Row = {"IsDeleted": int(deleted), "LastModifiedDate": at, "LastModifiedById": session.user_id, "SystemModstamp": at}
        self._database.update(one, str(row["Id"]), audit)
        filled = [name for name, value in row.items() if value is not None and name not in AUDIT and name not in ("Id", "IsDeleted")]
        self._tell(one, "DELETE" if deleted else "UNDELETE", {**row, **audit}, () if deleted else tuple(filled), session)

    def _let_go(self, one: ObjectType, record_id: str, end: ChildRelationship, session: Session, root: str) -> None:
        child = self._schema.objects[end.child]
        if not child.fields[end.field].stored:
            return
        found = self._database.live_ids(child, end.field, record_id)
        if end.restricted_delete:
            self._refuse(one, record_id, child, found, spare_drafts=end.cascade_delete)
        for child_id in found:
            row = self._database.get(child, child_id)
            if end.cascade_delete and row is not None:
                self._delete(child, row, session, root)
            elif row is not None:
                self._bin.cleared(child.name, child_id, end.field, record_id, root)
                self._database.update(child, child_id, {end.field: None, "SystemModstamp": stamp(self._clock.now())})

    def _refuse(self, one: ObjectType, record_id: str, child: ObjectType, found: Sequence[str], *, spare_drafts: bool) -> None:
        """Refuse to take a record from those that hold on to it; of contracts and orders only the activated ones do."""
        rows = [row for row in (self._database.get(child, each) for each in found) if row is not None]
        holding = [row for row in rows if not spare_drafts or row.get("StatusCode") == "Activated"]
        if holding:
            children = child.label_plural if child.custom else child.label_plural.lower()
            named = [_called(child, row) for row in holding[:_NAMED]]
            raise errors.associated(_called(one, self._database.get(one, record_id) or {}), children, named)

    def undelete(self, row: Row, session: Session) -> None:
        """Take a record out of the bin with what went in with it; unique values must still be free. Raises OrgError."""
        record_id = str(row["Id"])
        for each in self._bin.thrown_with(record_id):
            one = self._schema.of_id(each)
            known = None if one is None else self._database.get(one, each)
            if one is not None and known is not None and known["IsDeleted"]:
                self._unique.check(one, known, each)
                self._mark(one, known, session, deleted=False)
        for name, child_id, field, parent_id in self._bin.take_cleared(record_id):
            child = self._schema.objects[name]
            found = self._database.get(child, child_id)
            if found is not None and found[field] is None:
                self._database.update(child, child_id, {field: parent_id, "SystemModstamp": stamp(self._clock.now())})


def _called(one: ObjectType, row: Row) -> str:
    """Give the name of a record as refusals write it, with the salutation of a person."""
    name = one.name_field
    words = (row.get("Salutation"), row.get(name.name) if name is not None else row.get("Id"))
    return " ".join(str(each) for each in words if each)
