"""The books: a Snapshot's installments and payments cleaned, once, for everything that is derived from them.

Must not decide what is owed. Invariant: each installment stands once and belongs to a payer of the snapshot;
each payment stands once, knows its payer, its currency and its time, and is either on an installment
(``slot`` ≥ 0), on none (``UNALLOCATED``), or on one that was not loaded (``ELSEWHERE``).
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from connector.core.cells import dates
from connector.core.frames import Snapshot
from connector.core.words import Outcome

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

OUTCOMES: Final = tuple(Outcome)
UNALLOCATED: Final = -1
ELSEWHERE: Final = -2
_FIRST_TRIES = frozenset({Outcome.COLLECTED, Outcome.FAILED, Outcome.REJECTED})


@dataclass(frozen=True, slots=True, eq=False)
class Books:
    """Cleaned frames; arrays run along them. A *slot* is a row number of ``installments``."""

    now: datetime
    zone: ZoneInfo
    """The creditor's: due dates live in it."""
    payers: pd.DataFrame
    installments: pd.DataFrame
    payments: pd.DataFrame
    owner: Ints
    """Installment → row number of its payer."""
    amount: Ints
    """Installment → minor units, negative for a credit."""
    slot: Ints
    """Payment → installment, ``UNALLOCATED`` or ``ELSEWHERE``."""
    payer: Ints
    """Payment → row number of its payer."""
    outcome: Ints
    """Payment → index in ``OUTCOMES``."""

    @property
    def today(self) -> date:
        """The creditor's calendar day."""
        return self.now.astimezone(self.zone).date()

    def having(self, *outcomes: Outcome) -> Bools:
        """Payments with one of ``outcomes``."""
        return np.isin(self.outcome, [OUTCOMES.index(one) for one in outcomes])

    def slots_with(self, payments: Bools) -> Bools:
        """Installments with at least one of ``payments`` on them."""
        found: Bools = np.zeros(len(self.installments), dtype=np.bool_)
        found[self.slot[payments & (self.slot >= 0)]] = True
        return found


def open_books(snapshot: Snapshot, now: datetime, zone: ZoneInfo) -> Books:
    """Clean the frames of ``snapshot``.

    Rows of payers that are not in the snapshot are left out. Of payments with the same id and outcome, or
    of installments and payers with the same id, one stays.

    Raises:
        ValueError: an installment without id, amount or currency, or a payment with an unknown outcome.

    """
    payers = snapshot.payers.drop_duplicates("id", keep="last", ignore_index=True)
    people = pd.Index(payers["id"])
    installments = snapshot.installments
    for column in ("id", "amount_minor", "currency"):
        if installments[column].isna().any():
            raise ValueError(f"an installment without {column}")
    owner = people.get_indexer(pd.Index(installments["payer"]))
    if (owner < 0).any() or not installments["id"].is_unique:
        installments = installments[owner >= 0].drop_duplicates("id", keep="last")
        owner = people.get_indexer(pd.Index(installments["payer"]))
    installments = installments.reset_index(drop=True)
    amount = installments["amount_minor"].to_numpy(dtype=np.int64)
    payments = _once(snapshot.payments)
    slot = pd.Index(installments["id"]).get_indexer(pd.Index(payments["installment"])).astype(np.int64)
    slot[(slot < 0) & payments["installment"].notna().to_numpy(dtype=np.bool_)] = ELSEWHERE
    payer = people.get_indexer(pd.Index(payments["payer"])).astype(np.int64)
    payer[slot >= 0] = owner[slot[slot >= 0]]
    known = payer >= 0
    if not known.all():
        payments, slot, payer = payments[known].reset_index(drop=True), slot[known], payer[known]
    payments, slot = _in_currency(payments, installments, slot)
    outcome = _outcomes(payments)
    books = Books(
        now=now.astimezone(UTC),
        zone=zone,
        payers=payers,
        installments=installments,
        payments=payments,
        owner=owner.astype(np.int64),
        amount=amount,
        slot=slot,
        payer=payer,
        outcome=outcome,
    )
    return _timed(books)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Where a day begins in ``zone``, as an instant in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _once(payments: pd.DataFrame) -> pd.DataFrame:
    """Rows with the same id and outcome once: the earliest, the smallest, so that the order they came in is nothing."""
    if payments["id"].is_unique:
        return payments.reset_index(drop=True)
    known = payments["id"].notna()
    order = ["at", "amount_minor", "installment", "payer", "scheme", "reason_code", "reference"]
    named = payments[known].sort_values(order, kind="stable").drop_duplicates(["id", "outcome"])
    return pd.concat([named, payments[~known]], ignore_index=True)


def _in_currency(payments: pd.DataFrame, installments: pd.DataFrame, slot: Ints) -> tuple[pd.DataFrame, Ints]:
    """Money in another currency than its installment cannot settle it: it is a credit in its own currency."""
    on = np.flatnonzero(slot >= 0)
    wanted = installments["currency"].to_numpy(dtype=object)[slot[on]]
    given = payments["currency"].to_numpy(dtype=object).copy()
    missing = payments["currency"].isna().to_numpy(dtype=np.bool_)[on]
    differs = (given[on] != wanted) & ~missing
    given[on[missing]] = wanted[missing]
    slot = slot.copy()
    slot[on[differs]] = UNALLOCATED
    if missing.any():
        payments = payments.assign(currency=pd.Series(given, dtype="str"))
    return payments, slot


def _outcomes(payments: pd.DataFrame) -> Ints:
    codes = pd.Index(OUTCOMES).get_indexer(pd.Index(payments["outcome"])).astype(np.int64)
    if (codes < 0).any():
        raise ValueError(f"a payment with outcome {payments['outcome'][int(np.flatnonzero(codes < 0)[0])]!r}")
    return codes


def _timed(books: Books) -> Books:
    """Give a time to payments without one, the same on every day that we look, so that keys built on it stay.

    A first try happened on the due date; whatever follows a collection, right after the last row that has a
    time. Only what is pending, or on no installment, is taken to be of this moment.
    """
    unknown = books.payments["at"].isna().to_numpy(dtype=np.bool_)
    if not unknown.any():
        return books
    at = books.payments["at"].copy()
    latest = at[~unknown].groupby(books.slot[~unknown]).max()
    due_on = dates(books.installments, "due_on")
    for row in np.flatnonzero(unknown).tolist():
        slot, outcome = int(books.slot[row]), OUTCOMES[books.outcome[row]]
        found = pd.Timestamp(books.now)
        if slot >= 0 and outcome is not Outcome.PENDING:
            day = due_on[slot]
            if outcome not in _FIRST_TRIES and slot in latest.index:
                found = latest[slot]
            elif day is not None:
                found = pd.Timestamp(midnight(day, books.zone))
        at.iloc[row] = found
    return replace(books, payments=books.payments.assign(at=at.astype("datetime64[us, UTC]")))
