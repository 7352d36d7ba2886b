"""Semi- and anti-joins: `Id IN (SELECT ...)`, with what the platform does not let them do.

Must not build conditions. Source: SOQL and SOSL Reference, "Semi-Joins with IN and Anti-Joins with NOT IN"; wordings as users
report them. Invariant: a sub-select gives ids of one object that the left operand may hold, and never null.
"""

from collections.abc import Callable

from sandbox.org.schema import ObjectType
from sandbox.org.soql.names import Names
from sandbox.org.soql.refusal import malformed, refuse
from sandbox.org.soql.syntax import InQuery, Item, Path, Query
from sandbox.org.sql.scope import Column, Scope

MAX_SEMI_JOINS = 2
Where = Callable[[Query, Scope], str]


class SemiJoins:
    """Compiles the sub-selects of one WHERE clause. `where` gives the conditions of a sub-select's own table."""

    def __init__(self, names: Names, outer: ObjectType, where: Where) -> None:
        self._names = names
        self._outer = outer
        self._where = where
        self._count = 0

    def sql(self, condition: InQuery, left: Column) -> str:
        """Give the SQL of a sub-select. Raises OrgError."""
        self._count += 1
        if self._count > MAX_SEMI_JOINS:
            raise malformed(f"Maximum {MAX_SEMI_JOINS} semi join sub-selects are allowed.")
        query = condition.query
        inner = self._names.object(query.source)
        if inner.name == self._outer.name:
            raise malformed("The inner and outer selects should not be on the same object type")
        path = self._selected(query)
        scope = Scope(self._names.statement, inner)
        found = self._names.find(scope, path, query.alias)
        if found.column.kind not in ("id", "reference") or found.steps:
            words = f"The selected field '{'.'.join(path.steps)}' in the Semi join sub-select must be an id field"
            raise refuse(self._names.soql, path.at, words)
        if not _targets(left, self._outer) & _targets(found.column, inner):
            words = (
                f"The selected field '{found.name}' in the subquery and the left operand field in the where expression in the outer query "
                "should point to the same object type"
            )
            raise refuse(self._names.soql, path.at, words)
        where = self._where(query, scope)
        return f"SELECT {found.column.sql} FROM {scope.source()} WHERE {where} AND {found.column.sql} IS NOT NULL"

    def _selected(self, query: Query) -> Path:
        item = query.items[0] if len(query.items) == 1 else None
        plain = not (query.order or query.group or query.limit is not None or query.offset is not None)
        if not isinstance(item, Item) or not isinstance(item.operand, Path) or not plain:
            raise refuse(self._names.soql, query.source.at, "Semi join sub-selects select one id field and nothing more")
        return item.operand


def _targets(column: Column, one: ObjectType) -> frozenset[str]:
    if column.field is None or column.field.type == "reference":
        return frozenset(column.field.reference_to) if column.field is not None else frozenset()
    return frozenset((one.name,))
