"""Columns of text from a bulk query → columns of values, all rows at once.

Must not know a mapping. Invariant: each value reads exactly as ``read`` reads it; a column in which something cannot be read at once
is read again value by value with ``read`` itself, so that the refusal names a record and both ways never drift.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from connector.core.money import LARGEST, digits
from connector.errors import PermanentError
from connector.mapping import read
from connector.mapping.wide_csv import column

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]
"""``datetime64[D]``; NaT where there is none."""
Instants = npt.NDArray[np.datetime64]
"""``datetime64[us]``, UTC."""
Objects = npt.NDArray[np.object_]
_DECIMAL = pa.decimal128(38, 10)
_TEXT = pd.StringDtype("python", na_value=np.nan)


@dataclass(slots=True)
class Cells:
    """Reads columns of one table; ``refused`` says of each row that cannot be read why."""

    table: pa.Table
    refused: dict[int, str] = field(default_factory=dict)

    def text(self, name: str | None) -> pa.ChunkedArray:
        """Text or a picklist value."""
        return column(self.table, name)

    def first(self, names: Iterable[str]) -> pa.ChunkedArray:
        """The first of several columns that is filled."""
        return pc.coalesce(*(self.text(name) for name in names))

    def days(self, name: str | None, where: Bools | None = None) -> Days:
        """Dates without a time; only the rows marked in ``where`` are read at all."""
        found = self.text(name)
        if where is not None:
            found = pc.if_else(pa.array(where), found, pa.scalar(None, pa.string()))
        try:
            return _numpy(_each(found, lambda one: pc.cast(pc.utf8_slice_codeunits(one, 0, 10), pa.date32())), "datetime64[D]")
        except pa.ArrowInvalid:
            return np.array(self._slowly(found, name, read.day), dtype="datetime64[D]")

    def moments(self, name: str | None) -> Instants:
        """Points in time."""
        found = self.text(name)
        try:
            return _numpy(pc.cast(found, pa.timestamp("us", "UTC")), "datetime64[us]")
        except pa.ArrowInvalid:
            return np.array(
                [None if one is None else one.replace(tzinfo=None) for one in self._slowly(found, name, read.moment)],
                dtype="datetime64[us]",
            )

    def counts(self, name: str | None) -> tuple[Ints, Bools]:
        """Whole numbers, and where there is none."""
        found = self.text(name)
        missing = _numpy(pc.is_null(found), "bool")
        try:
            numbers = _numpy(pc.fill_null(pc.cast(found, pa.float64()), 0.0), "float64")
        except pa.ArrowInvalid:
            numbers = np.full(len(found), np.nan)
        if np.isfinite(numbers).all() and (np.abs(numbers) < 2**53).all():
            return numbers.astype(np.int64), missing
        slowly = self._slowly(found, name, read.number)
        return np.array([0 if one is None else int(one) for one in slowly], dtype=np.int64), np.array([one is None for one in slowly])

    def money(self, name: str, currencies: pa.ChunkedArray) -> Ints:
        """Amounts in minor units; one that is missing is refused: there is no claim and no payment without."""
        found = self.text(name)
        if not found.null_count:
            try:
                return _minor(found, currencies)
            except (pa.ArrowInvalid, ValueError):
                pass
        return self._money_slowly(found, name, currencies.to_pylist())

    def _money_slowly(self, found: pa.ChunkedArray, name: str, currencies: list[str]) -> Ints:
        values = np.zeros(len(found), dtype=np.int64)
        for row, (text, currency) in enumerate(zip(found.to_pylist(), currencies, strict=True)):
            try:
                minor = read.money({"Id": None, name: text}, name, currency)
            except PermanentError:
                self._refuse(row, name, partial(_money, name=name, currency=currency))
                continue
            if minor is None:
                self.missing(row, name, "an amount")
            values[row] = minor or 0
        return values

    def missing(self, row: int, name: str, wanted: str) -> None:
        """Refuse a row that lacks what it must have."""
        self.refused.setdefault(row, str(read.unreadable({"Id": self._id(row)}, name, wanted)))

    def _slowly(self, found: pa.ChunkedArray, name: str | None, reader: Callable[[read.Record, str | None], Any]) -> list[Any]:
        values: list[Any] = []
        for row, text in enumerate(found.to_pylist()):
            try:
                values.append(reader({"Id": None, name or "": text}, name or ""))
            except PermanentError:
                values.append(None)
                self._refuse(row, name or "", lambda record: reader(record, name or ""))
        return values

    def _refuse(self, row: int, name: str, reader: Callable[[read.Record], object]) -> None:
        try:
            reader({"Id": self._id(row), name: self.text(name)[row].as_py()})
        except PermanentError as error:
            self.refused.setdefault(row, str(error))

    def _id(self, row: int) -> str:
        return str(self.text("Id")[row].as_py())


def _money(record: read.Record, *, name: str, currency: str) -> int | None:
    return read.money(record, name, currency)


def words(found: pa.ChunkedArray, meaning: Callable[[str | None], object]) -> Objects:
    """What each value of a column with few different ones means."""
    codes, values = coded(found)
    told = np.array([*(meaning(one) for one in values), None], dtype=object)
    told[-1] = meaning(None)
    return np.asarray(told[codes], dtype=object)


def coded(found: pa.ChunkedArray) -> tuple[Ints, list[str]]:
    """A column as numbers of its different values; -1 = none."""
    encoded = pc.dictionary_encode(one_array(found))
    return _numpy(pc.fill_null(encoded.indices, -1), "int64"), encoded.dictionary.to_pylist()


def codes_of(found: pa.ChunkedArray) -> Ints:
    """A column as numbers, the same for the same text; -1 = none."""
    return _numpy(pc.fill_null(pc.dictionary_encode(one_array(found)).indices, -1), "int64")


def one_array(found: pa.ChunkedArray) -> pa.Array:
    """The chunks of a column as one; whoever numbers its texts does so once, instead of chunk by chunk."""
    return pa.concat_arrays(found.chunks) if found.num_chunks else pa.array([], found.type)


def places(found: pa.ChunkedArray, among: pa.Array) -> Ints:
    """Where each value stands in ``among``; -1 = nowhere, or none."""
    return _numpy(pc.fill_null(pc.index_in(found, value_set=among, skip_nulls=True), -1), "int64")


def cells_of_text(found: pa.ChunkedArray | Objects) -> pd.api.extensions.ExtensionArray:
    """For a frame's column of text."""
    return pd.array(found if isinstance(found, np.ndarray) else found.to_numpy(), dtype=_TEXT)


