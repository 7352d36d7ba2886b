"""Every error Dunwell raises on purpose, told apart by who must act.

    DunwellError
    ├── ConfigError      an admin must act; carries all problems at once
    ├── TransientError   waiting helps; carries how long, where known
    ├── ConflictError    the record moved under us; load and decide again
    └── PermanentError   retrying never helps; the payer is parked with the reason

Errors of libraries are wrapped where they enter (``salesforce/``, ``store/``), with the cause kept.
Messages are read by people: they say where and what to do, and never hold a secret, a name or a path.
"""

from collections.abc import Sequence


class DunwellError(Exception):
    """Root of all errors raised on purpose."""


class ConfigError(DunwellError):
    """The configuration is wrong. ``problems`` lists every fault found, each one line for an admin."""

    def __init__(self, problems: Sequence[str] | str) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class TransientError(DunwellError):
    """Waiting helps. ``retry_after`` is in seconds; None when nobody said how long."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class ConflictError(DunwellError):
    """A record changed between our read and our write; the payer is loaded and decided again."""


class PermanentError(DunwellError):
    """Retrying never helps; what it concerns is parked with this message as the reason."""
