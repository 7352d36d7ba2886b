"""How a report writes numbers, amounts, moments and the closed lists' words for people.

Must not add anything up. Invariant: amounts keep exactly the decimals of their currency.
"""

from collections.abc import Mapping
from datetime import datetime

from connector.core.changes import DISCREET
from connector.core.money import to_decimal
from connector.core.tally import NOTHING_FAILED, Age
from connector.core.words import ArrearsStatus, Category

STATUSES = (
    ArrearsStatus.ESCALATED, ArrearsStatus.IN_ARREARS, ArrearsStatus.PAYMENT_PLAN, ArrearsStatus.ON_HOLD, ArrearsStatus.WATCH, ArrearsStatus.CLEAR,
)  # fmt: skip
"""As a report lists them: the gravest first."""
AGES: Mapping[str, str] = {
    Age.NOT_DUE: "Not yet due",
    Age.TODAY: "Due today",
    Age.TO_30: "1 to 30 days",
    Age.TO_60: "31 to 60 days",
    Age.TO_90: "61 to 90 days",
    Age.OVER_90: "Over 90 days",
}
REASONS: Mapping[str, str] = {
    Category.INSUFFICIENT_FUNDS: "Not enough money",
    Category.METHOD_INVALID: "Payment method not valid",
    Category.MANDATE_INVALID: "Mandate not valid",
    Category.AUTHENTICATION_REQUIRED: "Payer must authenticate",
    Category.REFUSED: "Refused, no reason told",
    Category.DISPUTED: "Disputed",
    Category.BLOCKED_BY_PAYER: "Stopped by the payer",
    Category.TECHNICAL: "Technical fault",
    Category.CREDITOR_ERROR: "Our own mistake",
    Category.UNKNOWN: "Unknown reason",
    NOTHING_FAILED: "Unpaid, nothing failed",
    DISCREET: "Do not contact",
}
OBJECTS: Mapping[str, str] = {
    "Dunwell_Position__c": "Arrears Positions",
    "Dunwell_Follow_Up__c": "Follow-Ups",
    "Dunwell_Hold__c": "Holds",
    "Dunwell_Attempt__c": "Payment Attempts",
    "Task": "Tasks",
    "Contact": "Contacts (flag)",
    "Account": "Accounts (flag)",
}
FIGURES: Mapping[str, str] = {"api_calls": "API calls"}
NONE = "-"


def word(text: str) -> str:
    """Give a word of a closed list as people read it: ``request_method`` → ``Request method``, ``hold:manual`` → ``Hold: manual``."""
    told = text.replace("_", " ").replace(":", ": ")
    return told[:1].upper() + told[1:]


def number(value: int) -> str:
    """Give a count: ``1,200``."""
    return f"{value:,}"


def amount(minor: int, currency: str) -> str:
    """Give an amount: ``1,234.50 EUR``."""
    return f"{to_decimal(minor, currency):,f} {currency}"


def amounts(found: Mapping[str, int]) -> tuple[str, ...]:
    """Give amounts, one a currency; zero is left out."""
    return tuple(amount(minor, currency) for currency, minor in sorted(found.items()) if minor)


def change(now: int, before: int) -> tuple[str, ...]:
    """Give how far a count moved: ``+3``, ``-2``, or nothing where it did not."""
    return (_signed(now - before, number(abs(now - before))),) if now != before else ()


def changes(now: Mapping[str, int], before: Mapping[str, int]) -> tuple[str, ...]:
    """Give how far amounts moved, one a currency that moved."""
    moved = {currency: now.get(currency, 0) - before.get(currency, 0) for currency in sorted({*now, *before})}
    return tuple(_signed(by, amount(abs(by), currency)) for currency, by in moved.items() if by)


def day_and_time(at: datetime) -> str:
    """Give a moment: ``Mon 2 Mar 2026, 02:00``."""
    return f"{at:%a} {at.day} {at:%b %Y, %H:%M}"


def day(at: datetime) -> str:
    """Give its day: ``2 Mar``."""
    return f"{at.day} {at:%b}"


def short(at: datetime) -> str:
    """Give a moment in a table of moments: ``2 Mar, 02:00``."""
    return f"{day(at)}, {at:%H:%M}"


def duration(seconds: float) -> str:
    """Give a duration: ``8.4 s``, ``12 min 5 s``, ``1 h 2 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _signed(by: int, text: str) -> str:
    return f"{'+' if by > 0 else '-'}{text}"
