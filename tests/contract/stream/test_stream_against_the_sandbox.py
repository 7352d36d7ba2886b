"""The event stream against the local org: the same promises as against the scripted server, by another reading of the protocol."""

import time
from contextlib import contextmanager
from decimal import Decimal

import pytest

from connector.salesforce.backoff import Backoff
from connector.salesforce.classify import Cause
from connector.salesforce.stream import EventStream, Timings
from tests.contract.stream.conftest import OUTCOMES
from tests.unit.stream.ends import MemorySink, States

CASES = "/data/CaseChangeEvent"
QUICK = Timings(backoff=Backoff(0.01, 0.1), long_backoff=Backoff(0.2, 0.4), close_seconds=1)


@contextmanager
def streaming(world, sink, channels=(OUTCOMES,)):
    """A stream of the integration user that begins after what is there already, unless the sink knows better."""
    for channel in channels:
        if (last := world.last(channel)) and channel not in sink.cursors:
            sink.cursors[channel] = last
    states = States()
    stream = EventStream(world.tokens(), "66.0", channels, sink, on_state=states, timings=QUICK)
    stream.states = states
    stream.start()
    try:
        yield stream
    finally:
        assert stream.stop(15)


def test_what_is_published_arrives_with_its_uuid_and_exact_amount(world):
    """Payload, EventUuid (API 52.0 and later only) and the cursor."""
    with streaming(world, sink := MemorySink()):
        published = world.publish(3)
        sink.wait_ids(OUTCOMES, published)
    events = [event for _, events, _ in sink.batches for event in events]
    assert [event.payload["Provider_Reference__c"] for event in events] == ["r0", "r1", "r2"]
    assert {event.payload["Amount__c"] for event in events} == {Decimal("12.1")}
    assert len({event.event_uuid for event in events}) == 3
    assert all(event.event_uuid and event.created_at for event in events)
    assert sink.cursors[OUTCOMES] == published[-1]


FAULTS = {
    "401 in the body": {"kind": "bayeux", "error": "401::Authentication invalid", "advice": {"reconnect": "none"}},
    "unknown client": {"kind": "bayeux", "error": "403::Unknown client", "advice": {"reconnect": "handshake"}},
    "daily limit": {"kind": "bayeux", "error": "403::Organization total events daily limit exceeded"},
    "closed": {"kind": "bayeux", "error": "", "advice": {"reconnect": "none"}},
    "handshake denied": {"kind": "bayeux", "on": "handshake", "error": "503::Server is too busy", "count": 2},
    "401 like REST": {
        "kind": "bayeux_http", "path": "^/cometd/", "status": 401,
        "body": [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}],
    },
    "503 html": {"kind": "http_status", "path": "^/cometd/", "count": 3},
    "drop": {"kind": "drop", "path": "^/cometd/", "count": 3},
    "answer lost": {"kind": "timeout_after_commit", "path": "^/cometd/", "count": 2},
    "duplicates": {"kind": "duplicate_events", "count": 5},
    "disorder": {"kind": "reorder_events", "count": 5},
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_no_event_is_lost_whatever_the_org_does(world, name):
    """Every fault that the org can be told to have, while events are published: all arrive, the cursor is right."""
    sink = MemorySink()
    with streaming(world, sink):
        published = world.publish(3)
        sink.wait_ids(OUTCOMES, published)
        world.admin("/faults", FAULTS[name])
        for _ in range(4):
            published += world.publish(5)
        sink.wait_ids(OUTCOMES, published)
        published += world.publish(2)
        sink.wait_ids(OUTCOMES, published)
    assert sink.cursors[OUTCOMES] == published[-1]
    assert not sink.gaps
    sink.assert_cursor_never_ahead(OUTCOMES, published)


def test_sessions_and_tokens_that_end_are_renewed(world):
    """The org moves hosts; tokens expire; tokens are revoked."""
    sink = MemorySink()
    with streaming(world, sink):
        published = world.publish(2)
        sink.wait_ids(OUTCOMES, published)
        for path in ("/streams/drop", "/tokens/expire", "/tokens/revoke"):
            world.admin(path, {})
            published += world.publish(3)
            published += world.publish(3)
            sink.wait_ids(OUTCOMES, published)
    assert not sink.gaps
    sink.assert_cursor_never_ahead(OUTCOMES, published)


