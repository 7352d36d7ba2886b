"""The stream against a scripted CometD server: whatever breaks, no event is lost and no cursor runs ahead."""

import time

import pytest
from structlog.testing import capture_logs

from connector.errors import ConfigError, TransientError
from connector.salesforce.backoff import Backoff
from connector.salesforce.classify import Cause
from connector.salesforce.stream import EventStream, Status, Timings
from tests.unit.stream.ends import CASES, OUTCOMES, FakeTokens, MemorySink, polling, rows, streaming
from tests.unit.stream.fake_org import (
    FakeOrg,
    answers,
    drops,
    hangs,
    loses_answer,
    revokes,
    says,
)

HTML = "<html><body>down for maintenance</body></html>"
DAILY = "403::Organization total events daily limit exceeded"


WOKEN = {
    "401 in a Bayeux body": says("401::Authentication invalid", reconnect="none"),
    "HTTP 401 with a REST array": revokes,
    "unknown client": says("403::Unknown client", reconnect="handshake"),
    "TCP drop": drops,
    "answer lost half way, its events with it": loses_answer,
    "503 html": answers(503, HTML, "text/html"),
    "503 html that says it is JSON": answers(503, HTML),
    "420 from the edge": answers(420, "", "text/plain"),
    "daily limit": says(DAILY),
    "reconnect none without a word": lambda _org, message, _request: [
        {"channel": message["channel"], "id": message["id"], "successful": False, "advice": {"reconnect": "none"}}
    ],
    "an answer that is no list": answers(200, '{"error": "x"}'),
    "an empty list": answers(200, "[]"),
}


@pytest.mark.parametrize("name", WOKEN)
def test_a_long_poll_that_fails_loses_nothing(name):
    """The answer that would have brought events is a fault, and more events follow at once: all of them arrive, none is passed."""
    with FakeOrg(hold_seconds=20) as org, streaming(org, sink := MemorySink()) as stream:
        published = org.publish(OUTCOMES, *rows(5, "before"))
        sink.wait_ids(OUTCOMES, published)
        published += org.interrupt(WOKEN[name], OUTCOMES, *rows(5, "during"))
        published += org.publish(OUTCOMES, *rows(5, "after"))
        sink.wait_ids(OUTCOMES, published)
        assert "disconnect" not in org.seen
        assert stream.last_connect_at is not None
    assert sink.cursors[OUTCOMES] == published[-1]
    assert not sink.gaps
    sink.assert_cursor_never_ahead(OUTCOMES, published)


AT_OPENING = [
    ("handshake", says("403::Handshake denied", reconnect="none")),
    ("handshake", answers(503, HTML, "text/html")),
    ("handshake", revokes),
    ("handshake", drops),
    ("connect", drops),
    ("connect", says("403::Unknown client", reconnect="handshake")),
    ("connect", answers(200, '{"error": "x"}')),
    ("subscribe", drops),
    ("subscribe", loses_answer),
    ("subscribe", says("403::Unknown client", reconnect="handshake")),
    ("subscribe", says("401::Authentication invalid", reconnect="none")),
    ("subscribe", answers(503, HTML, "text/html")),
]


@pytest.mark.parametrize(("step", "fault"), AT_OPENING, ids=[f"{step} {number}" for number, (step, _) in enumerate(AT_OPENING)])
def test_an_opening_that_fails_is_tried_again_from_the_same_cursor(step, fault):
    """Whatever step of connecting breaks, twice in a row, the third time all that is after the cursor arrives."""
    with FakeOrg() as org:
        published = org.publish(OUTCOMES, *rows(6))
        sink = MemorySink()
        sink.cursors[OUTCOMES] = published[1]
        org.script(step, fault, fault)
        with streaming(org, sink):
            sink.wait_ids(OUTCOMES, published[2:])
        assert len(org.sessions) <= 2  # what was opened and failed is not polled on
    assert sink.ids(OUTCOMES) == published[2:]


def test_a_session_the_org_has_forgotten_is_rebuilt_without_a_new_token():
    """Unknown client is no question of the token: no token call, no loss (salesforce.md A.4)."""
    with FakeOrg() as org, streaming(org, sink := MemorySink()) as stream:
        published = org.publish(OUTCOMES, *rows(3))
        sink.wait_ids(OUTCOMES, published)
        org.forget_sessions()
        published += org.publish(OUTCOMES, *rows(3))
        sink.wait_ids(OUTCOMES, published)
        assert stream._tokens.renewals == 0
    assert sink.ids(OUTCOMES) == published


