"""Columns of frames as lists of plain Python values, a missing cell as None.

Must not interpret. Invariant: no pandas or numpy scalar leaves this module, so that the model holds only
``str``, ``int``, ``bool``, ``date`` and ``datetime``.
"""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

Word = TypeVar("Word", bound=StrEnum)
Where = npt.NDArray[np.bool_] | npt.NDArray[np.int64] | None
"""Which rows: marked, or by number; None = all. To choose rows of one column is cheap, of a whole frame it is not."""


def texts(table: pd.DataFrame, name: str, where: Where = None) -> list[str | None]:
    """Column ``name``, of text."""
    return cast("list[str | None]", _plain(table, name, where))


def counts(table: pd.DataFrame, name: str, where: Where = None) -> list[int | None]:
    """Column ``name``, of whole numbers."""
    return cast("list[int | None]", _plain(table, name, where))


def flags(table: pd.DataFrame, name: str, where: Where = None) -> list[bool | None]:
    """Column ``name``, of yes and no."""
    return cast("list[bool | None]", _plain(table, name, where))


def dates(table: pd.DataFrame, name: str, where: Where = None) -> list[date | None]:
    """Column ``name``, of days."""
    return cast("list[date | None]", _numbers(table, name, where, "datetime64[D]"))


def instants(table: pd.DataFrame, name: str, where: Where = None) -> list[datetime | None]:
    """Column ``name``, of instants, in UTC."""
    found = cast("list[datetime | None]", _numbers(table, name, where, "datetime64[us]"))
    return [None if one is None else one.replace(tzinfo=UTC) for one in found]


def word(kind: type[Word], value: str | None) -> Word | None:
    """``value`` as a member of a closed list, None for None; ValueError for anything else."""
    return None if value is None else kind(value)


def _plain(table: pd.DataFrame, name: str, where: Where) -> list[object]:
    cells = table[name].array
    return list((cells if where is None else cells[where]).to_numpy(dtype=object, na_value=None).tolist())


def _numbers(table: pd.DataFrame, name: str, where: Where, unit: str) -> list[object]:
    """By way of numpy, which knows what a missing time is and makes Python's own fifty times as fast as pandas does."""
    cells = table[name].array
    return list((cells if where is None else cells[where]).to_numpy(dtype=np.dtype(unit)).astype(object).tolist())
