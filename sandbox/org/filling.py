"""Loading very many rows at once: how the database is set up for it, and put back afterwards.

Must not know objects. While it lasts nothing is synced to disk and there are no indexes but those of the ids, so a unique
value given twice shows at the end only. Invariant: after it settings are as before, and so are the indexes unless such a value
stands in the way: then the rows are no use.
Source: SQLite documentation, PRAGMA and "Faster than CREATE INDEX first".
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

_SETTINGS = {"journal_mode": "MEMORY", "synchronous": "OFF", "temp_store": "MEMORY", "cache_size": "-131072", "threads": "2"}


@contextmanager
def filling(connection: sqlite3.Connection) -> Iterator[None]:
    """Let rows be loaded in bulk. Raises sqlite3.IntegrityError at the end for a unique value that several rows have."""
    run = connection.execute
    before = {name: run(f"PRAGMA {name}").fetchone()[0] for name in _SETTINGS}
    indexes = run("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY rowid").fetchall()
    for name, value in _SETTINGS.items():
        run(f"PRAGMA {name} = {value}")
    for name, _ in indexes:
        run(f'DROP INDEX "{name}"')
    try:
        yield
    finally:
        try:
            for _, sql in indexes:
                run(sql)
        finally:
            for name, value in before.items():
                run(f"PRAGMA {name} = {value}")
