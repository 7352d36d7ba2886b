"""Syntax tree → plan: tables, conditions, order and limits of each SELECT, put together.

Must not run anything. Source: SOQL and SOSL Reference, "Understanding Relationship Query Limitations", "ORDER BY", "OFFSET".
Invariant: rows the user may not see, and without `all_rows` rows in the recycle bin, are not there, neither as rows nor as
counts, parents or children.
"""

from dataclasses import dataclass
from datetime import datetime

from sandbox.org.access import Rights
from sandbox.org.errors import OrgError
from sandbox.org.schema import Schema
from sandbox.org.soql.aggregate import Groups, GroupSelect, is_aggregate, is_count
from sandbox.org.soql.constants import Constants
from sandbox.org.soql.literals import Lifted
from sandbox.org.soql.names import Names
from sandbox.org.soql.operands import RowColumns
from sandbox.org.soql.order import order_sql
from sandbox.org.soql.plan import PARENTS, About, ChildPlan, CountPlan, GroupsPlan, Plan, Prepared, RowsPlan
from sandbox.org.soql.refusal import malformed, refuse
from sandbox.org.soql.select import MAX_CHILDREN, ChildSelect, RowSelect
from sandbox.org.soql.semijoin import SemiJoins
from sandbox.org.soql.shape import Shaper
from sandbox.org.soql.syntax import InQuery, Order, Query
from sandbox.org.soql.where import Conditions
from sandbox.org.sql.calculated import statement
from sandbox.org.sql.scope import Column, Scope

