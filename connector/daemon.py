"""The daemon: one worker over the store, an event stream and a poll that feed it, and an orderly stop.

Must not decide or translate. Invariant: the worker alone writes to the org, and only what it has leased; every thread
may die at any point and the store says what is left to do. Where several daemons share a store, each works, and one of
them listens to the stream and polls.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Literal

from connector.clock import Clock
from connector.errors import ConfigError, ConflictError, DunwellError, TransientError
from connector.leading import Leading
from connector.log import get
from connector.mapping import read
from connector.pipeline.leases import holding, holding_events, lease_seconds
from connector.pipeline.place import place_events
from connector.pipeline.ports import Context, Record
from connector.pipeline.receive import Inbox
from connector.pipeline.treat import Batch, treat_due
from connector.probes import Metrics
from connector.salesforce.events import EventSource
from connector.salesforce.poll import Poller
from connector.store import OWNER, DueMark, InboxRow, StoreAwayError

log = get("dunwell.daemon")
IDLE_SECONDS = 1.0
QUIET_SECONDS = 0.05
INBOX_BATCH = 1000
FIRST_DELAY_SECONDS = 2.0
LONGEST_DELAY_SECONDS = 900.0
STREAM_STOP_SECONDS = 5.0
POLL = "poll"
"""What the one daemon leads that polls."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How much at once, and how long to gather: payers, seconds."""

    batch_payers: int = 200
    debounce_seconds: float = 1.0
    poll_seconds: float = 60.0
    own_user: str = ""
    """Id of the integration user: its own changes are not news."""
    request_seconds: float = 140.0
    """What one request to the org may take: with less time left on a lease nothing is written."""


