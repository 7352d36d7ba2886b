"""A fresh store for each test, in every database: SQLite in memory and on disk, and a PostgreSQL that the tests start themselves."""

import pytest

from connector.store import Store
from tests.support.postgres import running


@pytest.fixture(scope="session")
def postgres():
    """A running PostgreSQL, or a reason why there is none."""
    with running() as server:
        yield server


@pytest.fixture(params=["memory", "file", "postgresql"])
def any_url(request, tmp_path):
    """A URL of an empty store."""
    return _empty(request, tmp_path)


@pytest.fixture(params=["file", "postgresql"])
def shared_url(request, tmp_path):
    """A URL of an empty store that several processes can open."""
    return _empty(request, tmp_path)


@pytest.fixture
def store(any_url):
    """An open, empty store."""
    with Store.open(any_url) as opened:
        yield opened


def _empty(request, folder):
    if request.param == "memory":
        return "sqlite://"
    if request.param == "file":
        return f"sqlite:///{folder}/store.db"
    return request.getfixturevalue("postgres").fresh()