def test_a_forgotten_session_and_a_refused_cursor_are_a_gap_and_the_stream_goes_on():
    """The silent loss of the libraries: here the gap is told once, and everything still kept comes again."""
    with FakeOrg() as org, streaming(org, sink := MemorySink()):
        published = org.publish(OUTCOMES, *rows(3))
        sink.wait_ids(OUTCOMES, published)
        kept = org.on_loop(lambda: org._publish(OUTCOMES, rows(1)))
        sink.wait_ids(OUTCOMES, kept)
        org.on_loop(org.sessions.clear)
        late = org.publish(OUTCOMES, *rows(2))
        org.forget_before(OUTCOMES, late[0])
        sink.wait_ids(OUTCOMES, late)
        org.forget_sessions()
        later = org.publish(OUTCOMES, *rows(2))
        sink.wait_ids(OUTCOMES, later)
    assert sink.gaps == [OUTCOMES]
    assert sink.cursors[OUTCOMES] == later[-1]
    assert (OUTCOMES, -2) in org.replays


def test_a_cursor_that_stays_refused_is_reported_once():
    """A quiet channel keeps its refused cursor; reconnecting does not set off one sweep after the other."""
    with FakeOrg() as org:
        org.forget_before(OUTCOMES, 5)
        sink = MemorySink()
        sink.cursors[OUTCOMES] = 3
        with streaming(org, sink):
            sink.wait(lambda s: s.gaps)
            for _ in range(3):
                org.wait(polling)
                count = len(org.replays)
                org.forget_sessions()
                org.wait(lambda org, count=count: len(org.replays) > count)
            published = org.publish(OUTCOMES, *rows(2))
            sink.wait_ids(OUTCOMES, published)
    assert sink.gaps == [OUTCOMES]
    assert [replay for _, replay in org.replays].count(3) == 1


def test_a_cursor_refused_after_the_org_began_its_ids_anew_follows_the_new_ids():
    """After a gap the cursor may go down: staying at the old number would skip everything."""
    with FakeOrg() as org:
        published = org.publish(OUTCOMES, *rows(4))
        org.forgotten[OUTCOMES] = 100_000
        sink = MemorySink()
        sink.cursors[OUTCOMES] = 99_999
        with streaming(org, sink):
            sink.wait_ids(OUTCOMES, published)
    assert sink.cursors[OUTCOMES] == published[-1]


def test_a_channel_never_read_begins_with_all_that_is_kept():
    """An outcome that exists only as an event must not be missed because the store is new."""
    with FakeOrg() as org:
        published = org.publish(OUTCOMES, *rows(4))
        with streaming(org, sink := MemorySink()):
            sink.wait_ids(OUTCOMES, published)
        assert org.replays == [(OUTCOMES, -2)]
        assert org.versions == {"66.0"}


@pytest.mark.parametrize("failure", [TransientError("token endpoint: 503"), ConfigError("invalid_grant")], ids=["away", "refuses"])
def test_a_token_endpoint_that_fails_twice_does_not_end_the_stream(failure):
    """The library would be dead for good after the first; here each failure is a wait."""
    with FakeOrg() as org, streaming(org, sink := MemorySink()) as stream:
        published = org.publish(OUTCOMES, *rows(2))
        sink.wait_ids(OUTCOMES, published)
        stream._tokens.failures = [failure, failure]
        published += org.interrupt(revokes, OUTCOMES, *rows(2))
        sink.wait_ids(OUTCOMES, published)
        assert stream._tokens.renewals == 1
    sink.assert_cursor_never_ahead(OUTCOMES, published)


def test_the_wait_that_a_token_source_asks_for_is_kept():
    """``retry_after`` is a floor under the back-off."""
    with FakeOrg() as org:
        began = time.monotonic()
        with streaming(org, MemorySink(), TransientError("limit", retry_after=0.3)) as stream:
            stream.states.wait_connected()
        assert time.monotonic() - began >= 0.3


def test_the_daily_limit_is_not_hammered_and_is_told_as_such():
    """Polling can take over; the stream asks again on its long plan, without asking for tokens."""
    with FakeOrg() as org:
        org.script("connect", None, says(DAILY), None, says(DAILY))
        with streaming(org, sink := MemorySink()) as stream:
            stream.states.wait(lambda state: state.cause is Cause.LIMIT_REACHED)
            handshakes = org.seen.count("handshake")
            published = org.publish(OUTCOMES, *rows(2))
            sink.wait_ids(OUTCOMES, published)
            assert stream._tokens.renewals == 0
        assert handshakes <= 2


