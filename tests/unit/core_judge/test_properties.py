"""What holds for every Position there can be and every policy, not only for those somebody thought of."""

from dataclasses import replace

from hypothesis import assume, event, given
from hypothesis import strategies as st

from connector.core.facts import render
from connector.core.words import Category, ClaimKind, Kind
from tests.scenario.decide.builders import default_policy, item, judge, position
from tests.unit.core_judge.anything import REACHING, SLOW, situations


@SLOW
@given(situations())
def test_every_position_gives_one_decision_and_always_the_same(given_):
    """Total and deterministic: no combination of facts raises, asking twice answers once, and every answer can be printed."""
    facts, policy, now = given_
    first = judge(facts, now, policy)
    assert judge(facts, now, policy) == first
    assert first.why
    assert all(one.reasons for one in (*first.follow_ups, *first.withheld))
    keys = [one.key for one in first.follow_ups] + [one.key for one in first.withheld]
    assert len(keys) == len(set(keys))
    assert all(len(key) <= 100 for key in keys)
    assert not set(keys) & facts.finished
    assert all(one.at.tzinfo is not None for one in first.follow_ups)
    if all(currency != "ZZZ" for currency in first.arrears.amount):
        assert render(first)["payer"] == facts.payer.id
    event(f"kinds: {len({one.kind for one in first.follow_ups})}")


@SLOW
@given(situations(), st.randoms(use_true_random=False))
def test_the_order_of_facts_is_nothing(given_, luck):
    """Installments, holds, cases and promises told in another order are the same facts."""
    facts, policy, now = given_
    assume(len({one.id for one in facts.open_items}) == len(facts.open_items))
    assume(len({(one.id, one.is_closed) for one in facts.cases}) == len({one.id for one in facts.cases}) == len(facts.cases))
    mixed = replace(
        facts, **{name: tuple(luck.sample(getattr(facts, name), len(getattr(facts, name)))) for name in ("open_items", "holds")}
    )
    first, second = judge(facts, now, policy), judge(mixed, now, policy)
    assert {one.key: one.at for one in first.follow_ups} == {one.key: one.at for one in second.follow_ups}
    assert {one.key: {*one.reasons} for one in first.withheld} == {one.key: {*one.reasons} for one in second.withheld}
    assert first.arrears == second.arrears


@SLOW
@given(situations())
def test_one_more_installment_that_a_credit_covers_changes_nothing(given_):
    """What nothing is owed on is treated as what is not there."""
    facts, policy, now = given_
    more = replace(facts, open_items=(*facts.open_items, item(None, id="a0Z9", credit_minor=4000)))
    first, second = judge(facts, now, policy), judge(more, now, policy)
    assert {one.key for one in first.follow_ups} == {one.key for one in second.follow_ups}
    assert first.arrears == second.arrears


@SLOW
@given(situations())
def test_a_decision_for_missing_rows_never_clears(given_):
    """Invisible is not paid."""
    facts, policy, now = given_
    decision = judge(replace(facts, missing=("a0X8",), finished=frozenset()), now, policy)
    assert decision.arrears.status != "Clear"
    assert Kind.CLEAR not in {one.kind for one in decision.follow_ups}
    assert [one for one in decision.follow_ups if one.kind is Kind.ALERT_TEAM] or any(one.key for one in facts.contacts)


@SLOW
@given(situations())
def test_nothing_becomes_harsher_on_old_data(given_):
    """With data that may be out of date nothing is asked for, escalated or proposed, and the level stays."""
    facts, policy, now = given_
    fresh, stale = judge(facts, now, policy), judge(replace(facts, stale=True), now, policy)
    harsh = {Kind.ESCALATE, Kind.PROPOSE_REFERRAL, Kind.PROPOSE_WRITE_OFF} | REACHING | {Kind.RETRY}
    assert not {one.kind for one in stale.follow_ups} & harsh
    assert stale.arrears.level == fresh.arrears.level


@SLOW
@given(situations())
def test_a_gift_is_no_debt(given_):
    """No arrears, no firm word, no escalation, no referral and no call, whatever else is owed."""
    facts, policy, now = given_
    gifts = replace(facts, open_items=tuple(replace(one, claim_kind=ClaimKind.GIFT) for one in facts.open_items), missing=())
    decision = judge(gifts, now, policy)
    assert (dict(decision.arrears.amount), decision.arrears.level, decision.arrears.since) == ({}, 0, None)
    assert not {one.tone for one in decision.follow_ups} & {"firm", "final", "neutral"} or {Kind.NOTIFY} >= {
        one.kind for one in decision.follow_ups if one.tone == "neutral"
    }
    assert not {one.kind for one in decision.follow_ups} & {
        Kind.CALL,
        Kind.ESCALATE,
        Kind.PROPOSE_REFERRAL,
        Kind.PROPOSE_WRITE_OFF,
        Kind.OFFER_PLAN,
    }


@SLOW
@given(situations())
def test_segment_and_value_of_the_payer_never_make_the_default_policy_harsher(given_):
    """The policy that ships does not ask who somebody is."""
    facts, _, now = given_
    plain = replace(facts, payer=replace(facts.payer, segment=None, value=None))
    assert judge(facts, now) == judge(plain, now)


def test_the_default_policy_answers_every_category_by_a_row_of_its_own():
    """Nothing that the catalogue can say falls through to the last row."""
    for category in Category:
        assert judge(position(item(category))).follow_ups, category
        assert default_policy().rows[-1].name not in {one.rule for one in judge(position(item(category))).follow_ups}
