"""Every night: look at everyone, whatever events may have missed. The same pipeline as for one event."""

from connector.errors import TransientError
from connector.pipeline.ports import Context
from connector.pipeline.sweep import sweep

NAME = "reconcile"
SCHEDULE = "0 2 * * *"
"""At 02:00 in the creditor's time zone; DUNWELL_RECONCILE_CRON overrides it."""
LATER_SECONDS = 60.0


def run(context: Context) -> None:
    """Treat everyone. Raises what ``sweep`` raises, and TransientError while the catch-up runs: two passes would settle each other's jobs."""
    other = context.store.job_last_run("catch_up")
    if other is not None and other.running(context.clock.now()):
        raise TransientError("the catch-up runs", LATER_SECONDS)
    sweep(context, batch_payers=200)
