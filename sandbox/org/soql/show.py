"""How columns of an answer are shown: values as JSON, FORMAT() as text for people.

Must not build SQL. FORMAT() writes as for the locale en_US, in which the sandbox's users work. Source: SOQL and SOSL Reference,
"FORMAT()". Invariant: null stays null; a stored column whose kept form is its
shown form costs nothing.
"""

from collections.abc import Callable
from datetime import date, datetime

from sandbox.org.schema import NUMBER_TYPES
from sandbox.org.sql.scope import Column
from sandbox.org.types import Json
from sandbox.org.values import Shower, Stored, shower_of

_AS_IS = shower_of("string")


def show_of(column: Column) -> Shower | None:
    """Give what turns a column's kept values into shown ones, or None when they are the same."""
    if column.kind == "boolean":
        return _boolean
    if column.kind == "datetime":
        return _datetime
    if column.plain and column.kind in NUMBER_TYPES:
        return None
    found = shower_of(column.kind, column.scale)
    return None if found is _AS_IS else found


def _boolean(value: Stored) -> Json:
    return None if value is None else value == 1


def _datetime(value: Stored) -> Json:
    return None if value is None else f"{str(value)[:-1]}+0000"


def formatter_of(column: Column) -> Shower:
    """Give what writes a column's kept values as FORMAT() does."""
    form = _FORMS.get(column.kind)
    if form is not None:
        return lambda value: None if value is None else form(str(value))
    if column.kind in NUMBER_TYPES:
        return lambda value: None if value is None else f"{float(value):,.{column.scale}f}{'%' if column.kind == 'percent' else ''}"
    return _AS_IS


def _day(text: str) -> str:
    at = date.fromisoformat(text)
    return f"{at.month}/{at.day}/{at.year}"


def _moment(text: str) -> str:
    at = datetime.fromisoformat(text)
    return f"{at.month}/{at.day}/{at.year}, {at.hour % 12 or 12}:{at:%M} {'AM' if at.hour < 12 else 'PM'}"


_FORMS: dict[str, Callable[[str], str]] = {"date": _day, "datetime": _moment}
