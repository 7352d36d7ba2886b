"""Writing only while what is in hand is surely ours.

Must not know what is written. Its one invariant: no request that writes is sent to the org, by REST or in bulk, while the lease on the
work has less time left than a request may take; the lease is lengthened before, and work that is in other hands meanwhile is not written.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from connector.clock import Clock
from connector.errors import ConflictError
from connector.pipeline.ports import BulkAccess, Context, Edit, OrgAccess, Record, Row
from connector.salesforce.bulk_query import Asked, Page
from connector.salesforce.client import Saved
from connector.store import DueMark, InboxRow

LEASE_SECONDS = 300.0
"""For so long work is claimed; a daemon that died has it for so long, unless it comes back under its name before."""
CLOCKS_DIFFER_SECONDS = 5.0
"""The clocks of two machines may differ by so much."""
_Parsed = TypeVar("_Parsed")


class Hold:
    """Work claimed until ``until``. ``lengthen`` claims it for some seconds from a time on; False = it is not ours."""

    def __init__(self, clock: Clock, until: datetime, lengthen: Callable[[datetime, float], bool], *, request_seconds: float) -> None:
        self._clock, self._until, self._lengthen = clock, until, lengthen
        self._needed = timedelta(seconds=request_seconds + CLOCKS_DIFFER_SECONDS)

    def sure(self) -> None:
        """See to it that the work is ours for as long as a request may take.

        Raises:
            ConflictError: somebody else has it.

        """
        now = self._clock.now()
        if self._until - now < self._needed:
            seconds = lease_seconds(self._needed.total_seconds())
            if not self._lengthen(now, seconds):
                raise ConflictError("the lease ran out and the work is in other hands")
            self._until = now + timedelta(seconds=seconds)


class HeldOrg:
    """The org, for work that ``hold`` claims."""

    def __init__(self, org: OrgAccess, hold: Hold) -> None:
        self._org, self._hold = org, hold

    @property
    def calls(self) -> int:
        """Requests sent so far."""
        return self._org.calls

    def query_many(self, soqls: Sequence[str], *, all_rows: Sequence[bool] | bool = False) -> list[list[Record]]:
        """Whoever has the work may read."""
        return self._org.query_many(soqls, all_rows=all_rows)

    def write(
        self, inserts: Sequence[Row], updates: Sequence[Edit], *, serial: bool = False, before: Callable[[], None] = lambda: None
    ) -> tuple[list[Saved], list[Saved]]:
        """Write as long as the work is ours, which is asked before each request.

        Raises:
            ConflictError: somebody else has it; nothing more was sent.

        """

        def ours() -> None:
            before()
            self._hold.sure()

        return self._org.write(inserts, updates, serial=serial, before=ours)


class HeldBulk(HeldOrg):
    """The org, for many records at once. While a job is waited for, which may take hours, the work is kept."""

    def __init__(self, bulk: BulkAccess, hold: Hold) -> None:
        super().__init__(bulk, hold)
        self._bulk = bulk
        self.pulse = lambda: None

    @property
    def pulse(self) -> Callable[[], None]:
        """Called now and then while a job is waited for."""
        return self._bulk.pulse

    @pulse.setter
    def pulse(self, told: Callable[[], None]) -> None:
        def beat() -> None:
            told()
            self._hold.sure()

        self._bulk.pulse = beat

    def record_counts(self, sobjects: Sequence[str]) -> dict[str, int]:
        """About how many records there are."""
        return self._bulk.record_counts(sobjects)

    def download(self, asked: Sequence[Asked], parse: Callable[[int, Page], _Parsed]) -> list[list[_Parsed]]:
        """What ``parse`` makes of every page of every query."""
        return self._bulk.download(asked, parse)

    def settle(self) -> int:
        """See to it that no job of a dead process is still writing."""
        return self._bulk.settle()


def lease_seconds(request_seconds: float) -> float:
    """For how long to claim work, so that there is time left to write after reading."""
    return max(LEASE_SECONDS, 2 * (request_seconds + CLOCKS_DIFFER_SECONDS))


def holding(context: Context, marks: Sequence[DueMark], *, request_seconds: float) -> Context:
    """Give the context to treat leased payers with."""

    def lengthen(now: datetime, seconds: float) -> bool:
        return len(context.store.renew(marks, now, seconds)) == len(marks)

    until = min(mark.lease_until for mark in marks)
    return _held(context, Hold(context.clock, until, lengthen, request_seconds=request_seconds), None)


def holding_events(context: Context, rows: Sequence[InboxRow], until: datetime, owner: str, *, request_seconds: float) -> Context:
    """Give the context to place events with that ``owner`` claimed until ``until``."""
    ids = [row.id for row in rows if row.id is not None]

    def lengthen(now: datetime, seconds: float) -> bool:
        return context.store.renew_inbox(ids, now, seconds=seconds, owner=owner)

    return _held(context, Hold(context.clock, until, lengthen, request_seconds=request_seconds), None)


def holding_job(context: Context, name: str, owner: str, *, request_seconds: float) -> Context:
    """Give the context for a run of a job that ``owner`` has just begun."""

    def lengthen(now: datetime, seconds: float) -> bool:
        return context.store.job_kept(name, now, owner=owner, seconds=seconds)

    until = context.clock.now() + timedelta(seconds=LEASE_SECONDS)
    return _held(context, Hold(context.clock, until, lengthen, request_seconds=request_seconds), context.bulk)


def _held(context: Context, hold: Hold, bulk: BulkAccess | None) -> Context:
    """Put every way into the org that a context has behind ``hold``; only passes have one in bulk."""
    return replace(context, org=HeldOrg(context.org, hold), bulk=None if bulk is None else HeldBulk(bulk, hold))
