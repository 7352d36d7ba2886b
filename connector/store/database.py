"""The only module that knows which database it is: opening one, its transactions, its errors.

Must not know what is stored. Its one invariant: a transaction that has been left without an error is on the
disk (SQLite: WAL with synchronous=FULL, https://sqlite.org/pragma.html#pragma_synchronous), and one that was
left otherwise, by an exception or by ``kill -9``, never happened.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, QueuePool, Table, create_engine, event, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, NoSuchModuleError, OperationalError, StatementError
from sqlalchemy.pool import ConnectionPoolEntry

from connector.errors import ConfigError, TransientError
from connector.store import schema

MIGRATIONS: dict[int, Callable[[Connection], None]] = {}
"""Version → what turns a store of that version into the next one."""

_BUSY_SECONDS = 15
_SETUP_LOCK = 0x44756E77  # any number that nobody else uses for an advisory lock


def connect(url: str) -> Engine:
    """Open the database and bring its tables to the present version.

    ``url`` is SQLAlchemy's: ``sqlite:////var/lib/dunwell/store.db``, ``sqlite://`` (memory, for tests) or
    ``postgresql+psycopg://...``. Raises ConfigError when it cannot be used, TransientError when it is busy.
    """
    parsed = _parsed(url)
    try:
        engine = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else create_engine(parsed, pool_pre_ping=True)
    except ImportError as error:
        raise ConfigError("the store's database driver is not installed: PostgreSQL needs the package psycopg[binary]") from error
    try:
        with transaction(engine) as connection:
            _prepare(connection)
    except TransientError as error:
        engine.dispose()
        if "CANTOPEN" in str(error) or "READONLY" in str(error) or "PERM" in str(error):
            raise ConfigError("the store cannot be opened: its folder is missing or may not be written") from error
        raise
    except ConfigError:
        engine.dispose()
        raise
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes: it waits for its turn, commits at the end, rolls back on any exception."""
    try:
        with engine.begin() as connection:
            yield connection
    except (OperationalError, InterfaceError) as error:
        raise TransientError(f"the store did not take it: {_name(error)}", retry_after=1.0) from error
    except DatabaseError as error:
        if _name(error).startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
            raise ConfigError(
                "the file of the store is damaged or is no store: move it away and start again; "
                "the next pass finds every due payer in the org"
            ) from error
        raise
    except StatementError as error:
        if isinstance(error.orig, ValueError):
            raise error.orig from None
        raise


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that only reads: it sees one moment and does not stand in a writer's way."""
    with transaction(engine.execution_options(dunwell_reads=True)) as connection:
        yield connection


def insert_or(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ``on_conflict_do_nothing`` and ``on_conflict_do_update``, in the connection's dialect."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError) as error:
        raise ConfigError("the store URL is not one: write sqlite:////folder/store.db or postgresql+psycopg://...") from error
    if backend not in ("sqlite", "postgresql"):
        raise ConfigError(f"the store cannot be {backend}: write sqlite:////folder/store.db or postgresql+psycopg://...")
    return parsed


def _sqlite(url: URL) -> Engine:
    in_memory = url.database in (None, "", ":memory:")
    if in_memory:
        engine = create_engine(url, poolclass=QueuePool, pool_size=1, max_overflow=0, connect_args={"check_same_thread": False})
    else:
        _own_file(Path(str(url.database)))
        engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, pool_size=8, max_overflow=24)

    @event.listens_for(engine, "connect")
    def set_up(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # BEGIN is ours: sqlite3's own would come late
        cursor = connection.cursor()
        if not in_memory:
            cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("dunwell_reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _own_file(path: Path) -> None:
    """Make the file readable by its owner alone before SQLite makes it: its WAL files take over its mode."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise ConfigError("the store cannot be opened: its folder is missing or may not be written") from error


def _prepare(connection: Connection) -> None:
    """Create the tables, or bring an older store up to date, once however many processes start together."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _SETUP_LOCK})
    schema.version.create(connection, checkfirst=True)
    found = connection.execute(select(schema.version.c.version)).scalar_one_or_none()
    if found is None:
        schema.metadata.create_all(connection)
        connection.execute(insert(schema.version).values(version=schema.VERSION))
        return
    if found > schema.VERSION:
        raise ConfigError(f"the store was made by a newer Dunwell (its version is {found}, ours {schema.VERSION}): update Dunwell")
    for step in range(found, schema.VERSION):
        MIGRATIONS[step](connection)
        connection.execute(schema.version.update().values(version=step + 1))


def _name(error: DatabaseError | InterfaceError) -> str:
    """What went wrong in one word; never the statement, its values or a path."""
    return str(getattr(error.orig, "sqlite_errorname", None) or type(error.orig).__name__)
