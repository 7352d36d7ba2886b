"""Who leads: of all daemons on one store, which one listens to a channel.

Must not know what leading means. Its one invariant: at any moment at most one daemon leads a name, and whoever
fell silent leads nothing once its lease is over.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, or_

from connector.store.database import insert_or
from connector.store.rows import Lease
from connector.store.schema import leads


def lead(connection: Connection, names: Sequence[str], now: datetime, lease: Lease, token: str) -> frozenset[str]:
    """Take or keep what nobody else leads; returns what is ours until the lease ends. ``token`` tells a process from its twin."""
    rows = [{"name": name, "owner": lease.owner, "token": token, "lease_until": lease.until} for name in sorted(set(names))]
    if not rows:
        return frozenset()
    statement = insert_or(connection, leads)
    new = statement.excluded
    taken = statement.on_conflict_do_update(
        index_elements=[leads.c.name],
        set_={"owner": new.owner, "token": new.token, "lease_until": new.lease_until},
        where=or_(leads.c.token == token, leads.c.lease_until <= now),
    ).returning(leads.c.name)
    return frozenset(connection.execute(taken, rows).scalars())


def leave(connection: Connection, owner: str) -> int:
    """Give up all that ``owner`` leads; returns how many names."""
    return connection.execute(delete(leads).where(leads.c.owner == owner)).rowcount