MAX_OFFSET = 2000
_SCOPES = {"everything": "", "mine": "OwnerId"}
_DEEP_SINCE = 58.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a statement is compiled against."""

    schema: Schema
    rights: Rights
    now: datetime
    time_zone: str
    currency: str
    api_version: str
    all_rows: bool = False


class Compiler:
    """Compiles one statement. Its plain literals may have been lifted out of it."""

    def __init__(self, around: Surroundings, soql: str, lifted: Lifted) -> None:
        self._around = around
        self._soql = soql
        self._lifted = lifted
        self._shaper = Shaper(around.schema, around.api_version)
        self._levels = 5 if float(around.api_version) >= _DEEP_SINCE else 2
        self._children = 0

    def plan(self, query: Query) -> Plan:
        """Compile a tree. Raises OrgError."""
        names = self._names(query)
        scope = Scope(names.statement, names.object(query.source))
        self._check(query)
        rows = RowColumns(names, query, scope)
        if is_count(query):
            return self._count(query, rows)
        return self._groups(query, rows) if is_aggregate(query) else self._rows(query, rows)

    def _names(self, query: Query) -> Names:
        around = self._around
        root = f"/services/data/v{around.api_version}"
        return Names(statement(around.schema, around.rights, around.now, around.time_zone, root), self._soql, query.aliases)

    def _check(self, query: Query) -> None:
        if query.all_rows:
            raise malformed("ALL ROWS not allowed in this context")
        if query.refused:
            message, at = query.refused[0]
            raise refuse(self._soql, at, message)
        if query.offset is not None and query.offset > MAX_OFFSET:
            raise OrgError(400, "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}")
        if query.scope is not None and query.scope.lower() not in _SCOPES:
            raise refuse(self._soql, query.source.at, f"scope {query.scope} is not supported by the sandbox")

    def _conditions(self, rows: RowColumns, *, nested: bool = False) -> Conditions:
        def inner(sub: Query, table: Scope) -> str:
            self._check(sub)
            return self._where(RowColumns(rows.names, sub, table), sub, nested=True)

        joins = SemiJoins(rows.names, rows.scope.object, inner)

        def sub_select(condition: InQuery, left: Column) -> str:
            if nested:
                raise malformed("Nesting of semi join sub-selects is not supported")
            return joins.sql(condition, left)

        constants = Constants(rows.names.statement, self._soql, self._lifted, self._around.currency)
        return Conditions(constants, self._soql, rows.column, sub_select)

    def _where(self, rows: RowColumns, query: Query, *, nested: bool = False) -> str:
        scope = rows.scope
        parts = [] if self._around.all_rows else [f'{scope.alias}."IsDeleted" = 0']
        visible = self._around.rights.row_filter(scope.object, scope.alias)
        if visible:
            parts.append(visible)
        if query.scope is not None and query.scope.lower() == "mine" and "OwnerId" in scope.object.fields:
            parts.append(f'{scope.alias}."OwnerId" = {scope.statement.parameter(self._around.rights.user.id)}')
        if query.where is not None:
            parts.append(self._conditions(rows, nested=nested).sql(query.where))
        return " AND ".join(parts) or "1"

    def _rows(self, query: Query, rows: RowColumns) -> RowsPlan:
        scope = rows.scope
        found = RowSelect(query, rows).plan()
        where = self._where(rows, query)
        order = [*(order_sql(each, rows.column(each.operand), self._soql) for each in query.order), scope.plain("Id")]
        source = f"FROM {scope.source()} WHERE {where} ORDER BY {', '.join(order)}{_page(query)}"
        prepared = Prepared.of(f"SELECT {', '.join(found.columns)} {source}", scope.statement)
        about = About(scope.object.name, scope.object.key_prefix, found.described, found.id_selected, viewed=query.viewed)
        children = tuple(self._child(each, 2) for each in found.children)
        return RowsPlan(prepared, self._shaper.maker(found.root), children, about, tuple(found.flat), source)

    def _child(self, select: ChildSelect, level: int) -> ChildPlan:
        query = select.query
        self._children += 1
        if level > self._levels:
            away = f"more than {self._levels - 1} level{'s' if self._levels > 2 else ''} away from the root entity object."
            raise malformed(f"SOQL statements cannot query aggregate relationships {away}")
        if self._children > MAX_CHILDREN:
            raise malformed(f"SOQL statements cannot query more than {MAX_CHILDREN} aggregate relationships.")
        self._check(query)
        if is_count(query) or is_aggregate(query):
            raise refuse(self._soql, query.source.at, "aggregate functions and GROUP BY are not supported in subqueries")
        names = self._names(query)
        scope = Scope(names.statement, select.child)
        rows = RowColumns(names, query, scope)
        found = RowSelect(query, rows).plan()
        select.described["joinColumns"] = found.described
        where = self._where(rows, query)
        parent = scope.plain(select.lookup.name)
        order = ", ".join([*(order_sql(each, rows.column(each.operand), self._soql) for each in query.order), scope.plain("Id")])
        table = f"FROM {scope.source()} WHERE {where} AND {parent} IN (SELECT value FROM json_each(:{PARENTS}))"
        if query.limit is None and query.offset is None:
            sql = f"SELECT {', '.join(found.columns)}, {parent} {table} ORDER BY {order}"
        else:
            columns = ", ".join(f"{each} AS c{place}" for place, each in enumerate([*found.columns, parent]))
            shown = ", ".join(f"c{place}" for place in range(len(found.columns) + 1))
            first = query.offset or 0
            last = "" if query.limit is None else f" AND place <= {first + query.limit}"
            numbered = f"ROW_NUMBER() OVER (PARTITION BY {parent} ORDER BY {order}) AS place"
            sql = f"SELECT {shown} FROM (SELECT {columns}, {numbered} {table}) WHERE place > {first}{last} ORDER BY place"
        children = tuple(self._child(each, level + 1) for each in found.children)
        return ChildPlan(select.key, Prepared.of(sql, names.statement), self._shaper.maker(found.root), children)

    def _count(self, query: Query, rows: RowColumns) -> CountPlan:
        if query.group or query.order:
            raise refuse(self._soql, query.source.at, "COUNT() stands alone: use COUNT(Id) with GROUP BY or ORDER BY")
        where = self._where(rows, query)
        sql = f"SELECT COUNT(*) FROM (SELECT 1 FROM {rows.scope.source()} WHERE {where}{_page(query)})"
        one = rows.scope.object
        return CountPlan(Prepared.of(sql, rows.scope.statement), About(one.name, one.key_prefix, []))

    def _groups(self, query: Query, rows: RowColumns) -> GroupsPlan:
        select = GroupSelect(query, rows)
        found = select.plan()
        where = self._where(rows, query)
        order = query.order or tuple(Order(each, descending=False, nulls_last=None) for each in select.natural_order)
        sorts = [(each, f"o{place}") for place, each in enumerate(order)]
        arms = []
        for groups in select.groupings():
            columns = [f"{groups.column(each).sql} AS c{place}" for place, each in enumerate(found.operands)]
            columns += [f"{self._sorted(groups, each).sql} AS {name}" for each, name in sorts]
            by = f" GROUP BY {', '.join(groups.by)}" if groups.by else ""
            arms.append((columns, f"WHERE {where}{by}{self._having(query, rows, groups)}"))
        source = rows.scope.source()
        united = " UNION ALL ".join(f"SELECT {', '.join(columns)} FROM {source} {rest}" for columns, rest in arms)
        widest = select.groupings()[0]
        ordered = [order_sql(each, self._sorted(widest, each), self._soql, name) for each, name in sorts]
        shown = ", ".join(f"c{place}" for place in range(len(found.operands)))
        sql = f"SELECT {shown} FROM ({united}){' ORDER BY ' + ', '.join(ordered) if ordered else ''}{_page(query)}"
        one = rows.scope.object
        about = About(one.name, one.key_prefix, found.described, group_by=bool(query.group))
        return GroupsPlan(Prepared.of(sql, rows.scope.statement), tuple(found.shown), about)

    def _having(self, query: Query, rows: RowColumns, groups: Groups) -> str:
        if query.having is None:
            return "" if groups.by else " HAVING COUNT(*) > 0" if query.group else ""

        def no_joins(condition: InQuery, _left: Column) -> str:
            raise refuse(self._soql, condition.query.source.at, "sub-selects are not supported in HAVING")

        constants = Constants(rows.names.statement, self._soql, self._lifted, self._around.currency)
        return f" HAVING {Conditions(constants, self._soql, groups.column, no_joins).sql(query.having)}"

    @staticmethod
    def _sorted(groups: Groups, order: Order) -> Column:
        return groups.column(order.operand, "Ordered field must be grouped or aggregated")


def _page(query: Query) -> str:
    if query.limit is None and query.offset is None:
        return ""
    return f" LIMIT {query.limit if query.limit is not None else -1} OFFSET {query.offset or 0}"
