"""The life of Bulk jobs: made, started, watched, aborted, deleted; their work runs beside other requests.

Must not know HTTP: refusals are OrgErrors. Source: Bulk API 2.0 and Bulk API Developer Guide, "Create a Job", "Upload
Complete", "Abort a Job", "Delete a Job"; codes of refusals are the AsyncExceptionCodes in capitals, as recorded
(`INVALIDJOBSTATE`, `INVALIDENTITY`, `API_ERROR`). Invariant: states only advance, and work of one job is never done twice.
"""

import asyncio
from collections.abc import Iterator
from typing import NoReturn

from sandbox.bulk.dialect import DELIMITERS, LINE_ENDINGS, Dialect, DialectError
from sandbox.bulk.export import export
from sandbox.bulk.host import Host
from sandbox.bulk.ingest import Ingest
from sandbox.bulk.job import IngestJob, Job, QueryJob, State
from sandbox.bulk.locks import Locks
from sandbox.bulk.registry import Registry
from sandbox.bulk.spool import Spool
from sandbox.org.errors import OrgError, not_found
from sandbox.org.soql.parse import parse
from sandbox.org.soql.stream import RowStream
from sandbox.org.types import Session

INGEST_OPERATIONS = frozenset({"insert", "update", "upsert", "delete", "hardDelete"})
QUERY_OPERATIONS = frozenset({"query", "queryAll"})
_PAST = {"JobComplete": "Completed", "Failed": "Failed", "Aborted": "Aborted"}
_NOT_IN_BULK = {
    "address": "Selecting compound data not supported in Bulk Query",
    "location": "Selecting compound data not supported in Bulk Query",
    "base64": "Blob field not supported in Bulk V2 Query with CSV content type",
}


