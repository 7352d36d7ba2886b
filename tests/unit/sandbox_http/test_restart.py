"""What outlives the process of an org with a store: its records, and the events it retained."""

from datetime import UTC, datetime

import pytest

from sandbox.options import Options
from sandbox.org.clock import Clock
from sandbox.org.metadata import load_schema
from sandbox.org.org import Org
from sandbox.server import Box, Setup
from tests.unit.sandbox_http.bayeux import EVENTS, Bayeux, references

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def reopened(dx, tmp_path):
    """Serves the same store again and again."""

    def serve():
        setup = Setup(now=NOW, store=tmp_path / "org.db", options=Options(long_poll_seconds=0.2))
        return Box(setup, lambda asked, log: Org(load_schema([dx]), Clock(asked.now), store=asked.store, events=log))

    return serve


def publish(box, reference):
    """Publish an event and return its replay id."""
    box.run(lambda: box.org.publish("Outcome__e", {"Reference__c": reference}, session=box.org.system))
    return box.log.last_replay_id()


def replayed(box, replay):
    """What a new client is given from a replay id on."""
    one = Bayeux(box, box.token("admin@sandbox.example"))
    with one.session:
        return references(one.opened(EVENTS, replay).connect()[0])


def test_an_org_opened_anew_replays_what_it_retained(reopened):
    """A stored replay id is still good, and ids go on rising."""
    with reopened() as box:
        first = publish(box, "a")
        last = publish(box, "b")
    with reopened() as box:
        assert replayed(box, first) == ["b"]
        assert publish(box, "c") > last
        assert replayed(box, first) == ["b", "c"]


def test_a_new_store_has_no_events_of_an_old_one(reopened, tmp_path):
    """Whoever removes the store removes its past: ids of it are refused, and none is issued twice."""
    with reopened() as box:
        old = publish(box, "a")
    for file in tmp_path.glob("org.db*"):
        if "events" not in file.name:
            file.unlink()
    with reopened() as box:
        assert replayed(box, -2) == []
        assert publish(box, "b") > old


def test_transactions_are_numbered_on(reopened):
    """Commit numbers rise from one run to the next."""
    numbers = []
    for _ in range(2):
        with reopened() as box:
            box.run(lambda: box.org.create("Case", {"Subject": "a"}, session=box.org.system))
            events = box.log.since("/data/CaseChangeEvent", -2)
            numbers = [event.payload["ChangeEventHeader"]["commitNumber"] for event in events]
    assert len(numbers) == 2
    assert numbers == sorted(set(numbers))
