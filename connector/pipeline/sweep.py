"""The pass over everyone: the same pipeline, batch by batch or in bulk, with a run record at its end.

Must not schedule itself. Invariant: each batch is complete before the next begins, so an interrupted pass
resumes by simply running again; a second pass over an unchanged org writes nothing but its run record.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connector.core.keys import key
from connector.core.model import Decision
from connector.core.money import text as amount_text
from connector.core.words import ArrearsStatus
from connector.errors import PermanentError, TransientError
from connector.log import get
from connector.mapping import own, queries, read
from connector.pipeline.nightly import wide_pass
from connector.pipeline.parked import place_parked
from connector.pipeline.ports import Context
from connector.pipeline.treat import Batch, log_of, treat
from connector.store import Look

log = get("dunwell.sweep")
IMPLAUSIBLE_SHARE = 0.5
"""A pass that sees fewer than this share of the payers seen last time stops: invisible is not paid."""
WIDE_ROWS = 20_000
"""From so many installments or payments on a pass goes in bulk: by REST it would take over a hundred calls."""
SEEN = "sweep:payers_seen"


@dataclass(slots=True)
class Sweep:
    """What a pass over everyone found and did."""

    payers: int = 0
    changes: int = 0
    follow_ups: int = 0
    withheld: int = 0
    parked: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    amounts: Counter[str] = field(default_factory=Counter)
    """Currency → minor units overdue."""
    records: Counter[str] = field(default_factory=Counter)
    decisions: list[Decision] = field(default_factory=list)

    def summary(self) -> dict[str, object]:
        """Counts and amounts, for JSON and the last line."""
        return {
            "payers": self.payers, "changes": self.changes, "follow_ups": self.follow_ups, "withheld": self.withheld, "parked": len(self.parked),
            "missing": len(self.missing), "statuses": dict(sorted(self.statuses.items())),
            "overdue": {currency: amount_text(minor, currency) for currency, minor in sorted(self.amounts.items())}, "records": dict(sorted(self.records.items())),
        }  # fmt: skip

    def add(self, batch: Batch) -> None:
        """Count one batch."""
        self.payers += len(batch.decisions) + batch.quiet
        if batch.quiet:
            self.statuses[ArrearsStatus.CLEAR] += batch.quiet
        self.changes += batch.applied.changes
        self.parked |= batch.parked
        self.missing += batch.missing
        self.records.update(batch.applied.inserted)
        for one in batch.decisions:
            self.statuses[one.arrears.status] += 1
            self.amounts.update(dict(one.arrears.amount))
            self.follow_ups += len(one.follow_ups)
            self.withheld += len(one.withheld)
            if one.follow_ups or one.withheld or one.arrears.status is not ArrearsStatus.CLEAR:
                self.decisions.append(one)


def everyone(context: Context, now: datetime) -> list[str]:
    """Ids of all payers with an installment in the window or a Position, sorted."""
    wanted = queries.everyone(context.mapping, now)
    installments, positions = context.org.query_many([one.soql for one in wanted])
    found = {read.payer_of(context.mapping, one) for one in installments}
    found |= {read.payer_of(context.mapping, one, own_links=True) for one in positions}
    return sorted(one for one in found if one)


def sweep(  # noqa: PLR0913 - what a caller may set, by name
    context: Context,
    *,
    batch_payers: int,
    dry: bool = False,
    force: bool = False,
    wide: bool | None = None,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Sweep:
    """Treat everyone now.

    Args:
        context: what a pass works with.
        batch_payers: payers to a batch, at most 200.
        dry: decide and write nothing.
        force: go on although implausibly few payers are visible.
        wide: in bulk or by REST; None = by how much the org holds.
        progress: called with payers done and payers in all.

    Raises:
        PermanentError: implausibly few payers are visible.
        TransientError: the org does not answer; run again.

    """
    started_at = context.clock.now()
    if not dry:
        place_parked(context, started_at)
    found, seen = Sweep(), 0

    def plausible(payers: int) -> None:
        nonlocal seen
        seen = payers
        _plausible(context, payers, force=force)

    bulk = context.bulk if wide or (wide is None and is_large(context)) else None
    if bulk is None:
        batches = _narrow(context, batch_payers, dry=dry, plausible=plausible, progress=progress)
    else:
        bulk.pulse = lambda: progress(0, seen)
        batches = wide_pass(context, bulk, dry=dry, plausible=plausible, progress=progress)
    for batch in batches:
        found.add(batch)
        if not dry:
            _note(context, batch)
    if not dry:
        context.store.set_value(SEEN, str(seen))
        if not context.shadow:
            _record(context, found, started_at)
    log.info("reconcile.finished", payers=found.payers, parked=len(found.parked), total=found.changes)
    return found


def is_large(context: Context) -> bool:
    """Tell whether the org holds so much that a pass goes in bulk."""
    if context.bulk is None:
        return False
    names = [context.mapping.installments.object, context.mapping.payments.object]
    return max(context.bulk.record_counts(names).values(), default=0) >= WIDE_ROWS


def _narrow(
    context: Context, batch_payers: int, *, dry: bool, plausible: Callable[[int], None], progress: Callable[[int, int], None]
) -> Iterator[Batch]:
    """Treat everyone by REST, batch by batch."""
    payers = everyone(context, context.clock.now())
    plausible(len(payers))
    for at, chunk in enumerate(_chunks(payers, batch_payers)):
        yield treat(context, chunk, context.clock.now(), dry=dry)
        progress(min((at + 1) * batch_payers, len(payers)), len(payers))


def _note(context: Context, batch: Batch) -> None:
    """Keep when each payer is looked at again, and what was newly decided."""
    now = context.clock.now()
    looks = [Look(one.payer, one.look_again_at, "planned") for one in batch.decisions if one.look_again_at]
    context.store.mark_looks([*looks, *(Look(payer, now, "locked") for payer in batch.applied.locked)])
    context.store.finish([], decisions=log_of(context, batch, batch.changed - batch.parked.keys()))
    context.wake.set()


def _plausible(context: Context, seen: int, *, force: bool) -> None:
    before = int(context.store.get_value(SEEN) or 0)
    if not force and seen < before * IMPLAUSIBLE_SHARE:
        raise PermanentError(
            f"only {seen} payers are visible, {before} were last time: check that the integration user still sees every installment, then run `dunwell reconcile --yes`"
        )


def _record(context: Context, found: Sweep, started_at: datetime) -> None:
    """Write the Reconciliation Run: what a person reads in a minute."""
    ended_at = context.clock.now()
    amounts = ", ".join(f"{amount_text(minor, currency)} {currency}" for currency, minor in sorted(found.amounts.items()))
    needs = [f"{payer}: {why}" for payer, why in sorted(found.parked.items())] + [
        f"{payer}: rows our flags rest on are not visible" for payer in found.missing
    ]
    fields: dict[str, object] = {
        own.KEY: key("run", "reconcile", started_at.strftime("%Y%m%dT%H%M%S%f")),
        "Started_At__c": started_at, "Ended_At__c": ended_at, "Mode__c": "live", "Payers__c": found.payers, "Changes__c": found.changes,
        "Follow_Ups__c": found.follow_ups, "Withheld__c": found.withheld, "Parked__c": len(found.parked), "Missing__c": len(found.missing),
        "Duration_Seconds__c": round((ended_at - started_at).total_seconds(), 1), "Amounts__c": amounts or "nothing overdue",
        "Needs_Person__c": "\n".join(needs)[:32_000] or None,
        "Report__c": ", ".join(f"{status}: {count}" for status, count in sorted(found.statuses.items())) or "nobody",
    }  # fmt: skip
    ((saved,), _) = context.org.write([(own.RUN, {name: value for name, value in fields.items() if value is not None})], [])
    if not saved.ok and saved.code != "DUPLICATE_VALUE":
        raise TransientError(f"the run record was refused with {saved.code}")


def _chunks(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for at in range(0, len(items), size):
        yield items[at : at + size]
