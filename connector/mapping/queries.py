"""SOQL text for what Dunwell reads: flat SELECTs, the same for REST and Bulk.

Must not run a query. Invariant: every value is quoted by ``format_soql``; no name comes from outside the
mapping. 200 ids of 18 characters keep a statement near 6 kB (limit 100,000: salesforce.md C.4).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from simple_salesforce.format import format_soql

from connector.core.breaker import HISTORY_DAYS
from connector.mapping import own
from connector.mapping.calls import STOPS
from connector.mapping.org import Mapping, PayerObject, Runs

OWN_FOLLOW_UP_FIELDS = (
    "Kind__c, Level__c, Planned_At__c, Done_At__c, Channel__c, Status__c, Task_Id__c, Withheld__c, Withheld_Until__c, Installments__c"
)
ATTEMPT_FIELDS = (
    "Installment_Id__c, Outcome__c, Scheme__c, Code_Set__c, Reason_Code__c, Reason_Country__c, Advice_Code__c, Amount__c, "
    "Currency__c, Occurred_At__c, Payer_Initiated__c, Provider_Reference__c"
)
POSITION_FIELDS = (
    "Currency__c, Status__c, Amount__c, Since__c, Level__c, Last_Key__c, Failures_12m__c, Next_Follow_Up__c, Next_Kind__c, "
    "Look_Again__c, Why__c, Installments__c"
)


EVERY = "Id != null"
"""The condition that holds for every record."""


@dataclass(frozen=True, slots=True)
class Query:
    """One SELECT; ``all_rows`` reads deleted and archived rows too (queryAll)."""

    name: str
    soql: str
    all_rows: bool = False


def by_payer(mapping: Mapping, payers: Sequence[str] | None, *, own_links: bool = False, prefix: str = "") -> str:
    """Give the condition "owed by one of ``payers``" (None = by anyone), for the org's objects or (``own_links``) for Dunwell's.

    An installment that points at two payer objects belongs to the first of the mapping alone.
    """
    if payers is None:
        return EVERY
    parts = []
    before: list[str] = []
    for one in mapping.payers:
        link = one.own_link if own_links else prefix + one.link
        ids = _ids_of(mapping, one, payers)
        if ids:
            none_before = "".join(f" AND {field} = null" for field in before)
            parts.append(format_soql(f"({link} IN {{}}", ids) + f"{none_before})")
        before.append(link)
    return "(" + " OR ".join(parts) + ")"


def _ids_of(mapping: Mapping, payer: PayerObject, payers: Iterable[str]) -> list[str]:
    return [one for one in payers if mapping.payer_of(one) is payer]


def for_payers(mapping: Mapping, payers: Sequence[str] | None, now: datetime) -> list[Query]:
    """Everything the pipeline reads for ``payers`` (at most 200; None = for everyone, the same text but for whose records).

    Open installments with all their payments, and 24 months of history.
    """
    today = now.astimezone(mapping.creditor.zone).date().isoformat()
    first = (now - timedelta(days=31 * mapping.history_months)).date().isoformat()
    first_at = (now - timedelta(days=31 * mapping.history_months)).strftime("%Y-%m-%dT%H:%M:%SZ")
    recent_at = (now - timedelta(days=35)).strftime("%Y-%m-%dT%H:%M:%SZ")
    installments, payments = mapping.installments, mapping.payments
    theirs, ours = by_payer(mapping, payers), by_payer(mapping, payers, own_links=True)
    links = [one.link for one in mapping.payers]
    own_links = ", ".join(one.own_link for one in mapping.payers)
    via = payments.installment_relation + "."
    due = installments.due_on[0]
    is_open = format_soql(f"{installments.status} NOT IN {{}}", list(installments.closed)) if installments.status else "Id != null"
    via_open = format_soql(f"{via}{installments.status} NOT IN {{}}", list(installments.closed)) if installments.status else "Id != null"
    tasks, stops = _tasks(mapping, payers), format_soql("{}", list(STOPS))
    return [
        Query(
            "installments",
            f"SELECT {_fields(installment_fields(mapping))} FROM {installments.object} WHERE {theirs} AND ({due} >= {first} OR {due} = null OR {is_open})",
        ),
        Query(
            "payments",
            f"SELECT {_fields([*payment_fields(mapping), *(via + link for link in links)])} FROM {payments.object} WHERE ({by_payer(mapping, payers, prefix=via)} OR ({payments.installment} = null AND {theirs})) AND ({payments.on} >= {first} OR {via_open})",
        ),
        Query(
            "attempts",
            f"SELECT Id, {own.KEY}, {own_links}, {ATTEMPT_FIELDS} FROM {own.ATTEMPT} WHERE {ours} AND Status__c = 'Placed' AND Installment_Id__c != null AND Occurred_At__c >= {first_at}",
        ),
        Query(
            "follow_ups",
            f"SELECT Id, {own.KEY}, {own_links}, {OWN_FOLLOW_UP_FIELDS} FROM {own.FOLLOW_UP} WHERE {ours} AND Shadow__c = false AND (Status__c IN ('Planned', 'Withheld') OR CreatedDate >= {first_at})",
        ),
        Query("positions", f"SELECT Id, {own.KEY}, {own_links}, {POSITION_FIELDS} FROM {own.POSITION} WHERE {ours}"),
        Query(
            "holds",
            f"SELECT Id, {own.KEY}, {own_links}, Cause__c, Installments__c, From__c, Until__c, Released_At__c, CreatedDate FROM {own.HOLD} WHERE {ours}",
        ),
        Query(
            "promises",
            f"SELECT Id, {own_links}, Installment_Id__c, Amount__c, Currency__c, On__c, State__c FROM {own.PROMISE} WHERE {ours} AND (State__c = 'Open' OR (State__c = 'Broken' AND On__c >= {first} AND On__c < {today}))",
        ),
        Query(
            "plans",
            f"SELECT Id, {own_links}, State__c, Starts_On__c, Ends_On__c, Installments__c, CreatedDate FROM {own.PLAN} WHERE {ours} AND State__c IN ('Offered', 'Kept', 'Missed') ORDER BY CreatedDate",
        ),
        Query(
            "tasks",
            f"SELECT Id, {own.KEY}, WhoId, WhatId, Status, IsClosed, IsDeleted, CompletedDateTime, TaskSubtype, Type, {own.CALL_OUTCOME} FROM Task WHERE {tasks} AND ({own.KEY} != null OR {own.CALL_OUTCOME} IN {stops} OR (IsClosed = true AND CreatedDate >= {recent_at}))",
            all_rows=True,
        ),
        Query(
            "cases",
            f"SELECT Id, {_fields(case_fields(mapping))} FROM {mapping.cases.object} WHERE {_cases(mapping, payers)} AND (IsClosed = false OR ClosedDate >= {first_at})",
        ),
        *(query for one in mapping.payers if (query := _payer_records(mapping, one, payers)) is not None),
        *([_runs(mapping, mapping.runs, now)] if mapping.runs else []),
    ]


def installment_fields(mapping: Mapping) -> list[str]:
    """Fields of an installment that Dunwell reads."""
    one = mapping.installments
    wanted = [
        one.amount,
        one.currency,
        *one.due_on,
        one.status,
        one.product,
        one.claim_kind,
        one.payment_method,
        one.processor,
        one.credential,
    ]
    wanted += [one.mandate, one.pay_link, *one.references, one.times_failed, one.last_failed_on, one.last_reason_code]
    wanted += [one.retry.stamp] if one.retry else []
    wanted += [mapping.findings.open_amount]
    return ["Id", *(payer.link for payer in mapping.payers), *(field for field in wanted if field)]


def payment_fields(mapping: Mapping) -> list[str]:
    """Fields of a payment that Dunwell reads."""
    one = mapping.payments
    wanted = [
        one.installment,
        one.amount,
        one.on,
        one.at,
        one.reference,
        one.reason_code,
        one.payment_method,
        one.processor,
        one.payer_initiated,
        one.key,
    ]
    currency = [mapping.installments.currency] if mapping.installments.currency else []
    return ["Id", *(payer.link for payer in mapping.payers), *(field for field in wanted if field), *currency]


def case_fields(mapping: Mapping) -> list[str]:
    """Fields of a case that Dunwell reads, besides its Id."""
    return [
        "IsClosed",
        "Status",
        "Subject",
        "OwnerId",
        "ClosedDate",
        mapping.cases.type,
        mapping.cases.opened_at,
        *(one.case_link for one in mapping.payers),
    ]


def known_installments(mapping: Mapping, ids: Sequence[str], references: Sequence[str]) -> list[Query]:
    """Find the installments that events name, by id and by reference."""
    one = mapping.installments
    fields = _fields(installment_fields(mapping))
    found = [Query("by_id", format_soql(f"SELECT {fields} FROM {one.object} WHERE Id IN {{}}", list(ids)))] if ids else []
    if references and one.references:
        matches = " OR ".join(format_soql(f"{field} IN {{}}", list(references)) for field in one.references)
        found.append(Query("by_reference", f"SELECT {fields} FROM {one.object} WHERE {matches}"))
    return found


REPORTED_FIELDS = (
    "Provider__c", "Provider_Reference__c", "Installment_Reference__c", "Outcome__c", "Amount__c", "Currency__c", "Occurred_At__c",
    "Scheme__c", "Code_Set__c", "Reason_Code__c", "Reason_Text__c", "Reason_Country__c", "Advice_Code__c", "Payer_Initiated__c", "Version__c",
)  # fmt: skip
"""Fields that a Payment Attempt and the event it came from have in common."""


def parked_attempts(mapping: Mapping) -> Query:
    """Outcomes that could not be placed, oldest first, at most 1,000."""
    own_links = ", ".join(one.own_link for one in mapping.payers)
    fields = ", ".join(REPORTED_FIELDS)
    return Query(
        "parked",
        f"SELECT Id, {own.KEY}, {own_links}, Installment_Id__c, {fields} FROM {own.ATTEMPT} WHERE Status__c = 'Parked' ORDER BY CreatedDate LIMIT 1000",
    )


def known_money(mapping: Mapping, installments: Sequence[str], keys: Sequence[str]) -> list[Query]:
    """Find payments already there for ``installments``, and attempts already written under ``keys``."""
    found = []
    if installments:
        one = mapping.payments
        found.append(
            Query(
                "payments",
                format_soql(
                    f"SELECT {_fields(payment_fields(mapping))} FROM {one.object} WHERE {one.installment} IN {{}}", list(installments)
                ),
            )
        )
    if keys:
        found.append(
            Query("attempts", format_soql(f"SELECT Id, {own.KEY}, Status__c FROM {own.ATTEMPT} WHERE {own.KEY} IN {{}}", list(keys)))
        )
    return found


def deleted_installments(mapping: Mapping, ids: Sequence[str]) -> Query:
    """Tell deleted installments from invisible ones: deleted rows come back from queryAll, hidden ones do not."""
    return Query(
        "deleted", format_soql(f"SELECT Id, IsDeleted FROM {mapping.installments.object} WHERE Id IN {{}}", list(ids)), all_rows=True
    )


def everyone(mapping: Mapping, now: datetime) -> list[Query]:
    """Who the nightly pass looks at: payers with an installment in the history window or open, and payers with a Position."""
    first = (now - timedelta(days=31 * mapping.history_months)).date().isoformat()
    one = mapping.installments
    links = ", ".join(payer.link for payer in mapping.payers)
    is_open = format_soql(f"{one.status} NOT IN {{}}", list(one.closed)) if one.status else "Id != null"
    own_links = ", ".join(payer.own_link for payer in mapping.payers)
    return [
        Query(
            "installments", f"SELECT Id, {links} FROM {one.object} WHERE {one.due_on[0]} >= {first} OR {one.due_on[0]} = null OR {is_open}"
        ),
        Query("positions", f"SELECT Id, {own_links} FROM {own.POSITION}"),
    ]


def count(sobject: str) -> Query:
    """How many records of an object the integration user sees, as ``total``."""
    return Query(f"count:{sobject}", f"SELECT COUNT(Id) total FROM {sobject}")


def newest_money(mapping: Mapping) -> list[Query]:
    """The payment and the attempt that were made or changed last."""
    objects = (mapping.payments.object, own.ATTEMPT)
    return [Query(one, f"SELECT SystemModstamp FROM {one} ORDER BY SystemModstamp DESC LIMIT 1") for one in objects]


def polls(mapping: Mapping) -> dict[str, str]:
    """Poll queries by object, with ``{since}`` to be filled: what changed, and whose it is. Deleted rows come too.

    What decides about a row is selected with it: SystemModstamp counts whole seconds, and a second change within one shows only there.
    """
    window = "SystemModstamp >= {since}"
    installments, payments = mapping.installments, mapping.payments
    links = ", ".join(one.link for one in mapping.payers)
    own_links = ", ".join(one.own_link for one in mapping.payers)
    via = ", ".join(f"{payments.installment_relation}.{one.link}" for one in mapping.payers)
    cases = ", ".join(one.case_link for one in mapping.payers)
    told = _fields([installments.amount, *(one for one in (*installments.due_on, installments.status, installments.times_failed) if one)])
    ours = f"WHERE {window}"
    return {
        installments.object: f"SELECT Id, {links}, {told}, IsDeleted, SystemModstamp FROM {installments.object} {ours}",
        payments.object: f"SELECT Id, {links}, {via}, {payments.amount}, IsDeleted, SystemModstamp FROM {payments.object} {ours}",
        "Task": f"SELECT Id, WhoId, WhatId, Status, {own.CALL_OUTCOME}, IsDeleted, SystemModstamp FROM Task {ours} AND ({own.KEY} != null OR {own.CALL_OUTCOME} != null)",
        own.FOLLOW_UP: f"SELECT Id, {own_links}, Status__c, IsDeleted, SystemModstamp FROM {own.FOLLOW_UP} {ours}",
        own.HOLD: f"SELECT Id, {own_links}, Cause__c, Until__c, Released_At__c, IsDeleted, SystemModstamp FROM {own.HOLD} {ours}",
        own.PROMISE: f"SELECT Id, {own_links}, State__c, On__c, IsDeleted, SystemModstamp FROM {own.PROMISE} {ours}",
        own.PLAN: f"SELECT Id, {own_links}, State__c, IsDeleted, SystemModstamp FROM {own.PLAN} {ours}",
        mapping.cases.object: f"SELECT Id, {cases}, Status, OwnerId, IsDeleted, SystemModstamp FROM {mapping.cases.object} {ours}",
    }


def come_due(mapping: Mapping, now: datetime) -> list[Query]:
    """Whose follow-up or hold has come to its time, by what the org itself remembers."""
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    own_links = ", ".join(one.own_link for one in mapping.payers)
    return [
        Query("positions", f"SELECT Id, {own_links} FROM {own.POSITION} WHERE Look_Again__c <= {at}"),
        Query(
            "follow_ups",
            f"SELECT Id, {own_links} FROM {own.FOLLOW_UP} WHERE Status__c = 'Planned' AND Planned_At__c <= {at} AND Task_Id__c = null AND Shadow__c = false",
        ),
    ]


def fallen_due(mapping: Mapping, since: datetime, now: datetime) -> list[Query]:
    """Whose installment has come to its due date between two moments, both days included: no record changes when a day begins."""
    one = mapping.installments
    first, last = (at.astimezone(mapping.creditor.zone).date().isoformat() for at in (since, now))
    links = ", ".join(payer.link for payer in mapping.payers)
    fallen, empty = [], ""
    for name in one.due_on:
        fallen.append(f"({empty}{name} >= {first} AND {name} <= {last})")
        empty += f"{name} = null AND "
    return [Query("installments", f"SELECT Id, {links} FROM {one.object} WHERE {' OR '.join(fallen)}")]


def changed(mapping: Mapping, entity: str, ids: Sequence[str]) -> Query:
    """Whose records a Change Data Capture event is about."""
    if entity == mapping.cases.object:
        links = ", ".join(one.case_link for one in mapping.payers)
        return Query(entity, format_soql(f"SELECT Id, {links} FROM {entity} WHERE Id IN {{}}", list(ids)), all_rows=True)
    links = ", ".join(one.own_link for one in mapping.payers)
    return Query(entity, format_soql(f"SELECT Id, {links} FROM {entity} WHERE Id IN {{}}", list(ids)), all_rows=True)


def calls_given(since: datetime, until: datetime) -> Query:
    """Count the calls on people's lists that were planned in a stretch of time, by role."""
    return Query(
        "calls_given",
        format_soql(
            f"SELECT Assignee__c, COUNT(Id) calls FROM {own.FOLLOW_UP} WHERE Kind__c = 'call' AND Task_Id__c != null AND Shadow__c = false "
            "AND Planned_At__c >= {} AND Planned_At__c < {} GROUP BY Assignee__c",
            since,
            until,
        ),
    )


