"""Change Data Capture: what a committed transaction looks like on the change channels.

Pure: commits in, payloads out. Its invariant: a row changed several times in one transaction gives one event, rows changed
alike share one, and whatever exceeds the threshold of a transaction is told by one overflow event per object.

Source: D.4 of the platform notes and the Change Data Capture Developer Guide: "ChangeEventHeader Fields" (changed fields only,
LastModifiedById only when it changed, ``changeOrigin``), "Merged Change Events", "Overflow Events" (100,000 changes: a created,
deleted or undeleted record counts once, an update once per field), "Gap Events", and "Change Event Considerations" (several DML
calls on a record in one transaction). Formula fields, IsDeleted and SystemModstamp are never carried; deletions by cascade are.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sandbox.org.schema import Schema
from sandbox.org.types import Change, Commit, Json, Record
from sandbox.streaming.channels import channel_of
from sandbox.streaming.compound import nested, place

HEADER = "ChangeEventHeader"
NO_RECORD = "000000000000000AAA"
OVERFLOW = "GAP_OVERFLOW"
GAP_KINDS = frozenset({"GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE", OVERFLOW})
OVERFLOW_AFTER = 100_000
_NOT_CARRIED = frozenset(
    {"Id", "IsDeleted", "SystemModstamp", "LastViewedDate", "LastReferencedDate", "LastActivityDate", "PhotoUrl", "attributes"}
)


@dataclass(frozen=True, slots=True)
class Capture:
    """What is captured: the objects, their definitions, and after how many changes of a transaction details end."""

    schema: Schema
    sobjects: frozenset[str]
    overflow_after: int = OVERFLOW_AFTER


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """One change event, ready to be appended to the log."""

    channel: str
    payload: Record
    event_uuid: str


@dataclass(slots=True)
class _Row:
    """What one row went through in a transaction, folded into one change."""

    sobject: str
    id: str
    kind: str
    changed: dict[str, None]
    record: Mapping[str, Json]


def change_events(commit: Commit, capture: Capture) -> list[ChangeEvent]:
    """The events of one transaction, in order, for the captured objects.

    Origin and user are those of the request that began the transaction, whatever automations did after it.
    """
    folded = _fold(change for change in commit.changes if change.sobject in capture.sobjects)
    if not folded:
        return []
    told, overflowing = _within(folded, capture.overflow_after)
    grouped: dict[tuple[str, str, str], tuple[_Row, list[str], Record, list[str]]] = {}
    for row in told:
        changed, fields = _carried(row, capture.schema)
        _, _, _, ids = grouped.setdefault((row.sobject, row.kind, repr((changed, fields))), (row, changed, fields, []))
        ids.append(row.id)
    parts = [(row.sobject, row.kind, changed, fields, ids) for row, changed, fields, ids in grouped.values()]
    parts += [(sobject, OVERFLOW, [], {}, [NO_RECORD]) for sobject in overflowing]
    return [_event(commit, number, *part) for number, part in enumerate(parts, start=1)]


def gap_event(sobject: str, ids: Sequence[str], kind: str, at: datetime, user_id: str) -> ChangeEvent:
    """A gap event: something changed, no field data, the record has to be read again. Raises ValueError for an unknown kind."""
    if kind not in GAP_KINDS:
        raise ValueError(f"{kind} is no kind of gap event: {', '.join(sorted(GAP_KINDS))}")
    key = str(uuid.uuid4())
    header: Record = {
        "entityName": sobject,
        "recordIds": [NO_RECORD] if kind == OVERFLOW else list(ids),
        "changeType": kind,
        "changedFields": [],
        "changeOrigin": "",
        "transactionKey": key,
        "sequenceNumber": 1,
        "commitTimestamp": int(at.timestamp() * 1000),
        "commitUser": user_id,
        "commitNumber": int(at.timestamp() * 1000),
    }
    return ChangeEvent(channel_of(sobject), {HEADER: header}, key)


def origin(api: str, client: str) -> str:
    """Which API and client began a change, as ``changeOrigin`` tells it; empty for what no API began."""
    if not api and not client:
        return ""
    return f"com/salesforce/api/{api or 'rest/66.0'}" + (f";client={client}" if client else "")


def _event(commit: Commit, number: int, sobject: str, kind: str, changed: list[str], fields: Record, ids: list[str]) -> ChangeEvent:  # noqa: PLR0913, PLR0917 - the parts of one event
    first = commit.changes[0].session
    header: Record = {
        "entityName": sobject,
        "recordIds": list(ids),
        "changeType": kind,
        "changedFields": changed,
        "changeOrigin": origin(first.api, first.client),
        "transactionKey": commit.key,
        "sequenceNumber": number,
        "commitTimestamp": int(commit.at.timestamp() * 1000),
        "commitUser": first.user_id,
        "commitNumber": commit.number,
    }
    event_uuid = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{commit.key}/{number}"))
    return ChangeEvent(channel_of(sobject), {**fields, HEADER: header}, event_uuid)


def _within(rows: Iterable[_Row], most: int) -> tuple[list[_Row], list[str]]:
    """The rows that are told one by one, and the objects of those beyond the threshold."""
    told: list[_Row] = []
    beyond: dict[str, None] = {}
    counted = 0
    for row in rows:
        counted += max(len(row.changed), 1) if row.kind == "UPDATE" else 1
        if counted <= most:
            told.append(row)
        else:
            beyond[row.sobject] = None
    return told, list(beyond)


def _fold(changes: Iterable[Change]) -> list[_Row]:
    rows: dict[str, _Row] = {}
    for change in changes:
        row = rows.get(change.id)
        if row is None:
            rows[change.id] = _Row(change.sobject, change.id, change.kind, dict.fromkeys(change.changed_fields), change.record)
            continue
        row.record = change.record
        match row.kind, change.kind:
            case "CREATE" | "UNDELETE", "DELETE":
                del rows[change.id]
            case "CREATE" | "UNDELETE", _:
                row.changed |= dict.fromkeys(change.changed_fields)
            case "DELETE", "UNDELETE":
                row.kind = "UPDATE"
            case "UPDATE", "UPDATE":
                row.changed |= dict.fromkeys(change.changed_fields)
            case _:
                row.kind = change.kind
    return list(rows.values())


def _carried(row: _Row, schema: Schema) -> tuple[list[str], Record]:
    """The ``changedFields`` and the fields of one row's event."""
    if row.kind == "DELETE":
        return [], {}
    one = schema.objects[row.sobject]
    updated = row.kind == "UPDATE"
    names = (*row.changed, "LastModifiedDate") if updated else tuple(row.record)
    places = {
        name: path for name in dict.fromkeys(names) if name not in _NOT_CARRIED and (path := place(one, name, row.record)) is not None
    }
    values = nested((path, row.record.get(name)) for name, path in places.items() if updated or row.record.get(name) is not None)
    return [".".join(path) for path in places.values()] if updated else [], values
