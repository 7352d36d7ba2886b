"""Criteria on a record's own fields: `Priority equals High AND Origin notEqual Web`.

Must not read other records: a field reached through a lookup does not fit. Source: Metadata API Developer Guide, FilterItem.
Texts compare without regard to case; a list of values is met by any of them. Invariant: no criteria hold always.
"""

import re
from collections.abc import Mapping

from sandbox.org.schema import Field, ObjectType
from sandbox.org.setup import Condition, Criteria
from sandbox.org.values import Stored

_WORDS = re.compile(r"\d+|AND|OR|NOT|[()]", re.IGNORECASE)


def holds(one: ObjectType, criteria: Criteria, row: Mapping[str, Stored]) -> bool:
    """Tell whether a row meets criteria. Raises ValueError for logic that is none."""
    results = [_met(one, each, row) for each in criteria.conditions]
    if not criteria.logic:
        return all(results)
    return _Logic(criteria.logic, results).value()


def own_fields_only(criteria: Criteria) -> bool:
    """Tell whether criteria look at nothing but the record they are about."""
    return all("." not in each.field and "$" not in each.field and each.value_field is None for each in criteria.conditions)


def _met(one: ObjectType, condition: Condition, row: Mapping[str, Stored]) -> bool:
    field = one.field(condition.field)
    if field is None:
        return False
    other = one.field(condition.value_field) if condition.value_field else None
    wanted = [row.get(other.name)] if other is not None else [_read(field, each.strip()) for each in condition.value.split(",")]
    value = _plain(row.get(field.name))
    return _compare(condition.operation, value, [_plain(each) for each in wanted])


def _read(field: Field, text: str) -> Stored:
    if not text:
        return None
    if field.type == "boolean":
        return int(text.lower() in ("true", "1"))
    return float(text) if field.is_number else text


def _plain(value: Stored) -> str | float | None:
    return value.lower() if isinstance(value, str) else value


def _compare(operation: str, value: str | float | None, wanted: list[str | float | None]) -> bool:
    if operation in ("equals", "notEqual"):
        return (value in wanted) == (operation == "equals")
    if operation in ("contains", "notContain", "startsWith"):
        text, parts = str(value or ""), [str(each) for each in wanted if each is not None]
        found = any(text.startswith(each) if operation == "startsWith" else each in text for each in parts)
        return found != (operation == "notContain")
    if operation in ("includes", "excludes"):
        parts = str(value or "").split(";")
        return any(each in parts for each in wanted) == (operation == "includes")
    first = wanted[0]
    if value is None or first is None or isinstance(value, str) != isinstance(first, str):
        return False
    left, right = (str(value), str(first)) if isinstance(value, str) else (value, first)
    order = (left > right) - (left < right)  # type: ignore[operator]  # both texts or both numbers
    return {"lessThan": order < 0, "greaterThan": order > 0, "lessOrEqual": order <= 0, "greaterOrEqual": order >= 0}.get(operation, False)


class _Logic:
    """Works out `1 AND (2 OR NOT 3)` over results counted from 1."""

    def __init__(self, text: str, results: list[bool]) -> None:
        self._words = [each.upper() for each in _WORDS.findall(text)]
        self._results = results
        self._text = text

    def value(self) -> bool:
        found = self._either()
        if self._words:
            raise ValueError(f"not a filter logic: {self._text}")
        return found

    def _either(self) -> bool:
        found = self._both()
        while self._words and self._words[0] == "OR":
            self._words.pop(0)
            found = self._both() or found
        return found

    def _both(self) -> bool:
        found = self._single()
        while self._words and self._words[0] == "AND":
            self._words.pop(0)
            found = self._single() and found
        return found

    def _single(self) -> bool:
        word = self._words.pop(0) if self._words else ""
        if word == "NOT":
            return not self._single()
        if word == "(":
            found = self._either()
            if not self._words or self._words.pop(0) != ")":
                raise ValueError(f"not a filter logic: {self._text}")
            return found
        if not word.isdigit() or not 1 <= int(word) <= len(self._results):
            raise ValueError(f"not a filter logic: {self._text}")
        return self._results[int(word) - 1]