def cells_of_days(found: Days) -> pd.api.extensions.ExtensionArray:
    """For a frame's column of dates."""
    return pd.array(found.astype("datetime64[s]"), dtype="datetime64[s]")


def cells_of_moments(found: Instants) -> pd.api.extensions.ExtensionArray:
    """For a frame's column of points in time."""
    return pd.DatetimeIndex(found).tz_localize("UTC").array


def cells_of_numbers(found: Ints, missing: Bools | None = None) -> pd.api.extensions.ExtensionArray:
    """For a frame's column of whole numbers."""
    return pd.arrays.IntegerArray(found, np.zeros(len(found), dtype=np.bool_) if missing is None else missing)


def cells_of_flags(found: Bools, missing: Bools | None = None) -> pd.api.extensions.ExtensionArray:
    """For a frame's column of yes and no."""
    return pd.arrays.BooleanArray(found, np.zeros(len(found), dtype=np.bool_) if missing is None else missing)


def _minor(found: pa.ChunkedArray, currencies: pa.ChunkedArray) -> Ints:
    """Exactly: by way of decimals, which refuse to lose a digit. Raises ArrowInvalid or ValueError for what needs a closer look."""
    codes, known = coded(currencies)
    values = np.zeros(len(found), dtype=np.int64)
    for code, currency in enumerate(known):
        mine = codes == code
        texts = pc.dictionary_encode(one_array(found if len(known) == 1 else found.filter(pa.array(mine))))
        scaled = pc.cast(pc.cast(texts.dictionary, _DECIMAL), pa.decimal128(38, digits(currency)))
        values[mine] = _unscaled(scaled)[_numpy(texts.indices, "int64")]
    if len(values) and max(-int(values.min()), int(values.max())) > LARGEST:
        raise ValueError("an amount of this size is a mistake")
    return values


def _each(found: pa.ChunkedArray, reader: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """What ``reader`` makes of a column, of each different text once: a million days are a few hundred."""
    texts = pc.dictionary_encode(one_array(found))
    return reader(texts.dictionary).take(texts.indices)


def _unscaled(found: pa.Array) -> Ints:
    """The integers behind decimals: two words of 64 bits each, of which the upper only carries the sign."""
    both = np.frombuffer(found.buffers()[1] or b"", dtype=np.int64).reshape(-1, 2)[found.offset : found.offset + len(found)]
    if (both[:, 1] != both[:, 0] >> 63).any():
        raise ValueError("an amount of this size is a mistake")
    return np.ascontiguousarray(both[:, 0])


def _numpy(found: pa.ChunkedArray | pa.Array, dtype: str) -> npt.NDArray[Any]:
    cells = found.to_numpy() if isinstance(found, pa.ChunkedArray) else found.to_numpy(zero_copy_only=False)
    return np.asarray(cells).astype(dtype, copy=False)


def day_of(found: np.datetime64) -> date | None:
    """One date as Python has it."""
    one = found.astype("datetime64[D]").astype(object)
    return one if isinstance(one, date) and not isinstance(one, datetime) else None
