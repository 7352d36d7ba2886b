"""``/composite``: up to 25 subrequests in one call, later ones using results of earlier ones.

It counts and rolls back; ``subrequests`` carries out. Its invariant: with ``allOrNone`` nothing stays when one fails, and
whoever refers to a failed subrequest is halted, not tried.

Source: C.6 of the platform notes; the REST API guide, Composite (sObject resources, Query, QueryAll and sObject Collections
only; 25 and 5). The refusal of a 26th is recorded (guardian/support-service-lambdas pull request 766: a result without a
reference id; that it came with HTTP 200 follows from how it was read, so an option turns it). Collated subrequests may come in
another order on the platform; here they keep theirs, whatever ``collateSubrequests`` says.
"""

from sandbox.http.platform import Platform
from sandbox.http.references import References
from sandbox.http.subrequests import Handle, RolledBackError, Subrequest, carry_out, fine, halted, read, result, target
from sandbox.http.wire import Call, JsonObject, Reply, as_object, error

MOST_SUBREQUESTS = 25
MOST_QUERIES = 5
_BESIDE = ("tree", "batch", "sobjects", "graph")
_BLOBS = frozenset({"VersionData", "Body", "richTextImageFields"})


def composite(platform: Platform, call: Call, handle: Handle) -> Reply:
    """Answer ``/composite``; ``handle`` carries out one subrequest."""
    if call.method == "GET":
        return Reply(200, {name: f"{call.root}/composite/{name}" for name in _BESIDE})
    if call.method != "POST":
        return error(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{call.method}' not allowed. Allowed are HEAD,GET,POST")
    body = as_object(call.body)
    requests = read(body.get("compositeRequest"), "compositeRequest")
    if words := _too_many(requests):
        refusal = result(None, error(400, "LIMIT_EXCEEDED", words))
        return Reply(platform.options.composite_limit_status, {"compositeResponse": [refusal]})
    if not body.get("allOrNone"):
        return _reply(_run(platform, call, requests, handle, halt=False))
    results: list[JsonObject] = []
    try:
        with platform.org.transaction():
            results = _run(platform, call, requests, handle, halt=True)
            _insist(all(fine(one) for one in results))
    except RolledBackError:
        results = [halted(str(one["referenceId"])) if fine(one) else one for one in results]
    return _reply(results)


def _insist(good: bool) -> None:
    if not good:
        raise RolledBackError


def _reply(results: list[JsonObject]) -> Reply:
    return Reply(200, {"compositeResponse": results})


def _too_many(requests: list[Subrequest]) -> str:
    if len(requests) > MOST_SUBREQUESTS:
        return f"The request can\N{RIGHT SINGLE QUOTATION MARK}t contain more than {MOST_SUBREQUESTS} operations."
    if sum(_heavy(one.url) for one in requests) > MOST_QUERIES:
        return f"The request can\N{RIGHT SINGLE QUOTATION MARK}t contain more than {MOST_QUERIES} query or sObject Collections operations."
    return ""


def _heavy(url: str) -> bool:
    found = target(url)
    return found is not None and (found[1][:1] in {("query",), ("queryAll",)} or found[1][:2] == ("composite", "sobjects"))


def _allowed(parts: tuple[str, ...]) -> bool:
    return parts[:1] in {("sobjects",), ("query",), ("queryAll",)} or parts[:2] == ("composite", "sobjects")


def _run(platform: Platform, call: Call, requests: list[Subrequest], handle: Handle, *, halt: bool) -> list[JsonObject]:
    results: list[JsonObject] = []
    references = References(call.version)
    stopped = False

    def within(inner: Call) -> Reply:
        if not _allowed(inner.parts) or (len(inner.parts) == 4 and inner.parts[3] in _BLOBS):
            return error(400, "INVALID_INPUT", f"The resource /{'/'.join(inner.parts)} is not supported in a composite request")
        return handle(inner)

    for request in requests:
        platform.usage.counts["subrequests"] += 1
        if stopped:
            results.append(halted(request.reference))
            continue
        results.append(carry_out(call, request, references, within))
        stopped = halt and not fine(results[-1])
    return results