def failures_by_day() -> Query:
    """Count failures by processor and day of the org's calendar, five weeks back."""
    return Query(
        "failures_by_day",
        f"SELECT Provider__c, DAY_ONLY(convertTimezone(Occurred_At__c)) failed_on, COUNT(Id) failures FROM {own.ATTEMPT} "
        f"WHERE Occurred_At__c = LAST_N_DAYS:{HISTORY_DAYS + 1} AND Outcome__c IN ('failed', 'rejected', 'returned') AND Provider__c != null "
        "GROUP BY Provider__c, DAY_ONLY(convertTimezone(Occurred_At__c))",
    )


def roles(mapping: Mapping) -> list[Query]:
    """Ids of the queues and users that the mapping names."""
    queues = [one.queue for one in mapping.roles.values() if one.queue]
    users = [one.username for one in mapping.roles.values() if one.username]
    found = (
        [Query("queues", format_soql("SELECT Id, DeveloperName FROM Group WHERE Type = 'Queue' AND DeveloperName IN {}", queues))]
        if queues
        else []
    )
    found += [Query("users", format_soql("SELECT Id, Username FROM User WHERE IsActive = true AND Username IN {}", users))] if users else []
    return found


def _payer_records(mapping: Mapping, one: PayerObject, payers: Sequence[str] | None) -> Query | None:
    ids = [] if payers is None else _ids_of(mapping, one, payers)
    if payers is not None and not ids:
        return None
    fields = sorted({"Id", *(field for field in one.fields.model_dump().values() if field), *([one.flag] if one.flag else [])})
    whose = EVERY if payers is None else format_soql("Id IN {}", ids)
    return Query(f"payers:{one.object}", f"SELECT {', '.join(fields)} FROM {one.object} WHERE {whose}")


