"""The rows: one SQLite table an object, made from the schema.

Must not check values or permissions; SQL lives here, beside it (kept, filling) and in sandbox/org/sql. Texts compare without regard to ASCII case
unless the field is case sensitive. Invariant: every live record has a row, and unique fields are unique among live rows.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from threading import RLock

from sandbox.org import ids, kept
from sandbox.org.functions import register
from sandbox.org.schema import Field, ObjectType, Schema
from sandbox.org.values import Stored

Row = dict[str, Stored]
_first = itemgetter(0)
_AT_ONCE = 500
"""How many values one statement looks for."""
_SMALL = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def quoted(name: str) -> str:
    """Quote a table or column name."""
    return f'"{name}"'


def folded(field: Field, value: Stored) -> Stored:
    """Give the same for values that a column takes for equal: capitals of ASCII do not count where case does not."""
    if not isinstance(value, str) or field.case_sensitive or not field.is_text:
        return value
    return value.lower() if value.isascii() else value.translate(_SMALL)


def filled(row: Mapping[str, Stored]) -> tuple[str, ...]:
    """List the columns of a row that have a value."""
    return tuple([name for name, value in row.items() if value is not None])


@lru_cache(maxsize=2048)
def _insertion(table: str, names: tuple[str, ...]) -> tuple[str, Callable[[Mapping[str, Stored]], Sequence[Stored]]]:
    """Give the statement that writes rows with these columns, and what takes the values out of a row."""
    sql = f"INSERT INTO {quoted(table)} ({', '.join(map(quoted, names))}) VALUES ({', '.join('?' * len(names))})"
    return sql, itemgetter(*names) if len(names) > 1 else lambda row: [row[name] for name in names]


@lru_cache(maxsize=2048)
def _change(table: str, names: tuple[str, ...]) -> str:
    return f'UPDATE {quoted(table)} SET {", ".join(f"{quoted(name)} = ?" for name in names)} WHERE "Id" = ?'


def _column(field: Field) -> str:
    if field.type in ("boolean", "int"):
        return "INTEGER"
    if field.is_number:
        return "REAL"
    return "TEXT COLLATE NOCASE" if field.is_text and not field.case_sensitive else "TEXT"


class Database:
    """The tables of one org, in memory or in a file. Raises ValueError for a file made with another schema."""

    def __init__(self, schema: Schema, path: Path | None) -> None:
        self._schema = schema
        self.lock = RLock()
        self.half_read: list[Callable[[], None]] = []
        self.connection = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False, cached_statements=512)
        register(self.connection)
        self.columns = {one.name: tuple(f.name for f in one.fields.values() if f.stored) for one in schema.records()}
        try:
            if path is not None:
                self.connection.execute("PRAGMA journal_mode=WAL")
                self.connection.execute("PRAGMA synchronous=NORMAL")
            self._create()
        except Exception:
            self.connection.close()
            raise
        self._place = {name: {column: place for place, column in enumerate(columns)} for name, columns in self.columns.items()}
        self._select = {name: f"SELECT {', '.join(map(quoted, columns))} FROM {quoted(name)}" for name, columns in self.columns.items()}
        self._next = {one.name: self._highest(one) + 1 for one in schema.records()}

    def before_write(self) -> None:
        """Let those who have read rows only in part (`half_read`) read the rest, for it is about to change."""
        for read_on in tuple(self.half_read):
            read_on()

    def in_order(self, one: ObjectType, values: Row) -> Row:
        """Give values in the order of their columns."""
        return {name: values[name] for name in sorted(values, key=self._place[one.name].__getitem__)}

    def _create(self) -> None:
        run = self.connection.execute
        kept.prepare(self.connection, self._schema)
        run("CREATE TABLE IF NOT EXISTS _hidden (user_id TEXT, record_id TEXT, PRIMARY KEY (user_id, record_id)) WITHOUT ROWID")
        run("CREATE TABLE IF NOT EXISTS _access (user_id TEXT PRIMARY KEY, is_admin INTEGER, view_all INTEGER, permission_sets TEXT)")
        for one in self._schema.records():
            self._create_table(one)

    def _create_table(self, one: ObjectType) -> None:
        run = self.connection.execute
        table = quoted(one.name)
        fields = [one.fields[name] for name in self.columns[one.name]]
        wanted = ", ".join(f"{quoted(f.name)} {_column(f)}{' PRIMARY KEY NOT NULL' if f.name == 'Id' else ''}" for f in fields)
        run(f"CREATE TABLE IF NOT EXISTS {table} ({wanted})")
        present = kept.check_columns(self.connection, one, {f.name: _column(f) for f in fields})
        for each in fields:
            if each.name not in present:
                run(f"ALTER TABLE {table} ADD COLUMN {quoted(each.name)} {_column(each)}")
            if each.name == "SystemModstamp":
                run(f"CREATE INDEX IF NOT EXISTS {quoted(f'{one.name}.{each.name}')} ON {table} ({quoted(each.name)})")
            elif each.unique:
                self._index(one, each, "UNIQUE", f'{quoted(each.name)} IS NOT NULL AND "IsDeleted" = 0')
                self._index(one, each, "", f"{quoted(each.name)} IS NOT NULL")
            elif each.external_id or (each.type == "reference" and not each.name.endswith("ById")):
                self._index(one, each, "", f"{quoted(each.name)} IS NOT NULL")

    def _index(self, one: ObjectType, field: Field, kind: str, where: str) -> None:
        name = quoted(f"{one.name}.{field.name}{'.' + kind if kind else ''}")
        self.connection.execute(f"CREATE {kind} INDEX IF NOT EXISTS {name} ON {quoted(one.name)} ({quoted(field.name)}) WHERE {where}")

    def _highest(self, one: ObjectType) -> int:
        start = ids.numbered(one.key_prefix, 0)[:6]
        found = self.connection.execute(
            f'SELECT MAX("Id") FROM {quoted(one.name)} WHERE "Id" >= ? AND "Id" < ?', (start, start[:-1] + chr(ord(start[-1]) + 1))
        ).fetchone()[0]
        number = 0
        for letter in (found or "")[6:15]:
            number = number * 62 + ids.DIGITS.index(letter)
        return number

    def next_number(self, one: ObjectType) -> int:
        """Take the next number of an object: it makes the id and the auto-number."""
        number = self._next[one.name]
        self._next[one.name] = number + 1
        return number

    def next_numbers(self, one: ObjectType, count: int) -> int:
        """Take as many numbers of an object as asked for, and give the first of them."""
        number = self._next[one.name]
        self._next[one.name] = number + count
        return number

    def get(self, one: ObjectType, record_id: str) -> Row | None:
        """Read a row, deleted ones too; the id has 18 characters."""
        return self.find(one, "Id", record_id)

    def find(self, one: ObjectType, column: str, value: Stored) -> Row | None:
        """Read the first row with a value in a column, live rows first."""
        sql = f'{self._select[one.name]} WHERE {quoted(column)} = ? ORDER BY "IsDeleted" LIMIT 1'
        found = self.connection.execute(sql, (value,)).fetchone()
        return None if found is None else dict(zip(self.columns[one.name], found, strict=True))

    def get_many(self, one: ObjectType, record_ids: Iterable[str]) -> dict[str, Row]:
        """Read the rows there are of these ids, deleted ones too."""
        names = self.columns[one.name]
        found = self._among(f"{self._select[one.name]} WHERE", "Id", record_ids)
        return {str(row["Id"]): row for row in (dict(zip(names, each, strict=True)) for each in found)}

    def having(self, one: ObjectType, column: str, values: Iterable[Stored]) -> dict[Stored, list[str]]:
        """Find the live rows that have one of these values in a column: folded value → ids in order."""
        field = one.fields[column]
        found: dict[Stored, list[str]] = {}
        sql = f'SELECT {quoted(column)}, "Id" FROM {quoted(one.name)} WHERE "IsDeleted" = 0 AND'
        for value, record_id in self._among(sql, column, values):
            found.setdefault(folded(field, value), []).append(str(record_id))
        return {value: sorted(ids) for value, ids in found.items()}

    def _among(self, sql: str, column: str, values: Iterable[Stored]) -> Iterator[tuple[Stored, ...]]:
        wanted = list(dict.fromkeys(values))
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            yield from self.connection.execute(f"{sql} {quoted(column)} IN ({', '.join('?' * len(part))})", part).fetchall()

    def live_ids(self, one: ObjectType, column: str, value: Stored, *, at_most: int = -1) -> list[str]:
        """List ids of rows outside the recycle bin with a value in a column."""
        sql = f'SELECT "Id" FROM {quoted(one.name)} WHERE {quoted(column)} = ? AND "IsDeleted" = 0 ORDER BY "Id" LIMIT ?'
        return [row[0] for row in self.connection.execute(sql, (value, at_most))]

    def insert(self, one: ObjectType, rows: Iterable[Mapping[str, Stored]]) -> None:
        """Write new rows; columns left out are null."""
        self.insert_shaped(one, ((filled(row), row) for row in rows))

    def insert_shaped(self, one: ObjectType, rows: Iterable[tuple[tuple[str, ...], Mapping[str, Stored]]]) -> None:
        """Write new rows, each with the columns that have a value: the others are not bound, which takes longer than a text."""
        for names, alike in groupby(rows, _first):
            sql, values = _insertion(one.name, names)
            self.connection.executemany(sql, [values(row) for _, row in alike])

    def insert_columns(self, one: ObjectType, columns: Mapping[str, Sequence[Stored]]) -> None:
        """Write new rows given by column; columns left out are null."""
        sql = f"INSERT INTO {quoted(one.name)} ({', '.join(map(quoted, columns))}) VALUES ({', '.join('?' * len(columns))})"
        self.connection.executemany(sql, zip(*columns.values(), strict=True))

    def update(self, one: ObjectType, record_id: str, values: Mapping[str, Stored]) -> None:
        """Change columns of one row."""
        self.connection.execute(_change(one.name, tuple(values)), (*values.values(), record_id))

    def remove(self, one: ObjectType, record_id: str) -> None:
        """Take one row away for good."""
        self.connection.execute(f'DELETE FROM {quoted(one.name)} WHERE "Id" = ?', (record_id,))

    def remove_deleted(self) -> int:
        """Empty the recycle bin; return how many rows went."""
        return sum(
            self.connection.execute(f'DELETE FROM {quoted(one.name)} WHERE "IsDeleted" = 1').rowcount for one in self._schema.records()
        )

    def rows(self, sql: str, parameters: Mapping[str, object] | Sequence[object] = ()) -> list[tuple[Stored, ...]]:
        """Run a SELECT."""
        return self.connection.execute(sql, parameters).fetchall()

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
