"""What lies behind a payer: tenure, clean days, failures in a row, and installments that failed and were settled lately.

Must not decide what is open. Invariant: everything here is derived from courses and books alone, so it is the
same whatever order rows came in.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from connector.core.books import Books, Bools
from connector.core.cells import texts
from connector.core.course import Course
from connector.core.credits import Credit
from connector.core.model import Failure, OpenItem, SettledItem
from connector.core.records import quick
from connector.core.settle import Balances
from connector.core.words import NOT_THE_PAYERS, SENSITIVE_CATEGORIES, InstallmentStatus, Outcome

LATELY = timedelta(days=30)
_VOUCHED = (InstallmentStatus.COLLECTED, InstallmentStatus.PAID)


@quick
@dataclass(frozen=True, slots=True)
class History:
    """The past of one payer who has something to look at."""

    settled: tuple[SettledItem, ...] = ()
    failures: tuple[Failure, ...] = ()
    """All failures of episodes that are over, in no order."""
    recovered_at: tuple[datetime, ...] = ()


def histories(books: Books, balances: Balances, courses: Mapping[int, Course]) -> dict[int, History]:
    """Histories by payer (row number), of the installments that were walked."""
    slots, table = list(courses), books.installments
    where = np.array(slots, dtype=np.int64)
    settled: dict[int, list[SettledItem]] = defaultdict(list)
    failures: dict[int, list[Failure]] = defaultdict(list)
    recovered: dict[int, list[datetime]] = defaultdict(list)
    columns = zip(slots, *(texts(table, name, where) for name in ("id", "currency", "status")), strict=True)
    for slot, identifier, currency, status in columns:
        payer, course = int(books.owner[slot]), courses[slot]
        is_open = bool(balances.open[slot] > 0)
        failures[payer] += (*course.earlier, *course.closed, *(() if is_open else course.episode))
        recovered[payer] += course.recovered_at
        if books.amount[slot] > 0 and not is_open and (end := _end(books, course, status)) is not None:
            at, failed_at, by = end
            how = _how(course.closed or course.episode)
            settled[payer].append(SettledItem(str(identifier), str(currency), int(books.amount[slot]), at, failed_at, by, *how))
    return {
        payer: History(
            tuple(sorted(settled[payer], key=lambda one: (one.settled_at, one.id))), tuple(failures[payer]), tuple(recovered[payer])
        )
        for payer in failures
    }


def tenures(books: Books) -> list[int | None]:
    """Days each payer has been a customer: since they say so, else since their oldest installment was due."""
    oldest = books.installments["due_on"].groupby(books.owner).min()
    since = books.payers["customer_since"].fillna(oldest.reindex(range(len(books.payers))))
    days = (np.datetime64(books.today) - since.to_numpy()).astype("timedelta64[D]")
    return [None if np.isnat(one) else max(0, int(one.astype(np.int64))) for one in days]


def last_collected(books: Books, payers: Bools) -> dict[int, datetime]:
    """When money was last collected, on anything, from each payer marked in ``payers``."""
    mask = books.having(Outcome.COLLECTED) & payers[books.payer]
    latest = books.payments["at"][mask].groupby(books.payer[mask]).max().dropna()
    return {payer: at.to_pydatetime() for payer, at in zip(latest.index.tolist(), latest.tolist(), strict=True)}


def consecutive(items: Iterable[OpenItem], last_collected_at: datetime | None) -> int:
    """Failures on the newest failing installment since anything was last collected."""
    failing = [item for item in items if item.failures]
    if not failing:
        return 0
    newest = max(failing, key=lambda item: (item.failures[-1].at, item.due_on, item.id))
    return sum(last_collected_at is None or one.at > last_collected_at for one in newest.failures)


def clean_days(items: Iterable[OpenItem], failures: Sequence[Failure], now: datetime) -> int | None:
    """Days without any failure before the present episode began (before now where there is none).

    Failures that were a machine's or our own fault do not spoil a record.
    """
    began_at = min((one.at for item in items for one in item.failures), default=now)
    before = [one.at for one in failures if one.at < began_at and one.reason.category not in NOT_THE_PAYERS]
    return (began_at - max(before)).days if before else None


def by_credit(covered: Iterable[tuple[OpenItem, Credit]], now: datetime) -> list[SettledItem]:
    """Items a credit covered wholly, of those that had failed, in the last 30 days; by money where the payer sent it after the failure."""
    found = []
    for item, credit in covered:
        if item.failures:
            failed_at = item.failures[-1].at
            at = max(credit.at, failed_at)
            if now - at <= LATELY:
                by = "money" if credit.is_money and credit.at > failed_at else "credit"
                found.append(SettledItem(item.id, item.currency, item.amount_minor, at, failed_at, by, *_how(item.failures)))
    return found


def _how(failures: Sequence[Failure]) -> tuple[bool, bool]:
    """Tell whether failures were a machine's or our own alone, and whether a sensitive cause stood among them."""
    categories = {one.reason.category for one in failures}
    return categories <= NOT_THE_PAYERS, not categories.isdisjoint(SENSITIVE_CATEGORIES)


def _end(books: Books, course: Course, status: str | None) -> tuple[datetime, datetime, str] | None:
    """When, after which failure, and by what a failing installment was settled; None where not lately, or nobody paid.

    Where no payment tells, only the status does, and it has no time: the failure's own stands for it.
    """
    if course.settled_at is not None:
        failures, at, by = course.closed, course.settled_at, "money"
    else:
        failures, at = course.episode, None
        by = "written_off" if status == InstallmentStatus.CANCELLED else "money" if status in _VOUCHED else ""
    if not failures or not by:
        return None
    failed_at = failures[-1].at
    at = failed_at if at is None else max(at, failed_at)
    return (at, failed_at, by) if books.now - at <= LATELY else None


def worth_a_look(books: Books, balances: Balances, failing: Bools) -> Bools:
    """Payers (by row number) with anything open, or with a failing installment that something happened to lately."""
    since = pd.Timestamp(books.now) - LATELY - timedelta(days=1)
    lately = books.slots_with((books.payments["at"] >= since).to_numpy(dtype=np.bool_))
    lately |= (books.installments["last_failed_on"] >= pd.Timestamp(since.date())).to_numpy(dtype=np.bool_)
    found = np.zeros(len(books.payers), dtype=np.bool_)
    found[books.owner[(balances.open > 0) | (failing & lately)]] = True
    return found
