"""Grouped and aggregate queries: COUNT, SUM and their kin, GROUP BY with ROLLUP and CUBE.

Must not treat row queries: select.py does. ROLLUP and CUBE are several groupings put together: in each, a field that is not
grouped by is null and GROUPING() of it is 1. Source: SOQL and SOSL Reference, "Aggregate Functions", "GROUP BY ROLLUP".
Invariant: sums of money are rounded to the field's scale, so that they are the sum of what single rows show.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from sandbox.org.schema import NUMBER_TYPES
from sandbox.org.soql.dates import FUNCTIONS
from sandbox.org.soql.metadata import aggregate_column, field_column
from sandbox.org.soql.operands import RowColumns, written
from sandbox.org.soql.refusal import malformed, refuse
from sandbox.org.soql.show import formatter_of, show_of
from sandbox.org.soql.syntax import Call, Item, Operand, Path, Query
from sandbox.org.sql.scope import Column
from sandbox.org.types import Record
from sandbox.org.values import Shower

AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX", "GROUPING"})
_NOT_GROUPED = frozenset({"double", "currency", "percent", "datetime", "time", "multipicklist", "base64", "address", "location"})
_NEVER = frozenset({"boolean", "multipicklist", "base64", "address", "location", "encryptedstring"})
_MAX_SETS = 3


@dataclass(slots=True)
class GroupPlan:
    """What an aggregate query shows, in order, under which key and how."""

    operands: list[Operand] = field(default_factory=list)
    shown: list[tuple[str, Shower | None]] = field(default_factory=list)
    described: list[Record] = field(default_factory=list)


def is_aggregate(query: Query) -> bool:
    """Tell whether a query gives AggregateResult rows."""
    return bool(query.group) or any(isinstance(each, Item) and _aggregates(each.operand) for each in query.items)


def _aggregates(operand: Operand) -> bool:
    if isinstance(operand, Path):
        return False
    inner = operand.arguments[0] if operand.arguments else None
    return operand.name in AGGREGATES or operand.name in FUNCTIONS or (isinstance(inner, Call) and _aggregates(inner))


def is_count(query: Query) -> bool:
    """Tell whether a query is `SELECT COUNT() FROM ...`. Raises OrgError when COUNT() stands beside other fields."""
    counts = [each for each in query.items if isinstance(each, Item) and each.operand == Call("COUNT", (), each.operand.at)]
    if counts and len(query.items) > 1:
        raise malformed("COUNT() must be the only element in the SELECT list")
    return bool(counts)


class Groups:
    """The columns of one grouping: `grouped` are the keys grouped by, the rest of the keys are null."""

    def __init__(self, rows: RowColumns, keys: dict[str, Column], grouped: frozenset[str]) -> None:
        self._rows = rows
        self._keys = keys
        self._grouped = grouped
        self._soql = rows.names.soql

    @property
    def by(self) -> list[str]:
        """The SQL of the keys grouped by."""
        return [column.sql for name, column in self._keys.items() if name in self._grouped]

    def column(self, operand: Operand, complaint: str = "Field must be grouped or aggregated") -> Column:
        """Give the column of an operand. Raises OrgError for one that is neither grouped nor aggregated."""
        name = signature(operand, self._rows)
        if name in self._keys:
            return self._keys[name] if name in self._grouped else replace(self._keys[name], sql="NULL", plain=False)
        if isinstance(operand, Call) and operand.name == "GROUPING":
            return self._grouping(operand)
        if isinstance(operand, Call) and operand.name in AGGREGATES:
            return self._aggregate(operand)
        if isinstance(operand, Call) and operand.name in ("FORMAT", "CONVERTCURRENCY", "TOLABEL"):
            return self._rows.converted(operand, self.column(self._rows.argument(operand), complaint))
        if isinstance(operand, Path):
            self._rows.column(operand)
        raise refuse(self._soql, operand.at, f"{complaint}: {written(operand)}")

    def _grouping(self, call: Call) -> Column:
        name = signature(self._rows.argument(call), self._rows)
        if name not in self._keys:
            raise refuse(self._soql, call.at, f"Field must be grouped or aggregated: {written(self._rows.argument(call))}")
        return Column("0" if name in self._grouped else "1", "int")

    def _aggregate(self, call: Call) -> Column:
        if call.name == "COUNT" and not call.arguments:
            return Column("COUNT(*)", "int")
        argument = self._rows.argument(call)
        column = self._rows.column(argument)
        number = column.kind in NUMBER_TYPES
        if column.kind in _NEVER or (column.field is not None and column.field.long_text) or (call.name in ("SUM", "AVG") and not number):
            words = f"field {written(argument)} does not support aggregate operator {call.name}"
            raise refuse(self._soql, argument.at, words)
        if call.name == "COUNT":
            return Column(f"COUNT({column.sql})", "int")
        if call.name == "COUNT_DISTINCT":
            return Column(f"COUNT(DISTINCT {column.sql})", "int")
        if call.name == "AVG":
            return Column(f"AVG({column.sql})", "double", scale=max(column.scale, 10))
        if call.name == "SUM":
            kind = "double" if column.kind == "int" else column.kind
            return Column(f"ROUND(SUM({column.sql}), {column.scale})", kind, scale=column.scale)
        return Column(f"{call.name}({column.sql})", column.kind, scale=column.scale)


class GroupSelect:
    """Reads GROUP BY and the SELECT list of one aggregate query."""

    def __init__(self, query: Query, rows: RowColumns) -> None:
        self._query = query
        self._rows = rows
        self._soql = rows.names.soql
        sets = [each for each in query.group if isinstance(each, Call) and each.name in ("ROLLUP", "CUBE")]
        if sets and len(query.group) > 1:
            raise refuse(self._soql, sets[0].at, f"unexpected token: '{sets[0].name}'")
        self._set = sets[0] if sets else None
        self._listed: Sequence[Operand] = [each for each in sets[0].arguments if isinstance(each, Path | Call)] if sets else query.group
        if sets and len(self._listed) > _MAX_SETS:
            raise refuse(self._soql, sets[0].at, f"GROUP BY {sets[0].name} takes at most {_MAX_SETS} fields")
        self._keys = {signature(each, rows): self._grouped(each) for each in self._listed}

    def groupings(self) -> list[Groups]:
        """Give the groupings of the query: one, or those of ROLLUP or CUBE from the finest to the grand total."""
        names = tuple(self._keys)
        if self._set is None:
            wanted: list[tuple[str, ...]] = [names]
        elif self._set.name == "ROLLUP":
            wanted = [names[:count] for count in range(len(names), -1, -1)]
        else:
            wanted = [each for count in range(len(names), -1, -1) for each in combinations(names, count)]
        return [Groups(self._rows, self._keys, frozenset(each)) for each in wanted]

    @property
    def natural_order(self) -> list[Operand]:
        """The order subtotals come in when the query asks for none: below the rows they sum up."""
        if self._set is None:
            return []
        return [each for key in self._listed for each in (Call("GROUPING", (key,), key.at), key)]

    def plan(self) -> GroupPlan:
        """Go through the SELECT list. Raises OrgError."""
        found = GroupPlan()
        groups = self.groupings()[0]
        unnamed = 0
        for item in self._query.items:
            if not isinstance(item, Item):
                raise refuse(self._soql, self._query.source.at, "subqueries and TYPEOF are not allowed in aggregate queries")
            operand = item.operand
            column = groups.column(operand)
            key = item.alias
            if key is None and isinstance(operand, Path):
                key = column.field.name if column.field is not None else operand.steps[-1]
            if key is None:
                key, unnamed = f"expr{unnamed}", unnamed + 1
            if any(key == each for each, _ in found.shown):
                raise malformed(f"duplicate alias: {key}")
            formatted = isinstance(operand, Call) and operand.name == "FORMAT"
            found.operands.append(operand)
            found.shown.append((key, formatter_of(column) if formatted else show_of(column)))
            path = isinstance(operand, Path)
            found.described.append(field_column(key, column) if path else aggregate_column(key, _displayed(operand), column))
        return found

    def _grouped(self, operand: Operand) -> Column:
        column = self._rows.column(operand)
        if column.field is not None and (column.kind in _NOT_GROUPED or column.field.long_text):
            words = f"field '{column.field.name}' can not be grouped in a query call"
            raise refuse(self._soql, operand.at, words, "INVALID_FIELD")
        return column


def signature(operand: Operand, rows: RowColumns) -> str:
    """Give the name by which two ways of writing an operand are known to be one."""
    if isinstance(operand, Path):
        found = rows.find(operand)
        return ".".join((*found.steps, found.name))
    return f"{operand.name}({','.join(signature(each, rows) for each in operand.arguments if isinstance(each, Path | Call))})"


def _displayed(operand: Operand) -> str:
    found = written(operand)
    return f"{operand.name.lower()}{found[len(operand.name) :]}" if isinstance(operand, Call) else found
