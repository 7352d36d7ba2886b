"""Jobs run when our clock and the ledger say so, once, whatever happened in between."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from connector.errors import ConfigError, PermanentError, TransientError
from connector.scheduler import MOST_INTERRUPTIONS, Scheduler
from connector.store import Store

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class SetClock:
    """A clock that stands where it was set."""

    def __init__(self, now=START):
        self.time = now

    def now(self):
        """Where it was set."""
        return self.time

    def wait(self, seconds, wake):
        """Set it further."""
        return self.wait_until(self.time + timedelta(seconds=seconds), wake)

    def wait_until(self, at, wake):
        """Set it there."""
        self.time = max(self.time, at)
        return wake.is_set()


class Nightly:
    """A job at two at night that notes when it ran and does what it is told."""

    NAME = "nightly"
    SCHEDULE = "0 2 * * *"

    def __init__(self, clock, *, schedule=SCHEDULE, name=NAME):
        self.NAME = name
        self.SCHEDULE = schedule
        self.clock = clock
        self.ran_at = []
        self.raises = None

    def run(self, context):
        """Note the time, then do as told."""
        self.ran_at.append(self.clock.now())
        context.append(self.NAME)
        if self.raises is not None:
            raise self.raises


@pytest.fixture
def clock():
    """Noon, on a Monday."""
    return SetClock()


@pytest.fixture
def store():
    """An empty ledger."""
    with Store.open("sqlite://") as opened:
        yield opened


def scheduler(store, clock, *jobs, owner="main", zone="Europe/Amsterdam"):
    """A scheduler that looks only when it is asked to."""
    return Scheduler(jobs, [], store=store, clock=clock, time_zone=zone, owner=owner, tick_seconds=0.01)


def amsterdam(day, hour, minute=0, month=3):
    """An instant of 2026 in Amsterdam's winter (UTC+1)."""
    return datetime(2026, month, day, hour - 1 if hour else 23, minute, tzinfo=UTC) - (timedelta(days=1) if not hour else timedelta())


def test_a_job_does_not_run_before_its_first_time(store, clock):
    """Installing Dunwell at noon sets nothing off."""
    job = Nightly(clock)
    looking = scheduler(store, clock, job)
    looking.look()
    clock.time = amsterdam(3, 1, 59)
    looking.look()
    assert job.ran_at == []


def test_a_job_runs_at_its_time_in_the_creditors_zone_and_once(store, clock):
    """Two at night is two at night in Amsterdam, and one look later it is done."""
    job = Nightly(clock)
    looking = scheduler(store, clock, job)
    looking.look()
    clock.time = amsterdam(3, 2)
    looking.look()
    clock.time = amsterdam(3, 3)
    looking.look()
    assert job.ran_at == [amsterdam(3, 2)]


def test_days_missed_are_caught_up_by_one_run(store, clock):
    """After a week without the daemon the nightly pass runs once, not seven times."""
    job = Nightly(clock)
    scheduler(store, clock, job).look()
    clock.time = amsterdam(10, 15)
    restarted = scheduler(store, clock, job)
    restarted.look()
    restarted.look()
    assert job.ran_at == [amsterdam(10, 15)]
    assert restarted.next_runs() == {"nightly": amsterdam(11, 2)}


def test_a_restart_just_after_the_due_time_still_runs_it(store, clock):
    """The first registration counts, not the last start."""
    clock.time = amsterdam(3, 1, 59)
    scheduler(store, clock, Nightly(clock)).look()
    clock.time = amsterdam(3, 2, 1)
    job = Nightly(clock)
    scheduler(store, clock, job).look()
    assert len(job.ran_at) == 1


def test_two_daemons_run_it_once(store, clock):
    """The ledger is shared, so the second one finds the due time served."""
    one, two = Nightly(clock), Nightly(clock)
    first, second = scheduler(store, clock, one, owner="one"), scheduler(store, clock, two, owner="two")
    first.look()
    second.look()
    clock.time = amsterdam(3, 2)
    first.look()
    second.look()
    assert (len(one.ran_at), len(two.ran_at)) == (1, 0)


