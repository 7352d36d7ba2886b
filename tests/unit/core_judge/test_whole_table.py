"""The check of a whole table, and rows that were released: what the facts of a question are, and what a variant adds."""

from dataclasses import replace

import pytest

from connector.core.coverage import dead_rows, unanswered
from connector.core.policy import HoldPlan, Ladder, Row, Step, Variant
from connector.core.words import HoldCause, Kind, Tone
from connector.mapping.policies import build
from connector.mapping.source import parse
from tests.scenario.decide.builders import default_policy, item, judge, kinds, position


def table(*rows):
    """A policy of these rows and a last one."""
    text = "policy: small\nversion: '1'\nrows:\n" + "".join(f"  - {row}\n" for row in rows) + "  - {row: last, because: Last.}\n"
    return build(parse("policies/small.yaml", text), default_policy().rules)


@pytest.mark.parametrize(
    "cell",
    [
        "promise: none", "plan: none", "open_cases: 0", "open_installments: 1", "level: 0", "money_moved: no", "reached: no", "clean_history: no",
        "tenure_days: 400", "payer_kind: person", "open_amount: '40 EUR'", "item_failures: '[1..5]'", "failures_12m: 'null, 1, 5'",
        "claim_kind: [debt, membership, gift]", "rail: [card, direct_debit, payer, unknown]", "first_installment: [yes, no]",
        "retryable: 'yes, no, ask, null'", "segment: 'null'", "product: 'null'", "scheme: 'null'", "outcome: 'null'", "consecutive_failures: 'null'",
    ],
)  # fmt: skip
def test_the_situations_asked_about_are_those_of_an_ordinary_payer(cell):
    """One row that asks for just one ordinary thing answers them all."""
    assert unanswered(table(f"{{row: all, when: {{{cell}}}, because: All.}}")) == []


@pytest.mark.parametrize(
    "cell", ["promise: broken", "money_moved: yes", "reached: yes", "clean_history: yes", "level: '>= 1'", "plan: missed"]
)
def test_what_is_not_ordinary_leaves_them_all_unanswered(cell):
    """Each reason with each claim is told once for each word on retrying."""
    found = unanswered(table(f"{{row: some, when: {{{cell}}}, because: Some.}}"))
    assert {"reason": "none", "claim_kind": "gift", "retryable": None} in found
    assert {"reason": "fraud", "claim_kind": "debt", "retryable": "ask"} in found
    assert len(found) == 13 * 3 * 3 + 3


def test_a_flag_has_two_values():
    """A row for the one is not dead behind a row for the other; behind a row for both it is."""
    assert dead_rows(table("{row: a, when: {reached: yes}, because: A.}", "{row: b, when: {reached: no}, because: B.}")) == []
    both = table("{row: a, when: {reached: [yes, no, 'null']}, because: A.}", "{row: b, when: {reached: no}, because: B.}")
    assert dead_rows(both) == [("b", "a"), ("last", "a")]
    wide = table("{row: a, when: {reached: [yes, no]}, because: A.}", "{row: b, when: {level: 3}, because: B.}")
    assert dead_rows(wide) == []


def test_dead_rows_of_the_base_and_of_each_variant_are_told():
    """None hides another."""
    base = table("{row: a, when: {level: '>= 1'}, because: A.}", "{row: b, when: {level: 2}, because: B.}")
    first, second, last = base.rows
    own = (replace(first, name="own a", order=1), replace(second, name="own b", order=2))
    policy = replace(base, variants=(Variant("v", (), (*own, last)), Variant("w", (), (*own, last))))
    assert dead_rows(policy) == [("b", "a"), ("own b", "own a"), ("own b", "own a")]


def test_a_hold_that_was_released_leaves_the_installment_simply_unpaid():
    """Unless what is simply unpaid is held too: then the row that was hit stays."""
    ladder = Ladder("own", (Step(1, Kind.REMIND, 0, 0, Tone.GENTLE),))
    stop = table("{row: stop, when: {reason: disputed}, because: Stop.}").rows[0]
    disputed = replace(stop, hold=HoldPlan(HoldCause.DISPUTE))
    plain = Row("plain", (), "Unpaid.", ladder="own", order=9000)
    policy = replace(default_policy(), ladders={"own": ladder}, rows=(disputed, plain), variants=())
    found = position(item("disputed"))
    (hold,) = [one for one in judge(found, policy=policy).follow_ups if one.kind is Kind.HOLD]
    released = replace(found, finished=frozenset({hold.key}))
    assert [(one.kind, one.rule) for one in judge(released, policy=policy).follow_ups] == [(Kind.REMIND, "plain")]
    held = replace(policy, rows=(disputed, replace(plain, hold=HoldPlan(HoldCause.MANUAL))))
    assert kinds(judge(released, policy=held)) == []
    assert {one.kind for one in judge(found, policy=held).follow_ups} == {Kind.HOLD}
