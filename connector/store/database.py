"""The only module that knows which database it is: opening one, its transactions, its errors.

Must not know what is stored. Its one invariant: a transaction that has been left without an error is on the
disk (SQLite: WAL with synchronous=FULL, https://sqlite.org/pragma.html#pragma_synchronous; PostgreSQL: as the
server is set), and one that was left otherwise, by an exception or by ``kill -9``, never happened.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, QueuePool, Table, create_engine, event, insert, select, text
from sqlalchemy.dialects import postgresql as postgresql_dialect
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as NoConnectionLeftError
from sqlalchemy.pool import ConnectionPoolEntry

from connector.errors import ConfigError, TransientError
from connector.store import postgres, schema
from connector.store.migrations import MIGRATIONS

_BUSY_SECONDS = 15
_SETUP_LOCK = 0x44756E77  # any number that nobody else uses for an advisory lock
_TRIES = 5
_WRITE_INSTEAD = "write sqlite:////folder/store.db or postgresql+pg8000://user:password@host/database"
_Self = TypeVar("_Self")
_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


class StoreAwayError(TransientError):
    """The database is busy or away for the moment; whether the transaction happened is not known."""


class _UndoneError(StoreAwayError):
    """The database undid the transaction, because it and another stood in each other's way."""


def connect(url: str) -> Engine:
    """Open the database and bring its tables to the present version.

    ``url`` is SQLAlchemy's: ``sqlite:////var/lib/dunwell/store.db``, ``sqlite://`` (memory, for tests) or
    ``postgresql+pg8000://...``. Raises ConfigError when it cannot be used, StoreAwayError when it is busy.
    """
    parsed = _parsed(url)
    try:
        engine = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else postgres.engine(parsed)
    except ImportError as error:
        raise ConfigError("the store's database driver is not installed: PostgreSQL needs pip install 'dunwell[postgres]'") from error
    try:
        with transaction(engine) as connection:
            _prepare(connection)
    except StoreAwayError as error:
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
    except DBAPIError as error:
        judged = _judged(error, engine)
        if judged is None:
            raise
        raise judged from error
    except NoConnectionLeftError as error:
        raise StoreAwayError("the store did not take it: every connection is in use", retry_after=1.0) from error
    except OSError as error:  # pg8000 lets some faults of the network through as they are
        raise StoreAwayError(f"the store did not take it: {type(error).__name__}", retry_after=1.0) from error
    except StatementError as error:
        if isinstance(error.orig, ValueError):
            raise error.orig from None
        raise


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that only reads: it sees one moment and does not stand in a writer's way."""
    with transaction(engine.execution_options(dunwell_reads=True)) as connection:
        yield connection


def again(method: Callable[Concatenate[_Self, _Given], _Result]) -> Callable[Concatenate[_Self, _Given], _Result]:
    """Do a method that is one transaction again where the database undid it in favour of another."""

    @wraps(method)
    def repeated(self: _Self, /, *given: _Given.args, **named: _Given.kwargs) -> _Result:
        for _ in range(_TRIES - 1):
            try:
                return method(self, *given, **named)
            except _UndoneError:
                continue
        return method(self, *given, **named)

    return repeated


def insert_or(connection: Connection, table: Table) -> sqlite.Insert | postgresql_dialect.Insert:
    """An INSERT that knows ``on_conflict_do_nothing`` and ``on_conflict_do_update``, in the connection's dialect."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql_dialect.insert(table)


def _judged(error: DBAPIError, engine: Engine) -> StoreAwayError | ConfigError | None:
    """Who must act on an error of the database: nobody (waiting helps), the admin, or (None) whoever wrote the statement."""
    name = _name(error)
    if engine.dialect.name == "postgresql":
        wrong = postgres.admin_must(error)
        if wrong is not None:
            return ConfigError(wrong)
        if postgres.state(error) in postgres.UNDONE:
            return _UndoneError(f"the store did not take it: {name}", retry_after=1.0)
        return StoreAwayError(f"the store did not take it: {name}", retry_after=1.0) if postgres.passes(error) else None
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return ConfigError(
            "the file of the store is damaged or is no store: move it away and start again; the next pass finds every due payer in the org"
        )
    if isinstance(error, OperationalError | InterfaceError):
        return StoreAwayError(f"the store did not take it: {name}", retry_after=1.0)
    return None


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise ConfigError(f"the store URL is not one: {_WRITE_INSTEAD}") from None  # the cause may repeat its password
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql", postgres.DRIVER):
        raise ConfigError(f"the store cannot be {parsed.drivername}: {_WRITE_INSTEAD}")
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


def _name(error: DBAPIError) -> str:
    """What went wrong in one word; never the statement, its values or a path."""
    return str(getattr(error.orig, "sqlite_errorname", None) or postgres.state(error) or type(error.orig).__name__)
