"""What stands still in an org beside the payers' own debts: what counts as a finding, and the words a person is told with.

Must not read an org or mend anything: what is right is a person's decision. Invariants: a finding names a record and what to do about it;
nothing in it names a person, an account or a cause; the same rows give the same findings.
Source: what FinDock's health check watches (failed schedules, reports and messages that nobody processed), and its selection rule: a
schedule leaves out installments whose mandate or profile is inactive, in silence.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType

from connector.core import wording
from connector.core.money import text as amount_text

MOST_SHOWN = 20
"""Findings of a kind that are told one by one; of the rest the number is told."""


class FindingKind(StrEnum):
    """What a finding is about."""

    RECOLLECTION = "recollection"
    RUN = "run"
    REPORT = "report"
    MESSAGE = "message"
    TRANSACTION = "transaction"
    PAYMENT = "payment"
    COUNTER = "counter"


@dataclass(frozen=True, slots=True)
class Told:
    """How people are told of a kind: whose work it is, how soon, and what to do."""

    role: str
    priority: str
    one: str
    many: str
    advice: str


TOLD: Mapping[FindingKind, Told] = MappingProxyType(
    {
        FindingKind.RECOLLECTION: Told(
            "credit_manager", "High", "installment waits for a collection that does not come", "installments wait for a collection that does not come",
            "Every run leaves them out, and nobody is told. Ask for a new mandate or account where one is inactive, or set the installment to the status it should have.",
        ),
        FindingKind.RUN: Told(
            "admin", "High", "payment schedule has stopped", "payment schedules have stopped",
            "Nothing of them is collected. Read the reason on the schedule, put it right and run it again before its collection date.",
        ),
        FindingKind.REPORT: Told(
            "admin", "High", "report of a provider was not processed", "reports of providers were not processed",
            "Payments or failures in them are missing here. Read the status reason and process them again, or match them by hand.",
        ),
        FindingKind.MESSAGE: Told(
            "admin", "High", "message was not processed", "messages were not processed",
            "What they carry is missing here. Check that the package's jobs run and that its connection stands.",
        ),
        FindingKind.TRANSACTION: Told(
            "credit_manager", "Normal", "line of a bank statement was not matched", "lines of bank statements were not matched",
            "Somebody may have paid and be asked again. Match them by hand.",
        ),
        FindingKind.PAYMENT: Told(
            "credit_manager", "Normal", "payment has no installment", "payments have no installment",
            "Somebody may have paid and be asked again. Find the installment each is for; nothing is matched by guessing.",
        ),
        FindingKind.COUNTER: Told(
            "admin", "Normal", "installment says another open amount than its payments", "installments say another open amount than their payments",
            "One of the two is wrong. Dunwell believes payments and changes neither: look which is right, and let the package count again.",
        ),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One record that stands still."""

    kind: FindingKind
    record: str
    sentence: str
    since: datetime
    """When it came to stand still, or last changed: the same record may do so again."""
    payer: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """All of a kind: how many, and the newest of them."""

    kind: FindingKind
    count: int
    shown: tuple[Finding, ...] = ()
    """The newest first, at most ``MOST_SHOWN``."""
    amounts: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Currency → minor units, where the kind is about money."""

    @property
    def words(self) -> str:
        """What, how many, and what to do."""
        return f"{headline(self)}{_money(self.amounts)}. {TOLD[self.kind].advice}"

    @property
    def records(self) -> tuple[str, ...]:
        """Ids of the newest."""
        return tuple(one.record for one in self.shown)


def headline(found: Found) -> str:
    """What and how many."""
    told = TOLD[found.kind]
    return f"{found.count:,} {told.one if found.count == 1 else told.many}"


def gathered(kind: FindingKind, count: int, findings: Iterable[Finding], amounts: Mapping[str, int] | None = None) -> Found:
    """All of a kind; ``findings`` may be fewer than ``count``."""
    newest = sorted(findings, key=lambda one: (one.since, one.record), reverse=True)
    money = {currency: minor for currency, minor in sorted((amounts or {}).items()) if minor}
    return Found(kind, count, tuple(newest[:MOST_SHOWN]), MappingProxyType(money))


@dataclass(frozen=True, slots=True)
class Waiting:
    """An installment that waits for its next collection."""

    record: str
    payer: str | None
    due_on: date | None
    changed_at: datetime
    """It, its mandate or its account."""
    mandate_stands: bool | None = None
    """None = it has none, or the org does not say."""
    account_stands: bool | None = None


def recollection(one: Waiting, max_days: int, today: date) -> Finding | None:
    """Say why a collection will not come; None = it may yet."""
    if one.mandate_stands is False or one.account_stands is False:
        what = "its mandate" if one.mandate_stands is False else "its account or card"
        return Finding(
            FindingKind.RECOLLECTION, one.record, f"It waits for a collection, but {what} is inactive.", one.changed_at, one.payer
        )
    if one.due_on is None or one.due_on + timedelta(days=max_days) >= today:
        return None
    expected_on = one.due_on + timedelta(days=max_days)
    since = max(one.changed_at, datetime.combine(expected_on, time(), UTC))
    return Finding(FindingKind.RECOLLECTION, one.record, f"No run has taken it since {wording.day(one.due_on)}.", since, one.payer)


def unfinished(kind: FindingKind, record: str, status: str, since: datetime) -> Finding:
    """Say since when something stands in a status in which it should not stay."""
    return Finding(kind, record, f"{status} since {wording.day(since.date())}.", since)


@dataclass(frozen=True, slots=True)
class LoosePayment:
    """Money that is on no installment."""

    record: str
    payer: str | None
    amount_minor: int
    currency: str
    on: date | None
    changed_at: datetime


def loose_payment(one: LoosePayment) -> Finding:
    """Say how much it is and of which day."""
    when = "" if one.on is None else f" of {wording.day(one.on)}"
    sentence = f"{amount_text(one.amount_minor, one.currency)} {one.currency}{when}."
    return Finding(FindingKind.PAYMENT, one.record, sentence, one.changed_at, one.payer)


@dataclass(frozen=True, slots=True)
class Counted:
    """What an installment says is open on it, beside what its payments say."""

    record: str
    payer: str | None
    currency: str
    amount_minor: int
    open_minor: int
    paid_minor: int
    changed_at: datetime
    """It, or one of its payments."""


def counter(one: Counted) -> Finding | None:
    """Say what an installment and its payments say; None = the same. Paid too much is nothing open."""
    by_payments = max(one.amount_minor - one.paid_minor, 0)
    if one.open_minor == by_payments:
        return None
    said, summed = (amount_text(minor, one.currency) for minor in (one.open_minor, by_payments))
    return Finding(
        FindingKind.COUNTER, one.record, f"It says {said} {one.currency} are open, its payments say {summed} {one.currency}.",
        one.changed_at, one.payer,
    )  # fmt: skip


def _money(amounts: Mapping[str, int]) -> str:
    return "".join(f", {amount_text(minor, currency)} {currency}" for currency, minor in amounts.items())
