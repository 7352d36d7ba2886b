"""A compiled statement: SQL, its parameters, and what makes records of its rows. It can be run again and again.

Must not compile. Plans hold for one user's rights and one day; what differs from run to run (the moment, the plain texts of the
statement) is passed in. Invariant: running a plan changes nothing in it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sandbox.org.errors import OrgError
from sandbox.org.soql.shape import MakeRecord, Row
from sandbox.org.sql.scope import NOW, Deferred, Statement
from sandbox.org.storage import Database
from sandbox.org.types import QueryResult, Record
from sandbox.org.values import Shower, stamp

PARENTS = "parents"
MAX_GROUPS = 2000


@dataclass(frozen=True, slots=True)
class Given:
    """What a run is given: the moment, and the texts lifted out of the statement."""

    now: datetime
    texts: Sequence[tuple[str, ...]] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """SQL and its parameters, those known already and those made at each run."""

    sql: str
    parameters: Mapping[str, object]
    deferred: Mapping[str, Deferred]

    @classmethod
    def of(cls, sql: str, statement: Statement) -> "Prepared":
        """Take the parameters of a statement that is wholly compiled."""
        return cls(sql, statement.parameters, statement.deferred)

    def bind(self, given: Given) -> dict[str, object]:
        """Make the parameters of one run. Raises OrgError for a text that is no id."""
        found = {**self.parameters, **{name: make(given.texts) for name, make in self.deferred.items()}}
        if NOW in found:
            found[NOW] = stamp(given.now)
        return found


@dataclass(frozen=True, slots=True)
class About:
    """What is told of a query beside its rows."""

    entity: str
    key_prefix: str
    described: list[Record]
    id_selected: bool = False
    group_by: bool = False
    viewed: bool = False

    def result(self, records: list[Record], total: int) -> QueryResult:
        """Make the answer."""
        return QueryResult(records, total, self.described, self.entity, self.key_prefix, self.id_selected, self.group_by, self.viewed)


@dataclass(frozen=True, slots=True)
class ChildPlan:
    """A subquery, run once for all parents: the last column of a row is its parent's id."""

    key: str
    prepared: Prepared
    make: MakeRecord
    children: tuple["ChildPlan", ...]

    def attach(self, database: Database, given: Given, rows: Sequence[Row], parents: Sequence[Record]) -> None:
        """Put each parent's records into it, or null where there are none. `rows` are the parents', their ids first."""
        ids = [row[0] for row in rows]
        found = database.rows(self.prepared.sql, {**self.prepared.bind(given), PARENTS: json.dumps(ids)})
        records = [record for record in map(self.make, found) if record is not None]
        for child in self.children:
            child.attach(database, given, found, records)
        families: dict[object, list[Record]] = {}
        for row, record in zip(found, records, strict=True):
            families.setdefault(row[-1], []).append(record)
        for parent_id, parent in zip(ids, parents, strict=True):
            family = families.get(parent_id)
            parent[self.key] = {"totalSize": len(family), "done": True, "records": family} if family else None


@dataclass(frozen=True, slots=True)
class Flat:
    """A field of a query that is streamed: its dotted name and type, its SQL, and how it is shown."""

    name: str
    kind: str
    sql: str
    show: Shower | None


@dataclass(frozen=True, slots=True)
class RowsPlan:
    """A query that gives records. flat: its fields one by one, `source` all that follows the SELECT list, for streams."""

    prepared: Prepared
    make: MakeRecord
    children: tuple[ChildPlan, ...]
    about: About
    flat: tuple[Flat, ...]
    source: str

    def stream_sql(self) -> str:
        """Give the SQL whose columns are the fields asked for and nothing else."""
        return f"SELECT {', '.join(each.sql for each in self.flat)} {self.source}"

    def stream_columns(self) -> tuple[list[tuple[str, str]], list[Shower | None]]:
        """Give the names and types of the fields, and how they are shown."""
        return [(each.name, each.kind) for each in self.flat], [each.show for each in self.flat]

    def answer(self, database: Database, given: Given) -> QueryResult:
        """Run the query."""
        rows = database.rows(self.prepared.sql, self.prepared.bind(given))
        records = [record for record in map(self.make, rows) if record is not None]
        for child in self.children:
            child.attach(database, given, rows, records)
        return self.about.result(records, len(records))


@dataclass(frozen=True, slots=True)
class CountPlan:
    """`SELECT COUNT()`: the answer is its size."""

    prepared: Prepared
    about: About

    def answer(self, database: Database, given: Given) -> QueryResult:
        """Run the query."""
        return self.about.result([], int(database.rows(self.prepared.sql, self.prepared.bind(given))[0][0] or 0))


@dataclass(frozen=True, slots=True)
class GroupsPlan:
    """A query that gives AggregateResult rows, at most as many as fit into one answer."""

    prepared: Prepared
    shown: tuple[tuple[str, Shower | None], ...]
    about: About

    def answer(self, database: Database, given: Given) -> QueryResult:
        """Run the query. Raises OrgError EXCEEDED_ID_LIMIT for more rows than one answer holds."""
        rows = database.rows(self.prepared.sql, self.prepared.bind(given))
        if len(rows) > MAX_GROUPS:
            words = "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
            raise OrgError(400, "EXCEEDED_ID_LIMIT", words)
        records: list[Record] = []
        for row in rows:
            record: Record = {"attributes": {"type": "AggregateResult"}}
            for (key, show), value in zip(self.shown, row, strict=True):
                record[key] = value if show is None else show(value)
            records.append(record)
        return self.about.result(records, len(records))


Plan = RowsPlan | CountPlan | GroupsPlan
