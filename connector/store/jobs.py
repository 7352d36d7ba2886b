"""The ledger of scheduled jobs: when each last began and ended, and who runs it now.

Must not know schedules. Its one invariant: of all processes that share the store, at most one that is alive
runs a job, and a run that was finished for a due time is not begun again for it.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from connector.store.database import insert_or
from connector.store.rows import JobEnd, JobRun, Lease
from connector.store.schema import EPOCH, jobs


def register(connection: Connection, name: str, at: datetime) -> JobRun:
    """Make the job known from ``at`` on, if it is not yet, and return what is known of it."""
    connection.execute(insert_or(connection, jobs).values(name=name, registered_at=at, tries=0).on_conflict_do_nothing())
    found = last_run(connection, name)
    if found is None:
        raise LookupError(name)
    return found


def last_run(connection: Connection, name: str) -> JobRun | None:
    """Return what is known of the job; None = it was never registered."""
    row = connection.execute(select(jobs).where(jobs.c.name == name)).one_or_none()
    return None if row is None else JobRun(**row._asdict())


def start(connection: Connection, name: str, now: datetime, lease: Lease, due_at: datetime | None) -> bool:
    """Begin a run under ``lease``; False = somebody runs it, or ran it for ``due_at``."""
    register(connection, name, now)
    free_now = or_(jobs.c.lease_until.is_(None), jobs.c.lease_until <= now)
    condition = and_(jobs.c.name == name, free_now)
    if due_at is not None:
        condition = and_(condition, or_(jobs.c.started_at.is_(None), jobs.c.finished_at.is_(None), jobs.c.started_at < due_at))
    values = {
        "started_at": now,
        "finished_at": None,
        "ok": None,
        "error": None,
        "owner": lease.owner,
        "lease_until": lease.until,
        "tries": jobs.c.tries + 1,
        "retry_at": None,
    }
    return connection.execute(update(jobs).where(condition).values(values)).rowcount == 1


def keep(connection: Connection, name: str, lease: Lease) -> bool:
    """Report a run alive for longer; False = it is not ours any more."""
    return connection.execute(update(jobs).where(_running(name, lease.owner)).values(lease_until=lease.until)).rowcount == 1


def finish(connection: Connection, name: str, owner: str, end: JobEnd) -> None:
    """End a run; one that somebody else took over meanwhile is left alone."""
    values = {
        "finished_at": end.at,
        "ok": end.error is None,
        "error": end.error,
        "lease_until": None,
        "retry_at": end.retry_at,
        "tries": 0 if end.retry_at is None else jobs.c.tries,
    }
    connection.execute(update(jobs).where(_running(name, owner)).values(values))


def free(connection: Connection, owner: str) -> int:
    """Let every run of ``owner`` count as interrupted; returns how many."""
    ours = and_(jobs.c.owner == owner, jobs.c.finished_at.is_(None), jobs.c.lease_until > EPOCH)
    return connection.execute(update(jobs).where(ours).values(lease_until=EPOCH)).rowcount


def _running(name: str, owner: str) -> ColumnElement[bool]:
    return and_(jobs.c.name == name, jobs.c.owner == owner, jobs.c.started_at.is_not(None), jobs.c.finished_at.is_(None))
