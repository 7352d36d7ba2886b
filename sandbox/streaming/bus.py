"""The streaming side of one org put together: commits become change events, events go to the log and from there to subscribers.

Only wiring, and the faults of the way between log and subscribers. Its invariant: everything published is in the log before
anybody hears of it, and reaches subscribers in the order of the log; whoever listens is called on the loop's own thread.
"""

import asyncio
from collections import deque
from dataclasses import replace

from sandbox.http.platform import Platform
from sandbox.org.types import Commit
from sandbox.streaming.bayeux import Broker
from sandbox.streaming.changes import Capture, change_events
from sandbox.streaming.channels import Channels
from sandbox.streaming.log import Event, EventLog
from sandbox.streaming.schemas import Schemas
from sandbox.streaming.subscribing import Subscribing


class EventBus:
    """Listens to the org and to its log, and feeds the sessions."""

    def __init__(self, platform: Platform, log: EventLog, loop: asyncio.AbstractEventLoop) -> None:
        self._platform = platform
        self._log = log
        self._loop = loop
        self._waiting: deque[Event] = deque()
        self.channels = channels = Channels(platform.org.schema)
        platform.schemas = Schemas(platform.org.schema, log.schema)
        self.broker = Broker(platform, log, Subscribing(platform, channels), loop.time)
        for channel in channels:
            log.group(channel.name, channel.sources)
            for source in channel.sources:
                definition = platform.schemas.named(source.rpartition("/")[2])
                if definition is not None:
                    log.name_schema(source, str(definition["uuid"]), definition)
        log.on_append.append(self._appended)
        platform.org.on_commit.append(self._committed)

    def _committed(self, commit: Commit) -> None:
        capture = Capture(self._platform.org.schema, self.channels.captured, self._platform.options.change_overflow)
        rising = replace(commit, number=self._log.last_replay_id() + 1)
        for event in change_events(rising, capture):
            self._log.append(event.channel, event.payload, event_uuid=event.event_uuid, at=commit.at)

    def _appended(self, event: Event) -> None:
        try:
            on_loop = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            on_loop = False
        if on_loop:
            self._pass_on(event)
        else:
            self._loop.call_soon_threadsafe(self._pass_on, event)

    def _pass_on(self, event: Event) -> None:
        faults = self._platform.faults
        if faults.take("lost_events", path=event.channel):
            return
        if self._waiting:
            self._waiting.append(event)
        elif fault := faults.take("delayed_events", path=event.channel):
            self._waiting.append(event)
            self._loop.call_later(fault.seconds, self._release)
        else:
            self.broker.deliver(event)

    def _release(self) -> None:
        while self._waiting:
            self.broker.deliver(self._waiting.popleft())
