"""jsforce's Faye client with its Replay and AuthFailure extensions receives what was published, and what it missed."""

import pytest


@pytest.fixture(scope="module")
def seen(jsforce):
    """What jsforce received, in one go."""
    return jsforce("streaming")


def _references(messages):
    return [one["reference"] for one in messages]


def test_publishing_answers_with_the_event_enqueued(seen):
    """An event's reply is a success that carries OPERATION_ENQUEUED among its errors."""
    for reply in seen["published"]:
        assert reply["success"]
        assert reply["errors"][0]["statusCode"] == "OPERATION_ENQUEUED"


def test_a_fresh_subscriber_gets_new_events_only(seen):
    """-1 starts at now; the message has payload, schema and replay id."""
    assert _references(seen["fresh"]) == ["after-1"]
    assert seen["first"]["payload"]["Installment_Reference__c"] == "parity"
    assert set(seen["first"]["event"]) == {"EventUuid", "replayId"}
    assert len(seen["first"]["schema"]) == 22


def test_everything_retained_is_replayed_in_order(seen):
    """-2 gives all events, and ids rise."""
    assert _references(seen["all"])[-3:] == ["before-1", "before-2", "after-1"]
    ids = [one["replayId"] for one in seen["all"]]
    assert ids == sorted(set(ids))


def test_a_stored_id_gives_what_came_after_it(seen):
    """The event with that id is not given again."""
    assert seen["rest"] == seen["all"][1:]


def test_an_id_never_given_is_refused(seen):
    """The words are those of the platform."""
    assert seen["refusal"].startswith("400::The replayId {99999999} you provided was invalid.")
    assert seen["unknown"].startswith("400::The channel you requested to subscribe to doesn't exist")


def test_a_change_is_told_as_it_was_made(seen):
    """A record made by REST is a CREATE with its id, fields and origin."""
    header = seen["change"]["payload"]["ChangeEventHeader"]
    assert (header["entityName"], header["changeType"], header["recordIds"]) == ("Case", "CREATE", [seen["made"]])
    assert header["changeOrigin"].startswith("com/salesforce/api/rest/66.0")
    assert seen["change"]["payload"]["Subject"] == "Parity"


def test_a_dead_session_is_told_by_the_extension(seen):
    """AuthFailure is called with the refused handshake."""
    assert seen["locked"]["channel"] == "/meta/handshake"
    assert seen["locked"]["ext"]["sfdc"]["failureReason"] == "401::Authentication invalid"
    assert seen["locked"]["advice"]["reconnect"] == "none"
