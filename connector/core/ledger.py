"""The ledger: a Snapshot → one Position per payer.

Must not decide anything or know any policy. Invariant: every payer of the snapshot gets a Position, and it
is the same whatever the order of rows and however often a row was told; money leaves what is owed only by
an observed settlement.

How: frames are cleaned (``books``), balances derived for all installments at once (``settle``), and only
payers with something open, or something that failed and moved lately, are looked at one by one: their
installments walked in order of time (``course``), credits set off (``credits``), their past told (``history``).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

import numpy as np

from connector.core.books import Books, Bools, open_books
from connector.core.course import FAILING, Course
from connector.core.credits import Credit, credits_of, set_off
from connector.core.failures import failures_12m
from connector.core.frames import Snapshot
from connector.core.habits import habits, pay_day
from connector.core.history import History, by_credit, clean_days, consecutive, histories, last_collected, tenures, worth_a_look
from connector.core.items import open_items
from connector.core.lookup import Catalogue, Reasons
from connector.core.model import EMPTY, Habit, OpenItem, Plan, Position
from connector.core.movements import courses, has_counters
from connector.core.plans import plan_as_of
from connector.core.records import changed
from connector.core.settle import Balances, settle
from connector.core.surroundings import payers_of, runs_of, surroundings
from connector.core.words import Outcome


def assess(snapshot: Snapshot, catalogue: Catalogue, now: datetime, time_zone: str) -> dict[str, Position]:
    """Position of every payer of ``snapshot`` by payer id.

    ``time_zone`` is the creditor's (IANA). Totals are of all claim kinds: that a gift is not a debt is for
    ``decide`` to heed.

    Raises:
        ValueError: ``now`` is naive, an installment lacks id, amount or currency, or a word is in no closed list.
        ZoneInfoNotFoundError: no such time zone.

    """
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    books, reasons = open_books(snapshot, now, ZoneInfo(time_zone)), Reasons(catalogue)
    sheet = _looked_at(books, reasons)
    found = {}
    for row, position in enumerate(_outlines(snapshot, books, reasons, time_zone)):
        found[position.payer.id] = sheet.fill(position, row, books)
    return found


def _outlines(snapshot: Snapshot, books: Books, reasons: Reasons, time_zone: str) -> Iterator[Position]:
    """Positions as they are for payers with nothing open, in the order of ``books.payers``."""
    around, runs = surroundings(snapshot), runs_of(snapshot.runs)
    ratio = MappingProxyType(dict(snapshot.return_ratio))
    seen = np.bincount(books.owner, minlength=len(books.payers)).tolist()
    numbers = zip(failures_12m(books, reasons), tenures(books), seen, strict=True)
    for (payer, plan, missing), (failures, tenure, installments_seen) in zip(payers_of(snapshot), numbers, strict=True):
        yield Position(
            payer=payer,
            time_zone=time_zone,
            failures_12m=failures,
            tenure_days=tenure,
            installments_seen=installments_seen,
            holds=tuple(around.holds.get(payer.id, ())),
            cases=tuple(around.cases.get(payer.id, ())),
            contacts=tuple(around.contacts.get(payer.id, ())),
            promises=tuple(around.promises.get(payer.id, ())),
            plan=plan,
            runs=runs,
            return_ratio=ratio,
            shown=MappingProxyType(around.shown[payer.id]) if payer.id in around.shown else MappingProxyType({}),
            finished=frozenset(around.finished.get(payer.id, ())),
            missing=missing,
            stale=snapshot.stale,
            outages=snapshot.outages,
            represented_by=around.representatives.get(payer.id),
        )


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What the money of the payers looked at comes to, by row number."""

    items: Mapping[int, list[OpenItem]]
    credits: Mapping[int, list[Credit]]
    histories: Mapping[int, History]
    habits: Mapping[int, Habit]
    last_collected: Mapping[int, datetime]

    def fill(self, position: Position, row: int, books: Books) -> Position:
        """``position`` with the money of payer number ``row`` in it."""
        items, owned, history = self.items.get(row, ()), self.credits.get(row, ()), self.histories.get(row)
        if not items and not owned and history is None:
            return position
        history = history or History()
        sums = set_off(items, owned)
        over = tuple(one for item, _ in sums.covered for one in item.failures)
        settled = sorted((*history.settled, *by_credit(sums.covered, books.now)), key=lambda one: (one.settled_at, one.id))
        since = _since(sums.items)
        return changed(
            position,
            plan=_plan(position, sums.items, row, books),
            open_items=sums.items,
            overdue=_overdue(sums.items),
            credits=MappingProxyType(sums.left) if sums.left else EMPTY,
            since=since,
            days_past_due=0 if since is None else (books.today - since).days,
            consecutive_failures=consecutive(sums.items, self.last_collected.get(row)),
            clean_days=clean_days(sums.items, (*history.failures, *over), books.now),
            settled=tuple(settled),
            habit=self.habits.get(row),
            pay_day=pay_day(history.recovered_at, books.zone),
        )


def _looked_at(books: Books, reasons: Reasons) -> _Sheet:
    balances = settle(books, reasons)
    failing = books.slots_with(books.having(*FAILING)) | has_counters(books)
    payers = worth_a_look(books, balances, failing)
    walked = _walk(books, balances, reasons, payers[books.owner] & failing)
    return _Sheet(
        items=open_items(books, balances, walked, reasons),
        credits=credits_of(books, balances, reasons),
        histories=histories(books, balances, walked),
        habits=habits(books, payers),
        last_collected=last_collected(books, payers),
    )


def _walk(books: Books, balances: Balances, reasons: Reasons, failing: Bools) -> dict[int, Course]:
    """Courses of installments that failed, are pending, or are open with something paid on them."""
    wanted = failing | books.slots_with(books.having(Outcome.PENDING)) | ((balances.open > 0) & books.slots_with(books.slot >= 0))
    wanted &= books.amount > 0
    known = {slot: course for slot, course in balances.courses.items() if wanted[slot]}
    wanted[list(known)] = False
    return known | courses(books, wanted, reasons)


def _plan(position: Position, items: Sequence[OpenItem], row: int, books: Books) -> Plan | None:
    """The plan of payer number ``row`` as it stands today; on stale data, or with rows missing, as people left it."""
    if position.plan is None or position.stale or position.missing:
        return position.plan
    seen = frozenset(books.installments["id"][books.owner == row])
    return plan_as_of(position.plan, items, seen, books.today)


def _overdue(items: Iterable[OpenItem]) -> Mapping[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for item in items:
        if item.overdue:
            sums[item.currency] += item.open_minor - item.credit_minor
    return MappingProxyType(dict(sorted(sums.items()))) if sums else EMPTY


def _since(items: Iterable[OpenItem]) -> date | None:
    return min((item.due_on for item in items if item.overdue), default=None)
