"""CometD streaming: handshakes, replay, held polls, change events and the errors of bad days."""

from concurrent.futures import Future

import pytest
import requests

from tests.unit.sandbox_http.bayeux import CASES, EVENTS, Bayeux, references


def test_the_first_connect_answers_at_once_with_advice(client):
    """Handshake offers replay and long polling only; the first connect tells how long polls last."""
    one = client()
    reply = one.handshake()
    assert (reply["ext"], reply["supportedConnectionTypes"]) == ({"replay": True, "payload.format": True}, ["long-polling"])
    assert one.connect()[1]["advice"] == {"interval": 0, "timeout": 300, "reconnect": "retry"}
    assert "advice" not in one.connect()[1]


def test_an_event_wakes_the_poll_that_waits(client, publish, later, box):
    """A held poll answers as soon as something is published, with the events first."""
    box.run(lambda: setattr(box.platform.options, "long_poll_seconds", 8.0))
    one = client().opened()
    held: Future = later(one.connect)
    replay_id = publish("now")
    events, reply = held.result(timeout=5)
    assert reply["successful"]
    (event,) = events
    assert (event["channel"], event["data"]["event"]["replayId"]) == (EVENTS, replay_id)
    assert event["data"]["payload"] | {"Reference__c": "now"} == event["data"]["payload"]
    assert event["data"]["payload"]["CreatedDate"].endswith("Z")
    assert set(event["data"]["event"]) == {"EventUuid", "replayId"}


def test_several_events_come_in_one_reply(client, publish):
    """What was published between polls is delivered together, in order."""
    one = client().opened()
    for number in range(3):
        publish(str(number))
    assert references(one.connect()[0]) == ["0", "1", "2"]
    assert one.connect()[0] == []


@pytest.mark.parametrize(("replay", "expected"), [(None, ["new"]), (-1, ["new"]), (-2, ["a", "b", "new"])])
def test_replay_begins_where_asked(client, publish, replay, expected):
    """No replay id or -1 means new events, -2 everything retained."""
    publish("a")
    publish("b")
    one = client().opened(replay=replay)
    publish("new")
    seen = []
    while len(seen) < len(expected):
        seen += references(one.connect()[0])
    assert seen == expected


def test_replay_continues_after_a_stored_id(client, publish):
    """An issued id brings the events after it, and ids are not contiguous."""
    first = publish("a")
    second = publish("b")
    assert second - first > 1
    assert references(client().opened(replay=first).connect()[0]) == ["b"]


def test_an_id_that_is_not_retained_is_refused(client, publish, admin):
    """Expired ids, ids never issued and ids of the future are all 400."""
    old = publish("a")
    publish("b")
    admin("/retention", {"before_replay_id": old + 1})
    one = client().opened()
    for replay in (old, old + 1, old + 1000):
        text = f"400::The replayId {{{replay}}} you provided was invalid.  Please provide a valid ID, -2 to replay all events, or -1 to replay only new events."
        reply = one.subscribe(replay=replay)
        assert (reply["successful"], reply["error"]) == (False, text)


def test_events_expire_after_three_days_of_org_time(client, publish, admin):
    """Retention follows the org's clock."""
    publish("old")
    admin("/clock", {"advance_seconds": 73 * 3600})
    publish("fresh")
    assert references(client().opened(replay=-2).connect()[0]) == ["fresh"]


def test_replayed_events_may_come_inside_the_reply_to_subscribe(client, publish, admin):
    """An option, because nobody documents which reply carries them."""
    publish("a")
    admin("/settings", {"replay_in_subscribe": True})
    one = client().opened()
    event, reply = one.send(
        {"channel": "/meta/subscribe", "clientId": one.client_id, "subscription": EVENTS, "id": "9", "ext": {"replay": {EVENTS: -2}}}
    )
    assert references([event]) == ["a"]
    assert reply["successful"]


