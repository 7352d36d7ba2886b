"""Of all daemons on one store one leads a name, as long as it says that it lives."""

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

from connector.store import InboxRow, Store

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
NAMES = ["/event/Payment_Outcome__e", "poll"]


def test_one_leads_and_the_others_wait_until_it_falls_silent(store):
    """A name is led by whoever took it, and free again when its lease is over."""
    assert store.lead(NAMES, NOW, 20, owner="one", token="1") == set(NAMES)
    assert store.lead(NAMES, NOW + timedelta(seconds=19), 20, owner="two", token="2") == set()
    assert store.lead(NAMES, NOW + timedelta(seconds=20), 20, owner="two", token="2") == set(NAMES)
    assert store.lead(NAMES, NOW + timedelta(seconds=21), 20, owner="one", token="1") == set()


def test_who_gives_its_word_goes_on_leading(store):
    """Each word counts from the time it was given."""
    store.lead(NAMES, NOW, 20, owner="one", token="1")
    assert store.lead(NAMES, NOW + timedelta(seconds=15), 20, owner="one", token="1") == set(NAMES)
    assert store.lead(NAMES, NOW + timedelta(seconds=30), 20, owner="two", token="2") == set()


def test_each_name_is_led_for_itself(store):
    """A daemon of a newer version may listen to a channel that the older one does not know."""
    store.lead(["poll"], NOW, 20, owner="old", token="1")
    assert store.lead(["poll", "new"], NOW, 20, owner="new", token="2") == {"new"}
    assert store.lead([], NOW, 20, owner="new", token="2") == set()


def test_what_is_given_up_is_free_at_once(store):
    """A daemon that ends in order, or comes back under its name, leaves nobody waiting."""
    store.lead(NAMES, NOW, 20, owner="one", token="1")
    assert store.leave("one") == 2
    assert store.lead(NAMES, NOW, 20, owner="two", token="2") == set(NAMES)


def test_two_processes_of_one_name_are_told_apart(store):
    """A twin that was started by mistake does not lead what the other leads."""
    store.lead(NAMES, NOW, 20, owner="one", token="1")
    assert store.lead(NAMES, NOW, 20, owner="one", token="2") == set()


def test_of_many_that_ask_at_once_one_gets_it(shared_url):
    """Whatever the database does at the same time, a name has one leader."""
    start, found = Barrier(4), []

    def ask(owner):
        with Store.open(shared_url) as own:
            start.wait()
            found.extend(own.lead(["poll"], NOW, 20, owner=owner, token=owner))

    askers = [Thread(target=ask, args=[str(number)]) for number in range(4)]
    for one in askers:
        one.start()
    for one in askers:
        one.join()
    assert found == ["poll"]


def test_events_in_hand_are_kept_by_whoever_has_them_and_nobody_else(store):
    """A claim is lengthened as a whole, or not at all when one event is in other hands."""
    store.accept("c", [InboxRow("c", number, None, "{}", NOW) for number in (1, 2)], 2)
    ids = [row.id for row in store.take_inbox(10, NOW, seconds=60, owner="one")]
    assert store.renew_inbox(ids, NOW + timedelta(seconds=50), seconds=60, owner="one")
    assert store.take_inbox(10, NOW + timedelta(seconds=100), owner="two") == []
    assert len(store.take_inbox(1, NOW + timedelta(seconds=110), owner="two")) == 1
    assert not store.renew_inbox(ids, NOW + timedelta(seconds=110), seconds=60, owner="one")
