"""Between two nights: look at those whose records changed since the last pass, or whose day has come. A daemon that missed events finds them here."""

from connector.pipeline.ports import Context
from connector.pipeline.sweep import sweep

NAME = "catch_up"
SCHEDULE = "20 */4 * * *"
"""Every four hours; DUNWELL_CATCH_UP_CRON overrides it."""


def run(context: Context) -> None:
    """Treat them, unless the pass over everyone runs. Raises what ``sweep`` raises."""
    whole = context.store.job_last_run("reconcile")
    if whole is None or not whole.running(context.clock.now()):
        sweep(context, batch_payers=200, only_recent=True)
