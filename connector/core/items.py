"""Open items: each installment with something still owed, with everything a decision wants to know of it.

Must not set off credits or weigh the payer as a whole. Invariant: an item is overdue when it was due before
today, or has failed and is due today or earlier, days counted in the creditor's time zone by ``due_on``.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from connector.core.books import Books, Bools, midnight
from connector.core.cells import counts, dates, flags, texts, word
from connector.core.course import Course
from connector.core.failures import FAILED_STATUSES
from connector.core.lookup import Reasons
from connector.core.model import Failure, OpenItem
from connector.core.settle import SETTLED, Balances
from connector.core.words import ClaimKind, InstallmentStatus, Outcome, Scheme

TRANSIT = timedelta(days=14)
"""A submitted collection or an opened checkout that says nothing for longer than this is no longer on its way."""
RECOLLECTION = timedelta(days=45)
"""A queued recollection that no run picked up for longer than this is stuck (runs are monthly or more often)."""
DAY, MONTH, HALF_YEAR = timedelta(hours=24), timedelta(days=30), timedelta(days=180)
FIRST_SINCE = timedelta(days=92)
"""A customer for longer than this before the oldest installment we see has paid others before it."""
_BY_STATUS = {
    InstallmentStatus.FAILED: Outcome.FAILED,
    InstallmentStatus.REJECTED: Outcome.REJECTED,
    InstallmentStatus.REVERSED: Outcome.REVERSED,
}
_NOTHING = Course(0, False, None, (), (), (), (), (), (), (), (), ())


@dataclass(frozen=True, slots=True, eq=False)
class _Payers:
    """What an item needs to know of its payer, by the payer's row number."""

    first_on: Mapping[int, date]
    ever_paid: Bools
    declined: Mapping[tuple[int, str, int], int]
    country: Sequence[str | None]


def open_items(books: Books, balances: Balances, courses: Mapping[int, Course], reasons: Reasons) -> dict[int, list[OpenItem]]:
    """Open items by payer (row number), oldest first. An installment without a due date that nobody tried to collect is not asked for yet."""
    slots = np.flatnonzero(balances.open > 0)
    payers = _Payers(_first_on(books, balances), _ever_paid(books, balances), _declined(books, courses), texts(books.payers, "country"))
    table, today = books.installments, books.today
    found: dict[int, list[OpenItem]] = defaultdict(list)
    names = (
        "id",
        "currency",
        "product",
        "claim_kind",
        "payment_method",
        "scheme",
        "status",
        "credential",
        "mandate",
        "retry_stamp",
        "processor",
    )
    columns = zip(*(texts(table, name, slots) for name in names), strict=True)
    facts = (dates(table, "due_on", slots), counts(table, "times_failed", slots), flags(table, "retried_elsewhere", slots))
    numbers = zip(slots.tolist(), *facts, strict=True)
    for (slot, due, times, elsewhere), texts_of_row in zip(numbers, columns, strict=True):
        identifier, currency, product, claim, method, scheme, status_text, credential, mandate, stamp, processor = texts_of_row
        course = courses.get(slot, _NOTHING)
        due_on = due or _first_tried_on(course, books)
        if due_on is None:
            continue
        status = word(InstallmentStatus, status_text)
        payer = int(books.owner[slot])
        failures = course.episode
        if not failures and status in FAILED_STATUSES:
            failures = (_by_status(books, due_on, status, reasons, (scheme, payers.country[payer])),)
        amount, left = int(books.amount[slot]), int(balances.open[slot])
        own_30, own_180 = _tries(books, course, (today - due_on).days, times or 0)
        found[payer].append(
            OpenItem(
                id=str(identifier),
                currency=str(currency),
                amount_minor=amount,
                open_minor=left,
                due_on=due_on,
                overdue=due_on < today or (due_on == today and bool(failures)),
                failures=failures,
                paid_minor=amount - left,
                in_transit=_in_transit(books, status, course, due_on),
                product=product,
                claim_kind=ClaimKind.DEBT if claim is None else ClaimKind(claim),
                scheme=word(Scheme, scheme),
                payment_method=method,
                status=status,
                credential=credential,
                mandate=mandate,
                first_ever=not payers.ever_paid[payer] and payers.first_on.get(payer) == due_on,
                processor=processor,
                retried_elsewhere=bool(elsewhere),
                attempts_24h=_lately(books, course.declined_at, DAY),
                attempts_30d=max(own_30, payers.declined.get((payer, credential, amount), 0) if credential else 0),
                attempts_180d=own_180,
                retry_stamp=stamp,
            )
        )
    for items in found.values():
        items.sort(key=lambda item: (item.due_on, item.id))
    return dict(found)


