"""The tally: every sum is of the payers it says, adds up with the others, and gives nobody's sensitive cause away."""

from copy import deepcopy
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.model import Hold
from connector.core.tally import NAMED, Age, Listed, Share, Tally, age
from connector.core.words import Category, ClaimKind, HoldCause, Kind
from tests.scenario.decide.builders import NOW, at, failure, item, judge, payer, position
from tests.unit.core_judge.anything import SLOW, situations


def tally_of(*positions, now=NOW):
    """The tally of decisions about ``positions``."""
    found = Tally()
    for one in positions:
        found.decided(judge(one, now), one, now)
    return found


@SLOW
@given(st.lists(situations(), max_size=4), st.randoms(use_true_random=False), st.integers(0, 4))
def test_any_order_and_any_parts_give_the_same(given_, luck, cut):
    """Batches of one process or of several workers are added up to one tally, whoever is first."""
    decided = [(judge(facts, now, policy), facts, now) for facts, policy, now in given_]
    whole = Tally()
    for one in decided:
        whole.decided(*one)
    mixed = luck.sample(decided, len(decided))
    parts = [Tally(), Tally()]
    for number, one in enumerate(mixed):
        parts[number < cut].decided(*one)
    parts[1].join(parts[0])
    assert parts[1] == whole


@SLOW
@given(situations())
def test_what_is_overdue_is_one_sum_however_it_is_looked_at(given_):
    """By status and by age the same is owed, and by reason the same is open as by age."""
    facts, policy, now = given_
    found = Tally()
    found.decided(judge(facts, now, policy), facts, now)
    by_status, by_age, by_reason = Share(), Share(), Share()
    for share in found.statuses.values():
        by_status.join(share)
    for name, share in found.ageing.items():
        if name != Age.NOT_DUE:
            by_age.join(share)
    open_by_age = deepcopy(by_age)
    open_by_age.join(found.ageing.get(Age.NOT_DUE, Share()))
    for share in found.reasons.values():
        by_reason.join(share)
    assert by_status.amounts == by_age.amounts == found.overdue.amounts
    assert by_status.installments == by_age.installments == found.overdue.installments
    assert by_reason.amounts == open_by_age.amounts


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        ("2026-03-31", Age.TODAY), ("2026-03-30", Age.TO_30), ("2026-03-01", Age.TO_30), ("2026-02-28", Age.TO_60), ("2026-01-30", Age.TO_60),
        ("2026-01-29", Age.TO_90), ("2025-12-31", Age.TO_90), ("2025-12-30", Age.OVER_90), ("2026-04-02", Age.TODAY),
    ],
)  # fmt: skip
def test_a_bucket_ends_on_its_last_day(due, expected):
    """Thirty days past due is still 1-30, the next day is not; a failure before the due date counts as due today."""
    assert age(item(due=due), date(2026, 3, 31)) == expected


def test_what_is_not_overdue_has_no_age():
    """A failure ahead of its time is watched, not aged."""
    assert age(item(due="2026-04-05", overdue=False), date(2026, 3, 31)) is Age.NOT_DUE


def test_each_payer_has_one_status_and_may_have_several_ages_and_reasons():
    """A payer with two old debts stands once under a status, and under each age and reason."""
    old = item("method_invalid", due="2025-11-01", id="a0X2", amount=1500)
    found = tally_of(position(item(), old))
    assert (found.payers, found.in_arrears) == (1, 1)
    ((_, share),) = found.statuses.items()
    assert (share.payers, share.installments, share.amounts) == (1, 2, {"EUR": 5500})
    assert {name: (one.payers, one.amounts) for name, one in found.ageing.items()} == {
        Age.TO_30: (1, {"EUR": 4000}), Age.OVER_90: (1, {"EUR": 1500}),
    }  # fmt: skip
    assert {name: one.installments for name, one in found.reasons.items()} == {"insufficient_funds": 1, "method_invalid": 1}


def test_amounts_of_two_currencies_are_never_added():
    """Euros and pounds stand beside each other."""
    found = tally_of(position(item(), item(id="a0X2", currency="GBP", amount=700)))
    assert found.overdue.amounts == {"EUR": 4000, "GBP": 700}


def test_a_gift_is_not_owed():
    """An open gift is told apart and is in no sum of what is owed."""
    found = tally_of(position(item(claim_kind=ClaimKind.GIFT)))
    assert (found.gifts.payers, found.gifts.amounts) == (1, {"EUR": 4000})
    assert (found.overdue, found.reasons, found.ageing) == (Share(), {}, {})


def test_an_installment_that_nobody_tried_to_collect_has_a_heading():
    """Nothing failed, it is simply unpaid: that is no unknown reason."""
    assert list(tally_of(position(item(None, due="2026-02-01"))).reasons) == ["unpaid"]


