"""Writing wide: inserts and updates as Bulk API 2.0 ingest jobs, one outcome a row.

Must not read records. Invariants: a job's id is kept before its upload is complete, so that a restart finds every job that may
still be writing; each row has one outcome; a row the job never came to is said to be so, never taken as written.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from connector import log
from connector.errors import ConfigError, ConflictError, TransientError
from connector.salesforce.bulk import COMPLETE, Jobs, trouble_of
from connector.salesforce.bulk_csv import UPLOAD_BYTES, results, uploads
from connector.salesforce.calls import Call, Calls
from connector.salesforce.failures import AmbiguousWrite
from connector.salesforce.saved import UNPROCESSED, Saved, refused
from connector.salesforce.wire import id_18

KEPT = "bulk_job:"
"""Under this and its id a job stands in the memory, with the object it writes."""
_LOG = log.get("salesforce")


class Memory(Protocol):
    """Where ids of jobs under way are kept (``store.Store`` in life)."""

    def set_value(self, name: str, text: str) -> None:
        """Keep a text under a name."""
        ...

    def forget_value(self, name: str) -> None:
        """Remove it."""
        ...

    def values(self, prefix: str) -> dict[str, str]:
        """Give all texts whose name begins so."""
        ...


class BulkWriting:
    """Uploads."""

    def __init__(self, calls: Calls, jobs: Jobs, memory: Memory, *, most_bytes: int = UPLOAD_BYTES) -> None:
        self._calls, self._jobs, self._memory = calls, jobs, memory
        self._most_bytes = most_bytes

    def write(
        self, sobject: str, operation: str, rows: Sequence[Mapping[str, object]], by: str, before: Callable[[], None] = lambda: None
    ) -> list[Saved]:
        """``insert`` or ``update`` rows; the outcome of each, in order.

        Args:
            sobject: whose records.
            operation: ``insert`` or ``update``.
            rows: values by field name; an update's with its ``Id``.
            by: field that tells the rows apart, in every row: results come back in no order that is promised.
            before: called before a job is made, filled and begun; what it raises ends the write there.

        Raises:
            TransientError: it is not known what was written; load again. The job's id is still kept.
            ConfigError: the org knows an object or field not, or the integration user may not write it.

        """
        found: dict[str, Saved] = {}
        for body, _ in uploads(rows, most_bytes=self._most_bytes):
            found |= self._job(sobject, operation, body, by, before)
        return [found.get(str(row[by])) or refused(UNPROCESSED, None) for row in rows]

    def settle(self) -> int:
        """See to it that no job of a dead process is still writing: wait for it, or abort it. Returns how many there were."""
        left = self._memory.values(KEPT)
        for name, sobject in left.items():
            job_id = name.removeprefix(KEPT)
            try:
                if self._jobs.look("ingest", job_id).state == "Open":
                    self._jobs.abort("ingest", job_id)
                state = self._jobs.wait("ingest", job_id).state
            except ConfigError:
                state = "gone"  # deleted by hand, or older than seven days
            self._memory.forget_value(name)
            _LOG.warning("bulk.settled", job=job_id, sobject=sobject, state=state)
        return len(left)

    def _job(self, sobject: str, operation: str, body: bytes, by: str, before: Callable[[], None]) -> dict[str, Saved]:
        before()
        job_id = self._jobs.create("ingest", {"object": sobject, "operation": operation}).id
        self._memory.set_value(KEPT + job_id, sobject)
        try:
            before()
            self._calls.fetch(Call(f"jobs/ingest/{job_id}/batches", "PUT", body=body, writes=True, raw=True), lambda _: None)
            before()
        except AmbiguousWrite as error:  # a second upload to one job is refused
            self._drop(job_id)
            raise TransientError("an upload broke off: nothing of it was written") from error
        except ConflictError:
            self._drop(job_id)
            raise
        self._jobs.close_upload(job_id)
        job = self._jobs.wait("ingest", job_id)
        found = self._outcomes(job_id, by)
        self._memory.forget_value(KEPT + job_id)
        if job.state != COMPLETE:
            trouble = trouble_of(job)
            if isinstance(trouble, ConfigError) and not found:
                raise trouble
            _LOG.warning("bulk.unfinished", job=job_id, sobject=sobject, state=job.state, succeeded=sum(one.ok for one in found.values()))
        self._jobs.delete("ingest", job_id)
        return found

    def _drop(self, job_id: str) -> None:
        """Abort a job that was not begun: it has written nothing."""
        self._jobs.abort("ingest", job_id)
        self._memory.forget_value(KEPT + job_id)

    def _outcomes(self, job_id: str, by: str) -> dict[str, Saved]:
        found = {row[by]: Saved(id=id_18(row["sf__Id"]), ok=True) for row in self._results(job_id, "successfulResults")}
        for row in self._results(job_id, "failedResults"):
            code, _, message = row["sf__Error"].partition(":")
            found[row[by]] = refused(code.strip() or "UNKNOWN_EXCEPTION", message)
        return found

    def _results(self, job_id: str, which: str) -> list[dict[str, str]]:
        read: Callable[[bytes], list[dict[str, str]]] = results
        return self._calls.fetch(Call(f"jobs/ingest/{job_id}/{which}", raw=True), lambda reply: read(reply.content))
