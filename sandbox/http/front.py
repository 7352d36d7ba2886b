"""The aiohttp front: sockets to ``Call`` and ``Reply`` and back; authentication, limits, faults and counting on the way.

It decides nothing about records or messages. Its invariant: every REST reply but the list of versions carries
``Sforce-Limit-Info`` (C.8), and a request that fails before it is executed has changed nothing.

Source: REST API guide, ``_HttpMethod`` over POST; media types that are not served are refused in the words recorded for 415.
XML, which the platform reads and writes too, is not served.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

from aiohttp import web

from sandbox.faults import FaultSpec
from sandbox.http.bulk_wire import bulk_one
from sandbox.http.oauth import OAuth
from sandbox.http.platform import Platform
from sandbox.http.rest import handle, versions
from sandbox.http.sending import response_of, too_long
from sandbox.http.soap import fault
from sandbox.http.unexpected import guard, unknown
from sandbox.http.wire import (
    Call,
    Reply,
    auto_assign,
    bearer,
    call_options,
    error,
    parse_json,
    split_path,
    split_query,
    takes_json,
)
from sandbox.org.errors import OrgError
from sandbox.org.types import Session
from sandbox.streaming.cometd import Cometd
from sandbox.tokens import Tokens

APP_NAME = "Integration"
LONGEST_LINE = 64_000
LARGEST_BODY = 64 * 1024 * 1024
_HTML = b"<html><head><title>We are down for maintenance</title></head><body><h1>Server unavailable</h1></body></html>"
_DEAD_SESSION = ("INVALID_SESSION_ID", "Session expired or invalid")

Streamed = Callable[[web.Request, Call], Awaitable[web.StreamResponse | Reply]]
"""A handler that reads the request's body by itself and may write the reply by itself; the call it is given has no body."""


