"""Faults of the stream, each as asked for."""

import pytest
import requests

from tests.unit.sandbox_http.bayeux import references


def test_bayeux_faults_come_as_asked(client, publish, admin):
    """An unknown client, a refused replay id, duplicates and another order, each once."""
    stored = publish("stored")
    one = client().opened()
    admin("/faults", [{"kind": "duplicate_events"}, {"kind": "refuse_replay_id"}])
    assert one.subscribe(replay=stored)["error"].startswith("400::The replayId")
    publish("twice")
    assert references(one.connect()[0]) == ["twice", "twice"]
    admin("/faults", {"kind": "reorder_events"})
    for name in "ab":
        publish(name)
    assert references(one.connect()[0]) == ["b", "a"]
    admin("/faults", {"kind": "bayeux"})
    assert one.connect()[1]["error"] == "403::Unknown client"
    admin("/faults", {"kind": "bayeux", "on": "handshake", "error": "503::Server is too busy"})
    assert one.handshake()["ext"]["sfdc"]["failureReason"] == "503::Server is too busy"
    assert one.handshake()["successful"]


def test_http_faults_hit_streaming_only_when_named(client, admin, box):
    """A plain 503 fault waits for a REST call; bayeux_http answers a poll like REST would."""
    one = client().opened()
    admin("/faults", [{"kind": "http_status"}, {"kind": "bayeux_http", "status": 401}])
    reply = one.session.post(f"{box.instance_url}/cometd/66.0", json=[{"channel": "/meta/connect"}], timeout=10)
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")
    assert one.connect()[1]["successful"]


def test_a_lost_event_is_in_the_log_only(client, publish, admin):
    """No open session is told of it; a replay brings it."""
    one = client().opened()
    admin("/faults", {"kind": "lost_events", "path": "Outcome"})
    first = publish("lost")
    publish("seen")
    assert references(one.connect()[0]) == ["seen"]
    assert references(client().opened(replay=-2).connect()[0]) == ["lost", "seen"]
    assert references(client().opened(replay=first).connect()[0]) == ["seen"]


def test_a_delayed_event_holds_up_those_behind_it(client, publish, admin, box):
    """Late, but in order; whoever replays has it once."""
    box.run(lambda: setattr(box.platform.options, "long_poll_seconds", 8.0))
    one = client().opened()
    admin("/faults", {"kind": "delayed_events", "seconds": 0.2})
    for name in "ab":
        publish(name)
    replaying = client().opened(replay=-2)
    assert references(replaying.connect()[0]) == ["a", "b"]
    assert references(one.connect()[0]) == ["a", "b"]
    box.run(lambda: setattr(box.platform.options, "long_poll_seconds", 0.1))
    assert replaying.connect()[0] == []


def test_a_bayeux_fault_may_give_its_reason(client, admin):
    """503 stands in failureReason beside another error, on subscriptions as well."""
    one = client().opened()
    busy = "503::Server is too busy. Please try your request again later."
    admin("/faults", {"kind": "bayeux", "on": "subscribe", "error": "403::Subscription denied", "reason": busy})
    reply = one.subscribe()
    assert (reply["error"], reply["ext"]["sfdc"]["failureReason"]) == ("403::Subscription denied", busy)
    assert one.subscribe()["successful"]


def test_an_answer_of_the_stream_may_be_cut(client, admin, publish):
    """Named by path, as every fault of the stream; what was in the answer is lost to this session."""
    one = client().opened()
    publish("gone")
    admin("/faults", {"kind": "cut_body", "path": "^/cometd/"})
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        one.connect()
    assert one.connect()[0] == []
