"""Changes found by asking: one query an object, from a cursor that moves when the caller has what was read.

Must not know fields beyond Id and SystemModstamp, read a clock, or sleep. Invariant: a row whose SystemModstamp
is not older than cursor minus overlap is read again, so a transaction that commits late is not missed; a row
that was read and kept before is returned again only if something selected of it has changed (the time stamp
alone would not tell: two changes can carry the same second).

Deleted rows come too: the queries go to queryAll and select IsDeleted (soft deletion moves SystemModstamp).
A row that has left the recycle bin is seen by nobody here; the full pass finds what it leaves behind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Protocol

from connector.errors import ConfigError

Record = Mapping[str, object]
_PREFIX = "poll:"


class Queries(Protocol):
    """How the org is asked: several statements in as few calls as possible, answers in the same order."""

    def __call__(self, soqls: Sequence[str], *, all_rows: bool) -> Sequence[Sequence[Record]]:
        """``all_rows`` True = deleted and archived rows too (queryAll)."""
        ...


class CursorStore(Protocol):
    """A durable place for short texts."""

    def get_value(self, name: str) -> str | None:
        """Return the text, None when never set."""
        ...

    def set_value(self, name: str, text: str) -> None:
        """Keep the text; durable when it returns."""
        ...


@dataclass(frozen=True, slots=True)
class PollQuery:
    """One object to watch. ``soql`` selects Id, SystemModstamp (and IsDeleted) and says ``SystemModstamp >= {since}``."""

    name: str
    soql: str

    def __post_init__(self) -> None:
        lowered = self.soql.lower()
        missing = [word for word in ("{since}", "systemmodstamp", "id") if word not in lowered]
        if missing:
            raise ConfigError(f"poll query {self.name!r} lacks {', '.join(missing)}")

    def since(self, at: datetime) -> str:
        """Return the statement for changes from ``at`` on (a SOQL datetime literal, UTC, whole milliseconds)."""
        utc = at.astimezone(UTC)
        return self.soql.replace("{since}", f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z")


@dataclass(frozen=True, slots=True)
class Polled:
    """What one pass read: new or changed ``records`` by query name, oldest first, and where the cursors go when it is kept."""

    records: Mapping[str, tuple[Record, ...]]
    cursors: Mapping[str, datetime]
    seen: Mapping[str, Mapping[str, Record]] = field(repr=False)

    def __bool__(self) -> bool:
        return any(self.records.values())


class Poller:
    """Reads changes of several objects. ``lookback`` is how far the first pass of a query without a cursor reaches.

    ``overlap`` must cover the longest transaction of the org and the difference between its clock and ours.
    """

    def __init__(
        self,
        query_many: Queries,
        queries: Sequence[PollQuery],
        cursors: CursorStore,
        *,
        overlap: timedelta = timedelta(minutes=5),
        lookback: timedelta = timedelta(days=3),
    ) -> None:
        self._query_many = query_many
        self._queries = {query.name: query for query in queries}
        self._cursors = cursors
        self._overlap = overlap
        self._lookback = lookback
        self._seen: dict[str, Mapping[str, Record]] = {}

    def read(self, now: datetime, names: Sequence[str] | None = None) -> Polled:
        """Ask for the changes of all queries, or of those ``names``; nothing is remembered until ``keep``.

        Raises what ``query_many`` raises; then no cursor has moved. ConfigError when rows lack Id or SystemModstamp.
        """
        chosen = [self._queries[name] for name in (self._queries if names is None else names)]
        starts = {query.name: self._start(query.name, now) for query in chosen}
        answers = self._query_many([query.since(starts[query.name]) for query in chosen], all_rows=True) if chosen else []
        records: dict[str, tuple[Record, ...]] = {}
        cursors: dict[str, datetime] = {}
        seen: dict[str, Mapping[str, Record]] = {}
        for query, rows in zip(chosen, answers, strict=True):
            stamped = sorted((_stamped(query, row) for row in rows), key=itemgetter(0, 1))
            before = self._seen.get(query.name, {})
            records[query.name] = tuple(row for _at, row_id, row in stamped if before.get(row_id) != row)
            newest = stamped[-1][0] if stamped else now
            cursors[query.name] = max(now, newest, self.cursor(query.name) or now)
            seen[query.name] = {row_id: row for _at, row_id, row in stamped}
        return Polled(records, cursors, seen)

    def keep(self, polled: Polled) -> None:
        """Move the cursors past what was read; call it when the caller has everything down durably."""
        for name, at in polled.cursors.items():
            self._cursors.set_value(_PREFIX + name, at.isoformat())
            self._seen[name] = polled.seen[name]

    def cursor(self, name: str) -> datetime | None:
        """Return the time up to which changes of query ``name`` are known; None before its first pass."""
        text = self._cursors.get_value(_PREFIX + name)
        return None if text is None else datetime.fromisoformat(text)

    def rewind(self, name: str, at: datetime) -> None:
        """Read again from ``at``, unless the cursor is older; rows returned before are returned again."""
        cursor = self.cursor(name)
        if cursor is None or cursor > at:
            self._cursors.set_value(_PREFIX + name, at.isoformat())
        self._seen.pop(name, None)

    def _start(self, name: str, now: datetime) -> datetime:
        cursor = self.cursor(name)
        return now - self._lookback if cursor is None else cursor - self._overlap


def _stamped(query: PollQuery, row: Record) -> tuple[datetime, str, Record]:
    row_id, stamp = row.get("Id"), row.get("SystemModstamp")
    if not isinstance(row_id, str) or not isinstance(stamp, str):
        raise ConfigError(f"poll query {query.name!r} must select Id and SystemModstamp")
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ConfigError(f"poll query {query.name!r}: a SystemModstamp is no datetime with an offset")
    return at, row_id, row
