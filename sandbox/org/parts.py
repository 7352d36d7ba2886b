"""What every piece of the engine stands on.

Must not hold behaviour. Invariant: one org has one of these, and all its pieces share it.
"""

from dataclasses import dataclass

from sandbox.org.access import Access
from sandbox.org.clock import Clock
from sandbox.org.schema import Schema
from sandbox.org.storage import Database
from sandbox.org.transaction import Transactions


@dataclass(frozen=True, slots=True)
class Parts:
    """The shared pieces of one org and its settings."""

    schema: Schema
    database: Database
    access: Access
    clock: Clock
    transactions: Transactions
    org_id: str
    time_zone: str
    currency: str


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who reads, and through which API version."""

    user_id: str
    api_version: str
