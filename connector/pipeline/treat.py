"""Treat a batch of payers: load → assess → decide → apply, and say what became of each.

Must not know threads or schedules. Invariant: a payer is released only after the org shows its decision;
one payer that cannot be treated is parked with its reason and the rest go on.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta

from connector.core.agreements import agreed
from connector.core.capacity import Desk, ration
from connector.core.changes import Basis, View, changes
from connector.core.frames import Snapshot
from connector.core.model import Decision, Position
from connector.core.plausible import Moves, moves
from connector.core.unknown_codes import unknown_codes
from connector.core.words import Kind
from connector.log import get
from connector.mapping import queries
from connector.pipeline.apply import Applied, Plan, Writer
from connector.pipeline.judgement import Judgement, Terms, judge, sparing_the_others
from connector.pipeline.load import Loaded, load
from connector.pipeline.logbook import logged, says_something
from connector.pipeline.ports import Context
from connector.store import DueMark, LoggedDecision, Treated

log = get("dunwell.treat")
SOON = timedelta(seconds=2)
UNKNOWN_CODE = "unknown_code:"
"""Under this, code set and code the store keeps when a code that nobody knows was first met."""


@dataclass(slots=True)
class Batch:
    """What became of one batch."""

    decided_at: datetime
    """The moment it was decided for."""
    decisions: list[Decision] = field(default_factory=list)
    applied: Applied = field(default_factory=Applied)
    parked: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    """Payers of whom rows could not be read."""
    positions: Mapping[str, Position] = field(default_factory=dict)
    """What each decision rests on, by payer."""
    quiet: int = 0
    """Payers beside these who need no look."""
    changed: set[str] = field(default_factory=set)
    """Payers of whom something was to be written."""
    moves: Moves = field(default_factory=Moves)
    """The same in numbers."""
    uneven: Sequence[str] | None = None
    """Installments that may say another open amount than their payments; None = not looked for."""


def treat(context: Context, payers: Sequence[str], now: datetime, *, dry: bool = False, supposed: Sequence[str] = ()) -> Batch:
    """Treat ``payers`` (at most 200). ``dry`` decides and writes nothing, and so does ``supposed``: ``key=value`` of ``--what-if``.

    Raises:
        ConfigError: a supposition cannot be read.
        TransientError: the org does not answer or took an unknown part; treat the same payers again.

    """
    loaded = load(context.org, context.mapping, payers, now)
    batch, decisions = judged(context, loaded, now, supposed=supposed)
    plans = planned(context, loaded.views, batch, decisions, now)
    if not (dry or supposed):
        keep_unknown_codes(context, batch, now)
        batch.applied = Writer(context, loaded, now).apply(plans)
        batch.parked.update(batch.applied.refused)
    return batch


def judged(context: Context, loaded: Loaded, now: datetime, *, supposed: Sequence[str] = ()) -> tuple[Batch, list[Decision]]:
    """Assess and decide who is loaded. Raises ConfigError where a supposition cannot be read."""
    found = judge(facts_of(context, loaded, now), terms_of(context, supposed), now)
    tell(found)
    return Batch(now, parked={**loaded.unreadable, **found.parked}, missing=[*found.missing], positions=found.positions), found.decisions


def facts_of(context: Context, loaded: Loaded, now: datetime) -> Snapshot:
    """Give what is loaded, with what is true of all payers at ``now``."""
    out, stale = context.outages(now), context.stale(now)
    return replace(loaded.snapshot, outages=out, stale=stale) if out or stale else loaded.snapshot


def terms_of(context: Context, supposed: Sequence[str] = ()) -> Terms:
    """Give what everyone is judged by."""
    return Terms(context.policy, context.catalogue, context.mapping.creditor.time_zone, supposed)


def tell(found: Judgement) -> None:
    """Log whom a person must look after."""
    for count, error in found.halved:
        log.warning("batch.halved", count=count, error=error)
    for payer, count in found.missing.items():
        log.error("payer.rows_missing", payer=payer, count=count)
    for payer, why in found.parked.items():
        log.error("payer.parked", payer=payer, reason=why)


def planned(context: Context, views: Mapping[str, View], batch: Batch, decisions: list[Decision], now: datetime) -> list[Plan]:
    """Give what is to be written for ``decisions``, once those beyond the teams' capacity are carried over; noted in ``batch``."""
    plans = []
    for one in _within_capacity(context, decisions, batch.positions, now):
        with _sparing_the_others(batch, one.payer):
            plans.append(_plan(context, views[one.payer], one, batch.positions[one.payer], now))
    batch.decisions = [plan.decision for plan in plans]
    batch.changed = {plan.decision.payer for plan in plans if _writes(context, plan, views[plan.decision.payer])}
    batch.moves = moves(batch.decisions, views, len(batch.changed))
    return plans


