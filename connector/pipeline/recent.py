"""Who needs a look between two passes over everyone: whose records changed since, and whose day has come.

Must not treat anybody. Invariant: one too many is only looked at once more; what changes without a stamp, because a date has come, is
asked for by that date.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from connector.mapping import queries, read
from connector.mapping.read import Record
from connector.mapping.touched import payers_in, touched
from connector.pipeline.ports import Context

OVERLAP = timedelta(minutes=5)
"""A transaction that ends now keeps the stamp of its beginning; the longest in Salesforce takes about so long."""


def recent(context: Context, since: datetime, now: datetime) -> list[str]:
    """Ids of payers who need a look, sorted; in one round of queries.

    Raises:
        TransientError: the org does not answer.

    """
    mapping = context.mapping
    stamped = touched(mapping, since - OVERLAP, owing=True)
    dated = [*queries.come_due(mapping, now), *queries.fallen_due(mapping, since, now)]
    answers = context.org.query_many([one.soql for one in (*stamped, *dated)], all_rows=[one.all_rows for one in (*stamped, *dated)])
    found = {payer for one, rows in zip(stamped, answers, strict=False) for payer in payers_in(mapping, one.name, rows)}
    for one, rows in zip(dated, answers[len(stamped) :], strict=True):
        found |= _payers(context, rows, own_links=one.name != "installments")
    return sorted(found)


def _payers(context: Context, rows: Iterable[Record], *, own_links: bool) -> set[str]:
    return {payer for row in rows if (payer := read.payer_of(context.mapping, row, own_links=own_links))}
