"""The logbook: what the store keeps of a decision, and what deciding once more says."""

import json
import zlib
from dataclasses import replace

from connector.core.decide import decide
from connector.pipeline.logbook import Verdict, logged, replayed, says_something
from tests.scenario.decide.builders import NOW, default_policy, item, position

POLICY = default_policy()
FACTS = position(item())


def kept(facts=FACTS, policy=POLICY):
    """What the store keeps about a payer in arrears."""
    return logged(decide(facts, policy, NOW), facts, policy, NOW)


def again(one, policy=POLICY):
    """It decided once more, ``policy`` being in force."""
    return replayed(one, {policy.name: policy}, policy)


def test_the_same_policy_decides_the_same():
    """Same facts, same policy, same decision."""
    found = again(kept())
    assert (found.verdict, found.differences) == (Verdict.SAME, ())


def test_a_decision_that_comes_out_otherwise_is_told():
    """Whatever changed it, the log says what was decided then."""
    one = kept()
    body = json.loads(one.body)
    body["arrears"]["level"] = 3
    found = again(replace(one, body=json.dumps(body)))
    assert (found.verdict, found.differences) == (Verdict.DIFFERENT, ("level 3 -> 0",))


def test_a_changed_policy_is_a_back_test_and_no_fault():
    """What it would decide today is said, and that it is another policy."""
    found = again(kept(), replace(POLICY, pay_day=20, version="2"))
    assert found.verdict is Verdict.DIFFERENT_UNDER_OTHER
    assert found.version == "2"
    assert found.differences
    assert again(kept(), replace(POLICY, grace_days=4)).verdict is Verdict.SAME_UNDER_OTHER


def test_a_policy_that_is_gone_is_replaced_by_the_one_in_force():
    """Renaming a policy does not lose the log."""
    other = replace(POLICY, name="new")
    found = replayed(kept(), {"new": other}, other)
    assert (found.policy, found.verdict) == ("new", Verdict.SAME_UNDER_OTHER)


def test_what_was_kept_without_its_basis_cannot_be_replayed():
    """Old rows, and rows of a version that wrote otherwise, are told apart from differences."""
    one = kept()
    for basis in (None, b"no zlib", zlib.compress(b"{}"), zlib.compress(b'{"now": 3}')):
        assert again(replace(one, basis=basis)).verdict is Verdict.NO_BASIS


def test_a_basis_takes_little_room():
    """What a decision rests on adds a fraction to what was decided: less than half of its size."""
    one = kept()
    assert one.basis is not None
    assert len(one.basis) < len(one.body) / 2


def test_about_most_payers_there_is_nothing_to_keep():
    """Who owes nothing and is told nothing leaves no trace; who is only watched does."""
    assert not says_something(decide(position(), POLICY, NOW))
    assert says_something(decide(FACTS, POLICY, NOW))
    gift = position(item(None, due="2026-03-01", claim_kind="gift"), overdue={})
    assert says_something(decide(gift, POLICY, NOW))


def test_plain_form_names_both_policies():
    """Programs see what it was made under and what it was made under now."""
    plain = again(kept(), replace(POLICY, version="2", pay_day=20)).plain()
    assert plain["payer"] == "003P1"
    assert (plain["made_under"], plain["replayed_under"]) == ({"name": "default", "version": "1"}, {"name": "default", "version": "2"})
