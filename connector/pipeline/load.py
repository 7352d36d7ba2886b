"""Load: the facts of a batch of payers from the org, as a Snapshot, and what the org shows of ours, as Views.

Must not write. Invariant: an installment our own flags rest on that does not come back is reported as
missing unless the recycle bin holds it: invisible is not paid.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from connector.core.changes import ShownFollowUp, ShownPosition, ShownTask, View
from connector.core.frames import SCHEMA, Run, Snapshot, snapshot
from connector.core.words import CONTACT_KINDS, ArrearsStatus, FollowUpStatus, Kind
from connector.errors import PermanentError
from connector.mapping import own, queries, read
from connector.mapping.org import Mapping as OrgMapping
from connector.pipeline.ports import OrgAccess, Record

Rows = dict[str, list[dict[str, object]]]
MADE_KINDS = CONTACT_KINDS | {Kind.CALL}


@dataclass(frozen=True, slots=True)
class About:
    """Whom a message is to. Never logged."""

    name: str
    language: str | None
    country: str | None


@dataclass(frozen=True, slots=True)
class Loaded:
    """One batch, loaded. ``about``, ``due_on`` and ``pay_links`` serve the words of Tasks and go nowhere else."""

    snapshot: Snapshot
    views: Mapping[str, View]
    about: Mapping[str, About]
    due_on: Mapping[str, date]
    """Installment → original due date."""
    pay_links: Mapping[str, str]
    unreadable: Mapping[str, str]
    """Payer → why a record of theirs cannot be read; such a payer is parked."""

    def only(self, payers: Sequence[str]) -> "Loaded":
        """Give the same for fewer payers: how a batch is halved until the one that breaks it is found."""
        kept = {
            name: table[table["id" if name == "payers" else "payer"].isin(list(payers))]
            for name in SCHEMA
            if (table := getattr(self.snapshot, name)) is not None
        }
        return replace(self, snapshot=replace(self.snapshot, **kept))


def load(org: OrgAccess, mapping: OrgMapping, payers: Sequence[str], now: datetime, *, stale: bool = False) -> Loaded:
    """Read everything about ``payers`` (at most 200) in as few calls as Composite allows.

    Raises:
        TransientError: the org does not answer; nothing was changed.

    """
    wanted = queries.for_payers(mapping, payers, now)
    answers = org.query_many([one.soql for one in wanted], all_rows=[one.all_rows for one in wanted])
    found: dict[str, list[Record]] = {one.name: list(rows) for one, rows in zip(wanted, answers, strict=True)}
    unreadable: dict[str, str] = {}
    rows, about = _facts(mapping, found, payers, unreadable)
    views = _views(mapping, found, payers, rows)
    _contacts(mapping, found, rows)
    _missing(org, mapping, views, rows)
    runs = _runs(mapping, found)
    pay_links = {str(one["Id"]): link for one in found["installments"] if (link := read.text(one, mapping.installments.pay_link))}
    visible = {str(row["id"]) for row in rows["payers"]}
    unreadable.update(
        {
            one: "the payer's record cannot be read: it is deleted, merged, or the integration user may not see it"
            for one in payers
            if one not in visible
        }
    )
    for gone in unreadable:
        for table in rows.values():
            table[:] = [row for row in table if row.get("payer", row.get("id")) != gone]
    due_on = {str(row["id"]): day for row in rows["installments"] if isinstance(day := row["due_on"], date)}
    return Loaded(snapshot(rows, runs=runs, stale=stale), views, about, due_on, pay_links, unreadable)


def _facts(
    mapping: OrgMapping, found: Mapping[str, list[Record]], payers: Sequence[str], unreadable: dict[str, str]
) -> tuple[Rows, dict[str, About]]:
    rows: Rows = defaultdict(list)
    about: dict[str, About] = {}
    wanted = set(payers)
    for one in mapping.payers:
        for record in found.get(f"payers:{one.object}", []):
            row = read.payer_row(one, record)
            rows["payers"].append(row)
            language, country = row["language"], row["country"]
            about[str(record["Id"])] = About(
                read.text(record, one.fields.name) or "",
                None if language is None else str(language),
                None if country is None else str(country),
            )
    readers = (
        ("installments", "installments", read.installment_row),
        ("payments", "payments", read.payment_row),
        ("attempts", "payments", read.attempt_row),
        ("promises", "promises", read.promise_row),
    )
    for source, table, reader in readers:
        for record in found[source]:
            try:
                rows[table].append(reader(mapping, record))
            except PermanentError as error:
                whose = read.payer_of(mapping, record, own_links=source in ("attempts", "promises")) or read.payer_of(
                    mapping, record, prefix=mapping.payments.installment_relation + "."
                )
                unreadable[whose or ""] = str(error)
    for record in found["holds"]:
        rows["holds"] += read.hold_rows(mapping, record)
    for record in found["cases"]:
        for one in mapping.payers:
            whose = read.text(record, one.case_link)
            if whose in wanted:
                rows["cases"].append({**read.case_row(mapping, record), "payer": whose})
    plans = {read.payer_of(mapping, record, own_links=True): record for record in found["plans"]}
    for row in rows["payers"]:
        plan = plans.get(str(row["id"]))
        if plan is not None:
            row["plan_state"], row["plan_id"] = str(plan["State__c"]).lower(), str(plan["Id"])
    return rows, about


def _views(mapping: OrgMapping, found: Mapping[str, list[Record]], payers: Iterable[str], rows: Rows) -> dict[str, View]:
    follow_ups: dict[str, dict[str, ShownFollowUp]] = defaultdict(dict)
    tasks: dict[str, dict[str, ShownTask]] = defaultdict(dict)
    positions: dict[str, dict[str, ShownPosition]] = defaultdict(dict)
    holds: dict[str, set[str]] = defaultdict(set)
    for record in found["follow_ups"]:
        shown = _follow_up(record)
        follow_ups[_whose(mapping, record)][shown.key] = shown
    for record in found["tasks"]:
        key = read.text(record, own.KEY)
        if key:
            tasks[read.text(record, "WhoId") or read.text(record, "WhatId") or ""][key] = _task(record)
    for record in found["positions"]:
        position = _position(record)
        positions[_whose(mapping, record)][position.currency] = position
    for record in found["holds"]:
        if key := read.text(record, own.KEY):
            holds[_whose(mapping, record)].add(key)
    stamps: dict[str, dict[str, str | None]] = defaultdict(dict)
    statuses: dict[str, dict[str, str | None]] = defaultdict(dict)
    for row in rows["installments"]:
        stamps[str(row["payer"])][str(row["id"])] = row["retry_stamp"]  # type: ignore[assignment]
        statuses[str(row["payer"])][str(row["id"])] = row["status"]  # type: ignore[assignment]
    flags = {str(record["Id"]): read.text(record, one.flag) for one in mapping.payers for record in found.get(f"payers:{one.object}", [])}
    return {
        one: View(one, follow_ups[one], tasks[one], positions[one], frozenset(holds[one]), flags.get(one), stamps[one], statuses[one])
        for one in payers
    }


def _contacts(mapping: OrgMapping, found: Mapping[str, list[Record]], rows: Rows) -> None:
    """Contacts really made: our follow-ups Done or whose Task was completed, and people's own completed calls and mails."""
    ours = {str(key): _task(one) for one in found["tasks"] if (key := read.text(one, own.KEY))}
    for record in found["follow_ups"]:
        shown = _follow_up(record)
        task = ours.get(shown.key)
        closed = shown.status is FollowUpStatus.PLANNED and task is not None and (task.is_closed or task.is_deleted)
        status = shown.status if not closed or task is None else FollowUpStatus.CANCELLED if task.is_deleted else FollowUpStatus.DONE
        whose = _whose(mapping, record)
        rows["follow_ups"].append(
            {
                "key": shown.key,
                "payer": whose,
                "kind": shown.kind,
                "status": status,
                "at": shown.at,
                "surfaced": bool(shown.task_id) or task is not None,
            }
        )
        done_at = read.moment(record, "Done_At__c") or (task.completed_at if task else None) or shown.at
        if status is FollowUpStatus.DONE and shown.kind in MADE_KINDS and done_at is not None:
            channel = "call" if shown.kind is Kind.CALL else read.text(record, "Channel__c")
            rows["contacts"].append(
                {"payer": whose, "at": done_at, "channel": channel, "kind": shown.kind, "key": shown.key, "conversation": False}
            )
    for record in found["tasks"]:
        task = _task(record)
        channel = {"Call": "call", "Email": "email"}.get(read.text(record, "TaskSubtype") or read.text(record, "Type") or "")
        if read.text(record, own.KEY) or not task.is_closed or task.is_deleted or task.completed_at is None or channel is None:
            continue
        whose = read.text(record, "WhoId") or read.text(record, "WhatId")
        rows["contacts"].append(
            {
                "payer": whose,
                "at": task.completed_at,
                "channel": channel,
                "kind": "call" if channel == "call" else None,
                "conversation": channel == "call",
            }
        )


