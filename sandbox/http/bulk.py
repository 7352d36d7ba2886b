"""``/jobs/ingest`` and ``/jobs/query``: Bulk API 2.0 over HTTP, uploads and results streamed.

The wire only: jobs and rows are the business of ``sandbox.bulk``. Its invariant: neither an upload nor a result is ever whole in
memory. Source: Bulk API 2.0 and Bulk API Developer Guide (paths, bodies, ``Sforce-Locator`` and ``Sforce-NumberOfRecords``,
multipart creation up to 100,000 characters, 409 when results are asked for in another version).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count

from aiohttp import web

from sandbox.bulk.engine import Engine
from sandbox.bulk.export import locator, place_of, row_of
from sandbox.bulk.host import Host
from sandbox.bulk.job import IngestJob, Job, QueryJob
from sandbox.bulk.spool import Spool
from sandbox.http.bulk_wire import multipart, properties, streamed
from sandbox.http.platform import Platform
from sandbox.http.wire import OLDEST_SERVED, Call, JsonObject, Reply, error
from sandbox.org.errors import OrgError, not_found

_KINDS: Mapping[str, type[IngestJob | QueryJob]] = {"ingest": IngestJob, "query": QueryJob}
_RESULTS = {
    "successfulresults": ("successful", "sf__Created"),
    "failedresults": ("unsuccessful", "sf__Error"),
    "unprocessedrecords": ("unprocessed", ""),
}
_PARALLEL_PAGES = 5
_LISTS_KEPT = 20
_BLOCK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """One request below ``/jobs``: as it came, and as the front took it apart."""

    request: web.Request
    call: Call

    @property
    def user_id(self) -> str:
        """Who asks."""
        return self.call.session.user_id


class Bulk:
    """Answers what is below ``/jobs``."""

    def __init__(self, platform: Platform, limit_info: Callable[[], str]) -> None:
        self._platform = platform
        self._limit_info = limit_info
        self._engine = Engine(Host(platform.org, platform.options, platform.faults, platform.usage))
        self._numbers = count(1)
        self._lists: dict[str, list[JsonObject]] = {}

    async def close(self) -> None:
        """Stop the work when the port closes."""
        await self._engine.close()

    async def answer(self, request: web.Request, call: Call) -> Reply | web.StreamResponse:
        """Answer one request: a reply to be sent, or one that was streamed."""
        if float(call.version) < OLDEST_SERVED:
            return error(410, "GONE", "The requested API version has been retired")
        try:
            return await self._route(Asked(request, call))
        except OrgError as problem:
            return error(problem.status, problem.code, problem.message)

    async def _route(self, asked: Asked) -> Reply | web.StreamResponse:
        match asked.call.parts[1:]:
            case ("ingest" | "query" as kind,):
                return await self._of_kind(asked, kind)
            case ("ingest" | "query" as kind, job_id):
                return await self._of_job(asked, kind, job_id)
            case ("ingest", job_id, "batches") if asked.call.method == "PUT":
                return await self._uploaded(asked, job_id)
            case ("ingest", job_id, what) if asked.call.method == "GET" and what.lower() in _RESULTS:
                return await self._rows(asked, job_id, what.lower())
            case ("query", job_id, "results") if asked.call.method == "GET":
                return await self._page(asked, self._result(asked, job_id))
            case ("query", job_id, what) if asked.call.method == "GET" and what.lower() == "resultpages":
                return self._pages(asked, self._result(asked, job_id))
        return _misplaced(asked)

    async def _of_kind(self, asked: Asked, kind: str) -> Reply:
        match asked.call.method, kind:
            case "GET", _:
                return self._list(asked, kind)
            case "POST", "ingest":
                return await self._create_ingest(asked)
            case "POST", _:
                job = self._engine.create_query(await properties(asked.request), asked.call.session, asked.call.version)
                return Reply(200, job.as_created())
        return _misplaced(asked)

    async def _of_job(self, asked: Asked, kind: str, job_id: str) -> Reply:
        match asked.call.method:
            case "GET":
                return self._polled(_KINDS[kind], job_id)
            case "PATCH":
                return await self._moved(asked, kind, job_id)
            case "DELETE":
                self._engine.delete(self._engine.owned(_KINDS[kind], job_id, asked.user_id))
                return Reply(204)
        return _misplaced(asked)

    # jobs

    async def _create_ingest(self, asked: Asked) -> Reply:
        request = asked.request
        if request.content_type != "multipart/form-data":
            return Reply(200, self._engine.create_ingest(await properties(request), asked.call.session, asked.call.version).as_created())
        wanted, content = await multipart(request)
        job = self._engine.create_ingest(wanted, asked.call.session, asked.call.version)
        self._engine.upload(job).append(content)
        self._engine.close_upload(job)
        return Reply(200, job.as_created())

    def _polled(self, kind: type[IngestJob | QueryJob], job_id: str) -> Reply:
        job = self._engine.get(kind, job_id)
        body = job.as_polled()
        self._engine.polled(job)
        return Reply(200, body)

    async def _moved(self, asked: Asked, kind: str, job_id: str) -> Reply:
        job = self._engine.owned(_KINDS[kind], job_id, asked.user_id)
        state = (await properties(asked.request)).get("state", "")
        if state == "Aborted":
            self._engine.abort(job)
        elif state == "UploadComplete" and isinstance(job, IngestJob):
            self._engine.close_upload(job)
        else:
            return error(400, "INVALIDJOBSTATE", f"Job state '{state}' cannot be set")
        return Reply(200, job.brief())

    async def _uploaded(self, asked: Asked, job_id: str) -> Reply:
        job = self._engine.owned(IngestJob, job_id, asked.user_id)
        if asked.request.content_type != "text/csv":
            return error(415, "UNSUPPORTED_MEDIA_TYPE", f"Content-Type '{asked.request.content_type}' is not supported here")
        if not isinstance(job, IngestJob):
            raise not_found()
        room = self._engine.upload(job)
        most, whole = self._platform.options.bulk_upload_bytes, False
        job.hold()
        try:
            async for block in asked.request.content.iter_chunked(_BLOCK):
                room.append(block)
                if room.size * 4 > most * 3:
                    words = f"Job data exceeds the limit of {most} bytes of base64 encoded content"
                    return error(413, "REQUEST_ENTITY_TOO_LARGE", words)
            whole = True
        finally:
            if not whole:
                self._engine.forget_upload(job)
            job.release()
        return Reply(201)

    def _list(self, asked: Asked, kind: str) -> Reply:
        """Answer a list of jobs, page by page. Jobs with PK chunking or in serial mode are Bulk API 1.0: there are none."""
        query = asked.call.query
        size = self._platform.options.bulk_list_rows
        if text := query.get("queryLocator"):
            cursor_id, _, place = text.rpartition("-")
            jobs, start = self._lists.get(cursor_id, []), int(place) if place.isdigit() else 0
            if not jobs:
                return error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        else:
            wanted = query.get("jobType") or _KINDS[kind].__dataclass_fields__["job_type"].default
            none = query.get("isPkChunkingEnabled", "").lower() == "true" or query.get("concurrencyMode", "parallel").lower() == "serial"
            jobs = [] if none else [job.as_listed() for job in self._engine.all() if job.job_type == wanted]
            cursor_id, start = "", 0
        end = start + size
        following = None
        if end < len(jobs):
            if not cursor_id:
                cursor_id = self._keep(jobs)
            following = f"/services/data/v{asked.call.version}/jobs/{kind}?queryLocator={cursor_id}-{end}"
        return Reply(200, {"done": end >= len(jobs), "records": jobs[start:end], "nextRecordsUrl": following})

    def _keep(self, jobs: list[JsonObject]) -> str:
        """Keep a list whose pages are being read; the oldest goes when there are many."""
        cursor_id = f"01gSb{next(self._numbers):010d}BBB"
        self._lists[cursor_id] = jobs
        while len(self._lists) > _LISTS_KEPT:
            del self._lists[next(iter(self._lists))]
        return cursor_id

    # results

    async def _rows(self, asked: Asked, job_id: str, what: str) -> Reply | web.StreamResponse:
        job = self._engine.owned(IngestJob, job_id, asked.user_id)
        if not isinstance(job, IngestJob):
            raise not_found()
        if not job.ended:
            return _unfinished(job)
        name, column = _RESULTS[what]
        spool: Spool = getattr(job, name)
        comma = job.dialect.comma
        added = f'"sf__Id"{comma}"{column}"{comma}'.encode() if column else b""
        header = added + job.header.rstrip(b"\r\n") + job.dialect.end.encode()
        return await self._stream(asked, job, {}, header, spool.blocks())

    async def _stream(self, asked: Asked, job: Job, told: Mapping[str, str], header: bytes, blocks: Iterator[bytes]) -> web.StreamResponse:
        self._platform.usage.by_status["200"] += 1
        job.hold()
        try:
            return await streamed(asked.request, {**told, "Sforce-Limit-Info": self._limit_info()}, header, blocks)
        finally:
            job.release()

    def _result(self, asked: Asked, job_id: str) -> QueryJob:
        job = self._engine.owned(QueryJob, job_id, asked.user_id)
        if not isinstance(job, QueryJob):
            raise not_found()
        if job.version != asked.call.version:
            raise OrgError(409, "INVALIDVERSION", f"The job was created with API version {job.version}: get its results with the same")
        if job.state != "JobComplete":
            raise OrgError(400, "INVALIDJOBSTATE", _unfinished_words(job))
        return job

    async def _page(self, asked: Asked, job: QueryJob) -> Reply | web.StreamResponse:
        first = _first_row(asked, job)
        size = asked.call.query.get("maxRecords", str(self._platform.options.bulk_page_rows))
        if not size.isdigit() or not int(size):
            raise OrgError(400, "INVALID_PARAMETER", f"maxRecords must be a number of records: {size}")
        last = min(first + int(size), job.processed)
        told = {"Sforce-NumberOfRecords": str(last - first), "Sforce-Locator": locator(last) if last < job.processed else "null"}
        header = job.header if first == 0 or self._platform.options.bulk_header_on_every_page else b""
        return await self._stream(asked, job, told, header, job.result.blocks(place_of(job, first), place_of(job, last)))

    def _pages(self, asked: Asked, job: QueryJob) -> Reply:
        """Answer the addresses of up to five pages that may be read in parallel."""
        size, root = self._platform.options.bulk_page_rows, f"/services/data/v{asked.call.version}/jobs/query/{job.id}"
        starts = range(_first_row(asked, job), max(job.processed, 1), size)
        body: JsonObject = {"resultPages": [{"resultUrl": f"{root}/results?locator={locator(row)}"} for row in starts[:_PARALLEL_PAGES]]}
        done = len(starts) <= _PARALLEL_PAGES
        following = None if done else f"{root}/resultPages?locator={locator(starts[_PARALLEL_PAGES])}"
        return Reply(200, body | {"nextRecordsUrl": following, "done": done})


def _first_row(asked: Asked, job: QueryJob) -> int:
    text = asked.call.query.get("locator", "")
    row = row_of(text) if text else 0
    if row is None or not 0 <= row < max(job.processed, 1):
        raise OrgError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return row


def _unfinished_words(job: Job) -> str:
    return f"Results of a job are there when it has ended. Current job state is '{job.state}'"


def _unfinished(job: Job) -> Reply:
    return error(400, "INVALIDJOBSTATE", _unfinished_words(job))


def _misplaced(asked: Asked) -> Reply:
    match asked.call.parts[1:]:
        case ("ingest" | "query",):
            allowed = "GET,HEAD,POST"
        case ("ingest" | "query", _):
            allowed = "DELETE,GET,HEAD,PATCH"
        case ("ingest", _, "batches"):
            allowed = "PUT"
        case _:
            raise not_found()
    return error(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{asked.call.method}' not allowed. Allowed are {allowed}")
