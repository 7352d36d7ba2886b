"""The circuit breaker: an outage of one processor is not ten thousand debtors.

Must not know payers. Invariant: it trips only against a history: where nothing is known of earlier days it never does, so a
new processor or a new org is not taken for an outage.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

HISTORY_DAYS = 35
"""Days looked back on: a monthly collection and its returns lie in them, so that a collection day is nothing unusual."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """When failures of one processor are too many to be the payers'. Both must hold."""

    least: int = 200
    """Failures in a day below which nobody speaks of an outage."""
    times_worst: float = 5.0
    """How many times the worst day of the last five weeks."""


@dataclass(frozen=True, slots=True)
class DailyFailures:
    """Failures of one processor on one day of the creditor's calendar."""

    processor: str
    on: date
    failures: int


def outages(counts: Iterable[DailyFailures], today: date, breaker: Breaker) -> frozenset[str]:
    """Give the processors whose failures of today or yesterday jumped beyond ``breaker``."""
    days: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for one in counts:
        days[one.processor][one.on] += one.failures
    return frozenset(
        name for name, by_day in days.items() if any(_jumped(by_day, today - timedelta(days=back), breaker) for back in (0, 1))
    )


def _jumped(by_day: dict[date, int], on: date, breaker: Breaker) -> bool:
    before = [count for day, count in by_day.items() if on - timedelta(days=HISTORY_DAYS) <= day < on and count]
    return bool(before) and by_day.get(on, 0) >= max(breaker.least, breaker.times_worst * max(before))
