"""The org engine: metadata, records, queries, formulas, visibility and events, without HTTP.

Must not open sockets or wait. Invariant: what it accepts and refuses, and in which words, is what the platform would.
"""

from sandbox.org.clock import Clock
from sandbox.org.errors import OrgError
from sandbox.org.schema import Schema
from sandbox.org.types import Change, Commit, QueryResult, Session, User

__all__ = ["Change", "Clock", "Commit", "OrgError", "QueryResult", "Schema", "Session", "User"]
