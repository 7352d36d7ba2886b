"""Wiring: settings → a context that the pipeline works with, and the daemon around it.

Must not decide anything of the business. Invariant: everything that is read from disk is checked before the
first call to an org, and the org is verified before the first write.
"""

import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import time, timedelta
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from connector.business import Business, folder_of, read_business
from connector.clock import Clock, LoopbackClock, SystemClock
from connector.core.reconciliation import Reconciliation
from connector.core.words import CodeSet
from connector.daemon import Daemon, Pace
from connector.errors import ConfigError, ConflictError, TransientError
from connector.log import get
from connector.mapping import own, queries, read
from connector.mapping.org import Mapping as OrgMapping
from connector.pipeline.freshness import Freshness
from connector.pipeline.leases import holding_job
from connector.pipeline.logbook import Replayed, replay_all
from connector.pipeline.outages import Outages
from connector.pipeline.parked import place_parked
from connector.pipeline.ports import Allowance, Context, Judges
from connector.pipeline.receive import Inbox
from connector.pipeline.treat import UNKNOWN_CODE
from connector.probes import Metrics, Probed
from connector.reloading import Reloading
from connector.report import KEEP, Folder
from connector.salesforce.auth import Credentials, TokenSource
from connector.salesforce.bulk_org import BulkOrg
from connector.salesforce.client import Org
from connector.salesforce.limits import ApiBudget
from connector.salesforce.poll import Poller, PollQuery
from connector.salesforce.stream import EventStream
from connector.scheduler import Scheduler
from connector.settings import Settings
from connector.store import OWNER, Store
from jobs import catch_up, due, prune, reconcile

log = get("dunwell.app")
JOBS: tuple[ModuleType, ...] = (reconcile, catch_up, due, prune)


def clock(settings: Settings) -> Clock:
    """Give the system's clock, or the one of a sandbox on this machine."""
    if not settings.clock_url:
        return SystemClock()
    log.info("clock.followed")
    return LoopbackClock(settings.clock_url)


def token_source(settings: Settings) -> TokenSource:
    """Credentials as the settings give them. Raises ConfigError where they cannot work."""
    return TokenSource(
        Credentials(
            login_url=settings.login_url,
            method=settings.auth,
            client_id=settings.client_id,
            client_secret=settings.client_secret.get_secret_value(),
            username=settings.username,
            key_file=settings.key_file,
            access_token=settings.access_token.get_secret_value(),
            instance_url=settings.instance_url,
        ),
        timeout=settings.request_timeout_seconds,
    )


def judges(settings: Settings) -> Judges | None:
    """Give the cluster that judges passes in bulk; None = this process does. Raises ConfigError where Dask is not installed."""
    if not settings.cluster:
        return None
    try:
        from connector.pipeline.cluster import Cluster  # noqa: PLC0415 - one machine needs no Dask installed
    except ImportError as error:
        raise ConfigError("DUNWELL_CLUSTER: Dask is not installed: pip install 'dunwell[cluster]'") from error
    return Cluster(settings.cluster)


def allowance(settings: Settings, org: Org) -> Allowance:
    """Give what passes over everyone may use."""
    opens, _, closes = settings.reconcile_hours.partition("-")

    def calls() -> int | None:
        usage = org.budget.usage
        return None if usage is None else usage.allowed * settings.reconcile_api_percent // 100

    if not closes:
        return Allowance(calls=calls)
    return Allowance(time.fromisoformat(opens), time.fromisoformat(closes), calls)


def reports(folder: Path, tokens: TokenSource, *, keep: int | None = None) -> Folder:
    """Give a folder for reports whose links lead to the org; ``keep`` None = all of them stay."""
    return Folder(folder, tokens.current().instance_url, keep=keep)


def reporting(settings: Settings, tokens: TokenSource) -> Callable[[Reconciliation], None]:
    """Give what is done with the report of every pass over everyone. Raises ConfigError where its folder is none."""
    folder = settings.reports_dir
    if folder is None:
        return lambda _: None
    if not folder.is_dir():
        raise ConfigError("DUNWELL_REPORTS_DIR: no such directory")

    def report(one: Reconciliation) -> None:
        reports(folder, tokens, keep=KEEP).write(one)

    return report


@dataclass(frozen=True, slots=True)
class App:
    """Everything wired: the org verified, the store open."""

    settings: Settings
    context: Context
    org: Org
    tokens: TokenSource
    store: Store
    clock: Clock
    current: Callable[[], Context]
    """The context with mapping, policies, templates and tables as the files have them now."""

    @property
    def owner(self) -> str:
        """Whose leases these are: the same after a restart, so that it frees its own, and nobody else's, so that it frees no other's."""
        settings = self.settings
        if settings.instance or settings.store_url.get_secret_value().startswith("sqlite"):
            return settings.instance or OWNER
        return f"{socket.gethostname()}:{settings.http_port or os.getpid()}"  # no two on one host listen on one port


