"""What every view of the page reads with: bounded questions to the org, and records made readable.

Must not write and must not know HTML. Invariant: every question goes through `Org.query` as one viewer and has a LIMIT or
counts, so that no page holds up the org for long.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from re import Match
from re import compile as pattern
from zoneinfo import ZoneInfo

from sandbox.org import ids
from sandbox.org.org import Org
from sandbox.org.schema import ObjectType
from sandbox.org.types import Json, Record
from sandbox.page.columns import Column, label_of, resolve
from sandbox.page.filters import quoted
from sandbox.page.layout import Layout
from sandbox.page.values import EMPTY, Manner, Shown, clean, cut

MOST_COUNTED = 2000
"""Counting stops here; more is said to be more."""
BIG = 200_000
"""An object with more records is neither sorted nor looked through where no index helps: that would hold up the org."""
_PLACE = pattern(r"\{([\w.]+)\}")
_MOST_LINKS = 20


@dataclass(frozen=True, slots=True)
class Tally:
    """How many records there are, as far as they were counted."""

    number: int

    @property
    def text(self) -> str:
        """The number for people."""
        return f"more than {MOST_COUNTED:,}" if self.number > MOST_COUNTED else f"{self.number:,}"


class UnknownFieldError(LookupError):
    """A layout or an address names an object or field that the org does not have."""


def record_href(record_id: str) -> str:
    """Where a record is shown."""
    return f"/page/record/{record_id}"


class Found:
    """A record read, and how its values are shown."""

    def __init__(self, desk: "Desk", one: ObjectType, record: Record) -> None:
        self._desk = desk
        self.type = one
        self.record = record
        self.id = str(record["Id"])

    def value(self, path: str) -> Json:
        """Give what a path leads to, None where it ends."""
        value: Json = self.record
        for step in path.split("."):
            if not isinstance(value, Mapping):
                return None
            value = value.get(step)
        return value

    def show(self, path: str) -> Shown:
        """Show what a path leads to."""
        return self._desk.show(self, self._desk.column(self.type, path))

    def fill(self, text: str) -> str:
        """Put shown values into a text with ``{FieldPath}`` in it; nothing stands for what is empty."""

        def put(found: Match[str]) -> str:
            shown = self.show(found[1])
            return "" if shown.empty else shown.text

        return " ".join(_PLACE.sub(put, text).split())


def places(*texts: str) -> list[str]:
    """Name the field paths in texts with ``{FieldPath}`` in them."""
    return [found for text in texts for found in _PLACE.findall(text)]


class Desk:
    """Reads one org as one viewer."""

    def __init__(self, org: Org, layout: Layout, user_id: str) -> None:
        self.org = org
        self.layout = layout
        self.schema = org.schema
        self.user_id = user_id
        self.zone = ZoneInfo(org.time_zone)
        self._manner = Manner(self.zone, layout.words, layout.tones)
        self._columns: dict[tuple[str, str], Column] = {}

    @cached_property
    def title(self) -> str:
        """What the org is called."""
        return self.layout.title or str(self.org.query("SELECT Name FROM Organization LIMIT 1", user_id=self.user_id).records[0]["Name"])

    def now(self) -> datetime:
        """Tell the org's time, in its time zone."""
        return self.org.clock.now().astimezone(self.zone)

    def type(self, name: str) -> ObjectType:
        """Find an object that has records. Raises UnknownFieldError."""
        one = self.schema.get(name)
        if one is None or one.kind != "record":
            raise UnknownFieldError(f"this org has no object {name}")
        return one

    def column(self, one: ObjectType, path: str) -> Column:
        """Find a field by its path. Raises UnknownFieldError."""
        known = self._columns.get((one.name, path))
        if known is None:
            known = resolve(self.schema, one, path)
            if known is None:
                raise UnknownFieldError(f"{one.name} has no field {path}")
            self._columns[one.name, path] = known = replace(known, label=self.layout.labels.get(known.key, known.label))
        return known

    def rows(  # noqa: PLR0913 - the parts of a query
        self, one: ObjectType, paths: Iterable[str], *, where: str = "", order: str = "", limit: int = 50, offset: int = 0
    ) -> list[Found]:
        """Read records with some of their fields, and what showing these needs. Raises OrgError or UnknownFieldError."""
        wanted = dict.fromkeys(["Id"])
        for path in paths:
            column = self.column(one, path)
            wanted |= dict.fromkeys(each for each in (column.path, column.name_path(self.schema), self.currency_path(column)) if each)
        soql = f"SELECT {', '.join(wanted)} FROM {one.name}"
        soql += (
            f" WHERE {where}" * bool(where) + f" ORDER BY {order}" * bool(order) + f" LIMIT {limit}" + f" OFFSET {offset}" * bool(offset)
        )
        return [Found(self, one, record) for record in self.org.query(soql, user_id=self.user_id).records]

    def one(self, one: ObjectType, record_id: str, paths: Iterable[str]) -> Found | None:
        """Read a record by its id, or None."""
        found = self.rows(one, paths, where=f"Id = {quoted(record_id)}", limit=1)
        return found[0] if found else None

    def count(self, one: ObjectType, where: str = "") -> Tally:
        """Count records, as far as `MOST_COUNTED`. Raises OrgError."""
        soql = f"SELECT COUNT() FROM {one.name}" + f" WHERE {where}" * bool(where) + f" LIMIT {MOST_COUNTED + 1}"
        return Tally(self.org.query(soql, user_id=self.user_id).total_size)

    def big(self, one: ObjectType) -> bool:
        """Tell whether an object has so many records that going through all of them takes long."""
        return self.org.query(f"SELECT COUNT() FROM {one.name} LIMIT {BIG + 1}", user_id=self.user_id).total_size > BIG

    def grouped(self, soql: str) -> list[Record]:
        """Answer an aggregate query. Raises OrgError."""
        return self.org.query(soql, user_id=self.user_id).records

    def names(self, record_ids: Sequence[str]) -> dict[str, str]:
        """Give the names of records of any objects, as far as there are any; not more than a few dozen are looked up."""
        by_object: dict[str, list[str]] = {}
        for record_id in dict.fromkeys(record_ids[:_MOST_LINKS]):
            if (one := self.schema.of_id(record_id)) is not None and one.name_field is not None:
                by_object.setdefault(one.name, []).append(record_id)
        found: dict[str, str] = {}
        for name, wanted in by_object.items():
            one = self.type(name)
            named = one.name_field.name if one.name_field else "Id"
            rows = self.rows(one, [named], where=f"Id IN ({', '.join(map(quoted, wanted))})", limit=len(wanted))
            found |= {each.id: clean(str(each.value(named) or each.id)) for each in rows}
        return found

    def label(self, one: ObjectType, path: str) -> str:
        """Give the label of a field."""
        return self.column(one, path).label

    def show(self, found: Found, column: Column) -> Shown:
        """Show one field of a record; lookups and ids in texts become links."""
        value = found.value(column.path)
        if value in (None, ""):
            return EMPTY
        if column.field.type == "id":
            return Shown(str(value))
        if column.field.type == "reference":
            name_path = column.name_path(self.schema)
            name = found.value(name_path) if name_path else None
            return Shown(cut(clean(str(name or value)), 80), href=record_href(str(value)) if self.schema.of_id(str(value)) else "")
        currency_path = self.currency_path(column)
        currency = None
        if currency_path or column.field.type == "currency":
            currency = str((found.value(currency_path) if currency_path else None) or self.org.currency)
        shown = self._manner.show(value, column.field, column.key, currency)
        return self._linked(str(value), shown) if column.field.is_text else shown

    def show_group(self, column: Column, value: Json) -> Shown:
        """Show a value that records were grouped by."""
        return self._manner.show(value, column.field, column.key)

    def show_amount(self, column: Column, value: Json, currency: str | None) -> Shown:
        """Show a sum."""
        return self._manner.show(value, column.field, column.key, currency)

    def _linked(self, value: str, shown: Shown) -> Shown:
        """Turn a text of nothing but record ids into links."""
        parts = value.split() if len(value) < 20_000 else []
        known = [full for part in parts if (full := ids.normal(part)) and self.schema.of_id(full)]
        if not known or len(known) != len(parts):
            return shown
        names = self.names(known)
        links = tuple((names.get(each, each), record_href(each)) for each in known[:_MOST_LINKS])
        left = len(known) - len(links)
        return Shown(f"and {left} more" if left else "", links=links)

    def currency_path(self, column: Column) -> str | None:
        """Where the currency of a number stands, None where it is no amount or its object has none."""
        own = self.layout.money.get(column.key)
        if own is None:
            own = "CurrencyIsoCode" if column.field.type == "currency" and column.owner.field("CurrencyIsoCode") else None
        return f"{column.prefix}{own}" if own else None


def plain_label(one: ObjectType, name: str) -> str:
    """Give the label of an object's own field, its name where it has none."""
    field = one.field(name)
    return label_of(field) if field is not None else name
