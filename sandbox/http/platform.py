"""What a REST request can reach: the org, and the state of its HTTP front.

A bundle, no behaviour beyond query cursors. Its invariant: a cursor answers the same rows in the same order until it
expires (two days of org time, C.4).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.faults import Faults
from sandbox.options import Options
from sandbox.org.org import Org
from sandbox.org.types import Record
from sandbox.usage import Usage

CURSOR_LIFE = timedelta(days=2)
CURSORS_KEPT = 200


@dataclass(frozen=True, slots=True)
class Cursor:
    """The rows of one query whose pages are still being read."""

    records: list[Record]
    user_id: str
    opened_at: datetime


class Cursors:
    """Open query cursors by id. The oldest goes when too many are open."""

    def __init__(self) -> None:
        self._open: dict[str, Cursor] = {}
        self._count = 0

    def open(self, records: list[Record], user_id: str, now: datetime) -> str:
        """Keep rows for later pages; returns the cursor's id (prefix 01g)."""
        self._count += 1
        cursor_id = f"01gSb{self._count:010d}AAA"
        self._open[cursor_id] = Cursor(records, user_id, now)
        while len(self._open) > CURSORS_KEPT:
            del self._open[next(iter(self._open))]
        return cursor_id

    def get(self, cursor_id: str, user_id: str, now: datetime) -> Cursor | None:
        """The cursor, or None when unknown, somebody else's or older than two days."""
        cursor = self._open.get(cursor_id)
        if cursor is None or cursor.user_id != user_id or now - cursor.opened_at >= CURSOR_LIFE:
            return None
        return cursor


@dataclass(slots=True)
class Platform:
    """Everything the handlers of one org share. ``instance_url`` is known once the port is."""

    org: Org
    options: Options = field(default_factory=Options)
    faults: Faults = field(default_factory=Faults)
    usage: Usage = field(default_factory=Usage)
    cursors: Cursors = field(default_factory=Cursors)
    instance_url: str = ""

    def used_calls(self) -> int:
        """REST calls of the last 24 hours of org time."""
        return self.usage.calls.last_day(self.org.clock.now())

    def used_deliveries(self) -> int:
        """Events delivered in the last 24 hours of org time."""
        return self.usage.deliveries.last_day(self.org.clock.now())
