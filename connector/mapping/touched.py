"""Whose records changed since a moment: what a pass asks before it writes what it decided a while ago.

Must not run a query. Invariant: every object a decision rests on is asked, the payer's own record and ours included; whoever a record
names is told, because one too many is only looked at once more.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from connector.mapping import own
from connector.mapping.columns import texts
from connector.mapping.org import Mapping
from connector.mapping.queries import Query
from connector.mapping.read import Record

_OURS = (own.POSITION, own.FOLLOW_UP, own.ATTEMPT, own.HOLD, own.PROMISE, own.PLAN)


def touched(mapping: Mapping, since: datetime, *, owing: bool = False) -> list[Query]:
    """One query for each object, named by it; deleted rows come too. ``owing``: of payers' own records only those with an installment."""
    at = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    narrowed = {one.object: f" AND Id IN (SELECT {one.link} FROM {mapping.installments.object})" for one in mapping.payers if owing}
    return [
        Query(
            sobject,
            f"SELECT {', '.join(dict.fromkeys(['Id', *names]))} FROM {sobject} WHERE SystemModstamp >= {at}{narrowed.get(sobject, '')}",
            all_rows=True,
        )
        for sobject, names in _links(mapping).items()
    ]


def payers_in(mapping: Mapping, sobject: str, records: Sequence[Record]) -> set[str]:
    """Ids in the fields of ``sobject`` that name payers; a Task may also be about something else."""
    return {one for name in _links(mapping)[sobject] for one in texts(records, name) if one and mapping.is_payer(one)}


def _links(mapping: Mapping) -> dict[str, list[str]]:
    links = [one.link for one in mapping.payers]
    own_links = [one.own_link for one in mapping.payers]
    return {
        mapping.installments.object: links,
        mapping.payments.object: [*links, *(f"{mapping.payments.installment_relation}.{link}" for link in links)],
        "Task": ["WhoId", "WhatId"],
        mapping.cases.object: [one.case_link for one in mapping.payers],
        **dict.fromkeys(_OURS, own_links),
        **{one.object: ["Id"] for one in mapping.payers},
    }
