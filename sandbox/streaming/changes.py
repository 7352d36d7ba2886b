"""Change Data Capture: what a committed transaction looks like on the change channels.

Pure: commits in, payloads out. Its invariant: a row changed several times in one transaction gives one event, and rows
changed alike share one. Source: D.4 of the platform notes (header, changed fields only, changeOrigin, merged recordIds).
"""

import base64
import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sandbox.org.schema import Schema
from sandbox.org.types import Change, Commit, Json, Record

API_VERSION = "66.0"
DEFAULT_CHANNEL = "ChangeEvents"
DEFAULT_ENTITIES = ("Case", "Dunwell_Hold__c")
_NOT_CARRIED = frozenset({"Id", "IsDeleted", "SystemModstamp", "attributes"})
GAP_KINDS = frozenset({"GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE", "GAP_OVERFLOW"})


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


def event_name(sobject: str) -> str:
    """``Case`` → ``CaseChangeEvent``, ``Dunwell_Hold__c`` → ``Dunwell_Hold__ChangeEvent``."""
    return f"{sobject[:-1]}ChangeEvent" if sobject.endswith("__c") else f"{sobject}ChangeEvent"


def channel_of(sobject: str) -> str:
    """The channel of one object's change events."""
    return f"/data/{event_name(sobject)}"


def channels(schema: Schema) -> dict[str, tuple[str, ...]]:
    """Every channel of changes with the objects it carries: one per object captured, and one per selection.

    Objects are those selected in the DX source (PlatformEventChannelMember); without any, cases and holds.
    """
    by_event = {event_name(kind.name).lower(): kind.name for kind in schema.records()}
    selected = {
        channel: tuple(by_event[member.lower()] for member in members if member.lower() in by_event)
        for channel, members in schema.change_entities.items()
    }
    if not any(selected.values()):
        selected = {DEFAULT_CHANNEL: tuple(name for name in DEFAULT_ENTITIES if schema.get(name))}
    captured = dict.fromkeys(name for members in selected.values() for name in members)
    return {channel_of(name): (name,) for name in captured} | {f"/data/{channel}": members for channel, members in selected.items()}


def change_events(commit: Commit, captured: frozenset[str]) -> list[ChangeEvent]:
    """The events of one transaction, in order, for the captured objects.

    Origin and user are those of the request that began the transaction, whatever automations did after it.
    """
    folded = _fold(change for change in commit.changes if change.sobject in captured)
    if not folded:
        return []
    first = commit.changes[0].session
    origin = f"com/salesforce/api/rest/{API_VERSION}" + (f";client={first.client}" if first.client else "")
    grouped: dict[tuple[str, str, str], tuple[_Row, Record, list[str]]] = {}
    for row in folded:
        fields = _carried(row)
        _, _, ids = grouped.setdefault((row.sobject, row.kind, repr(fields)), (row, fields, []))
        ids.append(row.id)
    events = []
    for sequence, (row, fields, ids) in enumerate(grouped.values(), start=1):
        header: Record = {
            "entityName": row.sobject,
            "recordIds": list(ids),
            "changeType": row.kind,
            "changedFields": [*row.changed, "LastModifiedDate"] if row.kind == "UPDATE" else [],
            "changeOrigin": origin,
            "transactionKey": commit.key,
            "sequenceNumber": sequence,
            "commitTimestamp": int(commit.at.timestamp() * 1000),
            "commitUser": first.user_id,
            "commitNumber": commit.number,
        }
        event_uuid = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{commit.key}/{sequence}"))
        events.append(ChangeEvent(channel_of(row.sobject), {**fields, "ChangeEventHeader": header}, event_uuid))
    return events


def gap_event(sobject: str, ids: Sequence[str], kind: str, at: datetime, user_id: str) -> ChangeEvent:
    """A gap event: something changed, no field data, the record has to be read again. Raises ValueError for an unknown kind."""
    if kind not in GAP_KINDS:
        raise ValueError(f"{kind} is no kind of gap event: {', '.join(sorted(GAP_KINDS))}")
    key = str(uuid.uuid4())
    header: Record = {
        "entityName": sobject,
        "recordIds": list(ids),
        "changeType": kind,
        "changedFields": [],
        "changeOrigin": "",
        "transactionKey": key,
        "sequenceNumber": 1,
        "commitTimestamp": int(at.timestamp() * 1000),
        "commitUser": user_id,
        "commitNumber": 0,
    }
    return ChangeEvent(channel_of(sobject), {"ChangeEventHeader": header}, key)


def schema_id(name: str) -> str:
    """The schema id that messages of this event carry: 22 characters, the same for every run."""
    return base64.urlsafe_b64encode(hashlib.sha256(name.encode()).digest())[:22].decode()


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


def _carried(row: _Row) -> Record:
    if row.kind == "DELETE":
        return {}
    if row.kind == "UPDATE":
        return {name: row.record.get(name) for name in (*row.changed, "LastModifiedDate") if name not in _NOT_CARRIED}
    return {name: value for name, value in row.record.items() if value is not None and name not in _NOT_CARRIED}
