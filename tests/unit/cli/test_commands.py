"""What every command has in common: help that agrees with the README, settings read strictly, words instead of traces."""

import json
import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text()
ROWS = dict(re.findall(r"^\| `dunwell (\w+)( [^`]*)?` \|", README, re.MULTILINE))
NEED_AN_ORG = (["run"], ["check"], ["explain", "003000000000001AAA"], ["reconcile"], ["unpark"])


def test_the_readme_lists_exactly_the_commands_there_are(dunwell):
    """A person finds every command in the README, and no other."""
    done = dunwell("--help")
    assert done.status == 0
    listed = re.findall(r"^  (\w+) {2,}\S", done.out.split("Commands:")[1], re.MULTILINE)
    assert sorted(listed) == sorted(ROWS)


@pytest.mark.parametrize("command", sorted(ROWS))
def test_help_says_what_a_command_takes(dunwell, command):
    """Each command tells its arguments as the README names them, and one plain sentence."""
    done = dunwell(command, "--help")
    assert done.status == 0
    argument = ROWS[command].strip()
    assert f"dunwell {command}" in done.out
    assert not argument or argument in done.out
    assert ("--json" in done.out) == (command not in ("run", "unpark"))
    assert "--dry-run" not in README or ("--dry-run" in done.out) == (command == "reconcile")


def test_a_list_of_commands_fits_a_narrow_terminal(dunwell):
    """No line of the command list is cut off with dots at eighty columns."""
    assert "..." not in dunwell("--help", COLUMNS="80").out.split("Commands:")[1]


def test_no_command_shows_the_help(dunwell):
    """Dunwell alone explains itself."""
    done = dunwell()
    assert "Commands:" in done.out + done.err


@pytest.mark.parametrize("words", [*NEED_AN_ORG, ["status"], ["replay"]], ids=lambda words: words[0])
def test_wrong_settings_are_told_all_at_once(dunwell, words):
    """Every fault of the settings in one go, exit 2, no trace, no value repeated."""
    done = dunwell(*words, DUNWELL_AUTH="token", DUNWELL_ACCESTOKEN="s3cret", DUNWELL_BATCH_PAYERS="900", DUNWELL_MODE="maybe")
    assert (done.status, done.out) == (2, "")
    assert "DUNWELL_ACCESTOKEN: no such setting; did you mean DUNWELL_ACCESS_TOKEN?" in done.err
    assert "DUNWELL_BATCH_PAYERS: " in done.err
    assert "DUNWELL_MODE: " in done.err
    assert "s3cret" not in done.err


@pytest.mark.parametrize("words", NEED_AN_ORG, ids=lambda words: words[0])
def test_without_any_setting_a_command_names_what_it_needs(dunwell, words):
    """A first try says which settings are missing."""
    done = dunwell(*words)
    assert (done.status, done.out) == (2, "")
    assert [line.split(":")[0] for line in done.err.splitlines()] == ["DUNWELL_CLIENT_ID", "DUNWELL_USERNAME", "DUNWELL_KEY_FILE"]


@pytest.mark.parametrize("payer", ["o'brien", "003", "003-00000000001AAA", "0035E000000000QAAQ"])
def test_what_is_no_record_id_never_reaches_the_org(dunwell, payer):
    """A slip in an id is said in words a person understands, before anything is asked."""
    done = dunwell("explain", payer)
    assert (done.status, done.out) == (1, "")
    assert "record id" in done.err


def test_a_word_that_is_no_command_is_refused(dunwell):
    """A misspelt command does nothing."""
    done = dunwell("reconsile")
    assert done.status == 2
    assert "reconsile" in done.err


def test_check_offline_reads_the_files_alone(dunwell):
    """An admin without access to the org can still check what they wrote."""
    done = dunwell("check", "--offline")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("The files are in order: mapping findock, policy default")


def test_check_offline_tells_of_rows_that_can_never_be_hit(dunwell, tmp_path):
    """What is lawful and still looks like a mistake is said, and does not stop anything."""
    folder = tmp_path / "mappings"
    shutil.copytree(ROOT / "mappings", folder)
    file = folder / "policies" / "default.yaml"
    again = "  - row: unpaid again\n    when: {reason: none, level: '>= 2'}\n    because: Never.\n    ladder: standard\n"
    file.write_text(file.read_text().replace("  - row: anything else", again + "  - row: anything else"))
    done = dunwell("check", "--offline", DUNWELL_MAPPINGS_DIR=str(folder))
    assert done.status == 0
    assert "row 'unpaid again' can never be hit, row 'not paid' always comes first" in done.err


def test_check_tells_what_facts_mean(dunwell):
    """The words a policy may use can be read without the source."""
    done = dunwell("check", "--facts", "--json")
    assert json.loads(done.out)["first_installment"]["kind"] == "yes or no"
    assert "failures_12m\tnumber\t" in dunwell("check", "--facts").out


def test_own_reason_codes_stand_beside_the_shipped_ones(dunwell, tmp_path):
    """A row an admin adds or puts in place of ours counts; a bad one is told with file and line."""
    folder = tmp_path / "mappings"
    shutil.copytree(ROOT / "mappings", folder)
    heading = (folder / "reasons" / "bacs_arudd.csv").read_text().splitlines()[0]
    own = folder / "own_reasons.csv"
    own.write_text(f"{heading}\nbacs_arudd,Z9,The bank says moved house,method_invalid,no,payer,no,,our bank,2026-01-01,\n")
    facts = {
        "now": "2026-03-02T09:00:00+01:00", "payer": {"id": "P", "country": "GB"},
        "installments": [{"id": "I", "amount": "40.00", "currency": "GBP", "due_on": "2026-03-01", "scheme": "bacs"}],
        "payments": [{"installment": "I", "at": "2026-03-01", "outcome": "failed", "code_set": "bacs_arudd", "reason_code": "Z9"}],
    }  # fmt: skip
    file = tmp_path / "facts.json"
    file.write_text(json.dumps(facts))
    found = json.loads(dunwell("decide", str(file), "--json", DUNWELL_MAPPINGS_DIR=str(folder)).out)
    assert "request_method" in [one["kind"] for one in found["follow_ups"]]
    own.write_text(own.read_text().replace("method_invalid", "method_invald"))
    done = dunwell("check", "--offline", DUNWELL_MAPPINGS_DIR=str(folder))
    assert done.status == 2
    assert "own_reasons.csv:2:" in done.err
    assert "method_invalid" in done.err
