"""Formula syntax tree → SQL expression with a type.

Must not run SQL. Blank numbers count as zero where the field says so, blank texts are empty, a comparison with a blank is
false. Source: Salesforce Help, "Formula Operators and Functions", "How Blanks are Handled in Formulas".
Invariant: a formula field's SQL has its declared type and scale, and an empty text result is null.
"""

from sandbox.org.formula.calls import CALLS
from sandbox.org.formula.syntax import Binary, Call, FormulaError, Name, Node, Number, Text, parse
from sandbox.org.formula.typed import Typed, as_text, is_blank
from sandbox.org.schema import NUMBER_TYPES, Field
from sandbox.org.sql.scope import Column, Scope

_COMPARISONS = {"=": "=", "==": "=", "<>": "<>", "!=": "<>", "<": "<", ">": ">", "<=": "<=", ">=": ">="}


def literal(text: str) -> str:
    """Quote a text from metadata as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def kind_of(field: Field) -> str:
    """Tell a field's formula type."""
    if field.type in NUMBER_TYPES:
        return "number"
    return field.type if field.type in ("boolean", "date", "datetime") else "text"


def formula_column(scope: Scope, field: Field) -> Column:
    """Give the SQL of a formula field of a table. Raises FormulaError for what cannot be worked out."""
    place = f"{scope.object.name}.{field.name}"
    if not scope.entering(field):
        raise FormulaError(f"{place}: the formula refers to itself")
    try:
        found = Compiler(scope, zero=field.blank_as_zero).compile(parse(field.formula or "null"))
    except FormulaError as error:
        raise FormulaError(f"{place}: {error}") from error
    finally:
        scope.leaving()
    wanted = kind_of(field)
    sql = found.sql
    if wanted == "text":
        sql = f"NULLIF({sql}, '')"
    elif wanted == "boolean":
        sql = f"COALESCE({sql}, 0)"
    elif wanted == "number":
        sql = f"half_up({sql}{' * 100' if field.type == 'percent' else ''}, {field.scale})"
    elif wanted == "date" and found.kind == "datetime":
        sql = f"substr({sql}, 1, 10)"
    return Column(f"({sql})", field.type, field, scale=field.scale)


class Compiler:
    """Turns nodes into SQL over one table. `zero`: blank numbers count as zero."""

    def __init__(self, scope: Scope, *, zero: bool = True) -> None:
        self.scope = scope
        self.zero = zero

    def compile(self, node: Node) -> Typed:
        """Give the SQL of a node."""
        if isinstance(node, Number):
            return Typed(f"{float(node.text)!r}", "number")
        if isinstance(node, Text):
            return Typed(literal(node.text), "text")
        if isinstance(node, Name):
            return self._name(node.path)
        if isinstance(node, Binary):
            return self._binary(node)
        return self._call(node)

    def _call(self, node: Call) -> Typed:
        function = CALLS.get(node.name)
        if function is None:
            raise FormulaError(f"unknown function {node.name}")
        try:
            return function(self, *node.arguments)
        except TypeError as error:
            raise FormulaError(f"incorrect number of parameters for function {node.name}") from error

    def _name(self, path: tuple[str, ...]) -> Typed:
        if len(path) == 1 and path[0].upper() in ("TRUE", "FALSE", "NULL"):
            word = path[0].upper()
            return Typed("NULL", "blank") if word == "NULL" else Typed(str(int(word == "TRUE")), "boolean")
        if path[0].startswith("$"):
            return self._global(path)
        scope = self.scope
        for step in path[:-1]:
            lookup = scope.object.lookup(step)
            target = scope.statement.schema.get(lookup.reference_to[0]) if lookup and lookup.reference_to else None
            if lookup is None or target is None:
                raise FormulaError(f"field {'.'.join(path)} does not exist")
            if lookup.polymorphic and scope.statement.schema.get("User") is not None and "User" in lookup.reference_to:
                target = scope.statement.schema.objects["User"]
            scope = scope.parent(lookup, target, open_=True)
            scope._compiling = self.scope._compiling  # noqa: SLF001 - the trail of formulas follows the path
        field = scope.object.field(path[-1])
        if field is None:
            raise FormulaError(f"field {'.'.join(path)} does not exist")
        return self._field(scope, field)

    def _field(self, scope: Scope, field: Field) -> Typed:
        sql = scope.column(field).sql
        kind = kind_of(field)
        if field.type == "percent":
            sql = f"({sql} / 100.0)"
        if kind == "text":
            return Typed(f"COALESCE({sql}, '') COLLATE BINARY" if field.is_text else f"COALESCE({sql}, '')", kind, sql)
        if kind == "number" and self.zero:
            return Typed(f"COALESCE({sql}, 0.0)", kind, sql)
        return Typed(f"COALESCE({sql}, 0)" if kind == "boolean" else sql, kind, sql)

    def _global(self, path: tuple[str, ...]) -> Typed:
        user = self.scope.statement.rights.user
        known = {"$user.id": user.id, "$user.username": user.username, "$api.partner_server_url_660": ""}
        name = ".".join(path).lower()
        if name not in known:
            raise FormulaError(f"{'.'.join(path)} is not known to the sandbox")
        return Typed(literal(known[name]), "text")

    def _binary(self, node: Binary) -> Typed:
        left, right = self.compile(node.left), self.compile(node.right)
        operator = node.operator
        if operator in _COMPARISONS:
            return self._compare(_COMPARISONS[operator], left, right)
        if operator == "&" or (operator == "+" and "text" in (left.kind, right.kind)):
            return Typed(f"({as_text(left)} || {as_text(right)})", "text")
        if operator == "^":
            return Typed(f"power_of({left.sql}, {right.sql})", "number")
        if operator == "/":
            return Typed(f"({left.sql} * 1.0 / NULLIF({right.sql}, 0))", "number")
        if operator in "+-" and ("date" in left.kind or "date" in right.kind):
            return _date_sum(operator, left, right)
        return Typed(f"({left.sql} {operator} {right.sql})", "number")

    @staticmethod
    def _compare(operator: str, left: Typed, right: Typed) -> Typed:
        if "blank" in (left.kind, right.kind):
            other = left if right.kind == "blank" else right
            empty = is_blank(other)
            return Typed(empty if operator == "=" else f"(NOT {empty})", "boolean")
        if {left.kind, right.kind} == {"date", "datetime"}:
            left, right = (Typed(f"substr({each.sql}, 1, 10)", "date") for each in (left, right))
        return Typed(f"({left.sql} {operator} {right.sql})", "boolean")


def _date_sum(operator: str, left: Typed, right: Typed) -> Typed:
    if "date" in left.kind and "date" in right.kind:
        if operator == "+":
            raise FormulaError("two dates cannot be added")
        days = f"(julianday({left.sql}) - julianday({right.sql}))"
        exact = left.kind == right.kind == "date"
        return Typed(f"CAST(ROUND{days} AS REAL)" if exact else days, "number")
    at, added = (left, right) if "date" in left.kind else (right, left)
    if at.kind == "date":
        return Typed(f"date({at.sql}, CAST({operator}({added.sql}) AS INTEGER) || ' days')", "date")
    return Typed(f"strftime('%Y-%m-%dT%H:%M:%S.000Z', {at.sql}, ({operator}({added.sql}) * 86400) || ' seconds')", "datetime")
