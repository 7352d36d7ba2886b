"""The SELECT list of a row query: columns, nested parents, child queries, FIELDS() and TYPEOF.

Must not treat aggregates: aggregate.py does. Source: SOQL and SOSL Reference, "SELECT", "FIELDS()", "TYPEOF".
Invariant: every table that shows a field also selects its id, for attributes.
"""

from dataclasses import dataclass, field

from sandbox.org.schema import Field, ObjectType
from sandbox.org.soql.metadata import child_column, field_column, put
from sandbox.org.soql.names import Found
from sandbox.org.soql.operands import RowColumns
from sandbox.org.soql.plan import Flat
from sandbox.org.soql.refusal import malformed, refuse
from sandbox.org.soql.shape import Leaf, Node
from sandbox.org.soql.show import formatter_of, show_of
from sandbox.org.soql.syntax import Call, ChildQuery, Item, Path, Query, TypeOf
from sandbox.org.sql.scope import Column, Scope
from sandbox.org.types import Record
from sandbox.org.values import Shower

_FIELDS_LIMIT = "The SOQL FIELDS function must have a LIMIT of at most 200"
MAX_CHILDREN = 20


@dataclass(frozen=True, slots=True)
class ChildSelect:
    """A subquery: where it goes in the parent, and the lookup by which its records are found. described: its own column."""

    key: str
    query: Query
    child: ObjectType
    lookup: Field
    described: Record


@dataclass(slots=True)
class RowPlan:
    """The columns of a row query and where they go. flat: each field with its dotted name, for streams."""

    columns: list[str]
    root: Node
    children: list[ChildSelect] = field(default_factory=list)
    described: list[Record] = field(default_factory=list)
    flat: list[Flat] = field(default_factory=list)
    id_selected: bool = False


