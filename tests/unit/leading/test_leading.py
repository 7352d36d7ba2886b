"""A daemon leads while the store has its word; nobody leads for long after it fell silent."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from connector.leading import LEASE_SECONDS, LOOK_SECONDS, Leading
from connector.store import Store, StoreAwayError

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class SetClock:
    """A clock that stands where it was set; whoever waits waits until it is stopped."""

    def __init__(self):
        self.time = START

    def now(self):
        """Where it was set."""
        return self.time

    def wait(self, _seconds, wake):
        """Never on its own."""
        return wake.wait()

    def later(self, seconds):
        """Set it further."""
        self.time += timedelta(seconds=seconds)


class Flaky:
    """A store that may be away."""

    def __init__(self, store):
        self.store = store
        self.away = False

    def lead(self, *given, **named):
        """As the store does, when it is there."""
        if self.away:
            raise StoreAwayError("away")
        return self.store.lead(*given, **named)

    def leave(self, owner):
        """As the store does."""
        return self.store.leave(owner)


@pytest.fixture
def clock():
    """Monday morning."""
    return SetClock()


@pytest.fixture
def store():
    """An empty store that may be away."""
    with Store.open("sqlite://") as opened:
        yield Flaky(opened)


@pytest.fixture
def leading(store, clock):
    """Make daemons that note what they are told; all end with the test."""
    made = []

    def make(owner):
        one = Leading(store, clock, owner, ["c", "poll"], lambda held: one.told.append(set(held)))
        one.told = []
        one.start()
        made.append(one)
        return one

    yield make
    for one in made:
        one.stop(5)


def test_the_first_leads_and_the_second_follows_within_thirty_seconds(leading, clock):
    """Nobody has to do anything when a daemon dies."""
    first, second = leading("one"), leading("two")
    assert (first.held, second.held) == ({"c", "poll"}, set())
    assert LEASE_SECONDS + LOOK_SECONDS <= 27, "connecting takes time as well"
    clock.later(LEASE_SECONDS - LOOK_SECONDS)
    second.look()
    assert second.held == set()
    clock.later(LOOK_SECONDS)
    second.look()
    assert second.held == {"c", "poll"}


def test_who_was_silent_too_long_finds_itself_replaced(leading, clock):
    """A daemon that was stopped and goes on does not listen beside its successor."""
    first, second = leading("one"), leading("two")
    clock.later(LEASE_SECONDS)
    second.look()
    first.look()
    assert (first.held, first.displaced) == (set(), False)
    assert first.told == [{"c", "poll"}, set()]


def test_a_daemon_that_comes_back_leads_at_once(leading):
    """A restart under the same name need not wait for the lease of the process that died."""
    leading("one")
    assert leading("one").held == {"c", "poll"}


def test_a_twin_ends_the_elder(leading):
    """Two processes of one name would free each other's work."""
    elder, younger = leading("one"), leading("one")
    elder.look()
    assert (elder.displaced, elder.held, younger.displaced) == (True, set(), False)


def test_while_the_store_is_away_a_leader_leads_until_its_word_is_too_old(leading, store, clock):
    """Nobody else can take what the store cannot give; after that, somebody may have."""
    first = leading("one")
    store.away = True
    clock.later(LEASE_SECONDS - 1)
    first.look()
    assert first.held == {"c", "poll"}
    clock.later(1)
    first.look()
    assert (first.held, first.displaced) == (set(), False)
    store.away = False
    first.look()
    assert first.held == {"c", "poll"}


def test_ending_in_order_gives_everything_up(leading):
    """The next one need not wait."""
    leading("one").stop(5)
    assert leading("two").held == {"c", "poll"}
    assert [thread for thread in threading.enumerate() if thread.name == "leading"] != []
