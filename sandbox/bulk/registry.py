"""The jobs of an org: numbered, found, listed, forgotten after seven days of the org's time.

Must not work on them. Source: Bulk API 2.0 Limits ("job lifespan 7 days"), key prefix 750. Invariant: a job that is no longer
listed has given its data back, or does so when the last of those that work with them is done.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sandbox.bulk.job import Job
from sandbox.org import ids

LIFE = timedelta(days=7)
PREFIX = "750"


class Registry:
    """All jobs that still exist, oldest first."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._count = 0

    def next_id(self) -> str:
        """Take the id of the next job."""
        self._count += 1
        return ids.numbered(PREFIX, self._count)

    def add(self, job: Job) -> None:
        """Keep a job."""
        self._jobs[job.id] = job

    def get(self, job_id: str, now: datetime) -> Job | None:
        """Find a job by its id in either form, or None."""
        self._forget(now)
        return self._jobs.get(ids.normal(job_id) or "")

    def all(self, now: datetime) -> Iterator[Job]:
        """List the jobs."""
        self._forget(now)
        return iter(tuple(self._jobs.values()))

    def remove(self, job: Job) -> None:
        """Forget a job, and its data as soon as nothing works with them."""
        del self._jobs[job.id]
        job.drop()

    def _forget(self, now: datetime) -> None:
        for job in [each for each in self._jobs.values() if now - each.created >= LIFE and each.state != "InProgress"]:
            self.remove(job)

    def close(self) -> None:
        """Forget everything at once."""
        while self._jobs:
            self._jobs.popitem()[1].close()
