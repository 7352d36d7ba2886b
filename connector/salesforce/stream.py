"""The event stream: one thread, one asyncio loop, one CometD connection at a time, rebuilt whenever in doubt.

    token -> open -> subscribe each channel from its durable cursor -> hand events over in batches
      ^                                                                                     |
      +------------- close, back off (longer each time, with jitter) <------ any fault -----+

Must not decide what an event means, nor do anything slow on its loop but call the sink. Invariant: the place
from which a channel is read again is what the sink last accepted, so an event is handed over at least once.

Why every fault means a new connection: see watchdog.py. Events whose id the org has already thrown away
(retention: 72 h) cannot come back; the sink is told of the gap and everything still kept is read again.
"""

import asyncio
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from aiocometd_ng.exceptions import AiocometdException

from connector import log
from connector.clock import SystemClock
from connector.errors import DunwellError, TransientError
from connector.salesforce.backoff import LONG, SHORT, Backoff
from connector.salesforce.classify import NEEDS_A_PERSON, Cause, StreamError, fault_of_error
from connector.salesforce.cometd import OrgClient, quieten
from connector.salesforce.events import Sink
from connector.salesforce.pending import Pending
from connector.salesforce.watchdog import Pulse, Watchdog

ALL_KEPT = -2
"""Replay everything that the org still keeps. For a channel without a cursor: its events may be known nowhere else."""

_LOG = log.get("stream")
_SYSTEM_CLOCK = SystemClock()


class Token(Protocol):
    """What the stream needs of a token."""

    @property
    def access_token(self) -> str:
        """Sent as ``Authorization: Bearer``."""
        ...

    @property
    def instance_url(self) -> str:
        """The org's own host."""
        ...


