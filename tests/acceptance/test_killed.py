"""The daemon is killed at any point: the org ends as if nothing had happened.

The number of points comes from SOAK_POINTS (default 25, ``make soak`` 200), their places from SOAK_SEED. Points are spread
over requests to the org (before one is executed, after it is but before its answer), writes to the store, and plain time;
what happens between death and restart varies: nothing, events delivered again, everything replayed, the store gone, people at work.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.picture import Picture, differences, made_twice, picture
from tests.support.process import DiedError, Program
from tests.support.scenario import MONDAY_TEN, NEIGHBOURS, WEDNESDAY_NOON, Colleagues, outcomes_come_in, play
from tests.support.stage import CHANNELS, Stage, staged
from tests.support.wounds import RequestWound, StoreWound

POINTS = int(os.environ.get("SOAK_POINTS", "25"))
SEED = os.environ.get("SOAK_SEED", "2026")
PASSES = max(10, POINTS // 2)
NEAR_THE_END = 0.85
"""Of two runs one may have fewer requests: later points may not be reached."""
LEASE = timedelta(seconds=3601)
"""For so long nobody else may begin a pass that was begun and not ended."""
WAYS = ("--rest", "--bulk")
PLACES = ("before a request", "after a request", "at a write to the store", "after a request", "at a time")


def nothing(_stage: Stage, _colleagues: Colleagues) -> None:
    """Nothing happens between death and restart."""


def delivered_again(stage: Stage, _colleagues: Colleagues) -> None:
    """The org delivers events it delivered before, and the next ones twice."""
    with stage.store() as store:
        for channel in CHANNELS:
            events = stage.box.log.since(channel, -2)
            if store.cursor(channel) is not None and events:
                store.accept(channel, [], events[0].replay_id)
    stage.fault("duplicate_events", count=3)


def replayed(stage: Stage, _colleagues: Colleagues) -> None:
    """Nobody knows how far the events were read: all of them come again."""
    with stage.store() as store:
        for channel in CHANNELS:
            store.forget_cursor(channel)


def store_gone(stage: Stage, _colleagues: Colleagues) -> None:
    """The store is deleted; the next pass finds everyone again."""
    stage.forget_store()


def people_at_work(_stage: Stage, colleagues: Colleagues) -> None:
    """People complete, edit and delete Tasks that the daemon has made and not yet noted."""
    colleagues.work()


GAPS: tuple[Callable[[Stage, Colleagues], None], ...] = (nothing, delivered_again, replayed, store_gone, people_at_work)


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """A run in which nobody died: what came of it, and how much there is to die at."""

    shown: Picture
    requests: int
    answers: int
    moments: int
    seconds: float


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """The run all others are compared with; it makes nothing twice and leaves nothing undone."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with staged(folder, NEIGHBOURS) as stage:
        colleagues = Colleagues(stage)
        stage.start(StoreWound(0, folder / "moments"))
        stage.running().url()
        began = time.monotonic()
        play(stage, lambda: stage.rest(polled=True) and None, colleagues)
        seconds = time.monotonic() - began
        requests, answers = len(stage.watch.begun), len(stage.watch.answered)
        moments = int((folder / "moments").read_text())
        assert colleagues.left == []
        return Undisturbed(_ended(stage), requests, answers, moments, seconds)


def _ended(stage: Stage) -> Picture:
    """What the org shows; a pass over everyone finds nothing left to do, and nothing is there twice."""
    shown = picture(stage)
    again = stage.reconcile()
    left = differences(shown, picture(stage))
    assert again["changes"] == 0, "\n".join([f"the second pass changed {again}", *left])
    assert again["parked"] == 0, f"payers are parked: {again}"
    assert left == []
    assert made_twice(stage) == []
    return shown


@dataclass(frozen=True, slots=True)
class Death:
    """Where the daemon dies in one run, and what happens before it is started again."""

    number: int
    place: str
    gap: Callable[[Stage, Colleagues], None]

    @property
    def share(self) -> float:
        """How far into the run, 0 to 1: points of one place are spread evenly, each anywhere in its stretch."""
        of_place = [one for one in range(POINTS) if PLACES[one % len(PLACES)] == self.place]
        stretch = of_place.index(self.number)
        return (stretch + random.Random(f"{SEED}-{self.number}").random()) / len(of_place)  # noqa: S311 - a repeatable place

    def wound(self, run: Undisturbed) -> RequestWound | StoreWound | None:
        """The wound, or None when time alone decides."""
        match self.place:
            case "before a request":
                return RequestWound("before", 1 + int(self.share * run.requests))
            case "after a request":
                return RequestWound("after", 1 + int(self.share * run.answers))
            case "at a write to the store":
                return StoreWound(1 + int(self.share * run.moments))
        return None


