"""Finding records by name or reference.

Must not write. Objects with very many records are searched by external ids only, which have an index. Invariant: what is searched for stands for itself; it is never part of a query's language.
"""

from dataclasses import dataclass

from sandbox.org import ids
from sandbox.org.errors import OrgError
from sandbox.org.schema import ObjectType
from sandbox.page.desk import Desk
from sandbox.page.filters import like
from sandbox.page.lists import list_views, view_columns
from sandbox.page.tables import Row, Table, heads, row
from sandbox.page.values import clean

SHORTEST = 2
LONGEST = 100
_EACH = 8
_MOST_COLUMNS = 6


@dataclass(frozen=True, slots=True)
class SearchPage:
    """What was found, object by object; `record_id` is set when the text is the id of a record."""

    asked: str
    tables: tuple[Table, ...] = ()
    too_short: bool = False
    record_id: str | None = None
    notes: tuple[str, ...] = ()


def search_page(desk: Desk, asked: str) -> SearchPage:
    """Search the objects of the layout, or all by their names and external ids."""
    text = " ".join(clean(asked).split())[:LONGEST]
    record_id = ids.normal(text)
    if record_id is not None and desk.schema.of_id(record_id) is not None:
        return SearchPage(text, record_id=record_id)
    if len(text) < SHORTEST:
        return SearchPage(text, too_short=True)
    tables, notes = [], []
    for name, wanted in _searched(desk).items():
        one, fields = desk.type(name), wanted
        if desk.big(one):
            fields = tuple(each for each in wanted if desk.column(one, each).field.external_id)
            labels = ", ".join(desk.label(one, each) for each in fields)
            notes.append(f"There are many {one.label_plural}: they were searched by {labels or 'nothing'}.")
        if fields and (table := _table(desk, one, fields, text)).rows:
            tables.append(table)
    return SearchPage(text, tuple(tables), notes=tuple(notes))


def _searched(desk: Desk) -> dict[str, tuple[str, ...]]:
    if desk.layout.search:
        return dict(desk.layout.search)
    return {one.name: fields for one in desk.schema.records() if (fields := _references(one))}


def _references(one: ObjectType) -> tuple[str, ...]:
    """Name the fields an object is known by: its name, and what other systems call it."""
    named = [one.name_field.name] if one.name_field is not None else []
    return (*named, *(name for name, field in one.fields.items() if field.external_id and field.is_text))


def _table(desk: Desk, one: ObjectType, fields: tuple[str, ...], text: str) -> Table:
    pattern = "{}%" if all(desk.column(one, name).field.external_id for name in fields) else "%{}%"
    where = " OR ".join(f"{desk.column(one, name).path} LIKE {like(text, pattern)}" for name in fields)
    named = [one.name_field.name] if one.name_field is not None else []
    usual, _ = view_columns(desk, one, list_views(desk, one)[0])
    paths = list(dict.fromkeys((*named, *fields, *usual)))[:_MOST_COLUMNS]
    try:
        found = desk.rows(one, paths, where=where, limit=_EACH + 1)
    except OrgError:
        found = []
    rows: tuple[Row, ...] = tuple(row(each, paths) for each in found[:_EACH])
    more = f"There are more; only the first {_EACH} are shown." if len(found) > _EACH else ""
    return Table(one.label_plural, heads(desk, one, paths), rows, "", more_text=more)
