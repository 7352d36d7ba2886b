"""The aiohttp front: sockets to ``Call`` and ``Reply`` and back; authentication, limits, faults and counting on the way.

It decides nothing about records or messages. Its invariant: every REST reply but the list of versions carries
``Sforce-Limit-Info`` (C.8), and a request that fails before it is executed has changed nothing.
"""

import asyncio
import gzip
import json

from aiohttp import web

from sandbox.faults import FaultSpec
from sandbox.http.oauth import OAuth
from sandbox.http.platform import Platform
from sandbox.http.rest import handle, versions
from sandbox.http.wire import Call, Reply, auto_assign, bearer, call_options, error, parse_json, split_path, split_query
from sandbox.org.errors import OrgError
from sandbox.org.types import Session
from sandbox.streaming.cometd import Cometd
from sandbox.tokens import Tokens

LONGEST_URI = 16_384
LONGEST_LINE = 64_000
LARGEST_BODY = 64 * 1024 * 1024
_WORTH_PACKING = 1400
_HTML = b"<html><head><title>We are down for maintenance</title></head><body><h1>Server unavailable</h1></body></html>"
_DEAD_SESSION = ("INVALID_SESSION_ID", "Session expired or invalid")


class Front:
    """Answers everything on the org's own port."""

    def __init__(self, platform: Platform, tokens: Tokens, oauth: OAuth, cometd: Cometd) -> None:
        self._platform = platform
        self._tokens = tokens
        self._oauth = oauth
        self._cometd = cometd

    def routes(self, app: web.Application) -> None:
        """Register the routes."""
        app.router.add_route("*", "/services/oauth2/{what}", self.on_oauth)
        app.router.add_route("*", "/id/{org}/{user}", self.on_identity)
        app.router.add_get("/services/data", self.on_versions)
        app.router.add_get("/services/data/", self.on_versions)
        app.router.add_route("*", "/cometd{tail:.*}", self.on_cometd)
        app.router.add_route("*", "/{tail:/*services/.*}", self.on_rest)

    async def on_versions(self, request: web.Request) -> web.StreamResponse:
        """The versions served; no token needed, not counted (C.3)."""
        return self._send(request, Reply(200, versions()), limit_info=False)

    async def on_oauth(self, request: web.Request) -> web.StreamResponse:
        """The OAuth endpoints."""
        self._platform.usage.counts["token_calls"] += request.match_info["what"] == "token"
        if answered := await self._failing(request, named=True):
            return answered
        form = {**split_query(request.rel_url.raw_query_string), **split_query((await request.read()).decode("utf-8", "replace"))}
        authorization = request.headers.get("Authorization", "")
        match request.match_info["what"]:
            case "token" if request.method == "POST":
                reply = self._oauth.grant(form, authorization, request.host.partition(":")[0])
            case "userinfo":
                reply = self._oauth.userinfo(bearer({"authorization": authorization}) or form.get("access_token"))
            case "revoke":
                reply = self._oauth.revoke(form.get("token", ""))
            case "introspect" if request.method == "POST":
                reply = self._oauth.introspect(form.get("token", ""))
            case _:
                reply = Reply(404, {"error": "invalid_request", "error_description": "no such endpoint"})
        return self._send(request, reply, limit_info=False)

    async def on_identity(self, request: web.Request) -> web.StreamResponse:
        """The identity URL of a token reply."""
        token = bearer({"authorization": request.headers.get("Authorization", "")}) or request.query.get("oauth_token")
        return self._send(request, self._oauth.userinfo(token), limit_info=False)

    async def on_cometd(self, request: web.Request) -> web.StreamResponse:
        """Streaming; HTTP-level faults first, Bayeux-level ones inside."""
        if fault := self._platform.faults.take("bayeux_http", method=request.method, path=request.path):
            return self._send(request, _faulty(fault), limit_info=False)
        if answered := await self._failing(request, named=True):
            return answered
        response = await self._cometd.answer(request)
        return await self._losing(request, named=True) or response

    async def on_rest(self, request: web.Request) -> web.StreamResponse:
        """One REST request."""
        raw_path = request.rel_url.raw_path
        if len(request.rel_url.raw_path_qs) > LONGEST_URI:
            return self._send(request, error(414, "URI_TOO_LONG", "The URI is longer than 16,384 bytes"))
        found = split_path(raw_path)
        if found is None:
            return self._send(request, error(404, "NOT_FOUND", "The requested resource does not exist"))
        version, parts = found
        self._platform.usage.rest(request.method, parts, self._platform.org.clock.now())
        if answered := await self._failing(request, named=False):
            return answered
        headers = {name.lower(): value for name, value in request.headers.items()}
        user_id = self._tokens.owner(bearer(headers))
        if user_id is None:
            code, message = _DEAD_SESSION
            return self._send(request, Reply(401, error(401, code, message).body, {"WWW-Authenticate": "Token"}))
        if self._exhausted(request):
            return self._send(request, error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
        session = Session(user_id, call_options(headers).get("client", ""), auto_assign(headers))
        reply = await self._executed(request, version, parts, headers, session)
        return await self._losing(request, named=False) or self._send(request, reply)

    async def _executed(
        self, request: web.Request, version: str, parts: tuple[str, ...], headers: dict[str, str], session: Session
    ) -> Reply:
        raw = await request.read()
        query = split_query(request.rel_url.raw_query_string)
        method = query.get("_HttpMethod", request.method).upper()
        if raw and request.method != "GET" and "json" not in request.content_type:
            return error(415, "UNSUPPORTED_MEDIA_TYPE", f"Content-Type '{request.content_type}' is not supported here")
        try:
            body = parse_json(raw)
        except OrgError as problem:
            return error(problem.status, problem.code, problem.message)
        return handle(self._platform, Call("GET" if method == "HEAD" else method, version, parts, query, headers, body, session))

    def _exhausted(self, request: web.Request) -> bool:
        if self._platform.faults.take("limit_exhausted", method=request.method, path=request.path):
            return True
        return self._platform.used_calls() > self._platform.options.api_limit

    async def _failing(self, request: web.Request, *, named: bool) -> web.StreamResponse | None:
        """Faults that come before anything is executed."""
        faults, where = self._platform.faults, {"method": request.method, "path": request.path}
        if slow := faults.take("latency", **where, named=named):
            await asyncio.sleep(slow.seconds)
        if faults.take("drop", **where, named=named):
            return _cut(request)
        if fault := faults.take("http_status", **where, named=named):
            return self._send(request, _faulty(fault), limit_info=not named)
        return None

    async def _losing(self, request: web.Request, *, named: bool) -> web.StreamResponse | None:
        """The fault that comes after everything was executed: the answer never arrives."""
        fault = self._platform.faults.take("timeout_after_commit", method=request.method, path=request.path, named=named)
        if fault is None:
            return None
        await asyncio.sleep(fault.seconds)
        return _cut(request)

    def _send(self, request: web.Request, reply: Reply, *, limit_info: bool = True) -> web.Response:
        self._platform.usage.by_status[str(reply.status)] += 1
        headers = dict(reply.headers)
        if limit_info:
            limit = self._platform.options.api_limit
            headers["Sforce-Limit-Info"] = f"api-usage={min(self._platform.used_calls(), limit)}/{limit}"
        if reply.body is None:
            return web.Response(status=reply.status, headers=headers)
        if isinstance(reply.body, bytes):
            return web.Response(status=reply.status, headers=headers, body=reply.body, content_type="text/html", charset="UTF-8")
        indent = 2 if request.headers.get("X-PrettyPrint") == "1" else None
        body = json.dumps(reply.body, indent=indent, ensure_ascii=False, separators=None if indent else (",", ":")).encode()
        if len(body) > _WORTH_PACKING and "gzip" in request.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, compresslevel=1)
            headers["Content-Encoding"] = "gzip"
        return web.Response(status=reply.status, headers=headers, body=body, content_type="application/json", charset="UTF-8")


def _cut(request: web.Request) -> web.Response:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


def _faulty(fault: FaultSpec) -> Reply:
    """The reply an ``http_status`` fault asks for, or the platform's usual one for that status."""
    if fault.body is not None:
        return Reply(fault.status, fault.body.encode() if isinstance(fault.body, str) else fault.body)
    match fault.status:
        case 401:
            return error(401, *_DEAD_SESSION)
        case 403:
            return error(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")
        case 400 | 500:
            return error(fault.status, "UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId: 1-1 (1)")
    return Reply(fault.status, _HTML)