@pytest.mark.parametrize("category", [Category.DECEASED, Category.FRAUD, Category.LEGAL])
def test_a_sensitive_cause_stands_under_one_heading(category):
    """A sum of one payer must not tell a reader that somebody died: even an earlier failure for such a cause hides the later one."""
    failures = (failure(category, at("2026-02-20 08:00")), failure("insufficient_funds"))
    found = tally_of(position(item(category)), position(item(failures=failures)))
    assert list(found.reasons) == ["do_not_contact"]
    assert not [word for word in (*found.withheld, *found.planned, *found.asked) if category in word]


@pytest.mark.parametrize("cause", [HoldCause.VULNERABLE, HoldCause.CRISIS, HoldCause.FRAUD, HoldCause.LEGAL, HoldCause.DECEASED])
def test_a_sensitive_hold_is_withheld_as_do_not_contact(cause):
    """What only specialists read stands in no heading."""
    found = tally_of(position(item(), holds=(Hold("a0H1", cause, date(2026, 1, 1)),)))
    assert "do_not_contact" in found.withheld
    assert not [reason for reason in found.withheld if cause in reason]


def test_other_holds_are_named():
    """A hold that a manager put on is a reason like any other, counted once for each follow-up."""
    found = tally_of(position(item(), holds=(Hold("a0H1", HoldCause.MANUAL, date(2026, 1, 1)),)))
    assert found.withheld["hold:manual"] == found.withheld_in_all > 0


def test_follow_ups_are_counted_by_kind():
    """What is next is told by kind, and adds up."""
    facts = position(item())
    decision = judge(facts)
    found = tally_of(facts, facts)
    assert found.follow_ups == 2 * len(decision.follow_ups)
    assert set(found.planned) == {one.kind.value for one in decision.follow_ups}


def test_people_are_named_where_a_person_must_decide_now():
    """A review of today is asked for; one of next week is not yet."""
    facts = position(item("unknown"), payer=payer(id="003P7"))
    decision = judge(facts)
    review = replace(decision.follow_ups[0], kind=Kind.REVIEW, at=NOW)
    found = Tally()
    found.decided(
        replace(decision, follow_ups=(review, replace(review, kind=Kind.PROPOSE_WRITE_OFF, at=at("2026-03-09 09:00")))), facts, NOW
    )
    assert found.asked == {"review": Listed(1, (decision.payer,))}
    assert found.planned == {"review": 1, "propose_write_off": 1}


def test_codes_in_no_table_are_counted_by_payer():
    """Each payer counts once for a code, however often it came."""
    facts = position(item("unknown"), item("unknown", id="a0X2"))
    assert tally_of(facts, facts).codes == {"iso20022_return:XXXX": 2}


def test_the_first_hundred_are_named_and_all_are_counted():
    """A report stays short, and the same payers are named whatever came first."""
    ids = [f"003{number:015}" for number in range(NAMED + 20)]
    lists = []
    for order in (ids, ids[::-1]):
        listed = Listed()
        for one in order:
            listed.add(one)
        lists.append(listed)
    assert lists[0] == lists[1] == Listed(NAMED + 20, tuple(ids[:NAMED]))


def test_quiet_payers_are_clear():
    """Who needs no look is counted, and nobody is counted of nobody."""
    found = Tally()
    found.quiet(0)
    assert found == Tally()
    found.quiet(40)
    assert (found.payers, found.statuses["Clear"].payers, found.in_arrears) == (40, 40, 0)


def test_what_was_written_adds_up():
    """Records made and changed, over batches."""
    found = Tally()
    found.wrote({"Task": 2}, {"Dunwell_Position__c": 1}, {"remind": 2})
    found.wrote({"Task": 1}, {}, {"remind": 1})
    assert (found.changes, found.inserted, found.made) == (4, {"Task": 3}, {"remind": 3})


def test_payers_put_aside_for_one_reason_stand_under_one_heading():
    """What a record holds is in no heading: neither its id nor its value."""
    found = Tally()
    found.put_aside("003B", "the org refused a Task with X")
    found.put_aside("003A", "the org refused a Task with X")
    for number in (1, 2):
        found.put_aside(f"003C{number}", f"record a0B{number}: Amount__c holds no amount in EUR: '{number}x' is not an amount")
    assert found.parked == {
        "the org refused a Task with X": Listed(2, ("003A", "003B")), "Amount__c holds no amount in EUR": Listed(2, ("003C1", "003C2")),
    }  # fmt: skip


def test_joining_takes_all_and_leaves_the_other_as_it_was():
    """Every figure of a part arrives in the whole, and the part stays its own."""
    part = tally_of(position(item("unknown")), position(item(claim_kind=ClaimKind.GIFT)))
    part.wrote({"Task": 1}, {"Contact": 1}, {"remind": 1})
    part.put_aside("003A", "why")
    part.missing.add("003M")
    part.asked["review"] = Listed(1, ("003R",))
    before, whole = deepcopy(part), Tally()
    whole.join(part)
    assert whole == before
    whole.join(part)
    assert part == before
    assert (whole.payers, whole.missing.count, whole.overdue.amounts) == (4, 2, {"EUR": 8000})
