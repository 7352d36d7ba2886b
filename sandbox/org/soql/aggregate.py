"""Grouped and aggregate queries: COUNT, SUM and their kin, GROUP BY, date functions.

Must not treat row queries: select.py does. Source: SOQL and SOSL Reference, "Aggregate Functions". Invariant: sums of money
are rounded to the field's scale, so that they are the sum of what single rows show.
"""

from dataclasses import dataclass

from sandbox.org.errors import OrgError
from sandbox.org.schema import NUMBER_TYPES
from sandbox.org.soql.dates import FUNCTIONS
from sandbox.org.soql.names import Names
from sandbox.org.soql.parse import refuse
from sandbox.org.soql.select import described, simple_call
from sandbox.org.soql.syntax import Call, Item, Operand, Path, Query
from sandbox.org.sql.scope import Column, Scope
from sandbox.org.types import Record
from sandbox.org.values import Shower, shower_of

AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})
_NOT_GROUPED = frozenset({"double", "currency", "percent", "datetime", "multipicklist"})


@dataclass(slots=True)
class GroupPlan:
    """The columns of an aggregate query, how they are shown, and what they are grouped by."""

    columns: list[str]
    shown: list[tuple[str, Shower]]
    group: list[str]
    described: list[Record]


def is_aggregate(query: Query) -> bool:
    """Tell whether a query gives AggregateResult rows."""
    calls = (each.operand for each in query.items if isinstance(each, Item))
    return bool(query.group) or any(isinstance(each, Call) and each.name in AGGREGATES for each in calls)


def is_count(query: Query) -> bool:
    """Tell whether a query is `SELECT COUNT() FROM ...`."""
    item = query.items[0] if len(query.items) == 1 else None
    return isinstance(item, Item) and isinstance(item.operand, Call) and item.operand.name == "COUNT" and not item.operand.arguments


class Operands:
    """Gives the column of any operand of a query: paths, date functions, aggregates."""

    def __init__(self, names: Names, query: Query, scope: Scope, *, aggregates: bool) -> None:
        self._names = names
        self._query = query
        self._scope = scope
        self._aggregates = aggregates

    def column(self, operand: Operand) -> Column:
        """Give the column of an operand. Raises OrgError."""
        if isinstance(operand, Path):
            return self._names.find(self._scope, operand, self._query.alias).column
        if operand.name in FUNCTIONS:
            return self._date_part(operand)
        if operand.name in AGGREGATES:
            if not self._aggregates:
                raise refuse(self._names.soql, operand.at, f"unexpected token: '{operand.name}'")
            return self._aggregate(operand)
        return simple_call(self._names, self._scope, self._query, operand)[0]

    def _date_part(self, call: Call) -> Column:
        argument = call.arguments[0] if len(call.arguments) == 1 else None
        zoned = isinstance(argument, Call) and argument.name == "CONVERTTIMEZONE" and len(argument.arguments) == 1
        inner = argument.arguments[0] if zoned and isinstance(argument, Call) else argument
        column = self.column(inner) if isinstance(inner, Path) else None
        if column is None or column.kind not in ("date", "datetime"):
            raise refuse(self._names.soql, call.at, f"field is not a date or datetime in function {call.name}", "INVALID_FIELD")
        sql = column.sql
        if zoned:
            sql = f"local_time({sql}, {self._names.statement.parameter(self._names.statement.time_zone)})"
        return Column(FUNCTIONS[call.name].format(sql), "date" if call.name == "DAY_ONLY" else "int")

    def _aggregate(self, call: Call) -> Column:
        if call.name == "COUNT" and not call.arguments:
            return Column("COUNT(*)", "int")
        argument = call.arguments[0] if len(call.arguments) == 1 else None
        if not isinstance(argument, Path):
            raise refuse(self._names.soql, call.at, f"unexpected token: '{call.name}'")
        column = self.column(argument)
        if call.name == "COUNT":
            return Column(f"COUNT({column.sql})", "int")
        if call.name == "COUNT_DISTINCT":
            return Column(f"COUNT(DISTINCT {column.sql})", "int")
        if call.name in ("SUM", "AVG") and column.kind not in NUMBER_TYPES:
            words = f"field {'.'.join(argument.steps)} does not support aggregate operator {call.name}"
            raise refuse(self._names.soql, argument.at, words, "INVALID_FIELD")
        if call.name == "AVG":
            return Column(f"AVG({column.sql})", "double", scale=max(column.scale, 10))
        if call.name == "SUM":
            kind = "double" if column.kind == "int" else column.kind
            return Column(f"ROUND(SUM({column.sql}), {column.scale})", kind, scale=column.scale)
        return Column(f"{call.name}({column.sql})", column.kind, scale=column.scale)


class GroupSelect:
    """Builds the plan of one aggregate query."""

    def __init__(self, names: Names, query: Query, scope: Scope) -> None:
        self._names = names
        self._query = query
        self.operands = Operands(names, query, scope, aggregates=True)

    def plan(self) -> GroupPlan:
        """Go through GROUP BY and the SELECT list. Raises OrgError."""
        keys = {_signature(each): self._grouped(each) for each in self._query.group}
        found = GroupPlan([], [], [each.sql for each in keys.values()], [])
        unnamed = 0
        for item in self._query.items:
            if not isinstance(item, Item):
                raise refuse(self._names.soql, self._query.source.at, "subqueries are not allowed in aggregate queries")
            operand = item.operand
            column = self.operands.column(operand)
            aggregate = isinstance(operand, Call) and operand.name in AGGREGATES
            if not aggregate and _signature(operand) not in keys:
                name = ".".join(operand.steps) if isinstance(operand, Path) else operand.name
                raise refuse(self._names.soql, operand.at, f"Field must be grouped or aggregated: {name}")
            key = item.alias
            if key is None and isinstance(operand, Path):
                key = self._canonical(operand, column)
            if key is None:
                key, unnamed = f"expr{unnamed}", unnamed + 1
            if any(key == each for each, _ in found.shown):
                raise OrgError(400, "MALFORMED_QUERY", f"duplicate alias: {key}")
            found.columns.append(column.sql)
            found.shown.append((key, shower_of(column.kind, column.scale)))
            found.described.append(described(key, column, aggregate=aggregate))
        return found

    @staticmethod
    def _canonical(operand: Path, column: Column) -> str:
        return column.field.name if column.field is not None else operand.steps[-1]

    def _grouped(self, operand: Operand) -> Column:
        if isinstance(operand, Call) and operand.name in ("ROLLUP", "CUBE"):
            raise refuse(self._names.soql, operand.at, f"GROUP BY {operand.name} is not supported by the sandbox")
        column = self.operands.column(operand)
        if column.field is not None and (column.kind in _NOT_GROUPED or column.field.long_text):
            words = f"field '{column.field.name}' can not be grouped in a query call"
            raise refuse(self._names.soql, operand.at, words, "INVALID_FIELD")
        return column


def _signature(operand: Operand) -> str:
    if isinstance(operand, Path):
        return ".".join(operand.steps).lower()
    return f"{operand.name}({','.join(_signature(each) for each in operand.arguments if isinstance(each, Path | Call))})"
