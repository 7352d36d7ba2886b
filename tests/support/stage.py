"""A local org, the people in it and the real daemon beside it, on one machine and at a time the test sets.

Must not judge. Invariant: people act on the org itself, so every request the org sees is Dunwell's; time moves only when told.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from connector.mapping.own import CHANGE_CHANNELS, OUTCOME_CHANNEL
from connector.store import Store
from sandbox import Box, Setup
from sandbox.org.org import ORG_ID
from tests.support.process import DaemonProcess, DiedError, Program
from tests.support.town import NINE, Neighbour, Town, founded, session
from tests.support.wounds import Deathwatch, RequestWound, StoreWound

Record = dict[str, Any]
PATIENCE_SECONDS = 60.0
PUT_OFF_SECONDS = 0.4
"""The daemon that does nothing for so long is not about to do something."""
CHANNELS = (OUTCOME_CHANNEL, *CHANGE_CHANNELS)
IDLE = timedelta(seconds=1)
"""How often the daemon looks of itself whether somebody is due, whoever else made them so."""
POLL = timedelta(seconds=61)
"""Longer than the daemon's poll."""


class Stage:
    """One org and at most one daemon."""

    def __init__(self, box: Box, town: Town, folder: Path, environment: Mapping[str, str]) -> None:
        self.box, self.town, self.folder = box, town, folder
        self.watch = Deathwatch()
        box.run(lambda: setattr(box.platform, "faults", self.watch))
        self.daemon: DaemonProcess | None = None
        self.store_path = folder / "store.db"
        self.environment = {
            "DUNWELL_LOGIN_URL": box.instance_url, "DUNWELL_AUTH": "jwt", "DUNWELL_CLIENT_ID": box.client_id, "DUNWELL_USERNAME": box.username,
            "DUNWELL_KEY_FILE": str(box.key_file), "DUNWELL_MAPPING": "findock", "DUNWELL_STORE_URL": f"sqlite:///{self.store_path}",
            "DUNWELL_CLOCK_URL": f"{box.admin_url}/clock", "DUNWELL_HTTP_PORT": "0", "DUNWELL_POLL_SECONDS": "60", "DUNWELL_DEBOUNCE_SECONDS": "0.1",
            "DUNWELL_RECONCILE_CRON": "0 2 1 1 *", "DUNWELL_CATCH_UP_CRON": "20 2 1 1 *", "DUNWELL_API_VERSION": "66.0", "DUNWELL_STOP_SECONDS": "10", **environment,
        }  # fmt: skip

    # The daemon

    def start(self, wound: RequestWound | StoreWound | None = None) -> DaemonProcess:
        """Start the daemon, to die at ``wound`` if one is given; it need not be ready when this returns."""
        assert self.daemon is None or self.daemon.exit_code is not None, "there is a daemon already"
        in_child = wound if isinstance(wound, StoreWound) else None
        self.daemon = started = DaemonProcess(self.environment, self.folder / "daemon.log", wound=in_child)
        if isinstance(wound, RequestWound):
            self.box.run(lambda: self.watch.expect(wound, lambda: os.kill(started.pid, signal.SIGKILL)))
        return started

    def running(self) -> DaemonProcess:
        """The daemon."""
        assert self.daemon is not None, "there is no daemon"
        return self.daemon

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        self.running().signal(signal.SIGTERM)
        return self.running().wait()

    def rest(self, *, polled: bool = False, step: timedelta | None = None, seconds: float = PATIENCE_SECONDS) -> dict[str, object]:
        """Wait until the daemon has taken every event and has nothing left to do at this moment; its status.

        ``step``: time goes on by so much whenever all that is left was put off.
        Raises DiedError when it died meanwhile, TimeoutError when it does not come to rest.
        """
        daemon, status, since = self.running(), dict[str, object](), self.now()
        until = time.monotonic() + seconds
        stepped_at = time.monotonic()
        while time.monotonic() < until:
            now, caught_up = self.now(), self._caught_up()  # first: what is taken over after this is seen as work in the status
            status = daemon.status()
            asked = status["polled_at"] is not None and (not polled or datetime.fromisoformat(str(status["polled_at"])) >= since)
            idle = not (status["busy"] or status["due"] or status["inbox"] or status["leased"])
            if status["ready"] and idle and asked and caught_up and datetime.fromisoformat(str(status["now"])) >= now:
                return status
            if daemon.exit_code is not None:
                raise DiedError(str(daemon.exit_code))
            if status["busy"]:
                stepped_at = time.monotonic()
            still = time.monotonic() - stepped_at
            if (step is not None and still > PUT_OFF_SECONDS) or (status["due"] and still > 4 * PUT_OFF_SECONDS):
                stepped_at = time.monotonic()
                self.later(step or IDLE)
            time.sleep(0.02)
        raise TimeoutError(f"the daemon did not come to rest: {status}\n{self.trouble()}")

    def until(self, wanted: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until ``wanted`` is true. Raises TimeoutError saying ``what`` did not happen."""
        end = time.monotonic() + seconds
        while not wanted():
            if time.monotonic() > end:
                raise TimeoutError(f"{what}\n{self.trouble()}")
            time.sleep(0.02)

    def loud(self) -> list[dict[str, object]]:
        """The daemon's warnings and errors."""
        return [line for line in self.running().lines() if line.get("level") in ("warning", "error")]

    def trouble(self) -> str:
        """Whatever may tell why the daemon did not do what was expected: its warnings, its last lines, its stderr."""
        told = [*self.loud()[-20:], *self.running().lines()[-5:]]
        return "\n".join([*(json.dumps(line) for line in told), self.running().errors()[-2000:]])

    def run(self, *words: str, **environment: str) -> Program:
        """Run another command against the same org and store, to its end."""
        number = len(list(self.folder.glob("command-*.out")))
        program = Program(words, {**self.environment, **environment}, self.folder / f"command-{number}.out")
        try:
            program.wait(60)
        finally:
            program.end()
        return program

    def reconcile(self, *words: str) -> Record:
        """One pass over everyone; what it prints."""
        done = self.run("reconcile", "--json", *words)
        assert done.exit_code == 0, f"reconcile ended with {done.exit_code}: {done.errors()} {done.text()}"
        found = json.loads(done.text())
        assert isinstance(found, dict)
        return found

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Look into the daemon's store."""
        opened = Store.open(self.environment["DUNWELL_STORE_URL"])
        try:
            yield opened
        finally:
            opened.close()

    def forget_store(self) -> None:
        """Delete the store; only while no daemon runs."""
        for path in self.folder.glob("store.db*"):
            path.unlink()

    def _caught_up(self) -> bool:
        with self.store() as store:
            return all(store.cursor(channel) == last for channel in CHANNELS if (last := self.last_event(channel)) is not None)

    # The org

    def last_event(self, channel: str) -> int | None:
        """Replay id of the latest event of a channel."""
        found = self.box.run(lambda: self.box.log.since(channel, -2))
        return found[-1].replay_id if found else None

    def now(self) -> datetime:
        """The org's time."""
        return self.box.org.clock.now()

    def together(self, work: Callable[[], object]) -> None:
        """Do several things at one moment: the daemon sees none of them before all are done."""
        self.box.run(work)

    def at(self, moment: datetime) -> None:
        """Set the time."""
        self.box.run(lambda: self.box.org.clock.set(moment))

    def later(self, by: timedelta = POLL) -> None:
        """Let time pass."""
        self.at(self.now() + by)

    def query(self, soql: str, *, all_rows: bool = False) -> list[Record]:
        """Rows as the administrator sees them."""
        org = self.box.org
        return [dict(one) for one in self.box.run(lambda: org.query(soql, user_id=org.admin.id, all_rows=all_rows)).records]

    def create(self, sobject: str, fields: Mapping[str, object], by: str = "package") -> str:
        """Somebody makes a record."""
        return self.box.run(lambda: self.box.org.create(sobject, fields, session=session(self.town, by)))

    def update(self, sobject: str, record_id: str, fields: Mapping[str, object], by: str = "package") -> None:
        """Somebody changes a record."""
        self.box.run(lambda: self.box.org.update(sobject, record_id, fields, session=session(self.town, by)))

    def delete(self, sobject: str, record_id: str, by: str = "admin") -> None:
        """Somebody deletes a record."""
        self.box.run(lambda: self.box.org.delete(sobject, record_id, session=session(self.town, by)))

    def publish(self, *events: Mapping[str, object]) -> None:
        """Providers report outcomes."""

        def work() -> None:
            for one in events:
                self.box.org.publish("Payment_Outcome__e", one, session=session(self.town, "package"))

        self.box.run(work)

    def admin(self, path: str, body: object = None, method: str = "POST") -> object:
        """The sandbox's admin port."""
        answer = requests.request(method, f"{self.box.admin_url}/{path}", json=body or {}, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fault(self, kind: str, **more: object) -> None:
        """Arm one fault."""
        self.admin("faults", {"kind": kind, **more})


@contextmanager
def staged_world(folder: Path, *, payers: int, now: datetime = NINE, seed: int = 1, **environment: str) -> Iterator[Stage]:
    """Open the whole world of FinDock instead of a town: many payers with 24 months behind them, nobody known by name."""
    with Box(Setup(world="findock", payers=payers, seed=seed, now=now)) as box:
        users = box.run(lambda: {user.username.partition("@")[0]: user.id for user in box.org.users.values()})
        yield from _played(Stage(box, Town({}, {}, users), folder, environment))


@contextmanager
def staged(
    folder: Path, neighbours: Sequence[Neighbour] = (), *, now: datetime = NINE, org_id: str = ORG_ID, **environment: str
) -> Iterator[Stage]:
    """Open an org with these neighbours; whatever daemon is started in it ends with the block."""
    towns: list[Town] = []
    with Box(Setup(now=now), founded(neighbours, towns, org_id)) as box:
        yield from _played(Stage(box, towns[0], folder, environment))


def _played(stage: Stage) -> Iterator[Stage]:
    try:
        yield stage
    finally:
        if stage.daemon is not None:
            stage.daemon.end()
