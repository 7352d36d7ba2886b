"""Switches of the running org that no test of their subject turns; and that every one of them says what it is for."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.options import Options
from tests.unit.sandbox_http.bayeux import EVENTS, Bayeux, references

README = Path(__file__).parents[3] / "sandbox" / "README.md"


def test_every_option_is_described_here_and_in_the_readme():
    """Whoever looks for a switch finds it."""
    assert [name for name, field in Options.model_fields.items() if not field.description] == []
    named = set(re.findall(r"`(\w+)`", README.read_text(encoding="utf-8")))
    assert sorted(set(Options.model_fields) - named) == []


def test_calls_beyond_the_days_limit_are_refused(call, admin):
    """The call after the last one is refused, and the header says that all are used."""
    admin("/settings", {"api_limit": 2})
    first, last, beyond = (call("GET", "limits") for _ in range(3))
    assert [first.status_code, last.status_code, beyond.status_code] == [200, 200, 403]
    assert last.headers["Sforce-Limit-Info"] == "api-usage=2/2"
    assert beyond.json() == [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
    admin("/settings", {"api_limit": 100})
    assert call("GET", "limits").status_code == 200


def test_the_number_of_cursors_can_be_less(call, admin):
    """With one cursor a user, opening another ends the first."""
    for number in range(3):
        call.create("Account", Name=str(number))
    admin("/settings", {"query_batch": 1, "cursors_per_user": 1})
    first, second = (call("GET", "query", params={"q": "SELECT Id FROM Account"}).json()["nextRecordsUrl"] for _ in range(2))
    assert call("GET", first).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"
    assert call("GET", second).status_code == 200


@pytest.fixture
def client(box):
    """A streaming client of the administrator, whose polls end at once."""
    box.run(lambda: setattr(box.platform.options, "long_poll_seconds", 0.01))
    one = Bayeux(box, box.token("admin@sandbox.example"))
    with one.session:
        yield one


@pytest.mark.parametrize("enforced", [True, False])
def test_a_session_without_its_cookie_may_be_let_in(client, admin, enforced):
    """Clients differ: the platform refuses, and a test may ask for the lenient answer."""
    admin("/settings", {"enforce_cookie": enforced})
    client.opened()
    client.session.cookies.clear()
    assert client.connect()[1]["successful"] is not enforced


@pytest.mark.parametrize(("seconds", "successful"), [(40.0, True), (1e-9, False)])
def test_the_time_to_come_back_is_an_option(client, admin, seconds, successful):
    """A client that is late is unknown and told to shake hands again."""
    admin("/settings", {"reconnect_seconds": seconds})
    assert client.handshake()["successful"]
    reply = client.connect()[1]
    assert reply["successful"] is successful
    assert successful or (reply["error"], reply["advice"]["reconnect"]) == ("403::Unknown client", "handshake")


@pytest.mark.parametrize(("hours", "kept"), [(72.0, ["a", "b"]), (1.0, ["b"])])
def test_events_are_kept_as_long_as_asked(call, admin, client, hours, kept):
    """Retention follows the org's clock; what is older is not replayed."""
    admin("/settings", {"retention_hours": hours})
    call("POST", "sobjects/Outcome__e", json={"Reference__c": "a"})
    admin("/clock", {"advance_seconds": timedelta(hours=2).total_seconds()})
    call("POST", "sobjects/Outcome__e", json={"Reference__c": "b"})
    assert references(client.opened(EVENTS, -2).connect()[0]) == kept
