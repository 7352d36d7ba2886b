"""Every hour: follow-ups and holds whose time has come, read from the org: a lost store finds them again."""

from connector.mapping import queries, read
from connector.pipeline.ports import Context

NAME = "due"
SCHEDULE = "5 * * * *"


def run(context: Context) -> None:
    """Mark every payer due whose Position or planned follow-up says so. Raises TransientError."""
    now = context.clock.now()
    wanted = queries.come_due(context.mapping, now)
    answers = context.org.query_many([one.soql for one in wanted])
    payers = {read.payer_of(context.mapping, record, own_links=True) for rows in answers for record in rows}
    context.store.mark_due(sorted(one for one in payers if one), at=now, why="due")
    context.wake.set()
