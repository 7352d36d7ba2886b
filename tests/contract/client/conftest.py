"""A local org with standard objects and Dunwell's own package, and a client that talks to it over loopback HTTP."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from connector.salesforce.auth import Credentials, TokenSource
from connector.salesforce.client import Org
from connector.salesforce.limits import ApiBudget
from sandbox.options import Options
from sandbox.org.clock import Clock
from sandbox.org.metadata import load_schema
from sandbox.org.org import Org as LocalOrg
from sandbox.server import Box, Setup

PACKAGE = Path(__file__).parents[3] / "force-app" / "main" / "default"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def served() -> Iterator[Box]:
    """An empty org with small pages, its clock standing still."""
    setup = Setup(now=NOW, options=Options(query_batch=7))
    with Box(setup, make_org=lambda asked, log: LocalOrg(load_schema([PACKAGE]), Clock(asked.now), events=log)) as box:
        box.run(lambda: box.org.set_access(box.integration.id, is_admin=True))
        yield box


@pytest.fixture
def box(served: Box) -> Iterator[Box]:
    """The same, healthy again after each test."""
    yield served
    admin(served, "/faults", method="DELETE")
    admin(served, "/usage", {"api_calls": 0})


@pytest.fixture
def credentials(box: Box) -> Credentials:
    """The integration user's, by key pair."""
    return Credentials(login_url=box.instance_url, method="jwt", client_id=box.client_id, username=box.username, key_file=str(box.key_file))


@pytest.fixture
def connect() -> Iterator[Callable[..., Org]]:
    """Makes clients whose pauses take no time; closes them afterwards."""
    made: list[Org] = []

    def to(credentials: Credentials, *, timeout: float = 5.0, reserve_percent: float = 20.0) -> Org:
        tokens = TokenSource(credentials, sleep=lambda _: None)
        budget = ApiBudget(reserve_percent, now=lambda: NOW)
        client = Org(tokens, api_version="66.0", budget=budget, timeout=timeout, sleep=lambda _: None)
        made.append(client)
        return client

    yield to
    for client in made:
        client.close()


@pytest.fixture
def org(connect: Callable[..., Org], credentials: Credentials) -> Org:
    """A client of the integration user."""
    return connect(credentials)


def admin(box: Box, path: str, body: object = None, *, method: str = "POST") -> object:
    """One request to the admin port."""
    reply = requests.request(method, f"{box.admin_url}{path}", json=body, timeout=5)
    reply.raise_for_status()
    return reply.json()
