"""Several daemons on one PostgreSQL: they share the work, one of them listens, and none of it is lost or done twice when one is killed.

Real processes, a real PostgreSQL and a real org beside them; the org's time moves only when told, so that thirty seconds are
thirty seconds however slow the machine is.
"""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from connector.mapping.own import CHANGE_CHANNELS, OUTCOME_CHANNEL
from connector.pipeline.leases import LEASE_SECONDS
from tests.support.picture import Picture, differences, made_twice, picture
from tests.support.postgres import Postgres, running
from tests.support.process import DaemonProcess
from tests.support.scenario import MONDAY_TEN, NEIGHBOURS, NO_MONEY, WEDNESDAY_NOON, outcomes_come_in
from tests.support.stage import POLL, Stage, staged
from tests.support.town import outcome
from tests.support.wounds import RequestWound

ALL = sorted([OUTCOME_CHANNEL, *CHANGE_CHANNELS, "poll"])
WITHOUT_A_LISTENER = timedelta(seconds=30)
MONDAY = MONDAY_TEN + timedelta(minutes=20)
"""No hour at which anything is planned is near: a takeover's minutes change no decision."""
PATIENCE_SECONDS = 60.0
IDLE = timedelta(seconds=1)
PUT_OFF_SECONDS = 0.6


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """One server for all tests of this file."""
    with running() as server:
        yield server


class Fleet:
    """Daemons on one store and one org."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.daemons: dict[str, DaemonProcess] = {}
        self._numbers = count(1)

    def start(self, *names: str) -> None:
        """Start daemons under these names, and wait until they take work."""
        for name in names:
            environment = {**self.stage.environment, "DUNWELL_INSTANCE": name}
            self.daemons[name] = DaemonProcess(environment, self.stage.folder / f"{name}-{next(self._numbers)}.log")
        self.until(lambda: all(self.daemons[name].status()["ready"] for name in names), "the daemons are not ready")

    def kill(self, name: str) -> None:
        """End one with SIGKILL."""
        daemon = self.daemons.pop(name)
        daemon.signal(signal.SIGKILL)
        daemon.wait()
        daemon.end()

    def end(self) -> None:
        """See to it that all are gone."""
        for daemon in self.daemons.values():
            daemon.end()

    def leads(self, name: str) -> list[str]:
        """What a daemon listens to, by its own word; nothing before its stream is there."""
        status = self.daemons[name].status()
        found = status["leads"]
        assert isinstance(found, list)
        return [str(one) for one in found] if status["stream"] is True or not found else []

    def leaders(self) -> list[str]:
        """Who listens to anything."""
        return [name for name in self.daemons if self.leads(name)]

    def rest(self) -> None:
        """Wait until all that was reported or changed is taken over and nobody has anything to do at this moment."""
        still_since = time.monotonic()

        def at_rest() -> bool:
            nonlocal still_since
            caught_up = self.stage._caught_up()
            found = [daemon.status() for daemon in self.daemons.values()]
            busy = any(one["busy"] or one["inbox"] or one["leased"] for one in found)
            due = any(one["due"] for one in found)
            if busy:
                still_since = time.monotonic()
            elif due and time.monotonic() - still_since > PUT_OFF_SECONDS:
                self.stage.later(IDLE)
                still_since = time.monotonic()
            behind = any(datetime.fromisoformat(str(one["now"])) < self.stage.now() for one in found)
            polled = any("poll" in one["leads"] and one["polled_at"] and self._fresh(str(one["polled_at"])) for one in found)
            return caught_up and polled and not (busy or due or behind)

        self.until(at_rest, "the daemons did not come to rest")

    def _fresh(self, polled_at: str) -> bool:
        return self.stage.now() - datetime.fromisoformat(polled_at) < POLL - IDLE

    def until(self, wanted: Callable[[], object], what: str) -> None:
        """Wait until ``wanted`` is true. Raises TimeoutError saying ``what`` did not happen."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not wanted():
            if time.monotonic() > end:
                told = [f"{name}: {one.status()} {one.text()[-1500:]} {one.errors()[-500:]}" for name, one in self.daemons.items()]
                raise TimeoutError("\n".join([what, *told]))
            time.sleep(0.02)

    def lines(self, event: str) -> list[dict[str, object]]:
        """Log lines of one event, of all daemons that ever ran."""
        return [line for daemon in self.daemons.values() for line in daemon.lines(event)]


@contextmanager
def fleet(folder: Path, postgres: Postgres, names: Sequence[str], **environment: str) -> Iterator[Fleet]:
    """An org with its neighbours, and daemons beside it."""
    with staged(folder, NEIGHBOURS, now=MONDAY, DUNWELL_STORE_URL=postgres.fresh(), **environment) as stage:
        found = Fleet(stage)
        try:
            found.start(*names)
            found.until(found.leaders, "nobody listens")
            yield found
        finally:
            found.end()


def ended(stage: Stage, rest: Callable[[], object]) -> Picture:
    """What the org shows when the reminders' time has come, whenever on Monday they were planned."""
    rest()
    for moment in (stage.now() + POLL, WEDNESDAY_NOON, WEDNESDAY_NOON + POLL):
        stage.at(moment)
        rest()
    assert made_twice(stage) == []
    return picture(stage)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Picture:
    """What one undisturbed daemon on SQLite makes of Monday's outcomes."""
    with staged(tmp_path_factory.mktemp("alone"), NEIGHBOURS, now=MONDAY) as stage:
        stage.start()
        stage.rest(polled=True)
        stage.together(lambda: outcomes_come_in(stage))
        return ended(stage, lambda: stage.rest(polled=True))


