"""What stands still in the org: query texts, and rows → findings.

Must not run a query or decide what is told. Invariants: each question is asked twice, how many and the newest of them, so that any number
of findings costs two answers; a part that the mapping does not declare is not asked.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import TypeVar

from simple_salesforce.format import format_soql

from connector.core.alerts import START, Alert, ShownAlert
from connector.core.findings import Counted, Finding, FindingKind, LoosePayment, Waiting, loose_payment, recollection, unfinished
from connector.core.words import InstallmentStatus
from connector.errors import PermanentError
from connector.mapping import own, read
from connector.mapping.org import Backlog, Mapping, Recollections
from connector.mapping.queries import Query
from connector.mapping.read import Record

_T = TypeVar("_T")
NEWEST = 100
"""Rows of a question that are read; more than are told, because their order is decided by more than one record."""
PREPAID = timedelta(days=62)
"""Payments come at most so long before their installment is due: one due so soon after the history begins has them all in it."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that is asked: how many there are (with the amounts, by currency) and the newest of them."""

    kind: FindingKind
    count: Query
    newest: Query
    backlog: Backlog | None = None


def questions(mapping: Mapping, now: datetime) -> list[Question]:
    """Everything that the mapping declares, but for counters."""
    declared = mapping.findings
    found = [_backlog(one, now) for one in declared.backlogs]
    if declared.recollections is not None:
        found.append(_recollections(mapping, declared.recollections, now))
    if declared.loose_payments is not None:
        found.append(_loose_payments(mapping, now - timedelta(hours=declared.loose_payments.after_hours), now))
    return found


def _backlog(one: Backlog, now: datetime) -> Question:
    until = f" AND SystemModstamp <= {_instant(now - timedelta(hours=one.after_hours))}" if one.after_hours else ""
    where = format_soql(f"FROM {one.object} WHERE {one.status} IN {{}}", list(one.stuck)) + until
    return _asked(FindingKind(one.kind), where, ["Id", one.status, "SystemModstamp"], backlog=one)


def _recollections(mapping: Mapping, one: Recollections, now: datetime) -> Question:
    installments, retry = mapping.installments, mapping.installments.retry
    if retry is None:  # pragma: no cover - the mapping refuses it
        raise ValueError("no retry is mapped")
    last = (now.astimezone(mapping.creditor.zone) - timedelta(days=one.max_days)).date().isoformat()
    dead = [f"{retry.due_on} < {last}"]
    fields = ["Id", *(payer.link for payer in mapping.payers), retry.due_on, "SystemModstamp"]
    for lookup, path in ((installments.mandate, one.mandate_active), (installments.credential, one.credential_active)):
        if lookup and path:
            dead.append(f"({lookup} != null AND {path} = false)")
            fields += [lookup, path, _stamp_of(path)]
    where = format_soql(f"FROM {installments.object} WHERE {retry.status} = {{}}", retry.value) + f" AND ({' OR '.join(dead)})"
    return _asked(FindingKind.RECOLLECTION, where, fields)


def _loose_payments(mapping: Mapping, until: datetime, now: datetime) -> Question:
    one, currency = mapping.payments, mapping.installments.currency
    where = f"FROM {one.object} WHERE {one.installment} = null AND {one.on} >= {compared_since(mapping, now)} AND SystemModstamp <= {_instant(until)}"
    group = f" GROUP BY {currency}" if currency else ""
    columns = f"{currency}, COUNT(Id) total, SUM({one.amount}) amount" if currency else f"COUNT(Id) total, SUM({one.amount}) amount"
    fields = ["Id", *(payer.link for payer in mapping.payers), one.amount, one.on, "SystemModstamp", *([currency] if currency else [])]
    return Question(FindingKind.PAYMENT, Query("count", f"SELECT {columns} {where}{group}"), _newest(fields, where))


def _asked(kind: FindingKind, where: str, fields: Sequence[str], backlog: Backlog | None = None) -> Question:
    return Question(kind, Query("count", f"SELECT COUNT(Id) total {where}"), _newest(fields, where), backlog)


def _newest(fields: Sequence[str], where: str) -> Query:
    return Query("newest", f"SELECT {', '.join(dict.fromkeys(fields))} {where} ORDER BY SystemModstamp DESC, Id DESC LIMIT {NEWEST}")


def counts(mapping: Mapping, rows: Iterable[Record]) -> tuple[int, dict[str, int]]:
    """How many there are, and the money by currency."""
    total, amounts = 0, dict[str, int]()
    for row in rows:
        total += int(str(row["total"]))
        if row.get("amount") is not None:
            currency = _currency(mapping, row)
            sums = _sound([row], partial(read.money, name="amount", currency=currency))
            amounts[currency] = amounts.get(currency, 0) + sum(sums)
    return total, amounts


def findings(mapping: Mapping, asked: Question, rows: Iterable[Record], now: datetime) -> list[Finding]:
    """What the newest rows of a question say."""
    if asked.backlog is not None:
        status = asked.backlog.status
        return _sound(rows, lambda row: unfinished(asked.kind, str(row["Id"]), read.text(row, status) or "", _changed_at(row)))
    if asked.kind is FindingKind.PAYMENT:
        return _sound(rows, lambda row: loose_payment(_loose(mapping, row)))
    rules, today = mapping.findings.recollections or Recollections(), now.astimezone(mapping.creditor.zone).date()
    return _sound(rows, lambda row: recollection(_waiting(mapping, rules, row), rules.max_days, today))


