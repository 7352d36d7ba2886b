"""A small CometD server in a thread, after salesforce.md D, with a script of faults.

Independent of the product and of the sandbox on purpose: three readings of one protocol keep each other honest.
Must not judge; tests do. Invariant: an event published to it is kept until ``forget_before``.
"""

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

Script = Callable[["FakeOrg", dict, web.Request], web.StreamResponse | None]


@dataclass
class Session:
    """One CometD client as the org sees it."""

    cookie: str
    channels: set[str] = field(default_factory=set)
    queue: deque = field(default_factory=deque)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    connects: int = 0


class FakeOrg:
    """Serves ``/cometd/66.0``. ``scripts`` holds, per meta channel, what happens to the next messages on it (None = normal)."""

    def __init__(self, *, hold_seconds=1.0):
        self.hold_seconds = hold_seconds
        self.interval = 0
        self.tokens = {"token-0"}
        self.kept: dict[str, list[dict]] = {}
        self.forgotten: dict[str, int] = {}
        self.sessions: dict[str, Session] = {}
        self.scripts: dict[str, deque[Script | None]] = {name: deque() for name in ("handshake", "connect", "subscribe", "disconnect")}
        self.seen: list[str] = []
        self.replays: list[tuple[str, int | None]] = []
        self.versions: set[str] = set()
        self.events_in_subscribe_reply = False
        self.arrange: Callable[[list], list] = list
        self.denied: dict[str, str] = {}
        self._next_id = 10
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.url = ""

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def _run(self):
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self):
        self._over = asyncio.Event()
        app = web.Application(client_max_size=2**25)
        app.router.add_post("/cometd/{version}", self._post)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "localhost", 0)
        await site.start()
        self.url = f"http://localhost:{runner.addresses[0][1]}"
        self._ready.set()
        await self._over.wait()
        for session in self.sessions.values():
            session.stirred.set()
        await runner.cleanup()

    # what tests do

    def on_loop(self, act):
        """Run ``act`` on the server's loop and return its result."""

        async def call():
            return act()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(10)

    def publish(self, channel, *payloads):
        """Keep and deliver one event per payload; return the replay ids."""
        return self.on_loop(lambda: self._publish(channel, payloads))

    def _publish(self, channel, payloads):
        ids = []
        for payload in payloads:
            self._next_id += 3
            ids.append(self._next_id)
            body = {"CreatedDate": "2026-03-02T08:00:00.000Z", **payload}
            event = {"EventUuid": f"uuid-{self._next_id}", "replayId": self._next_id}
            message = {"channel": channel, "data": {"schema": "s", "payload": body, "event": event}}
            self.kept.setdefault(channel, []).append(message)
            for session in self.sessions.values():
                if channel in session.channels:
                    session.queue.append(message)
        for session in self.sessions.values():
            if session.queue:
                session.stirred.set()
        return ids

    def script(self, step, *scripts):
        """Say what happens to the next messages on a meta channel."""
        self.on_loop(lambda: self.scripts[step].extend(scripts))

    def interrupt(self, script, channel, *payloads):
        """Publish, and have the script answer the long poll that would have brought the events; they leave the session's queue."""

        def act():
            self.scripts["woken"] = deque([script])
            return self._publish(channel, payloads)

        return self.on_loop(act)

    def interrupt_with_a_broken_event(self, channel):
        """Deliver something that has no replay id."""
        for session in self.sessions.values():
            session.queue.append({"channel": channel, "data": {"payload": {}}})
            session.stirred.set()

    def forget_sessions(self):
        """As the org does after 40 s without a connect, or when it moves hosts."""

        def act():
            for session in self.sessions.values():
                session.stirred.set()
            self.sessions.clear()

        self.on_loop(act)

    def forget_before(self, channel, replay_id):
        """Drop what is older; replay ids up to there are refused."""

        def act():
            self.kept[channel] = [m for m in self.kept.get(channel, []) if m["data"]["event"]["replayId"] >= replay_id]
            self.forgotten[channel] = replay_id

        self.on_loop(act)

    def wait(self, reached, seconds=20.0):
        """Wait until ``reached(self)``, looked at whenever a message arrives; AssertionError otherwise."""
        with self._changed:
            assert self._changed.wait_for(lambda: reached(self), seconds), self.seen

    def _tell(self):
        with self._changed:
            self._changed.notify_all()

    # what the org does

    async def _post(self, request):
        self.versions.add(request.match_info["version"])
        messages = json.loads(await request.read())
        replies = []
        for message in messages:
            step = message["channel"].removeprefix("/meta/")
            self.seen.append(step)
            self._tell()
            scripted = self.scripts[step].popleft() if self.scripts[step] else None
            answer = scripted(self, message, request) if scripted else await getattr(self, f"_{step}")(message, request)
            if asyncio.iscoroutine(answer):
                answer = await answer
            if isinstance(answer, web.StreamResponse):
                return answer
            replies.extend(answer)
        response = web.json_response(replies)
        if any(reply["channel"] == "/meta/handshake" and reply.get("successful") for reply in replies):
            response.set_cookie("BAYEUX_BROWSER", self.sessions[replies[0]["clientId"]].cookie)
        return response

    def _refusal(self, message, request):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme not in ("Bearer", "OAuth") or token not in self.tokens:
            return [failed(message, "401::Authentication invalid", reconnect="none")]
        session = self.sessions.get(message.get("clientId"))
        if session is None:
            return [failed(message, "403::Unknown client", reconnect="handshake")]
        if request.cookies.get("BAYEUX_BROWSER") != session.cookie:
            return [failed(message, f"400::Client {message['clientId']} has established a session, but no BAYEUX_BROWSER cookie present")]
        return None

    async def _handshake(self, message, request):
        if request.headers.get("Authorization", "").partition(" ")[2] not in self.tokens:
            reply = failed(message, "403::Handshake denied", reconnect="none")
            return [reply | {"ext": {"sfdc": {"failureReason": "401::Authentication invalid"}, "replay": True}}]
        client = f"client{len(self.seen)}"
        self.sessions[client] = Session(cookie=f"cookie-{client}")
        ok = {"ext": {"replay": True}, "supportedConnectionTypes": ["long-polling"], "version": "1.0", "clientId": client}
        return [succeeded(message) | ok]

    async def _connect(self, message, request):
        if refusal := self._refusal(message, request):
            return refusal
        session = self.sessions[message["clientId"]]
        session.connects += 1
        self._tell()
        advice = {"interval": self.interval, "timeout": int(self.hold_seconds * 1000), "reconnect": "retry"}
        if session.connects == 1:
            return [succeeded(message) | {"clientId": message["clientId"], "advice": advice}]
        if not session.queue:
            session.stirred.clear()
            try:
                async with asyncio.timeout(self.hold_seconds):
                    await session.stirred.wait()
            except TimeoutError:
                pass
        if message["clientId"] not in self.sessions:
            return [failed(message, "403::Unknown client", reconnect="handshake")]
        events = self._take(session)
        if woken := self.scripts.pop("woken", None):
            answer = woken[0](self, message, request)
            return await answer if asyncio.iscoroutine(answer) else answer
        return [*events, succeeded(message) | {"clientId": message["clientId"]}]

    def _take(self, session):
        events = self.arrange(list(session.queue))
        session.queue.clear()
        return events

    async def _subscribe(self, message, request):
        if refusal := self._refusal(message, request):
            return refusal
        channel, session = message["subscription"], self.sessions[message["clientId"]]
        replay = message.get("ext", {}).get("replay", {}).get(channel)
        self.replays.append((channel, replay))
        self._tell()
        if channel in self.denied:
            return [failed(message, self.denied[channel]) | {"subscription": channel}]
        if replay is not None and 0 <= replay < self.forgotten.get(channel, 0):
            text = f"400::The replayId {{{replay}}} you provided was invalid. Please provide a valid ID, -2 to replay all events, or -1."
            return [failed(message, text) | {"subscription": channel}]
        session.channels.add(channel)
        if replay is not None and replay != -1:
            session.queue.extend(m for m in self.kept.get(channel, []) if m["data"]["event"]["replayId"] > replay)
        events = self._take(session) if self.events_in_subscribe_reply else []
        session.stirred.set()
        return [*events, succeeded(message) | {"clientId": message["clientId"], "subscription": channel}]

    async def _disconnect(self, message, request):
        if refusal := self._refusal(message, request):
            return refusal
        del self.sessions[message["clientId"]]
        return [succeeded(message)]


