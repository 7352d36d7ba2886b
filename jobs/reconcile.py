"""Every night: look at everyone, whatever events may have missed. The same pipeline as for one event."""

from connector.pipeline.ports import Context
from connector.pipeline.sweep import sweep

NAME = "reconcile"
SCHEDULE = "0 2 * * *"
"""At 02:00 in the creditor's time zone; DUNWELL_RECONCILE_CRON overrides it."""


def run(context: Context) -> None:
    """Treat everyone. Raises what ``sweep`` raises."""
    sweep(context, batch_payers=200)
