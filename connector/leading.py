"""Who listens: of all daemons on one store, one at a time to each channel, and another one soon after it died.

Must not know what is listened to. Its one invariant: what this daemon leads by its own word it also leads by the store's,
or its lease there has not run out yet. A moment with two that lead, or with none, costs nothing but time: what is
received twice is kept once, and what nobody received is read from where the last one stopped.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from connector import log
from connector.clock import Clock
from connector.errors import TransientError
from connector.store import Store

LEASE_SECONDS = 20.0
"""For so long after its last word a daemon leads."""
LOOK_SECONDS = 5.0
"""So often a daemon gives its word and looks what is free. Together under the thirty seconds that a channel may go without."""
_SELF = "daemon:"

_log = log.get("dunwell.leading")


class Leading:
    """What one daemon leads of ``names``. ``changed`` is told on the thread that found it out, whenever it is something else."""

    def __init__(self, store: Store, clock: Clock, owner: str, names: Sequence[str], changed: Callable[[frozenset[str]], None]) -> None:
        self._store, self._clock, self._owner, self._changed = store, clock, owner, changed
        self._names, self._self, self._token = tuple(names), f"{_SELF}{owner}", uuid4().hex
        self._until: datetime | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="leading", daemon=True)
        self.held: frozenset[str] = frozenset()
        """What this daemon leads now."""
        self.displaced = False
        """Whether another process works under the same name: it came later, so this one must end."""

    def start(self) -> None:
        """Take what is free, and what a dead process of this name had; then look again and again, in a thread."""
        self._store.leave(self._owner)
        self.look()
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Give everything up, so that others need not wait; a store that is away lets it run out."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        try:
            if not self.displaced:
                self._store.leave(self._owner)
        except TransientError:
            return

    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def look(self) -> None:
        """Give our word for what we lead and take what is free."""
        try:
            now = self._clock.now()
            found = self._store.lead([self._self, *self._names], now, LEASE_SECONDS, owner=self._owner, token=self._token)
            self._until = now + timedelta(seconds=LEASE_SECONDS)
        except TransientError:
            if not self._lapsed():
                return
            found = frozenset({self._self})  # whoever leads now, it is not us
        if self._self not in found:
            self.displaced = True
            _log.error("lead.displaced", owner=self._owner)
            found = frozenset()
        self._become(found - {self._self})

    def _become(self, held: frozenset[str]) -> None:
        if held == self.held:
            return
        if held - self.held:
            _log.info("lead.taken", owner=self._owner, channels=sorted(held - self.held))
        if self.held - held:
            _log.warning("lead.lost", owner=self._owner, channels=sorted(self.held - held))
        self.held = held
        self._changed(held)

    def _lapsed(self) -> bool:
        """Whether our word is too old; a clock that cannot be read tells nothing."""
        try:
            return self._until is None or self._clock.now() >= self._until
        except TransientError:
            return False

    def _keep(self) -> None:
        while not self._stop.is_set():
            if not self._clock.wait(LOOK_SECONDS, self._stop) and not self.displaced:
                self.look()
