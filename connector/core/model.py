"""What Dunwell knows about one payer, and what it decides: plain frozen data, no behaviour beyond lookups.

Must not read frames, clocks, files or an org. Invariant: amounts are integer minor units beside a
currency, ``_at`` is an aware datetime, ``_on`` a date, tuples are sorted oldest first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType

from connector.core.records import quick
from connector.core.words import (
    ArrearsStatus,
    Category,
    Channel,
    ClaimKind,
    HoldCause,
    InstallmentStatus,
    Kind,
    Outcome,
    Scheme,
    Tone,
)

EMPTY: Mapping[str, int] = MappingProxyType({})


@quick
@dataclass(frozen=True, slots=True)
class Payer:
    """Who owes. Consent None = nobody asked: e-mail may be used for service messages, SMS and calls not."""

    id: str
    kind: str = "person"
    """``person`` or ``company``."""
    customer_since: date | None = None
    country: str | None = None
    """ISO 3166-1 alpha-2."""
    time_zone: str | None = None
    phone_time_zone: str | None = None
    language: str | None = None
    preferred_channel: Channel | None = None
    allow_email: bool | None = None
    allow_sms: bool | None = None
    allow_call: bool | None = None
    vulnerable: bool = False
    segment: str | None = None
    value: str | None = None
    risk: str | None = None
    region: str | None = None
    """Part of the country, the second half of an ISO 3166-2 code: ``MA`` of ``US-MA``."""


@quick
@dataclass(frozen=True, slots=True)
class Representative:
    """Who is contacted in the payer's place, and nobody else: an attorney, an executor, a guardian, a debt adviser."""

    id: str
    role: str = "representative"
    country: str | None = None
    time_zone: str | None = None
    phone_time_zone: str | None = None
    preferred_channel: Channel | None = None
    allow_email: bool | None = None
    allow_sms: bool | None = None
    allow_call: bool | None = None


@quick
@dataclass(frozen=True, slots=True)
class Reason:
    """One reason code, resolved through the catalogue."""

    code_set: str
    code: str
    category: Category
    retry: str
    """``yes`` (lawful and may help), ``no`` (never), ``ask`` (only after the payer acted)."""
    sensitive: bool = False
    """True: the cause never stands in a Task; people there read "do not contact"."""
    meaning: str = ""
    act: str = ""
    """Who must act: ``payer``, ``creditor``, ``bank`` or ``nobody``."""
    wait_hours: int | None = None
    """An advice code's own wait before the next attempt."""


@quick
@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt or movement that left the installment open: failed, rejected, returned, reversed, charged back."""

    at: datetime
    outcome: Outcome
    reason: Reason
    amount_minor: int | None = None
    reference: str | None = None


@quick
@dataclass(frozen=True, slots=True)
class OpenItem:
    """One installment with something still open.

    ``failures`` are those of the present episode only: since it was last settled (an installment reversed
    after collection starts a new episode with that reversal).
    """

    id: str
    currency: str
    amount_minor: int
    open_minor: int
    """What is still owed on it before credits are set off; > 0."""
    due_on: date
    overdue: bool
    """Due on or before today and unpaid or failed; an item that is not yet due is False."""
    failures: tuple[Failure, ...] = ()
    paid_minor: int = 0
    """Settled on it so far in this episode (a partial payment)."""
    in_transit: bool = False
    """A collection of it is pending: submitted, not yet known."""
    product: str | None = None
    claim_kind: ClaimKind = ClaimKind.DEBT
    scheme: Scheme | None = None
    payment_method: str | None = None
    status: InstallmentStatus | None = None
    credential: str | None = None
    mandate: str | None = None
    first_ever: bool = False
    """The payer's first installment of all, and nothing was ever collected from them."""
    processor: str | None = None
    retried_elsewhere: bool = False
    """Another system retries this processor's money; Dunwell never does."""
    attempts_24h: int = 0
    """Declined attempts on the same credential and amount in the last 24 hours."""
    attempts_30d: int = 0
    """Attempts on the same credential and amount in the last 30 days (card schemes' window)."""
    attempts_180d: int = 0
    """Presentments of this installment in the last 180 days (Nacha's window)."""
    retry_stamp: str | None = None
    """Key of the last retry that Dunwell set on it; a person may have reset the installment since."""
    credit_minor: int = 0
    """Credit set off against it; ``open_minor - credit_minor`` > 0 is what to ask for."""

    @property
    def last_failure(self) -> Failure | None:
        """The latest failure of the present episode."""
        return self.failures[-1] if self.failures else None


