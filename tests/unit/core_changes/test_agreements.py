"""Promises are kept or broken and plans kept, missed or over, by money and dates alone, and never against what people wrote."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given

from connector.core.agreements import agreed
from connector.core.changes import Change, View
from connector.core.model import Plan, Promise
from connector.core.plans import ShownPlan, plan_as_of
from connector.core.words import InstallmentStatus
from tests.scenario.decide.builders import NOW, at, item, position, settled
from tests.unit.core_judge.anything import SLOW, situations

TODAY = date(2026, 3, 2)
YESTERDAY, TOMORROW = date(2026, 3, 1), date(2026, 3, 3)
LATE = item(None, due="2026-02-01")
ONE, WHOLE = Promise(YESTERDAY, "a0X1", id="aPr1"), Promise(YESTERDAY, id="aPr1")
SEEN = {"a0X1": InstallmentStatus.FAILED}
PAID = {"a0X1": InstallmentStatus.COLLECTED}


def view(statuses=SEEN, **more):
    """An org that shows one open promise."""
    return View("003P1", statuses=statuses, **{"promises": {"aPr1": "open"}, **more})


def states(facts, shown):
    """What is written, by record."""
    return {one.id: one.values["state"] for one in agreed(facts, shown, NOW)}


PROMISES = [
    ("its day is over and nothing came", position(LATE, promises=(ONE,)), SEEN, "broken"),
    ("the whole was promised and nothing came", position(LATE, promises=(WHOLE,)), SEEN, "broken"),
    ("its day is not over", position(LATE, promises=(replace(ONE, on=TODAY),)), SEEN, None),
    ("it was paid before its day", position(promises=(replace(ONE, on=TOMORROW),)), PAID, "kept"),
    ("it was paid, and nobody looked until its day was over", position(promises=(ONE,)), PAID, "kept"),
    ("the whole was paid", position(promises=(WHOLE,)), PAID, "kept"),
    ("a part was promised and came", position(replace(LATE, paid_minor=1500), promises=(replace(ONE, amount_minor=1500),)), SEEN, "kept"),
    (
        "a part was promised and came early: what was agreed stands until its day",
        position(replace(LATE, paid_minor=1500), promises=(replace(ONE, amount_minor=1500, on=TODAY),)), SEEN, None,
    ),
    ("less came than was promised", position(replace(LATE, paid_minor=1000), promises=(replace(ONE, amount_minor=1500),)), SEEN, "broken"),
    ("money is under way", position(replace(LATE, in_transit=True), promises=(ONE,)), SEEN, None),
    ("payment data is stale", position(LATE, promises=(ONE,), stale=True), SEEN, None),
    ("rows are missing", position(promises=(ONE,), missing=("a0X1",)), PAID, None),
    ("it was cancelled, which is no payment", position(promises=(ONE,)), {"a0X1": InstallmentStatus.CANCELLED}, None),
    ("it cannot be seen", position(promises=(ONE,)), {}, None),
    ("nothing can be seen", position(promises=(WHOLE,)), {}, None),
    ("it is not due yet", position(replace(LATE, overdue=False), promises=(ONE,)), SEEN, None),
    ("another installment is open", position(replace(LATE, id="a0X2"), promises=(ONE,)), PAID, "kept"),
    ("what is open fell due after its day", position(item(due="2026-03-02"), promises=(WHOLE,)), SEEN, "kept"),
    ("it failed again after its day", position(item(due="2026-02-01"), promises=(replace(ONE, on=date(2026, 2, 20)),)), SEEN, None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "facts", "seen", "state"), PROMISES, ids=[one[0] for one in PROMISES])
def test_what_becomes_of_a_promise(name, facts, seen, state):
    """A promise is open until its day is over or its money has come; what cannot be known breaks none."""
    assert states(facts, view(seen)) == ({"aPr1": state} if state else {}), name


@pytest.mark.parametrize("shown", ["kept", "broken"])
def test_a_promise_is_judged_once(shown):
    """What people or an earlier pass said of a promise stands, whatever money comes later."""
    assert states(position(LATE, promises=(ONE,)), view(promises={"aPr1": shown})) == {}
    assert states(position(promises=(ONE,)), view(PAID, promises={"aPr1": shown})) == {}


def test_a_promise_of_a_facts_file_has_no_record_to_write():
    """A promise without an id is judged and written nowhere."""
    assert states(position(LATE, promises=(replace(ONE, id=None),)), view()) == {}


def test_a_promise_that_settled_money_covers_is_kept():
    """The whole was promised with an amount, part of it is settled and part stays open: the amount counts."""
    promise = replace(WHOLE, amount_minor=4000)
    assert states(position(LATE, promises=(promise,), settled=(settled(),)), view()) == {"aPr1": "kept"}


PLAN = Plan("kept", "aPl1", date(2026, 2, 1), date(2026, 5, 1), ("a0X1", "a0X2"))
PART = item(None, due="2026-02-15")
"""Listed, and fell due while the plan ran."""
DEBT = item(None, due="2026-01-15", id="a0X2")
"""Listed, and due before."""
PLANS = [
    ("a listed part is late", PLAN, (PART,), "missed"),
    ("a part is due today", PLAN, (replace(PART, due_on=TODAY),), "kept"),
    ("only the old debt is open", PLAN, (DEBT,), "kept"),
    ("a part is under way", PLAN, (replace(PART, in_transit=True),), "kept"),
    ("a part is not due yet", PLAN, (replace(PART, overdue=False),), "kept"),
    ("its last day is over and the debt is open", replace(PLAN, ends_on=YESTERDAY), (DEBT,), "missed"),
    ("its last day is over and all is paid", replace(PLAN, ends_on=YESTERDAY), (), None),
    ("its last day is today", replace(PLAN, ends_on=TODAY), (DEBT,), "kept"),
    ("it names no dates", Plan("kept", "aPl1", None, None, ("a0X1",)), (PART,), "kept"),
    ("it lists nothing and ended: what was due by its begin counts", replace(PLAN, installments=(), ends_on=YESTERDAY), (DEBT,), "missed"),
    ("it lists nothing: what fell due later is no part of it", replace(PLAN, installments=(), ends_on=YESTERDAY), (PART,), "kept"),
    ("it lists nothing and names no begin", Plan("kept", "aPl1", None, YESTERDAY), (DEBT,), "kept"),
    ("it lists nothing and nothing is open", replace(PLAN, installments=()), (), "kept"),
    ("it is only offered", replace(PLAN, state="offered"), (PART,), "offered"),
    ("what it lists cannot all be seen", replace(PLAN, installments=("a0X1", "a0X9")), (), "kept"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "plan", "items", "state"), PLANS, ids=[one[0] for one in PLANS])
def test_what_becomes_of_a_plan(name, plan, items, state):
    """A plan in force is missed when a part is late and over when all it lists is settled, and by nothing else."""
    found = plan_as_of(plan, items, {"a0X1", "a0X2"}, TODAY)
    assert (found and found.state) == state, name


def kept(*installments):
    """A plan in force, as the org shows it."""
    return {"aPl1": ShownPlan("kept", installments)}


def test_a_missed_plan_is_written_as_missed():
    """What is judged is what the org shows; on stale data, or with rows missing, it stays as people left it."""
    facts = position(PART, plan=replace(PLAN, state="missed"))
    assert agreed(facts, view(plans=kept("a0X1", "a0X2")), NOW) == [Change("update", "plan", "003P1", {"state": "missed"}, id="aPl1")]
    assert agreed(facts, view(plans={"aPl1": ShownPlan("missed", PLAN.installments)}), NOW) == []
    for doubt in ({"stale": True}, {"missing": ("a0X2",)}):
        assert agreed(replace(facts, **doubt), view(plans=kept("a0X1", "a0X2")), NOW) == []


def test_a_plan_is_over_when_all_it_lists_is_seen_settled():
    """A kept plan keeps everybody quiet: it ends with the last part, and not because something cannot be seen."""
    both, shown = PAID | {"a0X2": InstallmentStatus.COLLECTED}, kept("a0X1", "a0X2")
    assert states(position(), view(both, plans=shown)) == {"aPl1": "ended"}
    assert states(position(DEBT, plan=PLAN), view(both, plans=shown)) == {}
    assert states(position(plan=PLAN), view(PAID, plans=shown)) == {}
    assert states(position(missing=("a0X2",)), view(both, plans=shown)) == {}
    assert states(position(plan=PLAN), view(both, plans=kept())) == {}


def test_an_older_plan_is_only_ever_ended():
    """The newest plan is the one in force: what becomes of another is for people, until all of it is paid."""
    facts = position(PART, plan=replace(PLAN, id="aPl2", state="missed"))
    assert states(facts, view(plans=kept("a0X1"))) == {}
    assert states(facts, view(SEEN | {"a0X9": None}, plans=kept("a0X9"))) == {"aPl1": "ended"}


def test_the_day_of_a_promise_is_the_creditors():
    """Half past midnight in Amsterdam is still yesterday in UTC: the day is over where the creditor is."""
    facts = position(LATE, promises=(ONE,))
    assert [one.values["state"] for one in agreed(facts, view(), at("2026-03-02 00:30"))] == ["broken"]
    assert agreed(facts, view(), at("2026-03-01 23:30")) == []


@SLOW
@given(situations())
def test_written_once_it_is_not_written_again(situation):
    """For any payer: the org that shows what was written is left alone."""
    facts, _, now = situation
    facts = replace(facts, promises=tuple(replace(one, id=f"aPr{number}") for number, one in enumerate(facts.promises)))
    plans = {facts.plan.id: ShownPlan("kept", facts.plan.installments)} if facts.plan is not None and facts.plan.id else {}
    seen = {one.id: one.status for one in facts.open_items}
    org = View(facts.payer.id, statuses=seen, promises={str(one.id): "open" for one in facts.promises}, plans=plans)
    written = {one.id: str(one.values["state"]) for one in agreed(facts, org, now)}
    after = replace(
        org,
        promises={one: written.get(one, state) for one, state in org.promises.items()},
        plans={one: replace(shown, state=written.get(one, shown.state)) for one, shown in org.plans.items()},
    )
    assert agreed(facts, after, now) == []
