"""How long to wait before the next try: pure numbers.

Must not sleep, draw random numbers or count. Invariant: a delay is never longer than ``limit_seconds``.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double. ``jitter`` is the share of a wait that chance may take away, so that many daemons do not return as one."""

    first_seconds: float = 0.2
    limit_seconds: float = 60.0
    factor: float = 2.0
    jitter: float = 0.5

    def delay(self, attempt: int, chance: float) -> float:
        """Return seconds to wait after failure number ``attempt`` (0 is the first); ``chance`` is in [0, 1)."""
        grown: float = self.first_seconds
        for _ in range(attempt):
            grown *= self.factor
            if grown >= self.limit_seconds:
                break
        return min(grown, self.limit_seconds) * (1 - self.jitter * chance)


SHORT = Backoff()
"""For what heals by itself in moments: a dropped connection, a forgotten session, an expired token."""

LONG = Backoff(first_seconds=60.0, limit_seconds=3600.0)
"""For what seconds do not change: a daily limit, a missing permission, refused credentials."""
