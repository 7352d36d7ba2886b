"""Parked outcomes, tried again: what could not be placed yesterday may have its installment today.

Must not invent anything: a parked attempt holds all that was reported. Invariant: an outcome that is placed
now is written once, under the key it has when it is placed at once, and its attempt says so. Where the same
outcome was reported again and placed meanwhile, the parked attempt is settled and names no installment.
"""

from collections.abc import Mapping
from datetime import datetime

from connector.core.matching import Placement, Report
from connector.log import get
from connector.mapping import outcomes, own, queries, read
from connector.pipeline.place import place_reports
from connector.pipeline.ports import Context, Edit, Record, Row
from connector.store import Look

log = get("dunwell.parked")


def place_parked(context: Context, now: datetime) -> int:
    """Place what can be placed by now. Returns how many outcomes were placed.

    Raises:
        TransientError: the org does not answer; what was not placed stays parked.

    """
    query = queries.parked_attempts(context.mapping)
    (records,) = context.org.query_many([query.soql])
    if not records or context.shadow:
        return 0
    by_uuid = {str(record["Id"]): record for record in records}
    found = place_reports(context, [_report(record, now) for record in records], now)
    placed = [(placement, report, by_uuid[report.event_uuid]) for placement, report in found if placement.parked is None]
    rows: list[Row] = [
        outcomes.payment_record(context.mapping, placement, report) for placement, report, _ in placed if placement.write == "payment"
    ]
    saved, _ = context.org.write(rows, []) if rows else ([], [])
    refused = {rows[at][1][context.mapping.payments.key] for at, one in enumerate(saved) if not one.ok and one.code != "DUPLICATE_VALUE"}
    done = [(placement, record) for placement, _, record in placed if placement.write != "payment" or placement.key not in refused]
    edits: list[Edit] = [(own.ATTEMPT, str(record["Id"]), _placed_fields(context, placement)) for placement, record in done]
    if edits:
        _, saved = context.org.write([], edits)
        twins = [edit for edit, one in zip(edits, saved, strict=True) if one.code == "DUPLICATE_VALUE"]
        if twins:
            context.org.write(
                [], [(sobject, record, {**_without_key(fields), "Installment_Id__c": None}) for sobject, record, fields in twins]
            )
        context.store.mark_looks([Look(placement.payer, now, "unparked") for placement, _ in done if placement.payer])
        context.wake.set()
        log.info("outcome.placed", events=len(edits), parked=len(records) - len(edits))
    return len(edits)


def _report(record: Record, now: datetime) -> Report:
    """Give the report an attempt was written from; the record's id stands for the event's."""
    payload = {name: record.get(name) for name in queries.REPORTED_FIELDS}
    payload["Installment__c"] = read.text(record, "Installment_Id__c")
    return outcomes.report(payload, str(record["Id"]), now)


def _placed_fields(context: Context, placement: Placement) -> dict[str, object]:
    """What an attempt says once placed. One whose money became a payment names no installment: the payment does."""
    is_attempt = placement.write == "attempt"
    payer = str(placement.payer)
    return {
        "Status__c": "Placed",
        "Parked_Because__c": None,
        context.mapping.payer_of(payer).own_link: payer,
        "Installment_Id__c": placement.installment.id if is_attempt and placement.installment else None,
        **({own.KEY: placement.key} if is_attempt else {}),
    }


def _without_key(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if name != own.KEY}
