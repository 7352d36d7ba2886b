"""Subrequests of composites and graphs: read, checked, carried out in order, answered in the shape of a result.

It decides no limits and no roll-back. Its invariant: each subrequest is handled like a request of its own, with headers of its
own; only the user and the formats are those of the request around it.

Source: the REST API guide, Composite Subrequest (methods in capitals; ``Accept``, ``Authorization`` and ``Content-Type`` are
inherited and may not be given, other headers are not inherited) and its result (recorded shapes: CumulusCI). Who is client and
whether assignment rules run is taken from the outer request where a subrequest does not say, because the guide names both
headers for the session. How a header that may not be given is refused is documented by its status alone.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from sandbox.http.references import References, UnresolvedError
from sandbox.http.wire import Call, JsonObject, Reply, as_list, as_object, auto_assign, call_options, error, split_path, split_query
from sandbox.org.errors import OrgError

METHODS = ("POST", "PUT", "PATCH", "GET", "DELETE")
_INHERITED = ("accept", "authorization", "content-type")
_REFERENCE_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_]*$")
_HALTED = "The transaction was rolled back since another operation in the same transaction failed."

Handle = Callable[[Call], Reply]


class RolledBackError(Exception):
    """Leaves a transaction so that it is undone."""


@dataclass(frozen=True, slots=True)
class Subrequest:
    """One subrequest as it was sent, references unresolved."""

    method: str
    url: str
    reference: str
    body: object
    headers: dict[str, str]


def read(value: object, name: str) -> list[Subrequest]:
    """The subrequests of a composite or graph. Raises OrgError for what the platform refuses as a whole."""
    found: list[Subrequest] = []
    for entry in map(as_object, as_list(value, name)):
        reference, method = entry.get("referenceId"), entry.get("method")
        if not isinstance(reference, str) or not _REFERENCE_ID.match(reference):
            words = "must start with a letter or a number, and it can contain only letters, numbers and underscores ('_')."
            raise OrgError(400, "INVALID_INPUT", f"Provided referenceId ('{reference}') {words}")
        if any(reference == other.reference for other in found):
            raise OrgError(400, "DUPLICATE_VALUE", f"Duplicate referenceId provided : {reference}")
        if method not in METHODS:
            raise OrgError(400, "INVALID_INPUT", f"Unsupported HTTP method of subrequest {reference}: {method}")
        own = entry.get("httpHeaders")
        headers = {str(key).lower(): str(one) for key, one in own.items()} if isinstance(own, dict) else {}
        if refused := [key for key in _INHERITED if key in headers]:
            raise OrgError(400, "INVALID_INPUT", f"Header {refused[0]} cannot be specified in subrequest {reference}")
        found.append(Subrequest(str(method), str(entry.get("url", "")), reference, entry.get("body"), headers))
    if not found:
        raise OrgError(400, "JSON_PARSER_ERROR", f"{name} must not be empty")
    return found


def target(url: str) -> tuple[str, tuple[str, ...]] | None:
    """Version and path segments a subrequest's URL leads to; None when it is no data URL."""
    return split_path(urlsplit(url).path)


def carry_out(call: Call, request: Subrequest, references: References, handle: Handle) -> JsonObject:
    """Resolve, carry out and answer one subrequest; a good answer is kept for references."""
    try:
        url = references.url(request.url)
        body = references.value(request.body)
        headers = {name: references.url(text) if "@{" in text else text for name, text in request.headers.items()}
    except UnresolvedError as problem:
        return result(request.reference, error(400, "PROCESSING_HALTED", str(problem)))
    split = urlsplit(url)
    found = split_path(split.path)
    if found is None:
        words = f"The url of subrequest {request.reference} must start with /services/data/vXX.X/"
        return result(request.reference, error(400, "INVALID_INPUT", words))
    session = call.session
    if client := call_options(headers).get("client"):
        session = replace(session, client=client)
    if "sforce-auto-assign" in headers:
        session = replace(session, auto_assign=auto_assign(headers))
    inherited = {name: call.headers[name] for name in _INHERITED if name in call.headers}
    reply = handle(Call(request.method, found[0], found[1], split_query(split.query), inherited | headers, body, session))
    if reply.ok:
        references.keep(request.reference, reply.body)
    return result(request.reference, reply)


def result(reference: str | None, reply: Reply) -> JsonObject:
    """A reply as a subrequest's result."""
    return {"body": reply.body, "httpHeaders": dict(reply.headers), "httpStatusCode": reply.status, "referenceId": reference}


def halted(reference: str) -> JsonObject:
    """The result of a subrequest that was undone, or never tried, because another failed."""
    return result(reference, error(400, "PROCESSING_HALTED", _HALTED))


def fine(answer: JsonObject) -> bool:
    """Whether a result keeps its transaction alive: no error, and no refused row of a collection; 304 is no failure."""
    rows = answer["body"]
    refused = isinstance(rows, list) and any(isinstance(row, dict) and row.get("success") is False for row in rows)
    status = int(str(answer["httpStatusCode"]))
    return (200 <= status < 300 or status == 304) and not refused
