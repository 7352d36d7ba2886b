"""What the stream is given in tests: a token source, a sink that remembers, and an ear for its states.

Must not know how a fault is made. Invariant: what the sink remembers is what it accepted, in that order.
"""

import threading
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from connector.salesforce.backoff import Backoff
from connector.salesforce.events import Event
from connector.salesforce.stream import EventStream, Status, Timings

OUTCOMES = "/event/Payment_Outcome__e"
CASES = "/data/CaseChangeEvent"
QUICK = Timings(backoff=Backoff(0.01, 0.1), long_backoff=Backoff(0.2, 0.4), request_seconds=20, close_seconds=1)


@dataclass
class FakeToken:
    """What the stream needs of a token."""

    access_token: str
    instance_url: str


class FakeTokens:
    """A token source. ``failures`` are raised first, in order; every renewal makes a token the org takes."""

    def __init__(self, org, *failures):
        self.org = org
        self.failures = list(failures)
        self.renewals = 0
        self.calls = 0
        self._token = "token-0"

    def current(self):
        """The token in use."""
        return self._give()

    def renew(self, stale):
        """Another one, unless somebody else renewed it meanwhile."""
        if stale == self._token and not self.failures:
            self.renewals += 1
            self._token = f"token-{self.renewals}"
            self.org.on_loop(lambda: self.org.tokens.add(self._token))
        return self._give()

    def _give(self):
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return FakeToken(self._token, self.org.url)


class MemorySink:
    """A sink that remembers everything in order; ``failures`` are raised by the next calls of ``receive``."""

    def __init__(self, **cursors):
        self.cursors: dict[str, int] = dict(cursors)
        self.batches: list[tuple[str, list[Event], int]] = []
        self.gaps: list[str] = []
        self.failures: list[Exception] = []
        self.threads: set[str] = set()
        self._changed = threading.Condition()

    def cursor(self, channel):
        """As stored."""
        return self.cursors.get(channel)

    def receive(self, channel, events: Sequence[Event], cursor: int):
        """Both or neither."""
        if self.failures:
            raise self.failures.pop(0)
        with self._changed:
            self.threads.add(threading.current_thread().name)
            self.batches.append((channel, list(events), cursor))
            self.cursors[channel] = cursor
            self._changed.notify_all()

    def gap(self, channel):
        """Remembered."""
        with self._changed:
            self.gaps.append(channel)
            self._changed.notify_all()

    def ids(self, channel):
        """Replay ids in the order received, repeats included."""
        return [event.replay_id for name, events, _ in self.batches if name == channel for event in events]

    def wait(self, reached, seconds=20.0):
        """Wait until ``reached(self)``; AssertionError otherwise."""
        with self._changed:
            assert self._changed.wait_for(lambda: reached(self), seconds), f"not reached: {self.cursors}, gaps {self.gaps}"

    def wait_ids(self, channel, ids):
        """Wait until all of ``ids`` have come."""
        self.wait(lambda sink: set(ids) <= set(sink.ids(channel)))

    def assert_cursor_never_ahead(self, channel, published):
        """Whenever the process had died, no event at or before the durable cursor would have been missing."""
        have: set[int] = set()
        for name, events, cursor in self.batches:
            if name == channel:
                have |= {event.replay_id for event in events}
                assert {replay_id for replay_id in published if replay_id <= cursor} <= have


class States(list):
    """What ``on_state`` told, in order."""

    def __init__(self):
        super().__init__()
        self._told = threading.Condition()

    def __call__(self, state):
        """Remember it."""
        with self._told:
            self.append(state)
            self._told.notify_all()

    def wait(self, reached):
        """Wait until ``reached(state)`` holds of a state told."""
        with self._told:
            assert self._told.wait_for(lambda: any(reached(state) for state in self), 20), list(self)

    def wait_connected(self):
        """Wait for the first connection."""
        self.wait(lambda state: state.status is Status.CONNECTED)


@contextmanager
def streaming(org, sink, *failures, channels=(OUTCOMES,), timings=QUICK, **more):
    """A stream that runs; ``failures`` are the token source's first answers."""
    states = States()
    stream = EventStream(FakeTokens(org, *failures), "66.0", channels, sink, on_state=states, timings=timings, **more)
    stream.states = states
    stream.start()
    try:
        yield stream
    finally:
        assert stream.stop(15)


def polling(org):
    """Whether a long poll is held."""
    return any(session.connects > 1 for session in org.sessions.values())


def rows(number, prefix="x"):
    """Payloads."""
    return [{"Reference__c": f"{prefix}{n}"} for n in range(number)]
