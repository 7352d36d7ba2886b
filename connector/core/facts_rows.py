"""A checked facts file → rows of the Snapshot's frames.

Must not judge. Invariant: what the file leaves out becomes null, never a guess; a reference inside the file
that leads nowhere is a problem, because a payment that is overlooked makes us chase who has paid.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from connector.core import money
from connector.core.facts_errors import meant
from connector.core.facts_model import (
    ContactAllowed,
    FactsFile,
    HoldFacts,
    InstallmentFacts,
    PayerFacts,
    PaymentFacts,
    PromiseFacts,
    RepresentativeFacts,
)
from connector.core.words import Outcome
from connector.errors import ConfigError

Row = dict[str, object]
Rows = dict[str, list[Row]]
Known = Mapping[str, InstallmentFacts]
_MOVING = frozenset({Outcome.COLLECTED, Outcome.REVERSED, Outcome.REFUNDED, Outcome.CHARGED_BACK})


def rows_of(file: FactsFile, time_zone: str) -> Rows:
    """Rows by frame. Times without an offset, and days without a time, are read in ``time_zone``.

    Raises:
        ConfigError: a reference that leads nowhere, an amount its currency cannot hold, or one without a currency.

    """
    problems: list[str] = []
    zone, payer = ZoneInfo(time_zone), file.payer.id
    known = _installments(file.installments, problems)
    holds = [(f"payer.holds[{at}]", one) for at, one in enumerate(file.payer.holds or ())]
    holds += [("payer.hold", file.payer.hold)] if file.payer.hold else []
    rows: Rows = {
        "payers": [
            _payer(file.payer) | {"plan_state": file.plan.state if file.plan else None, "plan_id": file.plan.id if file.plan else None}
        ],
        "installments": [_installment(one, payer) for one in file.installments],
        "payments": [_payment(one, f"payments[{at}]", known, zone, problems) for at, one in enumerate(file.payments or ())],
        "holds": [row for where, one in holds for row in _hold(one, where, known, problems)],
        "representatives": [_representative(file.payer.representative)] if file.payer.representative else [],
        "promises": [_promise(one, f"promises[{at}]", known, problems) for at, one in enumerate(file.promises or ())],
        "cases": [
            one.model_dump()
            | {"is_closed": (one.status or "").strip().lower() == "closed" if one.is_closed is None else one.is_closed}
            | {"opened_at": _utc(one.opened_at, zone), "closed_at": _utc(one.closed_at, zone)}
            for one in file.cases or ()
        ],
        "contacts": [one.model_dump() | {"at": _utc(one.at, zone)} for one in file.contacts or ()],
        "follow_ups": [one.model_dump() | {"at": _utc(one.at, zone)} for one in file.follow_ups or ()],
    }
    if problems:
        raise ConfigError(problems)
    for frame in rows.keys() - {"payers"}:
        for row in rows[frame]:
            row["payer"] = payer
    return rows


def _payer(one: PayerFacts) -> Row:
    facts = one.model_dump(exclude={"name", "contact_allowed", "hold", "holds", "representative"})
    return facts | {"kind": one.kind or "person"} | _consent(one.contact_allowed)


def _representative(one: RepresentativeFacts) -> Row:
    return one.model_dump(exclude={"name", "contact_allowed"}) | _consent(one.contact_allowed)


def _consent(allowed: ContactAllowed | None) -> Row:
    return {
        "allow_email": allowed.email if allowed else None,
        "allow_sms": allowed.sms if allowed else None,
        "allow_call": allowed.call if allowed else None,
    }


def _installments(found: Iterable[InstallmentFacts], problems: list[str]) -> Known:
    """Installments by id; the same id twice is a problem unless both say the same."""
    known: dict[str, InstallmentFacts] = {}
    for at, one in enumerate(found):
        if known.setdefault(one.id, one) != one:
            problems.append(f"installments[{at}].id: another installment has this id")
    return known


def _installment(one: InstallmentFacts, payer: str) -> Row:
    row = one.model_dump(exclude={"amount"})
    return row | {"amount_minor": money.to_minor(one.amount, one.currency), "payer": payer}


def _payment(one: PaymentFacts, where: str, known: Known, zone: ZoneInfo, problems: list[str]) -> Row:
    currency = _currency(one.currency, one.installment, f"{where}.installment", known, problems)
    amount = _minor(one.amount, currency, f"{where}.amount", problems)
    if one.installment is None and one.outcome in _MOVING:
        if one.amount is None:
            problems.append(f"{where}.amount: is needed where no installment is named")
        elif currency is None and known:
            problems.append(f"{where}.currency: is needed, the installments are in {' and '.join(sorted(_currencies(known)))}")
    paid_out = (claim := known.get(one.installment or "")) is not None and claim.amount < 0
    if one.outcome is Outcome.COLLECTED and amount is not None and amount < 0 and not paid_out:
        problems.append(
            f"{where}.amount: collected money is positive; money that went back is reversed, returned, charged_back or refunded"
        )
    return one.model_dump(exclude={"amount"}) | {"amount_minor": amount, "currency": currency, "at": _utc(one.at, zone)}


def _promise(one: PromiseFacts, where: str, known: Known, problems: list[str]) -> Row:
    currency = _currency(one.currency, one.installment, f"{where}.installment", known, problems)
    return one.model_dump(exclude={"amount"}) | {
        "amount_minor": _minor(one.amount, currency, f"{where}.amount", problems),
        "currency": currency,
    }


def _hold(one: HoldFacts, where: str, known: Known, problems: list[str]) -> list[Row]:
    row = one.model_dump(exclude={"installments"})
    for name in one.installments or ():
        _currency(None, name, f"{where}.installments", known, problems)
    return [row | {"installment": name} for name in one.installments or (None,)]


def _currency(own: str | None, installment: str | None, where: str, known: Known, problems: list[str]) -> str | None:
    """The currency of an amount: its own, its installment's, else the only one the file has."""
    if installment is not None and installment not in known:
        problems.append(f"{where}: no installment of this file has this id{meant(installment, known)}")
    if (claim := known.get(installment or "")) is not None:
        return own or claim.currency
    only = _currencies(known)
    return own or (only.pop() if len(only) == 1 else None)


def _currencies(known: Known) -> set[str]:
    return {one.currency for one in known.values()}


def _minor(amount: Decimal | None, currency: str | None, where: str, problems: list[str]) -> int | None:
    if amount is None or currency is None:
        return None
    try:
        return money.to_minor(amount, currency)
    except ValueError as error:
        problems.append(f"{where}: {error}")
        return None


def _utc(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    if at is None:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
