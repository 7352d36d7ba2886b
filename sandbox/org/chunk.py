"""One try at a chunk of rows: each row read, checked, locked and written, then the rules, then the listeners.

Must not open transactions: what has to be undone is undone by the caller. New rows are checked one by one but written together,
at the end or before anything that might look for them; records to be changed are read together. Source: Bulk API 2.0 and Bulk
API Developer Guide, "Upsert" and "Delete"; SOAP API Developer Guide, "StatusCode" (codes of refused rows). Invariant: what comes
of a row is what would have come of it had each row been written before the next was read; a row refused leaves nothing behind.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sandbox.org import errors, ids
from sandbox.org.cells import Cells, read_cell
from sandbox.org.dml import Writer
from sandbox.org.errors import OrgError
from sandbox.org.held import masters, parents
from sandbox.org.newrow import NewRow
from sandbox.org.parts import Parts
from sandbox.org.prepare import Preparation
from sandbox.org.schema import Field, ObjectType
from sandbox.org.storage import Row, folded
from sandbox.org.task import NULL, Admit, Outcome, Task
from sandbox.org.types import Session
from sandbox.org.values import Stored, reader

_T = TypeVar("_T")
_NAMED = 20
"""How many of the records with one key are named in a refusal."""


class RefusedError(Exception):
    """Rows, by place, that were written and then turned out to be against the rules."""

    def __init__(self, refused: dict[int, OrgError]) -> None:
        super().__init__(f"{len(refused)} rows refused")
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Tools:
    """What a chunk is written with; `broken` finds among written records those against a validation rule."""

    parts: Parts
    writer: Writer
    prepare: Preparation
    broken: Callable[[ObjectType, Sequence[str], Session], dict[str, OrgError]]


@dataclass(slots=True)
class _Written:
    """A row that is in its table and not yet told of."""

    place: int
    row: Row
    changed: tuple[str, ...] | None
    created: bool


@dataclass(slots=True)
class _New:
    """A row that is ready and not yet in its table."""

    place: int
    row: NewRow
    outcome: Outcome


class Chunk:
    """One try at a chunk."""

    def __init__(self, tools: Tools, task: Task, admit: Admit | None) -> None:
        self._tools = tools
        self._task = task
        self._one = task.object
        self._admit = admit
        self._database = tools.parts.database
        self._cells = Cells(tools.prepare, task, tools.parts.access.rights(task.session.user_id), self._catch_up)
        self._key_at = next((place for place, each in enumerate(task.columns) if each.field is task.key), -1)
        self._id_at = next((place for place, each in enumerate(task.columns) if each.field.name == "Id"), -1)
        self._uncreatable = tools.writer.uncreatable(task.object, task.session)
        self._one_by_one = tools.writer.accompanied(task.object)
        self._new: list[_New] = []
        self._written: list[_Written] = []
        self._read: dict[str, Row] = {}
        self._matches: dict[Stored, list[str]] = {}
        self._changes = 0

    def run(self, rows: Sequence[Sequence[str]], refused: dict[int, OrgError]) -> list[Outcome]:
        """Write the rows but those already refused. Raises RefusedError, or OrgError when a listener refuses."""
        act = {"insert": self._insert, "update": self._update, "upsert": self._upsert}.get(self._task.operation, self._delete)
        started = len(self._tools.parts.transactions.noted())
        outcomes = [Outcome(error=refused.get(place)) for place in range(len(rows))]
        self._look_ahead([cells for place, cells in enumerate(rows) if place not in refused])
        for place, (cells, outcome) in enumerate(zip(rows, outcomes, strict=True)):
            if outcome.error is not None:
                continue
            self._changes = self._database.connection.total_changes
            try:
                act(place, cells, outcome)
            except OrgError as error:
                if self._database.connection.total_changes != self._changes:
                    raise  # something of the row is written: only a savepoint of its own can take it back
                outcome.error = error
        self._catch_up()
        self._settle()
        if self._task.operation == "hardDelete":
            self._purge(started)
        return outcomes

    def _look_ahead(self, rows: Sequence[Sequence[str]]) -> None:
        """Find at once what the rows of an update or an upsert name."""
        operation, key = self._task.operation, self._task.key
        wanted: list[str] = []
        if operation == "upsert" and key is not None and key.name != "Id" and self._key_at >= 0:
            keys = [self._key(key, cells[self._key_at]) for cells in rows]
            self._matches = self._database.having(self._one, key.name, [each for each in keys if each is not None])
            wanted = [found[0] for found in self._matches.values() if len(found) == 1]
        elif operation in ("update", "upsert") and self._id_at >= 0:
            wanted = [known for cells in rows if (known := ids.normal(cells[self._id_at])) is not None]
        if not self._one_by_one:
            self._read = self._database.get_many(self._one, wanted)

    @staticmethod
    def _key(key: Field, cell: str) -> Stored:
        """Read the key of an upsert; None for a cell that is none: its row is refused when its turn comes."""
        try:
            return None if cell in ("", NULL) else read_cell(key, reader(key), cell)
        except OrgError:
            return None

    def _catch_up(self) -> None:
        """Write the new rows that wait; those with a value that is taken are refused."""
        if not self._new:
            return
        waiting, self._new = self._new, []
        refusals = self._tools.writer.write(self._one, [each.row for each in waiting], self._task.session)
        for each, refused in zip(waiting, refusals, strict=True):
            if refused is not None:
                each.outcome.error = refused
                continue
            row = each.row.values
            each.outcome.id, each.outcome.created = str(row["Id"]), True
            self._written.append(_Written(each.place, row, each.row.shape.told, True))
        self._changes = self._database.connection.total_changes

    def _settle(self) -> None:
        """Check the rules of all rows written, then tell the listeners."""
        writer, session = self._tools.writer, self._task.session
        if self._one.rules and self._written:
            broken = self._tools.broken(self._one, [str(each.row["Id"]) for each in self._written], session)
            if broken:
                raise RefusedError({each.place: broken[str(each.row["Id"])] for each in self._written if each.row["Id"] in broken})
        for each in self._written:
            if each.created:
                writer.created(self._one, each.row, session, each.changed)
            else:
                writer.updated(self._one, each.row, each.changed or (), session)

    def _insert(self, place: int, cells: Sequence[str], outcome: Outcome) -> None:
        if self._id_at >= 0 and cells[self._id_at]:
            raise OrgError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ["Id"])
        self._create(place, self._cells.given(cells, creating=True), outcome)

    def _create(self, place: int, given: Row, outcome: Outcome) -> None:
        writer, session = self._tools.writer, self._task.session
        if self._uncreatable is not None:
            raise self._uncreatable
        if self._admit is not None:
            self._lock(place, parents(self._one, given))
        if self._one_by_one:
            row = writer.insert(self._one, given, session)
            self._written.append(_Written(place, row, None, True))
            outcome.id, outcome.created = str(row["Id"]), True
        else:
            self._new.append(_New(place, writer.ready(self._one, given, session), outcome))

    def _update(self, place: int, cells: Sequence[str], outcome: Outcome) -> None:
        self._change(place, self._record_id(cells, "update"), cells, outcome)

    def _change(self, place: int, record_id: str, cells: Sequence[str], outcome: Outcome) -> None:
        writer, session = self._tools.writer, self._task.session
        self._catch_up()
        before = self._existing(lambda: self._changeable(record_id))
        outcome.id = record_id
        given = self._cells.given(cells, creating=False)
        if self._admit is not None:
            moved = {name: value for name, value in given.items() if value != before.get(name)}
            self._lock(place, [record_id, *masters(self._one, before), *parents(self._one, moved)])
        after, changed = writer.change(self._one, before, given, session)
        if record_id in self._read:
            self._read[record_id] = after
        self._written.append(_Written(place, after, changed, False))

    def _changeable(self, record_id: str) -> Row:
        known, session = self._read.get(record_id), self._task.session
        if known is None:
            return self._tools.writer.updatable(self._one, record_id, session)
        return self._tools.writer.checked(self._one, known, session)

    def _upsert(self, place: int, cells: Sequence[str], outcome: Outcome) -> None:
        key = self._task.key
        if key is None or (self._key_at < 0 and key.name != "Id"):
            raise errors.no_external_id("")
        cell = cells[self._key_at] if self._key_at >= 0 else ""
        if key.name == "Id":
            if cell in ("", NULL):
                self._create(place, self._cells.given(cells, creating=True), outcome)
            else:
                self._change(place, self._record_id(cells, "upsert"), cells, outcome)
            return
        if cell in ("", NULL):
            raise OrgError(400, "MISSING_ARGUMENT", f"{key.name} not specified", [])
        kept = read_cell(key, reader(key), cell)
        matches = self._matches.get(folded(key, kept), [])
        if len(matches) > 1:
            words = f"{key.name}: more than one record found for external id field: [{', '.join(each[:15] for each in matches[:_NAMED])}]"
            raise OrgError(400, "DUPLICATE_EXTERNAL_ID", words, [])
        if matches:
            self._change(place, matches[0], cells, outcome)
        else:
            self._create(place, {**self._cells.given(cells, creating=True), key.name: kept}, outcome)

    def _delete(self, place: int, cells: Sequence[str], outcome: Outcome) -> None:
        writer, one = self._tools.writer, self._one
        record_id = self._record_id(cells, "delete")
        if self._admit is not None:
            row = self._database.get(one, record_id)
            self._lock(place, [record_id, *(masters(one, row) if row else ())])
        self._existing(lambda: writer.delete(one.name, record_id, self._task.session))
        outcome.id = record_id

    def _purge(self, started: int) -> None:
        """Take what was deleted out of the recycle bin for good."""
        schema = self._tools.parts.schema
        for change in self._tools.parts.transactions.noted(started):
            if change.kind == "DELETE":
                self._database.remove(schema.objects[change.sobject], change.id)

    def _record_id(self, cells: Sequence[str], call: str) -> str:
        cell = cells[self._id_at] if self._id_at >= 0 else ""
        if cell in ("", NULL):
            raise OrgError(400, "MISSING_ARGUMENT", f"Id not specified in {'an' if call in ('update', 'upsert') else 'a'} {call} call", [])
        known = ids.normal(cell)
        if known is None or known[:3] != self._one.key_prefix:
            raise errors.wrong_id_type(f"{self._one.label} ID", "Id", cell)
        return known

    @staticmethod
    def _existing(look: Callable[[], _T]) -> _T:
        """Say of a record that is not there what writes of many records say (single ones answer NOT_FOUND)."""
        try:
            return look()
        except OrgError as error:
            if error.code == "NOT_FOUND":
                raise OrgError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id") from error
            raise

    def _lock(self, place: int, locked: Sequence[str]) -> None:
        if self._admit is not None and (refused := self._admit(place, locked)) is not None:
            raise refused
