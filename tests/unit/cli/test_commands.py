"""What every command has in common: help that agrees with the README, settings read strictly, words instead of traces."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).resolve().parents[3] / "README.md").read_text()
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


@pytest.mark.parametrize("words", [*NEED_AN_ORG, ["status"]], ids=lambda words: words[0])
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
