"""Events written down, and how far each channel was read.

Must not interpret a body. Its one invariant: an event is stored once however often it is delivered, and
stays until it is settled or parked.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, delete, or_, select, update

from connector.store.database import insert_or
from connector.store.rows import InboxRow, Lease
from connector.store.schema import EPOCH, cursors, inbox

WAITING = "waiting"
DONE = "done"
PARKED = "parked"
_SHOWN = (
    inbox.c.channel,
    inbox.c.replay_id,
    inbox.c.event_uuid,
    inbox.c.body,
    inbox.c.received_at,
    inbox.c.id,
    inbox.c.attempts,
    inbox.c.error,
)


def cursor(connection: Connection, channel: str) -> int | None:
    """Replay id of the last event taken from ``channel``; None = never read, or forgotten."""
    return connection.execute(select(cursors.c.replay_id).where(cursors.c.channel == channel)).scalar_one_or_none()


def move_cursor(connection: Connection, channel: str, replay_id: int) -> None:
    """Set the cursor where the stream is: it may go back, which only means that known events come again."""
    statement = insert_or(connection, cursors).values(channel=channel, replay_id=replay_id)
    connection.execute(statement.on_conflict_do_update(index_elements=[cursors.c.channel], set_={"replay_id": replay_id}))


def forget_cursor(connection: Connection, channel: str) -> None:
    """Let the channel begin anew: its replay id is too old or was never issued."""
    connection.execute(delete(cursors).where(cursors.c.channel == channel))


def add(connection: Connection, rows: Sequence[InboxRow]) -> int:
    """Store those that are not known yet; returns how many were."""
    if not rows:
        return 0
    new = insert_or(connection, inbox).on_conflict_do_nothing(index_elements=[inbox.c.identity]).returning(inbox.c.id)
    wanted = [
        {
            "identity": row.identity,
            "channel": row.channel,
            "replay_id": row.replay_id,
            "event_uuid": row.event_uuid,
            "body": row.body,
            "received_at": row.received_at,
            "state": WAITING,
            "attempts": 0,
        }
        for row in rows
    ]
    return len(connection.execute(new, wanted).all())


def take(connection: Connection, limit: int, now: datetime, seconds: float, owner: str) -> list[InboxRow]:
    """Claim up to ``limit`` waiting events for ``seconds``, oldest first."""
    claimable = and_(
        inbox.c.state == WAITING,
        or_(inbox.c.next_at.is_(None), inbox.c.next_at <= now),
        or_(inbox.c.lease_until.is_(None), inbox.c.lease_until <= now),
    )
    chosen = select(inbox.c.id).where(claimable).order_by(inbox.c.id).limit(limit).with_for_update(skip_locked=True).cte()
    statement = (
        update(inbox)
        .where(inbox.c.id.in_(select(chosen.c.id)), claimable)
        .values(lease_until=now + timedelta(seconds=seconds), lease_owner=owner)
        .returning(*_SHOWN)
    )
    return sorted((InboxRow(*row) for row in connection.execute(statement)), key=lambda row: row.id or 0)


def renew(connection: Connection, ids: Sequence[int], lease: Lease) -> bool:
    """Keep claimed events until the lease ends; False, and nothing changed, when one of them is in other hands."""
    ours = and_(inbox.c.id.in_(ids), inbox.c.lease_owner == lease.owner, inbox.c.state == WAITING)
    held = connection.execute(select(inbox.c.id).where(ours).order_by(inbox.c.id).with_for_update()).all()
    if len(held) != len(set(ids)):
        return False
    connection.execute(update(inbox).where(ours).values(lease_until=lease.until))
    return True


def settle(connection: Connection, ids: Sequence[int]) -> None:
    """Mark them finished; they stay for a while so that a redelivery is known."""
    _set(connection, ids, state=DONE, lease_until=None, lease_owner=None, error=None)


def postpone(connection: Connection, ids: Sequence[int], until: datetime, error: str) -> None:
    """Try them again from ``until``."""
    _set(connection, ids, next_at=until, lease_until=None, lease_owner=None, error=error, attempts=inbox.c.attempts + 1)


def park(connection: Connection, ids: Sequence[int], error: str) -> None:
    """Put them aside until somebody unparks them."""
    _set(connection, ids, state=PARKED, lease_until=None, lease_owner=None, error=error, attempts=inbox.c.attempts + 1)


def parked(connection: Connection, limit: int) -> list[InboxRow]:
    """Events put aside, oldest first."""
    found = connection.execute(select(*_SHOWN).where(inbox.c.state == PARKED).order_by(inbox.c.id).limit(limit))
    return [InboxRow(*row) for row in found]


def unpark(connection: Connection, ids: Sequence[int] | None) -> int:
    """Let parked events wait again (None = all); returns how many."""
    statement = update(inbox).where(inbox.c.state == PARKED).values(state=WAITING, next_at=None, attempts=0)
    return connection.execute(statement if ids is None else statement.where(inbox.c.id.in_(ids))).rowcount


def free(connection: Connection, owner: str) -> int:
    """End every claim of ``owner``; returns how many there were."""
    held = and_(inbox.c.lease_owner == owner, inbox.c.lease_until > EPOCH, inbox.c.state == WAITING)
    return connection.execute(update(inbox).where(held).values(lease_until=None, lease_owner=None)).rowcount


def prune(connection: Connection, before: datetime) -> int:
    """Remove finished events received before; returns how many."""
    return connection.execute(delete(inbox).where(inbox.c.state == DONE, inbox.c.received_at < before)).rowcount


def _set(connection: Connection, ids: Sequence[int], **values: object) -> None:
    if ids:
        connection.execute(update(inbox).where(inbox.c.id.in_(ids), inbox.c.state == WAITING).values(**values))
