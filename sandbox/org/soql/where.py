"""Conditions of WHERE and HAVING → SQL.

Must not run anything. Comparisons follow SOQL: texts without regard to case, `!=` and NOT IN count nulls in, date literals
are ranges. Wordings: recorded REST answers. Invariant: a literal of the wrong type is refused, never converted.
"""

import json
from collections.abc import Callable
from datetime import date, datetime

from sandbox.org import ids
from sandbox.org.errors import OrgError
from sandbox.org.schema import NUMBER_TYPES, TEXT_TYPES
from sandbox.org.soql.dates import days_of, moments_of
from sandbox.org.soql.parse import refuse
from sandbox.org.soql.syntax import Compare, Condition, InList, InQuery, Joined, Not, Operand, Path, Query, Value
from sandbox.org.sql.scope import Column, Statement
from sandbox.org.values import exact

Resolve = Callable[[Operand], Column]
SubSelect = Callable[[Query], str]
_WORDS = {"datetime": "dateTime", "int": "int", "date": "date", "boolean": "boolean"}


class Conditions:
    """Builds the conditions of one query. `resolve` gives an operand's column, `sub_select` the SQL of a semi-join."""

    def __init__(self, statement: Statement, soql: str, resolve: Resolve, sub_select: SubSelect) -> None:
        self.statement = statement
        self.soql = soql
        self.resolve = resolve
        self.sub_select = sub_select

    def sql(self, condition: Condition, *, top: bool = True) -> str:
        """Give the SQL of a condition. Raises OrgError."""
        if isinstance(condition, Joined):
            inner = top and condition.word == "AND"
            return f"({f' {condition.word} '.join(self.sql(each, top=inner) for each in condition.conditions)})"
        if isinstance(condition, Not):
            return f"(NOT COALESCE({self.sql(condition.condition, top=False)}, 0))"
        if isinstance(condition, InQuery):
            return self._in_query(condition, top=top)
        column = self._filterable(condition.operand)
        if isinstance(condition, InList):
            return self._in_list(condition, column)
        return self._compare(condition, column)

    def _filterable(self, operand: Operand) -> Column:
        column = self.resolve(operand)
        if column.field is not None and column.field.long_text:
            raise refuse(self.soql, operand.at, f"field '{column.field.name}' can not be filtered in a query call", "INVALID_FIELD")
        return column

    def _in_query(self, condition: InQuery, *, top: bool) -> str:
        if not top:
            words = "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE expressions."
            raise OrgError(400, "MALFORMED_QUERY", words)
        column = self._filterable(condition.operand)
        if column.kind not in ("id", "reference"):
            name = column.field.name if column.field else "expression"
            raise refuse(
                self.soql,
                condition.operand.at,
                f"The left operand field in the where expression for outer query should be an id field, cannot use: '{name}'",
            )
        inner = self.sub_select(condition.query)
        if condition.operator == "IN":
            return f"{column.sql} IN ({inner})"
        return f"({column.sql} IS NULL OR {column.sql} NOT IN ({inner}))"

    def _in_list(self, condition: InList, column: Column) -> str:
        if condition.operator in ("INCLUDES", "EXCLUDES"):
            return self._includes(condition, column)
        if any(each.kind == "range" for each in condition.values):
            parts = [self._compare(Compare(condition.operand, "=", each, each.at), column) for each in condition.values]
            joined = f"({' OR '.join(parts)})"
            return joined if condition.operator == "IN" else f"(NOT COALESCE({joined}, 0))"
        values = [self._value(column, each, condition.operand) for each in condition.values]
        present = [each for each in values if each is not None]
        listed = self.statement.parameter(json.dumps(present))
        found = f"{self._collated(column)} IN (SELECT value FROM json_each({listed}))"
        has_null = len(present) < len(values)
        if condition.operator == "IN":
            return f"({found} OR {column.sql} IS NULL)" if has_null else found
        return f"({column.sql} IS NOT NULL AND NOT {found})" if has_null else f"({column.sql} IS NULL OR NOT {found})"

    def _includes(self, condition: InList, column: Column) -> str:
        if column.kind != "multipicklist":
            name = column.field.name if column.field else "expression"
            words = f"includes/excludes only valid on multipicklist field, found: '{name}'"
            raise OrgError(400, "INVALID_QUERY_FILTER_OPERATOR", words)
        arms = []
        for value in condition.values:
            each = [f"instr(';' || {column.sql} || ';', {self.statement.parameter(f';{part};')}) > 0" for part in value.text.split(";")]
            arms.append(f"({' AND '.join(each)})")
        found = f"COALESCE({' OR '.join(arms)}, 0)"
        return f"({found})" if condition.operator == "INCLUDES" else f"(NOT {found})"

    def _compare(self, condition: Compare, column: Column) -> str:
        operator, value = condition.operator, condition.value
        if operator == "LIKE":
            return self._like(condition, column)
        if value.kind == "range":
            return self._range(operator, column, value, condition.operand)
        given = self._value(column, value, condition.operand)
        if given is None:
            return f"{column.sql} IS {'' if operator == '=' else 'NOT '}NULL"
        if column.kind == "boolean" and operator not in ("=", "!="):
            raise OrgError(400, "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on boolean field")
        if column.kind in ("id", "reference") and operator not in ("=", "!=", "<", ">", "<=", ">="):
            raise OrgError(400, "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on id field")
        left, right = self._collated(column), self.statement.parameter(given)
        return f"({left} IS NULL OR {left} <> {right})" if operator == "!=" else f"{left} {operator} {right}"

    def _like(self, condition: Compare, column: Column) -> str:
        if column.kind in ("id", "reference"):
            raise OrgError(400, "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on id field")
        if column.kind not in TEXT_TYPES or condition.value.kind not in ("string", "null"):
            raise OrgError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {column.kind} field")
        if condition.value.kind == "null" or not condition.value.text:
            return f"{column.sql} IS NULL"
        return f"{column.sql} LIKE {self.statement.parameter(condition.value.text)} ESCAPE '\\'"

    def _range(self, operator: str, column: Column, value: Value, operand: Operand) -> str:
        days = days_of(value.text, date.fromisoformat(self.statement.today))
        if days is None:
            raise refuse(self.soql, value.at, f"unexpected token: '{value.text}'")
        if column.kind not in ("date", "datetime"):
            raise self._mismatch(column, operand, quotes=False)
        first, end = (each.isoformat() for each in days)
        if column.kind == "datetime":
            first, end = moments_of(*days, self.statement.time_zone)
        low, high = self.statement.parameter(first), self.statement.parameter(end)
        sql = column.sql
        return {
            "=": f"({sql} >= {low} AND {sql} < {high})",
            "!=": f"({sql} IS NULL OR {sql} < {low} OR {sql} >= {high})",
            "<": f"{sql} < {low}",
            ">=": f"{sql} >= {low}",
            ">": f"{sql} >= {high}",
            "<=": f"{sql} < {high}",
        }[operator]

    def _collated(self, column: Column) -> str:
        text = column.kind in TEXT_TYPES and not column.plain
        return f"({column.sql}) COLLATE NOCASE" if text else column.sql

    def _mismatch(self, column: Column, operand: Operand, *, quotes: bool) -> OrgError:
        name = ".".join(operand.steps) if isinstance(operand, Path) else operand.name
        word = "string" if column.kind in TEXT_TYPES else _WORDS.get(column.kind, "double")
        tail = "should be enclosed in quotes" if quotes else "should not be enclosed in quotes"
        words = f"value of filter criterion for field '{name}' must be of type {word} and {tail}"
        return refuse(self.soql, operand.at, words, "INVALID_FIELD")

    def _value(self, column: Column, value: Value, operand: Operand) -> str | float | int | None:
        if value.kind == "null" or (value.kind == "string" and not value.text):
            return None
        kind = column.kind
        if kind in ("id", "reference"):
            return self._id(value)
        if kind in TEXT_TYPES:
            if value.kind != "string":
                raise self._mismatch(column, operand, quotes=True)
            return value.text
        if kind in NUMBER_TYPES and value.kind == "number":
            return float(value.text)
        if kind == "boolean" and value.kind == "boolean":
            return int(value.text == "TRUE")
        if kind == "date" and value.kind == "date":
            return self._checked_date(value)
        if kind == "datetime" and value.kind == "datetime":
            return self._checked_moment(value)
        raise self._mismatch(column, operand, quotes=False)

    def _id(self, value: Value) -> str:
        found = ids.normal(value.text) if value.kind == "string" else None
        if found is None:
            raise OrgError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {value.text}")
        return found

    def _checked_date(self, value: Value) -> str:
        try:
            return date.fromisoformat(value.text).isoformat()
        except ValueError:
            raise refuse(self.soql, value.at, f"Invalid date: {value.text}", "INVALID_FIELD") from None

    def _checked_moment(self, value: Value) -> str:
        text = value.text.upper()
        whole, _, fraction = text.partition(".")
        if fraction:
            zone = fraction.lstrip("0123456789")
            text = f"{whole}.{fraction[: len(fraction) - len(zone)][:6]}{zone}"
        try:
            return exact(datetime.fromisoformat(text))
        except ValueError:
            raise refuse(self.soql, value.at, f"Invalid datetime: {value.text}", "INVALID_FIELD") from None
