"""The first page: what a world's layout says needs attention, block by block.

Must not write. A block the org refuses says why and leaves the others standing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlencode

from sandbox.org.errors import OrgError
from sandbox.org.schema import ObjectType
from sandbox.org.types import Json, Record
from sandbox.page.columns import Column
from sandbox.page.desk import Desk, UnknownFieldError, record_href
from sandbox.page.layout import Block, Counts, Latest
from sandbox.page.layout import Table as TableLayout
from sandbox.page.tables import Table, list_link, panel
from sandbox.page.values import EMPTY, Shown, number


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a grid: how many, and what they add up to."""

    count: str = ""
    sums: tuple[str, ...] = ()
    href: str = ""


@dataclass(frozen=True, slots=True)
class GridRow:
    """One row of a grid."""

    head: Shown
    cells: tuple[Cell, ...]
    total: Cell


@dataclass(frozen=True, slots=True)
class Grid:
    """Numbers by two fields."""

    caption: str
    corner: str
    heads: tuple[str, ...]
    rows: tuple[GridRow, ...]
    empty: str
    more_text: str
    more_href: str


@dataclass(frozen=True, slots=True)
class OneRecord:
    """One record with some of its fields."""

    caption: str
    href: str
    fields: tuple[tuple[str, Shown], ...]
    empty: str
    more_text: str
    more_href: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A block that could not be made, and why."""

    caption: str
    problem: str


Part: TypeAlias = Table | Grid | OneRecord | Refused


def home(desk: Desk) -> list[Part]:
    """Make the blocks of the first page."""
    return [block(desk, each) for each in desk.layout.home]


def block(desk: Desk, layout: Block) -> Part:
    """Make one block."""
    try:
        match layout:
            case TableLayout():
                return panel(desk, layout)
            case Counts():
                return _grid(desk, layout)
            case Latest():
                return _latest(desk, layout)
    except (OrgError, UnknownFieldError) as problem:
        return Refused(layout.title, str(problem))


def _latest(desk: Desk, layout: Latest) -> OneRecord:
    one = desk.type(layout.of)
    found = desk.rows(one, layout.columns, where=layout.where, order=layout.order, limit=1)
    fields = tuple((desk.label(one, path), found[0].show(path)) for path in layout.columns) if found else ()
    more, href = list_link(desk, layout.of, layout.view)
    return OneRecord(layout.title, record_href(found[0].id) if found else "", fields, layout.empty, more, href)


def _grid(desk: Desk, layout: Counts) -> Grid:
    one = desk.type(layout.of)
    down, across = desk.column(one, layout.rows), desk.column(one, layout.columns)
    summed = desk.column(one, layout.sums) if layout.sums else None
    chosen = f"{down.path} a, {across.path} b, COUNT(Id) n" + (f", SUM({summed.path}) s" if summed else "")
    where = f" WHERE {layout.where}" if layout.where else ""
    records = desk.grouped(f"SELECT {chosen} FROM {one.name}{where} GROUP BY {down.path}, {across.path} LIMIT 500")
    heads = _sorted({_key(each["b"]): each["b"] for each in records}, across, ())
    rows = _sorted({_key(each["a"]): each["a"] for each in records}, down, layout.order)
    found = {(_key(each["a"]), _key(each["b"])): each for each in records}
    made = tuple(
        GridRow(
            desk.show_group(down, value),
            tuple(
                _cell(desk, layout, (down, across, summed), [found[_key(value), _key(each)]], (value, each))
                if (_key(value), _key(each)) in found
                else Cell()
                for each in heads
            ),
            _cell(desk, layout, (down, across, summed), [each for each in records if each["a"] == value], (value,)),
        )
        for value in rows
    )
    more, href = list_link(desk, layout.of, layout.view)
    shown = tuple(desk.show_group(across, value).text for value in heads)
    return Grid(layout.title, down.label, shown, made, layout.empty, more, href)


def _key(value: Json) -> str:
    return "" if value is None else str(value)


def _sorted(values: dict[str, Json], column: Column, first: Sequence[str]) -> list[Json]:
    """Put groups into the order wished for, then that of the picklist, then the alphabet."""
    order = dict.fromkeys((*first, *(choice.value for choice in column.field.choices)))
    ranks = {name: rank for rank, name in enumerate(order)}
    return [values[key] for key in sorted(values, key=lambda key: (ranks.get(key, len(ranks)), key))]


def _cell(
    desk: Desk, layout: Counts, columns: tuple[Column, Column, Column | None], records: Sequence[Record], values: tuple[Json, ...]
) -> Cell:
    count = number(sum(int(each["n"]) for each in records), 0)
    return Cell(count, _sums(desk, columns, records), _narrowed(desk.type(layout.of), layout.view, columns, values))


def _sums(desk: Desk, columns: tuple[Column, Column, Column | None], records: Sequence[Record]) -> tuple[str, ...]:
    """Add up by currency: amounts of different currencies are never one sum."""
    _, across, summed = columns
    if summed is None:
        return ()
    by_currency = desk.currency_path(summed) == across.path
    parts = [desk.show_amount(summed, each["s"], _key(each["b"]) if by_currency else None) for each in records if each["s"] is not None]
    return tuple(part.text for part in parts if part is not EMPTY) if by_currency or len(parts) == 1 else ()


def _narrowed(one: ObjectType, view: str, columns: tuple[Column, Column, Column | None], values: tuple[Json, ...]) -> str:
    """Where the records of a cell are listed."""
    if not view:
        return ""
    asked = {f"is.{column.path}": _key(value) for column, value in zip(columns, values, strict=False) if column is not None}
    return f"/page/list/{one.name}/{view}?{urlencode(asked)}"
