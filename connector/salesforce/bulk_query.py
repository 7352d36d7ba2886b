"""Reading wide: queries as Bulk API 2.0 jobs, their results page by page.

Must not read a cell. Invariants: a query's rows are complete or an error is raised; a page is handed on once, whole, with
exactly as many rows as the org says it has.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import requests

from connector import log
from connector.errors import TransientError
from connector.salesforce.bulk import COMPLETE, Jobs, trouble_of
from connector.salesforce.calls import Call, Calls, MalformedReplyError
from connector.salesforce.failures import StaleLocator

PAGE_ROWS = 100_000
"""Rows asked for at once: some 30 MB, which is what is in memory as text at a time."""
_LOG = log.get("salesforce")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Asked:
    """One SELECT, flat; ``all_rows`` sees deleted and archived rows as well."""

    soql: str
    all_rows: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """CSV in UTF-8, each cell quoted, columns in the order asked for. ``first`` = the page has a header for certain."""

    body: bytes
    rows: int
    first: bool


class BulkReading:
    """Downloads."""

    def __init__(self, calls: Calls, jobs: Jobs) -> None:
        self._calls, self._jobs = calls, jobs

    def download(self, asked: Sequence[Asked], parse: Callable[[int, Page], _T]) -> list[list[_T]]:
        """What ``parse`` makes of every page of every query; it is given the number of the query and the page.

        All jobs are begun before the first is read, so that the org works on one while another is read.

        Raises:
            TransientError: a job failed, or its results went away twice.

        """
        jobs = [self._begin(one) for one in asked]
        found = []
        for place, one in enumerate(asked):
            try:
                parts = self._read(jobs[place], place, parse)
            except StaleLocator:
                _LOG.warning("bulk.begun_again", job=jobs[place])
                jobs[place] = self._begin(one)
                parts = self._read(jobs[place], place, parse)
            found.append(parts)
            self._jobs.delete("query", jobs[place])
        return found

    def _begin(self, one: Asked) -> str:
        return self._jobs.create("query", {"operation": "queryAll" if one.all_rows else "query", "query": one.soql}).id

    def _read(self, job_id: str, place: int, parse: Callable[[int, Page], _T]) -> list[_T]:
        job = self._jobs.wait("query", job_id)
        if job.state != COMPLETE:
            raise trouble_of(job)
        parts, rows, locator = [], 0, ""
        while locator != "null":
            page, locator = self._page(job_id, locator)
            rows += page.rows
            parts.append(parse(place, page))
        if rows != job.processed:
            raise TransientError("a bulk query gave another number of rows than it announced")
        return parts

    def _page(self, job_id: str, locator: str) -> tuple[Page, str]:
        params = {"maxRecords": str(PAGE_ROWS), **({"locator": locator} if locator else {})}

        def read(reply: requests.Response) -> tuple[Page, str]:
            following, rows = reply.headers.get("Sforce-Locator"), reply.headers.get("Sforce-NumberOfRecords", "")
            if not following or not rows.isdigit():
                raise MalformedReplyError("a page of results without its headers")
            return Page(reply.content, int(rows), not locator), following

        return self._calls.fetch(Call(f"jobs/query/{job_id}/results", params=params, raw=True), read)
