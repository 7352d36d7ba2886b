"""Record ids: three characters that name the object, twelve that count, three that guard the letters' case.

Must not know objects. Source: the platform's 15 and 18 character id forms.
Invariant: `long_id(short)` is the only 18 character form of a 15 character id, and `normal` never changes which record is meant.
"""

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ALPHABET = frozenset(DIGITS)
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_INSTANCE = "5e0"


def long_id(short: str) -> str:
    """Give the 18 character form of a 15 character id."""
    check = ""
    for start in (0, 5, 10):
        bits = sum(1 << place for place, letter in enumerate(short[start : start + 5]) if "A" <= letter <= "Z")
        check += _CHECK[bits]
    return short + check


def normal(value: str) -> str | None:
    """Give the 18 character form of an id in either form, or None for what is no id."""
    if len(value) not in (15, 18) or not _ALPHABET.issuperset(value):
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
    return long_id(prefix + _INSTANCE + base62(number, 9))
