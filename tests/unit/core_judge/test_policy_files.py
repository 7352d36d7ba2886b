"""Policy files: the default loads, and every fault of a bad one is told at once with its line."""

from pathlib import Path

import pytest

from connector.core.rules import Rules
from connector.core.words import Kind, Tone
from connector.errors import ConfigError
from connector.mapping.policies import build
from connector.mapping.policy_folder import load_policies, load_policy
from connector.mapping.source import parse
from tests.scenario.decide.builders import ROOT, default_policy

RULES = Rules()
GOOD = """
policy: small
version: "1"
ladders:
  short:
    - {level: 1, kind: remind, after_days: 0, tone: gentle, template: reminder_gentle}
rows:
  - row: unpaid
    when: {reason: none}
    because: Not paid.
    ladder: short
  - row: else
    because: A person looks.
    tasks: [{kind: review, assignee: credit_manager}]
"""


def faults(text):
    """What is wrong with a policy."""
    with pytest.raises(ConfigError) as caught:
        build(parse("policies/small.yaml", text), RULES)
    return caught.value.problems


def test_a_small_policy_loads():
    """Nothing beyond a name, a version, a ladder and two rows is needed."""
    policy = build(parse("policies/small.yaml", GOOD), RULES)
    assert (policy.name, policy.version, len(policy.rows)) == ("small", "1", 2)
    assert policy.ladders["short"].steps[0].kind is Kind.REMIND


def test_the_default_policy_has_a_catch_all_and_offers_a_plan_before_it_escalates():
    """The opinion we ship keeps its own promises."""
    policy = default_policy()
    assert policy.rows[-1].when == ()
    for ladder in policy.ladders.values():
        kinds = [step.kind for step in ladder.steps]
        if Kind.ESCALATE in kinds:
            assert kinds.index(Kind.OFFER_PLAN) < kinds.index(Kind.ESCALATE)


def test_gifts_hear_no_firm_word():
    """A gift is not a debt: two kind invitations and nothing else."""
    steps = default_policy().ladders["gift"].steps
    assert [step.kind for step in steps] == [Kind.REMIND, Kind.REMIND]
    assert {step.tone for step in steps} == {Tone.GENTLE}


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ("reason: none", "reson: none", 9, "'reson' is no fact; did you mean 'reason'?"),
        ("reason: none", "reason: none_", 9, "reason: 'none_' is no reason; did you mean 'none'?"),
        ("reason: none", "health: bad", 9, "nobody is treated by their health"),
        ("reason: none", "age: '> 60'", 9, "nobody is treated by their health, origin, belief, age or gender"),
        ("ladder: short", "ladder: shrt", 11, "there is no ladder 'shrt'; did you mean 'short'?"),
        ("ladder: short", "laddr: short", 11, "'laddr' is not known here; did you mean 'ladder'?"),
        ("row: else", "row: unpaid", 12, "there is already a row 'unpaid'"),
        ("because: A person looks.", "when: {plan: kept}\n    because: A person looks.", 12, "the last row must have no 'when'"),
        ("tone: gentle", "tone: rude", 6, "ladders.short.0.tone"),
        ("template: reminder_gentle", "priority: High", 6, "a remind needs a template"),
        ("level: 1", "level: 0", 6, "greater than or equal to 1"),
        ('version: "1"', 'version: ""', 3, "version"),
        ('version: "1"', 'version: "1"\nthreshold: {EUR: 5.001}', 4, "5.001 has more decimals than EUR"),
        ('version: "1"', 'version: "1"\ncontacts_per_week: 9', 4, "less than or equal to 3"),
    ],
)
def test_a_fault_is_told_with_its_line_and_what_was_meant(before, after, line, said):
    """file:line: what, did you mean."""
    (only,) = faults(GOOD.replace(before, after, 1))
    assert only.startswith(f"policies/small.yaml:{line}: ")
    assert said in only


def test_all_faults_are_told_at_once():
    """Shape, conditions and references in one go, in the order of the file."""
    bad = GOOD.replace("reason: none", "reson: none").replace("tone: gentle", "tone: rude").replace("because: A person looks.", "becaus: x")
    found = faults(bad)
    assert len(found) == 4
    assert [int(one.split(":")[1]) for one in found] == sorted(int(one.split(":")[1]) for one in found)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("[]", "has no steps"),
        ("[{level: 2, kind: call, after_days: 0}, {level: 1, kind: call, after_days: 1}]", "does not rise above"),
        ("[{level: 1, kind: call, after_days: 9}, {level: 2, kind: call, after_days: 1}]", "sooner than the step before it"),
        ("[{level: 1, kind: escalate, after_days: 9}]", "a plan must be offered before escalate"),
    ],
)
def test_a_ladder_must_rise_and_offer_a_plan_first(steps, said):
    """No ladder skips, falls or escalates out of the blue."""
    head, _, tail = GOOD.partition("  short:\n")
    (only,) = faults(f"{head}  short: {steps}\n{tail.partition('template: reminder_gentle}')[2].lstrip()}")
    assert said in only


@pytest.mark.parametrize("harsh", ["tone: firm", "hold: {cause: manual}", "tasks: [{kind: escalate}]"])
def test_segment_and_value_only_make_a_course_milder(harsh):
    """A row that asks for somebody's segment may be neither firm nor escalate nor hold."""
    bad = GOOD.replace("when: {reason: none}", "when: {segment: gold}\n    " + harsh)
    assert any("may only make a course milder" in one for one in faults(bad))
    mild = build(parse("policies/small.yaml", GOOD.replace("{reason: none}", "{segment: gold}")), RULES)
    assert mild.rows[0].when[0][0] == "segment"


def test_two_policies_of_one_name_and_an_empty_folder_are_refused(tmp_path: Path):
    """A name stands for one policy, and there must be one."""
    with pytest.raises(ConfigError, match=r"at least default\.yaml"):
        load_policies(tmp_path, RULES)
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(GOOD)
    with pytest.raises(ConfigError, match="there is already a policy 'small'"):
        load_policies(tmp_path, RULES)
    (tmp_path / "c.yaml").write_text("rows: [")
    with pytest.raises(ConfigError, match="not YAML"):
        load_policies(tmp_path, RULES)


def test_the_default_policy_is_read_from_its_file():
    """The file that ships is the one the tests use."""
    assert load_policy(ROOT / "mappings" / "policies" / "default.yaml", RULES) == default_policy()
