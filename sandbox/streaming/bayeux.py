"""Bayeux sessions: handshakes, subscriptions with replay, and what waits for each client.

No sockets and no waiting: messages go in with the time, replies come out, and whoever holds a poll open is told through
``wake``. Its invariant: a subscribed client is offered every event published after its replay position exactly once per
session, in the order of publication, unless a fault was asked for.

Source: D.1 to D.3 of the platform notes (shapes of messages, error catalogue, 40 seconds between polls).
"""

import secrets
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta

from sandbox.faults import FaultSpec
from sandbox.http.platform import Platform
from sandbox.streaming import catalogue
from sandbox.streaming.delivery import Message, Subscription, messages
from sandbox.streaming.log import NEW_ONLY, Event, EventLog, InvalidReplayIdError
from sandbox.streaming.subscribing import Subscribing

COOKIE = "BAYEUX_BROWSER"
MOST_PER_REPLY = 1000
_LONG_POLLING = "long-polling"


def _nothing() -> None:
    """Nobody waits."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request: the token and whose it is (None: not good any more), the cookie, the API version of the URL."""

    token: str | None
    user_id: str | None
    cookie: str
    version: str

    @property
    def failure(self) -> str | None:
        """Why the caller is not let in, or None."""
        if self.token is None:
            return catalogue.AUTHENTICATION_MISSING
        return catalogue.AUTHENTICATION_INVALID if self.user_id is None else None


@dataclass(slots=True)
class Client:
    """One streaming session. Times are in monotonic seconds; ``polling`` while a poll is held open."""

    client_id: str
    user_id: str
    token: str
    cookie: str
    version: str
    opened: float
    last_seen: float
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    queue: deque[Message] = field(default_factory=deque)
    connected: bool = False
    polling: bool = False
    revoked: bool = False
    wake: Callable[[], None] = _nothing


