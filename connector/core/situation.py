"""One open installment under judgement: what is still owed on it, its episode, and the facts a table asks about.

Must not decide anything. Invariant: facts are computed from the Position alone, and one that is
not known is None.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from connector.core import wording
from connector.core.ladder import Episode, Progress
from connector.core.limits import Block
from connector.core.model import Failure, Hold, OpenItem, Position
from connector.core.policy import NO_REASON, Row
from connector.core.timing import local
from connector.core.words import DIRECT_DEBIT, NOT_THE_PAYERS, Category, ClaimKind, Outcome, Scheme

TAKEN_BACK = frozenset({Outcome.REVERSED, Outcome.CHARGED_BACK})
"""Outcomes that take back money once collected."""
LONG_AGO = date(1900, 1, 1)
"""Nothing is counted from before; a due date of the year one is a slip of somebody's finger."""
LATE_RETURN_DAYS = 10
"""A return later than this after the due date undid a collection that had settled (SEPA Core: five interbank days)."""
CLAIMED_BACK = frozenset(
    {Category.UNKNOWN, Category.REFUSED, Category.MANDATE_INVALID, Category.BLOCKED_BY_PAYER, Category.AUTHENTICATION_REQUIRED}
)
"""Categories that a chargeback turns into a dispute: the payer had their bank take the money back."""
RAILS = {Scheme.CARD: "card", Scheme.WALLET: "card", Scheme.CREDIT_TRANSFER: "payer", Scheme.CASH: "payer"}
METHOD_WORDS = (
    ("sepa", Scheme.SEPA_CORE), ("bacs", Scheme.BACS), ("becs", Scheme.BECS), ("autogiro", Scheme.AUTOGIRO), ("ach", Scheme.ACH),
    ("card", Scheme.CARD), ("visa", Scheme.CARD), ("mastercard", Scheme.CARD), ("transfer", Scheme.CREDIT_TRANSFER),
    ("invoice", Scheme.CREDIT_TRANSFER), ("cash", Scheme.CASH), ("paypal", Scheme.WALLET), ("wallet", Scheme.WALLET),
)  # fmt: skip
"""Words of a free-text payment method that name a scheme where the record names none."""


@dataclass(slots=True)
class Work:
    """One installment and what is to be judged about it."""

    item: OpenItem
    open_minor: int
    """Still owed after credits were set off."""
    category: Category | None
    scheme: Scheme | None
    episode: Episode
    """On its due date, or the day collected money was taken back."""
    failed_on: date | None
    """Day of the last failure in the creditor's time zone, so that a package's bare date and an event's instant name the same; part of keys."""
    failed_times: int
    """Failures on that day."""
    tag: str
    """Eight signs that stand for the installment and its last failure in a key that answers several."""
    progress: Progress
    facts: dict[str, object] = field(default_factory=dict)
    row: Row | None = None
    new_hold: Hold | None = None
    contact_blocks: tuple[Block, ...] = ()
    retry_blocks: tuple[Block, ...] = ()
    retry_on: date | None = None
    """A retry that is planned, announced or awaited."""

    @property
    def ruling(self) -> Row:
        """The row that was hit."""
        if self.row is None:  # pragma: no cover - decide() gives every work its row before asking
            raise AssertionError(self.item.id)
        return self.row

    @property
    def episode_on(self) -> date:
        """The day the present episode answers to; part of keys."""
        return self.episode.on

    @property
    def reported(self) -> str:
        """What was reported of the last failure, as a sentence; empty where nothing failed."""
        failure = self.item.last_failure
        return wording.reported(failure.reason) if failure is not None else ""

    @property
    def is_gift(self) -> bool:
        """Tell whether it is a gift, which is no debt."""
        return self.item.claim_kind is ClaimKind.GIFT

    @property
    def order(self) -> tuple[date, str]:
        """Oldest first."""
        return self.item.due_on, self.item.id


def category_of(failure: Failure | None) -> Category | None:
    """Give the category of a failure; a chargeback without a better reason is a dispute."""
    if failure is None:
        return None
    if failure.outcome is Outcome.CHARGED_BACK and failure.reason.category in CLAIMED_BACK:
        return Category.DISPUTED
    return failure.reason.category


