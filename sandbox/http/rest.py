"""Dispatch of REST requests below ``/services/data/vXX.0/``, for requests of their own and for subrequests.

Synchronous and without sockets; authentication, counting and faults happen before it. Its invariant: whatever the org
refuses becomes the platform's error array, and nothing else escapes.

Source: C.3 of the platform notes; the platform's help on retired versions (REST answers 410: GONE; the body is not documented);
the list of a version's resources names only what is served.
"""

from sandbox.http.batch import batch
from sandbox.http.collections import collections
from sandbox.http.composite import composite
from sandbox.http.events import schema_by_id
from sandbox.http.graph import graph
from sandbox.http.limits import limits, record_count
from sandbox.http.platform import Platform
from sandbox.http.query import query
from sandbox.http.sobjects import recent, sobjects
from sandbox.http.tree import tree
from sandbox.http.unserved import search, tooling
from sandbox.http.wire import NEWEST_SERVED, OLDEST_SERVED, VERSIONS, Call, Reply, error, only, refused
from sandbox.org.errors import OrgError, not_found

RESOURCES = ("composite", "event", "jobs", "limits", "query", "queryAll", "recent", "sobjects")


def handle(platform: Platform, call: Call) -> Reply:
    """Answer one request. Never raises OrgError."""
    version = float(call.version)
    if version < OLDEST_SERVED:
        return error(410, "GONE", "The requested API version has been retired")
    if version > NEWEST_SERVED or call.version not in VERSIONS:
        return error(404, "NOT_FOUND", "The requested resource does not exist")
    try:
        return _route(platform, call)
    except OrgError as problem:
        return refused(problem, writing=call.method != "GET")


def versions() -> list[dict[str, str]]:
    """The reply to ``GET /services/data``: every version served, oldest first (C.3)."""
    return [{"label": label, "url": f"/services/data/v{version}", "version": version} for version, label in VERSIONS.items()]


def _route(platform: Platform, call: Call) -> Reply:
    match call.parts:
        case ("sobjects", *_):
            return sobjects(platform, call)
        case ("query" | "queryAll",) | ("query" | "queryAll", _):
            return query(platform, call)
        case ("composite", *rest):
            return _composite(platform, call, rest)
        case ("limits",) | ("limits", "recordCount"):
            return record_count(platform, call) if call.parts[1:] else limits(platform, call)
        case ("recent",):
            return recent(platform, call)
        case ("event", "eventSchema", schema_id):
            return schema_by_id(platform, call, schema_id)
        case ("search",):
            return search(call)
        case ("tooling", *rest):
            return tooling(call, tuple(rest))
        case ():
            return only(call, "GET") or _resources(platform, call)
    raise not_found()


def _composite(platform: Platform, call: Call, rest: list[str]) -> Reply:
    match rest:
        case []:
            return composite(platform, call, lambda inner: handle(platform, inner))
        case ["sobjects", *_]:
            return collections(platform, call)
        case ["graph"]:
            return graph(platform, call, lambda inner: handle(platform, inner))
        case ["batch"]:
            return batch(platform, call, lambda inner: handle(platform, inner))
        case ["tree", sobject]:
            return tree(platform, call, sobject)
    raise not_found()


def _resources(platform: Platform, call: Call) -> Reply:
    org = platform.org
    identity = f"{platform.instance_url}/id/{org.org_id}/{call.session.user_id}"
    return Reply(200, {**{name: f"{call.root}/{name}" for name in RESOURCES}, "identity": identity})
