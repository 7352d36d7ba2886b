"""Columns of frames as lists of plain Python values, a missing cell as None.

Must not interpret. Invariant: no pandas or numpy scalar leaves this module, so that the model holds only
``str``, ``int``, ``bool``, ``date`` and ``datetime``.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar, cast

import pandas as pd

Word = TypeVar("Word", bound=StrEnum)


def texts(table: pd.DataFrame, name: str) -> list[str | None]:
    """Column ``name``, of text."""
    return cast("list[str | None]", _plain(table, name))


def counts(table: pd.DataFrame, name: str) -> list[int | None]:
    """Column ``name``, of whole numbers."""
    return cast("list[int | None]", _plain(table, name))


def flags(table: pd.DataFrame, name: str) -> list[bool | None]:
    """Column ``name``, of yes and no."""
    return cast("list[bool | None]", _plain(table, name))


def dates(table: pd.DataFrame, name: str) -> list[date | None]:
    """Column ``name``, of days."""
    return [None if one is pd.NaT else one.date() for one in table[name].tolist()]


def instants(table: pd.DataFrame, name: str) -> list[datetime | None]:
    """Column ``name``, of instants, in UTC."""
    return [None if one is pd.NaT else one.to_pydatetime() for one in table[name].tolist()]


def word(kind: type[Word], value: str | None) -> Word | None:
    """``value`` as a member of a closed list, None for None; ValueError for anything else."""
    return None if value is None else kind(value)


def _plain(table: pd.DataFrame, name: str) -> list[object]:
    """A missing cell of text is NaN, which alone differs from itself; one of a nullable column is NA."""
    return [None if one is pd.NA or one != one else one for one in table[name].tolist()]  # noqa: PLR0124 - how NaN is told apart
