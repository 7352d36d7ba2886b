"""What a decision rested on is enough to make it again, and says so when it does not come out the same."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st

from connector.core.capacity import Desk, ration
from connector.core.decide import _decision, _plan, decide
from connector.core.facts import render
from connector.core.model import Case, CollectionRun, Contact, Shown
from connector.core.plain import from_json, to_json
from connector.core.replay import Basis, basis_of, decide_again, differences, unnamed
from connector.core.sheet import open_sheet
from connector.core.words import CONTACT_KINDS, Channel, Kind, Scheme, Withholding
from tests.scenario.decide.builders import AMSTERDAM, NOW, complaint, default_policy, failure, item, position
from tests.unit.core_judge.anything import SLOW, situations

SUBJECTS = st.sampled_from([None, "", "Complaint of J. Jansen", "Vraag over geschil", "Billing: wrong IBAN NL00BANK", "Hello"])


def _printable(items):
    """The same in currencies that can be printed; others no mapping lets in."""
    return tuple(replace(one, currency="USD") if one.currency == "ZZZ" else one for one in items)


@SLOW
@given(situations(), SUBJECTS)
def test_the_same_facts_under_the_same_policy_give_the_same_decision(given_, subject):
    """Through JSON and back, and without anything that names somebody, every decision comes out as it was."""
    facts, policy, now = given_
    facts = replace(facts, cases=tuple(replace(case, subject=subject) for case in facts.cases), open_items=_printable(facts.open_items))
    made = decide(facts, policy, now)
    basis = from_json(Basis, to_json(basis_of(made, facts, policy, now)))
    assert decide_again(basis, policy) == render(made)
    assert differences(render(made), decide_again(basis, policy)) == []


def test_calls_a_team_could_not_make_are_carried_over_again():
    """Capacity saw the whole batch that day; the log remembers what it took away."""
    policy = default_policy()
    facts = position(item(failures=(failure(),)), failures_12m=5)
    asked = decide(facts, policy, NOW)
    assert Kind.CALL in [one.kind for one in asked.follow_ups]
    (made,) = ration([asked], Desk({"credit_manager": 0}, frozenset(), NOW, AMSTERDAM, policy.country))
    assert Withholding.CAPACITY in [reason for one in made.withheld for reason in one.reasons]
    basis = basis_of(made, facts, policy, NOW)
    assert len(basis.carried_over) == 1
    assert decide_again(basis, policy) == render(made)


def test_nothing_that_people_wrote_is_kept():
    """Of a case's subject stay the words that the policy looks for; account and card references do not."""
    policy = default_policy()
    untyped = Case("500C1", is_closed=False, subject="Complaint of J. Jansen about billing", opened_at=NOW)
    plain = Case("500C3", is_closed=False, subject="J. Jansen called")
    facts = position(item(credential="tok_4711", mandate="M-Jansen"), cases=(untyped, complaint(subject="Jansen is angry"), plain))
    kept = unnamed(facts, policy.cases)
    assert [one.subject for one in kept.cases] == ["billing, complain", None, None]
    text = to_json(basis_of(decide(facts, policy, NOW), facts, policy, NOW)).decode()
    assert not [word for word in ("Jansen", "angry", "tok_4711") if word in text]


def test_of_the_coming_runs_those_that_may_matter_are_kept():
    """An org plans hundreds; of a payer's open items count those of their schemes, and those of any."""
    sepa, bacs, any_ = (CollectionRun(one, NOW.date()) for one in (Scheme.SEPA_CORE, Scheme.BACS, None))
    facts = position(item(scheme="sepa_core"), runs=(sepa, bacs, any_))
    assert unnamed(facts, default_policy().cases).runs == (sepa, any_)
    assert unnamed(replace(facts, open_items=()), default_policy().cases).runs == (any_,)
    assert unnamed(replace(facts, runs=None), default_policy().cases).runs is None
    assert unnamed(replace(facts, runs=()), default_policy().cases).runs == ()


def test_differences_are_told_in_short_lines():
    """What is gone, what is new, what is otherwise, and what is withheld: nothing else."""
    policy = default_policy()
    facts = position(item())
    before = render(decide(facts, policy, NOW))
    later = render(decide(facts, replace(policy, pay_day=20, version="2"), NOW))
    told = differences(before, later)
    assert any(line.startswith("no longer notify neutral email") for line in told)
    assert any(line.startswith("now notify neutral email") for line in told)
    assert any(line.startswith("retry: at 2026-03-") for line in told)
    held = render(decide(replace(facts, cases=(complaint(),)), policy, NOW))
    told = differences(before, held)
    assert "status In Arrears -> On Hold" in told or "status Watch -> On Hold" in told
    assert "now withheld: remind (open_case) until over" in told
    assert "no longer withheld: remind (open_case) until over" in differences(held, before)
    cleared = {**before, "arrears": {**before["arrears"], "amount": {}, "since": None}}
    assert differences(before, cleared) == ["amount 40.00 EUR -> nothing", "since 2026-03-01 -> nothing"]


def _as_shown(decision):
    """The follow-ups of a decision as the org shows them a night later."""
    return MappingProxyType({one.key: Shown(one.key, one.kind, one.at.astimezone(UTC)) for one in decision.follow_ups})


@SLOW
@given(situations(), st.integers(0, 40))
def test_leaving_out_the_second_plan_changes_nothing(given_, hours):
    """Contacts the org shows are planned around only where that makes a difference; the decision is the one it would have been."""
    facts, policy, now = given_
    facts = replace(facts, shown=_as_shown(decide(facts, policy, now)))
    later = now + timedelta(hours=hours)
    sheet, _ = _plan(facts, policy, later, frozenset())
    kept = frozenset(one.key for one in facts.shown.values() if one.kind in CONTACT_KINDS and one.key in sheet.used)
    assert decide(facts, policy, later) == _decision(*_plan(facts, policy, later, kept))


def test_of_two_announcements_the_later_counts_whatever_order_they_come_in():
    """Keys come as a set, whose order is another in every process; a decision must not hang on it."""
    for number in range(60):
        tag = f"{number:08x}"
        keys = {f"notify-003P1-2026{month:02d}01-{tag}" for month in range(1, 10)}
        sheet = open_sheet(position(item(), finished=frozenset(keys)), default_policy(), NOW)
        assert sheet.covered(Kind.NOTIFY)[tag] == f"notify-003P1-20260901-{tag}"


def test_a_payer_with_nothing_due_yet_is_left_in_peace():
    """What is still to come needs no judgement: the decision is that of a payer who owes nothing, cases and contacts or not."""
    coming = item(None, due="2026-04-01", overdue=False)
    facts = position(
        coming, cases=(complaint(),), contacts=(Contact(datetime(2026, 3, 1, 9, tzinfo=UTC), Channel.CALL, "call"),), overdue={}
    )
    policy = default_policy()
    assert decide(facts, policy, NOW) == _decision(*_plan(facts, policy, NOW, frozenset()))
    assert decide(facts, policy, NOW) == decide(replace(facts, open_items=()), policy, NOW)
