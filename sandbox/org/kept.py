"""What a file store says about itself: the objects it was made with, and a few facts by name.

Must not know worlds. Invariant: a store is opened only by a schema that has a place for everything in it; fields and objects
that are new are added, as a deployment would.
"""

import sqlite3

from sandbox.org.schema import ObjectType, Schema

_REMEDY = "remove the file to begin anew, or name another one"


def prepare(connection: sqlite3.Connection, schema: Schema) -> None:
    """Make the store's own tables and hold its objects against the schema. Raises ValueError."""
    connection.execute("CREATE TABLE IF NOT EXISTS _object (name TEXT PRIMARY KEY, prefix TEXT NOT NULL)")
    connection.execute("CREATE TABLE IF NOT EXISTS _fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
    known = dict(connection.execute("SELECT name, prefix FROM _object"))
    here = {one.name: one.key_prefix for one in schema.records()}
    for name, prefix in known.items():
        if name not in here:
            raise ValueError(f"the store was made with other objects ({name} is not in this org): {_REMEDY}")
        if here[name] != prefix:
            raise ValueError(f"the store was made with other objects (ids of {name} began with {prefix}, not {here[name]}): {_REMEDY}")
    connection.executemany("INSERT OR IGNORE INTO _object VALUES (?, ?)", here.items())


def check_columns(connection: sqlite3.Connection, one: ObjectType, wanted: dict[str, str]) -> set[str]:
    """Hold an object's table against the columns wanted, with their types; give those it has. Raises ValueError."""
    present = {row[1]: row[2] for row in connection.execute(f'PRAGMA table_info("{one.name}")')}
    for name, kind in present.items():
        if name not in wanted:
            raise ValueError(f"the store was made with other fields ({one.name}.{name} is not in this org): {_REMEDY}")
        if wanted[name].split()[0] != kind:
            raise ValueError(f"the store was made with other fields ({one.name}.{name} had another type): {_REMEDY}")
    return set(present)


def remember(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Write a fact down, over what it said before."""
    connection.execute("INSERT OR REPLACE INTO _fact VALUES (?, ?)", (name, value))


def recall(connection: sqlite3.Connection, name: str) -> str | None:
    """Read a fact back, or None."""
    found = connection.execute("SELECT value FROM _fact WHERE name = ?", (name,)).fetchone()
    return None if found is None else str(found[0])
