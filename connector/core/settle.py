"""What each installment still owes, from payments first and from its status only where there is no payment.

Must not look at due dates or at other installments; setting off credits is ``credits``' business. Invariant:
an amount leaves ``open`` only by money that was seen, by a status of an installment without any payment, or
by Cancelled; nothing that is missing or hidden ever settles anything.
"""

from dataclasses import dataclass

import numpy as np

from connector.core.books import UNALLOCATED, Books, Bools, Ints
from connector.core.course import Course, paid_out
from connector.core.lookup import Reasons
from connector.core.movements import courses, movements
from connector.core.words import InstallmentStatus, Outcome

SETTLED = (InstallmentStatus.COLLECTED, InstallmentStatus.PAID, InstallmentStatus.REFUNDED)
"""Statuses that mean settled where no payment says otherwise (design section 4)."""


@dataclass(frozen=True, slots=True, eq=False)
class Balances:
    """Per installment, in minor units of its currency, never negative."""

    open: Ints
    """Still owed."""
    paid: Ints
    """Money lying on it."""
    credit: Ints
    """A credit not paid out, or what was paid too much."""
    observed: Bools
    """Money was seen to move on it."""
    courses: dict[int, Course]
    """Installments that had to be walked to know."""


def settle(books: Books, reasons: Reasons) -> Balances:
    """Balance of every installment.

    Money only ever collected is summed over all installments at once; only those on which money moved back,
    or whose rows may tell one thing twice, are walked one by one.
    """
    paid, observed = _collected(books)
    intricate = _intricate(books) & (books.amount > 0)
    walked = courses(books, intricate, reasons)
    for slot, course in walked.items():
        paid[slot], observed[slot] = course.paid_minor, course.observed
    owes = books.amount > 0
    left = np.where(owes, np.maximum(books.amount - paid, 0), 0)
    surplus = np.where(owes, np.maximum(paid - books.amount, 0), 0)
    status = books.installments["status"]
    cancelled = (status == InstallmentStatus.CANCELLED).to_numpy(dtype=np.bool_)
    settled = status.isin(SETTLED).to_numpy(dtype=np.bool_) & ~observed
    left[cancelled | settled] = 0
    return Balances(left, paid, surplus + _credit_notes(books, reasons, cancelled, settled), observed, walked)


def _collected(books: Books) -> tuple[Ints, Bools]:
    """Sum of collections per installment, as if nothing was ever taken back, and where there was one."""
    amounts = books.payments["amount_minor"].fillna(0).to_numpy(dtype=np.int64)
    rows = books.having(Outcome.COLLECTED) & (books.slot >= 0) & (amounts != 0)
    paid = np.zeros(len(books.installments), dtype=np.int64)
    np.add.at(paid, books.slot[rows], amounts[rows])
    return paid, books.slots_with(rows)


def _intricate(books: Books) -> Bools:
    """Installments whose rows cannot simply be summed."""
    amounts = books.payments["amount_minor"]
    collected = books.having(Outcome.COLLECTED)
    odd = collected & (amounts.fillna(-1) < 0).to_numpy(dtype=np.bool_)
    back = books.having(Outcome.REVERSED, Outcome.RETURNED, Outcome.CHARGED_BACK, Outcome.REFUNDED)
    rows = np.flatnonzero(collected & (books.slot >= 0) & books.payments["reference"].notna().to_numpy(dtype=np.bool_))
    told = books.payments.iloc[rows][["reference", "amount_minor"]].assign(slot=books.slot[rows])
    twice = np.zeros(len(books.payments), dtype=np.bool_)
    twice[rows[told.duplicated().to_numpy(dtype=np.bool_)]] = True
    return books.slots_with(odd | back | twice)


def _credit_notes(books: Books, reasons: Reasons, cancelled: Bools, settled: Bools) -> Ints:
    """What negative installments are still worth to the payer: all of it until it was paid out."""
    notes = books.amount < 0
    worth = np.where(notes, -books.amount, 0)
    touched = notes & books.slots_with(books.slot > UNALLOCATED)
    found = movements(books, touched, reasons)
    for slot in np.flatnonzero(touched).tolist():
        worth[slot] -= paid_out(int(books.amount[slot]), found.get(slot, ()))
    worth[cancelled | settled] = 0
    return worth