@quick
@dataclass(frozen=True, slots=True)
class SettledItem:
    """An installment that failed and was settled afterwards (by money or credit), in the last 30 days."""

    id: str
    currency: str
    amount_minor: int
    settled_at: datetime
    failed_at: datetime
    by: str
    """``money``, ``credit`` or ``written_off``."""
    silent: bool = False
    """It failed for a machine's or our own fault alone: nobody need have been bothered, and nobody is thanked."""
    discreet: bool = False
    """A sensitive cause stood among its failures (the payer may have died): nobody is written to about it."""


@quick
@dataclass(frozen=True, slots=True)
class Hold:
    """A stop. ``installments`` empty = all of the payer's. ``until`` inclusive; None = until released."""

    id: str | None
    cause: HoldCause
    from_on: date | None = None
    until: date | None = None
    installments: tuple[str, ...] = ()


@quick
@dataclass(frozen=True, slots=True)
class Case:
    """A case of the payer, open or closed."""

    id: str
    is_closed: bool
    type: str | None = None
    subject: str | None = None
    status: str | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    owner: str | None = None


@quick
@dataclass(frozen=True, slots=True)
class Contact:
    """A contact that was really made, by Dunwell (it has a key) or by people (it has none)."""

    at: datetime
    channel: Channel | None
    kind: str | None = None
    key: str | None = None
    conversation: bool = False


@quick
@dataclass(frozen=True, slots=True)
class Promise:
    """A promise to pay by a date. ``installment`` None = the whole arrears."""

    on: date
    installment: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    id: str | None = None


@quick
@dataclass(frozen=True, slots=True)
class Plan:
    """A payment plan: ``offered``, ``kept`` or ``missed``."""

    state: str
    id: str | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    installments: tuple[str, ...] = ()
    """What it covers; empty = what was due by its begin."""


@quick
@dataclass(frozen=True, slots=True)
class CollectionRun:
    """A coming collection run of an org that collects by schedule."""

    scheme: Scheme | None
    on: date


@quick
@dataclass(frozen=True, slots=True)
class Habit:
    """When the payer pays when they pay themselves. ``weekday`` 0 = Monday, None = no habit of weekday."""

    minute_of_day: int
    """Local time in the payer's time zone."""
    weekday: int | None
    count: int
    """How many payments it rests on."""


@quick
@dataclass(frozen=True, slots=True)
class Shown:
    """A follow-up that the org shows already and that is not finished: Planned or Withheld."""

    key: str
    kind: Kind
    at: datetime | None
    withheld: bool = False
    surfaced: bool = False
    """It has become visible: its Task exists, or the installment was set for recollection."""