def _missing(org: OrgAccess, mapping: OrgMapping, views: Mapping[str, View], rows: Rows) -> None:
    seen = {str(row["id"]) for row in rows["installments"]}
    absent = {
        payer: ids
        for payer, view in views.items()
        if (
            ids := [
                one
                for shown in view.positions.values()
                if shown.values["status"] != ArrearsStatus.CLEAR
                for one in str(shown.values["installments"] or "").split()
                if one not in seen
            ]
        )
    }
    if not absent:
        return
    query = queries.deleted_installments(mapping, sorted({one for ids in absent.values() for one in ids}))
    (back,) = org.query_many([query.soql], all_rows=[True])
    accounted = {str(record["Id"]) for record in back}
    for row in rows["payers"]:
        hidden = [one for one in absent.get(str(row["id"]), []) if one not in accounted]
        if hidden:
            row["missing"] = " ".join(dict.fromkeys(hidden))


def _runs(mapping: OrgMapping, found: Mapping[str, list[Record]]) -> tuple[Run, ...] | None:
    if mapping.runs is None:
        return None
    runs = []
    for record in found["runs"]:
        method = read.text(record, mapping.runs.payment_method)
        on = read.day(record, mapping.runs.on)
        if on is not None and (mapping.runs.payment_method is None or method in mapping.schemes):
            runs.append(Run(mapping.schemes.get(method or ""), on))
    return tuple(runs)


