"""The sentences that explain a decision: plain words, one fact each.

Must not decide. Invariant: what may be seen by everybody (subjects, the flag's ``why``) never names a
sensitive cause; it says "do not contact".
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from connector.core import money
from connector.core.model import Reason
from connector.core.words import Category, Kind, Withholding

DO_NOT_CONTACT = "Do not contact: a specialist has this in hand."
SENSITIVE = frozenset({Category.DECEASED, Category.LEGAL, Category.FRAUD})
"""Categories whose name stands nowhere but in restricted fields."""

CAUSES: Mapping[Category | None, str] = {
    None: "was not paid when it was due",
    Category.INSUFFICIENT_FUNDS: "could not be collected: there was not enough money on the account",
    Category.METHOD_INVALID: "could not be collected: the account or card can no longer be used",
    Category.MANDATE_INVALID: "could not be collected: there is no valid mandate",
    Category.AUTHENTICATION_REQUIRED: "was not paid: the bank wants the payer to confirm it themselves",
    Category.REFUSED: "was refused by the bank without a reason",
    Category.DISPUTED: "is disputed or was claimed back by the payer",
    Category.BLOCKED_BY_PAYER: "was stopped by the payer or by a block they set at their bank",
    Category.FRAUD: "was refused on suspicion of fraud",
    Category.DECEASED: "could not be collected: the bank reports that the account holder has died",
    Category.LEGAL: "could not be collected for a legal reason",
    Category.TECHNICAL: "failed for a technical reason that is not the payer's",
    Category.CREDITOR_ERROR: "failed through a mistake of ours",
    Category.UNKNOWN: "failed for a reason nobody has classified",
}
WITHHELD: Mapping[str, str] = {
    Withholding.OPEN_CASE: "a case is open",
    Withholding.QUIET_HOURS: "it would fall in quiet hours",
    Withholding.HOLIDAY: "it would fall on a Sunday or public holiday",
    Withholding.CONTACT_CAP: "the payer has been contacted often enough lately",
    Withholding.CALL_CAP: "the payer was called or spoken to lately",
    Withholding.NO_CONSENT: "the payer has not allowed this channel",
    Withholding.NO_CHANNEL: "there is no channel to reach the payer",
    Withholding.SCHEME_LIMIT: "the payment scheme allows no further attempt",
    Withholding.NOTICE_PERIOD: "its date and amount could not be announced in time",
    Withholding.NO_RUN: "no collection run is planned",
    Withholding.PROMISE: "the payer promised to pay",
    Withholding.PLAN: "a payment plan is being kept",
    Withholding.THRESHOLD: "the amount is too small to trouble anybody",
    Withholding.STALE_DATA: "payment data is incomplete or too old to act on",
    Withholding.MONEY_IN_TRANSIT: "money is on its way",
    Withholding.NOT_STARTED: "it is before the day from which Dunwell acts, or outside the pilot",
    Withholding.SWITCHED_OFF: "the processor seems to be out of order",
    Withholding.CAPACITY: "the team has as many calls today as it can make",
    Withholding.OTHER_SYSTEM: "another system tries this payment again",
}


@lru_cache(maxsize=4096)
def amount(minor: int, currency: str) -> str:
    """An amount with its currency; an unknown currency is shown in its smallest unit."""
    try:
        return f"{money.text(minor, currency)} {currency}"
    except ValueError:
        return f"{minor} (smallest unit) {currency}"


@lru_cache(maxsize=1024)
def day(when: date) -> str:
    """A date as people write it: 5 March 2026."""
    return f"{when.day} {when:%B} {when.year}"


@lru_cache(maxsize=4096)
def moment(when: datetime, where: ZoneInfo) -> str:
    """An instant as people say it in ``where``."""
    there = when.astimezone(where)
    return f"{there:%H:%M} on {there:%A} {day(there.date())}"


def cause(category: Category | None, minor: int, currency: str, due_on: date) -> str:
    """What happened to an installment."""
    return f"{amount(minor, currency)} due {day(due_on)} {CAUSES[category]}."


def reported(reason: Reason | None) -> str:
    """What was reported of the failure, in the catalogue's words; nothing where nothing was, and nothing sensitive."""
    if reason is None or reason.sensitive or reason.category in SENSITIVE:
        return ""
    if not reason.code:
        return "No reason was reported."
    return (
        f"Reported as {reason.code}: {reason.meaning[:1].lower()}{reason.meaning[1:]}." if reason.meaning else f"Reported as {reason.code}."
    )


def and_others(count: int) -> str:
    """Say that more is covered."""
    return "" if count < 2 else f"This covers {count} open installments together."


def waits_for(retry_on: date) -> str:
    """Say that a step waits for what a retry brings."""
    return f"It waits for what the try of {day(retry_on)} brings."


def still_to_come(due: Sequence[date]) -> str:
    """Say that what is still to come should be stopped as well."""
    if not due:
        return ""
    return f"Proposed to be stopped as well: {len(due)} still to come, due {', '.join(day(one) for one in sorted(due))}."


def because_withheld(reasons: Sequence[str]) -> str:
    """Why something was withheld, for the flag; hold causes are not named there."""
    said = [WITHHELD.get(reason, "a hold stands") for reason in reasons]
    return " and ".join(dict.fromkeys(said))


def whole(units: int, currency: str) -> int:
    """Whole units of a currency in its smallest unit; two decimals where the currency is unknown."""
    try:
        return int(units * 10 ** money.digits(currency))
    except ValueError:
        return units * 100


SUBJECTS: Mapping[str, str] = {
    Kind.REMIND: "Remind of {}",
    Kind.REQUEST_METHOD: "Ask for another way to pay {}",
    Kind.OFFER_PLAN: "Offer to pay {} in parts",
    Kind.APOLOGISE: "Apologise for our mistake with {}",
    Kind.CALL: "Call about {}",
    Kind.REVIEW: "Look at {}",
    Kind.ESCALATE: "Escalate {}",
    Kind.PROPOSE_REFERRAL: "Decide on a referral of {}",
    Kind.PROPOSE_WRITE_OFF: "Decide on writing off {}",
    "authenticate": "Ask the payer to confirm the payment of {}",
    "membership_stay": "Ask whether they wish to stay; {} is open",
    "partial_payment": "Thank for a part, and say that {} remains",
    "plan_missed": "Ask what happened to the payment plan for {}",
    "request_mandate": "Ask for a new mandate for {}",
}
"""Subjects by what is said, where a template says it; else by kind."""


def subject(kind: Kind, template: str | None, minor: int, currency: str, *, gift: bool = False) -> str:
    """Subject of a follow-up where the policy words none; a gift is not open, it is invited."""
    if gift and kind is Kind.REMIND:
        return f"Invite once more to give {amount(minor, currency)}"
    return SUBJECTS.get(template or kind, SUBJECTS.get(kind, "{}")).format(amount(minor, currency))
