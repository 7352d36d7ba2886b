"""A local org with standard objects and Dunwell's own package, and publishers and writers that are not Dunwell."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from connector.salesforce.auth import Credentials, TokenSource
from sandbox.options import Options
from sandbox.org.clock import Clock
from sandbox.org.metadata import load_schema
from sandbox.org.org import Org
from sandbox.server import Box, Setup
from sandbox.worlds.hiring import ADMIN

PACKAGE = Path(__file__).parents[3] / "force-app" / "main" / "default"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OUTCOMES = "/event/Payment_Outcome__e"


@dataclass
class World:
    """The org as others see it: an admin's REST client, and the admin port."""

    box: Box

    def call(self, method, path, body=None, *, client="somebody-else", status=(200, 201, 204)):
        """One REST request by the admin user; returns the body."""
        headers = {"Authorization": f"Bearer {self.box.token(ADMIN)}", "Sforce-Call-Options": f"client={client}"}
        reply = requests.request(method, f"{self.box.instance_url}/services/data/v66.0/{path}", json=body, headers=headers, timeout=20)
        assert reply.status_code in status, reply.text
        return reply.json() if reply.content else None

    def admin(self, path, body=None, *, method="POST"):
        """One request to the admin port."""
        reply = requests.request(method, f"{self.box.admin_url}{path}", json=body, timeout=20)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def publish(self, number, *, prefix="r"):
        """Publish outcomes, two hundred a call; return their replay ids."""
        before = self.last(OUTCOMES)
        rows = [
            {"attributes": {"type": "Payment_Outcome__e"}, "Provider_Reference__c": f"{prefix}{n}", "Amount__c": 12.1}
            for n in range(number)
        ]
        for start in range(0, number, 200):
            saved = self.call("POST", "composite/sobjects", {"allOrNone": False, "records": rows[start : start + 200]})
            assert all(item["success"] for item in saved), saved[:1]
        return [replay_id for replay_id in self.ids(OUTCOMES) if replay_id > before]

    def ids(self, channel):
        """Every replay id that the org keeps."""
        return [row["replay_id"] for row in self.admin(f"/events?channel={channel}", method="GET")]

    def last(self, channel):
        """The last replay id, 0 when there is none."""
        return max(self.ids(channel), default=0)

    def tokens(self):
        """The integration user's token source, as the daemon uses it."""
        box = self.box
        given = Credentials(box.instance_url, "client_credentials", client_id=box.client_id, client_secret=box.client_secret)
        return TokenSource(given)


@pytest.fixture(scope="module")
def served() -> Iterator[Box]:
    """An empty org, its clock standing still."""
    with Box(
        Setup(now=NOW, options=Options()), make_org=lambda asked, log: Org(load_schema([PACKAGE]), Clock(asked.now), events=log)
    ) as box:
        yield box


@pytest.fixture
def world(served: Box) -> Iterator[World]:
    """The same, healthy again after each test."""
    world = World(served)
    yield world
    world.admin("/faults", method="DELETE")
    world.admin("/usage", {"api_calls": 0, "events_delivered": 0})
    world.admin("/settings", Options().model_dump())
