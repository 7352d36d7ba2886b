"""Writing only while what is in hand is surely ours.

Must not know what is written. Its one invariant: nothing is sent to the org while the lease on the work has less time left
than a request may take; the lease is lengthened before, and work that is in other hands meanwhile is not written at all.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from connector.errors import ConflictError
from connector.pipeline.ports import Context, Edit, OrgAccess, Record, Row
from connector.salesforce.client import Saved
from connector.store import DueMark, InboxRow

LEASE_SECONDS = 300.0
"""For so long work is claimed; a daemon that died has it for so long, unless it comes back under its name before."""
CLOCKS_DIFFER_SECONDS = 5.0
"""The clocks of two machines may differ by so much."""


class HeldOrg:
    """The org, for work claimed until ``until``. ``lengthen`` claims it for some seconds from a time on; False = it is not ours."""

    def __init__(
        self,
        context: Context,
        until: datetime,
        lengthen: Callable[[datetime, float], bool],
        *,
        request_seconds: float,
    ) -> None:
        self._org, self._clock = context.org, context.clock
        self._until, self._lengthen = until, lengthen
        self._needed = timedelta(seconds=request_seconds + CLOCKS_DIFFER_SECONDS)

    @property
    def calls(self) -> int:
        """Requests sent so far."""
        return self._org.calls

    def query_many(self, soqls: Sequence[str], *, all_rows: Sequence[bool] | bool = False) -> list[list[Record]]:
        """Whoever has the work may read."""
        return self._org.query_many(soqls, all_rows=all_rows)

    def write(self, inserts: Sequence[Row], updates: Sequence[Edit], *, serial: bool = False) -> tuple[list[Saved], list[Saved]]:
        """Write as long as the work is ours.

        Raises:
            ConflictError: somebody else has it; nothing was sent.

        """
        now = self._clock.now()
        if self._until - now < self._needed:
            seconds = lease_seconds(self._needed.total_seconds())
            if not self._lengthen(now, seconds):
                raise ConflictError("the lease ran out and the work is in other hands")
            self._until = now + timedelta(seconds=seconds)
        return self._org.write(inserts, updates, serial=serial)


def lease_seconds(request_seconds: float) -> float:
    """For how long to claim work, so that there is time left to write after reading."""
    return max(LEASE_SECONDS, 2 * (request_seconds + CLOCKS_DIFFER_SECONDS))


def holding(context: Context, marks: Sequence[DueMark], *, request_seconds: float) -> Context:
    """Give the context to treat leased payers with."""

    def lengthen(now: datetime, seconds: float) -> bool:
        return len(context.store.renew(marks, now, seconds)) == len(marks)

    until = min(mark.lease_until for mark in marks)
    return _with(context, HeldOrg(context, until, lengthen, request_seconds=request_seconds))


def holding_events(context: Context, rows: Sequence[InboxRow], until: datetime, owner: str, *, request_seconds: float) -> Context:
    """Give the context to place events with that ``owner`` claimed until ``until``."""
    ids = [row.id for row in rows if row.id is not None]

    def lengthen(now: datetime, seconds: float) -> bool:
        return context.store.renew_inbox(ids, now, seconds=seconds, owner=owner)

    return _with(context, HeldOrg(context, until, lengthen, request_seconds=request_seconds))


def holding_job(context: Context, name: str, owner: str, *, request_seconds: float) -> Context:
    """Give the context for a run of a job that ``owner`` has just begun."""

    def lengthen(now: datetime, seconds: float) -> bool:
        return context.store.job_kept(name, now, owner=owner, seconds=seconds)

    until = context.clock.now() + timedelta(seconds=LEASE_SECONDS)
    return _with(context, HeldOrg(context, until, lengthen, request_seconds=request_seconds))


def _with(context: Context, org: OrgAccess) -> Context:
    return replace(context, org=org)
