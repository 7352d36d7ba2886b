"""What goes into the store and comes out of it: plain frozen data.

Must not know SQL. Its one invariant: every ``_at`` and ``until`` is an aware datetime; bodies are text that
the caller made and the caller reads.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One event that must be written down because it says something no record does.

    ``id`` is None until stored. The same event is known again by its ``event_uuid`` or, without one, by
    channel and replay id (unique per org and channel: Salesforce Streaming API guide).
    """

    channel: str
    replay_id: int
    event_uuid: str | None
    body: str
    received_at: datetime
    id: int | None = None
    attempts: int = 0
    error: str | None = None

    @property
    def identity(self) -> str:
        """What makes it the same event when it is delivered again."""
        return self.event_uuid or f"{self.channel}:{self.replay_id}"


@dataclass(frozen=True, slots=True)
class Look:
    """A wish: look at this payer at this time, because."""

    payer: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class DueMark:
    """A payer in hand: leased by ``token`` until ``lease_until``. ``attempts`` failed before this one."""

    payer: str
    seq: int
    attempts: int
    why: str
    due_at: datetime
    token: str
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class Treated:
    """A leased payer that is done with; ``next_at`` is when to look again, None = when something happens."""

    mark: DueMark
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ParkedPayer:
    """A payer put aside until somebody unparks it or something new happens to it."""

    payer: str
    parked_at: datetime
    attempts: int
    error: str


@dataclass(frozen=True, slots=True)
class LoggedDecision:
    """A copy of one decision, for ``dunwell replay`` and for finding out later; the org holds the original. ``id`` None until stored."""

    payer: str
    at: datetime
    policy: str
    policy_version: str
    body: str
    basis: bytes | None = None
    """What it rested on, in a form the caller made and the caller reads."""
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How much work there is. Leased payers are counted as ``leased`` only."""

    due_now: int
    later: int
    leased: int
    inbox: int
    """Events waiting to be worked, in hand ones included."""
    parked: int
    """Payers put aside."""
    parked_events: int
    oldest_due_at: datetime | None
    """Since when the oldest payer waits that is due now or in hand; None = nobody waits."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Who runs something, and until when it counts as alive without being kept alive."""

    owner: str
    until: datetime


@dataclass(frozen=True, slots=True)
class JobEnd:
    """How a run ended: well when ``error`` is None; tried again at ``retry_at`` when that is set."""

    at: datetime
    error: str | None = None
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class JobRun:
    """The last run of a scheduled job. ``finished_at`` None with ``started_at`` set: running, or interrupted."""

    name: str
    registered_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    ok: bool | None
    error: str | None
    owner: str | None
    lease_until: datetime | None
    tries: int
    """Starts since the last end that needs no retry: more than one means failures or interruptions."""
    retry_at: datetime | None = None
    """When a failed run is to be tried again; None = when its schedule says so."""

    def running(self, now: datetime) -> bool:
        """Whether somebody runs it now: it began, did not end, and is still reported alive."""
        return self.started_at is not None and self.finished_at is None and self.lease_until is not None and self.lease_until > now


@dataclass(frozen=True, slots=True)
class Pruned:
    """What ``prune`` removed."""

    decisions: int
    events: int
