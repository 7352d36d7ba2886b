"""What the pipeline needs of the org and of its wiring, as narrow protocols and values.

Must not implement anything. Invariant: nothing here names a library of the outside world.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from threading import Event
from typing import Protocol, TypeVar

from connector.clock import Clock
from connector.core.frames import Snapshot
from connector.core.policy import Policy
from connector.core.reasons import Catalogue
from connector.core.reconciliation import Reconciliation
from connector.mapping.org import Mapping as OrgMapping
from connector.mapping.templates import Templates
from connector.pipeline.judgement import Judgement, Terms
from connector.salesforce.bulk_query import Asked, Page
from connector.salesforce.client import Saved
from connector.store import Store

Parsed = TypeVar("Parsed")
Record = Mapping[str, object]
Row = tuple[str, Mapping[str, object]]
"""Object and fields of a record to insert."""
Edit = tuple[str, str, Mapping[str, object]]
"""Object, id and fields of a record to update."""


class OrgAccess(Protocol):
    """The org, as the pipeline sees it (``salesforce.client.Org`` in life)."""

    @property
    def calls(self) -> int:
        """Requests sent so far."""
        ...

    def query_many(self, soqls: Sequence[str], *, all_rows: Sequence[bool] | bool = False) -> list[list[Record]]:
        """The rows of each query, in as few calls as the platform allows."""
        ...

    def write(
        self, inserts: Sequence[Row], updates: Sequence[Edit], *, serial: bool = False, before: Callable[[], None] = lambda: None
    ) -> tuple[list[Saved], list[Saved]]:
        """Insert and update; the outcome of each, in order. ``before`` is called ahead of each request; what it raises ends the write there."""
        ...


class BulkAccess(OrgAccess, Protocol):
    """The org, for many records at once (``salesforce.bulk_org.BulkOrg`` in life)."""

    pulse: Callable[[], None]
    """Called now and then while a job is waited for."""

    def record_counts(self, sobjects: Sequence[str]) -> dict[str, int]:
        """About how many records there are."""
        ...

    def download(self, asked: Sequence[Asked], parse: Callable[[int, Page], Parsed]) -> list[list[Parsed]]:
        """What ``parse`` makes of every page of every query."""
        ...

    def settle(self) -> int:
        """See to it that no job of a dead process is still writing."""
        ...


@dataclass(frozen=True, slots=True)
class Allowance:
    """What passes over everyone may use."""

    opens: time | None = None
    """They work from then, in the creditor's time zone, ..."""
    closes: time | None = None
    """... until then; None = at any hour."""
    calls: Callable[[], int | None] = lambda: None
    """API calls one pass may make; None = as many as it needs."""


class Judges(Protocol):
    """Other machines that assess and decide (``pipeline.cluster.Cluster`` in life)."""

    @property
    def slice_payers(self) -> int:
        """How many payers to a snapshot."""
        ...

    def check(self) -> None:
        """Make sure that they are there and judge as we would; raises ConfigError or TransientError."""
        ...

    def judge(
        self, snapshots: Iterable[Snapshot], terms: Terms, now: datetime, pulse: Callable[[], None]
    ) -> Generator[Judgement, None, None]:
        """The judgement of each snapshot, in order; ``pulse`` is called now and then meanwhile."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a pass works with."""

    org: OrgAccess
    store: Store
    mapping: OrgMapping
    policy: Policy
    catalogue: Catalogue
    templates: Templates
    clock: Clock
    roles: Callable[[], Mapping[str, str]]
    """Role → id of its queue or user in this org."""
    outages: Callable[[datetime], frozenset[str]] = lambda _: frozenset()
    """Processors whose failures have jumped."""
    stale: Callable[[datetime], bool] = lambda _: False
    """Whether payment data is older than allowed."""
    wake: Event = field(default_factory=Event)
    """Set when there may be work: events came in, payers were marked due."""
    shadow: bool = False
    keep_days: int = 90
    bulk: BulkAccess | None = None
    """For passes over everyone; None = all by REST."""
    judges: Judges | None = None
    """Who assesses and decides a pass in bulk; None = this process."""
    allowance: Allowance = field(default_factory=Allowance)
    report: Callable[[Reconciliation], None] = lambda _: None
    """Makes a pass over everyone known outside the org."""