@pytest.mark.parametrize("moment", [6, 12])
def test_when_the_listener_is_killed_another_takes_over_and_nothing_is_lost_or_done_twice(
    moment: int, postgres: Postgres, alone: Picture, tmp_path: Path
) -> None:
    """Killed amid its work at a request: its channels are listened to within thirty seconds, its work is finished by the other."""
    with fleet(tmp_path, postgres, ["one", "two"]) as both:
        stage = both.stage
        (first,) = both.leaders()
        (second,) = set(both.daemons) - {first}
        assert both.leads(first) == ALL
        doomed = both.daemons[first]
        stage.box.run(lambda: stage.watch.expect(RequestWound("after", moment), lambda: doomed.signal(signal.SIGKILL)))
        stage.together(lambda: outcomes_come_in(stage))
        both.until(lambda: doomed.exit_code is not None, "nobody died")
        stage.box.run(stage.watch.spare)
        both.kill(first)
        died_at = stage.now()
        assert both.leads(second) == [], "it listened before its time"
        stage.later(WITHOUT_A_LISTENER)
        both.until(lambda: both.leads(second) == ALL, "nobody took over within thirty seconds")
        assert stage.now() - died_at <= WITHOUT_A_LISTENER
        stage.later(timedelta(seconds=LEASE_SECONDS))
        found = differences(alone, ended(stage, both.rest))
        assert not found, "\n".join([f"died {stage.watch.killed_at}", *found])


def test_daemons_share_the_work_and_one_listens(postgres: Postgres, alone: Picture, tmp_path: Path) -> None:
    """Each payer is treated by whoever has it in hand; only one daemon receives events, and the org ends as with one."""
    with fleet(tmp_path, postgres, ["one", "two", "three"], DUNWELL_BATCH_PAYERS="1") as three:
        (leader,) = three.leaders()
        three.stage.together(lambda: outcomes_come_in(three.stage))
        three.rest()
        assert [name for name, daemon in three.daemons.items() if daemon.status()["received"]] == [leader]
        assert differences(alone, ended(three.stage, three.rest)) == []
        treated = {name: daemon.status()["treated"] for name, daemon in three.daemons.items()}
        assert sum(1 for payers in treated.values() if payers) > 1, f"one did it all: {treated}"


def test_a_night_has_one_pass_and_a_stopped_listener_is_followed_at_once(postgres: Postgres, tmp_path: Path) -> None:
    """Scheduled jobs run on one daemon only; a listener that ends in order gives its channels up without anybody waiting."""
    with fleet(tmp_path, postgres, ["one", "two"], DUNWELL_RECONCILE_CRON="0 2 * * *") as both:
        stage = both.stage
        tonight = stage.now().replace(hour=2, minute=0, second=1) + timedelta(days=1)
        stage.at(tonight)
        both.until(lambda: any(line["job"] == "reconcile" for line in both.lines("job.finished")), "no pass was made")
        both.rest()
        stage.later(POLL)
        both.rest()
        passes = [line for line in both.lines("job.started") if line["job"] == "reconcile"]
        assert len(passes) == 1
        assert len(stage.query("SELECT Id FROM Dunwell_Run__c")) == 1
        (first,) = both.leaders()
        (second,) = set(both.daemons) - {first}
        both.daemons[first].signal(signal.SIGTERM)
        assert both.daemons[first].wait() == 0
        both.daemons.pop(first).end()
        stage.later(timedelta(seconds=6))
        both.until(lambda: both.leads(second) == ALL, "nobody followed")


def test_a_postgresql_that_restarts_costs_time_and_nothing_else(postgres: Postgres, tmp_path: Path) -> None:
    """While the store is away work waits; when it is back the same processes go on, and what came meanwhile is done."""
    with fleet(tmp_path, postgres, ["one", "two"]) as both:
        stage = both.stage
        postgres.stop(signal.SIGQUIT)
        try:
            stage.publish(outcome(stage.town.bill("Ada"), "failed", stage.now(), "ada-1", **NO_MONEY))
            stage.later(IDLE * 3)
            both.until(lambda: all(daemon.lines("store.unavailable") for daemon in both.daemons.values()), "nobody noticed")
        finally:
            postgres.start()
        stage.later(IDLE * 6)
        both.until(lambda: all(daemon.lines("store.recovered") for daemon in both.daemons.values()), "not all of them recovered")
        both.rest()
        found = stage.query("SELECT Status__c FROM Dunwell_Attempt__c WHERE Provider_Reference__c = 'ada-1'")
        assert [one["Status__c"] for one in found] == ["Placed"]
        assert all(daemon.exit_code is None for daemon in both.daemons.values())


def test_a_name_belongs_to_one_process(postgres: Postgres, tmp_path: Path) -> None:
    """Started twice under one name by mistake, the first ends and says so: two must not free each other's leases."""
    with fleet(tmp_path, postgres, ["one"]) as twins:
        twins.daemons["elder"] = twins.daemons.pop("one")
        twins.start("one")
        twins.stage.later(timedelta(seconds=6))
        assert twins.daemons["elder"].wait() == 2
        assert "DUNWELL_INSTANCE" in twins.daemons["elder"].errors()
        twins.daemons.pop("elder").end()
        twins.until(lambda: twins.leads("one") == ALL, "the younger one does not listen")
