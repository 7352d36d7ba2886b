"""What turns a store of an earlier version into the next one.

Must not open a database or decide when. Its one invariant: a step that was released is never changed; a new one is added.
"""

from collections.abc import Callable

from sqlalchemy import Connection, text

from connector.store import schema


def _decisions_with_basis(connection: Connection) -> None:
    """Decisions kept before have none, and cannot be replayed."""
    kind = schema.decisions.c.basis.type.compile(connection.dialect)
    connection.execute(text(f"ALTER TABLE decisions ADD COLUMN basis {kind}"))


MIGRATIONS: dict[int, Callable[[Connection], None]] = {
    1: lambda connection: schema.leads.create(connection, checkfirst=True),
    2: _decisions_with_basis,
}
"""Version → what turns a store of that version into the next one."""
