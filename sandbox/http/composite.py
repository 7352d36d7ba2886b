"""``/composite``: up to 25 subrequests in one call, later ones using results of earlier ones.

It resolves references and keeps order; each subrequest is handled like a request of its own. Its invariant: with
``allOrNone`` nothing stays when one fails, and whoever refers to a failed subrequest is halted, not tried.
Source: C.6 of the platform notes (25 and 5, reference syntax, PROCESSING_HALTED).
"""

import json
import re
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from sandbox.http.platform import Platform
from sandbox.http.wire import Call, JsonObject, Reply, as_list, as_object, error, split_path, split_query
from sandbox.org.errors import OrgError

MOST_SUBREQUESTS = 25
MOST_QUERIES = 5
_REFERENCE = re.compile(r"@\{(?P<ref>[A-Za-z0-9_]+)(?P<path>(?:\.[A-Za-z0-9_]+|\[\d+\])*)\}")
_REFERENCE_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_]*$")
_HALTED = "The transaction was rolled back since another operation in the same transaction failed."

Handle = Callable[[Call], Reply]


class _RolledBackError(Exception):
    """Leaves the transaction so that it is undone."""


class _UnresolvedError(Exception):
    """A reference to something that is not there."""


def composite(platform: Platform, call: Call, handle: Handle) -> Reply:
    """Answer ``POST /composite``; ``handle`` carries out one subrequest."""
    if call.method != "POST":
        return error(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{call.method}' not allowed. Allowed are POST")
    body = as_object(call.body)
    requests = [as_object(entry) for entry in as_list(body.get("compositeRequest"), "compositeRequest")]
    _check(requests)
    if not body.get("allOrNone"):
        return _reply(_run(platform, call, requests, handle, halt=False))
    results: list[JsonObject] = []
    try:
        with platform.org.transaction():
            results = _run(platform, call, requests, handle, halt=True)
            _insist(all(_fine(result) for result in results))
    except _RolledBackError:
        results = [result if not _fine(result) else _halted(str(result["referenceId"])) for result in results]
    return _reply(results)


def _insist(fine: bool) -> None:
    if not fine:
        raise _RolledBackError


def _reply(results: list[JsonObject]) -> Reply:
    return Reply(200, {"compositeResponse": results})


def _check(requests: list[JsonObject]) -> None:
    if not requests:
        raise OrgError(400, "JSON_PARSER_ERROR", "compositeRequest must not be empty")
    if len(requests) > MOST_SUBREQUESTS:
        raise OrgError(400, "LIMIT_EXCEEDED", f"A composite request can have at most {MOST_SUBREQUESTS} subrequests")
    if sum(_is_query_or_collection(str(entry.get("url", ""))) for entry in requests) > MOST_QUERIES:
        words = f"A composite request can have at most {MOST_QUERIES} subrequests that are queries or sObject Collections"
        raise OrgError(400, "LIMIT_EXCEEDED", words)
    seen: set[str] = set()
    for entry in requests:
        reference = entry.get("referenceId")
        if not isinstance(reference, str) or not _REFERENCE_ID.match(reference):
            words = "must start with a letter or a number, and it can contain only letters, numbers and underscores ('_')."
            raise OrgError(400, "INVALID_INPUT", f"Provided referenceId ('{reference}') {words}")
        if reference in seen:
            raise OrgError(400, "DUPLICATE_VALUE", f"Duplicate referenceId provided : {reference}")
        seen.add(reference)


def _is_query_or_collection(url: str) -> bool:
    found = split_path(urlsplit(url).path)
    return found is not None and (found[1][:1] in {("query",), ("queryAll",)} or found[1][:2] == ("composite", "sobjects"))


def _run(platform: Platform, call: Call, requests: list[JsonObject], handle: Handle, *, halt: bool) -> list[JsonObject]:
    results: list[JsonObject] = []
    bodies: dict[str, object] = {}
    stopped = False
    for entry in requests:
        reference = str(entry["referenceId"])
        platform.usage.counts["subrequests"] += 1
        if stopped:
            results.append(_halted(reference))
            continue
        result = _one(call, entry, reference, bodies, handle)
        results.append(result)
        if _answered(result):
            bodies[reference] = result["body"]
        stopped = halt and not _fine(result)
    return results


def _one(call: Call, entry: JsonObject, reference: str, bodies: dict[str, object], handle: Handle) -> JsonObject:
    try:
        url = _resolve_text(str(entry.get("url", "")), bodies, in_url=True)
        body = _resolve(entry.get("body"), bodies)
    except _UnresolvedError as problem:
        refused = error(400, "PROCESSING_HALTED", f"Invalid reference specified. No value for {problem} found.")
        return _result(reference, refused)
    split = urlsplit(str(url))
    found = split_path(split.path)
    if found is None or (found[1][:1] == ("composite",) and found[1][1:2] != ("sobjects",)):
        return _result(reference, error(400, "INVALID_INPUT", f"The url of subrequest {reference} must start with /services/data/vXX.X/"))
    own = entry.get("httpHeaders")
    headers = {**call.headers, **({str(name).lower(): str(value) for name, value in own.items()} if isinstance(own, dict) else {})}
    method = str(entry.get("method", "GET")).upper()
    return _result(reference, handle(Call(method, found[0], found[1], split_query(split.query), headers, body, call.session)))


def _result(reference: str, reply: Reply) -> JsonObject:
    return {"body": reply.body, "httpHeaders": dict(reply.headers), "httpStatusCode": reply.status, "referenceId": reference}


def _halted(reference: str) -> JsonObject:
    return _result(reference, error(400, "PROCESSING_HALTED", _HALTED))


def _answered(result: JsonObject) -> bool:
    return 200 <= int(str(result["httpStatusCode"])) < 300


def _fine(result: JsonObject) -> bool:
    rows = result["body"]
    refused = isinstance(rows, list) and any(isinstance(row, dict) and row.get("success") is False for row in rows)
    return _answered(result) and not refused


def _resolve(value: object, bodies: dict[str, object]) -> object:
    if isinstance(value, str):
        return _resolve_text(value, bodies, in_url=False)
    if isinstance(value, dict):
        return {name: _resolve(one, bodies) for name, one in value.items()}
    if isinstance(value, list):
        return [_resolve(one, bodies) for one in value]
    return value


def _resolve_text(text: str, bodies: dict[str, object], *, in_url: bool) -> object:
    if "@{" not in text:
        return text
    whole = _REFERENCE.fullmatch(text)
    if whole and not in_url:
        return _lookup(whole, bodies)

    def put(found: re.Match[str]) -> str:
        value = _lookup(found, bodies)
        plain = value if isinstance(value, str) else json.dumps(value)
        return quote(plain, safe="") if in_url else plain

    return _REFERENCE.sub(put, text)


def _lookup(found: re.Match[str], bodies: dict[str, object]) -> object:
    if found["ref"] not in bodies:
        raise _UnresolvedError(found["ref"])
    value = bodies[found["ref"]]
    for step in re.findall(r"[A-Za-z0-9_]+", found["path"]):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            raise _UnresolvedError(f"{found['ref']}{found['path']}")
    return value
