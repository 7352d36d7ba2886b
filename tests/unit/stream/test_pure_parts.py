"""The parts of the stream that neither wait nor talk: reading, classifying, ordering, counting seconds."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from aiocometd_ng.exceptions import TransportError
from aiosfstream_ng.exceptions import ServerError
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import ConfigError, PermanentError, TransientError
from connector.salesforce.backoff import LONG, SHORT, Backoff
from connector.salesforce.classify import Cause, StreamError, cause_of_text, fault_of_body, fault_of_error, fault_of_message
from connector.salesforce.cometd import _LOADS, OrgClient
from connector.salesforce.events import ChangeHeader, decode
from connector.salesforce.pending import Pending
from connector.salesforce.watchdog import Pulse


def message(replay_id, channel="/event/A__e", **payload):
    """One event as it comes over the wire."""
    event = {"replayId": replay_id, "EventUuid": f"u{replay_id}"}
    return {"channel": channel, "data": {"schema": "s", "payload": payload, "event": event}}


def change(replay_id, origin="", kind="UPDATE"):
    """One change event."""
    header = {
        "entityName": "Case", "recordIds": ["500000000000001AAA"], "changeType": kind, "changedFields": ["Status"],
        "changeOrigin": origin, "transactionKey": "t", "sequenceNumber": 1, "commitTimestamp": 1772438400123, "commitUser": "005",
    }  # fmt: skip
    return message(replay_id, "/data/CaseChangeEvent", ChangeEventHeader=header, Status="Closed")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("400::API version in the URI is mandatory. URI format: '/cometd/66.0'", Cause.NOT_ALLOWED),
        ("400::The channel you requested to subscribe to doesn't exist {/event/X__e}", Cause.NOT_ALLOWED),
        ("400::Client 41k has established a session, but no BAYEUX_BROWSER cookie present", Cause.SESSION_LOST),
        ("400::The replayId {9} you provided was invalid. Please provide a valid ID, -2 to replay all.", Cause.REPLAY_REFUSED),
        ("401::Authentication invalid", Cause.TOKEN_EXPIRED),
        ("401::Request requires authentication", Cause.TOKEN_EXPIRED),
        ("403::Handshake denied", Cause.TOKEN_EXPIRED),
        ("403:denied_by_security_policy:create_denied", Cause.TOKEN_EXPIRED),
        ("403::Unknown client", Cause.SESSION_LOST),
        ("402::Unknown client", Cause.SESSION_LOST),
        ("403::Client has not completed handshake", Cause.SESSION_LOST),
        ("403::Organization concurrent user limit exceeded", Cause.LIMIT_REACHED),
        ("403::Organization total events daily limit exceeded", Cause.LIMIT_REACHED),
        ("403::Restricted channel", Cause.NOT_ALLOWED),
        ("403::User not allowed to subscribe CDC without View All Data permissions", Cause.NOT_ALLOWED),
        ("403::Subscription limit exceeded for this topic", Cause.NOT_ALLOWED),
        ("413::Maximum Request Size Exceeded", Cause.NOT_ALLOWED),
        ("503::Server is too busy", Cause.SERVER_BUSY),
        ("something unheard of", Cause.SESSION_LOST),
    ],
)
def test_every_error_of_the_catalogue_has_one_cause(text, cause):
    """The documented Bayeux errors (salesforce.md D.3) are told apart by who must act and how."""
    assert cause_of_text(text) is cause


def test_the_failure_reason_of_a_denied_handshake_says_more_than_the_error():
    """A busy org denies handshakes too; a new token would not help then."""
    denied = {"channel": "/meta/handshake", "successful": False, "error": "403::Handshake denied"}
    busy = denied | {"ext": {"sfdc": {"failureReason": "503::Server is too busy"}}}
    assert fault_of_message(denied).cause is Cause.TOKEN_EXPIRED
    assert fault_of_message(busy).cause is Cause.SERVER_BUSY


def test_an_answer_without_words_is_judged_by_its_advice():
    """``reconnect: none`` without an error is the org hanging up; anything else is a lost session."""
    bare = {"channel": "/meta/connect", "successful": False}
    assert fault_of_message(bare | {"advice": {"reconnect": "none"}}).cause is Cause.CLOSED_BY_ORG
    assert fault_of_message(bare).cause is Cause.SESSION_LOST


def test_only_refusals_of_a_channel_are_its_own():
    """A forgotten session on subscribe concerns the connection, a missing permission the one channel."""
    answer = {"channel": "/meta/subscribe", "subscription": "/event/A__e", "successful": False}
    assert fault_of_message(answer | {"error": "403::Restricted channel"}).channel == "/event/A__e"
    assert fault_of_message(answer | {"error": "403::Unknown client"}).channel is None


def test_answers_that_are_no_messages_are_named():
    """A REST error array, an object, or text where Bayeux belongs never passes for a message."""
    assert fault_of_body([{"channel": "/meta/connect"}]) is None
    assert fault_of_body([]) is None
    assert fault_of_body([{"errorCode": "INVALID_SESSION_ID", "message": "x"}]).cause is Cause.TOKEN_EXPIRED
    assert fault_of_body([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "x"}]).cause is Cause.LIMIT_REACHED
    assert fault_of_body([{"error": "400::Unsupported API version", "successful": False}]).cause is Cause.NOT_ALLOWED
    assert fault_of_body([{"surprise": 1}]).cause is Cause.UNREADABLE
    assert fault_of_body(["text"]).cause is Cause.UNREADABLE
    assert fault_of_body({"error": "x"}).cause is Cause.UNREADABLE


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (StreamError(Cause.SILENT), Cause.SILENT),
        (ConfigError("the key is not approved"), Cause.LOGIN_REFUSED),
        (TransientError("no answer", 7), Cause.UNREACHABLE),
        (PermanentError("no"), Cause.INTERNAL),
        (TransportError("503, message='Service Unavailable', url='http://localhost/cometd'"), Cause.SERVER_BUSY),
        (TransportError("401, message='x', url='http://localhost/cometd'"), Cause.TOKEN_EXPIRED),
        (TransportError("200, message='Attempt to decode JSON with unexpected mimetype', url='x'"), Cause.UNREACHABLE),
        (TransportError("Cannot connect to host"), Cause.UNREACHABLE),
        (ServerError("Connect failed", {"channel": "/meta/connect", "error": "403::Unknown client"}), Cause.SESSION_LOST),
        (TimeoutError(), Cause.UNREACHABLE),
        (json.JSONDecodeError("no", "x", 0), Cause.UNREADABLE),
        (KeyError("channel"), Cause.INTERNAL),
    ],
)
def test_every_exception_becomes_one_fault(error, cause):
    """Whatever ends a connection, the supervisor has one word for it, and the wait that the error asks for is kept."""
    fault = fault_of_error(error)
    assert fault.cause is cause
    assert "localhost" not in str(fault)
    assert fault.retry_after == getattr(error, "retry_after", None)


@given(st.integers(0, 5000), st.floats(0, 0.999))
def test_a_wait_is_bounded_and_never_shrinks_below_its_jitter(attempt, chance):
    """No number of failures makes a wait longer than the limit, or turns it into a storm."""
    for plan in (SHORT, LONG):
        assert plan.first_seconds * (1 - plan.jitter) <= plan.delay(attempt, chance) <= plan.limit_seconds


def test_waits_double_from_a_fifth_of_a_second_to_a_minute():
    """The documented default."""
    assert [round(SHORT.delay(n, 0), 1) for n in range(10)] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 60.0]
    assert Backoff(1, 8, jitter=0.5).delay(2, 0.5) == 3


def test_silence_is_measured_against_the_advice_of_the_org():
    """The long poll is overdue one and a half times as long after the last answer as the org says it holds it."""
    pulse = Pulse(seconds=110, factor=1.5, last=1000)
    assert pulse.left(1000) == 165
    pulse.advise(2000)
    pulse.advise(0)
    pulse.advise("x")
    pulse.beat(1001)
    assert pulse.left(1004) == 0


def test_a_platform_event_is_read_with_exact_numbers():
    """Amounts arrive as Decimal, ids and counts as int, the time aware."""
    text = json.dumps(message(7, Amount__c=0.1, CreatedDate="2026-03-02T08:00:00.517Z")).replace('"s"', "1.10")
    event = decode(_LOADS(text))
    assert (event.channel, event.replay_id, event.event_uuid, event.change) == ("/event/A__e", 7, "u7", None)
    assert event.payload["Amount__c"] == Decimal("0.1")
    assert event.created_at == datetime(2026, 3, 2, 8, 0, 0, 517000, tzinfo=UTC)


def test_a_change_event_tells_what_changed_and_who_did_it():
    """The header is typed; the client name is what ``Sforce-Call-Options`` put into the origin."""
    header = decode(change(7, "com/salesforce/api/rest/66.0;client=dunwell")).change
    assert header.record_ids == ("500000000000001AAA",)
    assert (header.entity, header.kind, header.client, header.is_gap) == ("Case", "UPDATE", "dunwell", False)
    assert header.committed_at == datetime(2026, 3, 2, 8, 0, 0, 123000, tzinfo=UTC)
    assert ChangeHeader("Case", "GAP_UPDATE", ("000000000000000AAA",)).is_gap
    assert ChangeHeader("Case", "UPDATE", (), origin="com/salesforce/core").client is None


@pytest.mark.parametrize(
    "broken",
    [{}, {"channel": "/event/A__e"}, message("7"), message(True), {"channel": "/event/A__e", "data": {"event": {"replayId": 1}}}],
)
def test_what_cannot_be_ordered_is_not_an_event(broken):
    """Without a replay id or a body there is nothing to hand over."""
    assert decode(broken) is None


def test_a_malformed_header_or_date_does_not_hide_the_event():
    """A hint that is partly unreadable is still a hint."""
    event = decode(message(1, "/data/X", ChangeEventHeader={"recordIds": "x", "commitTimestamp": 10**30}, CreatedDate="soon"))
    assert (event.change.record_ids, event.created_at) == ((), None)
    assert decode(message(1, CreatedDate="soon")).created_at is None


def test_what_arrives_out_of_order_is_put_right_before_it_is_cut_into_batches():
    """Else the durable cursor of the first batch would pass an event of the second."""
    pending = Pending("dunwell")
    pending.begin("/event/A__e", 1)
    for replay_id in (9, 3, 5, 3, 7):
        pending.add(message(replay_id))
    first, second = pending.take(2), pending.take(10)
    assert ([e.replay_id for e in first.events], first.cursor) == ([3, 5], 5)
    assert ([e.replay_id for e in second.events], second.cursor) == ([7, 9], 9)
    assert pending.take(1) is None
    assert not pending


def test_a_repeated_old_event_does_not_move_the_cursor_back():
    """Redelivery happens; the cursor only goes on."""
    pending = Pending("dunwell")
    pending.begin("/event/A__e", 8)
    pending.add(message(5))
    assert pending.take(10).cursor == 8
    pending.begin("/event/A__e", None)
    pending.add(message(2))
    assert pending.take(10).cursor == 2


def test_our_own_changes_are_dropped_and_the_cursor_passes_them():
    """No loop through our own writes; a gap, a namesake of nothing, and people's changes are kept."""
    pending = Pending("dunwell")
    own = "com/salesforce/api/rest/66.0;client=dunwell"
    pending.add(change(1, own))
    batch = pending.take(10)
    assert (list(batch.events), batch.cursor) == ([], 1)
    for replay_id, origin, kind in ((2, own, "UPDATE"), (3, own, "GAP_UPDATE"), (4, "", "UPDATE"), (5, own + "x", "UPDATE")):
        pending.add(change(replay_id, origin, kind))
    batch = pending.take(10)
    assert ([e.replay_id for e in batch.events], batch.cursor) == ([3, 4, 5], 5)


