"""Bayeux sessions: handshakes, subscriptions with replay, and what waits for each client.

No sockets and no waiting: messages go in with the time, replies come out, and whoever holds a poll open is told through
``wake``. Its invariant: a subscribed client is offered every event published after its replay position exactly once per
session, in the order of publication, unless a fault was asked for.

Source: D.1 to D.3 of the platform notes (shapes of messages, error catalogue, 40 seconds between polls).
"""

import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sandbox.faults import FaultSpec
from sandbox.http.platform import Platform
from sandbox.org.access import Rights
from sandbox.streaming.changes import schema_id
from sandbox.streaming.log import NEW_ONLY, Event, EventLog, InvalidReplayIdError

COOKIE = "BAYEUX_BROWSER"
MOST_PER_REPLY = 1000
EVENT_UUID_SINCE = 52.0
_EXT = {"replay": True, "payload.format": True}
_RETRY = "retry"

Message = dict[str, object]


def _nothing() -> None:
    """Nobody waits."""


@dataclass(slots=True)
class Client:
    """One streaming session. ``last_seen`` is in monotonic seconds; ``polling`` while a poll is held open."""

    client_id: str
    user_id: str
    cookie: str
    version: str
    last_seen: float
    subscriptions: dict[str, None] = field(default_factory=dict)
    queue: deque[Message] = field(default_factory=deque)
    connected: bool = False
    polling: bool = False
    wake: Callable[[], None] = _nothing


