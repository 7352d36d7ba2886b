"""The small data shapes the org hands out: sessions, changes, commits, query results, users.

Must not hold behaviour. Invariant: values inside are JSON-ready.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias

Json: TypeAlias = Any
"""A JSON value: this package is the edge at which records become JSON."""

Record: TypeAlias = dict[str, Json]
AUDIT = frozenset({"CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp"})
"""The fields that say who made a record, who changed it last, and when."""
ChangeKind: TypeAlias = Literal["CREATE", "UPDATE", "DELETE", "UNDELETE"]


@dataclass(frozen=True, slots=True)
class Session:
    """Who acts: `client` is the name given in Sforce-Call-Options, `auto_assign` the Sforce-Auto-Assign header.

    `api` is the interface and its version as `changeOrigin` names them, such as `rest/66.0`; empty = no API, the org itself.
    """

    user_id: str
    client: str = ""
    auto_assign: bool = True
    api: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One record changed by one DML call. `record` is the row afterwards, stored fields only, datetimes with a Z suffix.

    `changed_fields` are API names without the audit fields (but LastModifiedById, if it changed); for CREATE, those that have a value.
    """

    sobject: str
    id: str
    kind: ChangeKind
    changed_fields: tuple[str, ...]
    record: Mapping[str, Json]
    session: Session


@dataclass(frozen=True, slots=True)
class Commit:
    """A finished transaction: its changes in order (several to one row are not merged), and when it ended."""

    key: str
    number: int
    changes: tuple[Change, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in. `is_admin` may do everything; others get what their permission sets give."""

    id: str
    username: str
    name: str
    is_admin: bool = False
    view_all: bool = False
    permission_sets: tuple[str, ...] = ()


@dataclass(slots=True)
class QueryResult:
    """The answer to a query.

    records: JSON-ready, attributes and nested relationships included; total_size: rows, or the number for COUNT().
    columns: the `columnMetadata` of `columns=true`; entity and key_prefix: of the FROM object.
    viewed: the rows are to be remembered as looked at.
    """

    records: list[Record]
    total_size: int
    columns: list[Record] = field(default_factory=list)
    entity: str = ""
    key_prefix: str = ""
    id_selected: bool = False
    group_by: bool = False
    viewed: bool = False


class Events(Protocol):
    """Where published events go: sandbox.streaming.log.EventLog, or anything like it."""

    def append(self, channel: str, payload: Record, *, event_uuid: str, at: datetime) -> int:
        """Keep an event and give it a replay id."""
        ...
