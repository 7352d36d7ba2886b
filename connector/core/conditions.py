"""Unary tests in the style of DMN: what a cell of a decision table may say about one fact.

``disputed`` · ``>= 4`` · ``[1..3]`` · ``a, b`` · ``not(a, b)`` · ``null`` · ``-`` (anything).
Must not know which facts exist. Invariant: an unknown fact (None) meets only ``null`` and ``-``, never a
comparison and never a ``not(...)``: what we do not know is no reason to act.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from enum import StrEnum
from operator import eq, ge, gt, le, lt, ne
from typing import Any

Test = Callable[[object], bool]


class FactKind(StrEnum):
    """What a fact's value is."""

    NUMBER = "number"
    WORD = "word"
    """One of a closed list."""
    TEXT = "text"
    """Free text of the org, compared without regard to case."""
    FLAG = "yes or no"
    MONEY = "money"
    """Currency → minor units; ``>= 100 EUR`` holds where that currency's amount meets it."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing a table may ask about."""

    name: str
    kind: FactKind
    meaning: str
    words: tuple[str, ...] = ()


class ConditionError(ValueError):
    """A cell that cannot be read; the message says what was probably meant."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A cell as written, and the test it stands for."""

    text: str
    holds: Test = field(compare=False)
    samples: tuple[object, ...] = field(default=(), compare=False)
    """Values at and around which the test changes, for finding rows that can never be hit."""


COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {"<=": le, ">=": ge, "<": lt, ">": gt, "!=": ne, "=": eq}
_COMPARISON = re.compile(r"^(<=|>=|<|>|!=|=)\s*(.+)$")
_INTERVAL = re.compile(r"^([\[(\]])\s*(.+?)\s*\.\.\s*(.+?)\s*([\])\[])$")
_MONEY = re.compile(r"^(-?[\d.]+)\s*([A-Za-z]{3})$")
_FLAGS = {"yes": True, "true": True, "no": False, "false": False}


def parse(raw: object, fact: Fact, exponent: Callable[[str], int] = lambda _: 2) -> Condition:
    """Read one cell.

    Args:
        raw: text, number, flag, null, or a list of these (any of them).
        fact: the fact it is about.
        exponent: decimals of a currency.

    Raises:
        ConditionError: unknown word, number or form.

    """
    samples: list[object] = [None]
    text = ", ".join(_text(one) for one in raw) if isinstance(raw, list) else _text(raw)
    test = _any_of([_one(part, fact, samples, exponent) for part in _split(text)])
    return Condition(text, test, tuple(samples))


def _text(raw: object) -> str:
    if raw is None:
        return "null"
    if isinstance(raw, bool):
        return "yes" if raw else "no"
    return str(raw).strip()


def _split(text: str) -> list[str]:
    """Split at commas that stand in no bracket and no quotes."""
    parts, depth, quoted, current = [], 0, False, ""
    for sign in text:
        quoted ^= sign == '"'
        if not quoted and ((sign == "(" and current.strip().endswith("not")) or (sign == ")" and depth > 0)):
            depth += 1 if sign == "(" else -1
        if sign == "," and depth <= 0 and not quoted:
            parts.append(current.strip())
            current = ""
        else:
            current += sign
    parts.append(current.strip())
    if any(not part for part in parts):
        raise ConditionError("an empty test; write '-' for anything, 'null' for nothing known")
    return parts


def _any_of(tests: Sequence[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda value: any(test(value) for test in tests)


def _one(text: str, fact: Fact, samples: list[object], exponent: Callable[[str], int]) -> Test:
    if text == "-":
        return lambda _: True
    if text == "null":
        return lambda value: value is None
    if text.startswith("not(") and text.endswith(")"):
        inner = _any_of([_one(part, fact, samples, exponent) for part in _split(text[4:-1])])
        return lambda value: value is not None and not inner(value)
    match fact.kind:
        case FactKind.NUMBER:
            return _number(text, fact, samples)
        case FactKind.MONEY:
            return _money(text, fact, samples, exponent)
        case FactKind.FLAG:
            return _flag(text, fact, samples)
        case _:
            return _word(text, fact, samples)


def _number(text: str, fact: Fact, samples: list[object]) -> Test:
    interval = _INTERVAL.match(text)
    if interval:
        low, high = _value(interval[2], fact), _value(interval[3], fact)
        if low > high:
            raise ConditionError(f"'{text}' is empty: {low} is more than {high}")
        above, below = COMPARE[">=" if interval[1] == "[" else ">"], COMPARE["<=" if interval[4] == "]" else "<"]
        samples += [low - 1, low, low + 1, high - 1, high, high + 1]
        return lambda value: value is not None and above(value, low) and below(value, high)
    comparison = _COMPARISON.match(text)
    sign, number = (COMPARE[comparison[1]], _value(comparison[2], fact)) if comparison else (eq, _value(text, fact))
    samples += [number - 1, number, number + 1]
    return lambda value: value is not None and sign(value, number)


def _value(text: str, fact: Fact) -> int | Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ConditionError(f"'{text}' is no number; {fact.name} is one: write for example '>= 4' or '[1..3]'") from None
    if not number.is_finite():
        raise ConditionError(f"'{text}' is no number that can be compared")
    return int(number) if number == number.to_integral_value() else number


def _money(text: str, fact: Fact, samples: list[object], exponent: Callable[[str], int]) -> Test:
    comparison = _COMPARISON.match(text)
    amount = _MONEY.match(comparison[2] if comparison else text)
    if not amount:
        raise ConditionError(f"'{text}' is no amount; write for example '>= 100 EUR'")
    sign = COMPARE[comparison[1]] if comparison else eq
    currency = amount[2].upper()
    minor = _value(amount[1], fact) * 10 ** exponent(currency)
    samples += [{currency: minor - 1}, {currency: minor}, {currency: minor + 1}]
    return lambda value: isinstance(value, Mapping) and currency in value and sign(value[currency], minor)


def _flag(text: str, fact: Fact, samples: list[object]) -> Test:
    if text.lower() not in _FLAGS:
        raise ConditionError(f"'{text}' is neither yes nor no, and {fact.name} is one of them")
    wanted = _FLAGS[text.lower()]
    samples += [True, False]
    return lambda value: value is wanted


def _word(text: str, fact: Fact, samples: list[object]) -> Test:
    word = text.strip('"').strip().casefold()
    if fact.words and word not in fact.words:
        close = get_close_matches(word, fact.words, n=1)
        meant = f"; did you mean '{close[0]}'?" if close else f"; it is one of {', '.join(fact.words)}"
        raise ConditionError(f"'{text}' is no {fact.name}{meant}")
    samples += [*fact.words] or [word, f"not {word}"]
    return lambda value: isinstance(value, str) and value.casefold() == word
