"""Records of the org → rows of the Snapshot's frames: the edge where untyped records end.

The two long frames are read column by column in ``columns``. Must not decide anything. Invariant: what cannot be read as its type is a PermanentError naming the object,
the record's id and the field, so that one broken record parks one payer.
"""

from collections.abc import Mapping as MappingOf
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from connector.core.money import to_minor
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
        raise unreadable(record, str(name), "a number") from None


def money(record: Record, name: str | None, currency: str) -> int | None:
    """An amount in minor units of ``currency``."""
    value = number(record, name)
    if value is None:
        return None
    try:
        return to_minor(value, currency)
    except ValueError as error:
        raise PermanentError(f"record {text(record, 'Id')}: {name} holds no amount in {currency}: {error}") from None


def moment(record: Record, name: str | None) -> datetime | None:
    """A datetime, in UTC. The platform writes ``2026-11-21T10:00:00.000+0000`` (salesforce.md C.4)."""
    value = text(record, name)
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise unreadable(record, str(name), "a date and time") from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def day(record: Record, name: str | None) -> date | None:
    """A date without a time."""
    value = text(record, name)
    if value is None:
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        raise unreadable(record, str(name), "a date") from None


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
        "region": text(record, names.region),
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


def plan_cells(record: Record) -> Row:
    """What a payer's row says of their plan."""
    return {
        "plan_state": (text(record, "State__c") or "").lower(),
        "plan_id": text(record, "Id"),
        "plan_starts_on": day(record, "Starts_On__c"),
        "plan_ends_on": day(record, "Ends_On__c"),
        "plan_installments": text(record, "Installments__c"),
    }


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


def unreadable(record: Record, name: str, wanted: str) -> PermanentError:
    """Error that names a record and the field that does not hold what is ``wanted``."""
    return PermanentError(f"record {text(record, 'Id')}: {name} does not hold {wanted}")