DEATHS = [Death(number, PLACES[number % len(PLACES)], GAPS[number // len(PLACES) % len(GAPS)]) for number in range(POINTS)]
"""All points of this run of the tests."""


@pytest.mark.soak
@pytest.mark.parametrize("death", DEATHS, ids=lambda one: f"{one.number}-{one.place}-{one.gap.__name__}".replace(" ", "_"))
def test_a_killed_daemon_leaves_no_trace(death: Death, undisturbed: Undisturbed, tmp_path: Path) -> None:
    """Killed anywhere and started again, the daemon loses no event, makes nothing twice and overwrites nobody's work."""
    with staged(tmp_path, NEIGHBOURS) as stage:
        colleagues = Colleagues(stage)
        died: list[str] = []

        def revived() -> None:
            died.append(stage.watch.killed_at or death.place)
            death.gap(stage, colleagues)
            stage.start()
            stage.rest(polled=True)
            if death.gap is store_gone:
                stage.reconcile()
                stage.rest(polled=True)

        def rest() -> None:
            try:
                stage.rest(polled=True)
            except DiedError:
                revived()

        daemon = stage.start(death.wound(undisturbed))
        timer = threading.Timer(death.share * undisturbed.seconds, lambda: daemon.signal(signal.SIGKILL))
        if death.place == "at a time":
            daemon.url()
            timer.start()
        try:
            play(stage, rest, colleagues)
        finally:
            timer.cancel()
            stage.box.run(stage.watch.spare)
        if stage.running().exit_code is not None:
            revived()
        assert died or death.place == "at a time" or death.share > NEAR_THE_END, "nobody died"
        assert colleagues.left == []
        found = differences(undisturbed.shown, _ended(stage))
        assert not found, "\n".join([f"died {died}", *found])
        assert daemon.exit_code in (None, -signal.SIGKILL), daemon.errors()


@pytest.fixture(scope="module")
def passes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Undisturbed]:
    """A pass over everyone after a morning that no daemon saw, by REST and in bulk; both come to the same."""
    found = {}
    for way in WAYS:
        folder = tmp_path_factory.mktemp("pass")
        with staged(folder, NEIGHBOURS, DUNWELL_BULK_ROWS="2") as stage:
            _missed_morning(stage)
            began, seen = time.monotonic(), len(stage.watch.begun)
            program = _one_pass(stage, way, StoreWound(0, folder / "moments"))
            assert program.wait() == 0, program.errors()
            requests, seconds = len(stage.watch.begun) - seen, time.monotonic() - began
            _another_two_passes(stage, way)
            moments = int((folder / "moments").read_text())
            found[way] = Undisturbed(_ended(stage), requests, requests, moments, seconds)
    assert differences(*(one.shown for one in found.values())) == []
    return found


PASS_PLACES = ("before a request", "after a request", "at a write to the store", "after a request", "before a request", "at a time")


@pytest.mark.soak
@pytest.mark.parametrize("number", range(PASSES))
def test_a_killed_pass_is_simply_run_again(number: int, passes: dict[str, Undisturbed], tmp_path: Path) -> None:
    """The pass over everyone, by REST or in bulk, killed anywhere, is finished by the next one: nothing is repeated and nothing lost."""
    way, place = WAYS[number % 2], PASS_PLACES[number // 2 % len(PASS_PLACES)]
    whole = passes[way]
    share = (number + random.Random(f"{SEED}-{number}").random()) / PASSES  # noqa: S311 - a repeatable place
    with staged(tmp_path, NEIGHBOURS, DUNWELL_BULK_ROWS="2") as stage:
        _missed_morning(stage)
        program = _one_pass(stage, way, StoreWound(1 + int(share * whole.moments)) if place == "at a write to the store" else None)
        timer = threading.Timer(share * whole.seconds, lambda: program.signal(signal.SIGKILL))
        try:
            if place == "at a time":
                timer.start()
            elif place != "at a write to the store":
                wound = RequestWound("before" if place == "before a request" else "after", 1 + int(share * whole.requests))
                stage.box.run(lambda: stage.watch.expect(wound, lambda: os.kill(program.pid, signal.SIGKILL)))
            program.wait()
        finally:
            timer.cancel()
            program.end()
        assert program.exit_code in (0, -signal.SIGKILL), program.errors()
        stage.box.run(stage.watch.spare)
        _another_two_passes(stage, way)
        found = differences(whole.shown, _ended(stage))
        assert not found, "\n".join([f"died {stage.watch.killed_at or place}", *found])


def _one_pass(stage: Stage, way: str, wound: StoreWound | None) -> Program:
    return Program(["reconcile", "--json", way], stage.environment, stage.folder / "pass.out", wound=wound)


def _another_two_passes(stage: Stage, way: str) -> None:
    """The next pass, and one when the reminders' time has come whenever they were planned."""
    stage.later(LEASE)
    stage.reconcile(way)
    stage.at(WEDNESDAY_NOON)
    stage.reconcile(way)


def _missed_morning(stage: Stage) -> None:
    """Monday's outcomes have come in, and nobody was there."""
    stage.at(MONDAY_TEN)
    outcomes_come_in(stage)


def test_an_undisturbed_run_accounts_for_every_event(undisturbed: Undisturbed) -> None:
    """Each reported outcome is an attempt, a payment or known to be booked by the package, and exactly one is parked."""
    references = {str(row[-1]) for row in undisturbed.shown["Dunwell_Attempt__c"]}
    assert references == {"ada-1", "bas-1", "fay-1", "gus-1", "ivy-1", "kim-1", "nobody-1"}
    assert [row[-1] for row in undisturbed.shown["Dunwell_Attempt__c"] if "Parked" in row] == ["nobody-1"]
    booked = {str(row[-1]): row[-3] for row in undisturbed.shown["cpm__Payment__c"] if row[0] is not None}
    assert booked == {"dora-1": 40.0, "gus-2": 40.0, "kim-2": 40.0, "max-1": 40.0, "max-2": -40.0}
