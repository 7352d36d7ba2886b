"""Codes that the org holds and the catalogue does not: what an admin should add a row for.

Must not judge them. Invariant: what is named is a code, never free text that somebody put where a code belongs.
"""

import re
from collections.abc import Iterable

from connector.core.model import Position
from connector.core.words import Category

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,39}")


def unknown_codes(positions: Iterable[Position]) -> set[tuple[str, str]]:
    """Give code set (empty where no record names one) and code of every failure in ``positions`` that no row stands for."""
    return {
        (failure.reason.code_set, failure.reason.code)
        for position in positions
        for item in position.open_items
        for failure in item.failures
        if failure.reason.category is Category.UNKNOWN and not failure.reason.meaning and _CODE.fullmatch(failure.reason.code)
    }
