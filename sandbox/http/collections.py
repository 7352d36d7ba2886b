"""``/composite/sobjects``: up to 200 records in one call, each with a result of its own.

The wire only. Its invariant: results stand in the order of the records, and with ``allOrNone`` either all are saved or none.

Source: C.6 of the platform notes (200 records, 10 chunks of one type, ``statusCode`` not ``errorCode``, roll-back wording, ids
on rolled-back results of all but creates); the words for too many records and for records named twice are recorded
(sorenkrabbe/Chrome-Salesforce-inspector issue 134; help article 000384876; salesforce.stackexchange.com 104048, where the
first of two rows is refused too). Whether every row with an id named twice fails, or all but the first, is an option.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby

from sandbox.http import rows
from sandbox.http.platform import Platform
from sandbox.http.wire import Call, JsonObject, Reply, as_list, as_object, error
from sandbox.org import ids
from sandbox.org.errors import OrgError, not_found, wrong_id_type
from sandbox.org.schema import ObjectType

MOST_RECORDS = 200
MOST_CHUNKS = 10
MOST_RETRIEVED = 2000
FIRST_UPSERT = 46.0
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
            return _save(platform, call, lambda record: _update(platform, call, record), twice=_named_id)
        case "PATCH", (sobject, ext_field) if float(call.version) >= FIRST_UPSERT:
            kind = _kind(platform, sobject)
            return _save(
                platform, call, lambda record: _upserted(platform, call, kind, ext_field, record), twice=partial(_named_key, ext_field)
            )
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


def _save(
    platform: Platform,
    call: Call,
    save: Callable[[JsonObject], JsonObject],
    twice: Callable[[JsonObject], tuple[str, str] | None] = lambda _record: None,
) -> Reply:
    body = as_object(call.body)
    records = [as_object(record) for record in as_list(body.get("records"), "records")]
    if len(records) > MOST_RECORDS:
        return error(400, "EXCEEDED_ID_LIMIT", _TOO_MANY.format(MOST_RECORDS))
    chunks = sum(1 for _ in groupby(records, key=_type_name))
    if chunks > MOST_CHUNKS:
        return error(400, "INVALID_INPUT", f"Operation is too large: {chunks} chunks of one object type, at most {MOST_CHUNKS} are allowed")
    steps = [partial(save, record) for record in records]
    for place, problem in _doubles([twice(record) for record in records], platform.options.duplicates_fail_all):
        steps[place] = partial(_raise, problem)
    return run(platform, steps, bool(body.get("allOrNone")))


def _doubles(names: Sequence[tuple[str, str] | None], fail_all: bool) -> list[tuple[int, OrgError]]:
    """The rows whose key another row of the call has too, with their error."""
    counts = Counter(name for name in names if name)
    seen: set[tuple[str, str]] = set()
    found = []
    for place, name in enumerate(names):
        if name and counts[name] > 1 and (fail_all or name in seen):
            what, value = name
            fields = [] if what == "Id" else [what]
            words = f"Duplicate {'' if what == 'Id' else 'external '}id specified: {value}"
            found.append((place, OrgError(400, "DUPLICATE_VALUE", words, fields)))
        if name:
            seen.add(name)
    return found


def _raise(problem: OrgError, _record: JsonObject | None = None) -> JsonObject:
    raise problem


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
    return Reply(200, [{name: value for name, value in result.items() if name != "existed"} for result in results])


def _insist(fine: bool) -> None:
    if not fine:
        raise _RolledBackError


def _attempt(platform: Platform, step: Step) -> JsonObject:
    try:
        with platform.org.transaction():
            return step()
    except OrgError as problem:
        return {"success": False, "errors": [_as_saved(problem)]}


def _as_saved(problem: OrgError) -> JsonObject:
    """A row's error: codes that only resources have become those of a save result."""
    if problem.code == "NOT_FOUND" and problem.message == not_found().message:
        return OrgError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id").as_saved()
    return problem.as_saved()


def _undone(result: JsonObject) -> JsonObject:
    if not result["success"]:
        return result
    rolled_back = {"statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK", "message": _ROLLED_BACK, "fields": []}
    known = {"id": result["id"]} if result.get("existed") else {}
    made = {"created": result["created"]} if "created" in result else {}
    return {**known, "success": False, "errors": [rolled_back], **made}


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


def _named_id(record: JsonObject) -> tuple[str, str] | None:
    record_id = _split_id(record)[0]
    return ("Id", ids.normal(record_id) or record_id) if record_id else None


