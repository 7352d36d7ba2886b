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
from sandbox.http.wire import bearer
from sandbox.streaming.bayeux import COOKIE, Broker, Client, Message
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
        if found is None:
            return _refused(400, "400::API version in the URI is mandatory. URI format: '/cometd/66.0'")
        if float(found["version"]) < OLDEST_VERSION:
            return _refused(400, "400::Unsupported API version. Only API versions 37.0 and above are supported")
        if request.method != "POST":
            return _refused(400, "400::Unsupported transport")
        if len(raw) > MOST_BYTES:
            return _refused(413, "413::Maximum Request Size Exceeded")
        messages = _parse(raw)
        if messages is None:
            return _refused(400, "400::Malformed message")
        user_id = self._tokens.owner(bearer({"authorization": request.headers.get("Authorization", "")}))
        cookie = request.cookies.get(COOKIE, "")
        replies, fresh_cookie = await self._replies(request, messages, user_id, cookie, found["version"])
        response = _json(replies)
        if fresh_cookie:
            response.set_cookie(COOKIE, fresh_cookie, path="/", httponly=True)
        return response

    async def _replies(
        self, request: web.Request, messages: list[Message], user_id: str | None, cookie: str, version: str
    ) -> tuple[list[Message], str]:
        replies: list[Message] = []
        held: tuple[Message, Client] | None = None
        fresh = ""
        for message in messages:
            channel = message.get("channel")
            if channel == "/meta/handshake":
                if not cookie:
                    cookie = fresh = secrets.token_hex(16)
                replies.append(self._broker.handshake(message, user_id, cookie, version))
                continue
            client = self._broker.client(message, user_id, cookie)
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
        return [{"channel": channel, "id": message.get("id"), "error": f"403::Restricted channel {{{channel}}}", "successful": False}]

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
        if client.client_id not in self._broker.clients:
            return [_ended(message)]
        reply: Message = {"clientId": client.client_id, "channel": "/meta/connect", "id": message.get("id"), "successful": True}
        if client.wake is not wake or not _open(request):
            return [reply]
        return [*self._broker.drain(client), reply]

    def _current(self, client: Client, wake: Callable[[], None]) -> bool:
        return client.client_id in self._broker.clients and client.wake is wake


def _ended(message: Message) -> Message:
    refusal: Message = {"channel": "/meta/connect", "id": message.get("id"), "successful": False}
    return refusal | {"error": "403::Unknown client", "advice": {"interval": 0, "reconnect": "handshake"}}


def _open(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


def _parse(raw: bytes) -> list[Message] | None:
    try:
        body: object = json.loads(raw)
    except ValueError:
        return None
    messages = body if isinstance(body, list) else [body]
    return [message for message in messages if isinstance(message, dict)] if all(isinstance(one, dict) for one in messages) else None


def _json(replies: list[Message]) -> web.Response:
    return web.Response(body=json.dumps(replies).encode(), content_type="application/json", charset="UTF-8")


def _refused(status: int, error: str) -> web.Response:
    body = [{"error": error, "successful": False, "advice": {"reconnect": "none"}}]
    return web.Response(status=status, body=json.dumps(body).encode(), content_type="application/json", charset="UTF-8")
