"""SOQL statements from text to answer, compiled once and run often.

Must not write. A plan is kept for its statement (without its plain literals), the reader's rights and the day; rights are made
anew whenever a user's change, so that an old plan is never found again. Invariant: what a kept plan answers is what a fresh one would.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sandbox.org.access import Rights
from sandbox.org.errors import OrgError
from sandbox.org.schema import Schema
from sandbox.org.soql.aggregate import is_aggregate
from sandbox.org.soql.compile import Compiler, Surroundings
from sandbox.org.soql.literals import Lifted, lift
from sandbox.org.soql.parse import parse
from sandbox.org.soql.plan import Given, Plan, RowsPlan
from sandbox.org.soql.stream import RowStream, open_stream
from sandbox.org.soql.syntax import ChildQuery, Compare, Item, Path, Query, TypeOf, Value
from sandbox.org.storage import Database
from sandbox.org.types import QueryResult, Record

_KEPT = 2000
_ID = Path(("Id",), 0)


@dataclass(frozen=True, slots=True)
class Reading:
    """Who reads, when, and through which API version; `all_rows` counts the recycle bin in."""

    rights: Rights
    now: datetime
    api_version: str
    all_rows: bool = False


class Queries:
    """Answers the queries of one org."""

    def __init__(self, schema: Schema, database: Database, time_zone: str, currency: str) -> None:
        self._schema = schema
        self._database = database
        self._zone = ZoneInfo(time_zone)
        self._time_zone = time_zone
        self._currency = currency
        self._plans: dict[tuple[Hashable, ...], Plan] = {}

    def answer(self, soql: str, reading: Reading) -> QueryResult:
        """Answer a statement. Raises OrgError."""
        lifted = lift(soql)
        plan = self._plan(lifted.key, reading, lambda: self._compiled(parse(soql), reading, soql, lifted))
        return plan.answer(self._database, Given(reading.now, lifted.texts))

    def stream(self, soql: str, reading: Reading) -> RowStream:
        """Open a stream over the rows of a statement. Raises OrgError, also for what Bulk queries do not allow."""
        query = parse(soql)
        refuse_in_bulk(query)
        lifted = lift(soql)
        plan = self._plan(lifted.key, reading, lambda: self._compiled(query, reading, soql, lifted))
        if not isinstance(plan, RowsPlan):
            raise _not_in_bulk("Aggregate Relationships")
        bound = plan.prepared.bind(Given(reading.now, lifted.texts))
        return open_stream(self._database, *plan.stream_columns(), plan.stream_sql(), bound)

    def record(self, sobject: str, record_id: str, paths: tuple[str, ...], reading: Reading) -> Record | None:
        """Read the fields named of one record. The id has 18 characters. Raises OrgError for an unknown field."""
        lifted = Lifted("", ((record_id,),), (0,))

        def compiled() -> Plan:
            items = tuple(Item(Path(tuple(each.split(".")), 0)) for each in paths)
            query = Query(items, Path((sobject,), 0), where=Compare(_ID, "=", Value("string", record_id, 0), 0))
            return self._compiled(query, reading, "", lifted)

        found = self._plan((sobject, paths), reading, compiled).answer(self._database, Given(reading.now, lifted.texts)).records
        return found[0] if found else None

    def _compiled(self, query: Query, reading: Reading, soql: str, lifted: Lifted) -> Plan:
        around = Surroundings(
            self._schema, reading.rights, reading.now, self._time_zone, self._currency, reading.api_version, reading.all_rows
        )
        return Compiler(around, soql, lifted).plan(query)

    def _plan(self, key: Hashable, reading: Reading, compiled: Callable[[], Plan]) -> Plan:
        whole = (key, reading.rights, reading.now.astimezone(self._zone).date(), reading.api_version, reading.all_rows)
        found = self._plans.get(whole)
        if found is None:
            found = compiled()
            if len(self._plans) >= _KEPT:
                self._plans.clear()
            self._plans[whole] = found
        return found


def refuse_in_bulk(query: Query) -> None:
    """Refuse what a Bulk query may not have. Source: Bulk API 2.0 Guide, "SOQL Considerations"; the first wording is recorded."""
    if any(isinstance(each, ChildQuery) for each in query.items) or is_aggregate(query):
        raise _not_in_bulk("Aggregate Relationships")
    if any(isinstance(each, TypeOf) for each in query.items):
        raise _not_in_bulk("TYPEOF clauses")
    if query.offset is not None:
        raise _not_in_bulk("OFFSET clauses")


def _not_in_bulk(what: str) -> OrgError:
    return OrgError(400, "API_ERROR", f"{what} not supported in Bulk V2 Query with CSV content type")