class Broker:
    """All streaming sessions of one org."""

    def __init__(self, platform: Platform, log: EventLog, desk: Subscribing, monotonic: Callable[[], float]) -> None:
        self._platform = platform
        self._log = log
        self._desk = desk
        self._monotonic = monotonic
        self.clients: dict[str, Client] = {}

    # the meta channels

    def handshake(self, message: Message, caller: Caller) -> Message:
        """Open a session, or say why not."""
        self.forget_silent()
        fault = self._platform.faults.take("bayeux", target="handshake")
        offered = message.get("supportedConnectionTypes")
        reason = fault.error if fault else caller.failure
        if reason is None and isinstance(offered, list) and _LONG_POLLING not in offered:
            reason = catalogue.connection_type(",".join(map(str, offered)))
        if reason is None and self._platform.options.client_limit_at == "handshake":
            reason = self._crowded(len(self.clients))
        if reason is not None or caller.user_id is None or caller.token is None:
            return catalogue.handshake_denied(message, reason or catalogue.AUTHENTICATION_INVALID, fault.advice if fault else None)
        now = self._monotonic()
        client = Client(secrets.token_hex(13), caller.user_id, caller.token, caller.cookie, caller.version, now, now)
        self.clients[client.client_id] = client
        own: Message = {"version": "1.0", "minimumVersion": "1.0", "supportedConnectionTypes": [_LONG_POLLING]}
        return catalogue.reply_to(message, client_id=client.client_id) | {"ext": dict(catalogue.EXT)} | own | {"successful": True}

    def client(self, message: Message, caller: Caller) -> Client | Message:
        """The session a message belongs to, or the reply that refuses it."""
        self.forget_silent()
        client_id = str(message.get("clientId") or "")
        if not client_id:
            return catalogue.failed(catalogue.reply_to(message), catalogue.HANDSHAKE_MISSING, catalogue.SHAKE_HANDS)
        own = catalogue.reply_to(message, client_id=client_id)
        if caller.failure is not None:
            return catalogue.failed(own, caller.failure, catalogue.NO_MORE)
        client = self.clients.get(client_id)
        if client is None:
            return catalogue.unknown_client(message)
        if client.user_id != caller.user_id:
            return catalogue.failed(own, catalogue.USER_DIFFERS, catalogue.NO_MORE)
        if self._platform.options.enforce_cookie and client.cookie and client.cookie != caller.cookie:
            return catalogue.failed(own, catalogue.cookie_missing(client_id, COOKIE), catalogue.NO_MORE)
        client.last_seen = self._monotonic()
        client.token = caller.token or client.token
        return client

    def connect(self, message: Message, client: Client) -> Message | None:
        """The reply to /meta/connect when there is one at once; None when the poll is to be held."""
        reply = catalogue.reply_to(message, client_id=client.client_id)
        wanted = message.get("connectionType", _LONG_POLLING)
        if wanted != _LONG_POLLING:
            return catalogue.failed(reply, catalogue.connection_type(wanted), catalogue.NO_MORE)
        if fault := self._platform.faults.take("bayeux", target="connect"):
            return self._broken(message, client, fault)
        if self._exhausted():
            advice = catalogue.NO_MORE if self._platform.options.limit_advice else None
            return catalogue.failed(reply, catalogue.DELIVERIES_EXHAUSTED, advice)
        if client.connected:
            asked = message.get("advice")
            return reply | {"successful": True} if isinstance(asked, dict) and asked.get("timeout") == 0 else None
        client.connected = True
        advice = {"interval": 0, "timeout": int(self._platform.options.long_poll_seconds * 1000), "reconnect": "retry"}
        if client.cookie and any(other.polling and other.cookie == client.cookie for other in self._others(client)):
            advice |= {"interval": 2000, "multiple-clients": True}
        return reply | {"advice": advice, "successful": True}

    def subscribe(self, message: Message, client: Client) -> tuple[list[Message], Message]:
        """Subscribe to one channel; returns replayed events to go into this very reply, and the reply."""
        reply = catalogue.reply_to(message, client_id=client.client_id)
        name = message.get("subscription")
        if fault := self._platform.faults.take("bayeux", target="subscribe", path=str(name)):
            return [], self._broken(message, client, fault)
        found = self._granted(name, client)
        if isinstance(found, str):
            return [], catalogue.failed(reply, found)
        replay_id = _replay_id(message, found.channel.name)
        try:
            replayed = self._since(found.channel.name, replay_id)
        except InvalidReplayIdError:
            return [], catalogue.failed(reply, catalogue.replay_id_invalid(replay_id))
        client.subscriptions[found.channel.name] = found
        waiting = [one for event in replayed for one in messages(event, found, self._desk.fields)]
        if self._platform.options.replay_in_subscribe:
            self._count_delivered(len(waiting))
            return waiting, reply | {"successful": True}
        client.queue.extend(waiting)
        if waiting:
            client.wake()
        return [], reply | {"successful": True}

    def unsubscribe(self, message: Message, client: Client) -> Message:
        """Leave one channel."""
        client.subscriptions.pop(str(message.get("subscription")), None)
        return catalogue.reply_to(message, client_id=client.client_id) | {"successful": True}

    def disconnect(self, message: Message, client: Client) -> Message:
        """End a session."""
        self.drop(client.client_id)
        return catalogue.reply_to(message, client_id=client.client_id) | {"successful": True}

    # sessions end

    def drop(self, client_id: str | None = None, user_id: str | None = None) -> int:
        """Forget one session, those of a user, or all, as the platform does when it scales; returns how many."""
        gone = [one for one in self.clients.values() if client_id in {None, one.client_id} and user_id in {None, one.user_id}]
        for client in gone:
            del self.clients[client.client_id]
            client.wake()
        return len(gone)

    def revoke(self, tokens: Collection[str]) -> None:
        """End the sessions of revoked tokens: a poll that is held answers that authentication is invalid."""
        for client in [one for one in self.clients.values() if one.token in tokens]:
            client.revoked = True
            self.drop(client.client_id)

    def forget_silent(self) -> None:
        """Forget sessions whose next poll did not come in time, or that are older than a session gets."""
        now, options = self._monotonic(), self._platform.options
        for client in [one for one in self.clients.values() if not one.polling]:
            too_old = options.session_seconds is not None and now - client.opened > options.session_seconds
            if too_old or client.last_seen < now - options.reconnect_seconds:
                del self.clients[client.client_id]

    # events go out

    def deliver(self, event: Event) -> None:
        """Queue a new event for everyone subscribed and wake their polls."""
        for client in self.clients.values():
            for subscription in client.subscriptions.values():
                if event.replay_id <= subscription.after:
                    continue
                for message in messages(event, subscription, self._desk.fields):
                    client.queue.append(message)
                    if self._platform.faults.take("duplicate_events", path=subscription.channel.name):
                        client.queue.append(message)
                    client.wake()

    def drain(self, client: Client) -> list[Message]:
        """The events waiting for a client, at most a thousand, counted as delivered."""
        batch = [client.queue.popleft() for _ in range(min(len(client.queue), MOST_PER_REPLY))]
        if len(batch) > 1 and self._platform.faults.take("reorder_events"):
            batch.reverse()
        self._count_delivered(len(batch))
        return batch

    # helpers

    def _others(self, client: Client) -> list[Client]:
        return [one for one in self.clients.values() if one is not client]

    def _crowded(self, sessions: int) -> str | None:
        if self._platform.faults.take("concurrent_limit") or sessions >= self._platform.options.client_limit:
            return catalogue.CLIENTS_EXHAUSTED
        return None

    def _exhausted(self) -> bool:
        if self._platform.faults.take("delivery_limit"):
            return True
        return self._platform.used_deliveries() >= self._platform.options.event_limit

    def _broken(self, message: Message, client: Client, fault: FaultSpec) -> Message:
        """The reply that a ``bayeux`` fault asks for."""
        unknown = "Unknown client" in fault.error
        reply = catalogue.reply_to(message, client_id=None if unknown else client.client_id)
        if unknown:
            self.clients.pop(client.client_id, None)
        if fault.reason is not None:
            reply["ext"] = {"sfdc": {"failureReason": fault.reason}, **catalogue.EXT}
        connecting = message.get("channel") == "/meta/connect"
        usual = catalogue.SHAKE_HANDS if unknown else catalogue.NO_MORE if connecting else None
        return catalogue.failed(reply, fault.error, (usual if fault.advice is None else fault.advice) or None)

    def _granted(self, name: object, client: Client) -> Subscription | str:
        channel = self._desk.channel(name)
        if isinstance(channel, str):
            return channel
        granted = self._desk.granted(channel, client.user_id, client.version, self._log.last_replay_id())
        if isinstance(granted, str):
            return granted
        if self._platform.options.client_limit_at == "subscribe" and not client.subscriptions:
            return self._crowded(sum(1 for one in self._others(client) if one.subscriptions)) or granted
        return granted

    def _since(self, channel: str, replay_id: int) -> list[Event]:
        self._log.expire_before(self._platform.org.clock.now() - timedelta(hours=self._platform.options.retention_hours))
        if replay_id > 0 and self._platform.faults.take("refuse_replay_id", path=channel):
            raise InvalidReplayIdError(channel, replay_id)
        return self._log.since(channel, replay_id)

    def _count_delivered(self, amount: int) -> None:
        if amount:
            self._platform.usage.deliveries.add(self._platform.org.clock.now(), amount)
            self._platform.usage.counts["events_delivered"] += amount


def _replay_id(message: Message, channel: str) -> int:
    ext = message.get("ext")
    replay = ext.get("replay") if isinstance(ext, dict) else None
    wanted = replay.get(channel) if isinstance(replay, dict) else None
    return wanted if isinstance(wanted, int) and wanted != 0 else NEW_ONLY
