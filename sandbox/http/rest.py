"""Dispatch of REST requests below ``/services/data/vXX.0/``, for requests of their own and for composite subrequests.

Synchronous and without sockets; authentication, counting and faults happen before it. Its invariant: whatever the org
refuses becomes the platform's error array, and nothing else escapes.
"""

from sandbox.http.collections import collections
from sandbox.http.composite import composite
from sandbox.http.platform import Platform
from sandbox.http.query import query
from sandbox.http.rows import event_schema, sobjects
from sandbox.http.wire import OLDEST_SERVED, VERSIONS, Call, Reply, error, refused
from sandbox.org.errors import OrgError, not_found
from sandbox.streaming.changes import schema_id as id_of

_RESOURCES = ("composite", "event", "limits", "query", "queryAll", "sobjects")


def handle(platform: Platform, call: Call) -> Reply:
    """Answer one request. Never raises OrgError."""
    if float(call.version) < OLDEST_SERVED:
        return error(410, "GONE", "The requested API version has been retired")
    if float(call.version) > max(float(version) for version in VERSIONS):
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
        case ():
            return Reply(200, {name: f"{call.root}/{name}" for name in _RESOURCES})
        case ("limits",):
            return Reply(200, limits(platform))
        case ("query" | "queryAll",) | ("query" | "queryAll", _):
            return query(platform, call)
        case ("sobjects", *_):
            return sobjects(platform, call)
        case ("composite", "sobjects", *_):
            return collections(platform, call)
        case ("composite",):
            return composite(platform, call, lambda inner: handle(platform, inner))
        case ("event", "eventSchema", schema_id):
            return _schema(platform, schema_id)
    raise not_found()


def limits(platform: Platform) -> dict[str, dict[str, int]]:
    """The reply to ``GET /limits``; the keys Dunwell and its neighbours read (C.8)."""
    options = platform.options

    def entry(most: int, used: int) -> dict[str, int]:
        return {"Max": most, "Remaining": max(most - used, 0)}

    return {
        "ConcurrentAsyncGetReportInstances": entry(200, 0),
        "DailyApiRequests": entry(options.api_limit, platform.used_calls()),
        "DailyBulkApiBatches": entry(15_000, 0),
        "DailyBulkV2QueryFileStorageMB": entry(976_562, 0),
        "DailyBulkV2QueryJobs": entry(10_000, 0),
        "DailyDeliveredPlatformEvents": entry(options.event_limit, platform.used_deliveries()),
        "DailyDurableStreamingApiEvents": entry(options.event_limit, platform.used_deliveries()),
        "DailyStandardVolumePlatformEvents": entry(options.event_limit, 0),
        "DailyStreamingApiEvents": entry(options.event_limit, platform.used_deliveries()),
        "DataStorageMB": entry(10_240, 0),
        "DurableStreamingApiConcurrentClients": entry(options.client_limit, 0),
        "FileStorageMB": entry(10_240, 0),
        "HourlyPublishedPlatformEvents": entry(250_000, platform.usage.counts["events_published"]),
        "StreamingApiConcurrentClients": entry(options.client_limit, 0),
    }


def _schema(platform: Platform, schema_id: str) -> Reply:
    for kind in platform.org.schema.events():
        if id_of(kind.name) == schema_id:
            return Reply(200, event_schema(kind))
    raise not_found()
