"""The literals of conditions: checked against the column they meet and passed in as parameters.

Must not build conditions. Wordings: recorded REST answers. Plain texts are passed in when the statement is run, so that one
plan serves all statements that differ in them. Invariant: a literal of the wrong type is refused, never converted.
"""

import json
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time

from sandbox.org import ids
from sandbox.org.errors import OrgError
from sandbox.org.schema import NUMBER_TYPES, TEXT_TYPES
from sandbox.org.soql.literals import Lifted
from sandbox.org.soql.refusal import refuse
from sandbox.org.soql.syntax import Operand, Path, Value
from sandbox.org.sql.scope import Column, Statement
from sandbox.org.values import exact

Constant = str | float | int
_WORDS = {"datetime": "dateTime", "int": "int", "date": "date", "boolean": "boolean", "time": "time"}
_MONEY = re.compile(r"([A-Z]{3})(.+)")


class Constants:
    """Turns literals into SQL place holders. `currency` is the org's only one."""

    def __init__(self, statement: Statement, soql: str, lifted: Lifted, currency: str) -> None:
        self.statement = statement
        self._soql = soql
        self._lifted = lifted
        self._currency = currency

    def one(self, column: Column, value: Value, operand: Operand) -> str | None:
        """Give the place holder of a literal compared with a column; None for null and the empty text. Raises OrgError."""
        found = self.constant(column, value, operand)
        if found is None:
            return None
        return self._passed(value.at, found, self._reader(column))

    def pattern(self, value: Value) -> str:
        """Give the place holder of a text that LIKE compares with."""
        return self._passed(value.at, value.text if value.pattern is None else value.pattern, str)

    def _passed(self, at: int, found: Constant, read: Callable[[str], Constant]) -> str:
        slot = self._lifted.slot(at)
        if slot is None:
            return self.statement.parameter(found)
        place = slot

        def make(texts: Sequence[tuple[str, ...]]) -> object:
            return read(texts[place][0])

        return self.statement.later(make)

    def listed(self, column: Column, values: Sequence[Value], at: int, operand: Operand) -> tuple[str, bool]:
        """Give the place holder of a list, as a JSON array without its nulls, and whether it had any. Raises OrgError."""
        found = [self.constant(column, each, operand) for each in values]
        slot = self._lifted.slot(at) if self._soql[at : at + 1] == "(" else None
        if slot is not None:
            place, read = slot, self._reader(column)

            def make(texts: Sequence[tuple[str, ...]]) -> object:
                return json.dumps([read(each) for each in texts[place]])

            return self.statement.later(make), False
        if any(self._lifted.slot(each.at) is not None for each in values):
            made = [self.one(column, each, operand) for each in values]
            present = [each for each in made if each is not None]
            return f"json_array({', '.join(present)})", len(present) < len(made)
        kept = [each for each in found if each is not None]
        return self.statement.parameter(json.dumps(kept)), len(kept) < len(found)

    @staticmethod
    def _reader(column: Column) -> Callable[[str], Constant]:
        return _id if column.kind in ("id", "reference") else str

    def constant(self, column: Column, value: Value, operand: Operand) -> Constant | None:
        """Check a literal against a column and give its kept form. Raises OrgError."""
        if value.kind == "null" or (value.kind == "string" and not value.text):
            return None
        kind = column.kind
        if kind in ("id", "reference"):
            return _id(value.text if value.kind == "string" else "")
        if kind in TEXT_TYPES:
            if value.kind != "string":
                raise self.mismatch(column, operand, quotes=True)
            return value.text
        if kind in NUMBER_TYPES and value.kind == "number":
            return float(value.text)
        if kind in NUMBER_TYPES and value.kind == "money":
            return self._money(value)
        if kind == "boolean" and value.kind == "boolean":
            return int(value.text == "TRUE")
        if kind == value.kind and kind in _READ:
            return self._read(value)
        raise self.mismatch(column, operand, quotes=False)

    def mismatch(self, column: Column, operand: Operand, *, quotes: bool) -> OrgError:
        """Make the error for a literal of another type than its column."""
        name = ".".join(operand.steps) if isinstance(operand, Path) else operand.name
        word = "string" if column.kind in TEXT_TYPES else _WORDS.get(column.kind, "double")
        tail = "should be enclosed in quotes" if quotes else "should not be enclosed in quotes"
        words = f"value of filter criterion for field '{name}' must be of type {word} and {tail}"
        return refuse(self._soql, operand.at, words, "INVALID_FIELD")

    def _money(self, value: Value) -> float:
        code, amount = _MONEY.fullmatch(value.text).groups()  # type: ignore[union-attr]  # the grammar gives this form
        if code != self._currency.upper():
            raise refuse(self._soql, value.at, f"Unknown currency {code}: the org has one currency, {self._currency}", "INVALID_FIELD")
        return float(amount)

    def _read(self, value: Value) -> str:
        try:
            return _READ[value.kind](value.text)
        except ValueError:
            raise refuse(self._soql, value.at, f"Invalid {value.kind}: {value.text}", "INVALID_FIELD") from None


def _id(text: str) -> str:
    found = ids.normal(text)
    if found is None:
        raise OrgError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {text}")
    return found


def _date(text: str) -> str:
    return date.fromisoformat(text).isoformat()


def _datetime(text: str) -> str:
    whole, _, fraction = text.upper().partition(".")
    zone = fraction.lstrip("0123456789")
    digits = fraction[: len(fraction) - len(zone)][:6]
    return exact(datetime.fromisoformat(f"{whole}.{digits}{zone}" if digits else whole))


def _time(text: str) -> str:
    at = time.fromisoformat(text.upper().removesuffix("Z"))
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}Z"


_READ: dict[str, Callable[[str], str]] = {"date": _date, "datetime": _datetime, "time": _time}