def _runs(mapping: Mapping, one: Runs, now: datetime) -> Query:
    today = now.astimezone(mapping.creditor.zone).date().isoformat()
    method = f", {one.payment_method}" if one.payment_method else ""
    return Query(
        "runs",
        format_soql(
            f"SELECT Id, {one.on}{method} FROM {one.object} WHERE {one.on} >= {today} AND {one.status} IN {{}} ORDER BY {one.on} LIMIT 400",
            list(one.planned),
        ),
    )


def _tasks(mapping: Mapping, payers: Sequence[str] | None) -> str:
    if payers is None:
        return "(" + " OR ".join(f"{link} != null" for link in dict.fromkeys(one.task_link for one in mapping.payers)) + ")"
    parts = []
    for link in ("WhoId", "WhatId"):
        ids = [one for one in payers if mapping.payer_of(one).task_link == link]
        if ids:
            parts.append(format_soql(f"{link} IN {{}}", ids))
    return "(" + " OR ".join(parts) + ")"


def _cases(mapping: Mapping, payers: Sequence[str] | None) -> str:
    if payers is None:
        return "(" + " OR ".join(f"{one.case_link} != null" for one in mapping.payers) + ")"
    parts = [format_soql(f"{one.case_link} IN {{}}", ids) for one in mapping.payers if (ids := _ids_of(mapping, one, payers))]
    return "(" + " OR ".join(parts) + ")"


def _fields(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