class Engine:
    """The jobs of one org and their work."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._jobs = Registry()
        self._locks = Locks()
        self._tasks: set[asyncio.Task[None]] = set()
        self._polled: dict[str, asyncio.Event] = {}

    # making jobs

    def create_ingest(self, asked: dict[str, str], session: Session, version: str) -> IngestJob:
        """Make an ingest job from the properties asked for. Raises OrgError."""
        host, org = self._host, self._host.org
        operation, name = asked.get("operation", ""), asked.get("object", "")
        if operation not in INGEST_OPERATIONS:
            raise OrgError(400, "INVALIDJOB", f"Invalid operation: {operation}" if operation else "Operation is required")
        one = org.schema.get(name)
        event = one is not None and one.kind == "event"
        allowed = org.rights(session.user_id).on(one) if one is not None else None
        if one is None or allowed is None or not (allowed.create if event else allowed.read):
            raise OrgError(400, "INVALIDJOB", f"Unable to find object: {name}")
        if event and operation != "insert":
            raise OrgError(400, "INVALIDENTITY", f"Entity '{one.name}' is not supported by the Bulk API.")
        if operation == "upsert" and not asked.get("externalIdFieldName"):
            raise OrgError(400, "INVALIDJOB", f"External ID was blank for {name}. An External ID must be specified for upsert.")
        if operation == "hardDelete" and not self._may_hard_delete(session.user_id):
            words = "hardDelete operation requires special user profile permission, please contact your system administrator"
            raise OrgError(400, "FEATURENOTENABLED", words)
        now = org.clock.now()
        if host.usage.bulk_batches.recent(now) >= host.options.bulk_batch_limit:
            raise OrgError(400, "EXCEEDEDQUOTA", "ApiBatchItems Limit exceeded.")
        job = IngestJob(
            *(self._jobs.next_id(), operation, one.name, session.user_id, version, _dialect(asked), now, now, "Open"),
            client=session.client,
            auto_assign=bool(asked.get("assignmentRuleId")),
            external_id=asked.get("externalIdFieldName", "") if operation == "upsert" else "",
            assignment_rule=asked.get("assignmentRuleId", ""),
        )
        self._jobs.add(job)
        return job

    def _may_hard_delete(self, user_id: str) -> bool:
        rights = self._host.org.rights(user_id)
        return rights.granted("BulkApiHardDelete") or (rights.user.is_admin and self._host.options.bulk_hard_delete)

    def create_query(self, asked: dict[str, str], session: Session, version: str) -> QueryJob:
        """Make a query job and start it. Raises OrgError, also for a statement that Bulk queries do not allow."""
        host, org = self._host, self._host.org
        operation, soql = asked.get("operation", ""), asked.get("query", "")
        if operation not in QUERY_OPERATIONS:
            raise OrgError(400, "INVALIDJOB", f"Invalid operation: {operation}" if operation else "Operation is required")
        if not soql.strip():
            raise OrgError(400, "MALFORMED_QUERY", "A query string has to be specified")
        now, most = org.clock.now(), host.options.bulk_query_limit
        if host.usage.bulk_queries.recent(now) >= most:
            raise OrgError(400, "LIMIT_EXCEEDED", f"Max bulk v2 query jobs ({most}) per 24 hrs has been reached")
        dialect = _dialect(asked)
        rows = org.stream(soql, user_id=session.user_id, all_rows=operation == "queryAll", api_version=version)
        refused = next((_NOT_IN_BULK[kind] for kind in rows.kinds if kind in _NOT_IN_BULK), None)
        if refused is not None:
            rows.close()
            raise OrgError(400, "API_ERROR", refused)
        source = org.schema.get(parse(soql).source.steps[0])
        name = source.name if source is not None else ""
        job_id = self._jobs.next_id()
        job = QueryJob(job_id, operation, name, session.user_id, version, dialect, now, now, "UploadComplete", query=soql)
        host.usage.bulk_queries.add(now)
        self._jobs.add(job)
        self._start(job, rows)
        return job

    # looking at jobs

    def get(self, kind: type[Job], job_id: str) -> Job:
        """Find a job of a kind. Raises OrgError NOT_FOUND."""
        job = self._jobs.get(job_id, self._host.org.clock.now())
        if job is None or not isinstance(job, kind):
            raise not_found()
        return job

    def owned(self, kind: type[Job], job_id: str, user_id: str) -> Job:
        """Find a job that the user made, or may manage. Raises OrgError."""
        job = self.get(kind, job_id)
        rights = self._host.org.rights(user_id)
        if job.user_id != user_id and not rights.user.is_admin and not rights.granted("ManageDataIntegrations"):
            raise OrgError(403, "INVALIDUSER", "The job was created by another user")
        return job

    def all(self) -> Iterator[Job]:
        """List all jobs that still exist, oldest first."""
        return self._jobs.all(self._host.org.clock.now())

    def polled(self, job: Job) -> None:
        """Note that somebody looked how far a job is."""
        job.seen += 1
        if job.id in self._polled:
            self._polled[job.id].set()

    # moving jobs

    def upload(self, job: IngestJob) -> Spool:
        """Give the place for the data of a job that is open and has none. Raises OrgError."""
        if job.state != "Open":
            raise OrgError(400, "INVALIDJOBSTATE", f"Data can be uploaded to an open job only. Current job state is '{job.state}'")
        if job.upload is not None:
            words = (
                f"Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / 'Delete' the current Job then create a new Job "
                "and make sure you only do 'PUT' once on a given Job."
            )
            raise OrgError(400, "CLIENTINPUTERROR", words)
        job.upload = Spool()
        return job.upload

    def forget_upload(self, job: IngestJob) -> None:
        """Take back an upload that did not arrive whole."""
        if job.upload is not None:
            job.upload.close()
            job.upload = None

    def close_upload(self, job: IngestJob) -> None:
        """Take the data as complete and start the work. Raises OrgError."""
        if job.state != "Open":
            _refuse_move("Closing", job)
        self._move(job, "UploadComplete")
        self._start(job, None)

    def abort(self, job: Job) -> None:
        """Abort a job that has not ended. Raises OrgError."""
        if job.ended:
            _refuse_move("Aborting", job)
        idle = job.state in ("Open", "UploadComplete")
        self._move(job, "Aborted")
        if isinstance(job, IngestJob) and idle:
            Ingest(self._host, job, self._locks, None).leave()
        if job.id in self._polled:
            self._polled[job.id].set()

    def delete(self, job: Job) -> None:
        """Delete a job and its data. Raises OrgError."""
        deletable = job.ended or (isinstance(job, IngestJob) and job.state == "UploadComplete")
        if not deletable:
            raise OrgError(400, "API_ERROR", "Error encountered when deleting the job because the job is not terminated")
        if not job.ended:
            self.abort(job)
        self._jobs.remove(job)

    # the work

    def _start(self, job: Job, rows: RowStream | None) -> None:
        self._polled[job.id] = asyncio.Event()
        job.hold()
        task = asyncio.get_running_loop().create_task(self._live(job, rows))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _live(self, job: Job, rows: RowStream | None) -> None:
        try:
            await self._stay(job)
            if not job.ended:
                self._move(job, "InProgress")
                await self._work(job, rows)
        finally:
            if rows is not None:
                rows.close()
            del self._polled[job.id]
            job.release()

    async def _work(self, job: Job, rows: RowStream | None) -> None:
        ingest = self._ingest(job) if isinstance(job, IngestJob) else None
        work = ingest.work() if ingest is not None else export(self._host, job, rows) if isinstance(job, QueryJob) and rows else iter(())
        error = ""
        try:
            for _ in work:
                await asyncio.sleep(0)
                if job.ended:
                    break
        except DialectError as problem:
            error = str(problem)
        if ingest is not None and (error or job.ended):
            ingest.leave()
        if not job.ended:
            await self._stay(job)
        if not job.ended:
            job.error = error
            self._move(job, "Failed" if error else "JobComplete")

    def _ingest(self, job: IngestJob) -> Ingest:
        path = f"/services/data/v{job.version}/jobs/ingest/{job.id}"
        fault = self._host.faults.take("bulk_partial", method="PATCH", path=path, target=job.object)
        return Ingest(self._host, job, self._locks, fault)

    async def _stay(self, job: Job) -> None:
        """Stay in the present state for as many polls and as long as asked for."""
        options, seen = self._host.options, self._polled[job.id]
        if options.bulk_seconds:
            await asyncio.sleep(options.bulk_seconds)
        while job.seen < options.bulk_polls and not job.ended:
            await seen.wait()
            seen.clear()

    def _move(self, job: Job, state: State) -> None:
        job.state, job.modified, job.seen = state, self._host.org.clock.now(), 0

    async def close(self) -> None:
        """Stop all work and give all data back."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._jobs.close()


def _dialect(asked: dict[str, str]) -> Dialect:
    for name, known, default in (
        ("contentType", {"CSV": ""}, "CSV"),
        ("columnDelimiter", DELIMITERS, "COMMA"),
        ("lineEnding", LINE_ENDINGS, "LF"),
    ):
        if asked.get(name, default) not in known:
            raise OrgError(400, "INVALIDJOB", f"Invalid {name}: {asked[name]}")
    return Dialect(asked.get("columnDelimiter", "COMMA"), asked.get("lineEnding", "LF"))


def _refuse_move(doing: str, job: Job) -> NoReturn:
    past = _PAST.get(job.state, "Closed")
    raise OrgError(400, "INVALIDJOBSTATE", f"{doing} already {past} Job not allowed")
