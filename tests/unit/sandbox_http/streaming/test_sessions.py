"""Streaming sessions: who is let in, how long they last, and what ends them."""

from dataclasses import replace

import pytest
import requests

from tests.unit.sandbox_http.bayeux import CASES, EVENTS, references


def test_both_authorization_schemes_are_taken(client):
    """Bearer and OAuth; without either the reason says that none was sent."""
    assert client(scheme="OAuth").handshake()["successful"]
    one = client()
    one.token = ""
    refused = one.handshake()
    assert (refused["error"], refused["ext"]["sfdc"]["failureReason"]) == ("403::Handshake denied", "401::Request requires authentication")
    assert refused["advice"] == {"reconnect": "none"}


@pytest.mark.parametrize("status", [200, 401])
def test_the_http_status_of_failed_authentication_is_an_option(client, admin, status):
    """Nobody documents it: the body is the same, the status as switched."""
    admin("/settings", {"auth_failure_status": status})
    one = client().opened()
    admin("/tokens/expire", {})
    reply = one.post({"channel": "/meta/connect", "clientId": one.client_id, "connectionType": "long-polling", "id": "2"})
    assert (reply.status_code, reply.json()[0]["error"]) == (status, "401::Authentication invalid")


def test_revocation_answers_the_held_poll_in_the_words_for_it(client, call, later, box):
    """A client that gives its token back ends its own session: 401 and no advice to come back."""
    box.run(lambda: setattr(box.platform.options, "long_poll_seconds", 8.0))
    one = client().opened()
    held = later(one.connect)
    while not box.run(lambda: box.broker.clients[one.client_id].polling):
        pass
    assert call("POST", "/services/oauth2/revoke", data={"token": one.token}).status_code == 200
    reply = held.result(timeout=5)[1]
    assert (reply["error"], reply["advice"]) == ("401::Authentication invalid", {"reconnect": "none", "interval": 0})
    assert reply["clientId"] == one.client_id
    assert one.connect()[1]["error"] == "401::Authentication invalid"


def test_a_streaming_client_keeps_its_session_from_expiring(client, admin, box):
    """Each poll begins the lifetime of its token anew."""
    admin("/settings", {"token_seconds": 3600})
    one = client().opened()
    tokens = box.tokens._access
    box.run(lambda: tokens.update({one.token: replace(tokens[one.token], ends=tokens[one.token].ends - 3000)}))
    assert box.run(lambda: box.tokens.seconds_left(one.token)) < 700
    one.connect()
    assert box.run(lambda: box.tokens.seconds_left(one.token)) > 3000


def test_a_timeout_of_zero_is_answered_at_once(client, box):
    """What Faye sends beside its subscriptions."""
    box.run(lambda: setattr(box.platform.options, "long_poll_seconds", 60.0))
    one = client().opened()
    assert one.connect(advice={"timeout": 0}) == (
        [],
        {"clientId": one.client_id, "channel": "/meta/connect", "id": "2", "successful": True},
    )


def test_messages_may_come_together(client, publish):
    """A connect and its subscriptions in one body: each is answered, and replayed events come with them or next."""
    publish("a")
    one = client()
    one.handshake()
    replies = one.send(
        {"channel": "/meta/connect", "clientId": one.client_id, "connectionType": "long-polling", "id": "1"},
        {"channel": "/meta/subscribe", "clientId": one.client_id, "subscription": EVENTS, "id": "2", "ext": {"replay": {EVENTS: -2}}},
        {"channel": "/meta/subscribe", "clientId": one.client_id, "subscription": CASES, "id": "3"},
    )
    assert [(reply["id"], reply["successful"]) for reply in replies if "successful" in reply] == [("1", True), ("2", True), ("3", True)]
    assert references(one.connect()[0]) == ["a"]


def test_only_long_polling_is_spoken(client, box):
    """Other transports are refused, a websocket upgrade with 405 as recorded."""
    one = client().opened()
    assert one.connect(connectionType="websocket")[1]["error"] == "400::Invalid connection type {websocket}"
    (refused,) = one.send({"channel": "/meta/handshake", "supportedConnectionTypes": ["websocket"], "id": "1"})
    assert refused["ext"]["sfdc"]["failureReason"] == "400::Invalid connection type {websocket}"
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "x", "Sec-WebSocket-Version": "13"}
    assert requests.get(f"{box.instance_url}/cometd/66.0", headers=upgrade, timeout=10).status_code == 405
    assert requests.get(f"{box.instance_url}/cometd/66.0", timeout=10).status_code == 400


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/cometd", "API version in the URI is mandatory"),
        ("/cometd/handshake", "API version in the URI is mandatory"),
        ("/cometd/36.0", "Unsupported API version"),
        ("/cometd/999.0", "Unsupported API version"),
    ],
)
def test_the_version_in_the_url_is_checked(box, path, words):
    """Mandatory, and 37.0 or later."""
    reply = requests.post(box.instance_url + path, json=[], timeout=10)
    assert reply.status_code == 400
    assert words in reply.json()[0]["error"]


def test_a_session_belongs_to_its_user(client, box):
    """Somebody else's token does not open it, and a message without a client comes before the handshake."""
    one = client().opened()
    one.token = box.token()
    assert one.connect()[1]["error"] == "400::Authenticated user id does not match the session's user id"
    one.client_id = ""
    reply = one.connect()[1]
    assert (reply["error"], reply["advice"]) == ("403::Client has not completed handshake", {"interval": 0, "reconnect": "handshake"})


@pytest.mark.parametrize("where", ["handshake", "subscribe"])
def test_one_client_too_many_is_refused(client, admin, where):
    """At the handshake or at the first subscription, by limit and by fault."""
    admin("/settings", {"client_limit": 1, "client_limit_at": where})
    words = "403::Organization concurrent user limit exceeded"

    def refused():
        one = client()
        reply = one.handshake()
        if where == "handshake":
            return reply["error"] == "403::Handshake denied" and reply["ext"]["sfdc"]["failureReason"] == words
        return reply["successful"] and one.subscribe()["error"] == words

    first = client().opened()
    assert refused()
    assert first.connect()[1]["successful"]
    admin("/settings", {"client_limit": 100})
    admin("/faults", {"kind": "concurrent_limit"})
    assert refused()


def test_a_session_may_have_a_longest_life(client, admin, box):
    """Sessions of some hours have been seen to end although they polled."""
    one = client().opened()
    admin("/settings", {"session_seconds": 3600})
    assert one.connect()[1]["successful"]
    box.run(lambda: setattr(box.broker.clients[one.client_id], "opened", box.broker.clients[one.client_id].opened - 3601))
    assert one.connect()[1]["error"] == "403::Unknown client"


def test_the_delivery_limit_may_come_without_advice(client, admin):
    """Whether advice comes with it is not documented; a fault brings it for one poll."""
    one = client().opened()
    admin("/settings", {"limit_advice": False})
    admin("/faults", {"kind": "delivery_limit"})
    reply = one.connect()[1]
    assert (reply["error"], "advice" in reply) == ("403::Organization total events daily limit exceeded", False)
    assert one.connect()[1]["successful"]
