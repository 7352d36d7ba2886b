"""``/sobjects``: which handler answers what below it; describes, and the lists of recent records.

Routing and describes only. Its invariant: an object that the user may not read is not there.

Source: C.11 of the platform notes; the REST API guide, sObject Basic Information, Describe Global, Recently Viewed Items.
Layouts, quick actions and approvals are not kept here: their paths are not found.
"""

from sandbox.http.conditions import conditional, unmet
from sandbox.http.events import schema_of
from sandbox.http.platform import Platform
from sandbox.http.relationships import is_record_path, related
from sandbox.http.replication import replicated
from sandbox.http.rows import by_external_id, made, record
from sandbox.http.wire import Call, JsonObject, Reply, only
from sandbox.org.errors import OrgError, not_found
from sandbox.org.schema import ObjectType

_RECENT_OF_ONE = 25


def sobjects(platform: Platform, call: Call) -> Reply:
    """Route one request below ``/sobjects``."""
    if len(call.parts) == 1:
        return _described(platform, call, "")
    if call.parts[2:] == ("eventSchema",):
        return schema_of(platform, call, call.parts[1])
    kind = platform.org.schema.get(call.parts[1])
    if kind is None:
        raise not_found()
    return _of_object(platform, call, kind) if len(call.parts) == 2 else _below(platform, call, kind)


def _below(platform: Platform, call: Call, kind: ObjectType) -> Reply:
    if kind.kind == "event" and call.parts[2:] != ("describe",):
        raise not_found()
    match call.parts[2:]:
        case ("describe",):
            return _described(platform, call, kind.name)
        case ("describe", *_):
            raise not_found()
        case ("deleted" | "updated" as what,):
            return replicated(platform, call, kind, what)
        case ("Id" | "id",):
            return only(call, "POST") or made(platform, call, kind)
        case (record_id,):
            return record(platform, call, kind, record_id)
        case (record_id, *steps) if is_record_path(kind, record_id):
            return related(platform, call, kind, record_id, tuple(steps))
        case (ext_field, value):
            return by_external_id(platform, call, kind, ext_field, value)
    raise not_found()


def recent(platform: Platform, call: Call) -> Reply:
    """Answer ``/recent``: what the user had in hand of late, as far as it is still there."""
    if refusal := only(call, "GET"):
        return refusal
    text = call.query.get("limit", "200")
    if not text.isdigit() or not 1 <= int(text) <= 200:
        raise OrgError(400, "INVALID_QUERY_FILTER_OPERATOR", "limit must be a number between 1 and 200")
    return Reply(200, _recent(platform, call, None, int(text)))


def _described(platform: Platform, call: Call, sobject: str) -> Reply:
    if refusal := only(call, "GET"):
        return refusal
    description = platform.descriptions.of(sobject, call.session.user_id, call.version)
    if conditional(call.headers) and (reply := unmet(call, description.state)):
        return reply
    return Reply(200, description.body, description.state.headers())


def _of_object(platform: Platform, call: Call, kind: ObjectType) -> Reply:
    if call.method == "POST":
        return made(platform, call, kind)
    if refusal := only(call, "GET", "POST"):
        return refusal
    described = platform.descriptions.of(kind.name, call.session.user_id, call.version).body
    basic = {key: value for key, value in described.items() if not isinstance(value, list) or key == "urls"}
    return Reply(200, {"objectDescribe": basic, "recentItems": _recent(platform, call, kind.name, _RECENT_OF_ONE)})


def _recent(platform: Platform, call: Call, sobject: str | None, most: int) -> list[JsonObject]:
    found: list[JsonObject] = []
    for name, record_id in platform.recent.of(call.session.user_id, sobject):
        if len(found) == most:
            break
        kind = platform.org.schema.get(name)
        named = next((field.name for field in kind.fields.values() if field.name_field), None) if kind else None
        fields = ["Id", named] if named else ["Id"]
        shown = platform.org.retrieve_many(name, [record_id], fields, session=call.session, api_version=call.version)[0]
        if shown is not None:
            found.append(shown)
    return found
