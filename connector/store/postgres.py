"""What is special about PostgreSQL: how a connection is opened, and which of its errors pass by themselves.

Must not know what is stored. Its one invariant: nothing here repeats an address, a user, a password or a value.

The driver is pg8000 (BSD, pure Python); its errors carry the server's SQLSTATE
(https://www.postgresql.org/docs/current/errcodes-appendix.html).
"""

import ssl
from collections.abc import Mapping

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from connector.errors import ConfigError

DRIVER = "postgresql+pg8000"
_SILENT_SECONDS = 60
"""A server that says nothing for so long is gone; our own limits end a statement before."""
_LIMITS = {"lock_timeout": "15s", "statement_timeout": "45s", "idle_in_transaction_session_timeout": "60s"}
"""Nobody waits for ever, and a daemon that was stopped in the middle of a transaction does not keep what it locked."""
_KNOWN = ("unix_sock", "sslmode", "sslrootcert", "application_name")

UNDONE = ("40001", "40P01")
"""Two transactions stood in each other's way and this one was undone: it may simply be done again."""
_PASSING = ("08", "25P03", "40", "53", "55P03", "57", "58")
"""Connection, idle too long, undone, no resources, lock not had in time, shut down or starting, trouble of its machine."""
_ADMIN = {
    "28": "PostgreSQL refuses the user or the password of DUNWELL_STORE_URL",
    "3D000": "the database that DUNWELL_STORE_URL names does not exist: create it (CREATE DATABASE)",
    "42501": "the database user of DUNWELL_STORE_URL may not use or create tables: make it the owner of its database",
}


def engine(url: URL) -> Engine:
    """Open a pool of connections. Raises ConfigError for options it does not know; connects to nothing yet."""
    unknown = sorted(set(url.query) - set(_KNOWN))
    if unknown:
        raise ConfigError(f"the store URL has an option that is not known: {', '.join(unknown)}; there are {', '.join(_KNOWN)}")
    options = {name: str(value) for name, value in url.query.items()}
    found = create_engine(
        url.set(drivername=DRIVER, query={}),
        pool_pre_ping=True,
        pool_size=8,
        max_overflow=24,
        isolation_level="READ COMMITTED",
        hide_parameters=True,
        connect_args={
            "timeout": _SILENT_SECONDS,
            "application_name": options.get("application_name", "dunwell"),
            **_security(options),
            **({"unix_sock": options["unix_sock"]} if "unix_sock" in options else {}),
        },
    )
    found.dialect.use_insertmanyvalues_wo_returning = True  # many rows in one statement, not one after the other

    @event.listens_for(found, "connect")
    def set_up(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for name, value in _LIMITS.items():
            cursor.execute(f"SET SESSION {name} = '{value}'")
        cursor.close()
        connection.commit()

    @event.listens_for(found, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("dunwell_reads", False):
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    return found


def state(error: DBAPIError) -> str:
    """The SQLSTATE that the server gave, empty where it said nothing. Where closing the connection failed too, it stands further down."""
    found: BaseException | None = error.orig
    while found is not None:
        told = found.args[0] if found.args else None
        if isinstance(told, Mapping):
            return str(told.get("C", ""))
        found = found.__cause__ or found.__context__
    return ""


def passes(error: DBAPIError) -> bool:
    """Whether waiting helps: the server said so, or could not be heard at all."""
    return state(error).startswith(_PASSING) or not state(error)


def admin_must(error: DBAPIError) -> str | None:
    """What an admin must do about it; None = nothing an admin can."""
    return next((told for prefix, told in _ADMIN.items() if state(error).startswith(prefix)), None)


def _security(options: Mapping[str, str]) -> dict[str, object]:
    """The ``ssl_context`` that ``sslmode`` stands for, as libpq means it; without one: encrypted where the server can."""
    mode = options.get("sslmode", "disable" if "unix_sock" in options else "prefer")
    match mode:
        case "disable":
            return {"ssl_context": False}
        case "prefer":
            return {}
        case "require":
            return {"ssl_context": True}
        case "verify-full":
            try:
                return {"ssl_context": ssl.create_default_context(cafile=options.get("sslrootcert"))}
            except OSError:
                raise ConfigError("the store URL's sslrootcert cannot be read") from None
    raise ConfigError("the store URL's sslmode is none of disable, prefer, require, verify-full")
