"""Sees every message before the CometD library does, and says at once when a connection is not to be trusted.

The library keeps faulty connections alive and silently loses subscriptions, dead tokens and lost answers
(salesforce.md A.4); an event in an answer that was lost on the way is never sent again on the same session.
Here any of these ends the connection, and the supervisor subscribes anew from the durable cursors. Must not
reconnect or store. Invariant: after the first fault nothing is sent on this connection.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiocometd_ng.exceptions import TransportError
from aiocometd_ng.extensions import Extension
from aiocometd_ng.typing import Headers, JsonObject, Payload

from connector.salesforce.classify import Cause, StreamError, fault_of_body, fault_of_message
from connector.salesforce.pending import Pending

_CONNECT, _SUBSCRIBE = "/meta/connect", "/meta/subscribe"


@dataclass(slots=True)
class Pulse:
    """When the long poll must have answered: ``factor`` times the ``seconds`` that the org says it may hold it."""

    seconds: float
    factor: float
    last: float
    beats: int = 0

    def beat(self, now: float) -> None:
        """Take a sign of life at ``now``."""
        self.last = now
        self.beats += 1

    def advise(self, milliseconds: object) -> None:
        """Take the org's ``advice.timeout``; anything but a positive number is no advice."""
        if isinstance(milliseconds, (int, float)) and milliseconds > 0:
            self.seconds = milliseconds / 1000

    def left(self, now: float) -> float:
        """Seconds until silence becomes suspicious; not positive when it is."""
        return self.last + self.seconds * self.factor - now


class Watchdog(Extension):
    """One connection's guard. ``stirred`` is set whenever there are events to hand over or a fault to act on."""

    def __init__(self, pending: Pending, pulse: Pulse, clock: Callable[[], float], on_beat: Callable[[], None]) -> None:
        self.pending = pending
        self.pulse = pulse
        self.fault: StreamError | None = None
        self.stirred = asyncio.Event()
        self.closing = False
        self._clock = clock
        self._on_beat = on_beat
        self._connect_sent = False

    async def outgoing(self, payload: Payload, headers: Headers) -> None:  # noqa: ARG002 - the library's signature
        """Refuse to send after a fault, and to poll again when the poll before was never answered."""
        if self.fault is None and any(message["channel"] == _CONNECT for message in payload):
            if self._connect_sent:
                self._trip(StreamError(Cause.UNREACHABLE, "a long poll was never answered"))
            self._connect_sent = True
        if self.fault is not None:
            raise TransportError("this connection is given up")

    async def incoming(self, payload: Payload, headers: Headers | None = None) -> None:  # noqa: ARG002 - the library's signature
        """Take the events out, then check all that remains; raises StreamError instead of letting the library recover."""
        fault = fault_of_body(payload)
        if fault is not None:
            raise self._given_up(fault)
        answers: Payload = []
        for message in payload:
            if "data" in message and not message["channel"].startswith("/meta/"):
                self.pending.add(message)
            else:
                answers.append(message)
        if len(answers) < len(payload):
            self.stirred.set()
        payload[:] = answers
        for message in answers:
            self._check(message)

    def _check(self, message: JsonObject) -> None:
        advice = message.get("advice")
        if isinstance(advice, dict):
            self.pulse.advise(advice.get("timeout"))
            if isinstance(advice.get("interval"), (int, float)):
                advice["interval"] /= 1000  # milliseconds on the wire, seconds in the library
        if not message.get("successful", True):
            fault = fault_of_message(message)
            if message["channel"] == _SUBSCRIBE and fault.channel is not None:
                raise fault
            raise self._given_up(fault)
        if message["channel"] == _CONNECT:
            self._connect_sent = False
            self.pulse.beat(self._clock())
            self._on_beat()

    def _given_up(self, fault: StreamError) -> StreamError | TransportError:
        """Trip, and return what to raise: while closing, the one error that the library's disconnect swallows."""
        self._trip(fault)
        return TransportError(fault.cause.value) if self.closing else fault

    def _trip(self, fault: StreamError) -> None:
        if self.fault is None:
            self.fault = fault
        self.stirred.set()
