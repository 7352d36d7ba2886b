"""The shape of FACTS.json (design section 5), checked strictly.

Must not interpret. Invariant: absent and null mean the same everywhere; a key that is not in the shape, a word
outside a closed list, a currency ISO 4217 does not know and a time without a zone for ``now`` are refused.
"""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, field_validator, model_validator

from connector.core import money
from connector.core.words import Channel, ClaimKind, CodeSet, FollowUpStatus, HoldCause, InstallmentStatus, Kind, Outcome, Scheme

_AMOUNT = re.compile(r"[+-]?\d+(\.\d+)?")
_YEARS = range(1900, 2200)
"""Years a time may be of: at both ends of the calendar every sum of days overflows."""


def _text(value: object) -> object:
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


def _amount(value: object) -> object:
    if isinstance(value, str) and _AMOUNT.fullmatch(value.strip()):
        return Decimal(value.strip())
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return Decimal(str(value))
    raise ValueError("an amount is a string or a number such as 40.00")


def _date(value: object) -> object:
    if isinstance(value, str) and len(value) == 10:
        return date.fromisoformat(value)
    raise ValueError("a date is written 2026-03-02")


def _instant(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("a time is written 2026-03-02T09:00:00+01:00")  # noqa: TRY004 - pydantic reports ValueError
    at = datetime.fromisoformat(value)
    if at.year not in _YEARS:
        raise ValueError("a time of that year is a mistake")
    return at


def _advice(value: object) -> object:
    return f"{value:02d}" if isinstance(value, int) and not isinstance(value, bool) else value


_PART = re.compile(r"[A-Za-z]{2}-[A-Za-z0-9]{1,3}")


def _country(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", value):
        raise ValueError("a country is two letters of ISO 3166-1, such as NL")
    return value.upper()


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError("no IANA time zone such as Europe/Amsterdam") from None
    return value


Text = Annotated[str, BeforeValidator(_text)]
Id = Annotated[str, BeforeValidator(_text), Field(min_length=1)]
Amount = Annotated[Decimal, BeforeValidator(_amount)]
Day = Annotated[date, BeforeValidator(_date)]
Instant = Annotated[datetime, BeforeValidator(_instant)]


class Part(BaseModel):
    """Every part of the file: frozen, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ContactAllowed(Part):
    """Consent by channel; null = nobody asked."""

    email: StrictBool | None = None
    sms: StrictBool | None = None
    call: StrictBool | None = None


class HoldFacts(Part):
    """A stop on contact or collection."""

    cause: HoldCause
    until: Day | None = None
    id: Id | None = None
    from_on: Day | None = Field(default=None, alias="from")
    installments: tuple[Id, ...] | None = None


class RepresentativeFacts(Part):
    """Who is contacted in the payer's place."""

    id: Id
    name: Text | None = None
    role: Literal["attorney", "executor", "guardian", "debt_adviser", "representative"] | None = None
    country: Text | None = None
    time_zone: Text | None = None
    phone_time_zone: Text | None = None
    preferred_channel: Channel | None = None
    contact_allowed: ContactAllowed | None = None

    @field_validator("time_zone", "phone_time_zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        return None if value is None else _zone(value)

    @field_validator("country")
    @classmethod
    def _known_country(cls, value: str | None) -> str | None:
        return None if value is None else _country(value)


class PayerFacts(Part):
    """Who owes."""

    id: Id
    name: Text | None = None
    kind: Literal["person", "company"] | None = None
    customer_since: Day | None = None
    country: Text | None = None
    region: Text | None = None
    time_zone: Text | None = None
    phone_time_zone: Text | None = None
    language: Text | None = None
    preferred_channel: Channel | None = None
    contact_allowed: ContactAllowed | None = None
    hold: HoldFacts | None = None
    holds: tuple[HoldFacts, ...] | None = None
    vulnerable: StrictBool | None = None
    segment: Text | None = None
    value: Text | None = None
    risk: Text | None = None
    representative: RepresentativeFacts | None = None

    @field_validator("time_zone", "phone_time_zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        return None if value is None else _zone(value)

    @model_validator(mode="before")
    @classmethod
    def _part_of_country(cls, data: object) -> object:
        """``GB-SCT`` says country and region at once (ISO 3166-2)."""
        if not isinstance(data, dict) or not isinstance(data.get("country"), str) or not _PART.fullmatch(data["country"]):
            return data
        country, _, region = data["country"].partition("-")
        return {**data, "country": country, "region": data.get("region") or region.upper()}

    @field_validator("country")
    @classmethod
    def _known_country(cls, value: str | None) -> str | None:
        return None if value is None else _country(value)


class InstallmentFacts(Part):
    """One claim."""

    id: Id
    amount: Amount
    currency: str
    due_on: Day
    product: Text | None = None
    claim_kind: ClaimKind | None = None
    payment_method: Text | None = None
    scheme: Scheme | None = None
    status: InstallmentStatus | None = None
    credential: Text | None = None
    mandate: Text | None = None

    @field_validator("currency")
    @classmethod
    def _known_currency(cls, value: str) -> str:
        money.digits(value)
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        money.to_minor(self.amount, self.currency)
        return self


class PaymentFacts(Part):
    """One try to move money, or one that moved it."""

    id: Id | None = None
    installment: Id | None = None
    amount: Amount | None = None
    at: Instant | None = None
    outcome: Outcome
    scheme: Scheme | None = None
    code_set: CodeSet | None = None
    reason_code: Text | None = None
    reason_country: Text | None = None
    advice_code: Annotated[str, BeforeValidator(_advice)] | None = None
    payer_initiated: StrictBool | None = None
    currency: str | None = None
    reference: Text | None = None

    @field_validator("currency")
    @classmethod
    def _known_currency(cls, value: str | None) -> str | None:
        if value is not None:
            money.digits(value)
        return value

    @field_validator("reason_country")
    @classmethod
    def _known_country(cls, value: str | None) -> str | None:
        return None if value is None else _country(value)


class CaseFacts(Part):
    """A case of the payer. Where ``is_closed`` is absent, only the status Closed says so."""

    id: Id
    status: Text | None = None
    is_closed: StrictBool | None = None
    type: Text | None = None
    subject: Text | None = None
    opened_at: Instant | None = None
    closed_at: Instant | None = None
    owner: Text | None = None


class ContactFacts(Part):
    """A contact that was really made."""

    at: Instant
    channel: Channel | None = None
    kind: Text | None = None
    key: Text | None = None
    conversation: StrictBool | None = None


class PromiseFacts(Part):
    """A promise to pay."""

    on: Day
    installment: Id | None = None
    amount: Amount | None = None
    currency: str | None = None
    id: Id | None = None


class PlanFacts(Part):
    """A payment plan."""

    state: Literal["offered", "kept", "missed"]
    id: Id | None = None


class RunFacts(Part):
    """A coming collection run."""

    on: Day
    scheme: Scheme | None = None


class FollowUpFacts(Part):
    """A follow-up the org shows already."""

    key: Id
    kind: Kind
    status: FollowUpStatus
    at: Instant | None = None
    surfaced: StrictBool | None = None


class FactsFile(Part):
    """One element."""

    now: Instant
    payer: PayerFacts
    installments: tuple[InstallmentFacts, ...]
    policy: Text | None = None
    payments: tuple[PaymentFacts, ...] | None = None
    cases: tuple[CaseFacts, ...] | None = None
    contacts: tuple[ContactFacts, ...] | None = None
    promises: tuple[PromiseFacts, ...] | None = None
    plan: PlanFacts | None = None
    runs: tuple[RunFacts, ...] | None = None
    return_ratio: dict[str, Amount | dict[str, Amount]] | None = None
    follow_ups: tuple[FollowUpFacts, ...] | None = None

    @field_validator("now")
    @classmethod
    def _aware(cls, value: datetime) -> datetime:
        if value.tzinfo is None:
            raise ValueError("needs an offset, such as 2026-03-02T09:00:00+01:00")
        return value

    def ratios(self) -> dict[str, float]:
        """Return ratios by name; of a nested one, ``outer.inner``."""
        found: dict[str, float] = {}
        for name, value in (self.return_ratio or {}).items():
            inner = {name: value} if isinstance(value, Decimal) else {f"{name}.{part}": one for part, one in value.items()}
            found |= {part: float(one) for part, one in inner.items()}
        return found
