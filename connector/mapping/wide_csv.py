"""CSV of a bulk query → tables of text, and of a few rows of such a table → the records that REST would have given.

Must not read a value's meaning. Invariants: a cell that is empty is null; every column is text, so that what cannot be read as its
type is found by whoever reads it and not by a guess of the parser; a table has exactly the rows that were announced.
"""

from collections.abc import Collection, Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from connector.errors import PermanentError, TransientError
from connector.mapping.read import Record

_BLOCK_BYTES = 4 << 20
"""Read by one thread: several would be done a little sooner, and take a third more of the processor."""


class Pages:
    """Pages of one query's result. The first has a header; on a later one it is left out if it is there."""

    def __init__(self) -> None:
        self._header = b""
        self._names: list[str] = []

    def table(self, body: bytes, rows: int) -> pa.Table:
        """One page. Raises TransientError when it is not whole."""
        if not self._header:
            self._header = body[: body.index(b"\n") + 1] if b"\n" in body else body
            self._names = [name.strip().strip('"') for name in self._header.decode("utf-8-sig").split(",")]
        has_header = body.startswith(self._header)
        found = self._parsed(body, len(self._header) if has_header else 0)
        if found.num_rows != rows:
            raise TransientError("a page of a bulk query has another number of rows than announced")
        return found

    def _parsed(self, body: bytes, start: int) -> pa.Table:
        schema = pa.schema([(name, pa.string()) for name in self._names])
        if len(body) <= start:
            return schema.empty_table()
        try:
            return csv.read_csv(
                pa.BufferReader(pa.py_buffer(body).slice(start)),
                read_options=csv.ReadOptions(column_names=self._names, block_size=_BLOCK_BYTES, use_threads=False),
                parse_options=csv.ParseOptions(newlines_in_values=True),
                convert_options=csv.ConvertOptions(
                    column_types=schema, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=True
                ),
            )
        except pa.ArrowInvalid as error:
            raise TransientError("a page of a bulk query could not be read as CSV") from error


def whole(parts: Sequence[pa.Table]) -> pa.Table:
    """All pages of a query as one table, without copying."""
    return pa.concat_tables(parts)


def column(table: pa.Table, name: str | None) -> pa.ChunkedArray:
    """A column of text; nulls where the org has no such field. Raises PermanentError when the query should have brought it."""
    if name is None:
        return pa.chunked_array([pa.nulls(table.num_rows, pa.string())])
    try:
        return table.column(name)
    except KeyError:
        raise PermanentError(f"a bulk query did not bring {name}") from None


def records(table: pa.Table, flags: Collection[str]) -> list[Record]:
    """Rows as records: text and None, and True or False in the fields named ``flags`` (checkboxes are false, never null).

    A parent's field is found under its path, as REST nests it.
    """
    for name in flags:
        if name in table.column_names:
            at = table.column_names.index(name)
            table = table.set_column(at, name, pc.equal(table.column(at), "true"))
    rows = table.to_pylist()
    return [_nested(row) for row in rows] if any("." in name for name in table.column_names) else rows


def _nested(row: dict[str, object]) -> Record:
    found: dict[str, object] = {}
    for path, value in row.items():
        *parents, name = path.split(".")
        inner = found
        for parent in parents:
            inner = inner.setdefault(parent, {})  # type: ignore[assignment]
        inner[name] = value
    return found


def having(table: pa.Table, names: Iterable[str], wanted: pa.Array) -> pa.Table:
    """The rows that name one of ``wanted`` in one of the columns ``names``."""
    mask = None
    for name in names:
        found = pc.is_in(column(table, name), value_set=wanted)
        mask = found if mask is None else pc.or_(mask, found)
    return table if mask is None else table.filter(mask)
