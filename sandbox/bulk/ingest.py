"""The work of an ingest job: its upload read, written in chunks of 200 rows, and sorted into successful, failed and unprocessed.

Must not know HTTP. Source: Bulk API 2.0 and Bulk API Developer Guide, "Understanding Bulk API 2.0 Ingest" (a batch for every
10,000 records, twenty tries, the job fails when the daily allocation is used up), "Get Job ... Results"; results repeat each
row as it was uploaded behind quoted `sf__` columns, as recorded from orgs. The work gives way to other requests after each
chunk, for it is a generator that its caller drives. Invariant: successful + failed + unprocessed rows are the rows uploaded.
"""

import random
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import cast

from sandbox.bulk.dialect import DialectError
from sandbox.bulk.events import publish_rows
from sandbox.bulk.header import columns
from sandbox.bulk.host import Host
from sandbox.bulk.job import IngestJob
from sandbox.bulk.locks import Locks
from sandbox.bulk.spool import Spool
from sandbox.faults import FaultSpec
from sandbox.org.errors import OrgError
from sandbox.org.schema import ObjectType
from sandbox.org.task import Admit, Operation, Outcome, Task, with_client
from sandbox.org.types import Session

_MOST_TRIES = 20
_LOCK_FAILURES = 100
_TOO_MANY = DialectError("TooManyLockFailure : Too many lock failures while processing the current batch.")
_NEEDS_ID = {"update", "delete", "hardDelete"}
Raw = tuple[list[str], bytes]


@dataclass(eq=False, slots=True)
class _Batch:
    """Up to 10,000 rows: where they begin, which have been done, how often the batch was put back."""

    first: int
    start: int
    rows: int
    done: int = 0
    tries: int = 0
    lock_failures: int = 0
    reader: Iterator[Raw] | None = field(default=None, repr=False)


