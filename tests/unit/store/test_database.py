"""Opening a store: safe on disk, closed to others, clear about what is wrong."""

import sqlite3
import stat
import sys
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from connector.errors import ConfigError, TransientError
from connector.store import Store, StoreAwayError, schema
from connector.store.database import MIGRATIONS, connect, reading, transaction

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def url(folder, name="store.db"):
    """A store in a folder of the test's own."""
    return f"sqlite:///{folder}/{name}"


def test_a_commit_is_on_the_disk(tmp_path):
    """Write-ahead log with full synchronisation on every connection: a power cut loses nothing that was accepted."""
    engine = connect(url(tmp_path))
    with engine.connect() as first, engine.connect() as second:
        for connection in (first, second):
            assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
            assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
            connection.rollback()
    engine.dispose()


def test_the_store_is_readable_by_its_owner_alone(tmp_path):
    """It holds payer ids and decisions; its write-ahead log does too."""
    with Store.open(url(tmp_path / "new" / "folder")) as store:
        store.set_value("a", "b")
        files = list((tmp_path / "new" / "folder").iterdir())
        assert {file.name for file in files} >= {"store.db", "store.db-wal"}
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_writer_does_not_wait_for_a_reader(tmp_path):
    """Status and metrics may be asked while work goes on."""
    engine = connect(url(tmp_path))
    with reading(engine) as looks, transaction(engine) as writes:
        looks.execute(text("SELECT count(*) FROM due"))
        writes.execute(schema.texts.insert().values(name="a", text="b"))
        assert looks.execute(text("SELECT count(*) FROM texts")).scalar() == 0
    engine.dispose()


def test_an_exception_undoes_the_transaction(tmp_path):
    """All or nothing holds for our own faults too."""
    engine = connect(url(tmp_path))

    def half():
        with transaction(engine) as connection:
            connection.execute(schema.texts.insert().values(name="a", text="b"))
            raise LookupError

    with pytest.raises(LookupError):
        half()
    with reading(engine) as connection:
        assert connection.execute(schema.texts.select()).all() == []
    engine.dispose()


def test_a_busy_store_is_a_passing_trouble_and_tells_no_values(tmp_path, monkeypatch):
    """Somebody else writes for too long: waiting helps, and neither SQL nor payer ids leave in the message."""
    monkeypatch.setattr("connector.store.database._BUSY_SECONDS", 0.05)
    with Store.open(url(tmp_path)) as store:
        other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TransientError) as raised:
            store.mark_due(["P1"], at=NOW, why="event")
        other.execute("ROLLBACK")
        other.close()
        assert str(raised.value) == "the store did not take it: SQLITE_BUSY"
        assert raised.value.retry_after == 1.0


@pytest.mark.parametrize("wrong", ["store.db", "mysql://localhost/dunwell", "nothing://x", ""])
def test_a_url_that_is_none_is_refused_with_an_example(wrong):
    """The admin reads what to write instead."""
    with pytest.raises(ConfigError, match="sqlite:////"):
        Store.open(wrong)


def test_a_folder_that_cannot_be_made_is_the_admins(tmp_path):
    """The message names no path of the machine."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="folder") as raised:
        Store.open(url(tmp_path / "file"))
    assert str(tmp_path) not in str(raised.value)


def test_a_file_that_is_no_store_is_told_as_such(tmp_path):
    """Whatever lies there is not overwritten."""
    (tmp_path / "store.db").write_bytes(b"this is a letter, not a database" * 100)
    with pytest.raises(ConfigError, match="no store"):
        Store.open(url(tmp_path))
    assert (tmp_path / "store.db").read_bytes().startswith(b"this is a letter")


def test_a_store_of_a_newer_dunwell_is_refused(tmp_path):
    """An old program must not write into tables it does not know."""
    engine = connect(url(tmp_path))
    with transaction(engine) as connection:
        connection.execute(schema.version.update().values(version=schema.VERSION + 1))
    engine.dispose()
    with pytest.raises(ConfigError, match="newer"):
        Store.open(url(tmp_path))


def test_an_older_store_is_brought_up_to_date_once(tmp_path, monkeypatch):
    """Each step runs one time, in the transaction that counts the version up."""
    engine = connect(url(tmp_path))
    engine.dispose()
    steps = []
    monkeypatch.setitem(MIGRATIONS, schema.VERSION, steps.append)
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    connect(url(tmp_path)).dispose()
    connect(url(tmp_path)).dispose()
    assert len(steps) == 1


def test_every_version_has_its_step():
    """A store of any earlier version can be opened."""
    assert set(MIGRATIONS) == set(range(1, schema.VERSION))


def test_a_missing_driver_is_the_admins(monkeypatch):
    """PostgreSQL needs a package that is not installed by default."""
    monkeypatch.setitem(sys.modules, "pg8000", None)
    with pytest.raises(ConfigError, match=r"dunwell\[postgres\]"):
        Store.open("postgresql+pg8000://dunwell@localhost/dunwell")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql+psycopg://a:secret@localhost/b", "cannot be postgresql\\+psycopg"),
        ("postgresql+pg8000://a:secret@localhost/b?sslmod=require", "sslmod; there are"),
        ("postgresql+pg8000://a:secret@localhost/b?sslmode=maybe", "sslmode is none of"),
        ("postgresql+pg8000://a:secret@localhost/b?sslmode=verify-full&sslrootcert=/nowhere", "sslrootcert cannot be read"),
        ("postgresql+pg8000://a:secret@localhost:port/b", "is not one"),
    ],
)
def test_a_url_of_postgresql_that_cannot_work_is_told_without_its_password(url, told):
    """What is wrong with it is said before anything is connected to."""
    with pytest.raises(ConfigError, match=told) as raised:
        Store.open(url)
    assert "secret" not in str(raised.value)


def test_a_server_that_does_not_answer_is_a_passing_trouble():
    """A daemon that is started before its database is started again by its supervisor."""
    with pytest.raises(StoreAwayError):
        Store.open("postgresql+pg8000://dunwell@localhost/dunwell?unix_sock=/nowhere/at-all")


def test_a_store_from_before_leads_and_bases_is_brought_up_to_date(tmp_path):
    """Every step works on the tables it was written for."""
    with Store.open(url(tmp_path)):
        pass
    old = sqlite3.connect(tmp_path / "store.db")
    old.executescript("DROP TABLE leads; ALTER TABLE decisions DROP COLUMN basis; UPDATE dunwell_store SET version = 1;")
    old.close()
    with Store.open(url(tmp_path)) as store:
        assert store.lead(["poll"], NOW, 20) == {"poll"}
        assert store.decisions("P1") == []