@pytest.mark.parametrize("script", [hangs, None], ids=["first", "held"])
def test_a_poll_that_is_never_answered_is_noticed(script):
    """A half-open connection says nothing; one and a half times the advised wait is the limit."""
    timings = Timings(backoff=Backoff(0.01, 0.1), poll_seconds=0.4, request_seconds=1, close_seconds=0.1)
    with FakeOrg(hold_seconds=0.4) as org:
        org.script("connect", *([hangs] if script else [None, hangs]))
        with streaming(org, sink := MemorySink(), timings=timings) as stream:
            stream.states.wait(lambda state: state.status is not Status.STOPPED)
            published = org.publish(OUTCOMES, *rows(3))
            sink.wait_ids(OUTCOMES, published)
    assert sink.cursors[OUTCOMES] == published[-1]


def test_replayed_events_inside_the_subscribe_reply_do_not_block_it():
    """Three hundred of them, more than the library's queue holds by default."""
    with FakeOrg() as org:
        org.events_in_subscribe_reply = True
        published = org.publish(OUTCOMES, *rows(300))
        with streaming(org, sink := MemorySink()):
            sink.wait_ids(OUTCOMES, published)
    assert sink.ids(OUTCOMES) == published
    assert [len(events) for _, events, _ in sink.batches] == [200, 100]


def test_duplicates_and_disorder_leave_the_cursor_right():
    """Delivered twice and backwards, in several replies: all arrive, in order within a reply, the cursor at the last."""
    with FakeOrg() as org:
        org.arrange = lambda events: [*reversed(events), *events]
        with streaming(org, sink := MemorySink(), timings=Timings(backoff=Backoff(0.01, 0.1), batch_size=3)):
            published = org.publish(OUTCOMES, *rows(10))
            sink.wait_ids(OUTCOMES, published)
            published += org.publish(OUTCOMES, *rows(10))
            sink.wait_ids(OUTCOMES, published)
    assert sink.ids(OUTCOMES) == published
    assert sink.cursors[OUTCOMES] == published[-1]
    sink.assert_cursor_never_ahead(OUTCOMES, published)


@pytest.mark.parametrize("failure", [TransientError("database is locked"), RuntimeError("a fault in the sink")], ids=str)
def test_a_sink_that_fails_gets_the_same_events_again(failure):
    """What was not accepted is not passed: the connection is rebuilt from the durable cursor."""
    with FakeOrg() as org:
        sink = MemorySink()
        sink.failures = [failure]
        with streaming(org, sink) as stream:
            published = org.publish(OUTCOMES, *rows(3))
            sink.wait_ids(OUTCOMES, published)
            assert stream.alive
    assert sorted(set(sink.ids(OUTCOMES))) == published
    assert {"event-stream"} == sink.threads


def test_one_channel_that_is_refused_does_not_silence_the_others():
    """It is named in the state, so that its records are polled, and asked for again until it is allowed."""
    with FakeOrg() as org:
        org.denied[CASES] = "403::User not allowed to subscribe CDC without View All Data permissions"
        with streaming(org, sink := MemorySink(), channels=(CASES, OUTCOMES)) as stream:
            published = org.publish(OUTCOMES, *rows(2))
            sink.wait_ids(OUTCOMES, published)
            assert stream.state.refused == (CASES,)
            cases = org.publish(CASES, *rows(2))
            org.denied.clear()
            sink.wait_ids(CASES, cases)
            stream.states.wait(lambda state: state.status is Status.CONNECTED and not state.refused)
            assert org.seen.count("handshake") == 1


def test_when_every_channel_is_refused_there_is_no_connection():
    """Connected without a subscription would be a lie."""
    with FakeOrg() as org:
        org.denied[OUTCOMES] = "403::Restricted channel"
        with streaming(org, MemorySink()) as stream:
            stream.states.wait(lambda state: state.cause is Cause.NOT_ALLOWED)
            assert {state.status for state in stream.states} == {Status.LOST}
            assert stream.state.cause is Cause.NOT_ALLOWED


