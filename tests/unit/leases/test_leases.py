"""Nothing is written for work that may be in other hands."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connector.errors import ConflictError
from connector.pipeline.leases import CLOCKS_DIFFER_SECONDS, LEASE_SECONDS, holding, holding_events, holding_job, lease_seconds
from connector.pipeline.ports import Context
from connector.store import InboxRow, Store

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
REQUEST_SECONDS = 140.0
LAST_MOMENT = LEASE_SECONDS - REQUEST_SECONDS - CLOCKS_DIFFER_SECONDS
ROW = ("Task", {"Subject": "x"})


class SetClock:
    """A clock that stands where it was set."""

    def __init__(self):
        self.time = START

    def now(self):
        """Where it was set."""
        return self.time


class Org:
    """An org that notes what is written."""

    calls = 7

    def __init__(self):
        self.written = []

    def query_many(self, soqls, *, all_rows=False):
        """No rows."""
        return [[] for _ in soqls] if not all_rows else []

    def write(self, inserts, updates, *, serial=False, before=lambda: None):
        """Note it: one request to a row."""
        for row in (*inserts, *updates):
            before()
            self.written.append(([row], [], serial) if row in inserts else ([], [row], serial))
        return [], []


@pytest.fixture
def context():
    """A context with an org that notes, a store and a clock."""
    with Store.open("sqlite://") as store:
        yield Context(
            org=Org(), store=store, mapping=None, policy=None, catalogue=None, templates=None, clock=SetClock(), roles=dict
        )  # fmt: skip


def leased(context, *payers):
    """Payers in hand of daemon one."""
    context.store.mark_due(payers, at=START, why="event")
    return context.store.lease_due(START, 10, LEASE_SECONDS, "one")


def after(context, seconds):
    """So much later."""
    context.clock.time = START + timedelta(seconds=seconds)


def test_work_just_taken_is_written_without_asking(context):
    """In the usual case the lease costs nothing."""
    marks = leased(context, "P1")
    held = holding(context, marks, request_seconds=REQUEST_SECONDS)
    after(context, LAST_MOMENT)
    held.org.write([ROW], [], serial=True)
    assert context.org.written == [([ROW], [], True)]
    assert context.store.lease_left(marks[0], START) == LEASE_SECONDS
    assert held.org.calls == 7
    assert held.org.query_many(["SELECT Id FROM Task"]) == [[]]


def test_a_lease_too_short_for_a_request_is_lengthened_first(context):
    """The answer must come while the work is ours."""
    marks = leased(context, "P1", "P2")
    held = holding(context, marks, request_seconds=REQUEST_SECONDS)
    after(context, LAST_MOMENT + 1)
    held.org.write([ROW], [])
    assert len(context.org.written) == 1
    assert context.store.lease_left(marks[0], context.clock.time) == LEASE_SECONDS


def test_work_that_somebody_else_took_is_not_written(context):
    """One payer in other hands is enough: the whole batch is looked at again."""
    marks = leased(context, "P1", "P2")
    held = holding(context, marks, request_seconds=REQUEST_SECONDS)
    after(context, LEASE_SECONDS)
    assert len(context.store.lease_due(context.clock.time, 1, LEASE_SECONDS, "two")) == 1
    with pytest.raises(ConflictError):
        held.org.write([ROW], [])
    assert context.org.written == []


def test_events_in_other_hands_are_not_written(context):
    """The same holds for what the stream brought."""
    context.store.accept("c", [InboxRow("c", 1, None, "{}", START)], 1)
    rows = context.store.take_inbox(10, START, seconds=LEASE_SECONDS, owner="one")
    until = START + timedelta(seconds=LEASE_SECONDS)
    held = holding_events(context, rows, until, "one", request_seconds=REQUEST_SECONDS)
    after(context, LAST_MOMENT + 1)
    held.org.write([ROW], [])
    after(context, LAST_MOMENT + 1 + LEASE_SECONDS)
    context.store.take_inbox(10, context.clock.time, owner="two")
    with pytest.raises(ConflictError):
        held.org.write([ROW], [])
    assert len(context.org.written) == 1


def test_a_job_that_another_daemon_took_over_writes_nothing_more(context):
    """A pass that was silent too long must not go on beside its successor."""
    context.store.job_started("nightly", START, owner="one", seconds=LEASE_SECONDS)
    held = holding_job(context, "nightly", "one", request_seconds=REQUEST_SECONDS)
    after(context, LAST_MOMENT + 1)
    held.org.write([ROW], [])
    after(context, 2 * LEASE_SECONDS)
    assert context.store.job_started("nightly", context.clock.time, owner="two", seconds=LEASE_SECONDS)
    with pytest.raises(ConflictError):
        held.org.write([ROW], [])
    assert len(context.org.written) == 1


def test_a_lease_leaves_time_to_write_however_long_a_request_may_take():
    """With a long time-out a lease is longer; it is never too short from its beginning."""
    assert lease_seconds(REQUEST_SECONDS) == LEASE_SECONDS
    assert lease_seconds(1000) > 2 * 1000


class Bulk(Org):
    """An org in bulk, of which one write is many requests."""

    pulse = None

    def settle(self):
        """Nothing to settle."""
        return 0


def passing(context):
    """The context of a pass that daemon one has just begun."""
    bulk = Bulk()
    context.store.job_started("nightly", START, owner="one", seconds=LEASE_SECONDS)
    return bulk, holding_job(replace(context, bulk=bulk), "nightly", "one", request_seconds=REQUEST_SECONDS)


def test_before_each_request_of_one_write_the_lease_is_looked_at(context):
    """A write of many requests may take longer than any lease: what was sent was ours, and the rest is not sent."""
    bulk, held = passing(context)
    sent = iter([LAST_MOMENT, LAST_MOMENT + 1, 2 * LEASE_SECONDS])

    def moment():
        after(context, seconds := next(sent))
        if seconds > LEASE_SECONDS:
            after(context, 3 * LEASE_SECONDS)
            assert context.store.job_started("nightly", context.clock.time, owner="two", seconds=LEASE_SECONDS)

    with pytest.raises(ConflictError):
        held.bulk.write([ROW, ROW, ROW], [], before=moment)
    assert len(bulk.written) == 2
    assert context.org.written == []


def test_a_pass_in_bulk_is_held_as_one_by_rest_is(context):
    """Whichever way it writes, it writes only what is its own."""
    bulk, held = passing(context)
    after(context, 2 * LEASE_SECONDS)
    assert context.store.job_started("nightly", context.clock.time, owner="two", seconds=LEASE_SECONDS)
    for way in (held.org, held.bulk):
        with pytest.raises(ConflictError):
            way.write([ROW], [])
    assert bulk.written == context.org.written == []
    assert held.bulk.settle() == 0


def test_a_job_that_is_waited_for_keeps_its_pass_in_hand(context):
    """The org may work on an upload for hours; the lease is lengthened at each pulse, and who lost it waits no longer."""
    bulk, held = passing(context)
    told = []
    held.bulk.pulse = lambda: told.append(context.clock.time)
    for minutes in range(4, 60, 4):
        after(context, 60 * minutes)
        bulk.pulse()
    assert len(told) == 14
    assert not context.store.job_started("nightly", context.clock.time, owner="two", seconds=LEASE_SECONDS)
    after(context, 7200)
    assert context.store.job_started("nightly", context.clock.time, owner="two", seconds=LEASE_SECONDS)
    with pytest.raises(ConflictError):
        bulk.pulse()


def test_leased_payers_are_never_written_in_bulk(context):
    """What is not behind their lease is out of reach."""
    held = holding(replace(context, bulk=Bulk()), leased(context, "P1"), request_seconds=REQUEST_SECONDS)
    assert held.bulk is None
