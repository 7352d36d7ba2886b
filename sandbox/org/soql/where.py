"""Conditions of WHERE and HAVING → SQL.

Must not run anything. Comparisons follow SOQL: texts without regard to case, `!=`, NOT IN, NOT and EXCLUDES count nulls in, date
literals are ranges, a boolean of a parent that is not there is false. Source: SOQL and SOSL Reference, "Comparison Operators",
"Relationships and outer joins". Wordings: recorded REST answers. Invariant: no condition is ever null: it holds or it does not.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from sandbox.org.errors import OrgError
from sandbox.org.schema import TEXT_TYPES
from sandbox.org.soql.constants import Constants
from sandbox.org.soql.dates import days_of, moments_of
from sandbox.org.soql.refusal import malformed, refuse
from sandbox.org.soql.syntax import Compare, Condition, InList, InQuery, Joined, Not, Operand, Path, Value
from sandbox.org.sql.scope import Column

Resolve = Callable[[Operand], Column]
SubSelect = Callable[[InQuery, Column], str]
_NOT_FILTERED = frozenset({"base64", "address", "location"})
_NESTED = "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE expressions."
_EQUALITY = ("=", "!=")


class Conditions:
    """Builds the conditions of one query. `resolve` gives an operand's column, `sub_select` the SQL of a semi-join."""

    def __init__(self, constants: Constants, soql: str, resolve: Resolve, sub_select: SubSelect) -> None:
        self._constants = constants
        self._statement = constants.statement
        self._soql = soql
        self._resolve = resolve
        self._sub_select = sub_select

    def sql(self, condition: Condition, *, top: bool = True) -> str:
        """Give the SQL of a condition. Raises OrgError."""
        if isinstance(condition, Joined):
            if top and condition.word == "OR" and any(isinstance(each, InQuery) for each in condition.conditions):
                raise malformed("Semi join sub-selects are not allowed with the 'OR' operator")
            nested = [
                not top or condition.word == "OR" or (isinstance(each, Joined) and each.word == "OR") for each in condition.conditions
            ]
            parts = [self.sql(each, top=not inside) for each, inside in zip(condition.conditions, nested, strict=True)]
            return f"({f' {condition.word} '.join(parts)})"
        if isinstance(condition, Not):
            return f"(NOT COALESCE({self.sql(condition.condition, top=False)}, 0))"
        if isinstance(condition, InQuery):
            return self._in_query(condition, top=top)
        column = self._filterable(condition.operand)
        if isinstance(condition, InList):
            return self._in_list(condition, column)
        return self._compare(condition, column)

    def _filterable(self, operand: Operand) -> Column:
        column = self._resolve(operand)
        if column.field is not None and (column.field.long_text or column.kind in _NOT_FILTERED):
            raise refuse(self._soql, operand.at, f"field '{column.field.name}' can not be filtered in a query call", "INVALID_FIELD")
        if column.kind == "boolean" and isinstance(operand, Path) and len(operand.steps) > 1:
            return replace(column, sql=f"COALESCE({column.sql}, 0)")
        return column

    def _in_query(self, condition: InQuery, *, top: bool) -> str:
        if not top:
            raise malformed(_NESTED)
        if condition.operator not in ("IN", "NOT IN"):
            raise refuse(self._soql, condition.query.source.at, f"sub-selects are not supported with {condition.operator}")
        column = self._filterable(condition.operand)
        if column.kind not in ("id", "reference"):
            name = column.field.name if column.field else "expression"
            words = f"The left operand field in the where expression for outer query should be an id field, cannot use: '{name}'"
            raise refuse(self._soql, condition.operand.at, words)
        inner = self._sub_select(condition, column)
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
        listed, has_null = self._constants.listed(column, condition.values, condition.at, condition.operand)
        left, right = self._folded(column, "value", any(not each.text.isascii() for each in condition.values))
        found = f"{left} IN (SELECT {right} FROM json_each({listed}))"
        if condition.operator == "IN":
            return f"({found} OR {column.sql} IS NULL)" if has_null else found
        return f"({column.sql} IS NOT NULL AND NOT {found})" if has_null else f"({column.sql} IS NULL OR NOT {found})"

    def _includes(self, condition: InList, column: Column) -> str:
        if column.kind != "multipicklist":
            name = column.field.name if column.field else "expression"
            words = f"includes/excludes only valid on multipicklist field, found: '{name}'"
            raise OrgError(400, "INVALID_QUERY_FILTER_OPERATOR", words)
        if any(each.kind not in ("string", "null") for each in condition.values):
            raise self._constants.mismatch(column, condition.operand, quotes=True)
        chosen = [tuple(part.lower() for part in each.text.split(";") if part) for each in condition.values if each.kind == "string"]
        arms = [f"({' AND '.join(self._picked(column, part) for part in parts) or '0'})" for parts in chosen]
        if len(chosen) < len(condition.values):
            arms.append(f"{column.sql} IS NULL")
        found = f"COALESCE({' OR '.join(arms)}, 0)"
        return f"({found})" if condition.operator == "INCLUDES" else f"(NOT {found})"

    def _picked(self, column: Column, part: str) -> str:
        wanted = self._statement.parameter(f";{part};")
        return f"instr(lower(';' || {column.sql} || ';'), {wanted}) > 0"

    def _compare(self, condition: Compare, column: Column) -> str:
        operator, value = condition.operator, condition.value
        if operator == "LIKE":
            return self._like(condition, column)
        if value.kind == "range":
            return self._range(operator, column, value, condition.operand)
        if column.kind in ("boolean", "multipicklist") and operator not in _EQUALITY:
            raise _wrong_operator(column)
        given = self._constants.one(column, value, condition.operand)
        if given is None:
            if operator not in _EQUALITY:
                return "0"
            return f"{column.sql} IS {'' if operator == '=' else 'NOT '}NULL"
        left, right = self._folded(column, given, not value.text.isascii())
        return f"({left} IS NULL OR {left} <> {right})" if operator == "!=" else f"{left} {operator} {right}"

    def _like(self, condition: Compare, column: Column) -> str:
        if column.kind not in TEXT_TYPES or column.kind == "multipicklist":
            raise _wrong_operator(column)
        if condition.value.kind not in ("string", "null"):
            raise self._constants.mismatch(column, condition.operand, quotes=True)
        if condition.value.kind == "null" or not condition.value.text:
            return f"{column.sql} IS NULL"
        if "\0" in condition.value.text:
            return "0"  # SQLite would end the pattern at this character
        left, right = self._folded(column, self._constants.pattern(condition.value), not condition.value.text.isascii(), like=True)
        return f"{left} LIKE {right} ESCAPE '\\'"

    def _range(self, operator: str, column: Column, value: Value, operand: Operand) -> str:
        days = days_of(value.text, date.fromisoformat(self._statement.today))
        if column.kind not in ("date", "datetime"):
            raise self._constants.mismatch(column, operand, quotes=column.kind in TEXT_TYPES)
        first, end = (each.isoformat() for each in days)
        if column.kind == "datetime":
            first, end = moments_of(*days, self._statement.time_zone)
        low, high = self._statement.parameter(first), self._statement.parameter(end)
        sql = column.sql
        return {
            "=": f"({sql} >= {low} AND {sql} < {high})",
            "!=": f"({sql} IS NULL OR {sql} < {low} OR {sql} >= {high})",
            "<": f"{sql} < {low}",
            ">=": f"{sql} >= {low}",
            ">": f"{sql} >= {high}",
            "<=": f"{sql} < {high}",
        }[operator]

    @staticmethod
    def _folded(column: Column, given: str, beyond_ascii: bool, *, like: bool = False) -> tuple[str, str]:
        """Give both sides so that case does not count, except for a case-sensitive field. SQLite folds ASCII only."""
        exact = column.field is not None and column.field.case_sensitive and not like
        if column.kind not in TEXT_TYPES or exact:
            return column.sql, given
        if beyond_ascii:
            return f"lower_text({column.sql})", f"lower_text({given})"
        return (column.sql if column.plain or like else f"({column.sql}) COLLATE NOCASE"), given


def _wrong_operator(column: Column) -> OrgError:
    kind = "id" if column.kind in ("id", "reference") else column.kind
    return OrgError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {kind} field")
