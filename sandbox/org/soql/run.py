"""A SOQL statement from text to answer: parse, compile, run, shape.

Must not write. Invariant: rows the user may not see, and without `all_rows` rows in the recycle bin, are not there, neither
as rows nor as counts, parents or children.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime

from sandbox.org.access import Rights
from sandbox.org.errors import OrgError
from sandbox.org.schema import Schema
from sandbox.org.soql.aggregate import GroupPlan, GroupSelect, Operands, is_aggregate, is_count
from sandbox.org.soql.names import Names
from sandbox.org.soql.parse import parse, refuse
from sandbox.org.soql.select import ChildPlan, RowPlan, RowSelect
from sandbox.org.soql.shape import Shaper
from sandbox.org.soql.syntax import Item, Path, Query
from sandbox.org.soql.where import Conditions
from sandbox.org.sql.scope import Scope, Statement
from sandbox.org.storage import Database
from sandbox.org.types import QueryResult, Record
from sandbox.org.values import Stored

MAX_OFFSET = 2000
_SCOPES = {"everything": "", "mine": "OwnerId"}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a query is run against."""

    schema: Schema
    database: Database
    rights: Rights
    now: datetime
    time_zone: str
    api_version: str
    all_rows: bool = False


class Run:
    """One statement being answered."""

    def __init__(self, around: Surroundings, soql: str) -> None:
        self._around = around
        self._soql = soql
        self._shaper = Shaper(around.schema, around.api_version)

    def answer(self) -> QueryResult:
        """Answer the statement. Raises OrgError."""
        return self.answer_query(parse(self._soql))

    def answer_query(self, query: Query) -> QueryResult:
        """Answer a statement that is a tree already. Raises OrgError."""
        names = self._names()
        one = names.object(query.source)
        scope = Scope(names.statement, one)
        self._check(query)
        if is_count(query):
            return self._count(names, query, scope)
        if is_aggregate(query):
            return self._aggregate(names, query, scope)
        plan = RowSelect(names, query, scope).plan()
        rows = self._rows(names, query, scope, plan.columns)
        records = self._shape(plan, rows)
        return QueryResult(records, len(records), plan.described, one.name, one.key_prefix, plan.id_selected)

    def _names(self) -> Names:
        around = self._around
        return Names(Statement(around.schema, around.rights, around.now, around.time_zone), self._soql)

    def _check(self, query: Query) -> None:
        if query.refused:
            message, at = query.refused[0]
            raise refuse(self._soql, at, message)
        if query.offset is not None and query.offset > MAX_OFFSET:
            words = f"Maximum SOQL offset allowed is {MAX_OFFSET}"
            raise OrgError(400, "NUMBER_OUTSIDE_VALID_RANGE", words)
        if query.scope is not None and query.scope.lower() not in _SCOPES:
            raise refuse(self._soql, query.source.at, f"scope {query.scope} is not supported by the sandbox")

    def _conditions(self, names: Names, query: Query, scope: Scope, *, nested: bool = False) -> Conditions:
        operands = Operands(names, query, scope, aggregates=False)

        def sub_select(inner: Query) -> str:
            if nested:
                raise OrgError(400, "MALFORMED_QUERY", "Nesting of semi join sub-selects is not supported")
            return self._semi_join(names, inner)

        return Conditions(names.statement, self._soql, operands.column, sub_select)

    def _semi_join(self, names: Names, query: Query) -> str:
        self._check(query)
        scope = Scope(names.statement, names.object(query.source))
        item = query.items[0] if len(query.items) == 1 else None
        if not isinstance(item, Item) or not isinstance(item.operand, Path) or query.order or query.limit is not None:
            raise refuse(self._soql, query.source.at, "Semi join sub-selects select one id field and nothing more")
        found = names.find(scope, item.operand, query.alias)
        if found.column.kind not in ("id", "reference"):
            words = f"The selected field '{found.name}' in the Semi join sub-select must be an id field"
            raise refuse(self._soql, item.operand.at, words)
        where = self._where(names, query, scope, nested=True)
        return f"SELECT {found.column.sql} FROM {scope.source()} WHERE {where} AND {found.column.sql} IS NOT NULL"

    def _where(self, names: Names, query: Query, scope: Scope, *, nested: bool = False) -> str:
        parts = [] if self._around.all_rows else [f'{scope.alias}."IsDeleted" = 0']
        visible = self._around.rights.row_filter(scope.object, scope.alias)
        if visible:
            parts.append(visible)
        if query.scope is not None and query.scope.lower() == "mine" and "OwnerId" in scope.object.fields:
            parts.append(f'{scope.alias}."OwnerId" = {names.statement.parameter(self._around.rights.user.id)}')
        if query.where is not None:
            parts.append(self._conditions(names, query, scope, nested=nested).sql(query.where))
        return " AND ".join(parts) or "1"

    def _order(self, names: Names, query: Query, operands: Operands) -> list[str]:
        found = []
        for each in query.order:
            column = operands.column(each.operand)
            if column.field is not None and column.field.long_text:
                words = f"field '{column.field.name}' can not be sorted in a query call"
                raise refuse(names.soql, each.operand.at, words, "INVALID_FIELD")
            collate = " COLLATE NOCASE" if column.field is not None and column.field.is_text and not column.plain else ""
            direction = "DESC" if each.descending else "ASC"
            found.append(f"{column.sql}{collate} {direction} NULLS {'LAST' if each.nulls_last else 'FIRST'}")
        return found

    def _rows(self, names: Names, query: Query, scope: Scope, columns: list[str], more: str = "") -> list[tuple[Stored, ...]]:
        where = self._where(names, query, scope) + more
        order = self._order(names, query, Operands(names, query, scope, aggregates=False))
        order.append(scope.plain("Id"))
        limits = "" if more else self._page(query)
        sql = f"SELECT {', '.join(columns)} FROM {scope.source()} WHERE {where} ORDER BY {', '.join(order)}{limits}"
        return self._around.database.rows(sql, names.statement.parameters)

    @staticmethod
    def _page(query: Query) -> str:
        if query.limit is None and query.offset is None:
            return ""
        return f" LIMIT {query.limit if query.limit is not None else -1} OFFSET {query.offset or 0}"

    def _count(self, names: Names, query: Query, scope: Scope) -> QueryResult:
        if query.group or query.order:
            raise refuse(self._soql, query.source.at, "COUNT() stands alone: use COUNT(Id) with GROUP BY or ORDER BY")
        where = self._where(names, query, scope)
        sql = f"SELECT COUNT(*) FROM (SELECT 1 FROM {scope.source()} WHERE {where}{self._page(query)})"
        number = int(self._around.database.rows(sql, names.statement.parameters)[0][0] or 0)
        return QueryResult([], number, [], scope.object.name, scope.object.key_prefix)

    def _aggregate(self, names: Names, query: Query, scope: Scope) -> QueryResult:
        select = GroupSelect(names, query, scope)
        plan: GroupPlan = select.plan()
        where = self._where(names, query, scope)
        sql = f"WHERE {where}"
        if plan.group:
            sql += f" GROUP BY {', '.join(plan.group)}"
        if query.having is not None:
            if not plan.group:
                raise refuse(self._soql, query.source.at, "HAVING needs GROUP BY")
            conditions = Conditions(names.statement, self._soql, select.operands.column, lambda inner: self._semi_join(names, inner))
            sql += f" HAVING {conditions.sql(query.having)}"
        order = self._order(names, query, select.operands)
        if order:
            sql += f" ORDER BY {', '.join(order)}"
        rows = self._around.database.rows(
            f"SELECT {', '.join(plan.columns)} FROM {scope.source()} {sql}{self._page(query)}", names.statement.parameters
        )
        attributes = {"attributes": {"type": "AggregateResult"}}
        records: list[Record] = [
            {**attributes, **{key: show(value) for (key, show), value in zip(plan.shown, row, strict=True)}} for row in rows
        ]
        one = scope.object
        return QueryResult(records, len(records), plan.described, one.name, one.key_prefix, group_by=bool(query.group))

    def _shape(self, plan: RowPlan, rows: list[tuple[Stored, ...]]) -> list[Record]:
        record = self._shaper.record
        found = [each for each in (record(plan.root, row) for row in rows) if each is not None]
        for child in plan.children:
            families = self._children(child, [str(row[0]) for row in rows])
            for row, parent in zip(rows, found, strict=True):
                family = families.get(str(row[0]))
                parent[child.key] = {"totalSize": len(family), "done": True, "records": family} if family else None
        return found

    def _children(self, plan: ChildPlan, parents: list[str]) -> dict[str, list[Record]]:
        self._check(plan.query)
        names = self._names()
        scope = Scope(names.statement, plan.child)
        if is_aggregate(plan.query):
            raise refuse(self._soql, plan.query.source.at, "aggregate functions are not supported in subqueries")
        inner = RowSelect(names, replace(plan.query, alias=plan.query.alias), scope).plan()
        key = scope.plain(plan.lookup.name)
        columns = [*inner.columns, key]
        more = f" AND {key} IN (SELECT value FROM json_each({names.statement.parameter(json.dumps(parents))}))"
        rows = self._rows(names, plan.query, scope, columns, more)
        families: dict[str, list[Record]] = {}
        for row in rows:
            shaped = self._shaper.record(inner.root, row)
            if shaped is not None:
                families.setdefault(str(row[-1]), []).append(shaped)
        start = plan.query.offset or 0
        end = None if plan.query.limit is None else start + plan.query.limit
        return {parent: family[start:end] for parent, family in families.items()}
