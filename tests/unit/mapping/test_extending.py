"""A mapping extends a preset: what it says counts, what it leaves out is the preset's, and every fault is told where it is written."""

from pathlib import Path

import pytest

from connector.errors import ConfigError
from connector.mapping.extending import EXTENDS, OWN
from connector.mapping.org import load_mapping
from connector.mapping.schemas import SCHEMAS

SHIPPED = Path(__file__).parents[3] / "mappings"
HEAD = """\
name: acme
extends: findock
creditor: {name: Acme, time_zone: Europe/Brussels, country: BE, currency: EUR}
"""
LINES_OF_HEAD = HEAD.count("\n")


@pytest.fixture
def folder(tmp_path):
    """A folder of the admin's own, far from the shipped presets."""
    made = tmp_path / "ours"
    made.mkdir()
    return made


def loaded(folder, text, name="acme"):
    """The mapping that the file says, laid on what it extends."""
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load_mapping(folder, name)[0]


def problems(folder, text, name="acme"):
    """What is wrong with the file."""
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text, name)
    return list(caught.value.problems)


def test_what_is_not_said_is_the_presets(folder):
    """Three lines are a whole mapping, and the shipped preset is found from a folder that does not hold it."""
    ours, findock = loaded(folder, HEAD), load_mapping(SHIPPED, "findock")[0]
    assert (ours.name, ours.creditor.name) == ("acme", "Acme")
    assert ours.model_dump(exclude=set(OWN)) == findock.model_dump(exclude=set(OWN))


def test_a_key_that_is_given_replaces_and_its_neighbours_stay(folder):
    """Mappings merge key by key, however deep; lists replace."""
    text = HEAD + "installments: {product: Product_Name__c, retry: {stamp: Our_Stamp__c}, closed: [Paid]}\nschemes: {Incasso: sepa_core}\n"
    ours, findock = loaded(folder, text), load_mapping(SHIPPED, "findock")[0]
    assert (ours.installments.product, ours.installments.amount) == ("Product_Name__c", "cpm__Amount__c")
    assert ours.installments.closed == ("Paid",)
    assert ours.installments.retry == findock.installments.retry.model_copy(update={"stamp": "Our_Stamp__c"})
    assert ours.schemes == {**findock.schemes, "Incasso": "sepa_core"}


def test_null_takes_away_what_the_preset_says(folder):
    """A part, a field and an entry of a table can all be left out again."""
    text = HEAD + "runs: null\ninstallments: {mandate: null}\nprocessors: {PaymentHub-Mollie: null}\nfindings: null\n"
    ours = loaded(folder, text)
    assert ours.runs is None
    assert ours.installments.mandate is None
    assert "PaymentHub-Mollie" not in ours.processors
    assert (ours.findings.backlogs, ours.findings.open_amount) == ((), None)


def test_what_a_mapping_cannot_do_without_cannot_be_taken_away(folder):
    """The fault stands on the line that took it away."""
    (problem,) = problems(folder, HEAD + "cases: null\npayments: null\n")
    assert problem.startswith(f"ours/acme.yaml:{LINES_OF_HEAD + 2}: payments: ")


def test_a_key_that_is_only_taken_away_is_checked_all_the_same(folder):
    """A misspelt key with null is no silence: what was meant would stay in force."""
    assert problems(folder, HEAD + "installments:\n  mandat: null\n") == [
        f"ours/acme.yaml:{LINES_OF_HEAD + 2}: 'mandat' is not known here; did you mean 'mandate'?"
    ]


def test_who_collects_is_said_by_each_file_itself(folder):
    """A preset's example creditor never signs for somebody else."""
    found = problems(folder, "extends: findock\nroles:\n  admin: {queue: Ours}\n")
    assert [one.partition(": ")[2].partition(":")[0] for one in found] == ["creditor", "name"]


def test_a_wrong_line_is_told_in_the_file_that_holds_it(folder):
    """The admin's faults and those of a file it extends come together, each where it can be mended."""
    base = HEAD.replace("name: acme", "name: base") + "payments:\n  objekt: Payment__c\n"
    (folder / "base.yaml").write_text(base, encoding="utf-8")
    text = HEAD.replace("findock", "base") + "\ninstallments:\n  retry:\n    valeu: Again\nroles: {admin: {username: a@example.com}}\n"
    assert problems(folder, text) == [
        "ours/acme.yaml:7: 'valeu' is not known here; did you mean 'value'?",
        "ours/acme.yaml:8: roles.admin: Value error, give either a queue or a username (one that a preset gives goes with null)",
        "ours/base.yaml:5: 'objekt' is not known here; did you mean 'object'?",
    ]