class Daemon:
    """Owns the worker and the poll; the stream runs itself. ``run`` returns when stopped."""

    def __init__(  # noqa: PLR0913 - what it is made of, by name
        self,
        current: Callable[[], Context],
        pace: Pace,
        *,
        poller: Callable[[Context], Poller],
        channels: Sequence[str],
        stream: Callable[[Inbox, Sequence[str]], EventSource],
        metrics: Metrics,
        owner: str = OWNER,
    ) -> None:
        context = current()
        self._current, self._poller_for, self._pace, self._metrics, self._owner = current, poller, pace, metrics, owner
        self._context, self._poller = context, poller(context)
        self.wake, self._stop, self._poll_now = context.wake, threading.Event(), threading.Event()
        self.inbox = Inbox(context.store, context.clock.now, self.wake, self._gap)
        self._channels, self._connect = tuple(channels), stream
        self._stream: EventSource | None = None
        self._listening: tuple[str, ...] = ()
        self._leading = Leading(context.store, context.clock, owner, (*self._channels, POLL), self._lead)
        self._polled_at: datetime | None = None
        self._looked_at = context.clock.now()
        self._treated = 0
        self._busy = False
        self._unsure = False
        """Whether the store did not answer: nobody knows what it has as ours."""
        self._counted_calls = self._counted_events = 0
        self._waiting: str | None = None
        self._waits_for: Literal["org", "store"] = "org"
        self._threads = [threading.Thread(target=self._poll, name="poll", daemon=True)]

    def run(self) -> None:
        """Work until ``stop``; what a dead process of this name held is taken up first.

        Raises:
            ConfigError: another daemon began to work under this name.

        """
        self._context.store.recover(self._owner)
        self._leading.start()
        for thread in self._threads:
            thread.start()
        while not self._stop.is_set():
            if self._leading.displaced:
                raise ConfigError(
                    f"another daemon works under the name {self._owner} on this store: give each its own DUNWELL_INSTANCE, and start this one again"
                )
            self._busy = True
            worked = self._turn()
            self._busy = False
            if not worked and not self._stop.is_set():
                self._idle()

    def stop(self) -> None:
        """Take nothing new; what is in hand is finished by ``run``."""
        self._stop.set()
        self.wake.set()
        self._poll_now.set()

    def close(self, timeout: float) -> None:
        """End the stream and the poll; another daemon may listen then."""
        self._stop.set()
        self._poll_now.set()
        if self._stream is not None:
            self._stream.stop(timeout)
        self._leading.stop(timeout)
        for thread in self._threads:
            thread.join(timeout)

    def alive(self) -> bool:
        """Whether its threads run: a dead one cannot be healed from inside."""
        return (self._leading.alive() and all(thread.is_alive() for thread in self._threads)) or self._stop.is_set()

    def not_ready(self) -> list[str]:
        """Why it takes no work now; nothing = it does."""
        reasons = []
        stream = self._stream
        if stream is not None and not stream.connected:
            reasons.append("the event stream is not connected")
        if POLL in self._leading.held and self._polled_at is None:
            reasons.append("nothing was polled yet")
        if self._waiting is not None:
            reasons.append(self._waiting)
        return reasons

    def gauge(self) -> None:
        """Bring the gauges up to date, before they are read."""
        now = self._context.clock.now()
        counts = self._context.store.due_counts(now)
        for state, count in (("due", counts.due_now), ("later", counts.later), ("leased", counts.leased), ("parked", counts.parked)):
            self._metrics.due_payers.labels(state).set(count)
        self._metrics.inbox_events.labels("waiting").set(counts.inbox)
        self._metrics.inbox_events.labels("parked").set(counts.parked_events)
        self._metrics.oldest_due_seconds.set((now - counts.oldest_due_at).total_seconds() if counts.oldest_due_at else 0)
        self._metrics.api_calls.inc(self._context.org.calls - self._counted_calls)
        self._counted_calls = self._context.org.calls
        self._metrics.events.labels("all").inc(self.inbox.received - self._counted_events)
        self._counted_events = self.inbox.received
        stream = self._stream
        self._metrics.stream_connected.set(stream is not None and stream.connected)

    def status(self) -> Mapping[str, object]:
        """What a person or the demo wants to know: counts, times, what it waits for."""
        now = self._context.clock.now()
        counts = self._context.store.due_counts(now)
        stream = self._stream
        return {
            "now": now.isoformat(), "mode": "shadow" if self._context.shadow else "live", "ready": not self.not_ready(), "api_calls": self._context.org.calls,
            "stream": None if stream is None else stream.connected, "leads": sorted(self._leading.held), "instance": self._owner, "received": self.inbox.received, "treated": self._treated,
            "polled_at": self._polled_at.isoformat() if self._polled_at else None, "inbox": counts.inbox, "due": counts.due_now, "leased": counts.leased,
            "later": counts.later, "parked": counts.parked, "parked_events": counts.parked_events, "busy": self._busy or self.wake.is_set(),
            "waiting": self._waiting,
        }  # fmt: skip

    # What it leads

    def _lead(self, held: frozenset[str]) -> None:
        """Listen to the channels that are ours now, and to no others; poll if that is ours."""
        channels = tuple(one for one in self._channels if one in held)
        if channels != self._listening:
            before, self._stream, self._listening = self._stream, None, channels
            if before is not None:
                before.stop(STREAM_STOP_SECONDS)
            if channels and not self._stop.is_set():
                self._stream = self._connect(self.inbox, channels)
                self._stream.start()
        self._poll_now.set()
        self.wake.set()

    # The worker

    def _idle(self) -> None:
        """Wait for an event or for a payer to come due, then let a burst gather. Counted from the time last looked at: it may have moved since."""
        if self._context.clock.wait_until(self._looked_at + timedelta(seconds=IDLE_SECONDS), self.wake) and self._stream is not None:
            self._gather()

    def _gather(self) -> None:
        until = monotonic() + self._pace.debounce_seconds
        seen = -1
        while monotonic() < until and seen != self.inbox.received and not self._stop.is_set():
            seen = self.inbox.received
            self._stop.wait(min(QUIET_SECONDS, self._pace.debounce_seconds))

    def _turn(self) -> bool:
        """Place what came in, then treat who is due. True = there was something."""
        self.wake.clear()
        now = self._looked_at = self._context.clock.now()
        rows: list[InboxRow] = []
        needed = self._pace.request_seconds
        try:
            self._take_up()
            self._set_free()
            seconds = lease_seconds(needed)
            rows = self._context.store.take_inbox(INBOX_BATCH, now, seconds=seconds, owner=self._owner)
            if rows:
                until = now + timedelta(seconds=seconds)
                found = place_events(holding_events(self._context, rows, until, self._owner, request_seconds=needed), rows, now)
                log.info("outcome.placed", events=found.events, inserted=found.written, parked=found.parked)
            marks = self._context.store.lease_due(now, self._pace.batch_payers, seconds, self._owner)
        except DunwellError as error:
            self._postpone_rows(rows, error)
            return False
        if (not marks or self._treat(marks, now)) and (rows or marks):
            self._answers()
        return bool(rows or marks)

    def _take_up(self) -> None:
        """Go on with the mapping and policy as they are now."""
        found = self._current()
        if found is not self._context:
            self._context, self._poller = found, self._poller_for(found)

    def _set_free(self) -> None:
        """After trouble with the store: nothing is in hand now, so whatever it has as ours is nobody's."""
        if self._unsure:
            self._context.store.recover(self._owner)
            self._unsure = False
            if self._waits_for == "store":
                self._answers()

    def _treat(self, marks: list[DueMark], now: datetime) -> bool:
        """Treat who is due. False = the org did not take it and they wait."""
        began = monotonic()
        try:
            batch = treat_due(holding(self._context, marks, request_seconds=self._pace.request_seconds), marks, now)
        except DunwellError as error:
            delay = _delay(error, max(mark.attempts for mark in marks))
            until, why = now + timedelta(seconds=delay), type(error).__name__
            self._put_off(lambda: self._context.store.postpone(marks, until, why))
            self._wait(error, delay)
            return False
        self._treated += len(batch.decisions)
        self._metrics.batch_seconds.observe(monotonic() - began)
        self._count(batch)
        log.info(
            "batch.finished", payers=len(marks), inserted=sum(batch.applied.inserted.values()), updated=sum(batch.applied.updated.values())
        )
        return True

    def _count(self, batch: Batch) -> None:
        metrics = self._metrics
        metrics.payers.labels("treated").inc(len(batch.decisions))
        metrics.payers.labels("parked").inc(len(batch.parked))
        for kind, count in batch.applied.made.items():
            metrics.follow_ups.labels(kind).inc(count)
        for reason, count in batch.applied.withheld.items():
            metrics.withheld.labels(reason).inc(count)
        for sobject, count in batch.applied.inserted.items():
            metrics.writes.labels(sobject, "inserted").inc(count)
        for sobject, count in batch.applied.updated.items():
            metrics.writes.labels(sobject, "updated").inc(count)

    def _postpone_rows(self, rows: list[InboxRow], error: DunwellError) -> None:
        delay = _delay(error, max((row.attempts for row in rows), default=0))
        if rows:
            until = self._context.clock.now() + timedelta(seconds=delay)
            ids, why = [row.id for row in rows if row.id is not None], type(error).__name__
            self._put_off(lambda: self._context.store.postpone_inbox(ids, until, why))
        self._wait(error, delay)

    def _put_off(self, put_off: Callable[[], None]) -> None:
        """Give work back. A store that is away goes on having it as ours, until it answers again."""
        try:
            put_off()
        except StoreAwayError:
            self._unsure = True

    def _wait(self, error: DunwellError, delay: float) -> None:
        """Say once that work waits, and for what."""
        if isinstance(error, ConflictError):
            log.warning("lease.lost", error=error)
            return
        self._unsure |= isinstance(error, StoreAwayError)
        if self._waiting is None:
            self._waits_for = "store" if isinstance(error, StoreAwayError) else "org"
            level = log.error if isinstance(error, ConfigError) else log.warning
            level(
                "org.refused" if isinstance(error, ConfigError) else f"{self._waits_for}.unavailable",
                error=error,
                retry_after=round(delay, 1),
            )
        self._waiting = str(error)

    def _answers(self) -> None:
        if self._waiting is not None:
            log.info("store.recovered" if self._waits_for == "store" else "org.recovered")
            self._waiting = None

    # The poll

    def _poll(self) -> None:
        """Ask for changes every ``poll_seconds``; a failed poll moves no cursor and is simply repeated, which is said once."""
        clock: Clock = self._context.clock
        failing = False
        while not self._stop.is_set():
            self._poll_now.clear()  # before asking: a stop or a gap that comes meanwhile ends the wait after it
            if self._stop.is_set():
                return
            if POLL not in self._leading.held:
                clock.wait(self._pace.poll_seconds, self._poll_now)
                continue
            now = clock.now()
            try:
                polled = self._poller.read(now)
                payers = sorted({payer for records in polled.records.values() for record in records for payer in self._payers(record)})
                if payers:
                    self._context.store.mark_due(payers, at=now, why="poll")
                    self.wake.set()
                self._poller.keep(polled)
                self._polled_at, failing = now, False
            except DunwellError as error:
                if not failing:
                    log.warning("poll.failed", error=error)
                failing = True
            clock.wait_until(now + timedelta(seconds=self._pace.poll_seconds), self._poll_now)

    def _payers(self, record: Record) -> set[str]:
        """Whose record it is, by any of the links a polled object may have; nobody's where the change was our own.

        Our own write followed a fresh look at its payer, so that there is nothing to see again; a deletion always counts.
        """
        if record.get("LastModifiedById") == self._pace.own_user and not record.get("IsDeleted"):
            return set()
        mapping = self._context.mapping
        links = [
            link
            for one in mapping.payers
            for link in (one.link, one.own_link, one.case_link, f"{mapping.payments.installment_relation}.{one.link}")
        ]
        found = {read.text(record, link) for link in (*links, "WhoId", "WhatId")}
        return {one for one in found if one and one[:3] in ("001", "003")}

    def _gap(self, channel: str) -> None:
        """Events were lost: look at everyone whose records changed since."""
        del channel
        self._poll_now.set()


def _delay(error: DunwellError, attempts: int) -> float:
    """Seconds until the next try: what the org said, else longer each time."""
    told = error.retry_after if isinstance(error, TransientError) else None
    return told if told is not None else min(FIRST_DELAY_SECONDS * 2 ** min(attempts, 12), LONGEST_DELAY_SECONDS)
