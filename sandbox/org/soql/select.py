"""The SELECT list of a row query: columns, nested parents, child queries, FIELDS() and TYPEOF.

Must not treat aggregates: aggregate.py does. Invariant: every table that shows a field also selects its id, for attributes.
"""

from dataclasses import dataclass, field

from sandbox.org.errors import OrgError
from sandbox.org.schema import Field, ObjectType
from sandbox.org.soql.names import Found, Names
from sandbox.org.soql.parse import refuse
from sandbox.org.soql.shape import Node
from sandbox.org.soql.syntax import Call, ChildQuery, Item, Path, Query, TypeOf
from sandbox.org.sql.scope import Column, Scope
from sandbox.org.types import Record
from sandbox.org.values import Shower, Stored, shower_of

_FIELDS_LIMIT = "The SOQL FIELDS function must have a LIMIT of at most 200"


@dataclass(slots=True)
class ChildPlan:
    """A subquery to run once the parents are known."""

    key: str
    query: Query
    child: ObjectType
    lookup: Field


@dataclass(slots=True)
class RowPlan:
    """The columns of a row query and where they go."""

    columns: list[str]
    root: Node
    children: list[ChildPlan] = field(default_factory=list)
    described: list[Record] = field(default_factory=list)
    id_selected: bool = False


class RowSelect:
    """Builds the plan of one row query."""

    def __init__(self, names: Names, query: Query, scope: Scope) -> None:
        self._names = names
        self._query = query
        self._scope = scope
        self._seen: set[str] = set()
        self._plan = RowPlan([scope.plain("Id")], Node(scope.object.name, 0))

    def plan(self) -> RowPlan:
        """Go through the SELECT list. Raises OrgError."""
        for item in self._query.items:
            if isinstance(item, ChildQuery):
                self._child(item.query)
            elif isinstance(item, TypeOf):
                self._type_of(item)
            elif isinstance(item.operand, Call):
                self._call(item, item.operand)
            else:
                if item.alias is not None:
                    raise refuse(self._names.soql, item.operand.at, "only aggregate expressions use field aliasing")
                self._path(item.operand)
        return self._plan

    def _column(self, sql: str) -> int:
        self._plan.columns.append(sql)
        return len(self._plan.columns) - 1

    def _path(self, path: Path) -> None:
        found = self._names.find(self._scope, path, self._query.alias)
        dotted = ".".join((*found.steps, found.name))
        if dotted in self._seen:
            raise OrgError(400, "MALFORMED_QUERY", f"duplicate field selected: {dotted}")
        self._seen.add(dotted)
        self._plan.id_selected = self._plan.id_selected or dotted == "Id"
        node = self._node(found)
        node.leaves.append((found.name, self._column(found.column.sql), shower_of(found.column.kind, found.column.scale)))
        self._plan.described.append(described(dotted, found.column))

    def _node(self, found: Found) -> Node:
        node = self._plan.root
        for place, step in enumerate(found.steps):
            last = place == len(found.steps) - 1
            parent = node.parents.get(step)
            if parent is None:
                if last and found.polymorphic is not None:
                    ids = ", ".join(each.plain("Id") for each in found.polymorphic.targets)
                    known = f"COALESCE({ids}, NULL)" if found.polymorphic.targets else "NULL"
                    parent = Node(None, self._column(known))
                else:
                    scope = found.scopes[place]
                    parent = Node(scope.object.name, self._column(scope.plain("Id")))
                node.parents[step] = parent
            node = parent
        return node

    def _call(self, item: Item, call: Call) -> None:
        if call.name == "FIELDS":
            self._fields(call)
            return
        column, name = simple_call(self._names, self._scope, self._query, call)
        key = item.alias or name
        self._seen.add(key)
        show: Shower = _formatted if call.name == "FORMAT" else shower_of(column.kind, column.scale)
        self._plan.root.leaves.append((key, self._column(column.sql), show))
        self._plan.described.append(described(key, column))

    def _fields(self, call: Call) -> None:
        argument = call.arguments[0] if len(call.arguments) == 1 else None
        which = argument.steps[0].upper() if isinstance(argument, Path) else ""
        if which not in ("ALL", "STANDARD", "CUSTOM"):
            raise refuse(self._names.soql, call.at, "FIELDS function requires ALL, CUSTOM or STANDARD")
        if which != "STANDARD" and (self._query.limit is None or self._query.limit > 200):
            raise refuse(self._names.soql, call.at, _FIELDS_LIMIT)
        for each in self._scope.object.fields.values():
            wanted = which == "ALL" or each.custom == (which == "CUSTOM")
            if wanted and self._names.statement.rights.reads(self._scope.object, each) and each.name not in self._seen:
                self._path(Path((each.name,), call.at))

    def _child(self, query: Query) -> None:
        child, lookup = self._names.child(self._scope.object, query.source)
        key = query.source.steps[-1]
        known = next(
            end.name
            for end in self._names.statement.schema.children[self._scope.object.name]
            if end.name and end.name.lower() == key.lower()
        )
        if any(isinstance(each, ChildQuery) for each in query.items):
            raise refuse(self._names.soql, query.source.at, "only one level of child relationship is supported by the sandbox")
        self._plan.children.append(ChildPlan(known, query, child, lookup))

    def _type_of(self, item: TypeOf) -> None:
        lookup = self._scope.object.lookup(item.lookup.steps[0]) if len(item.lookup.steps) == 1 else None
        if lookup is None or not lookup.polymorphic:
            words = f"TYPEOF is only allowed on polymorphic relationships, found: '{'.'.join(item.lookup.steps)}'"
            raise refuse(self._names.soql, item.lookup.at, words)
        schema = self._names.statement.schema
        node = Node(None, self._column(self._scope.plain(lookup.name)))
        for name, paths in item.arms:
            one = schema.get(name)
            if one is None or one.name not in lookup.reference_to:
                raise refuse(self._names.soql, item.lookup.at, f"'{name}' is not a target of this relationship")
            table = self._scope.parent(lookup, one)
            found = [self._names.find(table, each) for each in paths]
            node.arms[one.name] = [
                (each.name, self._column(each.column.sql), shower_of(each.column.kind, each.column.scale)) for each in found
            ]
        for path in item.other:
            each = self._names.find(self._scope, Path((item.lookup.steps[0], *path.steps), path.at), None)
            node.leaves.append((each.name, self._column(each.column.sql), shower_of(each.column.kind, each.column.scale)))
        self._plan.root.parents[lookup.relationship or item.lookup.steps[0]] = node


