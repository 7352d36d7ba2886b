"""Receive, second half: what only an event knows is written to the org, and its payer is marked due.

Must not decide a follow-up. Invariant: an event leaves the inbox only when its outcome is a record in the
org (a Payment Attempt, placed or parked, or a payment) or is known to be booked by the package.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from connector.core.changes import DISCREET
from connector.core.matching import Candidate, KnownMoney, Placement, Report, place
from connector.core.words import SENSITIVE_CATEGORIES, CodeSet, Scheme
from connector.errors import PermanentError, TransientError
from connector.log import get
from connector.mapping import outcomes, own, queries, read
from connector.mapping.org import Mapping as OrgMapping
from connector.pipeline.ports import Context, OrgAccess, Record, Row
from connector.store import InboxRow, Look

log = get("dunwell.place")
SHADOW = "shadow mode: nothing is booked; this payment would have been"


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of a batch of events."""

    events: int
    written: int
    parked: int


def place_events(context: Context, rows: Sequence[InboxRow], now: datetime) -> Placed:
    """Write the outcomes of ``rows`` to the org, mark their payers due and settle them in the store.

    Raises:
        TransientError: the org does not answer, or took an unknown part; nothing is settled, and the same
            rows are placed again under the same keys.

    """
    reports = {row: outcomes.report(body, _uuid(row), row.received_at) for row in rows if (body := outcome_of(row)) is not None}
    changed = [row for row in rows if row not in reports]
    placements = place_reports(context, list(reports.values()), now)
    parked = _write(context, placements)
    looks = [Look(one.payer, now, "outcome") for one, _ in placements if one.payer]
    looks += [Look(payer, now, "change") for payer in _changed(context, changed)]
    context.store.settle_inbox([row.id for row in rows if row.id is not None], looks=looks)
    for one, report in placements:
        if one.parked:
            log.warning("outcome.parked", event_id=report.event_uuid)
    return Placed(len(rows), len(placements), parked)


def _uuid(row: InboxRow) -> str:
    return row.event_uuid or f"{row.channel.rpartition('/')[2]}_{row.replay_id}"


def outcome_of(row: InboxRow) -> Mapping[str, object] | None:
    """The payload of a reported outcome; None for a change of a record."""
    if row.channel != own.OUTCOME_CHANNEL:
        return None
    body = json.loads(row.body, parse_float=Decimal)
    return body if isinstance(body, dict) else {}


def place_reports(context: Context, reports: Sequence[Report], now: datetime) -> list[tuple[Placement, Report]]:
    """Say where each report belongs, oldest first; of two reports with one key the first stands."""
    by_id, by_reference = _candidates(context.org, context.mapping, reports)
    installments = {one.id for found in (*by_id.values(), *by_reference.values()) for one in found}
    money = _money(context, sorted(installments))
    placed: dict[str, tuple[Placement, Report]] = {}
    for report in sorted(reports, key=lambda one: (one.at, one.event_uuid)):
        candidates = by_id.get((report.installment_id or "")[:15], []) or by_reference.get(report.installment_reference or "", [])
        found = place(report, candidates, money, now, own.EVENT_VERSIONS)
        placed.setdefault(found.key, (found, report))
        if found.write == "payment" and found.installment is not None and found.amount is not None:
            money.append(KnownMoney(found.installment.id, found.amount, report.provider_reference))
    return list(placed.values())


def _candidates(
    org: OrgAccess, mapping: OrgMapping, reports: Sequence[Report]
) -> tuple[dict[str, list[Candidate]], dict[str, list[Candidate]]]:
    ids = sorted({one.installment_id for one in reports if one.installment_id})
    references = sorted({one.installment_reference for one in reports if one.installment_reference and not one.installment_id})
    chunks = [
        query
        for at in range(0, max(len(ids), len(references)), 200)
        for query in queries.known_installments(mapping, ids[at : at + 200], references[at : at + 200])
    ]
    answers = org.query_many([one.soql for one in chunks]) if chunks else []
    by_id: dict[str, list[Candidate]] = {}
    by_reference: dict[str, list[Candidate]] = defaultdict(list)
    for query, rows in zip(chunks, answers, strict=True):
        for record in rows:
            candidate = _candidate(mapping, record)
            if candidate is None:
                continue
            if query.name == "by_id":
                by_id[candidate.id[:15]] = [candidate]
            else:
                for reference in {read.text(record, name) for name in mapping.installments.references} - {None}:
                    by_reference[str(reference)].append(candidate)
    return by_id, by_reference


