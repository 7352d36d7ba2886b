"""What Dunwell needs of an org: each object and field that the mapping names or the code uses, and what it must be.

Must not know an org. Invariant: whatever a query of ours selects is among the needs; a need that a line of the mapping causes knows
where that line is.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from connector.checks.kinds import AMOUNT, ANY, CURRENCY, DATE, DAY, FLAG, LOOKUP, MOMENT, NAMED, NUMBER, TEXT, Kind
from connector.checks.written import written
from connector.core.keys import LIMIT
from connector.mapping import findings, own, queries
from connector.mapping.org import Mapping as OrgMapping
from connector.mapping.source import Location

_SELECT = re.compile(r"^SELECT (.+?) FROM (\w+)", re.DOTALL)
_ANY_TIME = datetime(2026, 3, 2, tzinfo=UTC)
"""The fields of a query do not depend on when it is asked."""


@dataclass(frozen=True, slots=True)
class Need:
    """One field. ``field`` may be a path of relationships; ``location`` is the line of the mapping that names it, None = the code."""

    sobject: str
    field: str
    kind: Kind = ANY
    location: Location | None = None
    target: str = ""
    """Object that the lookup must lead to."""
    relation: str = ""
    """Name by which the mapping says the lookup's parent is read."""
    values: tuple[tuple[str, Location | None], ...] = ()
    """Picklist values that must exist."""
    unique: bool = False
    length: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object, and the line of the mapping that names it."""

    sobject: str
    location: Location | None = None


def objects(mapping: OrgMapping) -> list[Wanted]:
    """Every object, each once: those of the mapping first."""
    named = [Wanted(one.object, ("payers", at, "object")) for at, one in enumerate(mapping.payers)]
    named += [Wanted(mapping.installments.object, ("installments", "object")), Wanted(mapping.payments.object, ("payments", "object"))]
    named += [Wanted(mapping.cases.object, ("cases", "object"))]
    named += [Wanted(mapping.runs.object, ("runs", "object"))] if mapping.runs else []
    named += [Wanted(one.object, ("findings", "backlogs", at, "object")) for at, one in enumerate(mapping.findings.backlogs)]
    named += [Wanted(name) for name in ("Task", own.POSITION, own.FOLLOW_UP, own.ATTEMPT, own.HOLD, own.PROMISE, own.PLAN, own.RUN)]
    named += [Wanted(own.OUTCOME_EVENT), Wanted(own.DECIDED_EVENT)]
    return list({one.sobject: one for one in reversed(named)}.values())[::-1]


def ledger(mapping: OrgMapping) -> list[str]:
    """The objects of which every record must be visible: a hidden one would be taken for none."""
    return [one.sobject for one in objects(mapping) if one.sobject != "Task" and not one.sobject.endswith("__e")]


def needs(mapping: OrgMapping) -> list[Need]:
    """Every field, each once."""
    found: dict[tuple[str, str], Need] = {}
    for one in (*_payers(mapping), *_installments(mapping), *_payments(mapping), *_others(mapping), *_findings(mapping), *_keys(mapping)):
        before = found.get((one.sobject, one.field))
        found[one.sobject, one.field] = one if before is None else _both(before, one)
    via, place = f"{mapping.payments.installment_relation}.", ("payments", "installment_relation")
    for sobject, field in (*_selected(mapping), *_filled(mapping)):
        caused = sobject == mapping.payments.object and field.startswith(via)
        found.setdefault((sobject, field), Need(sobject, field, location=place if caused else None))
    return list(found.values())


def _both(first: Need, second: Need) -> Need:
    """One field that two lines name: the first one's place, and what either asks for."""
    kind = second.kind if first.kind in {ANY, NAMED} or second.kind is DATE else first.kind
    return Need(
        first.sobject, first.field, kind, first.location or second.location, first.target or second.target, first.relation or second.relation,
        first.values + second.values, first.unique or second.unique, max(first.length, second.length),
    )  # fmt: skip


_PAYER_FIELDS: Mapping[str, Kind] = {
    "name": TEXT, "customer_since": DAY, "country": TEXT, "region": TEXT, "time_zone": TEXT, "phone_time_zone": TEXT, "language": TEXT,
    "preferred_channel": TEXT, "allow_sms": FLAG, "allow_call": FLAG, "email_opted_out": FLAG, "vulnerable": FLAG, "segment": TEXT,
}  # fmt: skip


def _payers(mapping: OrgMapping) -> Iterable[Need]:
    for at, one in enumerate(mapping.payers):
        here: Location = ("payers", at)
        for name, field in one.fields.model_dump().items():
            if field:
                place = (*here, "fields", name) if name in one.fields.model_fields_set else (*here, "object")
                yield Need(one.object, field, _PAYER_FIELDS.get(name, ANY), place)
        yield Need(mapping.installments.object, one.link, LOOKUP, (*here, "link"), one.object)
        yield Need(mapping.payments.object, one.link, LOOKUP, (*here, "link"), one.object)
        yield Need(mapping.cases.object, one.case_link, LOOKUP, (*here, "case_link"), one.object)
        yield Need("Task", one.task_link, LOOKUP, (*here, "task_link"), one.object)
        if one.flag:
            yield Need(one.object, one.flag, LOOKUP, (*here, "flag") if "flag" in one.model_fields_set else (*here, "object"), own.POSITION)


