"""``/composite/sobjects``: up to 200 records in one call, each with a result of its own.

The wire only. Its invariant: results stand in the order of the records, and with ``allOrNone`` either all are saved or none.
Source: C.6 of the platform notes (200 records, 10 chunks of one type, ``statusCode`` not ``errorCode``, roll-back wording).
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby

from sandbox.http import rows
from sandbox.http.platform import Platform
from sandbox.http.wire import Call, JsonObject, Reply, as_list, as_object, error
from sandbox.org.errors import OrgError, not_found
from sandbox.org.schema import ObjectType

MOST_RECORDS = 200
MOST_CHUNKS = 10
MOST_RETRIEVED = 2000
_ROLLED_BACK = "Record rolled back because not all records were valid and the request was using AllOrNone header"
_TOO_MANY = "record limit reached. cannot submit more than {} records into this call"

Step = Callable[[], JsonObject]


class _RolledBackError(Exception):
    """Leaves the transaction so that it is undone."""


def collections(platform: Platform, call: Call) -> Reply:
    """Route one request at ``/composite/sobjects[/{type}[/{external id field}]]``."""
    match call.method, call.parts[2:]:
        case "POST", ():
            return _save(platform, call, lambda record: _create(platform, call, record))
        case "PATCH", ():
            return _save(platform, call, lambda record: _update(platform, call, record))
        case "PATCH", (sobject, ext_field):
            return _save(platform, call, lambda record: _upsert(platform, call, _kind(platform, sobject), ext_field, record))
        case "DELETE", ():
            return _delete(platform, call)
        case "GET" | "POST", (sobject,):
            return _retrieve(platform, call, _kind(platform, sobject))
        case _:
            return error(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{call.method}' not allowed.")


def _kind(platform: Platform, sobject: str) -> ObjectType:
    kind = platform.org.schema.get(sobject)
    if kind is None:
        raise not_found()
    return kind


def _save(platform: Platform, call: Call, save: Callable[[JsonObject], JsonObject]) -> Reply:
    body = as_object(call.body)
    records = [as_object(record) for record in as_list(body.get("records"), "records")]
    if len(records) > MOST_RECORDS:
        return error(400, "EXCEEDED_ID_LIMIT", _TOO_MANY.format(MOST_RECORDS))
    chunks = sum(1 for _ in groupby(records, key=_type_name))
    if chunks > MOST_CHUNKS:
        return error(400, "INVALID_INPUT", f"Operation is too large: {chunks} chunks of one object type, at most {MOST_CHUNKS} are allowed")
    return run(platform, [partial(save, record) for record in records], bool(body.get("allOrNone")))


def run(platform: Platform, steps: Sequence[Step], all_or_none: bool) -> Reply:
    """Carry out the steps in one transaction, each saved or refused by itself, and answer 200 with their results."""
    results: list[JsonObject] = []
    try:
        with platform.org.transaction():
            results.extend(_attempt(platform, step) for step in steps)
            if all_or_none:
                _insist(all(result["success"] for result in results))
    except _RolledBackError:
        return Reply(200, [_undone(result) for result in results])
    return Reply(200, results)


def _insist(fine: bool) -> None:
    if not fine:
        raise _RolledBackError


def _attempt(platform: Platform, step: Step) -> JsonObject:
    try:
        with platform.org.transaction():
            return step()
    except OrgError as problem:
        return {"success": False, "errors": [problem.as_saved()]}


def _undone(result: JsonObject) -> JsonObject:
    if not result["success"]:
        return result
    return {"success": False, "errors": [{"statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK", "message": _ROLLED_BACK, "fields": []}]}


def _type_name(record: JsonObject) -> str:
    attributes = record.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    return str(name or "").lower()


def _record_kind(platform: Platform, record: JsonObject) -> ObjectType:
    name = _type_name(record)
    if not name:
        raise OrgError(400, "INVALID_TYPE", "Must specify an sObject type in attributes.type")
    kind = platform.org.schema.get(name)
    if kind is None:
        raise OrgError(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.")
    return kind


def _split_id(record: JsonObject) -> tuple[str | None, JsonObject]:
    fields = {name: value for name, value in record.items() if name != "attributes" and name.lower() != "id"}
    found = next((value for name, value in record.items() if name.lower() == "id"), None)
    return (str(found) if found else None), fields


def _create(platform: Platform, call: Call, record: JsonObject) -> JsonObject:
    record_id, fields = _split_id(record)
    if record_id:
        raise OrgError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ["Id"])
    return rows.create(platform, _record_kind(platform, record), fields, call.session)


def _update(platform: Platform, call: Call, record: JsonObject) -> JsonObject:
    record_id, fields = _split_id(record)
    kind = _record_kind(platform, record)
    if not record_id:
        raise OrgError(400, "MISSING_ARGUMENT", "Id not specified in an update call")
    rows.update(platform, kind, record_id, fields, call.session)
    return {"id": record_id, "success": True, "errors": []}


def _upsert(platform: Platform, call: Call, kind: ObjectType, ext_field: str, record: JsonObject) -> JsonObject:
    if _type_name(record) not in {"", kind.name.lower()}:
        raise OrgError(400, "INVALID_TYPE", "All records of an upsert must be of the type in the URL")
    key = next((name for name in record if name.lower() == ext_field.lower()), None)
    value = record.get(key) if key else None
    fields = {name: field for name, field in record.items() if name not in {"attributes", key}}
    if ext_field.lower() == "id":
        if not value:
            return rows.create(platform, kind, fields, call.session) | {"created": True}
        rows.update(platform, kind, str(value), fields, call.session)
        return {"id": str(value), "success": True, "errors": [], "created": False}
    if value is None or value == "":
        raise OrgError(400, "MISSING_ARGUMENT", f"{ext_field} not specified")
    return rows.upsert(platform, kind, rows.Key(ext_field, str(value)), fields, call.session)


def _delete(platform: Platform, call: Call) -> Reply:
    ids = [text.strip() for text in call.query.get("ids", "").split(",") if text.strip()]
    if len(ids) > MOST_RECORDS:
        return error(400, "EXCEEDED_ID_LIMIT", _TOO_MANY.format(MOST_RECORDS))

    def step(record_id: str) -> JsonObject:
        kind = platform.org.schema.of_id(record_id)
        if kind is None:
            raise OrgError(400, "MALFORMED_ID", f"malformed id {record_id}")
        rows.delete(platform, kind, record_id, call.session)
        return {"id": record_id, "success": True, "errors": []}

    return run(platform, [partial(step, record_id) for record_id in ids], call.query.get("allOrNone", "").lower() == "true")


def _retrieve(platform: Platform, call: Call, kind: ObjectType) -> Reply:
    if call.method == "POST":
        body = as_object(call.body)
        ids = [str(one) for one in as_list(body.get("ids"), "ids")]
        fields = [str(one) for one in as_list(body.get("fields"), "fields")]
    else:
        ids = [text.strip() for text in call.query.get("ids", "").split(",") if text.strip()]
        fields = [text.strip() for text in call.query.get("fields", "").split(",") if text.strip()]
    if len(ids) > MOST_RETRIEVED:
        return error(400, "EXCEEDED_ID_LIMIT", _TOO_MANY.format(MOST_RETRIEVED))
    if not fields:
        return error(400, "MISSING_ARGUMENT", "The fields parameter is required")
    platform.usage.counts["rows_read"] += len(ids)
    return Reply(200, platform.org.retrieve_many(kind.name, ids, fields, session=call.session))
