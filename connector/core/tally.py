"""The tally of a pass: decisions and positions added up, by status, by reason, by age, and by what is done about them.

Must not read an org, a clock or a policy, and must not tell anybody's sensitive cause: deceased, health, legal and fraud are one
heading, ``do_not_contact``, as they are in the org's records, so that no sum of one payer gives them away. Invariant: what is added
in any order, or in parts that are joined, gives the same tally; and what is overdue is the same sum by status and by age.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

from connector.core.changes import DISCREET
from connector.core.model import Decision, FollowUp, OpenItem, Position, Withheld
from connector.core.situation import after_credits, category_of
from connector.core.unknown_codes import unknown_codes
from connector.core.words import SENSITIVE_CATEGORIES, SENSITIVE_HOLDS, ArrearsStatus, ClaimKind, Kind

NAMED = 100
"""Payers that are named under one heading; the others are only counted."""
NOTHING_FAILED = "unpaid"
"""Stands for the reason of an installment that nobody tried to collect, or of which no failure is known."""
ASKS_A_PERSON = (Kind.REVIEW, Kind.PROPOSE_REFERRAL, Kind.PROPOSE_WRITE_OFF)
"""Follow-ups that a person must decide on before anything goes on."""
_OF_ONE_RECORD = re.compile(r"^record \w+: ([^:]*).*$", re.DOTALL)
_SENSITIVE_REASONS = frozenset(f"hold:{cause}" for cause in SENSITIVE_HOLDS)


class Age(StrEnum):
    """How long an installment is past its original due date, in days."""

    NOT_DUE = "not yet due"
    """It failed before its time: watched, and not overdue."""
    TODAY = "due today"
    TO_30 = "1-30"
    TO_60 = "31-60"
    TO_90 = "61-90"
    OVER_90 = "over 90"


_LAST_DAYS = ((0, Age.TODAY), (30, Age.TO_30), (60, Age.TO_60), (90, Age.TO_90))


@dataclass(slots=True)
class Share:
    """How many payers and installments there are under one heading, and how much is open on them, in minor units by currency."""

    payers: int = 0
    installments: int = 0
    amounts: dict[str, int] = field(default_factory=dict)

    def add(self, installments: int, amounts: Mapping[str, int]) -> None:
        """Add one payer's."""
        self.payers += 1
        self.installments += installments
        _add(self.amounts, amounts)

    def join(self, other: "Share") -> None:
        """Add all that another has."""
        self.payers += other.payers
        self.installments += other.installments
        _add(self.amounts, other.amounts)


@dataclass(slots=True)
class Listed:
    """Payers under one heading: how many, and the first by id."""

    count: int = 0
    first: tuple[str, ...] = ()

    def add(self, payer: str) -> None:
        """Add one payer."""
        self.join(Listed(1, (payer,)))

    def join(self, other: "Listed") -> None:
        """Add all that another has."""
        self.count += other.count
        self.first = tuple(sorted({*self.first, *other.first})[:NAMED])


Part = TypeVar("Part", Share, Listed)


