"""Who needs no look at all: payers of whom everything is paid and nothing happened lately, told by numbers alone.

Must not judge anybody. Invariant: for a payer called quiet the ledger finds nothing that is overdue or failed and nothing settled
lately, so that ``decide`` decides nothing; where the numbers leave a doubt the payer is not quiet. A pass over everyone spends its time on the others.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from connector.core.books import Bools, Ints
from connector.core.history import LATELY

Moments = npt.NDArray[np.datetime64]
"""``datetime64[us]`` in UTC; NaT = not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Claims:
    """One value for each installment."""

    owner: Ints
    """Number of its payer; -1 = somebody else's."""
    amount: Ints
    """Minor units."""
    currency: Ints
    """Any number that stands for it."""
    settled: Bools
    """Its status means settled where no payment says otherwise."""
    cancelled: Bools
    failed: Bools
    """The package counts a failure on it."""
    failed_on: Moments
    """The day of the last one."""
    troubled: Bools
    """Its status says that collecting it failed."""
    due_on: Moments


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """One value for each payment, or for each attempt."""

    claim: Ints
    """Number of its installment; negative = none, or one that was not loaded."""
    payer: Ints
    """Number of its payer; -1 = somebody else's."""
    at: Moments
    amount: Ints | None = None
    """Minor units; None = attempts, of which only those that failed or were rejected move nothing."""
    currency: Ints | None = None
    reference: Ints | None = None
    """Any number that stands for it, not negative; -1 = none. None = no payment has one."""
    plain: Bools | None = None
    """Of attempts: failed or rejected."""


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """The numbers of everyone."""

    claims: Claims
    payments: Moves
    attempts: Moves


def quiet(book: Book, payers: int, now: datetime, zone: ZoneInfo) -> Bools:
    """Mark the payers, by number, who need no look. ``zone`` is the creditor's."""
    claims, payments, attempts = book.claims, book.payments, book.attempts
    since = np.datetime64((now.astimezone(UTC) - LATELY - timedelta(days=1)).replace(tzinfo=None), "us")
    busy = np.zeros(payers + 1, dtype=np.bool_)  # the last one stands for payers of no concern
    paid, twins, taken_back = _paid(claims, payments, busy)
    lately = _touched(claims, payments, since) | _touched(claims, attempts, since)
    tried = np.zeros(len(claims.owner), dtype=np.bool_)
    plain = attempts.plain if attempts.plain is not None else np.zeros(len(attempts.claim), dtype=np.bool_)
    on = attempts.claim >= 0
    busy[attempts.payer[~(plain & on)]] = True
    busy[claims.owner[attempts.claim[on & ~plain]]] = True
    tried[attempts.claim[on]] = True
    lately |= claims.failed & (np.isnat(claims.failed_on) | (claims.failed_on >= since - np.timedelta64(1, "D")))
    observed = np.zeros(len(claims.owner), dtype=np.bool_)
    observed[payments.claim[payments.claim >= 0]] = True
    owes = np.where(claims.cancelled | (claims.settled & ~observed), 0, claims.amount)
    coming = (claims.due_on >= np.datetime64(now.astimezone(zone).date())) & ~(observed | tried | claims.failed | claims.troubled)
    restless = (claims.amount < 0) | ((paid != owes) & ~coming) | twins | ((claims.failed | tried | taken_back) & lately)
    busy[claims.owner[restless]] = True
    return ~busy[:-1]


def _paid(claims: Claims, payments: Moves, busy: Bools) -> tuple[Ints, Bools, Bools]:
    """Sum the money on each claim, and mark claims where one payment may have been told twice, and those from which money was taken back.

    Payers of odd payments are busy. Money that was taken back is not odd where each payment on its claim has a reference of its own: then
    each counts once, and however the ledger matches them, what is taken back takes away no more than it is.
    """
    count = len(claims.owner)
    amount = payments.amount if payments.amount is not None else np.zeros(len(payments.claim), dtype=np.int64)
    on = payments.claim >= 0
    reference = payments.reference if payments.reference is not None else np.full(len(on), -1, dtype=np.int64)
    taken_back = np.zeros(count, dtype=np.bool_)
    taken_back[payments.claim[on & (amount < 0)]] = True
    odd = ~on | (amount == 0) | np.isnat(payments.at)
    odd[on] |= taken_back[payments.claim[on]] & (reference[on] < 0)
    if payments.currency is not None:
        odd[on] |= payments.currency[on] != claims.currency[payments.claim[on]]
    busy[payments.payer[odd]] = True
    busy[claims.owner[payments.claim[on & odd]]] = True
    slot, money = payments.claim[on], amount[on]
    paid = np.zeros(count, dtype=np.int64)
    np.add.at(paid, slot, money)
    return paid, _told_twice(slot, money, reference[on], count), taken_back


def _told_twice(claim: Ints, amount: Ints, reference: Ints, claims: int) -> Bools:
    """Mark claims with two payments by one reference, or with two of one amount that have none."""
    found = np.zeros(claims, dtype=np.bool_)
    several = np.bincount(claim, minlength=claims)[claim] > 1
    for rows, told in ((several & (reference >= 0), reference), (several & (reference < 0), amount)):
        by, what = claim[rows], told[rows]
        order = np.lexsort((what, by))
        by, what = by[order], what[order]
        found[by[1:][(by[1:] == by[:-1]) & (what[1:] == what[:-1])]] = True
    return found


def _touched(claims: Claims, moves: Moves, since: np.datetime64) -> Bools:
    """Claims on which something happened since, or at a time that is not known."""
    found = np.zeros(len(claims.owner), dtype=np.bool_)
    recent = (moves.claim >= 0) & (np.isnat(moves.at) | (moves.at >= since))
    found[moves.claim[recent]] = True
    return found
