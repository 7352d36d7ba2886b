"""Records in rows and columns, ready for the template.

Must not write; the only questions it asks are for the rows shown. Invariant: every row leads to its record.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sandbox.org.schema import ObjectType
from sandbox.page.desk import Desk, Found, record_href
from sandbox.page.layout import FirstOf, TableColumn
from sandbox.page.layout import Table as TableLayout
from sandbox.page.values import EMPTY, Shown


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column. `order` is `ascending` or `descending` where the rows are sorted by it."""

    label: str
    numeric: bool = False
    href: str = ""
    order: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One record."""

    href: str
    cells: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its caption; `more_href` leads to the whole list."""

    caption: str
    heads: tuple[Head, ...]
    rows: tuple[Row, ...]
    empty: str
    more_text: str = ""
    more_href: str = ""


def heads(desk: Desk, one: ObjectType, columns: Sequence[TableColumn]) -> tuple[Head, ...]:
    """Make the heads of columns."""
    return tuple(_head(desk, one, column) for column in columns)


def _head(desk: Desk, one: ObjectType, column: TableColumn) -> Head:
    if isinstance(column, FirstOf):
        return Head(column.label)
    found = desk.column(one, column)
    return Head(found.label, found.numeric)


def paths_of(columns: Sequence[TableColumn]) -> list[str]:
    """Name the fields that columns show."""
    return [path for column in columns for path in (column.first if isinstance(column, FirstOf) else (column,))]


def _cell(found: Found, column: TableColumn) -> Shown:
    if isinstance(column, FirstOf):
        return next((shown for path in column.first if not (shown := found.show(path)).empty), EMPTY)
    return found.show(column)


def row(found: Found, columns: Sequence[TableColumn]) -> Row:
    """Make one row; its first cell leads to the record unless it leads somewhere already."""
    cells = [_cell(found, column) for column in columns]
    if cells and not cells[0].href and not cells[0].links:
        cells[0] = replace(cells[0], href=record_href(found.id), full="", kind="text" if cells[0].kind == "long" else cells[0].kind)
    return Row(record_href(found.id), tuple(cells))


def list_link(desk: Desk, of: str, view: str) -> tuple[str, str]:
    """Give the name and the address of a list view; two empty texts for no view."""
    if not view:
        return "", ""
    label = next((each.label for each in desk.schema.list_views if each.object == of and each.name == view), view)
    return f"{desk.type(of).label_plural}: {label}", f"/page/list/{of}/{view}"


def panel(desk: Desk, layout: TableLayout, where: str = "", more_href: str = "") -> Table:
    """Make a table as a layout wants it; `where` narrows it further. Raises OrgError or UnknownFieldError."""
    one = desk.type(layout.of)
    both = " AND ".join(f"({part})" for part in (layout.where, where) if part)
    found = desk.rows(one, paths_of(layout.columns), where=both, order=layout.order, limit=layout.limit + 1)
    text, href = list_link(desk, layout.of, layout.view)
    if more_href:
        text, href = (f"More {one.label_plural}", more_href) if len(found) > layout.limit else ("", "")
    return Table(
        layout.title,
        heads(desk, one, layout.columns),
        tuple(row(each, layout.columns) for each in found[: layout.limit]),
        layout.empty,
        text,
        href,
    )
