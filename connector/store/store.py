"""The daemon's own memory: due marks, events in hand, cursors, jobs and a copy of the decision log.

Must not hold what only it knows: delete it, and the next pass finds every payer in the org again. Its one
invariant: each public method is one transaction, done as a whole and on the disk when it returns, or not
done at all; so the process may be killed between any two of them.

Every method raises StoreAwayError when the database is busy or away for the moment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Engine, Select, delete, func, select

from connector.store import due, inbox, jobs, leads, schema
from connector.store.database import again, connect, insert_or, reading, transaction
from connector.store.rows import Counts, DueMark, InboxRow, JobEnd, JobRun, Lease, LoggedDecision, Look, ParkedPayer, Pruned, Treated

OWNER = "main"
"""Whose leases these are when nobody says: a daemon keeps its name over restarts, so that it frees its own."""


class Store:
    """One open store; may be used from any thread, but not carried over a fork: the child opens its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> Self:
        """Open or create the store at a SQLAlchemy URL; raises ConfigError when that cannot be."""
        return cls(connect(url))

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @again
    def recover(self, owner: str = OWNER) -> int:
        """Set free the payers and events ``owner`` held when it died; call once at start, before work. Returns how many."""
        with transaction(self._engine) as connection:
            return due.free(connection, owner) + inbox.free(connection, owner)

    # Receiving

    def cursor(self, channel: str) -> int | None:
        """Return the replay id up to which ``channel`` was taken over; None = from the beginning."""
        with reading(self._engine) as connection:
            return inbox.cursor(connection, channel)

    @again
    def accept(self, channel: str, rows: Sequence[InboxRow], replay_id: int, *, looks: Sequence[Look] = ()) -> int:
        """Write down events, make payers due and move the cursor, all or nothing; returns how many events were new."""
        with transaction(self._engine) as connection:
            added = inbox.add(connection, rows)
            due.mark(connection, looks)
            inbox.move_cursor(connection, channel, replay_id)
            return added

    def forget_cursor(self, channel: str) -> None:
        """Forget how far ``channel`` was read: the org does not know the replay id (any more)."""
        with transaction(self._engine) as connection:
            inbox.forget_cursor(connection, channel)

    @again
    def take_inbox(self, limit: int, now: datetime, *, seconds: float = 60.0, owner: str = OWNER) -> list[InboxRow]:
        """Claim waiting events, oldest first; unless settled, postponed or parked they come again after ``seconds``."""
        with transaction(self._engine) as connection:
            return inbox.take(connection, limit, now, seconds, owner)

    @again
    def settle_inbox(self, ids: Sequence[int], *, looks: Sequence[Look] = ()) -> None:
        """Finish events and make the payers they speak of due, all or nothing."""
        with transaction(self._engine) as connection:
            inbox.settle(connection, ids)
            due.mark(connection, looks)

    @again
    def renew_inbox(self, ids: Sequence[int], now: datetime, *, seconds: float, owner: str = OWNER) -> bool:
        """Keep claimed events for ``seconds`` from now; False = one of them is not ours any more."""
        with transaction(self._engine) as connection:
            return inbox.renew(connection, ids, Lease(owner, now + timedelta(seconds=seconds)))

    @again
    def postpone_inbox(self, ids: Sequence[int], until: datetime, error: str) -> None:
        """Try events again from ``until``. ``error`` is a word or sentence without personal data."""
        with transaction(self._engine) as connection:
            inbox.postpone(connection, ids, until, error)

    @again
    def park_inbox(self, ids: Sequence[int], error: str) -> None:
        """Put events aside that no retry can help."""
        with transaction(self._engine) as connection:
            inbox.park(connection, ids, error)

    def parked_inbox(self, limit: int = 100) -> list[InboxRow]:
        """Return events put aside, oldest first."""
        with reading(self._engine) as connection:
            return inbox.parked(connection, limit)

    @again
    def unpark_inbox(self, ids: Sequence[int] | None = None) -> int:
        """Let parked events wait again (None = all); returns how many."""
        with transaction(self._engine) as connection:
            return inbox.unpark(connection, ids)

    # Due marks

    def mark_due(self, payer_ids: Sequence[str], *, at: datetime, why: str) -> None:
        """Make payers due at ``at``: the earlier of two times wins; a parked payer is taken up again."""
        self.mark_looks([Look(payer, at, why) for payer in payer_ids])

    @again
    def mark_looks(self, looks: Sequence[Look]) -> None:
        """Make payers due, each at its own time, all or nothing."""
        with transaction(self._engine) as connection:
            due.mark(connection, looks)

    @again
    def lease_due(self, now: datetime, limit: int, seconds: float, owner: str = OWNER) -> list[DueMark]:
        """Claim due payers for ``seconds``, longest due first; no payer is in two hands at once."""
        with transaction(self._engine) as connection:
            return due.lease(connection, now, limit, seconds, owner)

    def release(self, mark: DueMark, *, next_at: datetime | None = None) -> bool:
        """Clear the mark, or set it to its next time; kept if the payer was marked anew. False = the lease was lost."""
        return mark.payer in self.finish([Treated(mark, next_at)])

    @again
    def finish(self, treated: Sequence[Treated], *, decisions: Sequence[LoggedDecision] = ()) -> set[str]:
        """Release a whole batch and log its decisions, all or nothing; returns the payers whose lease was still ours."""
        with transaction(self._engine) as connection:
            if decisions:
                connection.execute(schema.decisions.insert(), [_decision_row(decision) for decision in decisions])
            return due.finish(connection, treated)

    @again
    def postpone(self, marks: Sequence[DueMark], until: datetime, error: str) -> None:
        """Give marks back for a try at ``until``, one attempt more on each."""
        with transaction(self._engine) as connection:
            due.postpone(connection, marks, until, error)

    @again
    def park(self, marks: Sequence[DueMark], at: datetime, error: str) -> None:
        """Put payers aside that no retry can help; a new mark takes them up again."""
        with transaction(self._engine) as connection:
            due.park(connection, marks, at, error)

    def parked(self, limit: int = 100) -> list[ParkedPayer]:
        """Return payers put aside, longest first."""
        with reading(self._engine) as connection:
            return due.parked(connection, limit)

    @again
    def unpark(self, payer_ids: Sequence[str] | None, at: datetime) -> int:
        """Make parked payers due at ``at`` (None = all); returns how many."""
        with transaction(self._engine) as connection:
            return due.unpark(connection, payer_ids, at)

    @again
    def renew(self, marks: Sequence[DueMark], now: datetime, seconds: float) -> list[DueMark]:
        """Lengthen leases to ``seconds`` from now; returns those that are still ours, with their new end."""
        until = now + timedelta(seconds=seconds)
        with transaction(self._engine) as connection:
            ours = due.renew(connection, marks, until)
        return [replace(mark, lease_until=until) for mark in marks if mark.payer in ours]

    def lease_left(self, mark: DueMark, now: datetime) -> float:
        """Return the seconds for which the payer is surely ours; 0 = write nothing."""
        with reading(self._engine) as connection:
            until = due.lease_until(connection, mark)
        return 0.0 if until is None else max(0.0, (until - now).total_seconds())

    def due_counts(self, now: datetime) -> Counts:
        """Return how much work there is."""
        with reading(self._engine) as connection:
            due_now, later, leased, parked, oldest_due_at = due.counts(connection, now)
            states = select(schema.inbox.c.state, func.count()).where(schema.inbox.c.state != inbox.DONE).group_by(schema.inbox.c.state)
            events = {row[0]: row[1] for row in connection.execute(states)}
        return Counts(due_now, later, leased, events.get(inbox.WAITING, 0), parked, events.get(inbox.PARKED, 0), oldest_due_at)

    # The decision log

    def log_decision(self, decision: LoggedDecision) -> None:
        """Keep a copy of one decision."""
        self.finish([], decisions=[decision])

    def decisions(self, payer: str, limit: int = 20) -> list[LoggedDecision]:
        """Return the latest decisions about a payer, newest first."""
        table = schema.decisions.c
        wanted = _logged().where(table.payer == payer).order_by(table.at.desc(), table.id.desc()).limit(limit)
        with reading(self._engine) as connection:
            return [LoggedDecision(*row) for row in connection.execute(wanted)]

    def decisions_after(self, last: int = 0, payer: str | None = None, limit: int = 200) -> list[LoggedDecision]:
        """Return the next decisions behind the one with id ``last``, in the order they were made: of everybody, or of one payer."""
        table = schema.decisions.c
        wanted = _logged().where(table.id > last).order_by(table.id).limit(limit)
        with reading(self._engine) as connection:
            return [LoggedDecision(*row) for row in connection.execute(wanted if payer is None else wanted.where(table.payer == payer))]

    @again
    def prune(self, before: datetime) -> Pruned:
        """Remove decisions made and finished events received before.

        Keep at least four days: an event may be delivered again for 72 hours (Streaming API: retention of
        high-volume events), and only a finished event that is still here is known again.
        """
        with transaction(self._engine) as connection:
            removed = connection.execute(delete(schema.decisions).where(schema.decisions.c.at < before)).rowcount
            return Pruned(removed, inbox.prune(connection, before))

    # Jobs

    def register_job(self, name: str, at: datetime) -> JobRun:
        """Make a job known: a run is missed only if it was due after ``at``, the first time this was called."""
        with transaction(self._engine) as connection:
            return jobs.register(connection, name, at)

    def job_last_run(self, name: str) -> JobRun | None:
        """Return when the job last began and ended; None = it is unknown."""
        with reading(self._engine) as connection:
            return jobs.last_run(connection, name)

    def job_started(self, name: str, now: datetime, *, owner: str = OWNER, seconds: float = 600.0, due_at: datetime | None = None) -> bool:
        """Begin a run; False = another one is alive, or a run for ``due_at`` has ended already.

        A run counts as dead ``seconds`` after it began or was last kept alive.
        """
        with transaction(self._engine) as connection:
            return jobs.start(connection, name, now, Lease(owner, now + timedelta(seconds=seconds)), due_at)

    def job_kept(self, name: str, now: datetime, *, owner: str = OWNER, seconds: float = 600.0) -> bool:
        """Report a run alive for ``seconds`` more; False = another process took it over."""
        with transaction(self._engine) as connection:
            return jobs.keep(connection, name, Lease(owner, now + timedelta(seconds=seconds)))

    def job_finished(
        self, name: str, now: datetime, *, owner: str = OWNER, error: str | None = None, retry_at: datetime | None = None
    ) -> None:
        """End a run: well when ``error`` is None, to be tried again at ``retry_at`` when that is set."""
        with transaction(self._engine) as connection:
            jobs.finish(connection, name, owner, JobEnd(now, error, retry_at))

    def recover_jobs(self, owner: str = OWNER) -> int:
        """Let every unfinished run of ``owner`` count as interrupted; call once at start. Returns how many."""
        with transaction(self._engine) as connection:
            return jobs.free(connection, owner)

    # Which of several daemons listens to a channel

    @again
    def lead(self, names: Sequence[str], now: datetime, seconds: float, *, owner: str = OWNER, token: str = "") -> frozenset[str]:
        """Take or keep, for ``seconds``, what nobody else leads; returns what is ours. ``token`` is one process's own."""
        with transaction(self._engine) as connection:
            return leads.lead(connection, names, now, Lease(owner, now + timedelta(seconds=seconds)), token)

    def leave(self, owner: str = OWNER) -> int:
        """Give up all that ``owner`` leads, at its start and at its end; returns how many names."""
        with transaction(self._engine) as connection:
            return leads.leave(connection, owner)

    # Small texts by name: the org id, poll cursors, ids of bulk jobs under way

    def get_value(self, name: str) -> str | None:
        """Return the text kept under ``name``."""
        with reading(self._engine) as connection:
            return connection.execute(select(schema.texts.c.text).where(schema.texts.c.name == name)).scalar_one_or_none()

    def set_value(self, name: str, text: str) -> None:
        """Keep a text under ``name``."""
        with transaction(self._engine) as connection:
            statement = insert_or(connection, schema.texts).values(name=name, text=text)
            connection.execute(statement.on_conflict_do_update(index_elements=[schema.texts.c.name], set_={"text": text}))

    def keep_first(self, texts: Mapping[str, str]) -> None:
        """Keep each text under its name unless something is kept there already."""
        if not texts:
            return
        with transaction(self._engine) as connection:
            rows = [{"name": name, "text": text} for name, text in texts.items()]
            connection.execute(insert_or(connection, schema.texts).on_conflict_do_nothing(index_elements=[schema.texts.c.name]), rows)

    def values(self, prefix: str) -> dict[str, str]:
        """Return all texts whose name begins with ``prefix``."""
        table = schema.texts.c
        with reading(self._engine) as connection:
            found = connection.execute(
                select(table.name, table.text).where(table.name.startswith(prefix, autoescape=True)).order_by(table.name)
            )
            return {row[0]: row[1] for row in found}

    def forget_value(self, name: str) -> None:
        """Remove the text kept under ``name``."""
        with transaction(self._engine) as connection:
            connection.execute(delete(schema.texts).where(schema.texts.c.name == name))


def _logged() -> Select[*tuple[Any, ...]]:
    """Select decisions as ``LoggedDecision`` takes them."""
    table = schema.decisions.c
    return select(*(table.payer, table.at, table.policy, table.policy_version, table.body, table.basis, table.id))


def _decision_row(decision: LoggedDecision) -> dict[str, object]:
    return {
        "payer": decision.payer,
        "at": decision.at,
        "policy": decision.policy,
        "policy_version": decision.policy_version,
        "body": decision.body,
        "basis": decision.basis,
    }
