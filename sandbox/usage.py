"""What the org has served: rolling counters for limits, and plain statistics for tests and the demo.

It counts and answers; it refuses nothing itself. Its invariant: a REST request counts once, however many subrequests
it carries (C.6: a composite call is one API call).
"""

from collections import Counter, deque
from datetime import datetime, timedelta

DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)
_SLOTS = 96


class RollingCount:
    """A count over the last 24 hours (or another window) of org time, in 96 slots: a quarter of an hour each of a day."""

    def __init__(self, window: timedelta = DAY) -> None:
        self._window = window
        self._slot = window / _SLOTS
        self._slots: deque[tuple[datetime, int]] = deque()
        self._total = 0

    def add(self, at: datetime, amount: int = 1) -> None:
        """Count ``amount`` at a time; times may stand still or jump in either direction."""
        if self._slots and timedelta(0) <= at - self._slots[-1][0] < self._slot:
            started, had = self._slots[-1]
            self._slots[-1] = (started, had + amount)
        else:
            self._slots.append((at, amount))
        self._total += amount

    def recent(self, now: datetime) -> int:
        """How much was counted in the window before ``now``."""
        while self._slots and now - self._slots[0][0] >= self._window:
            self._total -= self._slots.popleft()[1]
        return self._total

    def set(self, at: datetime, amount: int) -> None:
        """Make the window's count ``amount``."""
        self._slots = deque([(at, amount)])
        self._total = amount


class Usage:
    """Counters of one org. ``calls``, ``deliveries`` and ``publications`` feed limits, the rest is for looking at."""

    def __init__(self) -> None:
        self.calls = RollingCount()
        self.deliveries = RollingCount()
        self.bulk_batches = RollingCount()
        self.bulk_queries = RollingCount()
        self.bulk_result_bytes = RollingCount()
        self.publications = RollingCount(HOUR)
        self.reset()

    def reset(self) -> None:
        """Start the statistics again; the 24-hour counters stay."""
        self.by_path: Counter[str] = Counter()
        self.by_status: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()

    def rest(self, method: str, parts: tuple[str, ...], at: datetime) -> None:
        """Count one REST request."""
        self.calls.add(at)
        self.counts["api_calls"] += 1
        self.by_path[f"{method} {label(parts)}"] += 1

    def snapshot(self) -> dict[str, object]:
        """The statistics as JSON: totals, then calls by path and by status."""
        names = (
            "api_calls",
            "subrequests",
            "token_calls",
            "records_written",
            "rows_read",
            "events_published",
            "events_delivered",
            "faults",
        )
        totals: dict[str, object] = {name: self.counts[name] for name in names}
        extra = {name: count for name, count in self.counts.items() if name not in totals}
        return totals | extra | {"by_path": dict(sorted(self.by_path.items())), "by_status": dict(sorted(self.by_status.items()))}


def label(parts: tuple[str, ...]) -> str:
    """A path without ids, keys and cursors: ``sobjects/Task/{id}``, ``query/{cursor}``."""
    match parts:
        case ("query" | "queryAll" as kind, _):
            return f"{kind}/{{cursor}}"
        case ("sobjects", sobject, "describe" | "deleted" | "updated" as what):
            return f"sobjects/{sobject}/{what}"
        case ("sobjects", sobject, _):
            return f"sobjects/{sobject}/{{id}}"
        case ("sobjects", sobject, field, *_):
            return f"sobjects/{sobject}/{field}/{{value}}"
        case ("jobs", kind, _, *rest):
            return "/".join(["jobs", kind, "{id}", *rest])
        case ("event", *_):
            return "event/eventSchema/{id}"
    return "/".join(parts)
