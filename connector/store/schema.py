"""The tables of the store, the same in every database.

Must not hold statements or anything of one dialect. Its one invariant: an instant is stored as whole
microseconds UTC since 1970, so that order, equality and arithmetic are the same everywhere.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

VERSION = 3
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_Id = BigInteger().with_variant(Integer, "sqlite")


class Instant(TypeDecorator[datetime]):
    """An aware datetime; comes back in UTC. A naive one raises ValueError: nobody could say which time it is."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 the signature is SQLAlchemy's
        """Turn an aware datetime into microseconds."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("the store takes aware datetimes only")
        return (value - EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 the signature is SQLAlchemy's
        """Turn microseconds into an aware datetime in UTC."""
        return None if value is None else EPOCH + value * _MICROSECOND


metadata = MetaData()

version = Table("dunwell_store", metadata, Column("version", Integer, nullable=False))

cursors = Table(
    "cursors",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("replay_id", BigInteger, nullable=False),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("identity", Text, nullable=False, unique=True),
    Column("channel", Text, nullable=False),
    Column("replay_id", BigInteger, nullable=False),
    Column("event_uuid", Text),
    Column("body", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("state", Text, nullable=False),  # waiting, done or parked
    Column("next_at", Instant),  # null = at once
    Column("lease_until", Instant),
    Column("lease_owner", Text),
    Column("attempts", Integer, nullable=False),
    Column("error", Text),
    sqlite_autoincrement=True,
)
Index("inbox_by_state", inbox.c.state, inbox.c.id)

due = Table(
    "due",
    metadata,
    Column("payer", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),  # grows with every mark
    Column("due_at", Instant),  # null while parked
    Column("why", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text),
    Column("leased_seq", BigInteger),  # the seq in hand; null = not leased
    Column("lease_until", Instant),
    Column("lease_owner", Text),
    Column("token", Text),
    Column("parked_at", Instant),
)
Index("due_by_time", due.c.due_at)
Index("due_by_lease", due.c.lease_until)

decisions = Table(
    "decisions",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("payer", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("policy", Text, nullable=False),
    Column("policy_version", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("basis", LargeBinary),  # null = kept before version 3
)
Index("decisions_by_payer", decisions.c.payer, decisions.c.at)
Index("decisions_by_time", decisions.c.at)

jobs = Table(
    "jobs",
    metadata,
    Column("name", Text, primary_key=True),
    Column("registered_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("ok", Boolean),
    Column("error", Text),
    Column("owner", Text),
    Column("lease_until", Instant),
    Column("tries", Integer, nullable=False),
    Column("retry_at", Instant),
)

leads = Table(
    "leads",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("token", Text, nullable=False),  # of the process: two that share a name by mistake are told apart
    Column("lease_until", Instant, nullable=False),
)

texts = Table("texts", metadata, Column("name", Text, primary_key=True), Column("text", Text, nullable=False))
