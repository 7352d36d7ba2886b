"""``/composite/batch``: up to 25 independent requests in one call, each with a transaction of its own.

It counts and halts. Its invariant: a failed subrequest undoes nothing of the others, and with ``haltOnError`` none after it is
tried.

Source: the REST API guide, Composite Batch (25; URLs begin with the version; no headers on subrequests; each counts against the
limit of calls; versions from 34.0 to that of the batch; BATCH_PROCESSING_HALTED with 412). A bad method or URL refuses the
batch whole. The words of the refusals are not documented.
"""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from sandbox.http.platform import Platform
from sandbox.http.subrequests import METHODS
from sandbox.http.wire import Call, JsonObject, Reply, as_list, as_object, error, only, split_path, split_query
from sandbox.org.errors import OrgError

MOST_SUBREQUESTS = 25
FIRST_VERSION = 34.0
_ALLOWED = frozenset({"limits", "sobjects", "query", "queryAll"})
_HALTED = "The batch processing was halted by the haltOnError flag after an error in a previous subrequest"


@dataclass(frozen=True, slots=True)
class _Item:
    method: str
    version: str
    parts: tuple[str, ...]
    query: dict[str, str]
    body: object


def batch(platform: Platform, call: Call, handle: Callable[[Call], Reply]) -> Reply:
    """Answer ``POST /composite/batch``; ``handle`` carries out one subrequest."""
    if refusal := only(call, "POST"):
        return refusal
    body = as_object(call.body)
    items = [_read(call, as_object(entry)) for entry in as_list(body.get("batchRequests"), "batchRequests")]
    if len(items) > MOST_SUBREQUESTS:
        raise OrgError(400, "LIMIT_EXCEEDED", f"The request can't contain more than {MOST_SUBREQUESTS} operations.")
    platform.usage.counts["subrequests"] += len(items)
    platform.usage.calls.add(platform.org.clock.now(), max(len(items) - 1, 0))
    results: list[JsonObject] = []
    failed = False
    for item in items:
        if failed and body.get("haltOnError"):
            reply = error(412, "BATCH_PROCESSING_HALTED", _HALTED)
        else:
            reply = handle(Call(item.method, item.version, item.parts, item.query, {}, item.body, call.session))
        failed = failed or reply.status >= 400
        results.append({"statusCode": reply.status, "result": reply.body})
    return Reply(200, {"hasErrors": failed, "results": results})


def _read(call: Call, entry: JsonObject) -> _Item:
    method, url = str(entry.get("method", "")).upper(), str(entry.get("url", ""))
    split = urlsplit(url)
    path = split.path.lstrip("/").removeprefix("services/data/")
    found = split_path(f"/services/data/{path}")
    if method not in METHODS or found is None:
        raise OrgError(400, "JSON_PARSER_ERROR", f"Invalid subrequest of a batch: {method} {url}")
    if found[1][:1] == () or found[1][0] not in _ALLOWED or not FIRST_VERSION <= float(found[0]) <= float(call.version):
        raise OrgError(400, "INVALID_INPUT", f"The resource {url} is not supported in this batch")
    return _Item(method, found[0], found[1], split_query(split.query), entry.get("richInput"))