def _by_status(
    books: Books, due_on: date, status: InstallmentStatus | None, reasons: Reasons, place: tuple[str | None, str | None]
) -> Failure:
    """A failure that only the status tells of: on the due date, for a reason nobody knows."""
    reason = reasons.of(None, None, None, *place)
    outcome = Outcome.FAILED if status is None else _BY_STATUS[status]
    return Failure(midnight(due_on, books.zone), outcome, reason)


def _in_transit(books: Books, status: InstallmentStatus | None, course: Course, due_on: date) -> bool:
    if course.pending_at and any(books.now - at < TRANSIT for at in course.pending_at):
        return True
    if status in (InstallmentStatus.PENDING, InstallmentStatus.PENDING_PROCESSING):
        return books.now - max([midnight(due_on, books.zone), *course.presented_at, *_times(course)]) < TRANSIT
    if status is InstallmentStatus.PENDING_RECOLLECTION:
        return books.now - max(_times(course), default=midnight(due_on, books.zone)) < RECOLLECTION
    return False


def _times(course: Course) -> list[datetime]:
    return [one.at for one in course.episode]


def _tries(books: Books, course: Course, age: int, counted: int) -> tuple[int, int]:
    """Tries in 30 and in 180 days; where the package counts more than rows tell, its count holds for a young installment (``age`` in days)."""
    thirty = _lately(books, course.declined_at, MONTH)
    half_year = _lately(books, course.presented_at, HALF_YEAR)
    return max(thirty, counted if age < 30 else 0), max(half_year, counted if age < 180 else 0)


def _lately(books: Books, moments: Sequence[datetime], within: timedelta) -> int:
    """How many of ``moments`` lie no longer back than ``within``."""
    return sum([books.now - at < within for at in moments]) if moments else 0


def _declined(books: Books, courses: Mapping[int, Course]) -> dict[tuple[int, str, int], int]:
    """Declined tries in 30 days by payer, credential and amount, over all their installments (card schemes' window)."""
    found: dict[tuple[int, str, int], int] = defaultdict(int)
    slots = list(courses)
    for slot, credential in zip(slots, texts(books.installments, "credential", np.array(slots, dtype=np.int64)), strict=True):
        number = _lately(books, courses[slot].declined_at, MONTH)
        if credential and number:
            found[int(books.owner[slot]), credential, int(books.amount[slot])] += number
    return found


def _first_tried_on(course: Course, books: Books) -> date | None:
    first = min(course.presented_at, default=None)
    return None if first is None else first.astimezone(books.zone).date()


def _first_on(books: Books, balances: Balances) -> dict[int, date]:
    """Due date of the first installment of all of each payer with something open; none for who was a customer long before it."""
    owing = np.zeros(len(books.payers), dtype=np.bool_)
    owing[books.owner[balances.open > 0]] = True
    asked = (
        owing[books.owner] & (books.amount > 0) & ~(books.installments["status"] == InstallmentStatus.CANCELLED).to_numpy(dtype=np.bool_)
    )
    first = books.installments["due_on"][asked].groupby(books.owner[asked]).min()
    since = books.payers["customer_since"].iloc[first.index]
    fresh = since.isna().to_numpy(dtype=np.bool_) | ((first.to_numpy() - since.to_numpy()) <= np.timedelta64(FIRST_SINCE))
    known = first[fresh].dropna()
    return {payer: day.date() for payer, day in zip(known.index.tolist(), known.tolist(), strict=True)}


def _ever_paid(books: Books, balances: Balances) -> Bools:
    """Payers from whom something was ever collected and kept."""
    settled = books.installments["status"].isin(SETTLED).to_numpy(dtype=np.bool_) & ~balances.observed
    found = np.zeros(len(books.payers), dtype=np.bool_)
    found[books.owner[settled | (balances.paid > 0)]] = True
    found[books.payer[books.having(Outcome.COLLECTED) & (books.slot < 0)]] = True
    return found