@contextmanager
def opened(settings: Settings) -> Iterator[App]:
    """Wire everything and verify the org; closes what it opened.

    Raises:
        ConfigError: an admin must act.
        TransientError: the org does not answer.

    """
    ours, cluster = read_business(settings), judges(settings)
    our_clock = clock(settings)
    store = Store.open(settings.store_url.get_secret_value())
    tokens = token_source(settings)
    org = Org(
        tokens,
        api_version=settings.api_version,
        budget=ApiBudget(settings.api_reserve_percent, now=our_clock.now),
        timeout=settings.request_timeout_seconds,
    )
    try:
        _verify(settings, org, store)
        context = Context(
            org=org,
            store=store,
            **_wanted(ours, settings, org),
            clock=our_clock,
            shadow=settings.mode == "shadow",
            keep_days=settings.keep_days,
            bulk=BulkOrg(org, store, key=own.KEY, bulk_rows=settings.bulk_rows),
            judges=cluster,
            allowance=allowance(settings, org),
            report=reporting(settings, tokens),
        )
        current = Reloading(folder_of(settings), context, lambda kept: _renewed(kept, settings, org), our_clock)
        yield App(settings, context, org, tokens, store, our_clock, current)
    finally:
        org.close()
        store.close()


def _wanted(ours: Business, settings: Settings, org: Org) -> dict[str, Any]:
    """Give the parts of a context that follow from what the business wants."""
    policy = ours.policy(settings.policy)
    return {
        "mapping": ours.mapping, "policy": policy, "catalogue": ours.catalogue, "templates": ours.templates, "roles": Roles(org, ours.mapping),
        "outages": Outages(org, ours.mapping, policy), "stale": Freshness(org, ours.mapping),
    }  # fmt: skip


def _renewed(kept: Context, settings: Settings, org: Org) -> Context:
    """Give the context with the files read anew. Raises ConfigError naming their faults, the creditor's time zone among them if it changed."""
    found = _wanted(read_business(settings), settings, org)
    if found["mapping"].creditor.time_zone != kept.mapping.creditor.time_zone:
        raise ConfigError("the creditor's time zone has changed: schedules rest on it; restart the daemon")
    return replace(kept, **found)


def _verify(settings: Settings, org: Org, store: Store) -> None:
    """Pin the org: the one in the settings, else the first one this store ever saw."""
    wanted = settings.org_id or store.get_value("org_id")
    org.verify(wanted or org.org_id)
    store.set_value("org_id", org.org_id)
    log.info("org.verified", org=org.org_id)


class Roles:
    """Role → id of its queue or user, asked once of the org and kept."""

    def __init__(self, org: Org, mapping: OrgMapping) -> None:
        self._org, self._mapping = org, mapping
        self._lock = threading.Lock()
        self._ids: Mapping[str, str] | None = None

    def __call__(self) -> Mapping[str, str]:
        """Give the ids; a role that the org does not have is left out, its Tasks then belong to the integration user."""
        with self._lock:
            if self._ids is None:
                self._ids = self._ask()
            return self._ids

    def _ask(self) -> Mapping[str, str]:
        wanted = queries.roles(self._mapping)
        found = {
            str(read.text(record, name)): str(record["Id"])
            for rows in self._org.query_many([one.soql for one in wanted])
            for record in rows
            for name in ("DeveloperName", "Username")
            if read.text(record, name)
        }
        return {role: found[name] for role, one in self._mapping.roles.items() if (name := one.queue or one.username or "") in found}


def daemon(app: App, metrics: Metrics) -> Daemon:
    """Build the daemon for ``app``: worker, poll and, unless told to poll alone, the event stream."""
    settings = app.settings

    def poller(context: Context) -> Poller:
        asked = [PollQuery(name, soql) for name, soql in queries.polls(context.mapping).items()]
        return Poller(app.org.query_many, asked, app.store, overlap=timedelta(seconds=settings.poll_overlap_seconds))

    def stream(inbox: Inbox, channels: Sequence[str]) -> EventStream:
        return EventStream(app.tokens, settings.api_version, channels, inbox, now=app.clock.now)

    pace = Pace(
        settings.batch_payers,
        settings.debounce_seconds,
        settings.poll_seconds,
        app.tokens.current().user_id,
        app.org.longest_call_seconds,
    )
    channels = (own.OUTCOME_CHANNEL, *own.CHANGE_CHANNELS) if settings.transport == "stream" else ()
    return Daemon(app.current, pace, poller=poller, channels=channels, stream=stream, metrics=metrics, owner=app.owner)