def scheme_of(item: OpenItem) -> Scheme | None:
    """Give the item's scheme, else the one its free-text payment method names."""
    if item.scheme is not None or not item.payment_method:
        return item.scheme
    words = item.payment_method.casefold()
    return next((scheme for word, scheme in METHOD_WORDS if word in words), None)


def took_back(item: OpenItem, failure: Failure | None) -> bool:
    """Tell whether a failure took back collected money; a return does when it comes long after the due date."""
    if failure is None or failure.outcome is not Outcome.RETURNED:
        return failure is not None and failure.outcome in TAKEN_BACK
    return (failure.at.astimezone(UTC).date() - item.due_on).days > LATE_RETURN_DAYS


def episode_on(item: OpenItem) -> date:
    """Give the day the episode answers to: the due date, or the day collected money was taken back."""
    first = item.failures[0] if item.failures else None
    return first.at.astimezone(UTC).date() if first is not None and took_back(item, first) else item.due_on


def episode_of(item: OpenItem, now: datetime, where: ZoneInfo) -> Episode:
    """Give the present episode of an item; contacts count from its first failure, else from the due date in ``where``.

    It began no later than ``now``, whatever the records say.
    """
    if item.failures:
        return Episode(item.id, episode_on(item), min(item.failures[0].at, now))
    due_on = min(max(item.due_on, LONG_AGO), now.astimezone(where).date())
    return Episode(item.id, episode_on(item), local(due_on, 0, where))


def tag_of(item: OpenItem, failed_on: date | None) -> str:
    """Give eight signs for an installment and the failure (or due date) that something answers."""
    return hashlib.sha256(f"{item.id}|{failed_on or item.due_on}".encode()).hexdigest()[:8]


def after_credits(position: Position) -> list[tuple[OpenItem, int]]:
    """Give what is asked for per item that is overdue or has failed, oldest first; what credits settle is left out."""
    items = sorted((item for item in position.open_items if item.overdue or item.failures), key=lambda item: (item.due_on, item.id))
    return [(item, item.open_minor - item.credit_minor) for item in items if item.open_minor > item.credit_minor]


def facts_of(position: Position, work: Work, today: date, promise: str, open_installments: int) -> dict[str, object]:
    """Give every fact of ``policy.FACTS`` for one item; an unknown one is None."""
    item, failure = work.item, work.item.last_failure
    newest = max(
        (case for case in position.cases if not case.is_closed),
        key=lambda case: (case.opened_at is not None, str(case.opened_at)),
        default=None,
    )
    clean = position.clean_days
    return {
        "reason": work.category or NO_REASON,
        "retryable": failure.reason.retry if failure else None,
        "outcome": failure.outcome if failure else None,
        "money_moved": took_back(item, failure),
        "scheme": work.scheme,
        "rail": RAILS.get(work.scheme, "direct_debit" if work.scheme in DIRECT_DEBIT else "unknown") if work.scheme else "unknown",
        "claim_kind": item.claim_kind,
        "product": item.product,
        "segment": position.payer.segment,
        "value": position.payer.value,
        "risk": position.payer.risk,
        "country": position.payer.country,
        "payer_kind": position.payer.kind,
        "tenure_days": position.tenure_days,
        "clean_days": clean,
        "clean_history": clean is None or clean >= 365,
        "failures_12m": position.failures_12m,
        "consecutive_failures": position.consecutive_failures,
        "item_failures": _in_a_row(item),
        "failure_age_days": (today - work.failed_on).days if work.failed_on is not None else None,
        "days_past_due": max((today - item.due_on).days, 0),
        "open_amount": position.overdue,
        "open_installments": open_installments,
        "first_installment": item.first_ever,
        "open_cases": sum(not case.is_closed for case in position.cases),
        "case_type": newest.type if newest else None,
        "promise": promise,
        "plan": position.plan.state if position.plan else "none",
        "reached": failure is not None and any(contact.conversation and contact.at > failure.at for contact in position.contacts),
        "level": work.progress.level,
    }


def _in_a_row(item: OpenItem) -> int:
    """Count the failures in a row for the reason of the last; a machine's or our own in between breaks no row of the payer's."""
    if not item.failures:
        return 0
    last, count = item.failures[-1].reason.category, 0
    for failure in reversed(item.failures):
        if failure.reason.category is last:
            count += 1
        elif failure.reason.category not in NOT_THE_PAYERS:
            break
    return count
