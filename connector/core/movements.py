"""Payments of chosen installments as Movements in order of time, and their reason codes resolved.

Must not judge what a movement does. Invariant: a movement's place in time depends on the row alone. A row
that knows only its day (midnight in UTC or in the creditor's zone, as package records often do) stands after
that day's rows with a time when it collects or takes back money, and before them when it is a try.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from connector.core.books import OUTCOMES, Books, Bools, midnight
from connector.core.cells import counts, dates, instants, texts
from connector.core.course import FAILING, Course, Movement, Place, walk
from connector.core.lookup import Reasons
from connector.core.model import Reason
from connector.core.words import Outcome

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_US = 86_400_000_000
_RANK = {Outcome.PENDING: 0, Outcome.FAILED: 1, Outcome.REJECTED: 1, Outcome.COLLECTED: 2}
TOLD_DAYS = 7
"""A package stamps a failure up to this many days after the attempt row that tells of it."""


def courses(books: Books, slots: Bools, reasons: Reasons) -> dict[int, Course]:
    """Walk the installments marked in ``slots``."""
    wanted = np.flatnonzero(slots)
    found = movements(books, slots, reasons)
    _from_counters(books, slots, reasons, found)
    return {slot: walk(int(books.amount[slot]), found.get(slot, ())) for slot in wanted.tolist()}


def movements(books: Books, slots: Bools, reasons: Reasons) -> defaultdict[int, list[Movement]]:
    """Movements on the installments marked in ``slots``, unsorted, by slot."""
    on = books.slot >= 0
    mask = on.copy()
    mask[on] = slots[books.slot[on]]
    found: defaultdict[int, list[Movement]] = defaultdict(list)
    for slot, one in zip(books.slot[mask].tolist(), rows(books, mask, reasons), strict=True):
        found[slot].append(one)
    return found


def rows(books: Books, mask: Bools, reasons: Reasons) -> list[Movement]:
    """The payments marked in ``mask`` as Movements, in the frame's order."""
    table = books.payments
    schemes = _schemes(books, mask)
    countries = _countries(books, mask)
    columns = (texts(table, name, mask) for name in ("id", "reference", "code_set", "reason_code", "advice_code"))
    moments = zip(instants(table, "at", mask), counts(table, "amount_minor", mask), books.outcome[mask].tolist(), strict=True)
    found = []
    for (at, amount, outcome_at), (row, reference, code_set, code, advice), scheme, country in zip(
        moments, zip(*columns, strict=True), schemes, countries, strict=True
    ):
        outcome = OUTCOMES[outcome_at]
        reason = reasons.of(code_set, code, advice, scheme, country) if outcome in FAILING else None
        moment = at or books.now
        place = _place(moment, outcome, books.zone, (amount or 0, scheme or "", reference or "", code or "", row or ""))
        found.append(Movement(place, moment, outcome, amount, scheme, reference, reason))
    return found


def _place(at: datetime, outcome: Outcome, zone: ZoneInfo, rest: tuple[int, str, str, str, str]) -> Place:
    since = at - _EPOCH
    stands = since.days * _DAY_US + since.seconds * 1_000_000 + since.microseconds
    rank = _RANK.get(outcome, 3)
    if rank > 1 and _day_only(at, zone):
        stands += _DAY_US - 1
    return (stands, rank, outcome.value, *rest)


@lru_cache(maxsize=4096)
def _day_only(at: datetime, zone: ZoneInfo) -> bool:
    return at.second == 0 and at.microsecond == 0 and time() in (at.time(), at.astimezone(zone).time())


def _schemes(books: Books, mask: Bools) -> list[str | None]:
    """Scheme of each payment; where it names none, its installment's."""
    own, slots = texts(books.payments, "scheme", mask), books.slot[mask]
    if None not in own:
        return own
    usual = texts(books.installments, "scheme", np.maximum(slots, 0)) if len(books.installments) else [None] * len(own)
    return [one or (other if slot >= 0 else None) for one, other, slot in zip(own, usual, slots.tolist(), strict=True)]


def _countries(books: Books, mask: Bools) -> list[str | None]:
    """Country of each payment's bank; where the row does not say, the payer's."""
    own = texts(books.payments, "reason_country", mask)
    home = texts(books.payers, "country", books.payer[mask])
    return [one or other for one, other in zip(own, home, strict=True)]


def _from_counters(books: Books, slots: Bools, reasons: Reasons, found: defaultdict[int, list[Movement]]) -> None:
    """Add a failure that only the package's counters tell of: one movement, on the day they name (else the due date)."""
    counted = slots & has_counters(books)
    table = books.installments
    days = (dates(table, name, counted) for name in ("last_failed_on", "due_on"))
    told = zip(counts(table, "times_failed", counted), *days, strict=True)
    home = texts(books.payers, "country", books.owner[counted])
    codes = zip(texts(table, "last_reason_code", counted), texts(table, "scheme", counted), home, strict=True)
    for slot, (times, last_on, due_on), (code, scheme, country) in zip(np.flatnonzero(counted).tolist(), told, codes, strict=True):
        day = last_on or due_on
        if day is not None and not _told(found.get(slot, ()), times, last_on, books.zone):
            reason = reasons.of(None, code, None, scheme, country)
            found[slot].append(_told_by_package(books, day, reason, scheme))


def _told(found: Iterable[Movement], times: int | None, last_on: date | None, zone: ZoneInfo) -> bool:
    """Rows tell of it already: as many tries as the counter counts, or one no more than ``TOLD_DAYS`` before its day."""
    failures = [one for one in found if one.outcome in FAILING]
    if not failures or last_on is None:
        return bool(failures)
    tries = sum(one.outcome in (Outcome.FAILED, Outcome.REJECTED) for one in failures)
    latest = max(one.at for one in failures)
    return (times is not None and tries >= times) or (last_on - latest.astimezone(zone).date()).days <= TOLD_DAYS


def has_counters(books: Books) -> Bools:
    """Installments whose package counts at least one failure."""
    table = books.installments
    times = table["times_failed"].fillna(0).to_numpy(dtype=np.int64)
    dated: Bools = table["last_failed_on"].notna().to_numpy(dtype=np.bool_)
    counted: Bools = (times > 0) | (dated & table["times_failed"].isna().to_numpy(dtype=np.bool_))
    return counted


def _told_by_package(books: Books, day: date, reason: Reason, scheme: str | None) -> Movement:
    at = midnight(day, books.zone)
    place = _place(at, Outcome.FAILED, books.zone, (0, scheme or "", "", reason.code, ""))
    return Movement(place, at, Outcome.FAILED, None, scheme, None, reason)


def failing_reasons(books: Books, mask: Bools, reasons: Reasons) -> Iterable[Reason]:
    """Reasons of the failing payments marked in ``mask``, in the frame's order."""
    columns = (
        *(texts(books.payments, name, mask) for name in ("code_set", "reason_code", "advice_code")),
        _schemes(books, mask),
        _countries(books, mask),
    )
    return [reasons.of(*one) for one in zip(*columns, strict=True)]