def test_unusable_events_are_counted_by_channel():
    """They are reported, not passed over in silence."""
    pending = Pending("dunwell")
    pending.add(message("x"))
    assert pending.unusable == {"/event/A__e": 1}
    assert pending.take(5) is None


@given(st.lists(st.integers(1, 60), max_size=80), st.integers(1, 9))
def test_no_batch_has_a_cursor_beyond_an_event_still_queued(ids, limit):
    """For any order of arrival and any batch size, a crash between two batches loses nothing that had arrived."""
    pending = Pending("dunwell")
    for replay_id in ids:
        pending.add(message(replay_id))
    left = set(ids)
    while (batch := pending.take(limit)) is not None:
        left -= {event.replay_id for event in batch.events}
        assert all(replay_id > batch.cursor for replay_id in left)
    assert not left


@pytest.mark.parametrize("url", ["http://x.my.salesforce.com", "http://localhost.example.com", "ftp://localhost", ""])
def test_a_token_is_never_sent_in_the_clear(url):
    """An instance URL that would do so is refused before a connection is made; plain http is for this machine only."""
    with pytest.raises(ConfigError):
        OrgClient("token", url, "66.0", None)


def test_default_waits_suit_a_daily_limit():
    """What seconds do not change is asked again after a minute at first, an hour at most."""
    assert timedelta(seconds=LONG.delay(0, 0)) == timedelta(minutes=1)
    assert timedelta(seconds=LONG.delay(99, 0)) == timedelta(hours=1)
