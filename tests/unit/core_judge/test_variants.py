"""Policies for a product, a segment or a country: rows of their own before the base's, never before what stops everything."""

import pytest

from connector.core.coverage import dead_rows, unanswered
from connector.core.decide import decide
from connector.errors import ConfigError
from connector.mapping.policy_folder import load_policies
from tests.scenario.decide.builders import NOW, ROOT, default_policy, failure, item, payer, position

ENERGY = """
policy: energy
version: "3"
extends: default
applies: {product: [Green electricity, Gas], country: not(DE)}
ladders:
  standard:
    - {level: 1, kind: remind, after_days: 5, tone: gentle, template: reminder_gentle}
    - {level: 2, kind: offer_plan, after_days: 20, tone: gentle, template: offer_plan}
rows:
  - row: no money for energy
    when: {reason: insufficient_funds}
    because: Energy is a need; there is time.
    ladder: standard
"""


@pytest.fixture
def loaded(tmp_path):
    """Load the default policy with further files beside it."""

    def load(**files):
        folder = tmp_path / "policies"
        folder.mkdir(exist_ok=True)
        (folder / "default.yaml").write_text((ROOT / "mappings" / "policies" / "default.yaml").read_text())
        for name, text in files.items():
            (folder / f"{name}.yaml").write_text(text)
        return load_policies(folder, default_policy().rules)["default"]

    return load


def rules(policy, *items, **more):
    """Rules behind what is done."""
    return {one.rule for one in decide(position(*items, **more), policy, NOW).follow_ups}


def test_a_product_has_its_own_course(loaded):
    """The variant's row speaks for its products, and says which policy and version it is."""
    policy = loaded(energy=ENERGY)
    assert rules(policy, item(product="Green electricity")) == {"energy 3: no money for energy"}
    assert rules(policy, item(product="Magazine")) == rules(default_policy(), item(product="Magazine"))


def test_conditions_on_the_payer_count_too(loaded):
    """The same product elsewhere keeps the base's course."""
    policy = loaded(energy=ENERGY)
    german = payer(country="DE", time_zone="Europe/Berlin")
    assert not any(rule.startswith("energy") for rule in rules(policy, item(product="Gas"), payer=german))


def test_its_ladder_also_replaces_the_base_rows_ladder(loaded):
    """A slower ladder of the same name is climbed by every row of the base that names it."""
    policy = loaded(energy=ENERGY)
    refused = item("refused", product="Gas", failures=(failure("refused", retry="yes"),))
    found = decide(position(refused, tenure_days=400), policy, NOW)
    assert [one.tone for one in found.follow_ups if one.kind.value == "remind"] == ["gentle"]
    assert all(one.rule.startswith("energy 3: ") for one in found.follow_ups)


def test_what_stops_everything_stops_it_for_every_product(loaded):
    """No variant has a say in a death."""
    policy = loaded(energy=ENERGY.replace("reason: insufficient_funds", "reason: [insufficient_funds, deceased]"))
    assert rules(policy, item("deceased", product="Gas")) == rules(default_policy(), item("deceased"))


def test_one_contact_covers_products_of_two_policies(loaded):
    """A person is written to once, whatever they owe for."""
    policy = loaded(energy=ENERGY)
    both = position(item(id="a", product="Gas"), item(id="b", product="Magazine", due="2026-02-27"))
    reminds = [one for one in decide(both, policy, NOW).follow_ups if one.kind.value == "remind"]
    assert [sorted(one.installments) for one in reminds] == [["a", "b"]]


def test_the_first_variant_that_applies_decides(loaded):
    """Files are read in the order of their names."""
    other = ENERGY.replace("policy: energy", "policy: benelux").replace(
        "product: [Green electricity, Gas], country: not(DE)", "country: NL"
    )
    policy = loaded(energy=ENERGY, a_benelux=other)
    assert rules(policy, item(product="Gas")) == {"benelux 3: no money for energy"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("extends: default", "extends: defualt"), "did you mean 'default'"), (("product:", "prodcut:"), "did you mean 'product'"),
        (("ladder: standard\n", "ladder: standrd\n"), "did you mean 'standard'"), (('version: "3"', 'pay_day: 3\nversion: "3"'), "pay_day"),
        (("policy: energy", "policy: default"), "already a policy"), (("because: Energy", "always: true\n    because: Energy"), "before everything"),
        (("applies: {product: [Green electricity, Gas], country: not(DE)}", "applies: {}"), "applies"),
        (("after_days: 20", "after_days: 2"), "sooner than"),
    ],
)  # fmt: skip
def test_a_fault_in_a_variant_names_file_and_line(loaded, change, words):
    """An admin mends it from the message."""
    with pytest.raises(ConfigError) as caught:
        loaded(energy=ENERGY.replace(*change))
    assert all(problem.startswith("policies/energy.yaml:") for problem in caught.value.problems)
    assert words in "\n".join(caught.value.problems)


@pytest.mark.parametrize(
    "change",
    [
        ("because: Energy", "tone: firm\n    because: Energy"), ("ladder: standard\n", "ladder: frequent\n"),
        ("tone: gentle, template: reminder_gentle", "tone: firm, template: reminder_firm"),
        ("because: Energy", "hold: {cause: dispute}\n    because: Energy"),
    ],
)  # fmt: skip
def test_a_segment_only_makes_a_course_milder(loaded, change):
    """Nobody is treated harder for the segment they are in, neither by a row nor by a ladder."""
    gold = ENERGY.replace("product: [Green electricity, Gas], country: not(DE)", "segment: Gold")
    assert loaded(energy=gold)
    with pytest.raises(ConfigError, match="only make a course milder"):
        loaded(energy=gold.replace(*change))


def test_a_row_for_a_segment_climbs_no_firm_ladder_of_the_base(loaded):
    """A variant for a product may not slip a segment into a row and send it up a ladder that grows firm."""
    words = "when: {reason: insufficient_funds}"
    assert words in ENERGY
    with pytest.raises(ConfigError, match="only make a course milder"):
        loaded(
            energy=ENERGY.replace(words, "when: {reason: insufficient_funds, segment: Gold}").replace(
                "ladder: standard\n", "ladder: frequent\n"
            )
        )


def test_the_checks_of_a_table_look_into_variants(loaded):
    """A variant's row that can never be hit is found; the base's rows behind it are not called dead."""
    twice = ENERGY + "  - {row: again, when: {reason: insufficient_funds, level: '>= 1'}, because: Never., ladder: standard}\n"
    policy = loaded(energy=twice)
    assert dead_rows(policy) == [("energy 3: again", "energy 3: no money for energy")]
    assert unanswered(policy) == []
