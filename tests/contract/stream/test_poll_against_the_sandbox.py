"""Polling through the real client against the local org: new, changed and deleted rows, in one call."""

from datetime import timedelta

from connector.salesforce.client import Org
from connector.salesforce.poll import Poller, PollQuery
from tests.contract.stream.conftest import NOW

CASES = PollQuery("cases", "SELECT Id, SystemModstamp, IsDeleted, Status FROM Case WHERE SystemModstamp >= {since}")
ACCOUNTS = PollQuery("accounts", "SELECT Id, SystemModstamp, IsDeleted, Name FROM Account WHERE SystemModstamp >= {since}")


class Texts(dict):
    """A cursor store."""

    def get_value(self, name):
        """As stored."""
        return self.get(name)

    def set_value(self, name, text):
        """Stored."""
        self[name] = text


def test_a_row_is_seen_when_it_is_made_changed_and_deleted_and_not_in_between(world):
    """Level-triggered: each pass tells what is different now, deleted rows included."""
    org = Org(world.tokens(), api_version="66.0")
    watching = Poller(org.query_many, [CASES, ACCOUNTS], Texts())
    watching.keep(watching.read(NOW))
    case = world.call("POST", "sobjects/Case", {"Subject": "A question"})["id"]

    def seen(minutes):
        world.admin("/clock", {"now": (NOW + timedelta(minutes=minutes)).isoformat()})
        polled = watching.read(NOW + timedelta(minutes=minutes))
        watching.keep(polled)
        return [(row["Id"], row["IsDeleted"]) for row in polled.records["cases"]]

    calls = org.calls
    assert seen(1) == [(case, False)]
    assert org.calls == calls + 1
    assert seen(2) == []
    world.call("PATCH", f"sobjects/Case/{case}", {"Status": "Working"})
    assert seen(3) == [(case, False)]
    world.call("DELETE", f"sobjects/Case/{case}")
    assert seen(4) == [(case, True)]
    assert seen(5) == []
    assert seen(60) == []