def _candidate(mapping: OrgMapping, record: Record) -> Candidate | None:
    one = mapping.installments
    try:
        amount = read.number(record, one.amount)
    except PermanentError:
        amount = None
    processor = read.text(record, one.processor)
    return Candidate(
        id=str(record["Id"]),
        payer=read.payer_of(mapping, record),
        currency=read.text(record, one.currency) or mapping.creditor.currency,
        amount=amount or Decimal(0),
        recorded_by=mapping.processor(processor).records_money,
        payment_method=read.text(record, one.payment_method),
        processor=processor,
    )


def _money(context: Context, installments: Sequence[str]) -> list[KnownMoney]:
    chunks = [
        query for at in range(0, len(installments), 200) for query in queries.known_money(context.mapping, installments[at : at + 200], [])
    ]
    names = context.mapping.payments
    found = []
    for rows in context.org.query_many([one.soql for one in chunks]) if chunks else []:
        for record in rows:
            amount = read.number(record, names.amount)
            if amount is not None:
                found.append(KnownMoney(str(read.text(record, names.installment)), amount, read.text(record, names.reference)))
    return found


def _write(context: Context, placements: Sequence[tuple[Placement, Report]]) -> int:
    """Insert what is to be written; a key that exists already is done. Returns how many are parked."""
    rows: list[Row] = []
    whose: list[tuple[Placement, Report]] = []
    for placement, report in placements:
        if placement.write is None:
            continue
        if placement.write == "payment" and not context.shadow:
            rows.append(payment_row(context.mapping, placement, report))
        else:
            rows.append((own.ATTEMPT, attempt_fields(context, placement, report)))
        whose.append((placement, report))
    saved, _ = context.org.write(rows, []) if rows else ([], [])
    refused = [
        (one, report, result.code or "")
        for (one, report), result in zip(whose, saved, strict=True)
        if not result.ok and result.code != "DUPLICATE_VALUE"
    ]
    if any(result.transient for result in saved if not result.ok):
        raise TransientError("the org locked or refused some rows for the moment", retry_after=2.0)
    if refused:
        _park_refused(context, refused)
    return sum(1 for one, _ in placements if one.parked) + len(refused)


def payment_row(mapping: OrgMapping, placement: Placement, report: Report) -> Row:
    """Insert row of the payment a placement stands for."""
    return outcomes.payment_record(mapping, placement, report)


def attempt_fields(context: Context, placement: Placement, report: Report) -> dict[str, object]:
    """Fields of the attempt a placement stands for, its reason judged by the catalogue."""
    category = None
    if report.reason_code and placement.parked is None:
        code_set = CodeSet(report.code_set) if report.code_set else None
        scheme = Scheme(report.scheme) if report.scheme else None
        found = context.catalogue.resolve(code_set, report.reason_code, scheme, report.reason_country).category
        category = DISCREET if found in SENSITIVE_CATEGORIES else str(found)
    parked = SHADOW if placement.write == "payment" else None
    return outcomes.attempt_record(context.mapping, placement, report, category, parked=parked)


def _park_refused(context: Context, refused: Sequence[tuple[Placement, Report, str]]) -> None:
    """Write an outcome that the org would not take as it is as a parked attempt that says so."""
    rows: list[Row] = []
    for placement, report, code in refused:
        because = f"the org refused the record with {code}; see docs/runbook.md, write.refused"
        bare = Placement("attempt", placement.key, None, None, None, parked=because)
        rows.append(
            (
                own.ATTEMPT,
                {
                    name: value
                    for name, value in outcomes.attempt_record(context.mapping, bare, report, None).items()
                    if name not in ("Reason_Text__c", "Amount__c")
                },
            )
        )
        log.error("write.refused", code=code, sobject=own.ATTEMPT)
    saved, _ = context.org.write(rows, [])
    lost = [result.code for result in saved if not result.ok and result.code != "DUPLICATE_VALUE"]
    if lost:
        raise TransientError(f"the org refuses parked attempts too ({lost[0]}); check the integration user's permissions", retry_after=60.0)


def _changed(context: Context, rows: Sequence[InboxRow]) -> set[str]:
    """Payers whose cases or holds people changed."""
    by_entity: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        body = json.loads(row.body)
        by_entity[str(body["entity"])].update(str(one) for one in body["ids"])
    wanted = [
        queries.changed(context.mapping, entity, sorted(ids)[at : at + 200])
        for entity, ids in sorted(by_entity.items())
        for at in range(0, len(ids), 200)
    ]
    if not wanted:
        return set()
    answers = context.org.query_many([one.soql for one in wanted], all_rows=[one.all_rows for one in wanted])
    links = [one.case_link for one in context.mapping.payers] + [one.own_link for one in context.mapping.payers]
    return {found for rows_ in answers for record in rows_ for link in links if (found := read.text(record, link))}
