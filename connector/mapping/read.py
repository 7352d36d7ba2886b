"""Records of the org → rows of the Snapshot's frames: the edge where untyped records end.

Must not decide anything. Invariant: what cannot be read as its type is a PermanentError naming the object,
the record's id and the field, so that one broken record parks one payer.
"""

from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from zoneinfo import ZoneInfo

from connector.core.money import to_minor
from connector.core.words import Outcome
from connector.errors import PermanentError
from connector.mapping.org import Mapping, PayerObject

Record = MappingOf[str, object]
Row = dict[str, object]


def field(record: Record, name: str | None) -> object:
    """Value of ``name``, following relationship paths (``A__r.B__c``); None where anything on the way is empty."""
    if name is None:
        return None
    if "." not in name:
        return record.get(name)
    value: object = record
    for part in name.split("."):
        if not isinstance(value, (dict, MappingOf)):  # dict first: it is what there is, and an ABC takes long to ask
            return None
        value = value.get(part)
    return value


def text(record: Record, name: str | None) -> str | None:
    """A text or picklist value; empty is None."""
    value = field(record, name)
    if type(value) is str:
        return value or None
    return None if value is None else str(value)


def flag(record: Record, name: str | None) -> bool | None:
    """A checkbox; None where the org has no such field."""
    value = field(record, name)
    return bool(value) if value is not None else None


def number(record: Record, name: str | None) -> Decimal | None:
    """A number or currency value."""
    value = field(record, name)
    if value is None or value == "":
        return None
    if type(value) is Decimal:
        return value
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise _unreadable(record, str(name), "a number") from None


def money(record: Record, name: str | None, currency: str) -> int | None:
    """An amount in minor units of ``currency``."""
    value = number(record, name)
    if value is None:
        return None
    try:
        return _minor(value, currency)
    except (ValueError, TypeError) as error:  # TypeError: a signalling NaN cannot be looked up
        raise PermanentError(f"record {text(record, 'Id')}: {name} holds no amount in {currency}: {error}") from None


def moment(record: Record, name: str | None) -> datetime | None:
    """A datetime, in UTC. The platform writes ``2026-11-21T10:00:00.000+0000`` (salesforce.md C.4)."""
    value = text(record, name)
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise _unreadable(record, str(name), "a date and time") from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def day(record: Record, name: str | None) -> date | None:
    """A date without a time."""
    value = text(record, name)
    if value is None:
        return None
    try:
        return _date(value[:10])
    except ValueError:
        raise _unreadable(record, str(name), "a date") from None


# A batch of 24 months repeats its days and amounts a hundred times over.
_date = lru_cache(maxsize=4096)(date.fromisoformat)
_minor = lru_cache(maxsize=4096)(to_minor)


def first_day(record: Record, names: Iterable[str]) -> date | None:
    """Give the first of several date fields that is filled."""
    return next((found for name in names if (found := day(record, name)) is not None), None)


def payer_of(mapping: Mapping, record: Record, *, own_links: bool = False, prefix: str = "") -> str | None:
    """Whose record it is: the first payer link of the mapping that is filled."""
    for one in mapping.payers:
        found = text(record, one.own_link if own_links else prefix + one.link)
        if found:
            return found
    return None


def payer_row(payer: PayerObject, record: Record) -> Row:
    """One row of ``payers``."""
    names = payer.fields
    opted_out = flag(record, names.email_opted_out)
    return {
        "id": text(record, "Id"),
        "kind": payer.kind,
        "customer_since": day(record, names.customer_since),
        "country": _country(text(record, names.country)),
        "time_zone": text(record, names.time_zone),
        "phone_time_zone": text(record, names.phone_time_zone),
        "language": text(record, names.language),
        "preferred_channel": text(record, names.preferred_channel),
        "allow_email": None if opted_out is None else not opted_out,
        "allow_sms": flag(record, names.allow_sms),
        "allow_call": flag(record, names.allow_call),
        "vulnerable": flag(record, names.vulnerable),
        "segment": text(record, names.segment),
        "value": text(record, names.value),
        "risk": text(record, names.risk),
    }


def installment_row(mapping: Mapping, record: Record) -> Row:
    """One row of ``installments``. An amount that is missing is a PermanentError: a claim without an amount is no claim."""
    one = mapping.installments
    amount, due_on = number(record, one.amount), first_day(record, one.due_on)
    if amount is None:
        raise _unreadable(record, one.amount, "an amount")
    if due_on is None:
        raise _unreadable(record, one.due_on[0], "a due date")
    currency = text(record, one.currency) or mapping.creditor.currency
    status, method = text(record, one.status), text(record, one.payment_method)
    times_failed = number(record, one.times_failed)
    return {
        "id": text(record, "Id"),
        "payer": payer_of(mapping, record),
        "amount_minor": money(record, one.amount, currency),
        "currency": currency,
        "due_on": due_on,
        "product": text(record, one.product),
        "claim_kind": _claim_kind(mapping, text(record, one.claim_kind)),
        "payment_method": method,
        "scheme": mapping.schemes.get(method or ""),
        "status": one.statuses.get(status or "", status),
        "credential": text(record, one.credential),
        "mandate": text(record, one.mandate),
        "retried_elsewhere": mapping.processor(text(record, one.processor)).retries == "other",
        "retry_stamp": text(record, one.retry.stamp) if one.retry else None,
        "times_failed": None if times_failed is None else int(times_failed),
        "last_failed_on": day(record, one.last_failed_on),
        "last_reason_code": text(record, one.last_reason_code),
    }


