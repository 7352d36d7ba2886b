"""Bulk API 2.0 jobs: made, looked at, waited for, ended; what downloads and uploads have in common.

Must not know rows. Invariant: a job is asked about at growing pauses, and one that does not end in time is aborted, never
forgotten. Source: salesforce.md C.10. simple-salesforce's own bulk helpers are not used: they never renew a session and have no
time-outs (B.4).
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from connector import log
from connector.errors import ConfigError, DunwellError, PermanentError, TransientError
from connector.salesforce.backoff import Backoff
from connector.salesforce.calls import Call, Calls, MalformedReplyError

Kind = Literal["query", "ingest"]
COMPLETE, FAILED, ABORTED = "JobComplete", "Failed", "Aborted"
ENDED = frozenset({COMPLETE, FAILED, ABORTED})
LONGEST_SECONDS = 4 * 3600.0
"""For how long a job is waited for: a night."""
_PAUSES = Backoff(first_seconds=0.1, limit_seconds=20.0, factor=1.5, jitter=0.0)
_CODE = re.compile(r"^\s*([A-Za-z_]{3,60})\b")
_NAMED = re.compile(r"(?:Field name not found|Unable to find relationship) : ([\w.]{1,80})")
_LOG = log.get("salesforce")


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the org last told of it. ``error`` may quote what was uploaded: it is never logged whole."""

    id: str
    state: str
    processed: int = 0
    failed: int = 0
    error: str = ""

    @property
    def ended(self) -> bool:
        """Nothing more happens to it."""
        return self.state in ENDED


class Jobs:
    """The jobs of one org. Every method raises what ``Calls`` raises."""

    def __init__(self, calls: Calls, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._calls = calls
        self._sleep = sleep

    def create(self, kind: Kind, asked: Mapping[str, object]) -> Job:
        """Make a job. Repeated when its answer is lost: a job that nobody fills or reads does nothing."""
        body = {"contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF", **asked}
        return self._calls.send(Call(f"jobs/{kind}", "POST", body=body), _job)

    def look(self, kind: Kind, job_id: str) -> Job:
        """Ask how far it is."""
        return self._calls.send(Call(f"jobs/{kind}/{job_id}"), _job)

    def close_upload(self, job_id: str) -> None:
        """Say that the data of an ingest job is whole, so that the work begins; saying so twice is one."""
        try:
            self._move("ingest", job_id, "UploadComplete")
        except PermanentError:
            if self.look("ingest", job_id).state == "Open":
                raise

    def abort(self, kind: Kind, job_id: str) -> None:
        """End a job before its time; one that has ended by itself stays as it is."""
        try:
            self._move(kind, job_id, ABORTED)
        except PermanentError:
            if not self.look(kind, job_id).ended:
                raise

    def delete(self, kind: Kind, job_id: str) -> None:
        """Give back what the org keeps of a job that has ended; it goes by itself in seven days, so a refusal matters to nobody."""
        try:
            self._calls.send(Call(f"jobs/{kind}/{job_id}", "DELETE"), lambda _: None)
        except DunwellError as error:
            _LOG.info("bulk.kept", kind=kind, job=job_id, error=error)

    def wait(self, kind: Kind, job_id: str) -> Job:
        """Wait until a job has ended.

        Raises:
            TransientError: it did not end within ``LONGEST_SECONDS``; it was aborted.

        """
        waited, asked = 0.0, 0
        while True:
            job = self.look(kind, job_id)
            if job.ended:
                return job
            if waited >= LONGEST_SECONDS:
                self.abort(kind, job_id)
                raise TransientError("a bulk job did not end in time and was aborted")
            pause = _PAUSES.delay(asked, 0.0)
            self._sleep(pause)
            waited, asked = waited + pause, asked + 1

    def _move(self, kind: Kind, job_id: str, state: str) -> None:
        self._calls.send(Call(f"jobs/{kind}/{job_id}", "PATCH", body={"state": state}), _job)


def trouble_of(job: Job) -> DunwellError:
    """What a job that did not complete means. Of the org's words only the code and the name of a field are repeated."""
    code = found[1] if (found := _CODE.match(job.error)) else "no reason given"
    if named := _NAMED.search(job.error):
        return ConfigError(f"the org does not know {named[1]}, or the integration user may not write it ({code})")
    return TransientError(f"the org ended a bulk job as {job.state}: {code}")


def _job(body: object) -> Job:
    if not isinstance(body, Mapping) or not isinstance(body.get("id"), str) or not isinstance(body.get("state"), str):
        raise MalformedReplyError("not a job")
    return Job(
        body["id"],
        body["state"],
        processed=_count(body, "numberRecordsProcessed"),
        failed=_count(body, "numberRecordsFailed"),
        error=str(body.get("errorMessage") or ""),
    )


def _count(body: Mapping[str, object], name: str) -> int:
    held = body.get(name)
    return held if isinstance(held, int) else 0
