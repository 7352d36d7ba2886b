"""Whatever the order of marks, leases, failures and crashes: a mark is answered by a later look, or still there."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from connector.store import Store

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PAYERS = st.sampled_from(["P1", "P2", "P3"])
OWNERS = st.sampled_from(["one", "two"])
LEASE_SECONDS = 60


class Marks(RuleBasedStateMachine):
    """Two holders that are slow, crash, postpone and park, and a world that goes on marking."""

    def __init__(self):
        super().__init__()
        self.store = Store.open("sqlite://")
        self.now = START
        self.step = 0
        self.marked = {}  # payer → the step of its latest mark that no look has answered
        self.parked = set()
        self.hands = []  # (mark, step at which it was leased, owner)

    def teardown(self):
        """In the end everything that was asked for and not answered can still be leased or is parked."""
        far = self.now + timedelta(days=400)
        left = {mark.payer for mark in self.store.lease_due(far, 10, LEASE_SECONDS)} | {row.payer for row in self.store.parked()}
        self.store.close()
        assert set(self.marked) <= left

    @rule(payer=PAYERS, minutes=st.integers(-5, 90))
    def mark(self, payer, minutes):
        """Something happens to a payer."""
        self.step += 1
        self.store.mark_due([payer], at=self.now + timedelta(minutes=minutes), why="event")
        self.marked[payer] = self.step
        self.parked.discard(payer)

    @rule(limit=st.integers(1, 3), owner=OWNERS)
    def lease(self, limit, owner):
        """A holder takes what is due."""
        self.step += 1
        valid = {mark.payer for mark, _step, _owner in self.hands if self.store.lease_left(mark, self.now) > 0}
        taken = self.store.lease_due(self.now, limit, LEASE_SECONDS, owner)
        assert not valid & {mark.payer for mark in taken}, "a payer in two hands"
        assert not self.parked & {mark.payer for mark in taken}, "a parked payer in hand"
        self.hands += [(mark, self.step, owner) for mark in taken]

    @rule(pick=st.integers(0, 9), minutes=st.none() | st.integers(1, 90))
    def release(self, pick, minutes):
        """A holder is done with a payer."""
        if self.hands:
            mark, leased_at_step, _owner = self.hands.pop(pick % len(self.hands))
            ours = self.store.release(mark, next_at=None if minutes is None else self.now + timedelta(minutes=minutes))
            if ours and self.marked.get(mark.payer, 0) <= leased_at_step:
                self.marked.pop(mark.payer, None)
                if minutes is not None:
                    self.marked[mark.payer] = leased_at_step

    @rule(pick=st.integers(0, 9), minutes=st.integers(1, 90))
    def postpone(self, pick, minutes):
        """A holder could not do it now."""
        if self.hands:
            mark, _step, _owner = self.hands.pop(pick % len(self.hands))
            self.store.postpone([mark], self.now + timedelta(minutes=minutes), "busy")

    @rule(pick=st.integers(0, 9))
    def park(self, pick):
        """A holder cannot do it at all."""
        if self.hands:
            mark, _step, _owner = self.hands.pop(pick % len(self.hands))
            self.store.park([mark], self.now, "broken")
            self.parked = {row.payer for row in self.store.parked()}

    @rule()
    def unpark(self):
        """A person lets everything parked go on."""
        assert self.store.unpark(None, self.now) == len(self.parked)
        self.parked = set()

    @rule(seconds=st.integers(1, 3600))
    def time_passes(self, seconds):
        """Leases run out, planned looks come due."""
        self.now += timedelta(seconds=seconds)

    @rule(owner=OWNERS)
    def crash_and_recover(self, owner):
        """A holder is killed and starts again under its name."""
        dead = {mark.payer for mark, _step, own in self.hands if own == owner and self.store.lease_left(mark, self.now) > 0}
        self.hands = [hand for hand in self.hands if hand[2] != owner]
        self.store.recover(owner)
        again = self.store.lease_due(self.now, 10, LEASE_SECONDS, owner)
        assert dead <= {mark.payer for mark in again}, "what was in hand at a crash is due at once"
        self.step += 1
        self.hands += [(mark, self.step, owner) for mark in again]

    @invariant()
    def counts_add_up(self):
        """Each payer is counted once."""
        counts = self.store.due_counts(self.now)
        assert counts.due_now + counts.later + counts.leased + counts.parked <= 3
        assert counts.parked == len(self.parked)


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
def test_a_mark_is_never_forgotten():
    """No sequence of marks, leases, failures, crashes and time loses a payer or puts it in two hands."""
    budget = settings(max_examples=40, stateful_step_count=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Marks, settings=budget)
