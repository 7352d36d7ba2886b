"""The pass over everyone: the same pipeline, batch by batch or in bulk, with a run record at its end.

Must not schedule itself. Invariant: each batch is complete before the next begins, so an interrupted pass
resumes by simply running again; a second pass over an unchanged org writes nothing but its run record.

Between two such passes one over those suffices whose records changed since or whose day has come (``recent``).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from connector.core.model import Decision
from connector.core.money import text as amount_text
from connector.core.plausible import Sight
from connector.core.reconciliation import Matter, Reconciliation
from connector.core.tally import Tally
from connector.core.words import ArrearsStatus
from connector.errors import PermanentError
from connector.log import get
from connector.mapping import queries, read
from connector.pipeline.findings import look
from connector.pipeline.narrow import Way, narrow_pass
from connector.pipeline.nightly import wide_pass
from connector.pipeline.parked import place_parked
from connector.pipeline.ports import Context
from connector.pipeline.recent import recent
from connector.pipeline.run_record import EVERYONE as ALL
from connector.pipeline.run_record import PART, TOUCHED, conclude, refuse
from connector.pipeline.safety import PassStoppedError, Safety
from connector.pipeline.treat import Batch, log_of
from connector.store import Look

log = get("dunwell.sweep")
WIDE_ROWS = 20_000
"""From so many installments or payments on a pass goes in bulk: by REST it would take over a hundred calls."""
SINCE = "sweep:since"
"""Under this the store keeps when the last pass began that came to its end."""
EVERYONE = "sweep:everyone"
"""And when the last one over everyone did."""
EVERYONE_AFTER = timedelta(days=7)
"""After so long without a pass over everyone, one over those touched since is none that can be relied on."""
MANY_PAYERS = 5_000
"""Of so many touched payers a pass over everyone in bulk is the cheaper one."""


@dataclass(slots=True)
class Sweep:
    """What a pass over everyone found and did."""

    everyone: bool = True
    """Whether it was about everyone, or only those touched since the last."""
    tally: Tally = field(default_factory=Tally)
    parked: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    findings: list[Matter] = field(default_factory=list)
    """What stands still in the org beside the payers' own debts."""
    uneven: Sequence[str] | None = None
    """Installments that may say another open amount than their payments; None = not looked for."""
    decisions: list[Decision] = field(default_factory=list)
    told: Reconciliation | None = None
    """The pass as a whole, once it has ended."""

    @property
    def payers(self) -> int:
        """Payers looked at."""
        return self.tally.payers

    @property
    def changes(self) -> int:
        """Records made or changed."""
        return self.tally.changes

    @property
    def records(self) -> Mapping[str, int]:
        """Object → records made."""
        return self.tally.inserted

    def summary(self) -> dict[str, object]:
        """Counts and amounts, for JSON and the last line."""
        tally = self.tally
        return {
            "payers": tally.payers, "changes": tally.changes, "follow_ups": tally.follow_ups, "withheld": tally.withheld_in_all, "parked": len(self.parked),
            "missing": len(self.missing), "statuses": {status: share.payers for status, share in sorted(tally.statuses.items())},
            "overdue": {currency: amount_text(minor, currency) for currency, minor in sorted(tally.overdue.amounts.items())},
            "records": dict(sorted(tally.inserted.items())),
        }  # fmt: skip

    def add(self, batch: Batch) -> None:
        """Count one batch."""
        self.tally.quiet(batch.quiet)
        self.tally.wrote(batch.applied.inserted, batch.applied.updated, batch.applied.made)
        for payer in batch.parked.keys() - self.parked.keys():
            self.tally.put_aside(payer, batch.parked[payer])
        self.parked |= batch.parked
        self.uneven = self.uneven if batch.uneven is None else batch.uneven
        for payer in set(batch.missing).difference(self.missing):
            self.tally.missing.add(payer)
        self.missing += batch.missing
        for one in batch.decisions:
            position = batch.positions[one.payer]
            self.tally.decided(one, position, batch.decided_at.astimezone(ZoneInfo(position.time_zone)))
            if one.follow_ups or one.withheld or one.arrears.status is not ArrearsStatus.CLEAR:
                self.decisions.append(one)


def everyone(context: Context, now: datetime) -> tuple[list[str], Sight]:
    """Ids of all payers with an installment in the window or a Position, sorted; and how much can be seen."""
    wanted = queries.everyone(context.mapping, now)
    counted = [context.mapping.installments.object, context.mapping.payments.object]
    installments, positions, *counts = context.org.query_many([one.soql for one in (*wanted, *map(queries.count, counted))])
    found = {read.payer_of(context.mapping, one) for one in installments}
    found |= {read.payer_of(context.mapping, one, own_links=True) for one in positions}
    payers = sorted(one for one in found if one)
    return payers, Sight(len(payers), {name: int(str(rows[0]["total"])) for name, rows in zip(counted, counts, strict=True)})


