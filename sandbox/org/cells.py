"""The cells of a chunk's rows → the values to keep.

Must not write. A cell read before is not read again: what its column makes of it does not change (`Column.known`), but whether the
record it points at is there does, so references are looked at anew for each chunk, and then once. Source: Bulk API 2.0 and
Bulk API Developer Guide, "Prepare CSV Files" (an empty cell is ignored, `#N/A` is null), SOAP API Developer Guide, "StatusCode".
Invariant: what a row of cells is read as does not depend on the rows before it, but for the records they are.
"""

from collections.abc import Callable, Sequence
from functools import partial

from sandbox.org import errors
from sandbox.org.access import Rights
from sandbox.org.errors import OrgError
from sandbox.org.prepare import Preparation
from sandbox.org.schema import Field
from sandbox.org.storage import Row
from sandbox.org.task import NULL, Column, Task
from sandbox.org.values import Reader, Stored, reader

_REMEMBERED = 4096
"""How many different cells of a column are remembered."""
_Read = Callable[[str], Stored]
_Way = tuple[int, str, dict[str, Stored], _Read | None]
"""How a column is read: its place, its field, the cells known, and how others are read; None where it may not be filled."""


class Cells:
    """Reads the rows of one chunk. `catch_up` writes rows that wait, before a row is looked for that may be among them."""

    def __init__(self, prepare: Preparation, task: Task, rights: Rights, catch_up: Callable[[], None]) -> None:
        self._prepare = prepare
        self._task = task
        self._one = task.object
        self._catch_up = catch_up
        self._refused: dict[tuple[str, str], OrgError] = {}
        read = [
            (place, each, self._way(each))
            for place, each in enumerate(task.columns)
            if each.field.name != "Id" and each.field is not task.key
        ]
        self._ways: dict[bool, list[_Way]] = {
            creating: [
                (place, each.field.name, *(way if prepare.writable(self._one, each.field, rights, creating=creating) else ({}, None)))
                for place, each, way in read
            ]
            for creating in (True, False)
        }

    def given(self, cells: Sequence[str], *, creating: bool) -> Row:
        """Read a row; empty cells are not given. Raises OrgError for the first that cannot be read."""
        found: Row = {}
        refused: list[str] = []
        for place, name, known, read in self._ways[creating]:
            cell = cells[place]
            if not cell:
                continue
            if cell in known:
                found[name] = known[cell]
            elif read is None:
                refused.append(name)
            else:
                found[name] = read(cell)
        if refused:
            raise errors.not_writable(refused)
        return found

    def _way(self, column: Column) -> tuple[dict[str, Stored], _Read]:
        found: dict[str, Stored] = {}
        if column.key is not None:
            return found, partial(self._once, column, partial(self._parent, column), found)
        if column.field.type == "reference":
            return found, partial(self._once, column, partial(self._reference, column.field), found)
        return column.known, partial(_plain, column, reader(column.field))

    def _once(self, column: Column, look: _Read, known: dict[str, Stored], cell: str) -> Stored:
        """Look a reference up; whether it was found or refused, never again."""
        key = (column.field.name, cell)
        if key in self._refused:
            raise self._refused[key]
        try:
            kept = known[cell] = look(cell)
        except OrgError as error:
            self._refused[key] = error
            raise
        return kept

    def _reference(self, field: Field, cell: str) -> Stored:
        kept = read_cell(field, reader(field), cell)
        if kept is not None:
            if str(kept)[:3] == self._one.key_prefix:
                self._catch_up()
            self._prepare.check_lookups(self._one, {field.name: kept}, self._task.session)
        return kept

    def _parent(self, column: Column, cell: str) -> Stored:
        """Find the record that a relationship names by a key."""
        if cell == NULL:
            return None
        if column.parent is None or column.key is None or column.field.relationship is None:
            raise errors.no_such_column(column.field.name, self._one.name)
        if column.parent is self._one:
            self._catch_up()
        keys = {"attributes": {"type": column.parent.name}, column.key.name: cell}
        _, record_id = self._prepare.parent(self._one, column.field.relationship, keys)
        self._prepare.check_lookups(self._one, {column.field.name: str(record_id)}, self._task.session)
        return str(record_id)


def _plain(column: Column, read: Reader, cell: str) -> Stored:
    kept = read_cell(column.field, read, cell)
    if len(column.known) < _REMEMBERED:
        column.known[cell] = kept
    return kept


def read_cell(field: Field, read: Reader, cell: str) -> Stored:
    """Read a cell as its field does, in the words that bulk loads are refused with."""
    if cell == NULL:
        return read(None)
    try:
        return read(cell[:-1] if field.type == "date" and cell[-1] == "Z" else cell)
    except OrgError as error:
        if error.code == "JSON_PARSER_ERROR":
            words = f"{field.label}: value not of required type: {cell}"
            raise OrgError(400, "INVALID_TYPE_ON_FIELD_IN_RECORD", words, [field.name]) from error
        raise