def test_every_value_knows_its_file_and_line(folder):
    """What the org refuses is told at the line that names it, in the admin's file or in the preset."""
    (folder / "acme.yaml").write_text(HEAD + "installments:\n  product: Product_Name__c\n", encoding="utf-8")
    _, source = load_mapping(folder, "acme")
    assert str(source.place(("installments", "product"))) == "ours/acme.yaml:5"
    assert str(source.place(("installments",))) == "ours/acme.yaml:4"
    amount = source.place(("installments", "amount"))
    assert amount.file == "shipped mappings/findock.yaml"
    assert (SHIPPED / "findock.yaml").read_text(encoding="utf-8").splitlines()[amount.line - 1].strip().startswith("amount: ")
    assert str(source.place(("creditor", "currency"))) == "ours/acme.yaml:3"
    assert str(source.place(("creditor", "unsaid"))) == "ours/acme.yaml:3"


def test_lines_of_what_was_replaced_are_forgotten(folder):
    """A shorter list leaves no line of the longer one behind."""
    (folder / "acme.yaml").write_text(HEAD + "findings:\n  backlogs: []\n", encoding="utf-8")
    _, source = load_mapping(folder, "acme")
    assert str(source.place(("findings", "backlogs", 3, "status"))) == "ours/acme.yaml:5"


def test_a_file_may_extend_the_shipped_preset_of_its_own_name(folder):
    """The folder that holds only `findock.yaml` of the admin's, extending ours."""
    ours = loaded(folder, HEAD.replace("name: acme", "name: findock") + "history_months: 36\n", "findock")
    assert (ours.history_months, ours.payments.object) == (36, "cpm__Payment__c")


def test_a_chain_is_followed_to_its_end(folder):
    """A business unit extends the company's mapping, which extends a preset; the nearest word counts."""
    (folder / "group.yaml").write_text(HEAD.replace("acme", "group") + "history_months: 36\nstale_after_hours: 120\n", encoding="utf-8")
    ours = loaded(folder, HEAD.replace("findock", "group") + "stale_after_hours: 72\n")
    assert (ours.history_months, ours.stale_after_hours, ours.payments.object) == (36, 72, "cpm__Payment__c")


@pytest.mark.parametrize(
    ("extends", "said"),
    [
        ("findok", "there is no mapping 'findok' to extend; did you mean 'findock'?"),
        ("other", "mappings extend each other in a circle: acme -> other -> acme"),
        ("acme", "'acme' extends itself"),
        ("../secret", "extends: give the name of one mapping, such as findock"),
        ("[findock, plain]", "extends: give the name of one mapping, such as findock"),
        ("null", "extends: give the name of one mapping, such as findock"),
    ],
)
def test_what_cannot_be_extended_is_told_on_its_line(folder, extends, said):
    """A wrong name, a circle and a path are each one clear line."""
    (folder / "other.yaml").write_text(HEAD.replace("acme", "other").replace("findock", "acme"), encoding="utf-8")
    (problem,) = problems(folder, HEAD.replace("findock", extends))
    assert problem.endswith(f"yaml:2: {said}")


def test_an_editor_completes_a_mapping_that_says_only_what_differs():
    """With `extends` every key may be left out or null; name and creditor may not, and without it nothing changes."""
    schema = SCHEMAS["mapping"]()
    part, complete = schema["then"], schema["else"]
    assert part["required"] == [EXTENDS, *OWN]
    assert set(part["properties"]) == {EXTENDS, *complete["properties"]}
    assert EXTENDS not in complete["properties"]
    installments = schema["$defs"]["InstallmentsPart"]
    assert "required" not in installments
    assert {"type": "null"} in installments["properties"]["amount"]["anyOf"]
    assert {"$ref": "#/$defs/RetryPart"} in installments["properties"]["retry"]["anyOf"]
    assert "object" in schema["$defs"]["Installments"]["required"]
    assert part["properties"]["payers"]["anyOf"][0]["items"] == {"$ref": "#/$defs/PayerObject"}
