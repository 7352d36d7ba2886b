"""Any record: its fields, and the records that point at it.

Must not write. Invariant: every field of the object is accounted for, filled or named as empty.
"""

from dataclasses import dataclass

from sandbox.org.schema import ChildRelationship, ObjectType
from sandbox.page.columns import of_token
from sandbox.page.desk import Desk, Found, plain_label
from sandbox.page.layout import Table as TableLayout
from sandbox.page.lists import list_views, plain_columns, view_columns
from sandbox.page.tables import Table, panel
from sandbox.page.values import Shown

_RELATED = 5
_MOST_COLUMNS = 7
_UNREADABLE = frozenset({"address", "location", "base64"})
_SYSTEM = ("Id", "OwnerId", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp", "IsDeleted")
Facts = tuple[tuple[str, Shown], ...]


@dataclass(frozen=True, slots=True)
class RecordPage:
    """Everything on the page. `key` are the fields that matter most, `empty` the labels of fields without a value."""

    one: ObjectType
    id: str
    name: str
    key: Facts
    fields: Facts
    system: Facts
    empty: tuple[str, ...]
    related: tuple[Table, ...]
    nothing_in: tuple[str, ...]


def record_page(desk: Desk, one: ObjectType, record_id: str) -> RecordPage | None:
    """Make the page of a record, None when it is not there. Raises OrgError."""
    names = [name for name, field in one.fields.items() if field.type not in _UNREADABLE]
    found = desk.one(one, record_id, names)
    if found is None:
        return None
    named = one.name_field.name if one.name_field is not None else "Id"
    own = [name for name in names if name not in _SYSTEM]
    empty = tuple(desk.label(one, name) for name in own if found.show(name).empty)
    related, nothing_in = _related(desk, one, found.id)
    key = [name for name in _key_fields(desk, one) if name != named]
    return RecordPage(
        one,
        found.id,
        found.show(named).text,
        _facts(desk, found, key),
        _facts(desk, found, [name for name in own if name not in key]),
        _facts(desk, found, [name for name in _SYSTEM if name in names]),
        empty,
        tuple(related),
        tuple(nothing_in),
    )


def _facts(desk: Desk, found: Found, paths: list[str]) -> Facts:
    shown = [(desk.label(found.type, path), found.show(path)) for path in paths]
    return tuple((label, value) for label, value in shown if not value.empty)


def _key_fields(desk: Desk, one: ObjectType) -> list[str]:
    """Name the fields that matter most: those of the compact layout, else the columns of the first list view."""
    for layout in desk.schema.compact_layouts:
        if layout.object == one.name and layout.primary:
            columns = [of_token(desk.schema, one, token) for token in layout.fields]
            return [column.path for column in columns if column is not None]
    views = [view for view in list_views(desk, one) if view.columns]
    return view_columns(desk, one, views[0])[0] if views else []


def _related(desk: Desk, one: ObjectType, record_id: str) -> tuple[list[Table], list[str]]:
    """Read the first records of each relationship that has a name, and say which have none."""
    tables, nothing_in = [], []
    for end in desk.schema.children[one.name]:
        if end.name is None:
            continue
        table = _children(desk, one, end, record_id)
        if table.rows:
            tables.append(table)
        else:
            nothing_in.append(table.caption)
    return tables, nothing_in


def _children(desk: Desk, one: ObjectType, end: ChildRelationship, record_id: str) -> Table:
    child = desk.type(end.child)
    views = list_views(desk, child)
    columns = [path for path in view_columns(desk, child, views[0])[0] if path != end.field][:_MOST_COLUMNS]
    several = sum(other.child == end.child and other.name is not None for other in desk.schema.children[one.name]) > 1
    title = f"{child.label_plural} ({plain_label(child, end.field)})" if several else child.label_plural
    layout = TableLayout(of=child.name, title=title, columns=tuple(columns or plain_columns(child)), limit=_RELATED)
    where = f"{end.field} = '{record_id}'"
    return panel(desk, layout, where, f"/page/list/{child.name}?is.{end.field}={record_id}")
