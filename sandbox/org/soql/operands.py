"""The columns of operands in queries that return rows: field paths and the functions over one row.

Must not treat aggregates: aggregate.py does. Source: SOQL and SOSL Reference, "Date Functions", "toLabel()", "convertCurrency()",
"Location-Based SOQL Queries". Invariant: a function takes what the reference lets it take, and refuses the rest by name.
"""

from dataclasses import replace

from sandbox.org.errors import OrgError
from sandbox.org.schema import Field
from sandbox.org.soql.dates import FUNCTIONS
from sandbox.org.soql.names import Found, Names
from sandbox.org.soql.refusal import refuse
from sandbox.org.soql.syntax import Call, Operand, Path, Query, Value
from sandbox.org.sql.scope import Column, Scope

_KILOMETRES = {"km": 1.0, "mi": 1.609344}


class RowColumns:
    """Gives the column of any operand over one row of a query's table."""

    def __init__(self, names: Names, query: Query, scope: Scope) -> None:
        self.names = names
        self.scope = scope
        self._alias = query.alias

    def find(self, path: Path) -> Found:
        """Find a path from the query's table. Raises OrgError."""
        return self.names.find(self.scope, path, self._alias)

    def column(self, operand: Operand) -> Column:
        """Give the column of an operand. Raises OrgError."""
        if isinstance(operand, Path):
            return self.find(operand).column
        if operand.name in FUNCTIONS:
            return self._date_part(operand)
        if operand.name == "DISTANCE":
            return self._distance(operand)
        if operand.name in ("TOLABEL", "FORMAT", "CONVERTCURRENCY"):
            return self.converted(operand, self.column(self.argument(operand)))
        raise self._unexpected(operand)

    def argument(self, call: Call) -> Operand:
        """Give the one argument of a function. Raises OrgError."""
        found = call.arguments[0] if call.arguments else None
        if found is None or isinstance(found, Value):
            raise self._unexpected(call)
        return found

    def _unexpected(self, call: Call) -> OrgError:
        return refuse(self.names.soql, call.at, f"unexpected token: '{self.names.soql[call.at : call.at + len(call.name)]}'")

    def converted(self, call: Call, column: Column) -> Column:
        """Give the column that toLabel, FORMAT or convertCurrency makes of one. Amounts stay: the org has one currency."""
        if call.name == "TOLABEL" and column.field is not None and column.field.choices:
            parameter = self.names.statement.parameter
            labels = [each for each in column.field.choices if each.label != each.value]
            arms = " ".join(f"WHEN {parameter(each.value)} THEN {parameter(each.label)}" for each in labels)
            return Column(f"(CASE {column.sql} {arms} ELSE {column.sql} END)", "string") if arms else replace(column, kind="string")
        if call.name == "CONVERTCURRENCY" and column.kind != "currency":
            words = f"field {written(call.arguments[0])} is not a currency field in function convertCurrency"
            raise refuse(self.names.soql, call.at, words, "INVALID_FIELD")
        return column

    def _date_part(self, call: Call) -> Column:
        argument = self.argument(call)
        zoned = isinstance(argument, Call)
        inner = self.argument(argument) if isinstance(argument, Call) else argument
        column = self.column(inner)
        with_hours = call.name in ("HOUR_IN_DAY", "DAY_ONLY") or zoned
        if column.kind != "datetime" and (with_hours or column.kind != "date"):
            wanted = "dateTime" if with_hours else "date or dateTime"
            words = f"field {written(inner)} is not a {wanted} field in function {call.name}"
            raise refuse(self.names.soql, call.at, words, "INVALID_FIELD")
        sql = column.sql
        if zoned:
            sql = f"local_time({sql}, {self.names.statement.parameter(self.names.statement.time_zone)})"
        return Column(FUNCTIONS[call.name].format(sql), "date" if call.name == "DAY_ONLY" else "int")

    def _distance(self, call: Call) -> Column:
        place, other, unit = call.arguments
        if not isinstance(place, Path) or not isinstance(unit, Value):
            raise self._unexpected(call)
        if isinstance(other, Path):
            there = self._place(other)
        elif isinstance(other, Call):
            latitude, longitude = (float(each.text) for each in other.arguments if isinstance(each, Value))
            if abs(latitude) > 90 or abs(longitude) > 180:
                raise refuse(self.names.soql, other.at, "Latitude or longitude out of range in function GEOLOCATION")
            there = f"{self.names.statement.parameter(latitude)}, {self.names.statement.parameter(longitude)}"
        else:
            raise self._unexpected(call)
        return Column(f"(great_circle({self._place(place)}, {there}) / {_KILOMETRES[unit.text]})", "double", scale=10)

    def _place(self, path: Path) -> str:
        found = self.find(path)
        scope = found.scopes[-1] if found.scopes else self.scope
        field = found.column.field
        if field is None or field.type != "location":
            raise refuse(
                self.names.soql, path.at, f"field {written(path)} is not a geolocation field in function DISTANCE", "INVALID_FIELD"
            )
        return ", ".join(scope.plain(each.name) for each in _coordinates(scope, field))


def _coordinates(scope: Scope, field: Field) -> list[Field]:
    parts = [each for each in scope.object.fields.values() if each.compound == field.name]
    return [next(each for each in parts if word in each.name.lower()) for word in ("latitude", "longitude")]


def written(operand: Operand | Value) -> str:
    """Write an operand as it stands in a statement."""
    if isinstance(operand, Value):
        return operand.text
    if isinstance(operand, Path):
        return ".".join(operand.steps)
    return f"{operand.name}({','.join(written(each) for each in operand.arguments)})"
