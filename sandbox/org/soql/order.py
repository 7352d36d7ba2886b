"""ORDER BY: how values of a type are sorted.

Must not know queries. Nulls come first unless asked otherwise, texts without regard to case and accents, picklists in the order
of their values. Source: SOQL and SOSL Reference, "ORDER BY". Invariant: what the platform cannot sort by is refused.
"""

from sandbox.org.schema import TEXT_TYPES
from sandbox.org.soql.refusal import refuse
from sandbox.org.soql.syntax import Order
from sandbox.org.sql.scope import Column

_NOT_SORTED = frozenset({"multipicklist", "base64", "address", "location", "encryptedstring"})


def order_sql(order: Order, column: Column, soql: str, name: str | None = None) -> str:
    """Give the SQL of one ORDER BY column; `name` where its value already stands under a name. Raises OrgError."""
    field = column.field
    if field is not None and (field.long_text or column.kind in _NOT_SORTED):
        raise refuse(soql, order.operand.at, f"field '{field.name}' can not be sorted in a query call", "INVALID_FIELD")
    sql = name or column.sql
    ending = f"{'DESC' if order.descending else 'ASC'} NULLS {'LAST' if order.nulls_last else 'FIRST'}"
    if column.kind not in TEXT_TYPES:
        return f"{sql} {ending}"
    by_text = f"sort_key({sql}) {ending}"
    if column.kind != "picklist" or field is None or not field.choices:
        return by_text
    arms = " ".join(f"WHEN {_quoted(each.value)} THEN {place}" for place, each in enumerate(field.choices))
    return f"CASE WHEN {sql} IS NOT NULL THEN CASE {sql} {arms} ELSE {len(field.choices)} END END {ending}, {by_text}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
