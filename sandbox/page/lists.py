"""The list views of an object: as its metadata declares them, sortable and in pages.

Must not write. An object without list views gets one of all its records. Invariant: no page reads more than `PAGE` rows,
and none begins further in than SOQL lets an OFFSET reach (2,000).
Source: SOQL and SOSL Reference, OFFSET.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlencode

from sandbox.org.errors import OrgError
from sandbox.org.schema import Field, ObjectType
from sandbox.org.setup import ListView
from sandbox.page.columns import of_token
from sandbox.page.desk import MOST_COUNTED, Desk, Tally, UnknownFieldError
from sandbox.page.filters import UnclearError, conditions, equals
from sandbox.page.tables import Head, Table, heads, row

PAGE = 50
FURTHEST = 2000
EVERYTHING = "All"
_NARROWED = "is."
_NEWEST = "Id DESC"
_DIGITS = 7
_PLAIN_COLUMNS = 6
_LONG = frozenset({"address", "location", "base64"})


@dataclass(frozen=True, slots=True)
class Tab:
    """A list view one can go to."""

    label: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class _Wish:
    """What an address asks of a list: a condition, columns, those one may sort by, a sorting (`-` before it turns it), a page."""

    where: str
    paths: tuple[str, ...]
    sortable: frozenset[str]
    sort: str
    page: int
    kept: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Body:
    """The rows of a page, and how to turn it."""

    table: Table
    tally: Tally = field(default_factory=lambda: Tally(0))
    offset: int = 0
    before_href: str = ""
    after_href: str = ""


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of one list view."""

    one: ObjectType
    tabs: tuple[Tab, ...]
    table: Table
    filters: tuple[str, ...]
    tally: Tally
    first: int
    last: int
    before_href: str
    after_href: str
    notes: tuple[str, ...]


def list_views(desk: Desk, one: ObjectType) -> list[ListView]:
    """Give the list views of an object, `All` first; at least one."""
    declared = [view for view in desk.schema.list_views if view.object == one.name]
    if not any(view.name == EVERYTHING or not view.filters for view in declared):
        declared.append(ListView(EVERYTHING, "All", one.name))
    return sorted(declared, key=lambda view: (view.name != EVERYTHING, view.label))


def view_columns(desk: Desk, one: ObjectType, view: ListView) -> tuple[list[str], list[str]]:
    """Give the columns of a list view as paths, and those that are not known here."""
    paths, unknown = [], []
    for token in view.columns:
        column = of_token(desk.schema, one, token)
        if column is None:
            unknown.append(token)
        else:
            paths.append(column.path)
    return list(dict.fromkeys(paths)) or plain_columns(one), unknown


