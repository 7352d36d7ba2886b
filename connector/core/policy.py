"""The policy: decision tables and ladders as typed data, and the facts a table may ask about.

Must not read files (``mapping/policies.py`` does) or know a payer. Invariant: rows are tried in order and
the first whose every condition holds decides; the last row has no condition, so there always is one.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from connector.core.breaker import Breaker
from connector.core.conditions import Condition, Fact, FactKind
from connector.core.plain import to_json
from connector.core.rules import Rules
from connector.core.words import Category, Channel, ClaimKind, HoldCause, Kind, Outcome, Scheme, Tone

ORDER_STEP = 1000
"""Room between two rows of a whole policy."""
NO_REASON = "none"
"""Value of the fact ``reason`` where nothing failed: simply not paid."""


def _words(*words: str) -> tuple[str, ...]:
    return words


FACTS: Mapping[str, Fact] = MappingProxyType(
    {
        fact.name: fact
        for fact in (
            Fact("reason", FactKind.WORD, "category of the installment's last failure; none = it never failed", (*Category, NO_REASON)),
            Fact("retryable", FactKind.WORD, "what the reason catalogue says of trying again", _words("yes", "no", "ask")),
            Fact("outcome", FactKind.WORD, "what the last failure was", tuple(Outcome)),
            Fact("money_moved", FactKind.FLAG, "the last failure took back money that had been collected"),
            Fact("scheme", FactKind.WORD, "scheme of the installment", tuple(Scheme)),
            Fact("rail", FactKind.WORD, "kind of scheme", _words("card", "direct_debit", "payer", "unknown")),
            Fact("claim_kind", FactKind.WORD, "kind of claim", tuple(ClaimKind)),
            Fact("product", FactKind.TEXT, "product of the installment"),
            Fact("segment", FactKind.TEXT, "customer segment; may only make a course milder"),
            Fact("value", FactKind.TEXT, "customer value; may only make a course milder"),
            Fact("risk", FactKind.TEXT, "risk class of the payer"),
            Fact("country", FactKind.TEXT, "country of the payer, two letters"),
            Fact("payer_kind", FactKind.WORD, "person or company", _words("person", "company")),
            Fact("tenure_days", FactKind.NUMBER, "days since they became a customer"),
            Fact("clean_days", FactKind.NUMBER, "days before this episode without a failure; null = there never was one"),
            Fact("clean_history", FactKind.FLAG, "no failure in the year before this episode"),
            Fact("failures_12m", FactKind.NUMBER, "installments that failed in the last twelve months; null = cannot be told"),
            Fact("consecutive_failures", FactKind.NUMBER, "failures in a row since anything was last collected"),
            Fact("item_failures", FactKind.NUMBER, "failures in a row, for this same reason, of this installment in this episode"),
            Fact("failure_age_days", FactKind.NUMBER, "days since the last failure; null = it never failed"),
            Fact("days_past_due", FactKind.NUMBER, "days since the oldest open installment was due"),
            Fact("open_amount", FactKind.MONEY, "what is overdue by currency, for example '>= 100 EUR'"),
            Fact("open_installments", FactKind.NUMBER, "how many installments are overdue"),
            Fact("first_installment", FactKind.FLAG, "the payer's first installment of all, and nothing was ever collected"),
            Fact("open_cases", FactKind.NUMBER, "how many cases are open"),
            Fact("case_type", FactKind.TEXT, "type of the newest open case"),
            Fact("promise", FactKind.WORD, "promise to pay on this installment", _words("none", "open", "broken")),
            Fact("plan", FactKind.WORD, "state of the payment plan", _words("none", "offered", "kept", "missed")),
            Fact("reached", FactKind.FLAG, "somebody spoke with the payer since the last failure"),
            Fact("level", FactKind.NUMBER, "level of the ladder reached for this installment"),
        )
    }
)
"""Everything a row may ask about. Health, origin and belief are not here, and never will be."""

FORBIDDEN_FACTS = (
    "health",
    "vulnerable",
    "disability",
    "origin",
    "ethnicity",
    "race",
    "nationality",
    "religion",
    "belief",
    "gender",
    "age",
    "orientation",
)
"""Named in an error of their own: nobody is treated by what they are."""
ONLY_MILDER = ("segment", "value")
"""Facts a row may use only towards a milder course."""


Tests = tuple[tuple[str, Condition], ...]
"""Conditions by fact; all must hold."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something besides the ladder: a call, a review, an apology, a plan on offer."""

    kind: Kind
    assignee: str | None = None
    priority: str = "Normal"
    subject: str = ""
    template: str | None = None
    tone: Tone | None = None
    persons_only: bool = False
    per: str = "failure"
    """What it answers, and so how often it is made: ``failure``, ``course`` (once for the whole episode) or ``payer``."""


@dataclass(frozen=True, slots=True)
class Step:
    """One level of a ladder. ``after_days`` counts from the start of the episode, ``gap_days`` from the step before."""

    level: int
    kind: Kind
    after_days: int
    gap_days: int
    tone: Tone | None = None
    template: str | None = None
    assignee: str | None = None
    priority: str = "Normal"
    subject: str = ""
    at_once: bool = False
    also: tuple[Task, ...] = ()


