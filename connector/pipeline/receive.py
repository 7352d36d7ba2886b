"""Receive, first half: an event is written down, durably, before its cursor moves.

Must not talk to the org or look into a payload beyond telling a change from an outcome. Invariant: events and
cursor go into the store in one transaction; what arrives twice is kept once.
"""

import json
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

from connector.log import get
from connector.salesforce.events import Event
from connector.store import InboxRow, Store

log = get("dunwell.receive")


class Inbox:
    """The stream's sink over the store. Called on the stream's thread; wakes the worker."""

    def __init__(self, store: Store, now: Callable[[], datetime], wake: threading.Event, on_gap: Callable[[str], None]) -> None:
        self._store, self._now, self._wake, self._on_gap = store, now, wake, on_gap
        self.received = 0
        """Events taken over since start, those known already included."""

    def cursor(self, channel: str) -> int | None:
        """Return how far ``channel`` was read."""
        return self._store.cursor(channel)

    def receive(self, channel: str, events: Sequence[Event], cursor: int) -> None:
        """Keep ``events`` and move the cursor, both or neither."""
        now = self._now()
        rows = [InboxRow(channel, one.replay_id, one.event_uuid, _body(one), now) for one in events]
        added = self._store.accept(channel, rows, cursor)
        self.received += len(rows)
        if rows:
            log.info("event.received", channel=channel, count=len(rows), duplicates=len(rows) - added)
            self._wake.set()

    def gap(self, channel: str) -> None:
        """Events were lost for good: poll from the last known time, and read again all that is still kept."""
        self._on_gap(channel)


def _body(event: Event) -> str:
    if event.change is not None:
        return json.dumps({"entity": event.change.entity, "ids": list(event.change.record_ids), "kind": event.change.kind})
    return json.dumps(dict(event.payload), default=_number)


def _number(value: object) -> object:
    """Write a Decimal as text: digits must not pass through a float."""
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else None
    raise TypeError(f"{type(value).__name__} does not belong in an event")
