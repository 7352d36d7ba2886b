"""Platform events over REST: publishing them, and the Avro schemas of all events.

The wire only. Its invariant: a published event is answered with its uuid in a non-empty ``errors`` (OPERATION_ENQUEUED), and
one beyond the hourly allowance is refused before anything is published.
Source: D.4 of the platform notes; Platform Events Developer Guide, "Platform Event Error Status Codes"; REST API Developer
Guide, "Platform Event Schema by Event Name" and "by Schema ID" (``payloadFormat`` since version 43.0).
"""

from collections.abc import Mapping

from sandbox import publishing
from sandbox.http.platform import Platform
from sandbox.http.wire import Call, JsonObject, Reply, error
from sandbox.org.errors import OrgError, not_found
from sandbox.org.schema import ObjectType
from sandbox.org.types import Record, Session
from sandbox.streaming.schemas import expanded


def publish(platform: Platform, kind: ObjectType, fields: Mapping[str, object], session: Session) -> JsonObject:
    """Publish an event; returns the save result. Raises OrgError."""
    record_id, uuid = publishing.publish(platform, kind, fields, session)
    queued = {"statusCode": "OPERATION_ENQUEUED", "message": uuid, "fields": []}
    return {"id": record_id, "success": True, "errors": [queued]}


def schema_of(platform: Platform, call: Call, event: str) -> Reply:
    """Answer ``/sobjects/{event}/eventSchema``, of platform events and of change events."""
    return _answer(call, platform.schemas.named(event))


def schema_by_id(platform: Platform, call: Call, schema_id: str) -> Reply:
    """Answer ``/event/eventSchema/{id}``."""
    return _answer(call, platform.schemas.by_id(schema_id))


def _answer(call: Call, definition: Record | None) -> Reply:
    if call.method != "GET":
        return error(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{call.method}' not allowed. Allowed are HEAD,GET")
    if definition is None:
        raise not_found()
    match call.query.get("payloadFormat", "EXPANDED").upper():
        case "EXPANDED":
            return Reply(200, expanded(definition))
        case "COMPACT":
            return Reply(200, definition)
    raise OrgError(400, "INVALID_PARAMETER", "payloadFormat must be one of EXPANDED, COMPACT")
