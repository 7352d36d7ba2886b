"""Every night: old decisions and finished events leave the store; the org keeps its own records."""

from datetime import timedelta

from connector.log import get
from connector.pipeline.ports import Context

NAME = "prune"
SCHEDULE = "30 3 * * *"
"""At 03:30 in the creditor's time zone; DUNWELL_PRUNE_CRON overrides it."""

log = get("dunwell.prune")


def run(context: Context) -> None:
    """Remove what is older than ``keep_days``."""
    gone = context.store.prune(context.clock.now() - timedelta(days=context.keep_days))
    log.info("store.pruned", decisions=gone.decisions, events=gone.events)