def _writes(context: Context, plan: Plan, view: View) -> bool:
    """Whether anything is written: a change, or the payer's flag that was refused the last time."""
    flagged = view.flag is not None or context.mapping.payer_of(plan.decision.payer).flag is None
    return bool(plan.changes) or (bool(view.positions) and not flagged)


def keep_unknown_codes(context: Context, batch: Batch, now: datetime) -> None:
    """Note when a code that nobody knows was first met."""
    context.store.keep_first({f"{UNKNOWN_CODE}{one}:{code}": now.isoformat() for one, code in unknown_codes(batch.positions.values())})


@contextmanager
def _sparing_the_others(batch: Batch, payer: str) -> Iterator[None]:
    """As ``sparing_the_others``, and log it."""
    with sparing_the_others(batch.parked, payer):
        yield
    if payer in batch.parked:
        log.error("payer.parked", payer=payer, reason=batch.parked[payer])


def _within_capacity(context: Context, decisions: list[Decision], positions: Mapping[str, Position], now: datetime) -> list[Decision]:
    """Carry over the calls that the teams cannot make today, where the policy says how many they can."""
    policy, creditor = context.policy, context.mapping.creditor
    if not policy.calls_per_day or not any(call.kind is Kind.CALL for one in decisions for call in one.follow_ups):
        return decisions
    midnight = datetime.combine(now.astimezone(creditor.zone).date(), time(), creditor.zone)
    (given,) = context.org.query_many([queries.calls_given(midnight, midnight + timedelta(days=1)).soql])
    used = {str(row["Assignee__c"]): int(str(row["calls"])) for row in given}
    left = {role: max(0, most - used.get(role, 0)) for role, most in policy.calls_per_day.items()}
    listed = frozenset(key for one in positions.values() for key, shown in one.shown.items() if shown.surfaced)
    return ration(decisions, Desk(left, listed, now, creditor.zone, policy.country))


def _plan(context: Context, view: View, decision: Decision, position: Position, now: datetime) -> Plan:
    resting_on = [item.id for item in position.open_items if item.overdue]
    currency = position.open_items[0].currency if position.open_items else context.mapping.creditor.currency
    found = changes(decision, view, now, Basis(currency, tuple(resting_on), bool(position.missing)))
    return Plan(decision, [*found, *agreed(position, view, now)])


def treat_due(context: Context, marks: Sequence[DueMark], now: datetime) -> Batch:
    """Treat leased payers and give their marks back: released with the time of their next look, or parked.

    Raises:
        TransientError: as ``treat``; the marks stay leased and the caller postpones them.

    """
    by_payer = {mark.payer: mark for mark in marks}
    batch = treat(context, list(by_payer), now)
    looks = {one.payer: one.look_again_at for one in batch.decisions}
    done = []
    for payer, mark in by_payer.items():
        if payer in batch.parked:
            continue
        again = now + SOON if payer in batch.applied.locked else looks.get(payer)
        done.append(Treated(mark, again))
    context.store.finish(done, decisions=log_of(context, batch, looks.keys() - batch.parked.keys()))
    for payer, why in batch.parked.items():
        if payer in by_payer:
            context.store.park([by_payer[payer]], now, why)
            log.error("payer.parked", payer=payer, reason=why)
    for one in batch.decisions:
        log.info("payer.treated", payer=one.payer, status=one.arrears.status, follow_ups=len(one.follow_ups), withheld=len(one.withheld))
    return batch


def log_of(context: Context, batch: Batch, payers: set[str]) -> list[LoggedDecision]:
    """Give what the store keeps of the decisions about ``payers``: those that say anything, each with what it rests on."""
    wanted = [one for one in batch.decisions if one.payer in payers and says_something(one)]
    return [logged(one, batch.positions[one.payer], context.policy, batch.decided_at) for one in wanted]