def test_a_job_that_another_process_runs_is_skipped_and_told_once(store, clock):
    """A pass that a person started by hand is not doubled by the schedule."""
    job = Nightly(clock)
    looking = scheduler(store, clock, job)
    looking.look()
    clock.time = amsterdam(3, 2)
    store.job_started("nightly", clock.time - timedelta(seconds=10), owner="cli")
    with structlog.testing.capture_logs() as lines:
        looking.look()
        looking.look()
    assert job.ran_at == []
    assert [line["event"] for line in lines] == ["job.skipped"]


def test_an_interrupted_run_is_begun_again_at_once(store, clock):
    """A nightly pass killed at three is not left until tomorrow."""
    job = Nightly(clock)
    scheduler(store, clock, job).look()
    clock.time = amsterdam(3, 2)
    store.job_started("nightly", clock.time, owner="main")
    clock.time = amsterdam(3, 3)
    store.recover_jobs("main")
    restarted = scheduler(store, clock, job)
    restarted.look()
    restarted.look()
    assert job.ran_at == [amsterdam(3, 3)]


def test_a_job_that_kills_its_process_again_and_again_waits_for_its_next_time(store, clock):
    """No crash loop: after three interruptions a person is told and the schedule decides."""
    job = Nightly(clock)
    scheduler(store, clock, job).look()
    clock.time = amsterdam(3, 2)
    for _ in range(MOST_INTERRUPTIONS):
        assert store.job_started("nightly", clock.time, owner="main")
        store.recover_jobs("main")
    restarted = scheduler(store, clock, job)
    with structlog.testing.capture_logs() as lines:
        restarted.look()
        restarted.look()
    assert job.ran_at == []
    assert [(line["event"], line["reason"]) for line in lines] == [("job.failed", "interrupted")]
    clock.time = amsterdam(4, 2)
    restarted.look()
    assert job.ran_at == [amsterdam(4, 2)]


def test_a_passing_trouble_is_tried_again_soon_and_ever_slower(store, clock):
    """An org that is away for five minutes at two does not cost the nightly pass a day."""
    job = Nightly(clock)
    looking = scheduler(store, clock, job)
    looking.look()
    clock.time = amsterdam(3, 2)
    job.raises = TransientError("org unavailable")
    for _ in range(4 * 60):
        looking.look()
        clock.time += timedelta(minutes=1)
    waits = [(later - earlier).total_seconds() / 60 for earlier, later in zip(job.ran_at, job.ran_at[1:], strict=False)]
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    assert store.job_last_run("nightly").ok is False
    job.raises = None
    clock.time = amsterdam(4, 2)
    looking.look()
    assert store.job_last_run("nightly").ok is True
    assert store.job_last_run("nightly").tries == 0


def test_the_error_says_how_long_to_wait(store, clock):
    """A known end of the trouble is waited for."""
    job = Nightly(clock)
    looking = scheduler(store, clock, job)
    looking.look()
    clock.time = amsterdam(3, 2)
    job.raises = TransientError("API calls used up", retry_after=7200)
    with structlog.testing.capture_logs() as lines:
        looking.look()
    assert [line["event"] for line in lines] == ["job.started", "job.postponed"]
    assert looking.next_runs() == {"nightly": amsterdam(3, 4)}


def test_a_job_that_keeps_waiting_says_so_once(store, clock):
    """A long outage fills no log: the second try that fails is silent, and a new trouble after a good end is told again."""
    job = Nightly(clock)
    looking = scheduler(store, clock, job)
    looking.look()
    told = []
    for hour, raises in ((2, TransientError("away", retry_after=3600)), (3, TransientError("away", retry_after=3600)), (4, None)):
        clock.time, job.raises = amsterdam(3, hour), raises
        with structlog.testing.capture_logs() as lines:
            looking.look()
        told.append([line["event"] for line in lines][-1])
    assert told == ["job.postponed", "job.started", "job.finished"]


