"""Records of the org → columns of the Snapshot's two long frames, installments and payments: 24 months of each payer.

Must not decide anything. Invariant: each value reads exactly as ``read`` reads it; what cannot be read is a PermanentError
naming the record and the field. Column by column, because a batch has ten thousand records and a call per value is what
takes the time; a column that meets something it cannot read is read again value by value, so that the error has a name.
"""

from collections.abc import Callable, Sequence
from collections.abc import Mapping as MappingOf
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from operator import itemgetter
from zoneinfo import ZoneInfo

from connector.core.frames import SCHEMA
from connector.core.money import to_minor
from connector.core.words import Outcome
from connector.errors import PermanentError
from connector.mapping import read
from connector.mapping.org import Mapping
from connector.mapping.read import Record

Columns = dict[str, list[object]]
"""Column → its values, in the order of the records; one that is absent holds nothing."""
Reading = Callable[[Mapping, Sequence[Record]], Columns]

# Days and amounts repeat a hundred times over in one batch.
_date = lru_cache(maxsize=4096)(date.fromisoformat)
_minor = lru_cache(maxsize=4096)(to_minor)


def installments(mapping: Mapping, records: Sequence[Record]) -> Columns:
    """Columns of ``installments``. An amount or a due date that is missing is a PermanentError: there is no claim without."""
    one = mapping.installments
    currencies, statuses = _currencies(mapping, records), texts(records, one.status)
    methods, processors = texts(records, one.payment_method), texts(records, one.processor)
    kinds: MappingOf[str, str] = one.claim_kinds
    retries_elsewhere = {name: mapping.processor(name).retries == "other" for name in set(processors)}
    times_failed = _numbers(records, one.times_failed)
    due_on = _days(records, one.due_on[0])
    for name in one.due_on[1:]:
        if None not in due_on:
            break
        due_on = [first or other for first, other in zip(due_on, _days(records, name), strict=True)]
    _all_there(records, due_on, one.due_on[0], "a due date")
    return {
        "id": [*texts(records, "Id")],
        "payer": [*_first(records, [payer.link for payer in mapping.payers])],
        "amount_minor": [*_amounts(records, one.amount, currencies)[1]],
        "currency": [*currencies],
        "due_on": [*due_on],
        "product": [*texts(records, one.product)],
        "claim_kind": [kinds.get(kind or "", kind) for kind in texts(records, one.claim_kind)],
        "payment_method": [*methods],
        "scheme": [mapping.schemes.get(method or "") for method in methods],
        "status": [one.statuses.get(status or "", status) for status in statuses],
        "credential": [*texts(records, one.credential)],
        "mandate": [*texts(records, one.mandate)],
        "processor": [*processors],
        "retried_elsewhere": [retries_elsewhere[name] for name in processors],
        "retry_stamp": [*texts(records, one.retry.stamp if one.retry else None)],
        "times_failed": [None if times is None else int(times) for times in times_failed],
        "last_failed_on": [*_days(records, one.last_failed_on)],
        "last_reason_code": [*texts(records, one.last_reason_code)],
    }


def payments(mapping: Mapping, records: Sequence[Record]) -> Columns:
    """Columns of ``payments`` for money that moved: negative with a reason code is reversed, without one refunded."""
    one = mapping.payments
    currencies, codes = _currencies(mapping, records), texts(records, one.reason_code)
    amounts, minor = _amounts(records, one.amount, currencies)
    links = [payer.link for payer in mapping.payers]
    whose = _first(records, [*(f"{one.installment_relation}.{link}" for link in links), *links])
    known_at = [read.moment(record, one.at) for record in records] if one.at else [None] * len(records)
    by_payer = _values(records, one.payer_initiated)
    return {
        "id": [*texts(records, "Id")],
        "payer": [*whose],
        "installment": [*texts(records, one.installment)],
        "amount_minor": [*minor],
        "currency": [*currencies],
        "at": [
            at or (None if on is None else _midnight(on, mapping.creditor.zone))
            for at, on in zip(known_at, _days(records, one.on), strict=True)
        ],
        "outcome": [
            Outcome.COLLECTED if amount >= 0 else Outcome.REVERSED if code else Outcome.REFUNDED
            for amount, code in zip(amounts, codes, strict=True)
        ],
        "scheme": [mapping.schemes.get(method or "") for method in texts(records, one.payment_method)],
        "reason_code": [*codes],
        "payer_initiated": [bool(told) and at is not None for told, at in zip(by_payer, known_at, strict=True)],
        "reference": [*texts(records, one.reference)],
    }


