"""What only a server can do to us: restart, refuse, stand in the way."""

import signal
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from connector.errors import ConfigError
from connector.store import InboxRow, Look, Store, StoreAwayError
from connector.store.database import connect, reading, transaction

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def url(postgres):
    """An empty database."""
    return postgres.fresh()


def test_a_restarted_server_is_a_passing_trouble(postgres, url):
    """While it is away every method says that waiting helps; afterwards the same store goes on."""
    with Store.open(url) as store:
        store.set_value("a", "before")
        postgres.stop(signal.SIGQUIT)
        try:
            for _ in range(2):
                with pytest.raises(StoreAwayError) as raised:
                    store.set_value("a", "meanwhile")
                assert raised.value.retry_after == 1.0
        finally:
            postgres.start()
        assert store.get_value("a") == "before"
        store.set_value("a", "after")
        assert store.get_value("a") == "after"


def test_a_connection_that_is_cut_amid_a_transaction_undoes_it(url):
    """The server ends our connection: nothing of the transaction happened, and the next one is as usual."""
    engine = connect(url)

    def cut():
        with transaction(engine) as connection:
            connection.execute(text("INSERT INTO texts VALUES ('a', 'b')"))
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(StoreAwayError):
        cut()
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM texts")).scalar() == 0
    engine.dispose()


_UNDONE_ONCE = """
CREATE SEQUENCE tries;
CREATE FUNCTION undone_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('tries') = 1 THEN RAISE EXCEPTION 'undone' USING ERRCODE = '40P01'; END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER undone_once AFTER INSERT ON due EXECUTE FUNCTION undone_once();
"""


def test_a_transaction_that_the_server_undid_for_another_is_done_again(url):
    """Of two that wait for each other the server undoes one; a method is one transaction, so it is simply repeated."""
    with Store.open(url) as store:
        engine = connect(url)
        with engine.begin() as connection:
            for statement in _UNDONE_ONCE.split(";\nCREATE"):
                connection.exec_driver_sql(statement if statement.startswith("\n") else f"CREATE{statement}")
        engine.dispose()
        store.accept("c", [InboxRow("c", 1, None, "{}", NOW)], 1, looks=[Look("P1", NOW, "event")])
        assert [mark.seq for mark in store.lease_due(NOW, 10, 60)] == [1]
        assert len(store.take_inbox(10, NOW)) == 1


def test_a_reader_sees_one_moment_and_changes_nothing(url):
    """Counts that are told together belong together."""
    engine = connect(url)
    with Store.open(url) as store, reading(engine) as looks:
        assert looks.execute(text("SELECT count(*) FROM texts")).scalar() == 0
        store.set_value("a", "b")
        assert looks.execute(text("SELECT count(*) FROM texts")).scalar() == 0
    with pytest.raises(DBAPIError), reading(engine) as looks:
        looks.execute(text("INSERT INTO texts VALUES ('b', 'c')"))
    engine.dispose()


def test_a_payer_that_is_wished_for_twice_in_one_breath_is_due_once(url):
    """A report and a change may name the same payer; the earlier time counts."""
    with Store.open(url) as store:
        store.mark_looks([Look("P1", NOW + timedelta(hours=1), "later"), Look("P1", NOW, "now"), Look("P1", NOW, "again")])
        assert [(mark.due_at, mark.why) for mark in store.lease_due(NOW, 10, 60)] == [(NOW, "now")]


def test_refused_credentials_are_the_admins_and_are_not_repeated(postgres):
    """The message helps, and neither it nor anything it was caused by holds the password."""
    with pytest.raises(ConfigError, match="password of DUNWELL_STORE_URL") as raised:
        Store.open(postgres.url(password="not-this-one"))
    told, cause = str(raised.value), raised.value.__cause__
    while cause is not None:
        told, cause = told + str(cause), cause.__cause__
    assert "not-this-one" not in told


def test_a_database_that_does_not_exist_is_the_admins(postgres):
    """Nobody but an admin can make it."""
    with pytest.raises(ConfigError, match="does not exist"):
        Store.open(postgres.url("nowhere"))