@dataclass(frozen=True, slots=True)
class Ladder:
    """Steps in order of level, mild to firm."""

    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """When to try again: ``pay_day`` (the payer's own, else the policy's) or ``soon``; never after ``max_failures``."""

    on: str
    after_days: int = 1
    within_days: int = 30
    max_failures: int = 3
    max_age_days: int = 60
    """An installment whose last failure is older than this is not tried again by itself."""


@dataclass(frozen=True, slots=True)
class HoldPlan:
    """A hold to put on: for ``installment`` or for the whole ``payer``."""

    cause: HoldCause
    scope: str = "installment"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table."""

    name: str
    when: Tests
    because: str
    """The sentence that explains the row to the people who read the follow-up."""
    ladder: str | None = None
    retry: RetryPlan | None = None
    tasks: tuple[Task, ...] = ()
    hold: HoldPlan | None = None
    tone: Tone | None = None
    """Tone of the first contact instead of the ladder's."""
    watch: bool = False
    """True: the payer is only watched, no contact is due."""
    always: bool = False
    """True: tried before the rows of any variant; what stops everything stops it for every product."""
    order: int = 0
    """Place in the table; rows of a whole policy stand ``ORDER_STEP`` apart, so that a variant's fit between."""


Rest = tuple[tuple[Row, Tests], ...]
"""Rows, each with those of its conditions that are still to be tried."""


@dataclass(frozen=True, slots=True)
class CaseRules:
    """Which open cases matter. Words are looked for in the case's type, else in its subject."""

    contact: tuple[str, ...] = ()
    """Types that withhold contact."""
    retries: tuple[str, ...] = ()
    """Types that withhold retries too."""
    max_age_days: int = 90
    """Older than this, a person decides whether the case still stands in the way."""


def met(tests: Tests, facts: Mapping[str, object]) -> bool:
    """Tell whether every condition holds."""
    return all(condition.holds(facts[name]) for name, condition in tests)


@dataclass(frozen=True, slots=True)
class Variant:
    """The policy of some installments only: of a product, a segment, a country. Its rows are the whole table for them."""

    name: str
    applies: Tests
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Policy:
    """A whole policy, checked. Without slots, for what is worked out of it once and kept."""

    name: str
    version: str
    rows: tuple[Row, ...]
    ladders: Mapping[str, Ladder]
    cases: CaseRules = CaseRules()
    pay_day: int = 26
    """Day of the month on which a retry is tried where the payer has no pay day of their own."""
    country: str | None = None
    """Whose public holidays count for a payer without a country."""
    threshold: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Currency → minor units below which nobody is contacted; others ``threshold_default``."""
    threshold_default: int = 5
    """In whole units of the currency."""
    contacts_per_day: int = 1
    contacts_per_week: int = 3
    calls_per_week: int = 7
    calls_per_day: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Role → calls its people can make in a day; one that is not here has no limit."""
    notice_days: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Scheme → calendar days of notice agreed with payers, where they differ from the scheme's."""
    channels: tuple[Channel, ...] = (Channel.EMAIL, Channel.SMS)
    """Channels in order of preference, behind the payer's own."""
    grace_days: int = 3
    """Days after the due date before the first word about an installment that never failed: money takes its time."""
    confirm_within_days: int = 7
    """A settlement older than this is cleared without a thank-you."""
    retry_patience_days: int = 5
    """Days after a retry before the next step of the ladder."""
    partial_patience_days: int = 14
    """Days after the note that answers a partial payment before the next step."""
    breaker: Breaker = field(default_factory=Breaker)
    """When failures of a processor are an outage."""
    variants: tuple[Variant, ...] = ()
    """The first that applies to an installment gives its table."""
    rules: Rules = field(default_factory=Rules, compare=False)
    """What schemes and countries forbid; no policy can switch it off."""

    @cached_property
    def content_hash(self) -> str:
        """Sixteen signs that stand for everything it says, rules of schemes and countries included."""
        return hashlib.sha256(to_json(self)).hexdigest()[:16]

    @cached_property
    def _by_reason(self) -> dict[tuple[str | None, object], Rest]:
        """Rows that a reason leaves, by variant and reason: most rows ask for one, and a table is long."""
        return {}

    def row(self, facts: Mapping[str, object]) -> Row:
        """Give the first row whose every condition holds. The loader sees to it that the last has none."""
        variant = next((variant for variant in self.variants if met(variant.applies, facts)), None)
        rows = self.rows if variant is None else variant.rows
        own = (None if variant is None else variant.name, facts["reason"])
        if own not in self._by_reason:
            self._by_reason[own] = _left_by(facts["reason"], rows)
        for row, rest in self._by_reason[own]:
            for name, condition in rest:
                if not condition.holds(facts[name]):
                    break
            else:
                return row
        return rows[-1]


def _left_by(reason: object, rows: Sequence[Row]) -> Rest:
    """Give the rows that can still be hit for ``reason``, in their order, each with its other conditions."""
    return tuple(
        (row, tuple((name, condition) for name, condition in row.when if name != "reason"))
        for row in rows
        if all(condition.holds(reason) for name, condition in row.when if name == "reason")
    )
