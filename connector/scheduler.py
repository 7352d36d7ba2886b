"""Runs the jobs when they are due by our clock, each once, also after a stop that lasted over its time.

APScheduler brings the threads, the ticks and the reading of crontab lines; which run is due is told by the
clock (which may be a sandbox's) and by the ledger in the store. Must not know what a job does. Its one
invariant: however many times a job was missed, and whichever process looks, it is caught up by one run.
"""

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, Protocol, TypeVar

from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from connector import log
from connector.clock import Clock
from connector.errors import ConfigError, DunwellError, TransientError
from connector.store import OWNER, JobRun, Store

LEASE_SECONDS = 300.0
"""A run that is not kept alive for so long counts as dead; a living one is kept alive from each tick."""
MOST_INTERRUPTIONS = 3
"""A job that took its process down so often waits for its next scheduled time."""
MOST_TRIES = 8
"""A job that is tried again after passing troubles waits 1, 2, 4 ... 30 minutes, so often at most."""
_LONGEST_WAIT_SECONDS = 1800.0

_log = log.get("scheduler")
_Context = TypeVar("_Context", contravariant=True)  # noqa: PLC0105 the word stands in documentation, not in names


class Job(Protocol[_Context]):
    """One module of ``jobs/``: its name, its crontab line in the creditor's time zone, and its work.

    ``run`` raises TransientError when trying again soon helps (a stop included), other DunwellErrors when not.
    """

    @property
    def NAME(self) -> str:  # noqa: N802 a constant of its module
        """What the job is called in the ledger and the log."""
        ...

    @property
    def SCHEDULE(self) -> str:  # noqa: N802 a constant of its module
        """Minute, hour, day, month and weekday, as in crontab(5); weekdays by name."""
        ...

    def run(self, context: _Context) -> None:
        """Do the work, from its beginning to its end, on the calling thread."""
        ...


@dataclass(frozen=True, slots=True)
class _Planned(Generic[_Context]):
    job: Job[_Context]
    trigger: CronTrigger

    def next_after(self, at: datetime) -> datetime:
        following: datetime = self.trigger.get_next_fire_time(at, at)
        return following.astimezone(UTC)


