"""Where a reported outcome belongs: on one installment, as an attempt or as money, or parked with a reason.

Must not read an org. Invariant: what cannot be placed beyond doubt is parked, in words an admin
understands; the same report always gets the same key, so that redelivery writes nothing twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from connector.core.keys import key
from connector.core.money import to_minor
from connector.core.words import CodeSet, Outcome, Scheme

CEILING = Decimal(10_000_000)
"""An amount at or above this, in major units, is taken for a mistake."""
OUTCOMES, SCHEMES, CODE_SETS = (frozenset(str(one) for one in words) for words in (Outcome, Scheme, CodeSet))
MOVES_BACK = frozenset({Outcome.REVERSED, Outcome.REFUNDED, Outcome.CHARGED_BACK})
MOVED_NOTHING = frozenset({Outcome.FAILED, Outcome.REJECTED, Outcome.PENDING})


@dataclass(frozen=True, slots=True)
class Report:
    """An outcome as a provider reported it, unjudged. ``problems`` say what could not be read."""

    event_uuid: str
    received_at: datetime
    version: str = ""
    provider: str = ""
    provider_reference: str | None = None
    installment_id: str | None = None
    installment_reference: str | None = None
    outcome: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    occurred_at: datetime | None = None
    scheme: str | None = None
    code_set: str | None = None
    reason_code: str | None = None
    reason_text: str | None = None
    reason_country: str | None = None
    advice_code: str | None = None
    payer_initiated: bool = False
    problems: tuple[str, ...] = ()

    @property
    def at(self) -> datetime:
        """When it happened; when it was received, where the report does not say."""
        return self.occurred_at or self.received_at

    @property
    def reference(self) -> str:
        """The provider's reference; the event's own id where there is none."""
        return self.provider_reference or self.event_uuid


@dataclass(frozen=True, slots=True)
class Candidate:
    """An installment that a report may be about."""

    id: str
    payer: str | None
    currency: str
    amount: Decimal
    recorded_by: str
    """``package`` or ``dunwell``."""
    payment_method: str | None = None
    processor: str | None = None


@dataclass(frozen=True, slots=True)
class KnownMoney:
    """A payment that the org has already."""

    installment: str
    amount: Decimal
    reference: str | None


@dataclass(frozen=True, slots=True)
class Placement:
    """What to write for a report: an ``attempt``, a ``payment``, or nothing (the package books it, or it is there)."""

    write: str | None
    key: str
    payer: str | None = None
    installment: Candidate | None = None
    amount: Decimal | None = None
    """Signed: negative for money that went back."""
    parked: str | None = None
    """Why it is parked, in an admin's words; None = placed."""


def place(
    report: Report, candidates: Sequence[Candidate], money: Sequence[KnownMoney], now: datetime, versions: Sequence[str]
) -> Placement:
    """Say where ``report`` belongs.

    A key names the installment too once that is known: providers repeat a reference (of a file, a batch) for several,
    and correct a report that could not be placed under the reference it had.

    Args:
        report: as received.
        candidates: installments found by its id or reference.
        money: payments already on those installments.
        now: aware instant; an outcome from the future is a mistake.
        versions: event versions that are understood.

    """
    words = (report.provider or "provider", report.outcome or "outcome", report.reference)
    problem = _problem(report, candidates, now, versions)
    chosen = candidates[0] if len(candidates) == 1 else None
    if problem is not None or chosen is None:
        return Placement("attempt", key("attempt", *words), chosen.payer if chosen else None, chosen, report.amount, parked=problem)
    attempt_key = key("attempt", *words, chosen.id)
    outcome = Outcome(str(report.outcome))
    collected = any(one.installment == chosen.id and one.amount > 0 for one in money)
    if outcome in MOVED_NOTHING or (outcome is Outcome.RETURNED and chosen.recorded_by == "dunwell" and not collected):
        return Placement("attempt", attempt_key, chosen.payer, chosen, report.amount)
    if chosen.recorded_by == "package":
        return Placement(None, attempt_key, chosen.payer, chosen)
    sign = 1 if outcome is Outcome.COLLECTED else -1
    signed = sign * abs(report.amount or Decimal(0))
    already = any(
        one.installment == chosen.id and one.reference == report.provider_reference and one.amount * sign > 0
        for one in money
        if one.reference
    )
    payment_key = key("payment", *words, chosen.id)
    return Placement(None if already else "payment", payment_key, chosen.payer, chosen, signed)


def _problem(report: Report, candidates: Sequence[Candidate], now: datetime, versions: Sequence[str]) -> str | None:
    """Say what is wrong with a report, or None."""
    if report.version and report.version not in versions:
        return f"event version {report.version[:10]} is not understood; update Dunwell, or publish version {versions[0]}"
    if report.problems:
        return "; ".join(report.problems)
    if report.outcome not in OUTCOMES:
        return f"Outcome__c is not one of {', '.join(Outcome)}"
    if not (report.installment_id or report.installment_reference):
        return "the event names no installment: fill Installment__c (its id) or Installment_Reference__c"
    if not candidates:
        return "no installment has this id or reference; it does not exist or the integration user may not see it"
    if len(candidates) > 1:
        return f"{len(candidates)} installments have this reference; publish the installment's id in Installment__c"
    return _wrong_values(report, candidates[0], now)


def _wrong_values(report: Report, chosen: Candidate, now: datetime) -> str | None:
    if chosen.payer is None:
        return "the installment has no payer: fill its account or contact"
    if report.amount is None:
        return "Amount__c is missing"
    if report.amount == 0 or abs(report.amount) >= CEILING:
        return f"Amount__c of {report.amount:f} cannot be right"
    try:
        to_minor(report.amount, chosen.currency)
    except ValueError as error:
        return f"Amount__c cannot be right: {error}"
    if report.outcome == Outcome.COLLECTED and report.amount < 0:
        return "Amount__c is negative for a collection; publish refunds and reversals as such"
    if report.currency and report.currency != chosen.currency:
        return f"Currency__c is {report.currency[:3]}, the installment is in {chosen.currency}"
    if report.scheme and report.scheme not in SCHEMES:
        return f"Scheme__c is not one of {', '.join(Scheme)}"
    if report.code_set and report.code_set not in CODE_SETS:
        return "Code_Set__c is not a known code set; leave it empty to use the scheme's usual one"
    if report.occurred_at is not None and report.occurred_at > now + timedelta(days=1):
        return "Occurred_At__c lies in the future"
    return None