class TokenSource(Protocol):
    """Where tokens come from; called off the loop. Raises ConfigError (refused) or TransientError."""

    def current(self) -> Token:
        """Return the token in use."""
        ...

    def renew(self, stale: str) -> Token:
        """Return a token other than ``stale``."""
        ...


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds and sizes of the stream. ``poll_seconds`` is assumed until the org advises how long it holds a poll."""

    backoff: Backoff = SHORT
    long_backoff: Backoff = LONG
    poll_seconds: float = 110.0
    silence_factor: float = 1.5
    request_seconds: float = 120.0
    close_seconds: float = 3.0
    batch_size: int = 200


class Status(StrEnum):
    """Whether events flow."""

    CONNECTED = "connected"
    LOST = "lost"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class StreamState:
    """What changed. ``cause`` when lost; ``refused`` names channels that bring no events although connected: poll for them."""

    status: Status
    cause: Cause | None = None
    detail: str = ""
    refused: tuple[str, ...] = ()


class EventStream:
    """Brings the events of ``channels`` to ``sink`` until stopped; an ``EventSource``.

    ``on_state`` is called on the stream's thread once per change of state. ``chance`` gives the jitter, ``now`` the
    time of ``last_connect_at``. A stream is started once.
    """

    def __init__(  # noqa: PLR0913 - what the stream is, then what tests set
        self,
        token_source: TokenSource,
        api_version: str,
        channels: Sequence[str],
        sink: Sink,
        *,
        own_client_name: str = "dunwell",
        on_state: Callable[[StreamState], None] | None = None,
        timings: Timings | None = None,
        now: Callable[[], datetime] = _SYSTEM_CLOCK.now,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._tokens = token_source
        self._api_version = api_version
        self._channels = tuple(channels)
        self._sink = sink
        self._own_client_name = own_client_name
        self._on_state = on_state
        self._timings = timings or Timings()
        self._now = now
        self._chance = chance
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="event-stream", daemon=True)
        self._state = StreamState(Status.STOPPED)
        self._token_in_use = ""
        self._token_is_stale = False
        self._refused_cursors: dict[str, int] = {}
        self._proven = False
        self.last_connect_at: datetime | None = None
        """When the org last answered a long poll; aware, UTC."""

    @property
    def connected(self) -> bool:
        """Whether events flow at this moment."""
        return self._state.status is Status.CONNECTED

    @property
    def state(self) -> StreamState:
        """The state last reported."""
        return self._state

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin in a thread of its own; RuntimeError when started before."""
        if self._loop is not None:
            raise RuntimeError("an event stream is started once")
        quieten()
        self._loop = asyncio.new_event_loop()
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Disconnect and end the thread; True when it ended within ``timeout`` seconds. Harmless when not running."""
        if self._loop is None:
            return True
        with suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        loop = self._loop or asyncio.new_event_loop()
        loop.set_exception_handler(ignore_cancelled)
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(self._supervise())
        finally:
            self._change(StreamState(Status.STOPPED))

    async def _supervise(self) -> None:
        """Run one connection after the other until stopped."""
        stop = asyncio.create_task(self._stopping.wait())
        failures, plan = 0, self._timings.backoff
        while not self._stopping.is_set():
            self._proven = False
            session = asyncio.create_task(self._session())
            await asyncio.wait({session, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not session.done():
                session.cancel()
                await asyncio.wait({session})
            error = None if session.cancelled() else session.exception()
            if error is None or self._stopping.is_set():
                continue
            fault = fault_of_error(error)
            self._token_is_stale |= fault.cause is Cause.TOKEN_EXPIRED
            self._lose(fault, error)
            plan_before, plan = plan, self._timings.long_backoff if fault.cause in NEEDS_A_PERSON else self._timings.backoff
            failures = 0 if self._proven or plan is not plan_before else failures
            await asyncio.wait({stop}, timeout=max(plan.delay(failures, self._chance()), fault.retry_after or 0.0))
            failures += 1

    async def _session(self) -> None:
        """One connection from token to fault; returns never, raises whatever ended it."""
        token = await self._token()
        pending = Pending(self._own_client_name)
        clock = asyncio.get_running_loop().time
        pulse = Pulse(self._timings.poll_seconds, self._timings.silence_factor, clock())
        watchdog = Watchdog(pending, pulse, clock, self._beat)
        client = OrgClient(token.access_token, token.instance_url, self._api_version, watchdog)
        try:
            async with asyncio.timeout(self._timings.request_seconds):
                await client.open()
            refused = await self._subscribe_all(client, pending, self._channels)
            if len(refused) == len(self._channels):
                raise refused[-1]
            self._connect(refused)
            await self._serve(client, watchdog, tuple(fault.channel or "" for fault in refused))
        except AiocometdException as error:
            if watchdog.fault is None:
                raise
            raise watchdog.fault from error  # the library's error is only the echo of what was seen first
        finally:
            self._proven |= pulse.beats > 1
            await client.abandon(self._timings.close_seconds)

    async def _token(self) -> Token:
        """Return the token in use, or another after the org refused it; off the loop, for it may ask over the network."""
        if self._token_is_stale:
            token = await asyncio.to_thread(self._tokens.renew, self._token_in_use)
        else:
            token = await asyncio.to_thread(self._tokens.current)
        self._token_in_use, self._token_is_stale = token.access_token, False
        return token

    async def _subscribe_all(self, client: OrgClient, pending: Pending, channels: Sequence[str]) -> list[StreamError]:
        """Subscribe to each channel; return the faults of those that are refused for themselves, raise any other."""
        refused: list[StreamError] = []
        for channel in channels:
            try:
                await self._subscribe(client, pending, channel)
            except StreamError as fault:
                if fault.cause is not Cause.NOT_ALLOWED or fault.channel is None:
                    raise
                refused.append(fault)
        return refused

    async def _subscribe(self, client: OrgClient, pending: Pending, channel: str) -> None:
        """Subscribe from the durable cursor; where the org refuses it, report the gap once and take all that is kept."""
        with _storing():
            cursor = self._sink.cursor(channel)
        if cursor is not None and self._refused_cursors.get(channel) != cursor:
            try:
                await self._subscribe_from(client, pending, channel, cursor)
            except StreamError as fault:
                if fault.cause is not Cause.REPLAY_REFUSED:
                    raise
                _LOG.warning("stream.gap_found", channel=channel, replay_id=cursor)
                with _storing():
                    self._sink.gap(channel)
                self._refused_cursors[channel] = cursor
            else:
                self._refused_cursors.pop(channel, None)
                return
        await self._subscribe_from(client, pending, channel, None)

    async def _subscribe_from(self, client: OrgClient, pending: Pending, channel: str, cursor: int | None) -> None:
        client.replay.start[channel] = ALL_KEPT if cursor is None else cursor
        pending.begin(channel, cursor)
        async with asyncio.timeout(self._timings.request_seconds):
            await client.subscribe(channel)

    async def _serve(self, client: OrgClient, watchdog: Watchdog, refused: tuple[str, ...]) -> None:
        """Hand over what comes until the watchdog finds a fault, or silence; refused channels are asked for again."""
        clock = asyncio.get_running_loop().time
        ask_again_at = clock() + self._timings.long_backoff.first_seconds
        while True:
            now = clock()
            if refused and now >= ask_again_at:
                faults = await self._subscribe_all(client, watchdog.pending, refused)
                ask_again_at = clock() + self._timings.long_backoff.limit_seconds
                refused = tuple(fault.channel or "" for fault in faults)
                self._connect(faults)
            left = watchdog.pulse.left(now)
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, ask_again_at - now) if refused else left):
                    await watchdog.stirred.wait()
            watchdog.stirred.clear()
            await self._hand_over(watchdog.pending)
            if watchdog.fault is not None:
                raise watchdog.fault
            if watchdog.pulse.left(clock()) <= 0:
                raise StreamError(Cause.SILENT, "the long poll is overdue")

    async def _hand_over(self, pending: Pending) -> None:
        """Give the sink all that is queued, letting the next long poll go out between batches."""
        while (batch := pending.take(self._timings.batch_size)) is not None:
            with _storing():
                self._sink.receive(batch.channel, batch.events, batch.cursor)
            self._proven = True
            await asyncio.sleep(0)
        for channel, count in pending.unusable.items():
            _LOG.error("event.parked", channel=channel, count=count, reason="no replay id or no body")
        pending.unusable.clear()

    def _beat(self) -> None:
        self.last_connect_at = self._now()

    def _connect(self, refused: Sequence[StreamError]) -> None:
        """Report that events flow, and which channels do not."""
        state = StreamState(Status.CONNECTED, refused=tuple(fault.channel or "" for fault in refused))
        if state == self._state:
            return
        if not self.connected:
            _LOG.info("stream.connected", channels=[channel for channel in self._channels if channel not in state.refused])
        for fault in refused:
            _LOG.error("stream.refused", channel=fault.channel, reason=fault.cause, detail=fault.detail)
        self._change(state)

    def _lose(self, fault: StreamError, error: BaseException) -> None:
        """Report a loss: the first after a connection, and later ones only if they now need a person, or no longer do."""
        before = self._state
        self._change(StreamState(Status.LOST, fault.cause, fault.detail))
        needs_a_person = fault.cause in NEEDS_A_PERSON
        if before.status is Status.LOST and (before.cause in NEEDS_A_PERSON) == needs_a_person:
            return
        told = log.fault(error) if fault.cause is Cause.INTERNAL else {}
        told["detail"] = fault.detail
        if needs_a_person:
            _LOG.error("stream.refused", reason=fault.cause, **told)
        else:
            _LOG.warning("stream.lost", reason=fault.cause, **told)

    def _change(self, state: StreamState) -> None:
        if state == self._state:
            return
        self._state = state
        if self._on_state is not None:
            self._on_state(state)


@contextmanager
def _storing() -> Iterator[None]:
    """Tell errors of the sink from those of the org."""
    try:
        yield
    except DunwellError as error:
        retry_after = error.retry_after if isinstance(error, TransientError) else None
        raise StreamError(Cause.NOT_STORED, str(error), retry_after=retry_after) from error


def ignore_cancelled(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """Drop the complaint that the library's callback makes whenever its poll is cancelled at closing (salesforce.md A.3)."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)
