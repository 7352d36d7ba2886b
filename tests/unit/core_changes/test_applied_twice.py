"""Applying twice is applying once, for any payer: a small org in memory takes every change and is looked at again."""

from dataclasses import replace
from datetime import UTC, timedelta

from hypothesis import given
from hypothesis import strategies as st

from connector.core.changes import Basis, Change, ShownFollowUp, ShownPosition, ShownTask, View, as_instant, changes
from connector.core.model import Contact, Hold, Position, Shown
from connector.core.words import CONTACT_KINDS, FollowUpStatus, InstallmentStatus, Kind
from tests.scenario.decide.builders import judge
from tests.unit.core_judge.anything import SLOW, situations


class Org:
    """What an org shows of ours for one payer, and nothing else: keys are unique, updates find their record."""

    def __init__(self, payer: str) -> None:
        self.view = View(payer)

    def take(self, found: list[Change]) -> None:
        """Make every change; a key that is there already must not be inserted."""
        for one in found:
            getattr(self, f"_{one.subject}")(one)

    def _follow_up(self, one: Change) -> None:
        records, values = dict(self.view.follow_ups), dict(one.values)
        if one.op == "insert":
            assert one.key not in records
            old = ShownFollowUp(f"aF{len(records)}", one.key, values["kind"], values["status"], None, None)
        else:
            old = records[one.key]
            assert one.id in (None, old.id)
        names = {"status": "status", "planned_at": "at", "task_id": "task_id", "withheld": "withheld", "withheld_until": "withheld_until"}
        known = {there: values[here] for here, there in names.items() if here in values}
        records[one.key] = replace(old, **{name: as_instant(value) if name == "withheld_until" else value for name, value in known.items()})
        self.view = replace(self.view, follow_ups=records)

    def _task(self, one: Change) -> None:
        tasks = dict(self.view.tasks)
        if one.op == "insert":
            assert one.key not in tasks
            tasks[one.key] = ShownTask(f"00T{len(tasks)}", is_closed=False, is_deleted=False, status="Not Started", completed_at=None)
            self.view = replace(self.view, tasks=tasks)
            self._follow_up(Change("update", "follow_up", one.payer, {"task_id": tasks[one.key].id}, key=one.key))
            return
        (key,) = [key for key, task in tasks.items() if task.id == one.id]
        tasks[key] = replace(tasks[key], status=str(one.values["status"]), is_closed=one.values["status"] == "completed")
        self.view = replace(self.view, tasks=tasks)

    def _hold(self, one: Change) -> None:
        assert one.key not in self.view.holds
        self.view = replace(self.view, holds=self.view.holds | {one.key})

    def _installment(self, one: Change) -> None:
        stamps, statuses = (
            {**self.view.retry_stamps, one.id: one.values["stamp"]},
            {**self.view.statuses, one.id: InstallmentStatus.PENDING_RECOLLECTION},
        )
        self.view = replace(self.view, retry_stamps=stamps, statuses=statuses)

    def _position(self, one: Change) -> None:
        values = dict(one.values)
        currency = values.pop("currency", None) or next(name for name, shown in self.view.positions.items() if shown.id == one.id)
        old = self.view.positions.get(currency, ShownPosition(f"aP-{currency}", currency, {}))
        self.view = replace(self.view, positions={**self.view.positions, currency: replace(old, values={**old.values, **values})})


def seen(facts: Position, org: Org, holds: tuple[Hold, ...]) -> Position:
    """The payer as the next load finds them."""
    records = org.view.follow_ups.values()
    shown = {
        one.key: Shown(
            one.key, one.kind, None if one.at is None else one.at.astimezone(UTC), withheld=one.status is FollowUpStatus.WITHHELD
        )
        for one in records
        if one.status in (FollowUpStatus.PLANNED, FollowUpStatus.WITHHELD)
    }
    done = frozenset(one.key for one in records if one.status in (FollowUpStatus.DONE, FollowUpStatus.CANCELLED))
    queued = tuple(
        replace(one, retry_stamp=org.view.retry_stamps[one.id], status=InstallmentStatus.PENDING_RECOLLECTION, in_transit=True)
        if org.view.retry_stamps.get(one.id)
        else one
        for one in facts.open_items
    )
    return replace(facts, shown=shown, finished=facts.finished | done, holds=(*facts.holds, *holds), open_items=queued)