def test_an_error_that_no_retry_helps_waits_for_the_next_time(store, clock):
    """A person is told; the schedule goes on."""
    job = Nightly(clock)
    looking = scheduler(store, clock, job)
    looking.look()
    clock.time = amsterdam(3, 2)
    job.raises = PermanentError("no permission set")
    with structlog.testing.capture_logs() as lines:
        looking.look()
        looking.look()
    assert [line["event"] for line in lines] == ["job.started", "job.failed"]
    assert lines[1]["detail"] == "no permission set"
    assert store.job_last_run("nightly").error == "no permission set"
    assert looking.next_runs() == {"nightly": amsterdam(4, 2)}


def test_a_job_run_by_hand_is_in_the_ledger_and_raises_what_it_raises(store, clock):
    """``dunwell reconcile`` and the schedule never overlap."""
    job = Nightly(clock)
    looking = scheduler(store, clock, job)
    assert looking.run("nightly")
    assert store.job_last_run("nightly").ok
    job.raises = PermanentError("no permission set")
    with pytest.raises(PermanentError):
        looking.run("nightly")
    store.job_started("nightly", clock.now(), owner="other")
    assert not looking.run("nightly")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_night_with_a_clock_change_has_one_run(store, clock, at, expected):
    """Half past two does not exist in spring and comes twice in autumn; the job runs once either way."""
    clock.time = at
    job = Nightly(clock, schedule="30 2 * * *")
    looking = scheduler(store, clock, job)
    for _ in range(24 * 4):
        looking.look()
        clock.time += timedelta(minutes=15)
    assert job.ran_at == [expected]


def test_every_bad_schedule_is_named_at_once(store, clock):
    """An admin repairs all lines in one go; a weekday as a number means different days to different people."""
    jobs = [
        Nightly(clock, name="a", schedule="0 2 * *"),
        Nightly(clock, name="b", schedule="0 2 * * 1"),
        Nightly(clock, name="c", schedule="0 25 * * *"),
    ]
    with pytest.raises(ConfigError) as raised:
        scheduler(store, clock, *jobs)
    assert len(raised.value.problems) == 3
    assert "names" in raised.value.problems[1]


def test_started_it_looks_by_itself_keeps_the_run_alive_and_stops_in_a_bound(tmp_path, clock):
    """In threads of its own a due job runs, is not taken over while it works, and is waited for at the end."""
    began, may_end = threading.Event(), threading.Event()

    class Slow(Nightly):
        def run(self, context):
            """Work until the test lets it end."""
            super().run(context)
            began.set()
            assert may_end.wait(30)

    with Store.open(f"sqlite:///{tmp_path}/store.db") as store:
        job = Slow(clock)
        running = scheduler(store, clock, job)
        running.look()
        clock.time = amsterdam(3, 2)
        running.start()
        assert began.wait(30)
        clock.time += timedelta(minutes=4)
        running.keep_alive()
        clock.time += timedelta(minutes=4)
        assert store.job_last_run("nightly").running(clock.time)
        assert not running.stop(0)
        may_end.set()
        assert running.stop(30)
        assert store.job_last_run("nightly").finished_at == clock.time
        assert len(job.ran_at) == 1


def test_an_unforeseen_exception_is_told_and_does_not_stop_the_others(tmp_path, clock):
    """A bug in one job is an error in the log and the ledger, not the end of the schedule."""
    done = threading.Event()

    class Good(Nightly):
        def run(self, context):
            """Tell when it was here twice."""
            super().run(context)
            if len(self.ran_at) == 2:
                done.set()

    with Store.open(f"sqlite:///{tmp_path}/store.db") as store:
        bad, good = Nightly(clock, name="bad", schedule="* * * * *"), Good(clock, name="good", schedule="* * * * *")
        bad.raises = ZeroDivisionError("secret")
        running = scheduler(store, clock, bad, good)
        running.look()
        with structlog.testing.capture_logs() as lines:
            clock.time += timedelta(minutes=1)
            running.start()
            while not good.ran_at:
                done.wait(0.01)
            clock.time += timedelta(minutes=1)
            assert done.wait(30)
            while len([line for line in lines if line["event"] == "job.failed"]) < 2:
                threading.Event().wait(0.01)
            assert running.stop(30)
        failed = [line for line in lines if line["event"] == "job.failed"]
        assert {line["error"] for line in failed} == {"ZeroDivisionError"}
        assert "secret" not in str(failed)
        assert store.job_last_run("bad").error == "unexpected error"