def sound(reading: Reading, mapping: Mapping, records: Sequence[Record], refuse: Callable[[Record, PermanentError], None]) -> Columns:
    """Columns of the records that can be read; ``refuse`` is told of each of the others."""
    try:
        return reading(mapping, records)
    except PermanentError as error:
        if len(records) == 1:
            refuse(records[0], error)
            return reading(mapping, ())
        half = len(records) // 2
        first, second = sound(reading, mapping, records[:half], refuse), sound(reading, mapping, records[half:], refuse)
        return {name: [*values, *second[name]] for name, values in first.items()}


def joined(name: str, columns: Columns, rows: Sequence[MappingOf[str, object]]) -> Columns:
    """Put rows of the frame ``name`` after its columns."""
    if not rows:
        return columns
    length = len(columns["id"])
    return {column: [*(columns.get(column) or [None] * length), *(row.get(column) for row in rows)] for column in SCHEMA[name]}


def without(columns: Columns, payers: MappingOf[str, object]) -> Columns:
    """Leave out the rows of ``payers``."""
    kept = [payer not in payers for payer in columns["payer"]]
    return {name: [value for value, keep in zip(values, kept, strict=True) if keep] for name, values in columns.items()}


def _values(records: Sequence[Record], name: str | None) -> Sequence[object]:
    if name is None:
        return [None] * len(records)
    head, _, rest = name.partition(".")
    try:
        found: Sequence[object] = [*map(itemgetter(head), records)]
    except KeyError:  # the org left it out
        found = [record.get(head) for record in records]
    return _values([one if isinstance(one, dict) else {} for one in found], rest) if rest else found


def texts(records: Sequence[Record], name: str | None) -> Sequence[str | None]:
    """A text or picklist value of each record, as ``read.text`` reads it."""
    found = _values(records, name)
    if _TEXT.issuperset(map(type, found)) and "" not in found:
        return found  # type: ignore[return-value]
    return [value or None if type(value) is str else None if value is None else str(value) for value in found]


_NONE = type(None)
_TEXT = frozenset({str, _NONE})


def _currencies(mapping: Mapping, records: Sequence[Record]) -> Sequence[str]:
    return [one or mapping.creditor.currency for one in texts(records, mapping.installments.currency)]


def _days(records: Sequence[Record], name: str | None) -> Sequence[date | None]:
    try:
        return [None if one is None else _date(one[:10]) for one in texts(records, name)]
    except ValueError:
        return [read.day(record, name) for record in records]


def _numbers(records: Sequence[Record], name: str | None) -> Sequence[Decimal | None]:
    found = _values(records, name)
    if {*map(type, found)} == {Decimal}:
        return found  # type: ignore[return-value]
    return [read.number(record, name) for record in records]


def _amounts(records: Sequence[Record], name: str, currencies: Sequence[str]) -> tuple[Sequence[Decimal], Sequence[int]]:
    """Amounts as they are and in minor units; PermanentError for one that is missing or that ``to_minor`` refuses."""
    amounts = _numbers(records, name)
    _all_there(records, amounts, name, "an amount")
    there = [amount for amount in amounts if amount is not None]
    try:
        return there, [*map(_minor, there, currencies)]
    except (ValueError, TypeError):  # TypeError: a signalling NaN cannot be looked up
        named = zip(records, currencies, strict=True)
        return there, [minor for record, currency in named if (minor := read.money(record, name, currency)) is not None]


def _all_there(records: Sequence[Record], values: Sequence[object], name: str, wanted: str) -> None:
    if _NONE in {*map(type, values)}:  # not `None in values`: that asks each Decimal whether it is like None
        raise read.unreadable(records[[*map(type, values)].index(_NONE)], name, wanted)


def _first(records: Sequence[Record], names: Sequence[str]) -> Sequence[str | None]:
    """The first of several links that is filled."""
    found = texts(records, names[0])
    for name in names[1:]:
        if None not in found:
            break
        found = [one or other for one, other in zip(found, texts(records, name), strict=True)]
    return found


@lru_cache(maxsize=4096)
def _midnight(on: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(on, time(), zone).astimezone(UTC)
