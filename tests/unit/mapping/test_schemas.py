"""The JSON Schemas for editors say what loading says."""

import json
import re

import pytest
import yaml

from connector.core.policy import FACTS
from connector.mapping.schemas import SCHEMAS, text
from tests.scenario.decide.builders import ROOT

FOLDER = ROOT / "mappings"
FILES = {
    "policy": "policies/default.yaml",
    "mapping": "findock.yaml",
    "schemes": "rules/schemes.yaml",
    "countries": "rules/countries.yaml",
}


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_the_shipped_schema_is_what_the_models_say(name):
    """A field added to a model and not to the schema would be red in every editor; `make schemas` writes them anew."""
    assert (FOLDER / "schema" / f"{name}.json").read_text(encoding="utf-8") == text(name)


PRESETS = sorted(path.name for path in FOLDER.glob("*.yaml"))


@pytest.mark.parametrize(("name", "file"), sorted({*FILES.items(), *(("mapping", one) for one in PRESETS)}))
def test_every_shipped_file_names_its_schema(name, file):
    """An editor finds the schema from the first line, wherever the folder lies."""
    first = (FOLDER / file).read_text(encoding="utf-8").splitlines()[0]
    named = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert named
    assert ((FOLDER / file).parent / named[1]).resolve() == FOLDER / "schema" / f"{name}.json"


def test_the_keys_of_the_shipped_policy_are_the_keys_of_its_schema():
    """What loads is not red: every key at the top, of a row and of a step stands in the schema."""
    schema = SCHEMAS["policy"]()
    policy = yaml.safe_load((FOLDER / FILES["policy"]).read_text(encoding="utf-8"))
    assert set(policy) <= set(schema["else"]["properties"])
    for row in policy["rows"]:
        assert set(row) <= set(schema["$defs"]["RowFile"]["properties"])
        assert set(row.get("when", {})) <= set(schema["$defs"]["RowFile"]["properties"]["when"]["properties"])
    for steps in policy["ladders"].values():
        assert all(set(step) <= set(schema["$defs"]["StepFile"]["properties"]) for step in steps)


def test_an_editor_offers_every_fact_with_its_meaning():
    """Facts can be completed and read without leaving the editor."""
    offered = SCHEMAS["policy"]()["then"]["properties"]["applies"]["properties"]
    assert set(offered) == set(FACTS)
    assert all(FACTS[name].meaning in one["description"] for name, one in offered.items())
    assert json.dumps(offered)
