"""``Payment_Outcome__e`` payloads → Reports, and Placements → records of the org.

Must not judge a report (core/matching does). Invariant: any payload at all gives a Report; what cannot be
read is said in ``problems``, and no text grows beyond its field.
"""

from collections.abc import Mapping as MappingOf
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from connector.core.matching import Placement, Report
from connector.mapping import own
from connector.mapping.org import Mapping

TEXT_LIMIT = 32_000
"""Reason_Text__c holds 32,768 characters; the rest is cut with a mark."""


def report(payload: MappingOf[str, object], event_uuid: str, received_at: datetime) -> Report:
    """Read one payload, whatever it holds."""
    problems: list[str] = []
    return Report(
        event_uuid=event_uuid,
        received_at=received_at,
        version=_text(payload, "Version__c", 20) or "",
        provider=_text(payload, "Provider__c", 80) or "",
        provider_reference=_text(payload, "Provider_Reference__c", 255),
        installment_id=_id(payload, problems),
        installment_reference=_text(payload, "Installment_Reference__c", 255),
        outcome=(_text(payload, "Outcome__c", 40) or "").lower() or None,
        amount=_amount(payload, problems),
        currency=(_text(payload, "Currency__c", 10) or "").upper() or None,
        occurred_at=_moment(payload, problems),
        scheme=_text(payload, "Scheme__c", 40),
        code_set=_text(payload, "Code_Set__c", 40),
        reason_code=_text(payload, "Reason_Code__c", 80),
        reason_text=_text(payload, "Reason_Text__c", TEXT_LIMIT),
        reason_country=(_text(payload, "Reason_Country__c", 2) or "").upper() or None,
        advice_code=_text(payload, "Advice_Code__c", 10),
        payer_initiated=payload.get("Payer_Initiated__c") is True,
        problems=tuple(problems),
    )


def attempt_record(
    mapping: Mapping, placement: Placement, one: Report, category: str | None, *, parked: str | None = None
) -> dict[str, object]:
    """Fields of the Payment Attempt for a placement; ``parked`` overrides why it is parked (shadow mode)."""
    because = parked or placement.parked
    links: dict[str, object] = {mapping.payer_of(placement.payer).own_link: placement.payer} if placement.payer else {}
    amount = one.amount if one.amount is not None and abs(one.amount) < Decimal(10) ** 14 else None
    return _filled(
        {
            own.KEY: placement.key,
            **links,
            "Provider__c": one.provider,
            "Provider_Reference__c": one.provider_reference,
            "Installment_Id__c": placement.installment.id if placement.installment else one.installment_id,
            "Installment_Reference__c": one.installment_reference,
            "Outcome__c": one.outcome,
            "Scheme__c": one.scheme,
            "Code_Set__c": one.code_set,
            "Reason_Code__c": one.reason_code,
            "Reason_Text__c": one.reason_text,
            "Reason_Country__c": one.reason_country,
            "Advice_Code__c": one.advice_code,
            "Category__c": category,
            "Status__c": "Parked" if because else "Placed",
            "Parked_Because__c": because,
            "Amount__c": amount,
            "Currency__c": (one.currency or (placement.installment.currency if placement.installment else None) or "")[:3],
            "Occurred_At__c": one.at,
            "Payer_Initiated__c": one.payer_initiated,
            "Event_Uuid__c": one.event_uuid[:36],
            "Version__c": one.version,
        }
    )


def payment_record(mapping: Mapping, placement: Placement, one: Report) -> tuple[str, dict[str, object]]:
    """Object and fields of the payment that Dunwell records for a placement."""
    names, chosen = mapping.payments, placement.installment
    if chosen is None:
        raise ValueError("a payment needs an installment")
    payer = mapping.payer_of(str(placement.payer))
    wanted: dict[str | None, object] = {
        names.key: placement.key,
        names.installment: chosen.id,
        payer.link: placement.payer,
        names.amount: placement.amount,
        names.on: one.at.astimezone(mapping.creditor.zone).date(),
        names.at: one.at,
        names.reference: one.provider_reference,
        names.reason_code: one.reason_code if placement.amount is not None and placement.amount < 0 else None,
        names.payment_method: chosen.payment_method,
        names.processor: chosen.processor,
        names.payer_initiated: one.payer_initiated,
        mapping.installments.currency: chosen.currency,
    }
    return names.object, _filled({name: value for name, value in wanted.items() if name})


def _filled(values: MappingOf[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value not in (None, "")}


def _text(payload: MappingOf[str, object], name: str, limit: int) -> str | None:
    value = payload.get(name)
    if value is None or value == "":
        return None
    whole = str(value).strip()
    return whole if len(whole) <= limit else whole[: limit - 1] + "…"


def _id(payload: MappingOf[str, object], problems: list[str]) -> str | None:
    value = _text(payload, "Installment__c", 255)
    if value is None:
        return None
    if len(value) not in (15, 18) or not value.isalnum() or not value.isascii():
        problems.append("Installment__c does not hold a record id (15 or 18 letters and digits)")
        return None
    return value


def _amount(payload: MappingOf[str, object], problems: list[str]) -> Decimal | None:
    value = payload.get("Amount__c")
    if value is None or value == "":
        return None
    try:
        found = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        problems.append("Amount__c does not hold a number")
        return None
    return found


def _moment(payload: MappingOf[str, object], problems: list[str]) -> datetime | None:
    value = payload.get("Occurred_At__c")
    if value is None or value == "":
        return None
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        problems.append("Occurred_At__c does not hold a date and time")
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
