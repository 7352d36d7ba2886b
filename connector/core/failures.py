"""Failures over time: which installments failed in the last twelve months, and where the org cannot tell.

Must not count what was our own or a machine's fault. Invariant: a number is given only where every
installment that says it failed is told of by a row or a counter; otherwise None, never 0.
"""

from datetime import datetime

import numpy as np
import pandas as pd

from connector.core.books import Books, Bools
from connector.core.cells import texts
from connector.core.course import FAILING
from connector.core.lookup import Reasons
from connector.core.model import Reason
from connector.core.movements import failing_reasons, has_counters
from connector.core.words import NOT_THE_PAYERS, InstallmentStatus

FAILED_STATUSES = (InstallmentStatus.FAILED, InstallmentStatus.REJECTED, InstallmentStatus.REVERSED)


def failures_12m(books: Books, reasons: Reasons) -> list[int | None]:
    """Installments of each payer that failed at least once in twelve months; None where the org cannot tell.

    It cannot tell where an installment's status says that it failed while neither a row of payments nor
    the package's counters tell when or why.
    """
    start = pd.Timestamp(books.now) - pd.DateOffset(years=1)
    failing = books.having(*FAILING) & (books.slot >= 0)
    recent = failing & (books.payments["at"] > start).to_numpy(dtype=np.bool_)
    counted = np.array([_counts(one) for one in failing_reasons(books, recent, reasons)], dtype=np.bool_)
    failed = np.zeros(len(books.installments), dtype=np.bool_)
    failed[books.slot[recent][counted]] = True
    failed |= _by_counters(books, reasons, start.to_pydatetime())
    numbers = np.bincount(books.owner[failed], minlength=len(books.payers))
    silent = books.installments["status"].isin(FAILED_STATUSES).to_numpy(dtype=np.bool_)
    silent = silent & ~books.slots_with(failing) & ~has_counters(books)
    unknown = np.bincount(books.owner[silent], minlength=len(books.payers)) > 0
    return [None if hidden else number for number, hidden in zip(numbers.tolist(), unknown.tolist(), strict=True)]


def _counts(reason: Reason) -> bool:
    return reason.category not in NOT_THE_PAYERS


def _by_counters(books: Books, reasons: Reasons, start: datetime) -> Bools:
    """Installments whose package counts a failure on a day since ``start`` (the due date where it names none)."""
    marked = has_counters(books)
    table = books.installments
    days = table["last_failed_on"].fillna(table["due_on"])[marked]
    home = texts(books.payers, "country", books.owner[marked])
    codes = zip(texts(table, "last_reason_code", marked), texts(table, "scheme", marked), home, strict=True)
    kept = [_counts(reasons.of(None, code, None, scheme, country)) for code, scheme, country in codes]
    found = np.zeros(len(books.installments), dtype=np.bool_)
    since = pd.Timestamp(start.astimezone(books.zone).date())
    found[marked] = (days > since).to_numpy(dtype=np.bool_) & np.array(kept, dtype=np.bool_)
    return found