def test_an_unknown_client_is_told_to_shake_hands_again(client, admin):
    """After the org forgot a session the advice is handshake, without a clientId."""
    one = client().opened()
    admin("/streams/drop", {})
    assert one.connect()[1] == {
        "channel": "/meta/connect",
        "id": "2",
        "successful": False,
        "error": "403::Unknown client",
        "advice": {"interval": 0, "reconnect": "handshake"},
    }


def test_a_client_that_stays_silent_is_forgotten(client, box):
    """Without a poll in time the session is gone."""
    one = client().opened()
    box.run(lambda: setattr(box.broker.clients[one.client_id], "last_seen", box.broker.clients[one.client_id].last_seen - 41))
    assert one.connect()[1]["error"] == "403::Unknown client"


def test_a_dead_token_is_an_error_of_the_poll(client, admin):
    """An expired token ends polling with advice none, and handshakes say why they fail."""
    one = client().opened()
    admin("/tokens/expire", {})
    reply = one.connect()[1]
    assert (reply["error"], reply["advice"]) == ("401::Authentication invalid", {"reconnect": "none", "interval": 0})
    refused = one.handshake()
    assert (refused["error"], refused["ext"]["sfdc"]["failureReason"]) == ("403::Handshake denied", "401::Authentication invalid")


def test_revoking_a_token_ends_the_held_poll(client, admin, later, box):
    """Whoever is revoked is not kept waiting."""
    box.run(lambda: setattr(box.platform.options, "long_poll_seconds", 8.0))
    one = client().opened()
    held = later(one.connect)
    admin("/tokens/revoke", {"username": "admin@sandbox.example"})
    assert held.result(timeout=5)[1]["successful"] is False


def test_the_browser_cookie_must_come_back(client):
    """A session without its cookie is refused with 400."""
    one = client().opened()
    one.session.cookies.clear()
    assert one.connect()[1]["error"] == f"400::Client {one.client_id} has established a session, but no BAYEUX_BROWSER cookie present"


def test_a_channel_that_does_not_exist_is_refused(client):
    """The channel stands in the text."""
    one = client().opened()
    assert one.subscribe("/event/Nothing__e")["error"] == "400::The channel you requested to subscribe to doesn't exist {/event/Nothing__e}"
    assert one.subscribe("event")["error"] == "400::Channel subscriptions must start with a leading '/'"


def test_a_version_is_mandatory_and_old_ones_carry_no_uuid(client, publish, box):
    """/cometd without a version is 400; EventUuid came with version 52.0."""
    assert requests.post(f"{box.instance_url}/cometd", json=[], timeout=10).status_code == 400
    one = client(version="45.0").opened()
    publish("a")
    assert "EventUuid" not in one.connect()[0][0]["data"]["event"]


def test_a_body_too_large_is_refused(box):
    """More than 32,768 bytes answer 413."""
    assert requests.post(f"{box.instance_url}/cometd/66.0", json=["x" * 33_000], timeout=10).status_code == 413


def test_leaving_works(client, publish):
    """After unsubscribe nothing comes, after disconnect the client is unknown."""
    one = client().opened()
    assert one.send({"channel": "/meta/unsubscribe", "clientId": one.client_id, "subscription": EVENTS, "id": "4"})[0]["successful"]
    publish("a")
    assert one.connect()[0] == []
    assert one.send({"channel": "/meta/disconnect", "clientId": one.client_id, "id": "5"})[0]["successful"]
    assert one.connect()[1]["error"] == "403::Unknown client"


def test_the_daily_delivery_limit_stops_polls(client, publish, admin):
    """When the limit is used up the poll says so."""
    one = client().opened()
    publish("a")
    assert len(one.connect()[0]) == 1
    admin("/settings", {"event_limit": 1})
    assert one.connect()[1]["error"] == "403::Organization total events daily limit exceeded"
    admin("/clock", {"advance_seconds": 86_400})
    assert one.connect()[1]["successful"]


