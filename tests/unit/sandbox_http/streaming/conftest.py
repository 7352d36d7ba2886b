"""Streaming clients and publishers of an org whose polls are short."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.options import Options
from sandbox.server import Box, Setup
from tests.unit.sandbox_http.bayeux import Bayeux


@pytest.fixture
def box(make_org):
    """An org that holds polls for a short while, so that empty ones end."""
    with Box(Setup(options=Options(long_poll_seconds=0.3)), make_org) as served:
        yield served


@pytest.fixture
def client(box):
    """Makes streaming clients of the administrator."""
    made = []

    def make(**facts):
        made.append(Bayeux(box, box.token("admin@sandbox.example"), **facts))
        return made[-1]

    yield make
    for one in made:
        one.session.close()


@pytest.fixture
def publish(call):
    """Publish an event by its reference; returns the replay id the log gave it."""

    def make(reference="r"):
        assert call("POST", "sobjects/Outcome__e", json={"Reference__c": reference}).status_code == 201
        return call.box.log.last_replay_id()

    return make


@pytest.fixture
def later():
    """Run something in another thread."""
    with ThreadPoolExecutor(4) as pool:
        yield pool.submit