def _installments(mapping: OrgMapping) -> Iterable[Need]:
    one, here = mapping.installments, "installments"
    kinds: Mapping[str, Kind] = {
        "amount": AMOUNT, "currency": CURRENCY, "product": NAMED, "claim_kind": TEXT, "payment_method": TEXT, "processor": TEXT,
        "credential": NAMED, "mandate": NAMED, "pay_link": TEXT, "times_failed": NUMBER, "last_failed_on": DAY, "last_reason_code": TEXT,
    }  # fmt: skip
    for name, kind in kinds.items():
        field = getattr(one, name)
        values: tuple[tuple[str, Location | None], ...] = ()
        if name == "currency":
            values = ((mapping.creditor.currency, ("creditor", "currency")),)
        if name == "claim_kind":
            values = tuple((value, (here, "claim_kinds", value)) for value in one.claim_kinds)
        if field:
            yield Need(one.object, field, kind, (here, name), values=values)
    yield from (Need(one.object, field, DATE, (here, "due_on", at)) for at, field in enumerate(one.due_on))
    yield from (Need(one.object, field, TEXT, (here, "references", at)) for at, field in enumerate(one.references))
    if one.status:
        words = [(value, (here, "closed", at)) for at, value in enumerate(one.closed)]
        words += [(value, (here, "statuses", value)) for value in one.statuses]  # type: ignore[misc]
        yield Need(one.object, one.status, TEXT, (here, "status"), values=tuple(words))
    if one.retry:
        place: Location = (here, "retry")
        yield Need(one.object, one.retry.status, TEXT, (*place, "status"), values=((one.retry.value, (*place, "value")),))
        yield Need(one.object, one.retry.due_on, DATE, (*place, "due_on"))
        yield Need(one.object, one.retry.stamp, TEXT, (*place, "stamp"), length=LIMIT)


def _payments(mapping: OrgMapping) -> Iterable[Need]:
    one, here = mapping.payments, "payments"
    kinds: Mapping[str, Kind] = {
        "amount": AMOUNT, "on": DATE, "at": MOMENT, "reference": TEXT, "reason_code": TEXT, "payment_method": TEXT, "processor": TEXT,
        "payer_initiated": FLAG,
    }  # fmt: skip
    yield Need(
        one.object, one.installment, LOOKUP, (here, "installment"), mapping.installments.object, one.installment_relation.partition(".")[0]
    )
    for name, kind in kinds.items():
        field = getattr(one, name)
        if field:
            yield Need(one.object, field, kind, (here, name))
    yield Need(one.object, one.key, TEXT, (here, "key"))
    if mapping.installments.currency:
        yield Need(one.object, mapping.installments.currency, CURRENCY, ("installments", "currency"))


def _others(mapping: OrgMapping) -> Iterable[Need]:
    cases, runs = mapping.cases, mapping.runs
    yield Need(cases.object, cases.type, TEXT, ("cases", "type"))
    yield Need(cases.object, cases.opened_at, MOMENT, ("cases", "opened_at"))
    for field in ("Status", "Priority"):
        yield Need("Task", field, TEXT, values=tuple((value, None) for value in _TASK_VALUES[field]))
    if runs:
        yield Need(runs.object, runs.on, DATE, ("runs", "on"))
        yield Need(
            runs.object,
            runs.status,
            TEXT,
            ("runs", "status"),
            values=tuple((v, ("runs", "planned", at)) for at, v in enumerate(runs.planned)),
        )
        if runs.payment_method:
            yield Need(runs.object, runs.payment_method, TEXT, ("runs", "payment_method"))


_TASK_VALUES: Mapping[str, Sequence[str]] = {
    "Status": ("Not Started", "Deferred", "Completed"),
    "Priority": ("High", "Normal", "Low"),
}
"""What Dunwell sets on Tasks (salesforce.md E.1): the platform's own values, which an admin may have renamed."""


def _findings(mapping: OrgMapping) -> Iterable[Need]:
    one = mapping.findings
    if one.open_amount:
        yield Need(mapping.installments.object, one.open_amount, AMOUNT, ("findings", "open_amount"))
    if one.recollections:
        for name in ("mandate_active", "credential_active"):
            path = getattr(one.recollections, name)
            if path:
                yield Need(mapping.installments.object, path, FLAG, ("findings", "recollections", name))
    for at, backlog in enumerate(one.backlogs):
        here: Location = ("findings", "backlogs", at)
        stuck = tuple((value, (*here, "stuck", place)) for place, value in enumerate(backlog.stuck))
        yield Need(backlog.object, backlog.status, TEXT, (*here, "status"), values=stuck)


def _keys(mapping: OrgMapping) -> Iterable[Need]:
    """The fields that make a record only once."""
    for sobject, one in written(mapping).items():
        if one.keyed:
            name = mapping.payments.key if sobject == mapping.payments.object else own.KEY
            yield Need(sobject, name, TEXT, unique=True, length=LIMIT)


def _filled(mapping: OrgMapping) -> Iterable[tuple[str, str]]:
    for sobject, one in written(mapping).items():
        yield from ((sobject, field) for field in dict.fromkeys((*one.made, *one.changed)))


def _selected(mapping: OrgMapping) -> Iterable[tuple[str, str]]:
    """What the queries of a pass, of the poll and of findings select: as their text says it."""
    asked = [*queries.for_payers(mapping, None, _ANY_TIME), *queries.everyone(mapping, _ANY_TIME), *queries.come_due(mapping, _ANY_TIME)]
    asked += [queries.parked_attempts(mapping), *(one.newest for one in findings.questions(mapping, _ANY_TIME))]
    asked += findings.counters(mapping, _ANY_TIME) if mapping.findings.open_amount else []
    for soql in (*(one.soql for one in asked), *queries.polls(mapping).values()):
        found = _SELECT.match(soql)
        if found is not None and "(" not in found[1]:
            yield from ((found[2], field.strip()) for field in found[1].split(","))
    yield from ((own.OUTCOME_EVENT, field) for field in (*queries.REPORTED_FIELDS, "Installment__c"))