def _whose(mapping: OrgMapping, record: Record) -> str:
    return read.payer_of(mapping, record, own_links=True) or ""


def _follow_up(record: Record) -> ShownFollowUp:
    return ShownFollowUp(
        id=str(record["Id"]),
        key=str(record[own.KEY]),
        kind=Kind(str(record["Kind__c"])),
        status=FollowUpStatus(str(record["Status__c"])),
        at=read.moment(record, "Planned_At__c"),
        task_id=read.text(record, "Task_Id__c"),
        withheld=read.text(record, "Withheld__c"),
        withheld_until=read.moment(record, "Withheld_Until__c"),
    )


def _task(record: Record) -> ShownTask:
    return ShownTask(
        id=str(record["Id"]),
        is_closed=bool(record["IsClosed"]),
        is_deleted=bool(record["IsDeleted"]),
        status=str(record["Status"]),
        completed_at=read.moment(record, "CompletedDateTime"),
    )


def _position(record: Record) -> ShownPosition:
    currency = str(record["Currency__c"])
    level, failures = read.number(record, "Level__c"), read.number(record, "Failures_12m__c")
    return ShownPosition(
        str(record["Id"]),
        currency,
        {
            "status": read.text(record, "Status__c"),
            "amount_minor": read.money(record, "Amount__c", currency) or 0,
            "since": read.day(record, "Since__c"),
            "level": None if level is None else int(level),
            "failures_12m": None if failures is None else int(failures),
            "last_key": read.text(record, "Last_Key__c"),
            "next_follow_up": read.moment(record, "Next_Follow_Up__c"),
            "next_kind": read.text(record, "Next_Kind__c"),
            "look_again": read.moment(record, "Look_Again__c"),
            "why": read.text(record, "Why__c"),
            "installments": read.text(record, "Installments__c") or "",
        },
    )