class Front:
    """Answers everything on the org's own port."""

    def __init__(self, platform: Platform, tokens: Tokens, oauth: OAuth, cometd: Cometd) -> None:
        self._platform = platform
        self._tokens = tokens
        self._oauth = oauth
        self._cometd = cometd
        self.streamed: dict[str, Streamed] = {}  # by the first segment after the version

    def routes(self, app: web.Application) -> None:
        """Register the routes."""
        app.middlewares.append(guard(self._platform.usage))
        app.on_response_prepare.append(self._date)
        app.router.add_route("*", "/services/oauth2/{what}", self.on_oauth)
        app.router.add_route("*", "/id/{org}/{user}", self.on_identity)
        app.router.add_get("/services/data", self.on_versions)
        app.router.add_get("/services/data/", self.on_versions)
        app.router.add_route("*", "/cometd{tail:.*}", self.on_cometd)
        app.router.add_route("*", "/services/Soap/{tail:.*}", self.on_soap)
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
                reply = self._oauth.identity.userinfo(bearer({"authorization": authorization}) or form.get("access_token"))
            case "revoke":
                reply = self._oauth.revoke(form.get("token", ""))
            case "introspect" if request.method == "POST":
                reply = self._oauth.identity.introspect(form.get("token", ""))
            case "authorize":
                reply = self._oauth.authorize()
            case _:
                reply = Reply(404, {"error": "invalid_request", "error_description": "no such endpoint"})
        return self._send(request, reply, limit_info=False)

    async def on_identity(self, request: web.Request) -> web.StreamResponse:
        """The identity URL of a token reply."""
        token = bearer({"authorization": request.headers.get("Authorization", "")}) or request.query.get("oauth_token")
        reply = self._oauth.identity.identity(token, request.match_info["org"], request.match_info["user"])
        return self._send(request, reply, limit_info=False)

    async def on_soap(self, request: web.Request) -> web.StreamResponse:
        """SOAP is refused, with a fault of its own."""
        if answered := await self._failing(request, named=True):
            return answered
        body = fault(request.path, await request.read())
        return web.Response(status=500, body=body, content_type="text/xml", charset="UTF-8")

    async def on_cometd(self, request: web.Request) -> web.StreamResponse:
        """Streaming; HTTP-level faults first, Bayeux-level ones inside."""
        if broken := self._platform.faults.take("bayeux_http", method=request.method, path=request.path):
            return self._send(request, _faulty(broken), limit_info=False)
        if answered := await self._failing(request, named=True):
            return answered
        self._end_token(request, named=True)
        response = await self._cometd.answer(request)
        return await self._losing(request, named=True) or await self._halved(request, response, named=True)

    async def on_rest(self, request: web.Request) -> web.StreamResponse:
        """One REST request."""
        path, _, query_text = request.raw_path.partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        if refusal := too_long(request.raw_path, headers):
            return self._send(request, refusal)
        found = split_path(path)
        if found is None:
            return self._send(request, _elsewhere(path, headers))
        version, parts = found
        self._platform.usage.rest(request.method, parts, self._platform.org.clock.now())
        if answered := await self._failing(request, named=False):
            return answered
        self._end_token(request, named=False)
        user_id = self._tokens.owner(bearer(headers))
        if user_id is None:
            code, message = _DEAD_SESSION
            return self._send(request, Reply(401, error(401, code, message).body, {"WWW-Authenticate": "Token"}))
        if self._exhausted(request):
            return self._send(request, error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
        session = Session(user_id, call_options(headers).get("client", ""), auto_assign(headers), f"rest/{version}")
        query = split_query(query_text)
        method = query.get("_HttpMethod", "POST").upper() if request.method == "POST" else request.method.replace("HEAD", "GET")
        call = Call(method, version, parts, query, headers, None, session)
        if parts and parts[0] in self.streamed:
            answer = await self.streamed[parts[0]](request, call)
            response = self._send(request, answer) if isinstance(answer, Reply) else answer
        else:
            response = self._send(request, await self._executed(request, call))
        return await self._losing(request, named=False) or await self._halved(request, response, named=False)

    async def _executed(self, request: web.Request, call: Call) -> Reply:
        if not takes_json(call.headers.get("accept", "")):
            return error(406, "NOT_ACCEPTABLE", f"The media type '{call.headers['accept']}' is not available here: accept application/json")
        if not request.can_read_body:
            return handle(self._platform, call)
        try:
            raw = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return error(413, "REQUEST_TOO_LARGE", f"The request body is larger than {LARGEST_BODY} bytes")
        if raw and call.method != "GET" and "json" not in request.content_type:
            return error(415, "UNSUPPORTED_MEDIA_TYPE", f"MediaType of '{request.content_type}' is not supported by this resource")
        try:
            body = parse_json(raw)
        except OrgError as problem:
            return error(problem.status, problem.code, problem.message)
        return handle(self._platform, call.at(*call.parts, body=body))

    def limit_info(self) -> str:
        """The value of ``Sforce-Limit-Info``: calls of the last 24 hours, and with ``app_limit`` the app's own."""
        options, used = self._platform.options, self._platform.used_calls()
        told = f"api-usage={min(used, options.api_limit)}/{options.api_limit}"
        if options.app_limit is None:
            return told
        return f"{told}; per-app-api-usage={min(used, options.app_limit)}/{options.app_limit}(appName={APP_NAME})"

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
        if broken := faults.take("http_status", **where, named=named):
            return self._send(request, _faulty(broken), limit_info=not named)
        return None

    async def _losing(self, request: web.Request, *, named: bool) -> web.StreamResponse | None:
        """The fault that comes after everything was executed: the answer never arrives."""
        lost = self._platform.faults.take("timeout_after_commit", method=request.method, path=request.path, named=named)
        if lost is None:
            return None
        await asyncio.sleep(lost.seconds)
        return _cut(request)

    def _end_token(self, request: web.Request, *, named: bool) -> None:
        """The faults by which the token of this very request is no longer good."""
        token = bearer({"authorization": request.headers.get("Authorization", "")}) or ""
        if self._platform.faults.take("expire_token", method=request.method, path=request.path, named=named):
            self._tokens.expire(value=token)
        if self._platform.faults.take("revoke_token", method=request.method, path=request.path, named=named):
            self._tokens.revoke(value=token)

    async def _halved(self, request: web.Request, response: web.StreamResponse, *, named: bool) -> web.StreamResponse:
        """The fault that cuts an answer short: head and half of the body, then the connection ends."""
        if not self._platform.faults.take("cut_body", method=request.method, path=request.path, named=named):
            return response
        body = response.body if isinstance(response, web.Response) else None
        if not isinstance(body, bytes) or len(body) < 2:
            return _cut(request)
        half = web.StreamResponse(status=response.status, headers=response.headers)
        half.content_length = len(body)
        await half.prepare(request)
        await half.write(body[: len(body) // 2])
        if request.transport is not None:
            request.transport.close()
        return half

    async def _date(self, request: web.Request, response: web.StreamResponse) -> None:
        """Every answer is dated by the org's clock, or beside it when a fault says so."""
        skew = self._platform.faults.take("clock_skew", method=request.method, path=request.path)
        at = self._platform.org.clock.now() + timedelta(seconds=skew.seconds if skew else 0)
        response.headers["Date"] = format_datetime(at, usegmt=True)

    def _send(self, request: web.Request, reply: Reply, *, limit_info: bool = True) -> web.Response:
        self._platform.usage.by_status[str(reply.status)] += 1
        headers = {"Sforce-Limit-Info": self.limit_info()} if limit_info else {}
        return response_of(reply, headers, request.headers)


def _elsewhere(path: str, headers: Mapping[str, str]) -> Reply:
    """The reply below ``/services`` but outside the data API."""
    if path.startswith("/services/async/"):
        return bulk_one(headers)
    if path.startswith("/services/apexrest"):
        return error(404, "NOT_FOUND", "Could not find a match for URL")
    return error(404, "NOT_FOUND", "The requested resource does not exist")


def _cut(request: web.Request) -> web.Response:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


def _faulty(spec: FaultSpec) -> Reply:
    """The reply an ``http_status`` fault asks for, or the platform's usual one for that status."""
    if spec.body is not None:
        return Reply(spec.status, spec.body.encode() if isinstance(spec.body, str) else spec.body)
    match spec.status:
        case 401:
            return error(401, *_DEAD_SESSION)
        case 403:
            return error(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")
        case 400 | 500:
            return replace(unknown(), status=spec.status)
    return Reply(spec.status, _HTML)
