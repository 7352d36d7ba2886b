"""How old payment data is: asked of the org now and then, remembered in between.

Must not judge payers. Invariants: only money tells, or a try to move it, because installments are made and changed while money is not
booked, by Dunwell itself as well; an org that never had a payment is not stale; when the org cannot be asked the last answer stands.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from connector.errors import TransientError
from connector.log import get
from connector.mapping import queries, read
from connector.mapping.org import Mapping
from connector.pipeline.ports import OrgAccess, Record

log = get("dunwell.freshness")
KEEP = timedelta(minutes=5)
"""How long an answer is good for."""


class Freshness:
    """Tells whether the payment data of one org is older than its mapping allows."""

    def __init__(self, org: OrgAccess, mapping: Mapping) -> None:
        self._org, self._mapping = org, mapping
        self._asked_at: datetime | None = None
        self._newest: datetime | None = None
        self._stale = False

    def __call__(self, now: datetime) -> bool:
        """Whether it is too old at ``now``."""
        hours = self._mapping.stale_after_hours
        if hours is None:
            return False
        if self._asked_at is None or not timedelta() <= now - self._asked_at < KEEP:
            self._ask(now)
        stale = is_stale(self._newest, now, hours)
        if stale and not self._stale:
            log.error("payments.stale", since=self._newest, limit=hours)
        elif self._stale and not stale:
            log.info("payments.fresh")
        self._stale = stale
        return stale

    def _ask(self, now: datetime) -> None:
        try:
            answers = self._org.query_many([one.soql for one in queries.newest_money(self._mapping)])
        except TransientError:
            return
        self._newest, self._asked_at = newest(record for rows in answers for record in rows), now


def newest(records: Iterable[Record]) -> datetime | None:
    """The latest moment at which any of the records was made or changed."""
    return max((at for one in records if (at := read.moment(one, "SystemModstamp")) is not None), default=None)


def is_stale(newest_at: datetime | None, now: datetime, hours: int) -> bool:
    """Tell whether so many hours have passed since money was last heard of."""
    return newest_at is not None and now - newest_at > timedelta(hours=hours)
