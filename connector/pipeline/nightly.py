"""The pass over everyone in bulk: load at once, assess and decide in slices, write in portions.

Must not schedule itself or choose between bulk and REST (``sweep`` does). Invariants: a payer whose records anybody touched since they
were loaded is dropped from the upload, marked due and looked at again on their own; a portion is written whole before the next begins,
so an interrupted pass is resumed by running again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from connector.core.plausible import Moves, Sight
from connector.mapping.org import Mapping as OrgMapping
from connector.mapping.touched import payers_in, touched
from connector.pipeline.apply import Plan, Writer
from connector.pipeline.judgement import collector_at_rest
from connector.pipeline.judging import Judged, judge
from connector.pipeline.load_wide import everyone
from connector.pipeline.ports import BulkAccess, Context
from connector.pipeline.safety import Safety
from connector.pipeline.treat import Batch, keep_unknown_codes, planned, treat

PORTION_PAYERS = 10_000
"""Payers written at once: few enough that little is touched meanwhile."""
OVERLAP = timedelta(seconds=60)
"""A change counts as made since the load from so long before it: a transaction keeps the time at which it began."""
NARROW = 200
Progress = Callable[[int, int], None]


def wide_pass(context: Context, bulk: BulkAccess, safety: Safety, *, dry: bool, progress: Progress) -> Iterator[Batch]:
    """Treat everyone; gives batches as they are done, the first with those of whom nothing was written.

    Raises:
        ConfigError: whoever should judge would do it otherwise than this process.
        PermanentError: implausibly little is seen, or implausibly much would change; nothing was written.
        PassStoppedError: hours or calls are used up.
        TransientError: the org does not answer, or took an unknown part; run again.

    """
    with collector_at_rest():  # hundreds of thousands of objects stay until the end: a search among them finds nothing
        yield from _pass(context, bulk, safety, dry=dry, progress=progress)


def _pass(context: Context, bulk: BulkAccess, safety: Safety, *, dry: bool, progress: Progress) -> Iterator[Batch]:
    if context.judges is not None:
        context.judges.check()
    now = context.clock.now()
    found = everyone(bulk, context.mapping, now)
    safety.sees(Sight(found.seen, found.rows))
    judgement = judge(context, found, now, lambda done: progress(done, found.seen))
    batch = replace(judgement.batch, uneven=found.uneven)
    plans = planned(context, judgement.shown.views, batch, judgement.decisions, now)
    changing = sorted((plan for plan in plans if plan.decision.payer in batch.changed), key=lambda plan: plan.decision.payer)
    safety.moves(batch.moves)
    if dry:
        yield batch
        return
    keep_unknown_codes(context, batch, now)
    yield replace(batch, decisions=[one for one in batch.decisions if one.payer not in batch.changed], changed=set(), moves=Moves())
    again: list[str] = []
    for start in range(0, len(changing), PORTION_PAYERS):
        safety.goes_on()
        portion = changing[start : start + PORTION_PAYERS]
        gone = touched_since(bulk, context.mapping, now - OVERLAP) & {plan.decision.payer for plan in portion}
        context.store.mark_due(sorted(gone), at=context.clock.now(), why="touched")
        again += sorted(gone)
        yield _write(replace(context, org=bulk), [plan for plan in portion if plan.decision.payer not in gone], judgement, now)
        progress(found.quiet + start + len(portion), found.seen)
    for start in range(0, len(again), NARROW):
        safety.goes_on()
        yield treat(context, again[start : start + NARROW], context.clock.now())


def touched_since(bulk: BulkAccess, mapping: OrgMapping, since: datetime) -> set[str]:
    """Payers whose records anybody changed since, deleted ones included."""
    asked = touched(mapping, since)
    answers = bulk.query_many([one.soql for one in asked], all_rows=[one.all_rows for one in asked])
    return {payer for one, rows in zip(asked, answers, strict=True) for payer in payers_in(mapping, one.name, rows)}


def _write(context: Context, plans: Sequence[Plan], judgement: Judged, now: datetime) -> Batch:
    applied = Writer(context, judgement.shown, now).apply(plans)
    payers = {plan.decision.payer for plan in plans}
    return Batch(
        judgement.batch.decided_at,
        decisions=[plan.decision for plan in plans],
        applied=applied,
        parked=dict(applied.refused),
        positions=judgement.batch.positions,
        changed=payers,
    )
