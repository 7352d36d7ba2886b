"""`columnMetadata`: what the columns of a query are, as `columns=true` tells it.

Must not read rows. Source: an answer recorded in the tests of the Salesforce CLI's data plugin (queryFields.exemplars.ts).
Invariant: a field of a parent stands inside the parent's column, and one of a child inside the child's; nothing is told twice.
"""

from collections.abc import Sequence

from sandbox.org.schema import NUMBER_TYPES
from sandbox.org.sql.scope import Column
from sandbox.org.types import Record

_APEX = {"boolean": "Boolean", "int": "Integer", "id": "Id", "reference": "Id", "date": "Date", "datetime": "Datetime"}
_NOT_TEXT = frozenset({*_APEX, *NUMBER_TYPES})


def field_column(name: str, column: Column) -> Record:
    """Describe a field under the name it is shown by."""
    given = column.field
    number = column.kind in NUMBER_TYPES
    return {
        **_column(name),
        "apexType": _APEX.get(column.kind, "Double" if number else "String"),
        "booleanType": column.kind == "boolean",
        "custom": bool(given and given.custom),
        "insertable": bool(given and given.createable),
        "numberType": number,
        "textType": column.kind not in _NOT_TEXT,
        "updatable": bool(given and given.updateable),
    }


def aggregate_column(name: str, display: str, column: Column) -> Record:
    """Describe an aggregate: its alias (or exprN) and how it was written."""
    return {**_column(name, display), "aggregate": True, "numberType": column.kind in NUMBER_TYPES}


def child_column(name: str) -> Record:
    """Describe a child query; its own columns go inside once they are known."""
    return {**_column(name), "aggregate": True}


def put(columns: list[Record], parents: Sequence[tuple[str, str]], column: Record) -> None:
    """Add a column below its parents, each given as relationship and lookup field."""
    for relationship, lookup in parents:
        parent = next((each for each in columns if each["columnName"] == relationship and not each["aggregate"]), None)
        if parent is None:
            parent = {**_column(relationship), "foreignKeyName": lookup}
            columns.append(parent)
        columns = parent["joinColumns"]
    columns.append(column)


def _column(name: str, display: str | None = None) -> Record:
    return {
        "aggregate": False,
        "apexType": None,
        "booleanType": False,
        "columnName": name,
        "custom": False,
        "displayName": display or name,
        "foreignKeyName": None,
        "insertable": False,
        "joinColumns": [],
        "numberType": False,
        "textType": False,
        "updatable": False,
    }
