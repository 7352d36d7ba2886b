"""Filling an org: many rows at once, still typed, without events, triggers or validation rules.

Must not be reachable from requests. Rows may set what requests may not: ids, audit fields, derived fields, deletion.
Works by column, not by row: most columns of a business hold few different values, and each is read once a portion.
Invariant: every value has passed its field's reader, ids have the right prefix, required fields are there.
"""

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import chain, repeat
from typing import Final

from sandbox.org import errors, ids
from sandbox.org.derive import Surroundings, derive, has_derived
from sandbox.org.dml import Writer
from sandbox.org.errors import OrgError
from sandbox.org.newrow import auto_number
from sandbox.org.parts import Parts
from sandbox.org.schema import Field, ObjectType
from sandbox.org.storage import Row
from sandbox.org.types import Session
from sandbox.org.values import Stored, check_target, reader, stamp

Rows = Sequence[Mapping[str, object]]
PORTION = 5000
"""Rows worked on at a time: what is in memory beside the rows given."""
_UNIQUE = re.compile(r"\.(\w+)(?:\.UNIQUE)?'?$")
_CHANGED = ("LastModifiedDate", "SystemModstamp")


class _Absent:
    """Stands where a row does not have a key at all; a null given is something else (false, for a checkbox)."""


_ABSENT: Final = _Absent()
_COMPARABLE = frozenset({str, int, float, date, datetime, type(None), _Absent})
"""Types whose equal values are read alike. Not bool beside them: True equals 1, and a text field takes only one of them."""
_FLAGS = frozenset({bool, type(None), _Absent})


class Loader:
    """Loads rows of one org."""

    def __init__(self, parts: Parts, writer: Writer, system: Session) -> None:
        self._schema = parts.schema
        self._database = parts.database
        self._clock = parts.clock
        self._currency = parts.currency
        self._writer = writer
        self._system = system

    def load(self, sobject: str, rows: Rows) -> list[str]:
        """Insert rows; return their ids in order. Raises OrgError, and then nothing was loaded."""
        one = self._schema.get(sobject)
        if one is None or one.kind != "record":
            raise errors.not_found()
        keys = self._keys(one, rows)
        template = self._template(one)
        found: list[str] = []
        for start in range(0, len(rows), PORTION):
            found += self._load(one, rows[start : start + PORTION], keys, template)
        return found

    def _keys(self, one: ObjectType, rows: Rows) -> dict[str, list[str]]:
        """Field → the keys it goes by in these rows: names count in any case."""
        found: dict[str, list[str]] = {}
        for name in dict.fromkeys(chain.from_iterable(rows)):
            field = one.field(name)
            if field is None or not field.stored:
                raise errors.no_such_column(name, one.name)
            found.setdefault(field.name, []).append(name)
        return found

    def _template(self, one: ObjectType) -> Row:
        """Give the values of a row of which nothing is given."""
        now = self._clock.now()
        at, user = stamp(now), self._system.user_id
        row: Row = dict.fromkeys(self._database.columns[one.name])
        row.update(self._writer.fresh.defaults(one, self._system, now))
        row.update(IsDeleted=0, CreatedDate=at, CreatedById=user, LastModifiedById=user)
        if "OwnerId" in row:
            row["OwnerId"] = user
        if "CurrencyIsoCode" in row:
            row["CurrencyIsoCode"] = self._currency
        return row

    def _load(self, one: ObjectType, rows: Rows, keys: Mapping[str, Sequence[str]], template: Row) -> list[str]:
        given = {name: self._column(one.fields[name], rows, by, template[name]) for name, by in keys.items()}
        made = self._counted(one, given, len(rows), template)
        names = [name for name in self._database.columns[one.name] if name in given or template[name] is not None]
        columns = {name: given.get(name) or [template[name]] * len(rows) for name in names}
        self._check_required(one, columns, len(rows))
        try:
            if has_derived(one):
                self._database.insert(one, self._derived(one, columns, str(template["CreatedDate"])))
            else:
                self._database.insert_columns(one, columns)
        except sqlite3.IntegrityError as error:
            match = _UNIQUE.search(str(error))
            raise OrgError(400, "DUPLICATE_VALUE", f"duplicate value found: {match[1] if match else 'unknown'}") from error
        return made

    def _column(self, field: Field, rows: Rows, keys: Sequence[str], default: Stored) -> list[Stored]:
        """Read what the rows say of a field; a null, or nothing, leaves the default."""
        key, *others = keys
        values: list[object] = [row.get(key, _ABSENT) for row in rows]
        for other in others:
            values = [row.get(other, value) for row, value in zip(rows, values, strict=True)]
        read = reader(field)

        def kept(value: object) -> Stored:
            if value is _ABSENT:
                return default
            found = read(value)
            if found is None:
                return default
            if field.type == "reference":
                check_target(self._schema.of_id(str(found)), field, str(found))
            return found

        kinds = set(map(type, values))
        alike = (kinds <= _COMPARABLE or kinds <= _FLAGS) and not (field.type == "date" and datetime in kinds)
        if alike and (field.is_number or not kinds >= {int, float}):
            known = {value: kept(value) for value in dict.fromkeys(values)}
            return [known[value] for value in values]
        return [kept(value) for value in values]

    def _counted(self, one: ObjectType, given: dict[str, list[Stored]], count: int, template: Row) -> list[str]:
        """Fill the columns that follow from a row's number and from its own dates; give the ids."""
        first = self._database.next_numbers(one, count)
        made = ids.series(one.key_prefix, first, count)
        given["Id"] = [*map(_first, given.get("Id") or repeat(None, count), made)]
        for each in self._writer.fresh.numbered(one):
            now, pattern = self._clock.now(), each.auto_number or ""
            counted = [auto_number(pattern, number, now) for number in range(first, first + count)]
            given[each.name] = [*map(_first, given.get(each.name) or repeat(None, count), counted)]
        if one.custom and "Name" in template:
            given["Name"] = [
                name or str(record)[:15] for name, record in zip(given.get("Name") or [None] * count, given["Id"], strict=True)
            ]
        last: Sequence[Stored] = given.get("CreatedDate") or [template["CreatedDate"]] * count
        for name in _CHANGED:
            if name in template:
                last = given[name] = [*map(_first, given.get(name) or repeat(None, count), last)]
        return [str(record) for record in given["Id"]]

    @staticmethod
    def _check_required(one: ObjectType, columns: Mapping[str, Sequence[Stored]], count: int) -> None:
        required = [f.name for f in one.fields.values() if not f.nillable and f.stored and f.createable]
        lacking = [name for name in required if name not in columns or None in columns[name]]
        for index in range(count if lacking else 0):
            missing = [name for name in lacking if name not in columns or columns[name][index] is None]
            if missing:
                raise errors.required_missing(missing)

    def _derived(self, one: ObjectType, columns: Mapping[str, Sequence[Stored]], at: str) -> Iterator[Row]:
        around = Surroundings(self._schema, self._database, at)
        empty = dict.fromkeys(self._database.columns[one.name])
        for values in zip(*columns.values(), strict=True):
            row: Row = {**empty, **dict(zip(columns, values, strict=True))}
            derive(around, one, row, None)
            yield row


def _first(given: Stored, otherwise: Stored) -> Stored:
    return otherwise if given is None else given