class Scheduler(Generic[_Context]):
    """The jobs of one process.

    ``time_zone`` is the creditor's (IANA). Raises ConfigError naming every schedule that cannot be read.
    """

    def __init__(  # noqa: PLR0913 what it runs, what it hands on, what it looks at
        self,
        jobs: Sequence[Job[_Context]],
        context: _Context,
        *,
        store: Store,
        clock: Clock,
        time_zone: str,
        owner: str = OWNER,
        tick_seconds: float = 1.0,
    ) -> None:
        self._context = context
        self._store = store
        self._clock = clock
        self._owner = owner
        self._tick_seconds = tick_seconds
        self._planned = _plan(jobs, time_zone)
        self._running: dict[str, datetime] = {}
        self._told: set[tuple[str, str, datetime]] = set()
        self._postponed: set[str] = set()
        """Jobs that wait for better times; said once until they end well."""
        self._idle = threading.Condition()
        self._background = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(len(self._planned) + 1)},
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
            timezone=UTC,
            logger=_quiet_logger(),
        )
        self._background.add_listener(self._raised, EVENT_JOB_ERROR)

    def start(self) -> None:
        """Begin to look, in threads of its own; runs that died with an earlier process of this owner are begun again."""
        self._store.recover_jobs(self._owner)
        self._register()
        for planned in self._planned.values():
            self._background.add_job(self._look, IntervalTrigger(seconds=self._tick_seconds), args=[planned], id=planned.job.NAME)
        self._background.add_job(self.keep_alive, IntervalTrigger(seconds=self._tick_seconds), id="keep alive")
        self._background.start()

    def stop(self, timeout_seconds: float) -> bool:
        """Begin nothing more and wait for what runs; False = something still ran when the time was over."""
        if self._background.running:
            self._background.pause()
            self._background.shutdown(wait=False)
        deadline = time.monotonic() + timeout_seconds
        with self._idle:
            return self._idle.wait_for(lambda: not self._running, max(0.0, deadline - time.monotonic()))

    def look(self) -> None:
        """Look once at every job and run what is due, on the calling thread."""
        self._register()
        for planned in self._planned.values():
            self._look(planned)

    def run(self, name: str) -> bool:
        """Run a job now, due or not; False = somebody runs it already. Raises what the job raises."""
        planned = self._planned[name]
        return self._run(planned.job, due_at=None)

    def next_runs(self) -> dict[str, datetime]:
        """Return when each job comes next, by name; a time that has passed means as soon as possible."""
        found = {}
        for name, planned in self._planned.items():
            run = self._store.job_last_run(name)
            found[name] = planned.next_after(self._clock.now()) if run is None else self._due_at(planned, run)
        return found

    def keep_alive(self) -> None:
        """Report the runs of this process alive; done at each tick, and at the next one where clock or store do not answer."""
        with suppress(TransientError):
            now = self._clock.now()
            with self._idle:
                old = [name for name, kept_at in self._running.items() if (now - kept_at).total_seconds() >= LEASE_SECONDS / 3]
            for name in old:
                self._store.job_kept(name, now, owner=self._owner, seconds=LEASE_SECONDS)
                with self._idle:
                    if name in self._running:
                        self._running[name] = now

    def _register(self) -> None:
        now = self._clock.now()
        for name in self._planned:
            self._store.register_job(name, now)

    def _look(self, planned: _Planned[_Context]) -> None:
        """Run the job if it is due: passing trouble of clock or store is left to the next tick."""
        name = planned.job.NAME
        try:
            now = self._clock.now()
            run = self._store.register_job(name, now)
            due_at = self._due_at(planned, run)
        except TransientError:
            return
        if due_at > now:
            return
        if run.running(now):
            if name not in self._running and self._first_time("skipped", name, due_at):
                _log.warning("job.skipped", job=name, due=due_at, owner=run.owner)
            return
        try:
            self._run(planned.job, due_at=due_at)
        except DunwellError:
            return  # told by _run; a store that was busy is asked again at the next tick

    def _due_at(self, planned: _Planned[_Context], run: JobRun) -> datetime:
        """When the job is to run: after its last start by its schedule; at once if that run was interrupted."""
        scheduled = planned.next_after(run.started_at or run.registered_at)
        if run.started_at is None or run.running(self._clock.now()):
            return scheduled
        if run.finished_at is not None:
            return scheduled if run.retry_at is None else min(scheduled, run.retry_at)
        if run.tries < MOST_INTERRUPTIONS:
            return run.started_at
        if self._first_time("interrupted", run.name, run.started_at):
            _log.error("job.failed", job=run.name, reason="interrupted", attempts=run.tries, next_at=scheduled)
        return scheduled

    def _run(self, job: Job[_Context], due_at: datetime | None) -> bool:
        name, started_at = job.NAME, self._clock.now()
        if not self._store.job_started(name, started_at, owner=self._owner, seconds=LEASE_SECONDS, due_at=due_at):
            return False
        with self._idle:
            self._running[name] = started_at
        _log.info("job.started", job=name, due=due_at)
        error: str | None = "unexpected error"
        retry_at: datetime | None = None
        began = time.monotonic()
        try:
            job.run(self._context)
            error = None
            self._postponed.discard(name)
            _log.info("job.finished", job=name, seconds=time.monotonic() - began)
        except DunwellError as raised:
            error = str(raised)
            retry_at = self._retry_at(name, raised)
            if retry_at is None:
                _log.error("job.failed", job=name, **log.fault(raised))
            elif name not in self._postponed:
                self._postponed.add(name)
                _log.warning("job.postponed", job=name, next_at=retry_at, **log.fault(raised))
            raise
        finally:
            try:
                self._store.job_finished(name, self._clock.now(), owner=self._owner, error=error, retry_at=retry_at)
            finally:
                with self._idle:
                    self._running.pop(name, None)
                    self._idle.notify_all()
        return True

    def _retry_at(self, name: str, error: DunwellError) -> datetime | None:
        """When waiting helps: as long as the error says, else twice as long from try to try."""
        run = self._store.job_last_run(name)
        if not isinstance(error, TransientError) or run is None or run.tries >= MOST_TRIES:
            return None
        seconds = error.retry_after if error.retry_after is not None else min(60.0 * 2 ** (run.tries - 1), _LONGEST_WAIT_SECONDS)
        return self._clock.now() + timedelta(seconds=seconds)

    def _first_time(self, what: str, name: str, at: datetime) -> bool:
        told = (what, name, at)
        if told in self._told:
            return False
        self._told.add(told)
        return True

    def _raised(self, event: JobExecutionEvent) -> None:
        """Tell of what nobody foresaw; the ledger has it already and the job comes again at its time."""
        _log.error("job.failed", job=event.job_id, **log.fault(event.exception))


def _plan(jobs: Sequence[Job[_Context]], time_zone: str) -> dict[str, _Planned[_Context]]:
    planned: dict[str, _Planned[_Context]] = {}
    problems: list[str] = []
    for job in jobs:
        if job.NAME in planned:
            problems.append(f"job {job.NAME}: two jobs have this name")
        weekday = job.SCHEDULE.split()[4:5]
        if weekday and any(letter.isdigit() for letter in weekday[0]):
            # crontab(5) counts from Sunday, APScheduler from Monday: a number would be a day off for somebody
            problems.append(f"job {job.NAME}: schedule {job.SCHEDULE!r}: write weekdays as names: mon, tue, ... sun")
            continue
        try:
            planned[job.NAME] = _Planned(job, CronTrigger.from_crontab(job.SCHEDULE, timezone=time_zone))
        except (ValueError, LookupError) as error:
            problems.append(f"job {job.NAME}: schedule {job.SCHEDULE!r} in time zone {time_zone!r} cannot be read: {error}")
    if problems:
        raise ConfigError(problems)
    return planned


def _quiet_logger() -> logging.Logger:
    """APScheduler's own words: only its errors; that it looks each second is no news."""
    logger = logging.getLogger("apscheduler")
    logger.setLevel(logging.ERROR)
    return logger
