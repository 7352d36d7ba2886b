"""A fresh store for each test, in every database the suite is asked to hold.

SQLite in memory and on disk always; PostgreSQL where DUNWELL_TEST_STORE_URL names an empty database.
"""

import os

import pytest
from sqlalchemy import create_engine, text

from connector.store import Store

_POSTGRES = os.environ.get("DUNWELL_TEST_STORE_URL")


@pytest.fixture(params=["memory", "file", *(["postgresql"] if _POSTGRES else [])])
def any_url(request, tmp_path):
    """A URL of an empty store."""
    return _empty(request.param, tmp_path)


@pytest.fixture(params=["file", *(["postgresql"] if _POSTGRES else [])])
def shared_url(request, tmp_path):
    """A URL of an empty store that several processes can open."""
    return _empty(request.param, tmp_path)


@pytest.fixture
def store(any_url):
    """An open, empty store."""
    with Store.open(any_url) as opened:
        yield opened


def _empty(database, folder):
    if database == "memory":
        return "sqlite://"
    if database == "file":
        return f"sqlite:///{folder}/store.db"
    engine = create_engine(_POSTGRES)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return _POSTGRES
