"""Which processors are out of order: asked of the org now and then, remembered in between.

Must not judge payers. Invariant: when the org cannot be asked the last answer stands, and a new outage is told once.
"""

from datetime import date, datetime, timedelta

from connector.core.breaker import DailyFailures, outages
from connector.core.policy import Policy
from connector.errors import TransientError
from connector.log import get
from connector.mapping import queries
from connector.mapping.org import Mapping
from connector.pipeline.ports import OrgAccess

log = get("dunwell.outages")
KEEP = timedelta(minutes=5)
"""How long an answer is good for."""


class Outages:
    """The circuit breaker of one org."""

    def __init__(self, org: OrgAccess, mapping: Mapping, policy: Policy) -> None:
        self._org = org
        self._zone = mapping.creditor.zone
        self._breaker = policy.breaker
        self._asked_at: datetime | None = None
        self._found: frozenset[str] = frozenset()

    def __call__(self, now: datetime) -> frozenset[str]:
        """Give the processors that are out at ``now``."""
        if self._asked_at is None or not timedelta() <= now - self._asked_at < KEEP:
            self._ask(now)
        return self._found

    def _ask(self, now: datetime) -> None:
        try:
            (rows,) = self._org.query_many([queries.failures_by_day().soql])
        except TransientError:
            return
        counts = [
            DailyFailures(str(row["Provider__c"]), date.fromisoformat(str(row["failed_on"])), int(str(row["failures"]))) for row in rows
        ]
        found = outages(counts, now.astimezone(self._zone).date(), self._breaker)
        for processor in sorted(found - self._found):
            log.error("processor.failing", processor=processor)
        for processor in sorted(self._found - found):
            log.info("processor.recovered", processor=processor)
        self._found, self._asked_at = found, now