def _named_key(ext_field: str, record: JsonObject) -> tuple[str, str] | None:
    name, value = next(((name, value) for name, value in record.items() if name.lower() == ext_field.lower()), ("", None))
    if value is None or value == "":
        return None
    return ("Id", ids.normal(str(value)) or str(value)) if name.lower() == "id" else (name, str(value))


def _own_id(kind: ObjectType, record_id: str) -> str:
    """An id of 18 characters. Raises OrgError MALFORMED_ID, as the guide shows it, for one that is not of the object."""
    known = ids.normal(record_id)
    if known is None or known[:3] != kind.key_prefix:
        raise wrong_id_type(f"{kind.label} ID", "Id", record_id)
    return known


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
    known = _own_id(kind, record_id)
    rows.update(platform, kind, known, fields, call.session)
    return {"id": known, "success": True, "errors": [], "existed": True}


def _upserted(platform: Platform, call: Call, kind: ObjectType, ext_field: str, record: JsonObject) -> JsonObject:
    """Upsert one record; also a refused one says whether it would have been created (jsforce's suite, on a real org)."""
    try:
        with platform.org.transaction():
            return _upsert(platform, call, kind, ext_field, record)
    except OrgError as problem:
        return {
            "success": False,
            "errors": [_as_saved(problem)],
            "created": not _exists(platform, call, kind, _named_key(ext_field, record)),
        }


def _exists(platform: Platform, call: Call, kind: ObjectType, key: tuple[str, str] | None) -> bool:
    if key is None:
        return False
    try:
        platform.org.retrieve_by(kind.name, *key, ["Id"], session=call.session)
    except OrgError as problem:
        return problem.status == 300
    return True


def _upsert(platform: Platform, call: Call, kind: ObjectType, ext_field: str, record: JsonObject) -> JsonObject:
    if _type_name(record) not in {"", kind.name.lower()}:
        raise OrgError(400, "INVALID_TYPE", "All records of an upsert must be of the type in the URL")
    key = next((name for name in record if name.lower() == ext_field.lower()), None)
    value = record.get(key) if key else None
    fields = {name: field for name, field in record.items() if name not in {"attributes", key}}
    if ext_field.lower() == "id":
        if not value:
            return rows.create(platform, kind, fields, call.session) | {"created": True}
        known = _own_id(kind, str(value))
        rows.update(platform, kind, known, fields, call.session)
        return {"id": known, "success": True, "errors": [], "created": False, "existed": True}
    if value is None or value == "":
        raise OrgError(400, "MISSING_ARGUMENT", f"{ext_field} not specified")
    saved = rows.upsert(platform, kind, rows.Key(ext_field, str(value)), fields, call.session)
    return saved | {"existed": not saved["created"]}


def _delete(platform: Platform, call: Call) -> Reply:
    named = [text.strip() for text in call.query.get("ids", "").split(",") if text.strip()]
    if len(named) > MOST_RECORDS:
        return error(400, "EXCEEDED_ID_LIMIT", _TOO_MANY.format(MOST_RECORDS))

    def step(record_id: str) -> JsonObject:
        known = ids.normal(record_id)
        kind = platform.org.schema.of_id(record_id) if known else None
        if known is None or kind is None:
            raise OrgError(400, "MALFORMED_ID", f"malformed id {record_id}")
        rows.delete(platform, kind, known, call.session)
        return {"id": known, "success": True, "errors": [], "existed": True}

    return run(platform, [partial(step, record_id) for record_id in named], call.query.get("allOrNone", "").lower() == "true")


def _retrieve(platform: Platform, call: Call, kind: ObjectType) -> Reply:
    if call.method == "POST":
        body = as_object(call.body)
        named = [str(one) for one in as_list(body.get("ids"), "ids")]
        fields = [str(one) for one in as_list(body.get("fields"), "fields")]
    else:
        named = [text.strip() for text in call.query.get("ids", "").split(",") if text.strip()]
        fields = [text.strip() for text in call.query.get("fields", "").split(",") if text.strip()]
    if len(named) > MOST_RETRIEVED:
        return error(400, "EXCEEDED_ID_LIMIT", _TOO_MANY.format(MOST_RETRIEVED))
    if not fields:
        return error(400, "MISSING_ARGUMENT", "The fields parameter is required")
    platform.usage.counts["rows_read"] += len(named)
    return Reply(200, platform.org.retrieve_many(kind.name, named, fields, session=call.session, api_version=call.version))