class Broker:
    """All streaming sessions of one org."""

    def __init__(
        self, platform: Platform, log: EventLog, change_channels: Mapping[str, tuple[str, ...]], monotonic: Callable[[], float]
    ) -> None:
        self._platform = platform
        self._log = log
        self._changes = change_channels
        self._monotonic = monotonic
        self.clients: dict[str, Client] = {}

    def handshake(self, message: Message, user_id: str | None, cookie: str, version: str) -> Message:
        """Open a session. ``user_id`` None means the token was missing or no longer good."""
        reply: Message = {"channel": "/meta/handshake", "id": message.get("id"), "ext": dict(_EXT)}
        fault = self._platform.faults.take("bayeux", target="handshake")
        reason = fault.error if fault else "401::Authentication invalid" if user_id is None else None
        self.forget_silent()
        if reason is None and len(self.clients) >= self._platform.options.client_limit:
            reason = "403::Organization concurrent user limit exceeded"
        if reason is not None or user_id is None:
            reply["ext"] = {"sfdc": {"failureReason": reason}, **_EXT}
            advice = fault.advice if fault and fault.advice is not None else {"reconnect": "none"}
            return reply | {"advice": advice, "error": "403::Handshake denied", "successful": False}
        client = Client(secrets.token_hex(13), user_id, cookie, version, self._monotonic())
        self.clients[client.client_id] = client
        own: Message = {
            "clientId": client.client_id,
            "version": "1.0",
            "minimumVersion": "1.0",
            "supportedConnectionTypes": ["long-polling"],
        }
        return reply | own | {"successful": True}

    def client(self, message: Message, user_id: str | None, cookie: str) -> Client | Message:
        """The session a message belongs to, or the reply that refuses it."""
        self.forget_silent()
        channel, client_id = str(message.get("channel")), str(message.get("clientId") or "")
        refusal: Message = {"channel": channel, "id": message.get("id"), "successful": False}
        if channel in {"/meta/subscribe", "/meta/unsubscribe"}:
            refusal["subscription"] = message.get("subscription")
        if not client_id:
            return refusal | {"error": "403::Client has not completed handshake", "advice": {"interval": 0, "reconnect": "handshake"}}
        if user_id is None:
            ended: Message = {"error": "401::Authentication invalid", "advice": {"reconnect": "none", "interval": 0}}
            return {"clientId": client_id} | refusal | ended
        client = self.clients.get(client_id)
        if client is None or client.user_id != user_id:
            return refusal | {"error": "403::Unknown client", "advice": {"interval": 0, "reconnect": "handshake"}}
        if self._platform.options.enforce_cookie and client.cookie and client.cookie != cookie:
            text = f"400::Client {client_id} has established a session, but no {COOKIE} cookie present"
            return {"clientId": client_id} | refusal | {"error": text, "advice": {"reconnect": "none", "interval": 0}}
        client.last_seen = self._monotonic()
        return client

    def connect(self, message: Message, client: Client) -> Message | None:
        """The reply to /meta/connect when there is one at once; None when the poll is to be held."""
        reply: Message = {"clientId": client.client_id, "channel": "/meta/connect", "id": message.get("id")}
        if message.get("connectionType", "long-polling") != "long-polling":
            return reply | {"error": "400::Invalid connection type", "advice": {"reconnect": "none", "interval": 0}, "successful": False}
        if fault := self._platform.faults.take("bayeux", target="connect"):
            return self._failed(reply, client, fault)
        if self._over_limit():
            error = "403::Organization total events daily limit exceeded"
            return reply | {"error": error, "advice": {"reconnect": "none", "interval": 0}, "successful": False}
        if client.connected:
            wanted = message.get("advice")
            if isinstance(wanted, dict) and wanted.get("timeout") == 0:
                return reply | {"successful": True}
            return None
        client.connected = True
        advice: Message = {"interval": 0, "timeout": int(self._platform.options.long_poll_seconds * 1000), "reconnect": _RETRY}
        others = any(
            other.polling for other in self.clients.values() if other is not client and other.cookie and other.cookie == client.cookie
        )
        if others:
            advice |= {"interval": 2000, "multiple-clients": True}
        return reply | {"advice": advice, "successful": True}

    def subscribe(self, message: Message, client: Client) -> tuple[list[Message], Message]:
        """Subscribe to one channel; returns replayed events to go into this very reply, and the reply."""
        channel = str(message.get("subscription"))
        reply: Message = {"clientId": client.client_id, "channel": "/meta/subscribe", "id": message.get("id"), "subscription": channel}
        error = self._refusal(channel, client)
        replayed: list[Event] = []
        if error is None:
            replay_id = _replay_id(message, channel)
            self._log.expire_before(self._platform.org.clock.now() - timedelta(hours=self._platform.options.retention_hours))
            try:
                replayed = self._since(channel, replay_id)
            except InvalidReplayIdError:
                ways = "Please provide a valid ID, -2 to replay all events, or -1 to replay only new events."
                error = f"400::The replayId {{{replay_id}}} you provided was invalid. {ways}"
        if error is not None:
            return [], reply | {"error": error, "successful": False}
        client.subscriptions[channel] = None
        messages = [self._data(event, channel, client) for event in replayed]
        if self._platform.options.replay_in_subscribe:
            self._count_delivered(len(messages))
            return messages, reply | {"successful": True}
        client.queue.extend(messages)
        if messages:
            client.wake()
        return [], reply | {"successful": True}

    def unsubscribe(self, message: Message, client: Client) -> Message:
        """Leave one channel."""
        channel = str(message.get("subscription"))
        client.subscriptions.pop(channel, None)
        reply: Message = {"clientId": client.client_id, "channel": "/meta/unsubscribe", "id": message.get("id")}
        return reply | {"subscription": channel, "successful": True}

    def disconnect(self, message: Message, client: Client) -> Message:
        """End a session."""
        self.drop(client.client_id)
        return {"clientId": client.client_id, "channel": "/meta/disconnect", "id": message.get("id"), "successful": True}

    def drop(self, client_id: str | None = None, user_id: str | None = None) -> int:
        """Forget one session, those of a user, or all, as the platform does when it scales; returns how many."""
        gone = [one for one in self.clients.values() if client_id in {None, one.client_id} and user_id in {None, one.user_id}]
        for client in gone:
            del self.clients[client.client_id]
            client.wake()
        return len(gone)

    def forget_silent(self) -> None:
        """Forget sessions whose next poll did not come in time."""
        limit = self._monotonic() - self._platform.options.reconnect_seconds
        for client in [one for one in self.clients.values() if not one.polling and one.last_seen < limit]:
            del self.clients[client.client_id]

    def deliver(self, event: Event) -> None:
        """Queue a new event for everyone subscribed and wake their polls."""
        for client in self.clients.values():
            for channel in client.subscriptions:
                if event.channel not in self._log.members(channel):
                    continue
                message = self._data(event, channel, client)
                client.queue.append(message)
                if self._platform.faults.take("duplicate_events", path=channel):
                    client.queue.append(message)
                client.wake()

    def drain(self, client: Client) -> list[Message]:
        """The events waiting for a client, at most a thousand, counted as delivered."""
        batch = [client.queue.popleft() for _ in range(min(len(client.queue), MOST_PER_REPLY))]
        if len(batch) > 1 and self._platform.faults.take("reorder_events"):
            batch.reverse()
        self._count_delivered(len(batch))
        return batch

    def _since(self, channel: str, replay_id: int) -> list[Event]:
        if replay_id > 0 and self._platform.faults.take("refuse_replay_id", path=channel):
            raise InvalidReplayIdError(channel, replay_id)
        return self._log.since(channel, replay_id)

    def _count_delivered(self, amount: int) -> None:
        if amount:
            self._platform.usage.deliveries.add(self._platform.org.clock.now(), amount)
            self._platform.usage.counts["events_delivered"] += amount

    def _over_limit(self) -> bool:
        return self._platform.used_deliveries() >= self._platform.options.event_limit

    def _failed(self, reply: Message, client: Client, fault: FaultSpec) -> Message:
        if "Unknown client" in fault.error:
            self.clients.pop(client.client_id, None)
            reply = {"channel": "/meta/connect", "id": reply["id"]}
            advice: Message = {"interval": 0, "reconnect": "handshake"}
        else:
            advice = {"reconnect": "none", "interval": 0}
        if fault.advice is not None:
            advice = fault.advice
        return reply | ({"advice": advice} if advice else {}) | {"error": fault.error, "successful": False}

    def _refusal(self, channel: str, client: Client) -> str | None:
        if fault := self._platform.faults.take("bayeux", target="subscribe", path=channel):
            return fault.error
        if not channel.startswith("/"):
            return "400::Channel subscriptions must start with a leading '/'"
        schema = self._platform.org.schema
        rights = Rights(self._platform.org.users[client.user_id], schema, has_hidden=False)
        if channel in self._changes:
            if rights.view_all or all(rights.on(schema.objects[sobject]).view_all for sobject in self._changes[channel]):
                return None
            return "403::User not allowed to subscribe CDC without View All Data permissions"
        kind = schema.get(channel.removeprefix("/event/")) if channel.startswith("/event/") else None
        if kind is None or kind.kind != "event":
            return f"400::The channel you requested to subscribe to doesn't exist {{{channel}}}"
        return None if rights.on(kind).read else f"403::Restricted channel {{{channel}}}"

    def _data(self, event: Event, channel: str, client: Client) -> Message:
        place: Message = {"replayId": event.replay_id}
        if float(client.version) >= EVENT_UUID_SINCE:
            place = {"EventUuid": event.event_uuid, **place}
        return {
            "channel": channel,
            "data": {"schema": schema_id(event.channel.rsplit("/", 1)[-1]), "payload": event.payload, "event": place},
        }


def _replay_id(message: Message, channel: str) -> int:
    ext = message.get("ext")
    replay = ext.get("replay") if isinstance(ext, dict) else None
    wanted = replay.get(channel) if isinstance(replay, dict) else None
    return wanted if isinstance(wanted, int) and wanted != 0 else NEW_ONLY