def payment_row(mapping: Mapping, record: Record) -> Row:
    """One row of ``payments`` for money that moved: negative with a reason code is reversed, without one refunded."""
    one = mapping.payments
    amount = number(record, one.amount)
    if amount is None:
        raise _unreadable(record, one.amount, "an amount")
    currency = text(record, mapping.installments.currency) or mapping.creditor.currency
    code = text(record, one.reason_code)
    method = text(record, one.payment_method)
    outcome = Outcome.COLLECTED if amount >= 0 else Outcome.REVERSED if code else Outcome.REFUNDED
    at = moment(record, one.at) or _midnight(day(record, one.on), mapping.creditor.zone)
    return {
        "id": text(record, "Id"),
        "payer": payer_of(mapping, record, prefix=one.installment_relation + ".") or payer_of(mapping, record),
        "installment": text(record, one.installment),
        "amount_minor": money(record, one.amount, currency),
        "currency": currency,
        "at": at,
        "outcome": outcome,
        "scheme": mapping.schemes.get(method or ""),
        "reason_code": code,
        "payer_initiated": bool(flag(record, one.payer_initiated)) and one.at is not None and text(record, one.at) is not None,
        "reference": text(record, one.reference),
    }


def attempt_row(mapping: Mapping, record: Record) -> Row:
    """One row of ``payments`` for an attempt that moved nothing."""
    currency = text(record, "Currency__c") or mapping.creditor.currency
    return {
        "id": text(record, "Id"),
        "payer": payer_of(mapping, record, own_links=True),
        "installment": text(record, "Installment_Id__c"),
        "amount_minor": money(record, "Amount__c", currency),
        "currency": currency,
        "at": moment(record, "Occurred_At__c"),
        "outcome": text(record, "Outcome__c"),
        "scheme": text(record, "Scheme__c"),
        "code_set": text(record, "Code_Set__c"),
        "reason_code": text(record, "Reason_Code__c"),
        "reason_country": text(record, "Reason_Country__c"),
        "advice_code": text(record, "Advice_Code__c"),
        "payer_initiated": flag(record, "Payer_Initiated__c"),
        "reference": text(record, "Provider_Reference__c"),
    }


def case_row(mapping: Mapping, record: Record) -> Row:
    """One row of ``cases``, without its payer (a case of a company's contact belongs to both)."""
    return {
        "id": text(record, "Id"),
        "is_closed": bool(flag(record, "IsClosed")),
        "type": text(record, mapping.cases.type),
        "subject": text(record, "Subject"),
        "status": text(record, "Status"),
        "opened_at": moment(record, mapping.cases.opened_at),
        "closed_at": moment(record, "ClosedDate"),
        "owner": text(record, "OwnerId"),
    }


def hold_rows(mapping: Mapping, record: Record) -> list[Row]:
    """Rows of ``holds``, one per installment it names; none once it was released."""
    if text(record, "Released_At__c"):
        return []
    base: Row = {
        "id": text(record, "Id"),
        "payer": payer_of(mapping, record, own_links=True),
        "cause": text(record, "Cause__c"),
        "from_on": day(record, "From__c"),
        "until": day(record, "Until__c"),
    }
    named = (text(record, "Installments__c") or "").split()
    return [{**base, "installment": one} for one in named] or [{**base, "installment": None}]


def promise_row(mapping: Mapping, record: Record) -> Row:
    """One row of ``promises``."""
    currency = text(record, "Currency__c") or mapping.creditor.currency
    return {
        "id": text(record, "Id"),
        "payer": payer_of(mapping, record, own_links=True),
        "installment": text(record, "Installment_Id__c"),
        "amount_minor": money(record, "Amount__c", currency),
        "currency": currency,
        "on": day(record, "On__c"),
    }


def _claim_kind(mapping: Mapping, value: str | None) -> str | None:
    return mapping.installments.claim_kinds.get(value or "", value)


_COUNTRIES = {
    "netherlands": "NL",
    "the netherlands": "NL",
    "nederland": "NL",
    "germany": "DE",
    "deutschland": "DE",
    "united kingdom": "GB",
    "belgium": "BE",
    "france": "FR",
    "austria": "AT",
    "ireland": "IE",
    "spain": "ES",
    "italy": "IT",
    "united states": "US",
    "united states of america": "US",
    "luxembourg": "LU",
    "slovakia": "SK",
}
"""Country names as orgs without state and country picklists write them (ISO 3166-1 alpha-2)."""


def _country(value: str | None) -> str | None:
    if value is None:
        return None
    return value.upper() if len(value) == 2 else _COUNTRIES.get(value.lower())


@lru_cache(maxsize=4096)
def _midnight(on: date | None, zone: ZoneInfo) -> datetime | None:
    return None if on is None else datetime.combine(on, time(), zone).astimezone(UTC)


def _unreadable(record: Record, name: str, wanted: str) -> PermanentError:
    return PermanentError(f"record {text(record, 'Id')}: {name} does not hold {wanted}")
