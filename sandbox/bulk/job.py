"""A Bulk job: what was asked for, how far it is, and how it is shown.

Must not work on rows. Source: Bulk API 2.0 and Bulk API Developer Guide, the response bodies of "Create a Job", "Upload
Complete", "Get Information About an Ingest Job", "Create a Query Job", "Get Information About a Query Job". Invariant:
a job that has ended (JobComplete, Failed, Aborted) changes no more.
"""

from array import array
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from sandbox.bulk.dialect import Dialect
from sandbox.bulk.spool import Spool
from sandbox.org.types import Json
from sandbox.org.values import exact

State = Literal["Open", "UploadComplete", "InProgress", "JobComplete", "Failed", "Aborted"]
Body: TypeAlias = dict[str, Json]
ENDED = frozenset({"JobComplete", "Failed", "Aborted"})


def shown(at: datetime) -> str:
    """Write a moment as job bodies do."""
    return exact(at).replace("Z", "+0000")


@dataclass(slots=True)
class Job:
    """What query and ingest jobs have in common. Times in milliseconds; `seen` counts the polls of the present state."""

    id: str
    operation: str
    object: str
    user_id: str
    version: str
    dialect: Dialect
    created: datetime
    modified: datetime
    state: State
    client: str = ""
    auto_assign: bool = False
    processed: int = 0
    failed: int = 0
    retries: int = 0
    total_ms: int = 0
    api_ms: int = 0
    error: str = ""
    seen: int = 0
    job_type: str = ""
    holders: int = 0
    dropped: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to the job."""
        return self.state in ENDED

    def brief(self) -> Body:
        """Show what every body of a job begins with."""
        return {
            "id": self.id,
            "operation": self.operation,
            "object": self.object,
            "createdById": self.user_id,
            "createdDate": shown(self.created),
            "systemModstamp": shown(self.modified),
            "state": self.state,
            **self._asked(),
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
        }

    def _asked(self) -> Body:
        return {}

    def _written(self) -> Body:
        return {"lineEnding": self.dialect.ending, "columnDelimiter": self.dialect.delimiter}

    def as_created(self) -> Body:
        """Show the job in the reply to its creation."""
        return {**self.brief(), **self._place(), **self._written()}

    def as_listed(self) -> Body:
        """Show the job in a list of jobs."""
        return {**self.brief(), "jobType": self.job_type, **self._place(), **self._written()}

    def as_polled(self) -> Body:
        """Show the job to who asks how far it is."""
        body = self.as_listed() | self._counted() | {"retries": self.retries, "totalProcessingTime": self.total_ms} | self._timed()
        return body | ({"errorMessage": self.error} if self.error else {})

    def _place(self) -> Body:
        return {}

    def _counted(self) -> Body:
        return {}

    def _timed(self) -> Body:
        return {}

    def hold(self) -> None:
        """Keep the data while something works with it: the work itself, an upload, a download."""
        self.holders += 1

    def release(self) -> None:
        """Say that it does no longer."""
        self.holders -= 1
        if self.dropped and not self.holders:
            self.close()

    def drop(self) -> None:
        """Give the data back, now or as soon as nothing works with it."""
        self.dropped = True
        if not self.holders:
            self.close()

    def close(self) -> None:
        """Give its data back."""


@dataclass(slots=True)
class IngestJob(Job):
    """A job that writes records. The upload and the three kinds of results are kept as they are given out."""

    external_id: str = ""
    assignment_rule: str = ""
    job_type: str = "V2Ingest"
    upload: Spool | None = None
    header: bytes = b""
    successful: Spool = field(default_factory=Spool)
    unsuccessful: Spool = field(default_factory=Spool)
    unprocessed: Spool = field(default_factory=Spool)

    def _asked(self) -> Body:
        rule = {"assignmentRuleId": self.assignment_rule} if self.assignment_rule else {}
        return ({"externalIdFieldName": self.external_id} if self.external_id else {}) | rule

    def _place(self) -> Body:
        return {"contentUrl": f"services/data/v{self.version}/jobs/ingest/{self.id}/batches"} if self.state == "Open" else {}

    def _counted(self) -> Body:
        return {} if self.state == "Open" else {"numberRecordsProcessed": self.processed, "numberRecordsFailed": self.failed}

    def _timed(self) -> Body:
        return {"apiActiveProcessingTime": self.api_ms, "apexProcessingTime": 0}

    def close(self) -> None:
        """Give upload and results back."""
        for each in (self.upload, self.successful, self.unsuccessful, self.unprocessed):
            if each is not None:
                each.close()


@dataclass(slots=True)
class QueryJob(Job):
    """A job that reads records. `marks` holds where every 1,000th row of the result begins."""

    query: str = ""
    job_type: str = "V2Query"
    header: bytes = b""
    result: Spool = field(default_factory=Spool)
    marks: "array[int]" = field(default_factory=lambda: array("Q"))

    def _counted(self) -> Body:
        return {"numberRecordsProcessed": self.processed}

    def _timed(self) -> Body:
        return {"isPkChunkingSupported": self.object.endswith("__c") or self.object in _CHUNKED}

    def close(self) -> None:
        """Give the result back."""
        self.result.close()


_CHUNKED = frozenset({"Account", "Asset", "Campaign", "CampaignMember", "Case", "Contact", "Event", "Lead", "Opportunity", "Task", "User"})
