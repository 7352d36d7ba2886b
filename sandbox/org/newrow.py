"""The row of a new record: its id, its defaults, its numbers, who made it and when, and what follows from the rest.

Must not check or write. Rows of one moment begin as copies of one row of which nothing is given. Source: Object Reference,
"System Fields"; Salesforce Help, "Default Field Values", "Auto-Number Fields". Invariant: a row has every column of its table,
and no two rows of an object the same number.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sandbox.org import ids
from sandbox.org.derive import Surroundings, derive, has_derived
from sandbox.org.expressions import Expressions
from sandbox.org.parts import Parts
from sandbox.org.schema import Field, ObjectType
from sandbox.org.storage import Row, filled
from sandbox.org.types import AUDIT, Session
from sandbox.org.values import Stored, reader, stamp

_AUTO_NUMBER_START = {"Case": 1000}


_UNTOLD = AUDIT | {"Id", "IsDeleted"}


def auto_number(pattern: str, number: int, now: datetime) -> str:
    """Fill an auto-number format such as `INST-{000000}` or `{YYYY}{MM}-{0}`."""
    text = pattern
    if "{Y" in text or "{M" in text or "{D" in text:
        for mark, form in (("{YYYY}", "%Y"), ("{YY}", "%y"), ("{MM}", "%m"), ("{DD}", "%d")):
            text = text.replace(mark, f"{now:{form}}") if mark in text else text
    start, end = text.find("{0"), text.find("}")
    if start < 0 or end < start:
        return text
    return text[:start] + str(number).rjust(end - start - 1, "0") + text[end + 1 :]


@dataclass(frozen=True, slots=True)
class Shape:
    """What follows from which columns of a new row have a value: those columns, the changed fields to tell, what is missing."""

    filled: tuple[str, ...]
    told: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(slots=True)
class NewRow:
    """The row of a new record."""

    values: Row
    shape: Shape


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the rows of one object have in common."""

    defaulted: tuple[Field, ...]
    numbered: tuple[Field, ...]
    required: tuple[str, ...]
    derived: bool
    asks: bool


@dataclass(slots=True)
class _Blank:
    """The row of a new record of which nothing is given, and the shapes of rows by what was given."""

    key: tuple[str, str, str]
    values: Row
    shapes: dict[tuple[str, ...], Shape]


class NewRows:
    """Makes the rows of new records of one org."""

    def __init__(self, parts: Parts, expressions: Expressions) -> None:
        self._schema = parts.schema
        self._database = parts.database
        self._access = parts.access
        self._clock = parts.clock
        self._currency = parts.currency
        self._expressions = expressions
        self._kinds: dict[str, _Kind] = {}
        self._last = _Blank(("", "", ""), {}, {})

    def row(self, one: ObjectType, given: Row, session: Session) -> NewRow:
        """Complete the values given for a new record."""
        kind = self._kind(one)
        now = self._clock.now()
        at = stamp(now)
        number = self._database.next_number(one)
        blank = self._blank(one, kind, session, now, at)
        row = blank.values.copy()
        nulls = None in given.values()
        if nulls:
            fields = one.fields
            given = {name: value for name, value in given.items() if value is not None or not fields[name].defaulted_on_create}
        row.update(given)
        if not row["Id"]:
            row["Id"] = ids.numbered(one.key_prefix, number)
        for each in kind.numbered:
            row[each.name] = row[each.name] or auto_number(each.auto_number or "", number + _AUTO_NUMBER_START.get(one.name, 0), now)
        if one.custom and row.get("Name") is None:
            row["Name"] = str(row["Id"])[:15]
        if kind.derived:
            derive(Surroundings(self._schema, self._database, at), one, row, None)
        if kind.derived or nulls:
            return NewRow(row, _shape(row, kind))
        shape = blank.shapes.get(key := tuple(given))
        if shape is None:
            shape = blank.shapes[key] = _shape(row, kind)
        return NewRow(row, shape)

    def _kind(self, one: ObjectType) -> _Kind:
        found = self._kinds.get(one.name)
        if found is None:
            stored = [each for each in one.fields.values() if each.stored]
            defaulted = tuple(each for each in stored if each.default is not None)
            found = self._kinds[one.name] = _Kind(
                defaulted,
                tuple(each for each in one.fields.values() if each.auto_number),
                tuple(each.name for each in stored if not each.nillable and each.createable),
                has_derived(one),
                any(each.default_is_formula for each in defaulted),
            )
        return found

    def _blank(self, one: ObjectType, kind: _Kind, session: Session, now: datetime, at: str) -> _Blank:
        """Give the row of a new record of which nothing is given; the same for all of one moment unless a formula is asked."""
        key = (one.name, session.user_id, at)
        if self._last.key != key or kind.asks:
            row: Row = dict.fromkeys(self._database.columns[one.name])
            row.update(self.defaults(one, session, now))
            row.update(IsDeleted=0, CreatedDate=at, LastModifiedDate=at, SystemModstamp=at)
            row.update(CreatedById=session.user_id, LastModifiedById=session.user_id)
            if "OwnerId" in row:
                row["OwnerId"] = session.user_id
            if "CurrencyIsoCode" in row:
                row["CurrencyIsoCode"] = self._currency
            self._last = _Blank(key, row, {})
        return self._last

    def numbered(self, one: ObjectType) -> tuple[Field, ...]:
        """List the auto-number fields of an object."""
        return self._kind(one).numbered

    def defaults(self, one: ObjectType, session: Session, now: datetime) -> Mapping[str, Stored]:
        """Work out the default values of an object's fields."""
        rights = self._access.rights(session.user_id)
        return {each.name: reader(each)(self._expressions.default(one, each, rights, now)) for each in self._kind(one).defaulted}


def told(names: Iterable[str]) -> tuple[str, ...]:
    """List those of the filled columns of a new record that count as its changed fields."""
    return tuple(name for name in names if name not in _UNTOLD)


def _shape(row: Row, kind: _Kind) -> Shape:
    names = filled(row)
    return Shape(names, told(names), tuple(name for name in kind.required if row.get(name) is None))
