"""A query's rows one after another, in bounded memory and as of the moment the stream was opened.

Must not build SQL or shape records: it runs the SQL it is given. A store in a file is read on a connection of its own, inside a
read transaction, so writers go on meanwhile. A store in memory has one connection: its rows are read slice by slice, others read
in between, and who wants to write first waits until the rest is read and spilled, packed, into a file; a stream opened inside a
transaction is spilled at once. Invariant: rows written after the call are never among those given.
Source: SQLite, "Write-Ahead Logging" (a reader keeps the snapshot with which its transaction began), "Isolation In SQLite"
(whether a SELECT sees what its own connection writes while it runs is undefined: hence nobody writes while one does).
"""

import marshal
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import IO, Self

from sandbox.org.functions import register
from sandbox.org.storage import Database
from sandbox.org.types import Json
from sandbox.org.values import Shower, Stored

_CHUNK = 2000
_IN_MEMORY = 8 * 1024 * 1024

Row = tuple[Stored, ...]


class _Snapshot:
    """Rows read on a connection that sees the file as it was when this was made."""

    def __init__(self, path: str, sql: str, parameters: Mapping[str, object]) -> None:
        self._connection = sqlite3.connect(f"{Path(path).as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
        register(self._connection)
        self._connection.execute("BEGIN")
        self._connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()
        self._sql, self._parameters = sql, dict(parameters)

    def chunks(self) -> Iterator[list[Row]]:
        cursor = self._connection.execute(self._sql, self._parameters)
        while found := cursor.fetchmany(_CHUNK):
            yield found

    def close(self) -> None:
        self._connection.close()


class _Shared:
    """Rows read slice by slice on the connection everybody uses; before anybody writes, the rest is read at once and spilled."""

    def __init__(self, database: Database, sql: str, parameters: Mapping[str, object]) -> None:
        self._database = database
        self._cursor: sqlite3.Cursor | None = database.connection.execute(sql, dict(parameters))
        self._file: IO[bytes] | None = None
        self._spilled = 0
        database.half_read.append(self.spill)

    def chunks(self) -> Iterator[list[Row]]:
        while found := self._next():
            yield found

    def _next(self) -> list[Row]:
        with self._database.lock:
            found = self._cursor.fetchmany(_CHUNK) if self._cursor is not None else []
            if not found:
                self._let_go()
        if not found and self._file is not None and self._spilled:
            self._spilled -= 1
            found = marshal.load(self._file)  # noqa: S302 - written by this very object
        return found

    def spill(self) -> None:
        """Read the rest, packed, into a file; whoever calls this has the lock."""
        if self._cursor is None:
            return
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by close(), when the reader is done
        while found := self._cursor.fetchmany(_CHUNK):
            marshal.dump(found, self._file)
            self._spilled += 1
        self._file.seek(0)
        self._let_go()

    def _let_go(self) -> None:
        if self._cursor is not None:
            self._cursor.close()
            self._cursor = None
            self._database.half_read.remove(self.spill)

    def close(self) -> None:
        with self._database.lock:
            self._let_go()
        self._spilled = 0
        if self._file is not None:
            self._file.close()


class RowStream:
    """Column names and an iterator of rows of shown values. It closes itself at the end, or by close()."""

    def __init__(
        self, columns: list[str], showers: list[Shower | None], chunks: _Snapshot | _Shared, kinds: list[str] | None = None
    ) -> None:
        self.columns = columns
        self.kinds = kinds or []
        self._showers = [(place, show) for place, show in enumerate(showers) if show is not None]
        self._source = chunks
        self._rows = self._shown()

    def _shown(self) -> Iterator[list[Json]]:
        showers = self._showers
        for chunk in self._source.chunks():
            for row in chunk:
                shown: list[Json] = list(row)
                for place, show in showers:
                    shown[place] = show(row[place])
                yield shown
        self._source.close()

    def __iter__(self) -> Iterator[list[Json]]:
        return self

    def __next__(self) -> list[Json]:
        return next(self._rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def chunks(self) -> Iterator[list[Row]]:
        """Give the rows as they are kept, many at a time: for writers with a form of their own for each of `kinds`."""
        yield from self._source.chunks()
        self._source.close()

    def close(self) -> None:
        """Give the snapshot back; more rows cannot be read."""
        self._source.close()


def open_stream(
    database: Database,
    columns: list[tuple[str, str]],
    showers: list[Shower | None],
    sql: str,
    parameters: Mapping[str, object],
) -> RowStream:
    """Open a stream over the rows of a SELECT as they are now; `columns` are names and types."""
    names, kinds = [name for name, _ in columns], [kind for _, kind in columns]
    connection = database.connection
    path = next((file for _, name, file in connection.execute("PRAGMA database_list") if name == "main"), "")
    if path and not connection.in_transaction:
        return RowStream(names, showers, _Snapshot(path, sql, parameters), kinds)
    shared = _Shared(database, sql, parameters)
    if connection.in_transaction:
        shared.spill()
    return RowStream(names, showers, shared, kinds)
