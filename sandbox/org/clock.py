"""The org's time: real until it is set; from then on frozen until it is moved, or running at a speed of its own.

Must not sleep or schedule. Invariant: `now()` is an aware UTC datetime and never goes back by itself.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """Tells the time. Real until `set`; then it stands still there, or runs on at `speed` seconds a second."""

    def __init__(self, start: datetime | None = None, *, speed: float = 0.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._frozen_at: datetime | None = None
        self._since = 0.0
        self._speed = speed
        if start is not None:
            self.set(start)

    @property
    def frozen(self) -> bool:
        """Whether time stands still until it is moved."""
        return self._frozen_at is not None and not self._speed

    @property
    def speed(self) -> float:
        """How many seconds pass in one second of real time."""
        return 1.0 if self._frozen_at is None else self._speed

    def now(self) -> datetime:
        """Tell the present moment, aware, in UTC."""
        if self._frozen_at is None:
            return datetime.now(UTC)
        if not self._speed:
            return self._frozen_at
        return self._frozen_at + timedelta(seconds=(self._monotonic() - self._since) * self._speed)

    def set(self, at: datetime) -> None:
        """Move time to a moment; from there it stands still or runs on, as before. Raises ValueError for a naive datetime."""
        if at.tzinfo is None:
            raise ValueError("the sandbox clock takes aware datetimes only")
        self._frozen_at = at.astimezone(UTC)
        self._since = self._monotonic()

    def advance(self, seconds: float) -> None:
        """Move time by some seconds."""
        self.set(self.now() + timedelta(seconds=seconds))

    def run(self, speed: float) -> None:
        """Let time run at a speed from the present moment on; 0 freezes it. Raises ValueError for a negative speed."""
        if speed < 0:
            raise ValueError("time does not run backwards")
        self.set(self.now())
        self._speed = speed