def plain_columns(one: ObjectType) -> list[str]:
    """Choose columns for an object about whose list nothing is declared: its name, then its first own fields."""
    named = [one.name_field.name] if one.name_field is not None else ["Id"]
    own = [name for name, each in one.fields.items() if each.custom == one.custom and not each.long_text and each.type not in _LONG]
    rest = [name for name in own if name not in named and name not in {"Id", "IsDeleted", "SystemModstamp"}]
    audit = {"CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "CurrencyIsoCode", "OwnerId"}
    return named + [name for name in rest if name not in audit][: _PLAIN_COLUMNS - 1] + ["CreatedDate"] * ("CreatedDate" in one.fields)


def list_page(desk: Desk, sobject: str, view_name: str, asked: Mapping[str, str]) -> ListPage:
    """Make one page of a list view. Raises UnknownFieldError for a view that is not there."""
    one = desk.type(sobject)
    views = list_views(desk, one)
    view = next((each for each in views if each.name.lower() == view_name.lower()), None) if view_name else views[0]
    if view is None:
        raise UnknownFieldError(f"{one.label_plural} have no list view {view_name}")
    paths, unknown = view_columns(desk, one, view)
    notes = [f"Columns that are not known here: {', '.join(unknown)}."] if unknown else []
    body = _Body(Table(view.label, heads(desk, one, paths), (), ""))
    said: tuple[str, ...] = ()
    try:
        where, said = _where(desk, one, view, asked)
        wish = _wish(desk, one, (where, *paths), asked)
        body = _body(desk, one, f"{one.label_plural}: {view.label}", wish)
        if not wish.sortable:
            notes.append(f"There are too many {one.label_plural} to sort them: the newest are shown first.")
    except UnclearError as problem:
        notes.append(f"This list view cannot be shown: {problem}.")
    except OrgError as problem:
        notes.append(f"The org refused this list: {problem.message}")
    shown = len(body.table.rows)
    if body.offset + shown >= FURTHEST and body.tally.number > MOST_COUNTED:
        notes.append(f"A list goes no further than its first {FURTHEST + PAGE:,} records: search, or take a narrower list.")
    return ListPage(
        one,
        tuple(Tab(each.label, f"/page/list/{one.name}/{quote(each.name)}", each is view) for each in views),
        body.table,
        said,
        body.tally,
        body.offset + 1 if shown else 0,
        body.offset + shown,
        body.before_href,
        body.after_href,
        tuple(notes),
    )


def _where(desk: Desk, one: ObjectType, view: ListView, asked: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """Give the condition of a list view as the address narrows it, and the same in words."""
    where, said = conditions(desk.schema, one, view, desk.user_id)
    parts, words = [f"({where})"] if where else [], list(said)
    for name, value in _narrowed(asked).items():
        soql, text = equals(desk.schema, one, name.removeprefix(_NARROWED), value)
        parts.append(soql)
        words.append(_readable(desk, one, name.removeprefix(_NARROWED), value) or text)
    return " AND ".join(parts), tuple(words)


def _narrowed(asked: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in asked.items() if name.startswith(_NARROWED)}


def _readable(desk: Desk, one: ObjectType, name: str, value: str) -> str:
    """Say which record a lookup is narrowed to, by its name."""
    column = desk.column(one, name)
    if column.field.type != "reference":
        return ""
    return f"{column.label} is {desk.names([value]).get(value, value)}"


def _wish(desk: Desk, one: ObjectType, what: tuple[str, ...], asked: Mapping[str, str]) -> _Wish:
    where, *paths = what
    sortable = frozenset() if desk.big(one) else frozenset(path for path in paths if _may_sort(desk.column(one, path).field))
    sort, page = asked.get("sort", ""), asked.get("page", "")
    number = int(page) if page.isdecimal() and len(page) < _DIGITS else 1
    return _Wish(where, tuple(paths), sortable, sort if sort.removeprefix("-") in sortable else "", max(number - 1, 0), _narrowed(asked))


def _may_sort(one: Field) -> bool:
    """Tell whether SOQL lets rows be sorted by a field: not by long texts and lists of values."""
    return not one.long_text and one.type != "multipicklist"


def _body(desk: Desk, one: ObjectType, caption: str, wish: _Wish) -> _Body:
    tally = desk.count(one, wish.where)
    last = min(FURTHEST, max(tally.number - 1, 0)) // PAGE
    page = min(wish.page, last)
    found = desk.rows(one, wish.paths, where=wish.where, order=_order(desk, one, wish), limit=PAGE, offset=page * PAGE)
    shown = [_sortable(head, path, wish) for path, head in zip(wish.paths, heads(desk, one, wish.paths), strict=True)]
    table = Table(caption, tuple(shown), tuple(row(each, wish.paths) for each in found), f"No {one.label_plural} here.")
    turned = [_address(wish, number) if 0 <= number <= last else "" for number in (page - 1, page + 1)]
    return _Body(table, tally, page * PAGE, *turned)


def _address(wish: _Wish, page: int) -> str:
    return "?" + urlencode({**wish.kept, **({"sort": wish.sort} if wish.sort else {}), "page": page + 1})


def _order(desk: Desk, one: ObjectType, wish: _Wish) -> str:
    if not wish.sort:
        return desk.layout.order.get(one.name, _NEWEST) if wish.sortable else _NEWEST
    column = desk.column(one, wish.sort.removeprefix("-"))
    return f"{column.name_path(desk.schema) or column.path} {'DESC' if wish.sort.startswith('-') else 'ASC'} NULLS LAST, Id"


def _sortable(head: Head, path: str, wish: _Wish) -> Head:
    if path not in wish.sortable:
        return head
    turned = f"-{path}" if wish.sort == path else path
    order = {path: "ascending", f"-{path}": "descending"}.get(wish.sort, "")
    return replace(head, href="?" + urlencode({**wish.kept, "sort": turned}), order=order)
