"""Single records: create, retrieve, update, delete, upsert by external id, and what collections share with them.

The wire only; what is allowed is the org's affair. Its invariant: each request is one transaction.

Source: C.5 of the platform notes; publishing an event answers 201 with a non-empty ``errors`` (D.4). A segment that has not
the form of an id is answered like an external id that is not there (recorded: restforce, sobject_find_error_response). Bytes
stand in a record as the path to them (sObject Blob Get). A record read with ``fields`` has its Id whether asked for or not
(the guide's example of Composite Batch; restforce, sobject_select_success_response).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sandbox.http.conditions import State, conditional, unmet
from sandbox.http.events import publish
from sandbox.http.platform import Platform
from sandbox.http.wire import Call, JsonObject, Reply, as_object, only, updates_mru
from sandbox.org import ids
from sandbox.org.errors import OrgError, locked, no_external_id
from sandbox.org.schema import ObjectType
from sandbox.org.types import Session

FIRST_UPSERT_BODY = 46.0


@dataclass(frozen=True, slots=True)
class Key:
    """Which record an upsert means: its external id field and the value; ``update_only`` forbids creating it."""

    field: str
    value: str
    update_only: bool = False


def create(platform: Platform, kind: ObjectType, fields: Mapping[str, object], session: Session) -> JsonObject:
    """Create a record or publish an event; returns the save result. Raises OrgError."""
    if kind.kind == "event":
        return publish(platform, kind, fields, session)
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


def made(platform: Platform, call: Call, kind: ObjectType) -> Reply:
    """Answer the POST that makes a record."""
    with platform.org.transaction():
        saved = create(platform, kind, body_fields(call.body), call.session)
    return _created(platform, call, kind, saved)


def record(platform: Platform, call: Call, kind: ObjectType, record_id: str) -> Reply:
    """Answer a request about one record by its id."""
    if refusal := only(call, "GET", "PATCH", "DELETE"):
        return refusal
    known = ids.normal(record_id)
    if known is None:
        raise no_external_id(record_id)
    if conditional(call.headers) and (reply := unmet(call, _state(platform, call, kind, known))):
        return reply
    org, session = platform.org, call.session
    if call.method == "GET":
        found = org.retrieve(kind.name, known, _fields(call), session=session, api_version=call.version)
        _seen(platform, call, kind, known)
        return Reply(200, found, _tags(platform, kind, known))
    with org.transaction():
        if call.method == "PATCH":
            update(platform, kind, known, body_fields(call.body), session)
        else:
            delete(platform, kind, known, session)
    if call.method == "PATCH":
        _seen(platform, call, kind, known)
        return Reply(204, None, _tags(platform, kind, known))
    return Reply(204)


def by_external_id(platform: Platform, call: Call, kind: ObjectType, ext_field: str, value: str) -> Reply:
    """Answer a request about one record by an external id; ``Id`` is one too."""
    if ext_field.lower() == "id":
        return record(platform, call, kind, value)
    if refusal := only(call, "GET", "PATCH", "DELETE"):
        return refusal
    try:
        if call.method == "PATCH":
            return _upserted(platform, call, kind, Key(ext_field, value, call.query.get("updateOnly", "").lower() == "true"))
        found = platform.org.retrieve_by(kind.name, ext_field, value, ["Id"], session=call.session)
    except OrgError as problem:
        if problem.status != 300:
            raise
        return Reply(300, [f"{call.root}/sobjects/{kind.name}/{match}" for match in getattr(problem, "matches", ())])
    return record(platform, call, kind, str(found["Id"]))


def _upserted(platform: Platform, call: Call, kind: ObjectType, key: Key) -> Reply:
    with platform.org.transaction():
        saved = upsert(platform, kind, key, body_fields(call.body), call.session)
    if saved["created"]:
        return _created(platform, call, kind, saved)
    _seen(platform, call, kind, str(saved["id"]))
    return Reply(200, saved) if float(call.version) >= FIRST_UPSERT_BODY else Reply(204)


def _created(platform: Platform, call: Call, kind: ObjectType, saved: JsonObject) -> Reply:
    if kind.kind == "record":
        _seen(platform, call, kind, str(saved["id"]))
    return Reply(201, saved, {"Location": f"{call.root}/sobjects/{kind.name}/{saved['id']}"})


def _seen(platform: Platform, call: Call, kind: ObjectType, record_id: str) -> None:
    if updates_mru(call):
        platform.recent.note(call.session.user_id, kind.name, record_id)


def _fields(call: Call) -> list[str] | None:
    """The fields asked for, and Id last when it is not among them; None for all."""
    named = [name.strip() for name in call.query.get("fields", "").split(",") if name.strip()]
    return named + ["Id"] * all(name.lower() != "id" for name in named) if named else None


def _state(platform: Platform, call: Call, kind: ObjectType, record_id: str) -> State:
    found = platform.org.retrieve(kind.name, record_id, ["LastModifiedDate"], session=call.session)
    modified = datetime.strptime(str(found["LastModifiedDate"]), "%Y-%m-%dT%H:%M:%S.%f%z")
    return State(modified, platform.revisions.tag(kind.name, record_id))


def _tags(platform: Platform, kind: ObjectType, record_id: str) -> dict[str, str]:
    etag = platform.revisions.tag(kind.name, record_id)
    return {} if etag is None else {"ETag": etag}