def probed(daemon: Daemon, metrics: Metrics) -> Probed:
    """What the probes ask of the daemon."""
    return Probed(alive=daemon.alive, not_ready=daemon.not_ready, status=daemon.status, metrics=metrics, refresh=daemon.gauge)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A job with the schedule the settings give it."""

    NAME: str
    SCHEDULE: str
    work: Callable[[Context], None]
    held: Callable[[Context, str], Context]
    """The context of a run that writes only while its place in the ledger is its own."""

    def run(self, current: Callable[[], Context]) -> None:
        """Do it once."""
        self.work(self.held(current(), self.NAME))


def scheduler(app: App) -> Scheduler[Callable[[], Context]]:
    """Build the scheduler of all jobs."""
    settings = app.settings
    schedules = {"reconcile": settings.reconcile_cron, "catch_up": settings.catch_up_cron, "prune": settings.prune_cron}
    held = partial(holding_job, owner=app.owner, request_seconds=app.org.longest_call_seconds)
    planned = [Scheduled(one.NAME, schedules.get(one.NAME, one.SCHEDULE), one.run, held) for one in JOBS]
    zone = app.context.mapping.creditor.time_zone
    return Scheduler(planned, app.current, store=app.store, clock=app.clock, time_zone=zone, owner=app.owner)


ALONE_SECONDS = 300.0
"""For how long a command that says nothing keeps a job's place, in seconds of our clock."""


@dataclass(frozen=True, slots=True)
class Place:
    """A job's place in the ledger, held by a command."""

    context: Context
    """That writes only while the place is held."""
    keep: Callable[[], None]
    """To be called while it runs, at least every ``ALONE_SECONDS``; raises ConflictError when the place is in other hands."""


def _keep(app: App, job: str, owner: str) -> None:
    if not app.store.job_kept(job, app.clock.now(), owner=owner, seconds=ALONE_SECONDS):
        raise ConflictError(f"{job} was silent too long and runs elsewhere now; nothing more is written here")


@contextmanager
def alone(app: App, job: str) -> Iterator[Place]:
    """Hold a job's place in the ledger, so that the command and the schedule never run it at once; a killed command gives it up by itself.

    Raises:
        TransientError: it runs already.

    """
    other = app.store.job_last_run("catch_up")
    if other is not None and other.running(app.clock.now()):
        raise TransientError("the catch-up runs; try again when it has ended")
    owner = f"{socket.gethostname()}-command-{os.getpid()}"
    app.store.register_job(job, app.clock.now())
    if not app.store.job_started(job, app.clock.now(), owner=owner, seconds=ALONE_SECONDS):
        raise TransientError(f"{job} runs already; try again when it has ended")
    try:
        held = holding_job(app.context, job, owner, request_seconds=app.org.longest_call_seconds)
        yield Place(held, partial(_keep, app, job, owner))
    except BaseException as error:
        app.store.job_finished(job, app.clock.now(), owner=owner, error=type(error).__name__)
        raise
    app.store.job_finished(job, app.clock.now(), owner=owner)


def _unknown_codes(store: Store, settings: Settings) -> dict[str, str]:
    """Give codes met in the org that the catalogue does not know, with the day each was first met."""
    catalogue = read_business(settings).catalogue
    found = {}
    for name, since in store.values(UNKNOWN_CODE).items():
        code_set, _, code = name.removeprefix(UNKNOWN_CODE).partition(":")
        if not catalogue.resolve(CodeSet(code_set) if code_set else None, code, None, None).meaning:
            found[f"{code_set or 'any set'} {code}"] = since[:10]
    return found


def status(settings: Settings) -> dict[str, object]:
    """How much work the store knows of. Needs no org."""
    store = Store.open(settings.store_url.get_secret_value())
    try:
        counts = store.due_counts(clock(settings).now())
        return {
            "org": store.get_value("org_id"), "mode": settings.mode, "due_now": counts.due_now, "later": counts.later, "in_hand": counts.leased,
            "inbox": counts.inbox, "parked_payers": counts.parked, "parked_events": counts.parked_events,
            "oldest_due_at": counts.oldest_due_at.isoformat() if counts.oldest_due_at else None,
            "unknown_codes": _unknown_codes(store, settings),
            "parked": {one.payer: one.error for one in store.parked()},
        }  # fmt: skip
    finally:
        store.close()


def replay(settings: Settings, payer: str | None) -> Iterator[Replayed]:
    """Make each decision of the log once more, of everybody or of one payer; needs no org. Raises ConfigError for wrong files."""
    ours = read_business(settings)
    in_force = ours.policy(settings.policy)
    with Store.open(settings.store_url.get_secret_value()) as store:
        yield from replay_all(store, ours.policies, in_force, payer)


def unpark(app: App, payers: list[str] | None) -> int:
    """Take up again parked payers and events of the store. Returns how many."""
    now = app.clock.now()
    count = app.store.unpark(payers, now)
    return count if payers is not None else count + app.store.unpark_inbox() + place_parked(app.context, now)