def fresh(facts: Position) -> Position:
    """A payer of whom the org shows nothing of ours yet."""
    names = {one.id for one in facts.open_items}
    items = (
        tuple(replace(one, id=f"i{number}") for number, one in enumerate(facts.open_items))
        if len(names) < len(facts.open_items)
        else facts.open_items
    )
    return replace(facts, shown={}, finished=frozenset(), open_items=items, holds=tuple(one for one in facts.holds if not one.installments))


@SLOW
@given(situations())
def test_the_same_decision_applied_again_changes_nothing(situation):
    """Whatever was decided: the org shows it after one pass, and the second pass finds nothing to do."""
    facts, policy, now = situation
    facts = fresh(facts)
    decision, basis = judge(facts, now, policy), Basis("EUR", tuple(one.id for one in facts.open_items), bool(facts.missing))
    org = Org(facts.payer.id)
    org.take(changes(decision, org.view, now, basis))
    assert changes(decision, org.view, now, basis) == []


@SLOW
@given(situations(), st.integers(0, 30))
def test_a_payer_looked_at_again_comes_to_rest(situation, hours):
    """Loaded, decided and applied again, nothing is made twice, and after two more passes of one moment nothing moves."""
    facts, policy, now = situation
    facts, org, holds = fresh(facts), Org(facts.payer.id), ()
    for at in (now, now + timedelta(hours=hours), *[now + timedelta(hours=hours)] * 2):
        found = seen(facts, org, holds)
        decision, basis = judge(found, at, policy), Basis("EUR", tuple(one.id for one in found.open_items), bool(found.missing))
        last = changes(decision, org.view, at, basis)
        made = {one.key for one in last if one.subject == "hold"}
        holds += tuple(one.hold for one in decision.follow_ups if one.hold is not None and one.key in made)
        org.take(last)
    assert last == []


@SLOW
@given(situations(), st.lists(st.booleans(), min_size=20, max_size=20))
def test_what_a_person_finished_is_never_made_again(situation, luck):
    """Completed means made, deleted means no: neither comes back, whatever is decided afterwards."""
    facts, policy, now = situation
    facts, org = fresh(facts), Org(facts.payer.id)
    basis = Basis("EUR", tuple(one.id for one in facts.open_items), bool(facts.missing))
    org.take(changes(judge(facts, now, policy), org.view, now, basis))
    ended = dict(zip(org.view.tasks, luck, strict=False))
    closed = {key: replace(task, is_closed=not ended[key], is_deleted=ended[key], completed_at=now) for key, task in org.view.tasks.items()}
    org.view = replace(org.view, tasks=closed)
    made = [
        Contact(now, None, str(org.view.follow_ups[key].kind), key)
        for key, deleted in ended.items()
        if not deleted and org.view.follow_ups[key].kind in CONTACT_KINDS | {Kind.CALL}
    ]
    again = seen(replace(facts, contacts=(*facts.contacts, *made), finished=facts.finished | ended.keys()), org, ())
    found = changes(judge(again, now + timedelta(hours=1), policy), org.view, now + timedelta(hours=1), basis)
    assert not [one for one in found if one.subject == "task" and (one.key in ended or one.id in {task.id for task in closed.values()})]
    assert {one.key: one.values["status"] for one in found if one.key in ended and one.subject == "follow_up"} == {
        key: FollowUpStatus.CANCELLED if deleted else FollowUpStatus.DONE for key, deleted in ended.items()
    }
