"""The CometD endpoint: bodies of Bayeux messages in, replies out, polls held open until something happens.

Sessions and rules live in ``bayeux``; this is the only place that waits. Its invariant: events are taken from a
client's queue only for a connection that is still open.
"""

import asyncio
import json
import re
import secrets
from collections.abc import Callable

from aiohttp import web

from sandbox.http.platform import Platform
from sandbox.http.wire import VERSIONS, bearer
from sandbox.streaming import catalogue
from sandbox.streaming.bayeux import COOKIE, Broker, Caller, Client
from sandbox.streaming.delivery import Message
from sandbox.tokens import Tokens

MOST_BYTES = 32_768
OLDEST_VERSION = 37.0
_PATH = re.compile(r"^/cometd/(?P<version>\d+\.\d)(?:/.*)?$")


class Cometd:
    """Answers ``POST /cometd/XX.0``."""

    def __init__(self, platform: Platform, tokens: Tokens, broker: Broker) -> None:
        self._platform = platform
        self._tokens = tokens
        self._broker = broker

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One HTTP request with one or several Bayeux messages."""
        self._platform.usage.counts["stream_requests"] += 1
        raw = await request.read()
        found = _PATH.match(re.sub(r"/{2,}", "/", request.path))
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return web.Response(status=405, headers={"Allow": "POST"})  # as recorded by jsforce issue 582
        if found is None:
            return _refused(400, catalogue.VERSION_MISSING)
        if not OLDEST_VERSION <= float(found["version"]) <= max(map(float, VERSIONS)):
            return _refused(400, catalogue.VERSION_UNSUPPORTED)
        if request.method != "POST":
            return _refused(400, catalogue.connection_type("callback-polling"))
        if len(raw) > MOST_BYTES:
            return _refused(413, catalogue.REQUEST_TOO_LARGE)
        messages = _parse(raw)
        if messages is None:
            return _refused(400, "400::Malformed message")
        replies, fresh_cookie = await self._replies(request, messages, self._caller(request, found["version"]))
        response = _json(replies, self._status(replies))
        if fresh_cookie:
            response.set_cookie(COOKIE, fresh_cookie, path="/", httponly=True)
        return response

    def _caller(self, request: web.Request, version: str) -> Caller:
        token = bearer({"authorization": request.headers.get("Authorization", "")})
        self._tokens.prolong(token)
        return Caller(token, self._tokens.owner(token), request.cookies.get(COOKIE, ""), version)

    def _status(self, replies: list[Message]) -> int:
        """The HTTP status; what it is when authentication fails nobody documents, so that is an option."""
        errors = [str(reply.get("error", "")) for reply in replies] + [_failure_reason(reply) for reply in replies]
        return self._platform.options.auth_failure_status if any(error.startswith("401::") for error in errors) else 200

    async def _replies(self, request: web.Request, messages: list[Message], caller: Caller) -> tuple[list[Message], str]:
        replies: list[Message] = []
        held: tuple[Message, Client] | None = None
        fresh = ""
        for message in messages:
            channel = message.get("channel")
            if channel == "/meta/handshake":
                if not caller.cookie:
                    fresh = secrets.token_hex(16)
                    caller = Caller(caller.token, caller.user_id, fresh, caller.version)
                replies.append(self._broker.handshake(message, caller))
                continue
            client = self._broker.client(message, caller)
            if isinstance(client, dict):
                replies.append(client)
            elif channel == "/meta/connect":
                reply = self._broker.connect(message, client)
                if reply is None:
                    held = (message, client)
                else:
                    replies.extend(self._broker.drain(client) if reply.get("successful") else [])
                    replies.append(reply)
            else:
                replies.extend(self._other(message, str(channel), client))
        if held is not None:
            replies.extend(await self._held(request, *held, at_once=bool(replies)))
        return replies, fresh

    def _other(self, message: Message, channel: str, client: Client) -> list[Message]:
        match channel:
            case "/meta/subscribe":
                events, reply = self._broker.subscribe(message, client)
                return [*events, reply]
            case "/meta/unsubscribe":
                return [self._broker.unsubscribe(message, client)]
            case "/meta/disconnect":
                return [self._broker.disconnect(message, client)]
        return [catalogue.failed(catalogue.reply_to(message), catalogue.RESTRICTED_CHANNEL)]

    async def _held(self, request: web.Request, message: Message, client: Client, *, at_once: bool) -> list[Message]:
        """Hold a poll until there are events, the session ends, a newer poll comes or time is up."""
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()
        wake: Callable[[], None] = woken.set
        client.wake()  # an older poll of the same session is answered now
        client.wake, client.polling = wake, True
        until = loop.time() + self._platform.options.long_poll_seconds
        try:
            while not client.queue and not at_once and self._current(client, wake) and _open(request):
                woken.clear()
                try:
                    async with asyncio.timeout_at(min(until, loop.time() + 1.0)):
                        await woken.wait()
                except TimeoutError:
                    if loop.time() >= until:
                        break
        finally:
            if client.wake is wake:
                client.polling = False
                client.last_seen = loop.time()
        if client.revoked:
            return [catalogue.authentication_ended(message, client.client_id)]
        if client.client_id not in self._broker.clients:
            return [catalogue.unknown_client(message)]
        reply = catalogue.reply_to(message, client_id=client.client_id) | {"successful": True}
        if client.wake is not wake or not _open(request):
            return [reply]
        return [*self._broker.drain(client), reply]

    def _current(self, client: Client, wake: Callable[[], None]) -> bool:
        return client.client_id in self._broker.clients and client.wake is wake


def _failure_reason(reply: Message) -> str:
    ext = reply.get("ext")
    sfdc = ext.get("sfdc") if isinstance(ext, dict) else None
    return str(sfdc.get("failureReason", "")) if isinstance(sfdc, dict) else ""


def _open(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


def _parse(raw: bytes) -> list[Message] | None:
    try:
        body: object = json.loads(raw)
    except ValueError:
        return None
    messages = body if isinstance(body, list) else [body]
    return [message for message in messages if isinstance(message, dict)] if all(isinstance(one, dict) for one in messages) else None


def _json(replies: list[Message], status: int = 200) -> web.Response:
    return web.Response(status=status, body=json.dumps(replies).encode(), content_type="application/json", charset="UTF-8")


def _refused(status: int, error: str) -> web.Response:
    return _json([{"error": error, "successful": False, "advice": {"reconnect": "none"}}], status)