def _sound(rows: Iterable[Record], reader: Callable[[Record], _T | None]) -> list[_T]:
    """What ``reader`` makes of each row that can be read; whose is not is told with its payer."""
    found = []
    for row in rows:
        try:
            one = reader(row)
        except PermanentError:
            continue
        if one is not None:
            found.append(one)
    return found


def _currency(mapping: Mapping, row: Record) -> str:
    return read.text(row, mapping.installments.currency) or mapping.creditor.currency


def _waiting(mapping: Mapping, rules: Recollections, row: Record) -> Waiting:
    installments = mapping.installments
    due = installments.retry.due_on if installments.retry else None
    paths = [path for path in (rules.mandate_active, rules.credential_active) if path]
    return Waiting(
        record=str(row["Id"]),
        payer=read.payer_of(mapping, row),
        due_on=read.day(row, due),
        changed_at=max(_changed_at(row), *(read.moment(row, _stamp_of(path)) or _changed_at(row) for path in paths)),
        mandate_stands=read.flag(row, rules.mandate_active) if read.text(row, installments.mandate) else None,
        account_stands=read.flag(row, rules.credential_active) if read.text(row, installments.credential) else None,
    )


def _loose(mapping: Mapping, row: Record) -> LoosePayment:
    currency = _currency(mapping, row)
    minor, on = read.money(row, mapping.payments.amount, currency) or 0, read.day(row, mapping.payments.on)
    return LoosePayment(str(row["Id"]), read.payer_of(mapping, row), minor, currency, on, _changed_at(row))


def counters(mapping: Mapping, now: datetime, ids: Sequence[str] | None = None) -> list[Query]:
    """Ask what installments say is open, and for their payments; ``ids`` None = of all whose payments lie in the history."""
    one, money = mapping.installments, mapping.payments
    fields = [
        "Id",
        *(payer.link for payer in mapping.payers),
        one.amount,
        mapping.findings.open_amount,
        one.currency,
        one.status,
        "SystemModstamp",
    ]
    first = compared_since(mapping, now)
    by_id = "" if ids is None else format_soql("{}", list(ids))
    whose = f"{one.due_on[0]} >= {first}" if ids is None else f"Id IN {by_id}"
    theirs = f"{money.installment_relation}.{one.due_on[0]} >= {first}" if ids is None else f"{money.installment} IN {by_id}"
    more = "".join(f", {name}" for name in (money.reason_code, one.currency) if name)
    return [
        Query("installments", f"SELECT {', '.join(dict.fromkeys(name for name in fields if name))} FROM {one.object} WHERE {whose}"),
        Query("payments", f"SELECT Id, {money.installment}, {money.amount}{more}, SystemModstamp FROM {money.object} WHERE {theirs}"),
    ]


def counted(mapping: Mapping, installments: Iterable[Record], payments: Iterable[Record]) -> list[Counted]:
    """Put payments to their installments, where both can be compared."""
    paid: dict[str, list[Record]] = {}
    for row in payments:
        paid.setdefault(read.text(row, mapping.payments.installment) or "", []).append(row)
    return _sound(installments, lambda row: _counted(mapping, row, paid.get(str(row["Id"]), [])))


def _counted(mapping: Mapping, row: Record, payments: Sequence[Record]) -> Counted | None:
    """One installment and its payments.

    None for what was cancelled, what is owed by the creditor, what was paid in another currency, and what was paid back: whether a refund is
    open again is for the package to say.
    """
    one, money, currency = mapping.installments, mapping.payments, _currency(mapping, row)
    amount, still_open = read.money(row, one.amount, currency) or 0, read.money(row, mapping.findings.open_amount, currency)
    status = read.text(row, one.status)
    elsewhere = any(_currency(mapping, each) != currency for each in payments)
    if still_open is None or amount <= 0 or elsewhere or one.statuses.get(status or "", status) == InstallmentStatus.CANCELLED:
        return None
    paid = [read.money(each, money.amount, currency) or 0 for each in payments]
    if any(minor < 0 and not read.text(each, money.reason_code) for minor, each in zip(paid, payments, strict=True)):
        return None
    at = max(_changed_at(each) for each in (row, *payments))
    return Counted(str(row["Id"]), read.payer_of(mapping, row), currency, amount, still_open, sum(paid), at)


def alerts_shown() -> Query:
    """Tasks of ours about findings, deleted ones included."""
    like = format_soql("{:like}%", START)
    return Query("alerts", f"SELECT Id, {own.KEY}, IsClosed, IsDeleted FROM Task WHERE {own.KEY} LIKE '{like}'", all_rows=True)


def shown_alert(row: Record) -> ShownAlert:
    """One of them."""
    return ShownAlert(str(row["Id"]), str(row[own.KEY]), is_closed=bool(row["IsClosed"]), is_deleted=bool(row["IsDeleted"]))


def alert_fields(mapping: Mapping, one: Alert, owner: str | None) -> dict[str, object]:
    """Fields of the Task that tells a team."""
    fields: dict[str, object] = {
        own.KEY: one.key, "Subject": one.subject[:255], "Description": one.text[:32_000], "Priority": one.priority, "Status": "Not Started",
        "ActivityDate": one.at.astimezone(mapping.creditor.zone).date(),
    }  # fmt: skip
    return fields | ({"OwnerId": owner} if owner else {})


def compared_since(mapping: Mapping, now: datetime) -> date:
    """From which due date on all payments of an installment lie in the history."""
    return (now - timedelta(days=31 * mapping.history_months) + PREPAID).date()


def _changed_at(row: Record) -> datetime:
    return read.moment(row, "SystemModstamp") or datetime.combine(date.min, time(), UTC)


def _stamp_of(path: str) -> str:
    return f"{path.partition('.')[0]}.SystemModstamp"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