def sweep(  # noqa: PLR0913 - what a caller may set, by name
    context: Context,
    *,
    batch_payers: int,
    dry: bool = False,
    force: bool = False,
    wide: bool | None = None,
    only_recent: bool = False,
    by_hand: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Sweep:
    """Treat everyone now.

    Args:
        context: what a pass works with.
        batch_payers: payers to a batch, at most 200.
        dry: decide and write nothing.
        force: go on although a safety stop would refuse.
        wide: in bulk or by REST; None = by how much the org holds.
        only_recent: not everyone but those whose records changed since the last pass, or whose day has come.
        by_hand: begun by a person, at whatever hour.
        progress: called with payers done and payers in all.

    Raises:
        PermanentError: a safety stop: implausibly little is seen, or implausibly much would change.
        TransientError: the org does not answer, or hours or calls are used up; run again.

    """
    started_at, calls = context.clock.now(), context.org.calls
    safety = Safety(context, force=force or dry, by_hand=by_hand or dry)
    safety.goes_on()
    if not dry:
        if context.bulk is not None:
            context.bulk.settle()
        place_parked(context, started_at)
    found = Sweep()
    stopped: PassStoppedError | None = None
    try:
        for batch in _batches(context, found, safety, Way(batch_payers, dry, wide, only_recent, progress)):
            found.add(batch)
            if not dry:
                _note(context, batch)
    except PassStoppedError as error:
        stopped = error
    except PermanentError as error:
        refuse(context, started_at, str(error))
        raise
    if stopped is None:
        looked = look(context, context.clock.now(), found.uneven, counters=found.everyone, dry=dry)
        found.findings += looked.matters
        found.tally.wrote(looked.inserted, looked.updated, {})
    if not dry and stopped is None:
        _remember(context, found, safety, started_at)
    scope = PART if stopped else ALL if found.everyone else TOUCHED
    found.told = conclude(context, found.tally, started_at, scope=scope, dry=dry, calls=context.org.calls - calls, findings=found.findings)
    log.info("reconcile.finished", payers=found.payers, parked=len(found.parked), total=found.changes)
    if stopped is not None:
        raise stopped
    return found


def _batches(context: Context, found: Sweep, safety: Safety, way: Way) -> Iterator[Batch]:
    """Treat whom this pass is about, in the way that suits their number."""
    payers = _recent(context) if way.only_recent else None
    if payers is not None:
        found.everyone = False
        yield from narrow_pass(context, payers, safety, way)
        return
    bulk = context.bulk if way.wide or (way.wide is None and is_large(context)) else None
    if bulk is not None:
        bulk.pulse = lambda: way.progress(0, safety.sight.payers if safety.sight else 0)
        yield from wide_pass(context, bulk, safety, dry=way.dry, progress=way.progress)
        return
    payers, sight = everyone(context, context.clock.now())
    safety.sees(sight)
    yield from narrow_pass(context, payers, safety, way)


def _recent(context: Context) -> list[str] | None:
    """Whom to look at since the last pass; None = everyone, because too long ago was the last time or too much has changed."""
    now = context.clock.now()
    since, whole = (_kept_at(context, name) for name in (SINCE, EVERYONE))
    if since is None or whole is None or now - whole > EVERYONE_AFTER:
        return None
    payers = recent(context, since, now)
    return None if len(payers) > MANY_PAYERS and context.bulk is not None else payers


def _kept_at(context: Context, name: str) -> datetime | None:
    told = context.store.get_value(name)
    return datetime.fromisoformat(told) if told else None


def _remember(context: Context, found: Sweep, safety: Safety, started_at: datetime) -> None:
    """Keep what the next pass rests on."""
    context.store.set_value(SINCE, started_at.isoformat())
    if found.everyone:
        context.store.set_value(EVERYONE, started_at.isoformat())
        safety.remember()


def is_large(context: Context) -> bool:
    """Tell whether the org holds so much that a pass goes in bulk."""
    if context.bulk is None:
        return False
    names = [context.mapping.installments.object, context.mapping.payments.object]
    return max(context.bulk.record_counts(names).values(), default=0) >= WIDE_ROWS


def _note(context: Context, batch: Batch) -> None:
    """Keep when each payer is looked at again, and what was newly decided."""
    now = context.clock.now()
    looks = [Look(one.payer, one.look_again_at, "planned") for one in batch.decisions if one.look_again_at]
    context.store.mark_looks([*looks, *(Look(payer, now, "locked") for payer in batch.applied.locked)])
    context.store.finish([], decisions=log_of(context, batch, batch.changed - batch.parked.keys()))
    context.wake.set()
