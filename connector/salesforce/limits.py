"""The org's API allowance: how much is used, and how much is left to everybody else.

Must not call the org. Invariant: once usage is seen inside the reserve, no call is made until ``HOLD_SECONDS`` have
passed; then calls are let through, whose replies say where usage stands now.
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from connector import log
from connector.errors import TransientError
from connector.salesforce.failures import TOTAL_LIMIT_SECONDS

HOLD_SECONDS = 300.0
_LOG = log.get("salesforce")
_USAGE = re.compile(r"api-usage=(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls made and allowed in the rolling 24 hours."""

    used: int
    allowed: int

    @property
    def left_percent(self) -> float:
        """0 to 100."""
        return max(0.0, 100.0 * (self.allowed - self.used) / self.allowed) if self.allowed else 0.0


def usage_from(header: str) -> Usage | None:
    """From ``Sforce-Limit-Info`` (salesforce.md C.8): the tighter of the org's and the app's own allowance; None if neither is there."""
    found = [Usage(int(used), int(allowed)) for used, allowed in _USAGE.findall(header)]
    return min(found, key=lambda usage: usage.left_percent) if found else None


class ApiBudget:
    """Leaves ``reserve_percent`` of the allowance to the org's other integrations. Shared by all threads."""

    def __init__(self, reserve_percent: float = 20.0, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._reserve_percent = reserve_percent
        self._now = now
        self._lock = threading.Lock()
        self._usage: Usage | None = None
        self._held_until: datetime | None = None

    @property
    def usage(self) -> Usage | None:
        """As last seen in a reply; None before the first."""
        with self._lock:
            return self._usage

    def note(self, header: str | None) -> None:
        """Take in the ``Sforce-Limit-Info`` of a reply."""
        usage = usage_from(header) if header else None
        if usage is None:
            return
        with self._lock:
            self._usage = usage
            short = usage.left_percent < self._reserve_percent
            was_held = self._held_until is not None
            self._held_until = self._now() + timedelta(seconds=HOLD_SECONDS) if short else None
        if short and not was_held:
            _LOG.warning("budget.exhausted", calls_left=usage.allowed - usage.used, calls_max=usage.allowed, retry_after=HOLD_SECONDS)
        elif was_held and not short:
            _LOG.info("budget.recovered", calls_left=usage.allowed - usage.used, calls_max=usage.allowed)

    def exhausted(self) -> None:
        """The org said the allowance is used up."""
        with self._lock:
            was_held = self._held_until is not None
            self._held_until = self._now() + timedelta(seconds=TOTAL_LIMIT_SECONDS)
        if not was_held:
            _LOG.warning("budget.exhausted", calls_left=0, retry_after=TOTAL_LIMIT_SECONDS)

    def allow(self) -> None:
        """Raises TransientError, with the seconds to wait, while calls are held back."""
        with self._lock:
            left = (self._held_until - self._now()).total_seconds() if self._held_until else 0.0
        if left > 0:
            raise TransientError("the rest of the org's daily API allowance is left to others", left)
