"""The org, for many records at once: queries as downloads, and writes that choose between collections and Bulk API 2.0.

Must not know any field beyond the platform's own; the name of the field that tells inserted records apart is given. Invariant: outcomes
come in the order of the rows, whichever way each of them went.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from connector.salesforce.bulk import Jobs
from connector.salesforce.bulk_query import Asked, BulkReading, Page
from connector.salesforce.bulk_write import BulkWriting, Memory
from connector.salesforce.calls import Call, MalformedReplyError
from connector.salesforce.client import Insert, Org, Record, Update
from connector.salesforce.saved import LOCKED, UNPROCESSED, Saved

BULK_ROWS = 5_000
"""From so many rows of one object on a job is cheaper: it takes some ten calls, as many as 10,000 rows in collections."""
_T = TypeVar("_T")


class BulkOrg:
    """One org, beside the ``Org`` it is made from; what is not wide goes there. Safe for one thread."""

    def __init__(self, org: Org, memory: Memory, *, key: str, bulk_rows: int = BULK_ROWS) -> None:
        calls, sleep = org.wire
        self.pulse: Callable[[], None] = lambda: None
        """Called before each pause while a job is waited for, which may take hours."""

        def pause(seconds: float) -> None:
            self.pulse()
            sleep(seconds)

        jobs = Jobs(calls, sleep=pause)
        self._org, self._calls, self._key, self._bulk_rows = org, calls, key, bulk_rows
        self._reading, self._writing = BulkReading(calls, jobs), BulkWriting(calls, jobs, memory)

    @property
    def calls(self) -> int:
        """Requests sent so far."""
        return self._calls.made

    def query_many(self, soqls: Sequence[str], *, all_rows: Sequence[bool] | bool = False) -> list[list[Record]]:
        """As ``Org`` does."""
        return self._org.query_many(soqls, all_rows=all_rows)

    def record_counts(self, sobjects: Sequence[str]) -> dict[str, int]:
        """About how many records there are, in one call; an object the org does not know is left out (salesforce.md C.8)."""
        return self._calls.send(Call("limits/recordCount", params={"sObjects": ",".join(sobjects)}), _counts)

    def download(self, asked: Sequence[Asked], parse: Callable[[int, Page], _T]) -> list[list[_T]]:
        """What ``parse`` makes of every page of every query. Raises as ``BulkReading.download`` does."""
        return self._reading.download(asked, parse)

    def settle(self) -> int:
        """See to it that no job of a dead process is still writing. Returns how many there were."""
        return self._writing.settle()

    def write(
        self, inserts: Sequence[Insert], updates: Sequence[Update], *, serial: bool = False, before: Callable[[], None] = lambda: None
    ) -> tuple[list[Saved], list[Saved]]:
        """As ``Org`` does; objects with very many rows by ingest jobs, unless the order of rows matters (``serial``)."""
        if serial:
            return self._org.write(inserts, updates, serial=True, before=before)
        made: list[Saved | None] = [None] * len(inserts)
        changed: list[Saved | None] = [None] * len(updates)
        for sobject in self._wide([name for name, values in inserts if values.get(self._key)], len(inserts)):
            at = [place for place, (name, values) in enumerate(inserts) if name == sobject and values.get(self._key)]
            _put(made, at, self._writing.write(sobject, "insert", [inserts[place][1] for place in at], self._key, before))
        for sobject in self._wide([name for name, _, _ in updates], len(updates)):
            at = [place for place, (name, _, _) in enumerate(updates) if name == sobject]
            rows = [{**values, "Id": record_id} for _, record_id, values in (updates[place] for place in at)]
            _put(changed, at, self._writing.write(sobject, "update", rows, "Id", before))
        self._rest(inserts, updates, made, changed, before)
        return _whole(made), _whole(changed)

    def _wide(self, names: Sequence[str], rows: int) -> list[str]:
        return [] if rows < self._bulk_rows else [name for name, count in Counter(names).items() if count >= self._bulk_rows]

    def _rest(
        self,
        inserts: Sequence[Insert],
        updates: Sequence[Update],
        made: list[Saved | None],
        changed: list[Saved | None],
        before: Callable[[], None],
    ) -> None:
        """What no job took, and what a job could not write for the moment, by collections."""
        locked = bool(_left(made, again=True) or _left(changed, again=True))
        for again in (False, True) if locked else (False,):
            insert_at, update_at = _left(made, again=again), _left(changed, again=again)
            if insert_at or update_at:
                rows, edits = [inserts[place] for place in insert_at], [updates[place] for place in update_at]
                first, second = self._org.write(rows, edits, serial=again, before=before)
                _put(made, insert_at, first)
                _put(changed, update_at, second)


def _left(found: Sequence[Saved | None], *, again: bool) -> list[int]:
    """Places of rows not written yet: those no job took, or (``again``) those it met a lock on or never came to."""
    if again:
        return [place for place, one in enumerate(found) if one is not None and one.code in {LOCKED, UNPROCESSED}]
    return [place for place, one in enumerate(found) if one is None]


def _put(found: list[Saved | None], places: Sequence[int], saved: Sequence[Saved]) -> None:
    for place, one in zip(places, saved, strict=True):
        found[place] = one


def _whole(found: Sequence[Saved | None]) -> list[Saved]:
    return [one for one in found if one is not None]


def _counts(body: object) -> dict[str, int]:
    held = body.get("sObjects") if isinstance(body, Mapping) else None
    if not isinstance(held, list):
        raise MalformedReplyError("record counts could not be read")
    return {str(one["name"]): int(one["count"]) for one in held if isinstance(one, Mapping) and "name" in one and "count" in one}
