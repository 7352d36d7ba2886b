"""The filters of a list view → a SOQL condition, and the same in words.

Pure. A filter that is not understood raises `UnclearError`: a list that leaves a filter out would show the wrong records.
Sources: Metadata API Developer Guide, ListView (operations; several values with commas mean any of them; logic such as
``1 AND (2 OR 3)``); SOQL and SOSL Reference, date literals.
"""

import re
from datetime import date
from decimal import Decimal, InvalidOperation

from sandbox.org.schema import ObjectType, Schema
from sandbox.org.setup import ListView
from sandbox.page.columns import Column, of_token, resolve

_COMPARED = {
    "equals": ("=", "is"),
    "notEqual": ("!=", "is not"),
    "lessThan": ("<", "is below"),
    "greaterThan": (">", "is above"),
    "lessOrEqual": ("<=", "is at most"),
    "greaterOrEqual": (">=", "is at least"),
}
_LIKE = {
    "contains": ("", "%{}%", "contains"),
    "notContain": ("NOT ", "%{}%", "does not contain"),
    "startsWith": ("", "{}%", "begins with"),
}
_SETS = {"includes": ("INCLUDES", "includes"), "excludes": ("EXCLUDES", "excludes")}
_LITERAL = re.compile(r"(?:YESTERDAY|TODAY|TOMORROW|(?:LAST|THIS|NEXT)_[A-Z_]+(?::\d{1,4})?|N_[A-Z]+_AGO:\d{1,4})")
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: .*)?")
_LOGIC = re.compile(r"\d+|AND|OR|NOT|[()]", re.IGNORECASE)


class UnclearError(ValueError):
    """A list view that cannot be shown as it is meant; the message says what is not understood."""


def quoted(text: str) -> str:
    """Write a text as a SOQL literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def like(text: str, pattern: str = "%{}%") -> str:
    """Write a text as the literal of a LIKE, in which it stands for itself."""
    plain = text.replace("\\", "\\\\").replace("'", "\\'").replace("%", "\\%").replace("_", "\\_")
    return f"'{pattern.format(plain)}'"


def equals(schema: Schema, one: ObjectType, name: str, value: str) -> tuple[str, str]:
    """Say that a field has a value, in SOQL and in words. Raises UnclearError."""
    column = resolve(schema, one, name)
    if column is None:
        raise UnclearError(f"{one.label} has no field {name}")
    return f"{column.path} = {_literal(column, value)}", f"{column.label} is {value or 'empty'}"


def conditions(schema: Schema, one: ObjectType, view: ListView, viewer: str) -> tuple[str, tuple[str, ...]]:
    """Give the condition of a whole list view (empty for none) and its parts in words. Raises UnclearError."""
    parts, words = [], []
    for each in view.filters:
        column = of_token(schema, one, each.field)
        if column is None:
            raise UnclearError(f"it filters by {each.field}, a column that is not known here")
        soql, said = _condition(schema, column, each.operation, each.value)
        parts.append(f"({soql})")
        words.append(said)
    joined = _combined(view.logic, parts) if view.logic else " AND ".join(parts)
    scope, said_scope = _scope(view, viewer)
    whole = " AND ".join(part for part in (f"({joined})" if joined and scope else joined, scope) if part)
    return whole, tuple(words) + ((said_scope,) if said_scope else ()) + ((f"joined as {view.logic}",) if view.logic else ())


def _scope(view: ListView, viewer: str) -> tuple[str, str]:
    if view.scope == "Everything":
        return "", ""
    if view.scope == "Mine":
        return f"OwnerId = {quoted(viewer)}", "owned by whoever looks"
    if view.scope == "Queue" and view.queue:
        return f"Owner.Type = 'Queue' AND Owner.Name = {quoted(view.queue)}", f"owned by the queue {view.queue}"
    raise UnclearError(f"its scope {view.scope} is not carried out here")


def _condition(schema: Schema, column: Column, operation: str, value: str) -> tuple[str, str]:
    if column.field.type == "reference":
        column = _by_name(schema, column)
    wanted = [part.strip() for part in value.split(",")] if value else [""]
    shown = " or ".join(part or "empty" for part in wanted)
    if operation in _LIKE:
        no, pattern, verb = _LIKE[operation]
        return " AND ".join(f"({no}{column.path} LIKE {like(part, pattern)})" for part in wanted) if no else " OR ".join(
            f"{column.path} LIKE {like(part, pattern)}" for part in wanted
        ), f"{column.label} {verb} {shown}"
    if operation in _SETS:
        keyword, verb = _SETS[operation]
        return f"{column.path} {keyword} ({', '.join(quoted(part) for part in wanted)})", f"{column.label} {verb} {shown}"
    if operation not in _COMPARED:
        raise UnclearError(f"its operation {operation} is not known here")
    sign, verb = _COMPARED[operation]
    glue = " AND " if operation == "notEqual" else " OR "
    said = _yes_no(value) if column.field.type == "boolean" else shown
    return glue.join(f"{column.path} {sign} {_literal(column, part)}" for part in wanted), f"{column.label} {verb} {said}"


def _by_name(schema: Schema, column: Column) -> Column:
    """A lookup is filtered by the name of what it points at."""
    path = column.name_path(schema)
    if path is None:
        raise UnclearError(f"it filters by {column.label}, which has no name")
    named = resolve(schema, column.owner, path.removeprefix(column.prefix))
    if named is None:
        raise UnclearError(f"it filters by {column.label}, whose name cannot be read")
    return Column(path, column.prefix, named.field, named.owner, column.label)


def _yes_no(value: str) -> str:
    return "yes" if value.lower() in {"1", "true"} else "no"


def _literal(column: Column, value: str) -> str:
    kind = column.field.type
    if kind == "boolean":
        return "true" if _yes_no(value) == "yes" else "false"
    if not value:
        return "null"
    if column.field.is_number:
        try:
            return str(Decimal(value))
        except InvalidOperation:
            raise UnclearError(f"{value} is no number") from None
    if kind in ("date", "datetime"):
        return _time(value, kind)
    return quoted(value)


def _time(value: str, kind: str) -> str:
    literal = value.upper().replace(" ", "_")
    if _LITERAL.fullmatch(literal):
        return literal
    american = _AMERICAN.fullmatch(value)
    try:
        on = date(int(american[3]), int(american[1]), int(american[2])) if american else date.fromisoformat(value[:10])
    except ValueError:
        raise UnclearError(f"{value} is no date") from None
    return on.isoformat() if kind == "date" else f"{on.isoformat()}T00:00:00Z"


def _combined(logic: str, parts: list[str]) -> str:
    """Put conditions into a logic such as ``1 AND (2 OR 3)``."""
    words = _LOGIC.findall(logic)
    if "".join(words).upper() != re.sub(r"\s+", "", logic).upper():
        raise UnclearError(f"its logic {logic} is not understood")
    found = []
    for word in words:
        if word.isdigit():
            if not 1 <= int(word) <= len(parts):
                raise UnclearError(f"its logic {logic} names a filter that is not there")
            found.append(parts[int(word) - 1])
        else:
            found.append(word.upper())
    return " ".join(found)