@dataclass(slots=True)
class Tally:
    """What a pass found and did, in numbers."""

    payers: int = 0
    """Looked at and decided about."""
    statuses: dict[str, Share] = field(default_factory=dict)
    """Arrears status → who has it, and what they owe overdue. Each payer stands under one."""
    reasons: dict[str, Share] = field(default_factory=dict)
    """Reason category of the last failure → open installments. A payer may stand under several."""
    ageing: dict[str, Share] = field(default_factory=dict)
    """Age → open installments. A payer may stand under several."""
    overdue: Share = field(default_factory=Share)
    gifts: Share = field(default_factory=Share)
    """Gifts that failed or were not made: asked for kindly, never owed."""
    planned: dict[str, int] = field(default_factory=dict)
    """Kind → follow-ups that are the next step of their course."""
    withheld: dict[str, int] = field(default_factory=dict)
    """Reason → follow-ups withheld; one may have several reasons."""
    withheld_in_all: int = 0
    made: dict[str, int] = field(default_factory=dict)
    """Kind → follow-ups that are new since the last pass or event."""
    inserted: dict[str, int] = field(default_factory=dict)
    """Object → records made."""
    updated: dict[str, int] = field(default_factory=dict)
    """Object → records changed."""
    parked: dict[str, Listed] = field(default_factory=dict)
    """Reason → payers put aside."""
    missing: Listed = field(default_factory=Listed)
    """Payers of whom rows that our flags rest on cannot be read."""
    asked: dict[str, Listed] = field(default_factory=dict)
    """Kind → payers about whom a person is asked to decide, now."""
    codes: dict[str, int] = field(default_factory=dict)
    """``code set:code`` that is in no table → payers with an open failure of it."""

    @property
    def changes(self) -> int:
        """Records made or changed."""
        return sum(self.inserted.values()) + sum(self.updated.values())

    @property
    def follow_ups(self) -> int:
        """Follow-ups that are next."""
        return sum(self.planned.values())

    @property
    def in_arrears(self) -> int:
        """Payers of any status but Clear."""
        return sum(share.payers for status, share in self.statuses.items() if status != ArrearsStatus.CLEAR)

    def decided(self, decision: Decision, position: Position, now: datetime) -> None:
        """Add one payer. ``now`` is the moment it was decided for, in the creditor's time zone."""
        everything = after_credits(position)
        items = [(item, owed) for item, owed in everything if item.claim_kind is not ClaimKind.GIFT]
        gifts = [(item, owed) for item, owed in everything if item.claim_kind is ClaimKind.GIFT]
        late = [(item, owed) for item, owed in items if item.overdue]
        self.payers += 1
        self.statuses.setdefault(decision.arrears.status.value, Share()).add(len(late), decision.arrears.amount)
        _share(self.overdue, late)
        _share(self.gifts, gifts)
        _spread(self.reasons, ((_reason(item), item, owed) for item, owed in items))
        _spread(self.ageing, ((age(item, now.date()), item, owed) for item, owed in items))
        for one in decision.follow_ups:
            self._next(one, decision.payer, now)
        for held in decision.withheld:
            self.withheld_in_all += 1
            _add(self.withheld, dict.fromkeys(_reasons(held), 1))
        _add(self.codes, {f"{code_set}:{code}": 1 for code_set, code in unknown_codes([position])})

    def quiet(self, payers: int) -> None:
        """Add payers who need no look: they owe nothing."""
        if payers:
            self.payers += payers
            self.statuses.setdefault(ArrearsStatus.CLEAR.value, Share()).join(Share(payers))

    def wrote(self, inserted: Mapping[str, int], updated: Mapping[str, int], made: Mapping[str, int]) -> None:
        """Add what was written: records made and changed by object, and new follow-ups by kind."""
        _add(self.inserted, inserted)
        _add(self.updated, updated)
        _add(self.made, made)

    def put_aside(self, payer: str, why: str) -> None:
        """Add a payer that could not be treated. The heading says what is wrong, without the record and the value in which it is."""
        self.parked.setdefault(_OF_ONE_RECORD.sub(r"\1", why), Listed()).add(payer)

    def join(self, other: "Tally") -> None:
        """Add all that another tally has."""
        self.payers += other.payers
        self.withheld_in_all += other.withheld_in_all
        for shares in ("statuses", "reasons", "ageing"):
            _join(getattr(self, shares), getattr(other, shares), Share)
        for lists in ("parked", "asked"):
            _join(getattr(self, lists), getattr(other, lists), Listed)
        for counts in ("planned", "withheld", "made", "inserted", "updated", "codes"):
            _add(getattr(self, counts), getattr(other, counts))
        self.overdue.join(other.overdue)
        self.gifts.join(other.gifts)
        self.missing.join(other.missing)

    def _next(self, one: FollowUp, payer: str, now: datetime) -> None:
        _add(self.planned, {one.kind.value: 1})
        if one.kind in ASKS_A_PERSON and one.at <= now:
            self.asked.setdefault(one.kind.value, Listed()).add(payer)


def age(item: OpenItem, today: date) -> Age:
    """Tell how old an open installment is on the creditor's calendar day ``today``."""
    if not item.overdue:
        return Age.NOT_DUE
    days = (today - item.due_on).days
    return next((one for last, one in _LAST_DAYS if days <= last), Age.OVER_90)


def _reason(item: OpenItem) -> str:
    categories = [category_of(one) for one in item.failures]
    if not categories:
        return NOTHING_FAILED
    return DISCREET if any(one in SENSITIVE_CATEGORIES for one in categories) else str(categories[-1])


def _reasons(one: Withheld) -> set[str]:
    return {DISCREET if reason in _SENSITIVE_REASONS else str(reason) for reason in one.reasons}


def _share(share: Share, items: Iterable[tuple[OpenItem, int]]) -> None:
    """Add one payer's ``items`` to ``share``, where there are any."""
    amounts: dict[str, int] = {}
    count = 0
    for item, owed in items:
        count += 1
        _add(amounts, {item.currency: owed})
    if count:
        share.add(count, amounts)


def _spread(shares: dict[str, Share], items: Iterable[tuple[str, OpenItem, int]]) -> None:
    """Add one payer's items to the shares of their headings."""
    by_heading: dict[str, list[tuple[OpenItem, int]]] = {}
    for heading, item, owed in items:
        by_heading.setdefault(str(heading), []).append((item, owed))
    for heading, found in by_heading.items():
        _share(shares.setdefault(heading, Share()), found)


def _add(mine: dict[str, int], theirs: Mapping[str, int]) -> None:
    for name, number in theirs.items():
        mine[name] = mine.get(name, 0) + number


def _join(mine: dict[str, Part], theirs: Mapping[str, Part], kind: Callable[[], Part]) -> None:
    """Join part by part; nothing of ``theirs`` itself becomes part of ``mine``."""
    for name, other in theirs.items():
        mine.setdefault(name, kind()).join(other)
