"""Record ids: three characters that name the object, twelve that count, three that guard the letters' case.

Must not know objects. Source: the platform's 15 and 18 character id forms.
Invariant: `long_id(short)` is the only 18 character form of a 15 character id, and `normal` never changes which record is meant.
"""

from functools import lru_cache

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_INSTANCE = "5e0"
_CAPITALS = str.maketrans({letter: "1" if letter.isupper() else "0" for letter in DIGITS})
_GUARD = {f"{bits:05b}"[::-1]: letter for bits, letter in enumerate(_CHECK)}
"""Which of five letters are capitals, first one first → the character that guards them."""
_PAIRS = [(one + two, (one + two).translate(_CAPITALS)) for one in DIGITS for two in DIGITS]
"""The last two letters of ids in the order in which they count, each with its capitals."""


def long_id(short: str) -> str:
    """Give the 18 character form of a 15 character id."""
    capitals = short.translate(_CAPITALS)
    return short + _GUARD[capitals[:5]] + _GUARD[capitals[5:10]] + _GUARD[capitals[10:15]]


@lru_cache(maxsize=4096)
def normal(value: str) -> str | None:
    """Give the 18 character form of an id in either form, or None for what is no id."""
    if len(value) not in (15, 18) or not (value.isascii() and value.isalnum()):
        return None
    full = long_id(value[:15])
    if len(value) == 15 or value[15:].upper() == full[15:]:
        return full
    return None


def base62(number: int, width: int) -> str:
    """Write a number with the sixty-two digits of ids, padded to a width."""
    text = ""
    while number:
        number, rest = divmod(number, 62)
        text = DIGITS[rest] + text
    return text.rjust(width, "0")


def numbered(prefix: str, number: int) -> str:
    """Give the id of the n-th record of an object."""
    before, last = divmod(number, len(_PAIRS))
    head, guards, third = _head(prefix, before)
    pair, bits = _PAIRS[last]
    return head + pair + guards + _GUARD[third + bits]


@lru_cache(maxsize=256)
def _head(prefix: str, before: int) -> tuple[str, str, str]:
    """Give what ids share that differ in their last two letters: thirteen letters, their guards, the capitals yet unguarded."""
    head = prefix + _INSTANCE + base62(before, 7)
    capitals = head.translate(_CAPITALS)
    return head, _GUARD[capitals[:5]] + _GUARD[capitals[5:10]], capitals[10:13]


def series(prefix: str, first: int, count: int) -> list[str]:
    """Give the ids of as many records as asked for, in order, from the n-th on."""
    found: list[str] = []
    while count > 0:
        before, start = divmod(first, len(_PAIRS))
        head, guards, third = _head(prefix, before)
        part = _PAIRS[start : start + count]
        found += [head + pair + guards + _GUARD[third + bits] for pair, bits in part]
        first, count = first + len(part), count - len(part)
    return found