def test_our_own_changes_move_the_cursor_and_nothing_else():
    """Dunwell's writes come back as change events; they set nothing off."""
    with FakeOrg() as org, streaming(org, sink := MemorySink(), channels=(CASES,), own_client_name="dunwell"):
        own = {"ChangeEventHeader": {"changeOrigin": "com/salesforce/api/rest/66.0;client=dunwell", "changeType": "UPDATE"}}
        published = org.publish(CASES, own, own)
        sink.wait(lambda s: s.cursors.get(CASES) == published[-1])
        assert sink.ids(CASES) == []


def test_states_are_told_once_per_change():
    """Connected, lost, connected, stopped: not once per retry."""
    with FakeOrg() as org:
        org.script("handshake", None, drops, drops, drops)
        with streaming(org, sink := MemorySink()) as stream:
            stream.states.wait_connected()
            assert stream.last_connect_at is not None
            org.forget_sessions()
            sink.wait_ids(OUTCOMES, org.publish(OUTCOMES, *rows(1)))
    told = [(state.status, state.cause) for state in stream.states]
    assert told == [
        (Status.CONNECTED, None),
        (Status.LOST, Cause.SESSION_LOST),
        (Status.LOST, Cause.UNREACHABLE),
        (Status.CONNECTED, None),
        (Status.STOPPED, None),
    ]


def test_each_change_of_state_is_one_line(caplog):
    """Retries are silent; the library's own lines, which may hold payloads, are not repeated."""
    with FakeOrg() as org, capture_logs() as lines, streaming(org, sink := MemorySink()):
        sink.wait_ids(OUTCOMES, org.publish(OUTCOMES, *rows(1)))
        org.script("handshake", drops, drops, drops)
        org.forget_sessions()
        sink.wait_ids(OUTCOMES, org.publish(OUTCOMES, *rows(1)))
        org.on_loop(lambda: org.interrupt_with_a_broken_event(OUTCOMES))
        sink.wait_ids(OUTCOMES, org.publish(OUTCOMES, *rows(1)))
    told = [(line["event"], line.get("reason")) for line in lines if line.get("source") == "stream"]
    assert told == [
        ("stream.connected", None),
        ("stream.lost", Cause.SESSION_LOST),
        ("stream.connected", None),
        ("event.parked", "no replay id or no body"),
    ]
    assert not caplog.records


def test_an_interval_that_the_org_asks_for_is_milliseconds():
    """The library takes it for seconds and would not poll again for an hour."""
    with FakeOrg() as org:
        org.interval = 20
        with streaming(org, sink := MemorySink()):
            for _ in range(3):
                sink.wait_ids(OUTCOMES, org.publish(OUTCOMES, *rows(2)))


def test_stopping_says_goodbye_and_is_quick():
    """The org's number of concurrent clients is limited: the session is given back, whatever the poll was doing."""
    with FakeOrg(hold_seconds=30) as org:
        with streaming(org, MemorySink()) as stream:
            org.wait(polling)
            began = time.monotonic()
            assert stream.stop(5)
            assert time.monotonic() - began < 2
            assert not stream.alive
        assert org.seen[-1] == "disconnect"
        assert not org.sessions


@pytest.mark.parametrize("step", ["handshake", "connect", "subscribe", "disconnect"])
def test_stopping_works_at_any_step(step):
    """A server that hangs does not hold up the end."""
    timings = Timings(close_seconds=0.2)
    with FakeOrg(hold_seconds=30) as org:
        org.script(step, hangs)
        with streaming(org, MemorySink(), timings=timings) as stream:
            if step == "disconnect":
                stream.states.wait_connected()
            else:
                org.wait(lambda org: step in org.seen)
            assert stream.stop(5)


def test_a_stream_that_never_began_can_be_stopped():
    """And one that has ended, again."""
    stream = EventStream(FakeTokens(None), "66.0", (OUTCOMES,), MemorySink())
    assert stream.stop(0)
    with FakeOrg() as org, streaming(org, MemorySink()) as stream:
        assert stream.stop(10)
        assert stream.stop(0)
        with pytest.raises(RuntimeError):
            stream.start()


def test_thousands_of_events_take_seconds():
    """Five thousand in one reply, handed over two hundred at a time: at least a thousand a second on a busy machine."""
    with FakeOrg() as org:
        published = org.publish(OUTCOMES, *rows(5000))
        began = time.monotonic()
        with streaming(org, sink := MemorySink()):
            sink.wait(lambda s: s.cursors.get(OUTCOMES) == published[-1])
            seconds = time.monotonic() - began
    assert sink.ids(OUTCOMES) == published
    assert {len(events) for _, events, _ in sink.batches} == {200}
    assert seconds < 5