@quick
@dataclass(frozen=True, slots=True)
class Position:
    """One payer on one day: what ``decide`` reads, and all it reads."""

    payer: Payer
    time_zone: str
    """The creditor's: due dates live in it."""
    open_items: tuple[OpenItem, ...] = ()
    overdue: Mapping[str, int] = field(default_factory=lambda: EMPTY)
    """Currency → minor units overdue, credits set off, zero left out."""
    credits: Mapping[str, int] = field(default_factory=lambda: EMPTY)
    """Currency → minor units of credit not used up."""
    since: date | None = None
    """Due date of the oldest installment still open and overdue."""
    days_past_due: int = 0
    failures_12m: int | None = 0
    """Installments that failed at least once in twelve months; None when the org cannot tell."""
    consecutive_failures: int = 0
    """Failures on the newest failing installment since anything was last collected."""
    tenure_days: int | None = None
    clean_days: int | None = None
    """Days before the present episode without any failure; None = there never was one."""
    installments_seen: int = 0
    settled: tuple[SettledItem, ...] = ()
    habit: Habit | None = None
    pay_day: int | None = None
    """Commonest day of month on which money came after a failure."""
    holds: tuple[Hold, ...] = ()
    cases: tuple[Case, ...] = ()
    contacts: tuple[Contact, ...] = ()
    promises: tuple[Promise, ...] = ()
    plan: Plan | None = None
    runs: tuple[CollectionRun, ...] | None = None
    """None = a retry may fall on any lawful day; empty = the org has no run planned."""
    return_ratio: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    shown: Mapping[str, Shown] = field(default_factory=lambda: MappingProxyType({}))
    """Unfinished follow-ups by key: a planned time is kept while it is lawful."""
    finished: frozenset[str] = frozenset()
    """Keys of follow-ups Done or Cancelled by a person: never made again."""
    missing: tuple[str, ...] = ()
    """Installments our own flags rest on that could not be read: invisible is not paid."""
    stale: bool = False
    """Payment data is older than allowed: nothing may become harsher."""
    represented_by: Representative | None = None
    outages: frozenset[str] = frozenset()
    """Processors whose failures have jumped: what failed there in these days says nothing about the payer."""

    @property
    def addressee(self) -> Payer | Representative:
        """Who is contacted: the representative where one is named, else the payer."""
        return self.represented_by or self.payer


@quick
@dataclass(frozen=True, slots=True)
class Arrears:
    """What the flag will say."""

    status: ArrearsStatus
    amount: Mapping[str, int]
    """Currency → minor units."""
    since: date | None
    days_past_due: int
    level: int
    failures_12m: int | None


@quick
@dataclass(frozen=True, slots=True)
class FollowUp:
    """The next step of one course. ``key`` says what it answers; making it twice is impossible."""

    kind: Kind
    at: datetime
    key: str
    installments: tuple[str, ...]
    rule: str
    reasons: tuple[str, ...]
    """Plain sentences: what, when, why. Sensitive causes may stand here, never in ``subject``."""
    level: int | None = None
    channel: Channel | None = None
    tone: Tone | None = None
    template: str | None = None
    assignee: str | None = None
    """A role that the mapping turns into a user or queue: ``credit_manager``, ``specialist``, ``case_owner:<id>``, ``admin``."""
    priority: str = "Normal"
    """``High``, ``Normal`` or ``Low``."""
    subject: str = ""
    after: str | None = None
    """Key of the follow-up that must have been Done first (a retry's notify)."""
    amount_minor: int | None = None
    currency: str | None = None
    hold: Hold | None = None
    """For kind ``hold``: what to put on."""
    to: str | None = None
    """Id of the representative who is contacted in the payer's place; None = the payer."""


@quick
@dataclass(frozen=True, slots=True)
class Withheld:
    """What the policy wanted and something forbade. ``until`` None = until it is over."""

    kind: Kind
    reasons: tuple[str, ...]
    until: datetime | date | None
    key: str
    installments: tuple[str, ...] = ()
    rule: str = ""


@quick
@dataclass(frozen=True, slots=True)
class Decision:
    """Everything for one payer now, explained."""

    payer: str
    arrears: Arrears
    follow_ups: tuple[FollowUp, ...]
    withheld: tuple[Withheld, ...]
    policy: str
    policy_version: str
    category: Category | None
    """Reason category of the failure that led the course; None where nothing failed."""
    why: str
    """One plain sentence, the one on the flag."""
    look_again_at: datetime | None = None
    """When this payer is due again though nothing happens: a hold ends, a follow-up comes due."""
