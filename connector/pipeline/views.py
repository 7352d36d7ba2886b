"""What the org shows of ours: follow-ups, Tasks, positions and holds as Views, and the contacts that were really made.

Must not read the org or decide. Invariant: a contact counts as made when its follow-up is Done or a person
completed its Task, and never because Dunwell itself tidied up.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import cast

from connector.core.changes import ShownFollowUp, ShownPosition, ShownTask, View
from connector.core.plans import ShownPlan
from connector.core.words import CONTACT_KINDS, FollowUpStatus, Kind
from connector.mapping import own, read
from connector.mapping.calls import spoken_to
from connector.mapping.columns import Columns
from connector.mapping.org import Mapping as OrgMapping
from connector.pipeline.ports import Record

Rows = dict[str, list[dict[str, object]]]
SHOWN = ("payer", "id", "retry_stamp", "status")
MADE_KINDS = CONTACT_KINDS | {Kind.CALL}


def show(mapping: OrgMapping, found: Mapping[str, list[Record]], payers: Iterable[str], installments: Columns) -> dict[str, View]:
    """What the org shows of ours, by payer; ``installments`` are the columns of their frame."""
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
    told = cast("Iterable[tuple[str, str, str | None, str | None]]", zip(*(installments[name] for name in SHOWN), strict=True))
    for payer, one, stamp, status in told:
        stamps[payer][one] = stamp
        statuses[payer][one] = status
    promises: dict[str, dict[str, str]] = defaultdict(dict)
    plans: dict[str, dict[str, ShownPlan]] = defaultdict(dict)
    for record in found["promises"]:
        promises[_whose(mapping, record)][str(record["Id"])] = str(record["State__c"]).lower()
    for record in found["plans"]:
        listed = tuple((read.text(record, "Installments__c") or "").split())
        plans[_whose(mapping, record)][str(record["Id"])] = ShownPlan(str(record["State__c"]).lower(), listed)
    flags = {str(record["Id"]): read.text(record, one.flag) for one in mapping.payers for record in found.get(f"payers:{one.object}", [])}
    return {
        one: View(
            one,
            follow_ups[one],
            tasks[one],
            positions[one],
            frozenset(holds[one]),
            flags.get(one),
            stamps[one],
            statuses[one],
            promises[one],
            plans[one],
        )
        for one in payers
    }


def made(mapping: OrgMapping, found: Mapping[str, list[Record]], rows: Rows) -> None:
    """Contacts really made: our follow-ups Done or whose Task was completed, and people's own completed calls and mails."""
    said = {str(key): one for one in found["tasks"] if (key := read.text(one, own.KEY))}
    ours = {key: _task(one) for key, one in said.items()}
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
                {
                    "payer": whose,
                    "at": done_at,
                    "channel": channel,
                    "kind": shown.kind,
                    "key": shown.key,
                    "conversation": shown.kind is Kind.CALL and spoken_to(said.get(shown.key)),
                }
            )
    for record in found["tasks"]:
        task = _task(record)
        by = {"Call": "call", "Email": "email"}.get(read.text(record, "TaskSubtype") or read.text(record, "Type") or "")
        if read.text(record, own.KEY) or not task.is_closed or task.is_deleted or task.completed_at is None or by is None:
            continue
        whose = read.text(record, "WhoId") or read.text(record, "WhatId") or ""
        rows["contacts"].append(
            {
                "payer": whose,
                "at": task.completed_at,
                "channel": by,
                "kind": "call" if by == "call" else None,
                "conversation": by == "call" and spoken_to(record),
            }
        )


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
