"""One try at a chunk of rows: each row read, checked, locked and written, then the rules, then the listeners.

Must not open transactions: what has to be undone is undone by the caller. A reference is checked once for all rows that have it.
Source: Bulk API 2.0 and Bulk API Developer Guide, "Prepare CSV Files" (an empty cell is ignored, `#N/A` is null), SOAP API
Developer Guide, "StatusCode" (codes of refused rows). Invariant: a row refused before it is written leaves nothing behind.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sandbox.org import errors, ids
from sandbox.org.dml import Writer
from sandbox.org.errors import OrgError
from sandbox.org.held import masters, parents
from sandbox.org.parts import Parts
from sandbox.org.prepare import Preparation
from sandbox.org.schema import Field, ObjectType
from sandbox.org.storage import Row
from sandbox.org.task import NULL, Admit, Column, Outcome, Task
from sandbox.org.types import Session
from sandbox.org.values import Reader, Stored, reader

_T = TypeVar("_T")


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


class Chunk:
    """One try at a chunk."""

    def __init__(self, tools: Tools, task: Task, admit: Admit | None) -> None:
        self._tools = tools
        self._task = task
        self._one = task.object
        self._admit = admit
        self._database = tools.parts.database
        rights = tools.parts.access.rights(task.session.user_id)
        self._cells: list[tuple[int, Column, Reader, dict[str, Stored]]] = [
            (place, each, reader(each.key or each.field), {})
            for place, each in enumerate(task.columns)
            if each.field.name != "Id" and each.field is not task.key
        ]
        self._key_at = next((place for place, each in enumerate(task.columns) if each.field is task.key), -1)
        self._id_at = next((place for place, each in enumerate(task.columns) if each.field.name == "Id"), -1)
        self._barred = {
            creating: frozenset(
                each.field.name for each in task.columns if not tools.prepare.writable(self._one, each.field, rights, creating=creating)
            )
            for creating in (True, False)
        }
        self._known: dict[tuple[str, Stored], OrgError | None] = {}
        self._found: dict[tuple[int, str], Stored | OrgError] = {}
        self._written: list[_Written] = []

    def run(self, rows: Sequence[Sequence[str]], refused: dict[int, OrgError]) -> list[Outcome]:
        """Write the rows but those already refused. Raises RefusedError, or OrgError when a listener refuses."""
        act = {"insert": self._insert, "update": self._update, "upsert": self._upsert}.get(self._task.operation, self._delete)
        twice = self._twice(rows)
        started = len(self._tools.parts.transactions.noted())
        outcomes = []
        for place, cells in enumerate(rows):
            if place in refused:
                outcomes.append(Outcome(error=refused[place]))
                continue
            outcome = Outcome()
            changes = self._database.connection.total_changes
            try:
                if twice and (again := self._again(cells, twice)):
                    raise again
                act(place, cells, outcome)
            except OrgError as error:
                if self._database.connection.total_changes != changes:
                    raise  # something of the row is written: only a savepoint of its own can take it back
                outcome.error = error
            outcomes.append(outcome)
        self._settle()
        if self._task.operation == "hardDelete":
            self._purge(started)
        return outcomes

    def _settle(self) -> None:
        """Check the rules of all rows written, then tell the listeners."""
        writer, session = self._tools.writer, self._task.session
        if self._one.rules and self._written:
            broken = self._tools.broken(self._one, [str(each.row["Id"]) for each in self._written], session)
            if broken:
                raise RefusedError({each.place: broken[str(each.row["Id"])] for each in self._written if each.row["Id"] in broken})
        for each in self._written:
            if each.changed is None:
                writer.created(self._one, each.row, session)
            else:
                writer.updated(self._one, each.row, each.changed, session)

    def _insert(self, place: int, cells: Sequence[str], outcome: Outcome) -> None:
        if self._id_at >= 0 and cells[self._id_at]:
            raise OrgError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ["Id"])
        self._create(place, self._given(cells, creating=True), outcome)

    def _create(self, place: int, given: Row, outcome: Outcome) -> None:
        writer, session = self._tools.writer, self._task.session
        writer.check_creatable(self._one, session)
        if self._admit is not None:
            self._lock(place, parents(self._one, given))
        row = writer.insert(self._one, given, session)
        self._written.append(_Written(place, row, None))
        outcome.id, outcome.created = str(row["Id"]), True

    def _update(self, place: int, cells: Sequence[str], outcome: Outcome) -> None:
        self._change(place, self._record_id(cells, "update"), cells, outcome)

    def _change(self, place: int, record_id: str, cells: Sequence[str], outcome: Outcome) -> None:
        writer, session = self._tools.writer, self._task.session
        before = self._existing(lambda: writer.updatable(self._one, record_id, session))
        outcome.id = record_id
        given = self._given(cells, creating=False)
        if self._admit is not None:
            moved = {name: value for name, value in given.items() if value != before.get(name)}
            self._lock(place, [record_id, *masters(self._one, before), *parents(self._one, moved)])
        after, changed = writer.change(self._one, before, given, session)
        self._written.append(_Written(place, after, changed))

    def _upsert(self, place: int, cells: Sequence[str], outcome: Outcome) -> None:
        key = self._task.key
        if key is None or (self._key_at < 0 and key.name != "Id"):
            raise errors.no_external_id("")
        cell = cells[self._key_at] if self._key_at >= 0 else ""
        if key.name == "Id":
            if cell in ("", NULL):
                self._create(place, self._given(cells, creating=True), outcome)
            else:
                self._change(place, self._record_id(cells, "upsert"), cells, outcome)
            return
        if cell in ("", NULL):
            raise OrgError(400, "MISSING_ARGUMENT", f"{key.name} not specified", [])
        kept = self._read(key, reader(key), cell)
        matches = self._database.live_ids(self._one, key.name, kept, at_most=20)
        if len(matches) > 1:
            words = f"{key.name}: more than one record found for external id field: [{', '.join(each[:15] for each in matches)}]"
            raise OrgError(400, "DUPLICATE_EXTERNAL_ID", words, [])
        if matches:
            self._change(place, matches[0], cells, outcome)
        else:
            self._create(place, {**self._given(cells, creating=True), key.name: kept}, outcome)

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

    def _given(self, cells: Sequence[str], *, creating: bool) -> Row:
        """Read the cells into the values to keep. Raises OrgError for the first that cannot be."""
        found: Row = {}
        barred = self._barred[creating]
        refused = []
        for place, column, read, known in self._cells:
            cell = cells[place]
            if not cell:
                continue
            field = column.field
            if cell in known:
                found[field.name] = known[cell]
                continue
            if field.name in barred:
                refused.append(field.name)
            elif cell == NULL:
                found[field.name] = read(None) if column.key is None else None
            elif column.key is not None:
                found[field.name] = self._parent_id(place, column, cell)
            else:
                kept = found[field.name] = self._read(field, read, cell)
                if field.type == "reference" and kept is not None:
                    self._check_lookup(field.name, kept)
                known[cell] = kept
        if refused:
            raise errors.not_writable(refused)
        return found

    @staticmethod
    def _read(field: Field, read: Reader, cell: str) -> Stored:
        try:
            return read(cell[:-1] if field.type == "date" and cell[-1:] == "Z" else cell)
        except OrgError as error:
            if error.code == "JSON_PARSER_ERROR":
                words = f"{field.label}: value not of required type: {cell}"
                raise OrgError(400, "INVALID_TYPE_ON_FIELD_IN_RECORD", words, [field.name]) from error
            raise

    def _check_lookup(self, name: str, kept: Stored) -> None:
        if (name, kept) not in self._known:
            try:
                self._tools.prepare.check_lookups(self._one, {name: kept}, self._task.session)
                self._known[name, kept] = None
            except OrgError as error:
                self._known[name, kept] = error
        if (refused := self._known[name, kept]) is not None:
            raise refused

    def _parent_id(self, place: int, column: Column, cell: str) -> Stored:
        if (place, cell) not in self._found:
            self._found[place, cell] = self._look_up(column, cell)
        found = self._found[place, cell]
        if isinstance(found, OrgError):
            raise found
        return found

    def _look_up(self, column: Column, cell: str) -> Stored | OrgError:
        if column.parent is None or column.key is None or column.field.relationship is None:
            return errors.no_such_column(column.field.name, self._one.name)
        keys = {"attributes": {"type": column.parent.name}, column.key.name: cell}
        try:
            _, record_id = self._tools.prepare.parent(self._one, column.field.relationship, keys)
            self._tools.prepare.check_lookups(self._one, {column.field.name: str(record_id)}, self._task.session)
        except OrgError as error:
            return error
        return str(record_id)

    def _lock(self, place: int, locked: Sequence[str]) -> None:
        if self._admit is not None and (refused := self._admit(place, locked)) is not None:
            raise refused

    def _twice(self, rows: Sequence[Sequence[str]]) -> dict[str, bool]:
        """Find the keys of an upsert that several rows have; the value says whether a row with it was met."""
        if self._task.operation != "upsert" or self._key_at < 0:
            return {}
        counts = Counter(self._folded(cells[self._key_at]) for cells in rows if cells[self._key_at])
        return {key: self._task.all_duplicates_fail for key, count in counts.items() if count > 1}

    def _again(self, cells: Sequence[str], twice: dict[str, bool]) -> OrgError | None:
        cell = cells[self._key_at]
        folded = self._folded(cell)
        met = twice.get(folded)
        if met is False:
            twice[folded] = True
        return (
            OrgError(400, "DUPLICATE_VALUE", f"Duplicate external id specified: {cell}", [self._task.key.name])
            if met and self._task.key
            else None
        )

    def _folded(self, cell: str) -> str:
        key = self._task.key
        return cell if key is None or key.case_sensitive else cell.lower()