class Ingest:
    """One job being worked on."""

    def __init__(self, host: Host, job: IngestJob, locks: Locks, fault: FaultSpec | None) -> None:
        self._host = host
        self._job = job
        self._locks = locks
        self._fault = fault
        self._task: Task | None = None
        self._rows = 0
        self._batches: list[_Batch] = []

    def work(self) -> Iterator[None]:
        """Do the work piece by piece; the job then says how it ended. Raises DialectError for a job that fails as a whole."""
        upload = self._job.upload
        if upload is None:
            raise DialectError("InvalidBatch : Failed to parse CSV: no header row")
        yield from self._survey(upload)
        yield from self._write(upload)

    def leave(self) -> None:
        """Let go of all locks and keep the rows that were not worked on: the job failed, or it was aborted."""
        upload, job = self._job.upload, self._job
        if upload is None:
            return
        if self._task is None or not self._rows:
            header, *_ = [*islice(upload.lines(), 1), b""]
            job.header = job.header or header
            for block in upload.blocks(len(job.header)):
                job.unprocessed.append(block)
            return
        for batch in self._batches:
            self._locks.begin(batch)
            for _, raw in islice(job.dialect.rows(upload.pieces(batch.start)), batch.done, batch.rows):
                job.unprocessed.append(self._whole(raw))

    def _survey(self, upload: Spool) -> Iterator[None]:
        """Read the upload once: its header, its line endings, where each batch begins."""
        rows = self._job.dialect.rows(upload.pieces())
        names, self._job.header = next(rows, ([], b""))
        if not names and next(rows, None) is None:
            return  # jsforce's own suite loads nothing, and a real org has nothing against it
        if not names:
            raise DialectError("InvalidBatch : Failed to parse CSV: no header row")
        one = self._object()
        self._task = self._tasked(one, names)
        place, size = len(self._job.header), self._host.options.bulk_batch_rows
        for number, (cells, raw) in enumerate(rows):
            if len(cells) != len(names):
                words = f"row {number + 1} has {len(cells)} values for {len(names)} columns"
                raise DialectError(f"InvalidBatch : Failed to parse CSV: {words}")
            if number % size == 0:
                self._batches.append(_Batch(number, place, 0))
                yield
            self._batches[-1].rows += 1
            place += len(raw)
        self._rows = sum(each.rows for each in self._batches)

    def _object(self) -> ObjectType:
        one = self._host.org.schema.get(self._job.object)
        if one is None:
            raise DialectError(f"InvalidJob : Unable to find object: {self._job.object}")
        return one

    def _tasked(self, one: ObjectType, names: Sequence[str]) -> Task:
        job, org = self._job, self._host.org
        rights = org.rights(job.user_id)
        found = columns(org.schema, one, names, rights)
        filled = {each.field.name for each in found if each.key is None}
        if job.operation in _NEEDS_ID and "Id" not in filled:
            raise DialectError("InvalidBatch : Field name not found : Id")
        if job.operation in ("delete", "hardDelete") and len(found) > 1:
            raise DialectError("InvalidBatch : The 'delete' batch must contain only ids")
        key = one.field(job.external_id) if job.operation == "upsert" else None
        if job.operation == "upsert":
            if key is None or not (key.external_id or key.name == "Id") or not rights.reads(one, key):
                words = (
                    f"Field name provided, {job.external_id} does not match an External ID, Salesforce Id, or indexed field for {one.name}"
                )
                raise DialectError(f"InvalidBatch : {words}")
            if key.name not in filled and key.name != "Id":
                raise DialectError(f"InvalidBatch : Field name not found : {key.name}")
        session = with_client(Session(job.user_id, job.client, job.auto_assign), job.version)
        both = self._host.options.duplicates_fail_all
        return Task(cast(Operation, job.operation), one, found, session, key, both)

    def _write(self, upload: Spool) -> Iterator[None]:
        """Work on the batches: one after another, or side by side when locks are contended."""
        lanes = self._host.options.bulk_lanes if self._host.options.lock_contention else 1
        waiting, active = deque(self._batches), deque[_Batch]()
        while waiting or active:
            while waiting and len(active) < lanes:
                self._take(upload, waiting[0])
                active.append(waiting.popleft())
            batch = active.popleft()
            self._locks.begin(batch)
            if batch.done >= batch.rows:
                continue
            self._chunk(batch)
            yield
            if self._stops():
                raise _TOO_MANY
            if batch.lock_failures > _LOCK_FAILURES and batch.done < batch.rows:
                self._put_back(batch)
                waiting.append(batch)
            else:
                active.append(batch)

    def _take(self, upload: Spool, batch: _Batch) -> None:
        """Begin a batch against the daily allocation."""
        usage, now = self._host.usage, self._host.org.clock.now()
        if batch.tries == 0:
            if usage.bulk_batches.recent(now) >= self._host.options.bulk_batch_limit:
                raise DialectError("ExceededQuota : ApiBatchItems Limit exceeded.")
            usage.bulk_batches.add(now)
        batch.reader = islice(self._job.dialect.rows(upload.pieces(batch.start)), batch.done, batch.rows)

    def _put_back(self, batch: _Batch) -> None:
        """Put the rest of a batch back in the queue; after twenty tries the job fails."""
        self._locks.begin(batch)
        batch.tries += 1
        batch.lock_failures = 0
        self._job.retries += 1
        if batch.tries >= _MOST_TRIES:
            raise _TOO_MANY

    def _stops(self) -> bool:
        """Whether a fault ends the job here, half-way."""
        fault = self._fault
        return fault is not None and fault.rows == "unprocessed" and self._job.processed * 2 >= self._rows > self._job.processed

    def _chunk(self, batch: _Batch) -> None:
        """Write the next rows of a batch."""
        task, host, job = self._task, self._host, self._job
        if task is None or batch.reader is None:
            return
        rows = list(islice(batch.reader, host.options.bulk_chunk_rows))
        first = batch.first + batch.done
        began = time.perf_counter()
        write = partial(publish_rows, host) if task.object.kind == "event" else host.org.write_chunk
        outcomes = write(task, [cells for cells, _ in rows], self._admit(batch, first))
        job.api_ms = job.total_ms = job.total_ms + max(1, round((time.perf_counter() - began) * 1000))
        batch.done += len(rows)
        failed = [each.error for each in outcomes if each.error is not None]
        batch.lock_failures += sum(error.code == "UNABLE_TO_LOCK_ROW" for error in failed)
        self._sort(rows, outcomes)
        host.usage.counts["records_written"] += len(outcomes) - len(failed)

    def _admit(self, batch: _Batch, first: int) -> Admit | None:
        options, fault = self._host.options, self._fault
        fails = fault if fault is not None and fault.rows == "failed" else None
        if fails is None and not options.lock_contention:
            return None

        def admit(place: int, records: Sequence[str]) -> OrgError | None:
            row = first + place
            if fails is not None and random.Random(f"{fails.seed}/{row}").random() < fails.share:  # noqa: S311 - repeatable chance
                return OrgError(400, fails.code, fails.message or _WORDS.get(fails.code, "the sandbox was told to refuse this row"))
            if not options.lock_contention:
                return None
            return self._locks.claim(batch, records, chance=options.lock_contention, seed=f"{options.lock_seed}/{row}")

        return admit

    def _sort(self, rows: Sequence[Raw], outcomes: Sequence[Outcome]) -> None:
        """Put each row among the successful or the failed."""
        job, comma = self._job, self._job.dialect.comma
        made, changed = f'"{comma}"true"{comma}', f'"{comma}"false"{comma}'
        good: list[bytes] = []
        bad: list[bytes] = []
        for (_, raw), outcome in zip(rows, outcomes, strict=True):
            if outcome.error is None:
                good += (f'"{outcome.id}{made if outcome.created else changed}'.encode(), self._whole(raw))
            else:
                words = told(outcome.error).replace('"', '""')
                bad += (f'"{outcome.id}"{comma}"{words}"{comma}'.encode(), self._whole(raw))
        job.successful.append(b"".join(good))
        job.unsuccessful.append(b"".join(bad))
        job.processed += len(rows)
        job.failed += len(bad) // 2

    def _whole(self, raw: bytes) -> bytes:
        return raw if raw.endswith(b"\n") else raw + self._job.dialect.end.encode()


_WORDS = {"UNABLE_TO_LOCK_ROW": "unable to obtain exclusive access to this record"}


def told(error: OrgError) -> str:
    """Write an error as `sf__Error` does: code, message and fields."""
    fields = ", ".join(error.fields)
    return f"{error.code}:{error.message}:{fields} --" if fields else f"{error.code}:{error.message}:--"