def simple_call(names: Names, scope: Scope, query: Query, call: Call) -> tuple[Column, str]:
    """Give the column behind toLabel, convertCurrency or FORMAT, and the name it shows under. Raises OrgError."""
    inner = call.arguments[0] if len(call.arguments) == 1 else None
    if call.name not in ("TOLABEL", "CONVERTCURRENCY", "FORMAT") or inner is None:
        raise refuse(names.soql, call.at, f"unexpected token: '{call.name}'")
    if isinstance(inner, Call):
        column, name = simple_call(names, scope, query, inner)
    elif isinstance(inner, Path):
        found = names.find(scope, inner, query.alias)
        column, name = found.column, found.name
    else:
        raise refuse(names.soql, call.at, f"unexpected token: '{inner.text}'")
    if call.name == "TOLABEL" and column.field is not None and column.field.choices:
        arms = " ".join(
            f"WHEN {names.statement.parameter(each.value)} THEN {names.statement.parameter(each.label)}" for each in column.field.choices
        )
        column = Column(f"(CASE {column.sql} {arms} ELSE {column.sql} END)", "string")
    return column, name


def _formatted(value: Stored) -> str | None:
    return None if value is None else f"{value:,.2f}" if isinstance(value, float) else str(value)


def described(name: str, column: Column, *, aggregate: bool = False) -> Record:
    """Give a column's entry in `columnMetadata` (as the Salesforce CLI reads it)."""
    number = column.kind in ("double", "currency", "percent", "int")
    given = column.field
    return {
        "aggregate": aggregate,
        "apexType": {"boolean": "Boolean", "int": "Integer", "id": "Id", "reference": "Id", "date": "Date", "datetime": "Datetime"}.get(
            column.kind, "Double" if number else "String"
        ),
        "booleanType": column.kind == "boolean",
        "columnName": name,
        "custom": bool(given and given.custom),
        "displayName": name,
        "foreignKeyName": given.relationship if given else None,
        "insertable": bool(given and given.createable),
        "joinColumns": [],
        "numberType": number,
        "textType": not number and column.kind not in ("boolean", "date", "datetime"),
        "updatable": bool(given and given.updateable),
    }
