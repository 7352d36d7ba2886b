"""Single records: ``/sobjects`` with describe, create, retrieve, update, delete, upsert by external id, deleted and updated.

The wire only; what is allowed is the org's affair. Its invariant: each request is one transaction.
Source: C.5 and C.11 of the platform notes; publishing an event answers 201 with a non-empty ``errors`` (D.4).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from sandbox.http.platform import Platform
from sandbox.http.wire import Call, JsonObject, Reply, as_object, error
from sandbox.org.errors import OrgError, locked, not_found
from sandbox.org.schema import ObjectType
from sandbox.org.types import Session

FIRST_UPSERT_BODY = 46.0


@dataclass(frozen=True, slots=True)
class Key:
    """Which record an upsert means: its external id field and the value; ``update_only`` forbids creating it."""

    field: str
    value: str
    update_only: bool = False


def sobjects(platform: Platform, call: Call) -> Reply:
    """Route one request below ``/sobjects``."""
    if len(call.parts) == 1:
        return _only(call, "GET") or Reply(200, platform.org.describe_global(call.session.user_id, api_version=call.version))
    kind = platform.org.schema.get(call.parts[1])
    if kind is None:
        raise not_found()
    match call.parts[2:]:
        case ():
            return _of_object(platform, call, kind)
        case ("describe",):
            return _only(call, "GET") or Reply(200, platform.org.describe(kind.name, call.session.user_id, api_version=call.version))
        case ("deleted" | "updated" as what,):
            return _only(call, "GET") or _replicated(platform, call, kind, what)
        case ("eventSchema",) if kind.kind == "event":
            return Reply(200, event_schema(kind))
        case (record_id,):
            return _record(platform, call, kind, record_id)
        case (ext_field, value):
            return _by_external_id(platform, call, kind, ext_field, value)
    raise not_found()


def create(platform: Platform, kind: ObjectType, fields: Mapping[str, object], session: Session) -> JsonObject:
    """Create a record or publish an event; returns the save result. Raises OrgError."""
    if kind.kind == "event":
        uuid, replay_id = platform.org.publish(kind.name, fields, session=session)
        platform.usage.counts["events_published"] += 1
        queued = {"statusCode": "OPERATION_ENQUEUED", "message": uuid, "fields": []}
        return {"id": f"e01{(replay_id or 0) % 10**12:012d}AAA", "success": True, "errors": [queued]}
    lock(platform, kind.name, "")
    record_id = platform.org.create(kind.name, fields, session=session)
    platform.usage.counts["records_written"] += 1
    return {"id": record_id, "success": True, "errors": []}


def update(platform: Platform, kind: ObjectType, record_id: str, fields: Mapping[str, object], session: Session) -> None:
    """Update a record. Raises OrgError."""
    lock(platform, kind.name, record_id)
    platform.org.update(kind.name, record_id, fields, session=session)
    platform.usage.counts["records_written"] += 1


def delete(platform: Platform, kind: ObjectType, record_id: str, session: Session) -> None:
    """Delete a record. Raises OrgError."""
    lock(platform, kind.name, record_id)
    platform.org.delete(kind.name, record_id, session=session)
    platform.usage.counts["records_written"] += 1


def upsert(platform: Platform, kind: ObjectType, key: Key, fields: Mapping[str, object], session: Session) -> JsonObject:
    """Upsert by external id; returns the save result with ``created``. Raises OrgError."""
    lock(platform, kind.name, key.value)
    record_id, created = platform.org.upsert(kind.name, key.field, key.value, fields, session=session, update_only=key.update_only)
    platform.usage.counts["records_written"] += 1
    return {"id": record_id, "success": True, "errors": [], "created": created}


def lock(platform: Platform, sobject: str, record_id: str) -> None:
    """Raise UNABLE_TO_LOCK_ROW when a fault says so for this record."""
    if platform.faults.take("row_lock", target=sobject):
        raise locked(record_id or "001000000000000AAA")


def body_fields(body: object) -> JsonObject:
    """The fields of a record body: everything but ``attributes``. Raises OrgError."""
    return {name: value for name, value in as_object(body).items() if name != "attributes"}


def event_schema(kind: ObjectType) -> JsonObject:
    """The Avro schema of a platform event, shortened to names and types."""
    fields = [{"name": "CreatedDate", "type": "string"}, {"name": "CreatedById", "type": "string"}]
    own = [
        {"name": field.name, "type": ["null", "double" if field.is_number else "string"]} for field in kind.fields.values() if field.custom
    ]
    return {"name": kind.name, "namespace": "com.sforce.eventbus", "type": "record", "fields": [*fields, *own]}


def _only(call: Call, *methods: str) -> Reply | None:
    if call.method in methods:
        return None
    return error(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{call.method}' not allowed. Allowed are {','.join(methods)}")


def _of_object(platform: Platform, call: Call, kind: ObjectType) -> Reply:
    if call.method == "POST":
        with platform.org.transaction():
            saved = create(platform, kind, body_fields(call.body), call.session)
        return Reply(201, saved, {"Location": f"{call.root}/sobjects/{kind.name}/{saved['id']}"})
    if refusal := _only(call, "GET", "POST"):
        return refusal
    described = platform.org.describe(kind.name, call.session.user_id, api_version=call.version)
    basic = {key: value for key, value in described.items() if not isinstance(value, list) or key == "urls"}
    return Reply(200, {"objectDescribe": basic, "recentItems": []})


def _record(platform: Platform, call: Call, kind: ObjectType, record_id: str) -> Reply:
    org, session = platform.org, call.session
    if call.method == "GET":
        return Reply(200, org.retrieve(kind.name, record_id, _fields(call), session=session, api_version=call.version))
    if refusal := _only(call, "GET", "PATCH", "DELETE"):
        return refusal
    if _moved_since(platform, call, kind, record_id):
        return error(412, "PRECONDITION_FAILED", "The record was modified after the date of the If-Unmodified-Since header")
    with org.transaction():
        if call.method == "PATCH":
            update(platform, kind, record_id, body_fields(call.body), session)
        else:
            delete(platform, kind, record_id, session)
    return Reply(204)


def _by_external_id(platform: Platform, call: Call, kind: ObjectType, ext_field: str, value: str) -> Reply:
    if ext_field.lower() == "id":
        return _record(platform, call, kind, value)
    try:
        if call.method == "GET":
            return Reply(200, platform.org.retrieve_by(kind.name, ext_field, value, _fields(call), session=call.session))
        if call.method == "DELETE":
            found = platform.org.retrieve_by(kind.name, ext_field, value, ["Id"], session=call.session)
            with platform.org.transaction():
                delete(platform, kind, str(found["Id"]), call.session)
            return Reply(204)
        if refusal := _only(call, "GET", "PATCH", "DELETE"):
            return refusal
        key = Key(ext_field, value, update_only=call.query.get("updateOnly", "").lower() == "true")
        with platform.org.transaction():
            saved = upsert(platform, kind, key, body_fields(call.body), call.session)
    except OrgError as problem:
        if problem.status != 300:
            raise
        return Reply(300, [f"{call.root}/sobjects/{kind.name}/{match}" for match in getattr(problem, "matches", ())])
    if saved["created"]:
        return Reply(201, saved, {"Location": f"{call.root}/sobjects/{kind.name}/{saved['id']}"})
    return Reply(200, saved) if float(call.version) >= FIRST_UPSERT_BODY else Reply(204)


def _fields(call: Call) -> list[str] | None:
    named = call.query.get("fields", "")
    return [name.strip() for name in named.split(",") if name.strip()] or None


def _moved_since(platform: Platform, call: Call, kind: ObjectType, record_id: str) -> bool:
    header = call.headers.get("if-unmodified-since")
    if not header:
        return False
    try:
        limit = parsedate_to_datetime(header)
    except ValueError as problem:
        raise OrgError(400, "INVALID_HTTP_HEADER", "If-Unmodified-Since is no HTTP date") from problem
    found = platform.org.retrieve(kind.name, record_id, ["LastModifiedDate"], session=call.session)
    modified = datetime.strptime(str(found["LastModifiedDate"]), "%Y-%m-%dT%H:%M:%S.%f%z")
    return modified.replace(microsecond=0) > limit.astimezone(UTC)


def _replicated(platform: Platform, call: Call, kind: ObjectType, what: str) -> Reply:
    start, end = _moment(call, "start"), _moment(call, "end")
    window = f"SystemModstamp >= {start} AND SystemModstamp <= {end}"
    if what == "updated":
        found = platform.org.query(f"SELECT Id FROM {kind.name} WHERE {window}", user_id=call.session.user_id)
        return Reply(200, {"ids": [row["Id"] for row in found.records], "latestDateCovered": _dotted(end)})
    soql = f"SELECT Id, SystemModstamp FROM {kind.name} WHERE IsDeleted = true AND {window}"
    found = platform.org.query(soql, user_id=call.session.user_id, all_rows=True)
    rows = [{"id": row["Id"], "deletedDate": row["SystemModstamp"]} for row in found.records]
    earliest = _dotted((platform.org.clock.now() - timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ"))
    return Reply(200, {"deletedRecords": rows, "earliestDateAvailable": earliest, "latestDateCovered": _dotted(end)})


def _moment(call: Call, name: str) -> str:
    text = call.query.get(name, "").replace(" ", "+")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as problem:
        raise OrgError(400, "INVALID_REPLICATION_DATE", f"{name} is no date and time") from problem
    if moment.tzinfo is None:
        raise OrgError(400, "INVALID_REPLICATION_DATE", f"{name} has no offset")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _dotted(text: str) -> str:
    return text.replace("Z", ".000+0000")
