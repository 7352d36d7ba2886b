"""The reference pages that admins read say what loading says."""

import re
from typing import Annotated

import pytest
from pydantic import TypeAdapter

from connector.core.policy import FACTS
from connector.mapping.meanings import meanings, models_of
from connector.mapping.org import Mapping
from connector.mapping.policy_file import PolicyFile
from connector.mapping.policy_folder import VariantFile
from connector.mapping.reference import EXAMPLES, PAGES
from connector.mapping.rules import CountriesFile, SchemesFile
from tests.scenario.decide.builders import ROOT

MODELS = {**models_of(Mapping), **models_of(PolicyFile), **models_of(VariantFile)}
ROW = re.compile(r"^\| `(?P<key>\w+)` \| (?P<meaning>[^|]+) \| (?P<kind>[^|]+) \| (?P<default>[^|]+) \| (?P<example>[^|]*) \|$")


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_committed_page_is_what_the_models_say(name):
    """A key added to a model and not to its page would be unknown to every admin; `make schemas` writes the pages anew."""
    assert (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") == PAGES[name]()


@pytest.mark.parametrize("model", [*MODELS.values(), *models_of(SchemesFile).values(), *models_of(CountriesFile).values()])
def test_every_key_has_a_meaning(model):
    """What an editor shows and the page says is one sentence that stands below the field."""
    said = meanings(model)
    assert set(said) == set(model.model_fields)
    assert all(text.endswith(".") for text in said.values())


@pytest.mark.parametrize(
    ("page", "root"), [("mapping-reference", Mapping), ("policy-reference", PolicyFile), ("policy-reference", VariantFile)]
)
def test_a_page_names_every_key_of_every_part(page, root):
    """Nothing that loading accepts is missing on the page."""
    named = [found["key"] for line in PAGES[page]().splitlines() if (found := ROW.match(line))]
    for model in models_of(root).values():
        for key in model.model_fields:
            assert key in named, f"{model.__name__}.{key}"


@pytest.mark.parametrize("page", sorted(PAGES))
def test_every_key_that_is_no_part_has_an_example(page):
    """An admin copies an example sooner than they read a type."""
    rows = [found for line in PAGES[page]().splitlines() if (found := ROW.match(line))]
    assert rows
    for row in rows:
        assert ("[part](" in row["kind"]) != bool(row["example"].strip()), row["key"]


@pytest.mark.parametrize("page", sorted(PAGES))
def test_every_link_of_a_page_leads_to_a_heading(page):
    """A link to a part that moved leads nowhere."""
    text = PAGES[page]()
    headings = {re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-") for line in text.splitlines() if line.startswith("#")}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings


@pytest.mark.parametrize(("model", "key"), sorted(EXAMPLES))
def test_an_example_made_for_the_page_loads(model, key):
    """What the page shows can be typed."""
    field = MODELS[model].model_fields[key]
    TypeAdapter(Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation).validate_python(
        EXAMPLES[model, key]
    )


def test_an_example_made_for_the_page_is_on_it():
    """One that a shipped file makes needless is taken out."""
    text = "".join(page() for page in PAGES.values())
    shown = {found["key"]: [] for line in text.splitlines() if (found := ROW.match(line))}
    for line in text.splitlines():
        if found := ROW.match(line):
            shown[found["key"]].append(found["example"].strip("` "))
    for (model, key), value in EXAMPLES.items():
        assert any(str(one) in "".join(shown[key]) for one in (value if isinstance(value, dict) else [value])), (model, key)


def test_the_page_tells_every_fact():
    """Facts can be looked up without the command line."""
    assert set(re.findall(r"^\| `(\w+)` \| .*\|$", PAGES["policy-reference"]().split("## Facts")[1], re.MULTILINE)) == set(FACTS)