def test_a_new_poll_releases_the_older_one(client, later, box):
    """One poll a session: the one before is answered empty."""
    box.run(lambda: setattr(box.platform.options, "long_poll_seconds", 8.0))
    one = client().opened()
    first = later(one.connect)
    while not box.run(lambda: box.broker.clients[one.client_id].polling):
        pass
    second = later(one.connect)
    assert first.result(timeout=5) == ([], {"clientId": one.client_id, "channel": "/meta/connect", "id": "2", "successful": True})
    box.run(box.broker.drop)
    second.result(timeout=5)


def test_a_change_carries_only_what_changed_and_by_whom(client, call):
    """CREATE has the values, UPDATE the changed fields and LastModifiedDate, and the client's name is in the origin."""
    one = client().opened(CASES)
    call.session.headers["Sforce-Call-Options"] = "client=dunwell"
    case_id = call.create("Case", Subject="Billing", Status="New")
    call("PATCH", f"sobjects/Case/{case_id}", json={"Subject": "Billing again"})
    created, updated = (event["data"]["payload"] for event in one.connect()[0])
    header = updated.pop("ChangeEventHeader")
    assert created["ChangeEventHeader"]["changeType"] == "CREATE"
    assert created["Subject"] == "Billing"
    assert (header["changeType"], header["entityName"], header["recordIds"]) == ("UPDATE", "Case", [case_id])
    assert header["changedFields"] == ["Subject", "LastModifiedDate"]
    assert updated.keys() == {"Subject", "LastModifiedDate"}
    assert header["changeOrigin"] == "com/salesforce/api/rest/66.0;client=dunwell"


def test_rows_changed_alike_share_one_change_event(client, call):
    """One collection, one transaction: the same change to several rows names them all."""
    ids = [call.create("Case", Subject=str(number)) for number in range(3)]
    one = client().opened(CASES)
    records = [{"attributes": {"type": "Case"}, "id": case_id, "Status": "Working"} for case_id in ids]
    call("PATCH", "composite/sobjects", json={"records": records})
    (event,) = one.connect()[0]
    assert event["data"]["payload"]["ChangeEventHeader"]["recordIds"] == ids


def test_what_was_rolled_back_is_never_seen(client, call):
    """A failing allOrNone publishes nothing, nor do objects that are not captured."""
    one = client().opened("/data/ChangeEvents")
    records = [{"attributes": {"type": "Case"}, "Subject": "x"}, {"attributes": {"type": "Case"}, "No_Such__c": 1}]
    call("POST", "composite/sobjects", json={"allOrNone": True, "records": records})
    call.create("Account", Name="not captured")
    call.create("Thing__c", Name="captured")
    (event,) = one.connect()[0]
    assert event["data"]["payload"]["ChangeEventHeader"]["entityName"] == "Thing__c"
    assert event["channel"] == "/data/ChangeEvents"


def test_a_gap_carries_no_fields(client, admin):
    """Gap events name the rows only."""
    one = client().opened(CASES)
    admin("/gap", {"sobject": "Case", "ids": ["500000000000001AAA"], "kind": "GAP_UPDATE"})
    payload = one.connect()[0][0]["data"]["payload"]
    assert payload.keys() == {"ChangeEventHeader"}
    assert payload["ChangeEventHeader"]["changeType"] == "GAP_UPDATE"


def test_someone_without_rights_may_not_listen(box):
    """Events need read permission, change events need to see all records."""
    box.run(lambda: box.org.add_user("guest@sandbox.example", last_name="Guest"))
    one = Bayeux(box, box.token("guest@sandbox.example"))
    one.handshake()
    assert one.subscribe(EVENTS)["error"].startswith("403::Restricted channel")
    assert one.subscribe(CASES)["error"] == "403::User not allowed to subscribe CDC without View All Data permissions"
    one.session.close()


def test_a_permission_set_is_enough_to_listen(box):
    """Reading the event, and seeing all records of the object, by permission set; the rest stays shut."""
    one = Bayeux(box, box.token())
    one.handshake()
    assert one.subscribe(EVENTS)["successful"]
    assert one.subscribe(CASES)["successful"]
    assert not one.subscribe("/data/Thing__ChangeEvent")["successful"]
    one.session.close()