class RowSelect:
    """Builds the plan of one row query."""

    def __init__(self, query: Query, columns: RowColumns) -> None:
        self._query = query
        self._of = columns
        self._names = columns.names
        self._scope = columns.scope
        self._seen: set[str] = set()
        self._unnamed = 0
        self._plan = RowPlan([self._scope.plain("Id")], Node(self._scope.object.name, 0))

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

    def _take(self, name: str) -> None:
        if name.lower() in self._seen:
            raise malformed(f"duplicate field selected: {name}")
        self._seen.add(name.lower())

    def _path(self, path: Path) -> None:
        found = self._of.find(path)
        dotted = ".".join((*found.steps, found.name))
        self._take(dotted)
        self._plan.id_selected = self._plan.id_selected or dotted == "Id"
        self._show(found, found.name, found.column, show_of(found.column))

    def _show(self, found: Found | None, key: str, column: Column, show: Shower | None) -> None:
        leaf = Leaf(0 if column.sql == self._plan.columns[0] else self._column(column.sql), show)
        node = self._plan.root if found is None else self._node(found)
        node.shown[key] = leaf
        steps, lookups = (found.steps, found.lookups) if found is not None else ((), ())
        self._plan.flat.append(Flat(".".join((*steps, key)), column.kind, column.sql, show))
        put(self._plan.described, list(zip(steps, lookups, strict=True)), field_column(key, column))

    def _node(self, found: Found) -> Node:
        node = self._plan.root
        for place, step in enumerate(found.steps):
            parent = node.shown.get(step)
            if not isinstance(parent, Node):
                if place == len(found.scopes) and found.polymorphic is not None:
                    parent = Node(None, self._column(_first_id(found.polymorphic.targets)))
                else:
                    scope = found.scopes[place]
                    parent = Node(scope.object.name, self._column(scope.plain("Id")))
                node.shown[step] = parent
            node = parent
        return node

    def _call(self, item: Item, call: Call) -> None:
        if call.name == "FIELDS":
            self._fields(call)
            return
        column = self._of.column(call)
        inner = call
        while isinstance(inner.arguments[0], Call):
            inner = inner.arguments[0]
        path = inner.arguments[0]
        found = self._of.find(path) if isinstance(path, Path) and call.name != "DISTANCE" else None
        show = formatter_of(column) if call.name == "FORMAT" else show_of(column)
        if item.alias is not None or found is None:
            key = item.alias or f"expr{self._unnamed}"
            self._unnamed += item.alias is None
            self._take(key)
            self._show(None, key, column, show)
        else:
            self._take(".".join((*found.steps, found.name)))
            self._show(found, found.name, column, show)

    def _fields(self, call: Call) -> None:
        argument = call.arguments[0]
        which = argument.steps[0].upper() if isinstance(argument, Path) else ""
        if which not in ("ALL", "STANDARD", "CUSTOM"):
            raise refuse(self._names.soql, call.at, "FIELDS function requires ALL, CUSTOM or STANDARD")
        if which != "STANDARD" and (self._query.limit is None or self._query.limit > 200):
            raise refuse(self._names.soql, call.at, _FIELDS_LIMIT)
        for each in self._scope.object.fields.values():
            wanted = which == "ALL" or each.custom == (which == "CUSTOM")
            if wanted and self._names.statement.rights.reads(self._scope.object, each):
                self._path(Path((each.name,), call.at))

    def _child(self, query: Query) -> None:
        child, lookup = self._names.child(self._scope.object, query.source)
        ends = self._names.statement.schema.children[self._scope.object.name]
        key = next(end.name for end in ends if end.name and end.name.lower() == query.source.steps[-1].lower())
        if any(each.key == key for each in self._plan.children):
            raise malformed(f"duplicate relationship selected: {key}")
        entry = child_column(key)
        self._plan.described.append(entry)
        self._plan.children.append(ChildSelect(key, query, child, lookup, entry))

    def _type_of(self, item: TypeOf) -> None:
        schema = self._names.statement.schema
        lookup = self._scope.object.lookup(item.lookup.steps[0]) if len(item.lookup.steps) == 1 else None
        if lookup is None or not lookup.polymorphic or not self._names.statement.rights.reads(self._scope.object, lookup):
            words = f"TYPEOF is only allowed on polymorphic relationships, found: '{'.'.join(item.lookup.steps)}'"
            raise refuse(self._names.soql, item.lookup.at, words)
        key = lookup.relationship or item.lookup.steps[0]
        self._take(key)
        targets = [schema.objects[each] for each in lookup.reference_to if each in schema.objects]
        known = self._names.parents(self._scope, lookup, targets)
        node = Node(None, self._column(_first_id(known)), other=item.other is not None)
        for path, fields in item.arms:
            one = schema.get(path.steps[0]) if len(path.steps) == 1 else None
            if one is None or one.name not in lookup.reference_to or not self._names.statement.rights.on(one).read:
                words = f"'{'.'.join(path.steps)}' is not an object that relationship '{key}' may point at"
                raise refuse(self._names.soql, path.at, words, "INVALID_TYPE")
            arm = node.arms[one.name] = Node(one.name, self._column(self._scope.parent(lookup, one).plain("Id")))
            for each in fields:
                self._arm_field(arm, self._scope.parent(lookup, one), each)
        for path in item.other or ():
            found = self._names.find(self._scope, Path((item.lookup.steps[0], *path.steps), path.at))
            node.shown[found.name] = Leaf(self._column(found.column.sql), show_of(found.column))
        self._plan.root.shown[key] = node

    def _arm_field(self, arm: Node, table: Scope, path: Path) -> None:
        found = self._names.find(table, path)
        node = arm
        for step, scope in zip(found.steps, found.scopes, strict=False):
            parent = node.shown.setdefault(step, Node(scope.object.name, self._column(scope.plain("Id"))))
            node = parent if isinstance(parent, Node) else node
        if found.polymorphic is not None:
            parent = node.shown.setdefault(found.steps[-1], Node(None, self._column(_first_id(found.polymorphic.targets))))
            node = parent if isinstance(parent, Node) else node
        node.shown[found.name] = Leaf(self._column(found.column.sql), show_of(found.column))


def _first_id(tables: tuple[Scope, ...]) -> str:
    listed = ", ".join(each.plain("Id") for each in tables)
    return f"COALESCE({listed}, NULL)" if listed else "NULL"
