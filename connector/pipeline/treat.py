"""Treat a batch of payers: load → assess → decide → apply, and say what became of each.

Must not know threads or schedules. Invariant: a payer is released only after the org shows its decision;
one payer that cannot be treated is parked with its reason and the rest go on.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta

from connector.core.capacity import Desk, ration
from connector.core.changes import Basis, View, changes
from connector.core.decide import decide
from connector.core.ledger import assess
from connector.core.model import Decision, Position
from connector.core.unknown_codes import unknown_codes
from connector.core.what_if import suppose
from connector.core.words import Kind
from connector.errors import DunwellError
from connector.log import get
from connector.mapping import queries
from connector.pipeline.apply import Applied, Plan, Writer
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
    batch = Batch(now, parked=dict(loaded.unreadable))
    out = context.outages(now)
    if out:
        loaded = replace(loaded, snapshot=replace(loaded.snapshot, outages=out))
    positions = _assess(context, loaded, now, batch)
    if supposed:
        positions = {payer: suppose(position, supposed, now) for payer, position in positions.items()}
    batch.positions = positions
    decisions: list[Decision] = []
    for payer, position in positions.items():
        with _sparing_the_others(batch, payer):
            decisions.append(decide(position, context.policy, now))
        if position.missing:
            batch.missing.append(payer)
            log.error("payer.rows_missing", payer=payer, count=len(position.missing))
    return batch, decisions


def planned(context: Context, views: Mapping[str, View], batch: Batch, decisions: list[Decision], now: datetime) -> list[Plan]:
    """Give what is to be written for ``decisions``, once those beyond the teams' capacity are carried over; noted in ``batch``."""
    plans = []
    for one in _within_capacity(context, decisions, batch.positions, now):
        with _sparing_the_others(batch, one.payer):
            plans.append(_plan(context, views[one.payer], one, batch.positions[one.payer], now))
    batch.decisions = [plan.decision for plan in plans]
    batch.changed = {plan.decision.payer for plan in plans if plan.changes}
    return plans


def keep_unknown_codes(context: Context, batch: Batch, now: datetime) -> None:
    """Note when a code that nobody knows was first met."""
    context.store.keep_first({f"{UNKNOWN_CODE}{one}:{code}": now.isoformat() for one, code in unknown_codes(batch.positions.values())})


def _assess(context: Context, loaded: Loaded, now: datetime, batch: Batch) -> dict[str, Position]:
    try:
        return assess(loaded.snapshot, context.catalogue, now, context.mapping.creditor.time_zone)
    except (DunwellError, ValueError, TypeError, KeyError) as error:
        log.warning("batch.halved", count=len(loaded.snapshot.payers), error=error)
        if len(loaded.snapshot.payers) <= 1:
            for payer in loaded.snapshot.payers["id"]:
                batch.parked[payer] = f"could not be assessed: {type(error).__name__}"
            return {}
        half = len(loaded.snapshot.payers) // 2
        ids = list(loaded.snapshot.payers["id"])
        first = _assess(context, loaded.only(ids[:half]), now, batch)
        return first | _assess(context, loaded.only(ids[half:]), now, batch)


@contextmanager
def _sparing_the_others(batch: Batch, payer: str) -> Iterator[None]:
    """Park a payer that breaks the rules: it must not stop the others."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the one place
        batch.parked[payer] = f"could not be decided: {type(error).__name__}"
        log.error("payer.parked", payer=payer, error=error)  # noqa: TRY400 - a trace may hold values of the payer


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
    return Plan(decision, found)


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
