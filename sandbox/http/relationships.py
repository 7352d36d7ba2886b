"""``/sobjects/{T}/{id}/{name}``: from a record to its parents, its children or the bytes of a file, by a friendly URL.

It finds records and hands over; single ones are answered like rows, children like a query. Its invariant: it leads only where
both the lookup and the record at its end may be read.

Source: the REST API guide, sObject Relationships (a parent that is not there is 404, no children are an empty 200, only parents
can be changed or deleted, parents can be chained) and sObject Blob Get (the bytes as they are).
"""

from sandbox.http.platform import Platform
from sandbox.http.query import pages
from sandbox.http.rows import record
from sandbox.http.wire import Call, Reply, only
from sandbox.org import ids
from sandbox.org.errors import not_found
from sandbox.org.schema import ChildRelationship, ObjectType


def is_record_path(kind: ObjectType, segment: str) -> bool:
    """Whether a segment is the id of a record of the object, not the name of an external id field."""
    known = ids.normal(segment)
    return known is not None and known[:3] == kind.key_prefix and kind.field(segment) is None


def related(platform: Platform, call: Call, kind: ObjectType, record_id: str, steps: tuple[str, ...]) -> Reply:
    """Answer a request about what relationships lead to. Raises OrgError NOT_FOUND."""
    here, at = kind, ids.normal(record_id) or record_id
    blob = kind.field(steps[0]) if len(steps) == 1 else None
    if blob is not None and blob.type == "base64":
        return only(call, "GET") or _bytes(platform, call, kind, at, blob.name)
    for place, name in enumerate(steps):
        children = _children(platform, here, name)
        if children is not None and place == len(steps) - 1:
            return only(call, "GET") or _listed(platform, call, children, at)
        here, at = _parent(platform, call, here, at, name)
    return record(platform, call, here, at)


def _bytes(platform: Platform, call: Call, kind: ObjectType, record_id: str, field: str) -> Reply:
    data = platform.org.data(kind.name, record_id, field, session=call.session)
    return Reply(200, data, {"Content-Type": "application/octet-stream"})


def _children(platform: Platform, kind: ObjectType, name: str) -> ChildRelationship | None:
    ends = platform.org.schema.children.get(kind.name, ())
    return next((end for end in ends if end.name is not None and end.name.lower() == name.lower()), None)


def _parent(platform: Platform, call: Call, kind: ObjectType, record_id: str, name: str) -> tuple[ObjectType, str]:
    lookup = next((field for field in kind.fields.values() if field.relationship and field.relationship.lower() == name.lower()), None)
    if lookup is None:
        raise not_found()
    found = platform.org.retrieve(kind.name, record_id, [lookup.name], session=call.session)
    parent_id = str(found[lookup.name] or "")
    parent = platform.org.schema.of_id(parent_id)
    if parent is None:
        raise not_found()
    return parent, parent_id


def _listed(platform: Platform, call: Call, end: ChildRelationship, record_id: str) -> Reply:
    user_id = call.session.user_id
    named = [name.strip() for name in call.query.get("fields", "").split(",") if name.strip()]
    fields = named or [field["name"] for field in platform.descriptions.of(end.child, user_id, call.version).body["fields"]]
    soql = f"SELECT {', '.join(fields)} FROM {end.child} WHERE {end.field} = '{record_id}'"
    result = platform.org.query(soql, user_id=user_id, api_version=call.version)
    platform.usage.counts["rows_read"] += len(result.records)
    return Reply(200, pages(platform, call, result.records, result.total_size))
