"""What the pages tell people to type exists: commands, options, files, links and metrics."""

import re
from pathlib import Path

import pytest
import typer
import yaml
from prometheus_client.parser import text_string_to_metric_families

from connector.cli import cli
from connector.log import EVENTS
from connector.mapping.org import Mapping, load_mapping
from connector.mapping.source import parse
from connector.probes import Metrics

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGES = [DOCS / f"{name}.md" for name in ("admin-guide", "credit-managers", "runbook", "policies", "mapping-reference", "policy-reference")]
COMMANDS = typer.main.get_command(cli).commands


def code(page):
    """Everything on a page that is set as code: blocks and words."""
    text = page.read_text(encoding="utf-8")
    return [*re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL), *re.findall(r"`([^`\n]+)`", text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_on_the_page_can_be_typed(page):
    """A command or option that is gone costs an admin an evening."""
    for given in re.findall(r"^dunwell ([a-z]+(?: [^\n#`|&]*)?)", "\n".join(code(page)), re.MULTILINE):
        name, *words = given.split()
        assert name in COMMANDS, given
        known = {option for one in COMMANDS[name].params for option in (*one.opts, *one.secondary_opts)}
        assert {word.partition("=")[0] for word in words if word.startswith("--")} - {"--help"} <= known, given


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_of_the_page_leads_to_a_file(page):
    """A page that moved takes its links along."""
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (DOCS / link).exists(), link


def test_what_the_guide_copies_is_there():
    """Files that are copied out of the checkout, and deployed from it."""
    text = (DOCS / "admin-guide.md").read_text(encoding="utf-8")
    named = set(re.findall(r"/opt/dunwell/src/([\w./-]*\w)", text)) | set(re.findall(r"--source-dir (\S+)", text))
    assert {"docs/examples/compose.yaml", "docs/examples/dunwell.service", "mappings", "force-app/main"} <= named
    assert all((ROOT / name).exists() for name in named)


def test_the_guides_own_mapping_loads(tmp_path):
    """The first file an admin writes is copied from the page: it is right as it stands."""
    text = (DOCS / "admin-guide.md").read_text(encoding="utf-8")
    (written,) = re.findall(r"^cat > mappings/own\.yaml <<'END'\n(.*?)^END$", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "own.yaml").write_text(written)
    mapping, _ = load_mapping(tmp_path, "own")
    assert isinstance(mapping, Mapping)
    assert mapping.creditor.name in written
    assert parse("own.yaml", written).data["extends"] == "findock"


def test_every_metric_of_the_alerts_is_published():
    """An alert on a number that nobody publishes never rings."""
    published = {one.name for one in text_string_to_metric_families(Metrics().text().decode())}
    text = (DOCS / "admin-guide.md").read_text(encoding="utf-8")
    (rules,) = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    asked = set(re.findall(r"\b(dunwell_\w+)", rules))
    assert asked
    assert asked <= published
    assert all({"alert", "expr", "for"} == set(rule) for rule in yaml.safe_load(rules)["groups"][0]["rules"])


@pytest.mark.parametrize("page", [DOCS / "admin-guide.md", DOCS / "runbook.md"], ids=lambda page: page.stem)
def test_every_event_that_the_page_names_is_logged(page):
    """Who looks for a line that is never written waits in vain."""
    families = {name.partition(".")[0] for name in EVENTS}
    named = {word for word in re.findall(r"`([a-z]+\.[a-z_]+)`", page.read_text(encoding="utf-8")) if word.partition(".")[0] in families}
    assert named <= EVENTS