def test_a_cursor_older_than_what_is_kept_is_a_gap(world):
    """Events of 72 hours ago are gone: that is told once, and what is still there arrives."""
    lost = world.publish(3)
    kept = world.publish(3)
    world.admin("/retention", {"before_replay_id": kept[0]})
    sink = MemorySink()
    sink.cursors[OUTCOMES] = lost[0]
    with streaming(world, sink):
        sink.wait_ids(OUTCOMES, kept)
        more = world.publish(2)
        sink.wait_ids(OUTCOMES, more)
    assert sink.gaps == [OUTCOMES]
    assert sink.cursors[OUTCOMES] == more[-1]
    assert not set(lost) & set(sink.ids(OUTCOMES))


def test_replayed_events_inside_the_subscribe_reply(world):
    """Salesforce may do it; three hundred of them do not block."""
    world.admin("/settings", {"replay_in_subscribe": True})
    sink = MemorySink()
    sink.cursors[OUTCOMES] = world.publish(1)[0]
    published = world.publish(300)
    with streaming(world, sink):
        sink.wait_ids(OUTCOMES, published)
    assert sink.ids(OUTCOMES) == published


def test_changes_by_people_arrive_and_our_own_do_not(world):
    """The client name in ``Sforce-Call-Options`` comes back in ``changeOrigin``; the cursor moves past our own."""
    case = world.call("POST", "sobjects/Case", {"Subject": "A question"})["id"]
    with streaming(world, sink := MemorySink(), channels=(CASES, OUTCOMES)) as stream:
        stream.states.wait_connected()
        world.call("PATCH", f"sobjects/Case/{case}", {"Priority": "High"})
        world.call("PATCH", f"sobjects/Case/{case}", {"Priority": "Low"}, client="dunwell")
        last = world.last(CASES)
        sink.wait(lambda s: s.cursors.get(CASES) == last)
        world.admin("/gap", {"sobject": "Case", "ids": [case]})
        last = world.last(CASES)
        sink.wait(lambda s: s.cursors.get(CASES) == last)
    changes = [event.change for name, events, _ in sink.batches for event in events if name == CASES]
    assert [(change.kind, change.is_gap, change.record_ids) for change in changes][-2:] == [
        ("UPDATE", False, (case,)),
        ("GAP_UPDATE", True, (case,)),
    ]
    assert "Priority" in changes[-2].changed_fields
    assert all(change.client != "dunwell" for change in changes)


def test_the_daily_delivery_limit_is_told_and_the_stream_comes_back_when_it_is_over(world):
    """Meanwhile polling is a full transport; nothing published in between is lost."""
    with streaming(world, sink := MemorySink()) as stream:
        published = world.publish(2)
        sink.wait_ids(OUTCOMES, published)
        world.admin("/usage", {"events_delivered": 25_001})
        published += world.publish(2)
        stream.states.wait(lambda state: state.cause is Cause.LIMIT_REACHED)
        published += world.publish(2)
        world.admin("/usage", {"events_delivered": 0})
        sink.wait_ids(OUTCOMES, published)


def test_stopping_gives_the_session_back(world):
    """The number of concurrent clients is limited."""

    def sessions():
        return {session["client_id"] for session in world.admin("/streams", method="GET")}

    before = sessions()
    with streaming(world, MemorySink()) as stream:
        stream.states.wait_connected()
        mine = sessions() - before
        assert len(mine) == 1
        assert stream.stop(5)
        assert not mine & sessions()


def test_thousands_of_events_arrive_in_seconds(world):
    """Three thousand that were published while the daemon was away."""
    sink = MemorySink()
    sink.cursors[OUTCOMES] = world.publish(1)[0]
    published = world.publish(3000)
    began = time.monotonic()
    with streaming(world, sink):
        sink.wait(lambda s: s.cursors[OUTCOMES] == published[-1])
        seconds = time.monotonic() - began
    assert sink.ids(OUTCOMES) == published
    assert seconds < 6