def succeeded(message):
    """A good answer to a meta message."""
    return {"channel": message["channel"], "id": message.get("id"), "successful": True}


def failed(message, error, *, reconnect=None):
    """A bad answer, with advice if asked for."""
    reply = {"channel": message["channel"], "id": message.get("id"), "successful": False, "error": error}
    return reply | ({"advice": {"reconnect": reconnect, "interval": 0}} if reconnect else {})


def says(error, *, reconnect=None):
    """Script: a Bayeux error."""
    return lambda _org, message, _request: [failed(message, error, reconnect=reconnect)]


def answers(status, body, content_type="application/json"):
    """Script: an HTTP answer that is no Bayeux."""
    return lambda _org, _message, _request: web.Response(status=status, text=body, content_type=content_type)


def drops(_org, _message, request):
    """Script: the TCP connection is closed without an answer."""
    request.transport.close()
    return web.Response()


def loses_answer(_org, _message, request):
    """Script: the org took the events out of the session's queue, and the answer broke off half way."""

    async def half():
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "100000"})
        await response.prepare(request)
        await response.write(b'[{"channel": "/event/')
        request.transport.close()
        return response

    return half()


def hangs(org, _message, _request):
    """Script: a half-open connection, no answer ever."""

    async def hang():
        await org._over.wait()
        return web.Response()

    return hang()


def revokes(org, _message, _request):
    """Script: the token dies and REST's own error comes back, as an array, with HTTP 401."""
    org.tokens.clear()
    return web.Response(
        status=401, text='[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]', content_type="application/json"
    )
