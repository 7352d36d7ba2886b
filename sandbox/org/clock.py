"""The org's time: real until it is set, frozen from then on until it is moved.

Must not sleep or schedule. Invariant: `now()` is an aware UTC datetime and never goes back by itself.
"""

from datetime import UTC, datetime, timedelta


class Clock:
    """What time it is in the sandbox. With a start it is frozen there; without one it runs in real time."""

    def __init__(self, start: datetime | None = None) -> None:
        self._frozen_at: datetime | None = None
        if start is not None:
            self.set(start)

    @property
    def frozen(self) -> bool:
        """Whether time stands still until it is moved."""
        return self._frozen_at is not None

    def now(self) -> datetime:
        """Tell the present moment, aware, in UTC."""
        return self._frozen_at if self._frozen_at is not None else datetime.now(UTC)

    def set(self, at: datetime) -> None:
        """Freeze time at a moment. Raises ValueError for a naive datetime."""
        if at.tzinfo is None:
            raise ValueError("the sandbox clock takes aware datetimes only")
        self._frozen_at = at.astimezone(UTC)

    def advance(self, seconds: float) -> None:
        """Move time by some seconds and keep it frozen there."""
        self.set(self.now() + timedelta(seconds=seconds))
