"""The daemon's own memory. What others use is named here; the rest is how it is done."""

from connector.store.database import StoreAwayError
from connector.store.rows import Counts, DueMark, InboxRow, JobRun, LoggedDecision, Look, ParkedPayer, Pruned, Treated
from connector.store.store import OWNER, Store

__all__ = [
    "OWNER",
    "Counts",
    "DueMark",
    "InboxRow",
    "JobRun",
    "LoggedDecision",
    "Look",
    "ParkedPayer",
    "Pruned",
    "Store",
    "StoreAwayError",
    "Treated",
]
