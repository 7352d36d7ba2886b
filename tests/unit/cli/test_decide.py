"""``dunwell decide``: facts in, decisions out, for programs and for people."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FACTS = {
    "now": "2026-03-02T09:00:00+01:00",
    "payer": {"id": "p1", "customer_since": "2014-02-01", "country": "NL", "time_zone": "Europe/Amsterdam"},
    "installments": [{"id": "i1", "amount": "40.00", "currency": "EUR", "due_on": "2026-03-01", "scheme": "sepa_core"}],
    "payments": [{"installment": "i1", "amount": "40.00", "at": "2026-03-02T06:00:00+01:00", "outcome": "failed", "reason_code": "AM04"}],
}


def written(folder: Path, facts: object) -> str:
    """A facts file in the folder the command runs in; its name."""
    (folder / "facts.json").write_text(json.dumps(facts))
    return "facts.json"


def test_one_object_gives_one_decision(dunwell, tmp_path):
    """What is printed for one payer has the documented form, amounts as text."""
    done = dunwell("decide", written(tmp_path, FACTS))
    found = json.loads(done.out)
    assert (done.status, done.err) == (0, "")
    assert set(found) == {"payer", "arrears", "follow_ups", "withheld", "policy"}
    assert (found["payer"], found["arrears"]["amount"], found["arrears"]["since"]) == ("p1", {"EUR": "40.00"}, "2026-03-01")
    assert [one["kind"] for one in found["follow_ups"]] == ["remind", "notify", "retry"]
    assert all(one["reasons"] for one in found["follow_ups"])


def test_an_array_gives_an_array_and_a_bad_element_harms_no_other(dunwell, tmp_path):
    """Many payers keep their order; where one element is wrong, the error stands in its place and names every fault."""
    bad = {"payer": {"id": "p2"}, "installments": [{"id": "i1", "amount": "much"}]}
    done = dunwell("decide", written(tmp_path, [FACTS, bad, {**FACTS, "payer": {"id": "p3"}}]), "--json")
    first, second, third = json.loads(done.out)
    assert done.status == 0
    assert (first["payer"], third["payer"]) == ("p1", "p3")
    assert set(second) == {"error"}
    assert all(part in second["error"] for part in ("now: ", "installments[0].amount: ", "installments[0].due_on: "))


def test_an_array_of_nobody_is_an_array(dunwell, tmp_path):
    """No payers are no error."""
    assert (dunwell("decide", written(tmp_path, [])).out, dunwell("decide", "facts.json").status) == ("[]\n", 0)


def test_a_bad_object_alone_fails(dunwell, tmp_path):
    """When the only element is wrong, the work has failed and the output is still JSON."""
    done = dunwell("decide", written(tmp_path, {"payer": {"id": "p1"}}))
    assert done.status == 1
    assert "now: " in json.loads(done.out)["error"]


def test_a_dash_reads_standard_input():
    """Facts can be piped in."""
    done = subprocess.run(
        [sys.executable, "-m", "connector", "decide", "-"], cwd=ROOT, input=json.dumps(FACTS), capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    assert (done.returncode, json.loads(done.stdout)["payer"], done.stderr) == (0, "p1", "")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{not json", "not JSON: "),
        (b"", "not JSON: "),
        (b'{"now": NaN}', "not JSON: "),
        (b"\xff\xfe{}", "facts.json: not UTF-8 text"),
        (None, "facts.json: cannot be read (No such file or directory)"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(dunwell, tmp_path, content, told):
    """A file that is no JSON, no text or not there: exit 2, nothing on stdout, one line on stderr."""
    if content is not None:
        (tmp_path / "facts.json").write_bytes(content)
    done = dunwell("decide", "facts.json")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(told)
    assert done.err.count("\n") == 1


def test_a_mappings_folder_that_is_not_there_is_said_plainly(dunwell, tmp_path):
    """A wrong folder is one problem, not one for every file in it."""
    done = dunwell("decide", written(tmp_path, FACTS), DUNWELL_MAPPINGS_DIR="nowhere")
    assert (done.status, done.err) == (2, "DUNWELL_MAPPINGS_DIR: no such directory\n")


def test_settings_of_an_org_are_not_needed(dunwell, tmp_path):
    """Decide works where nothing is set up, and where everything is set up wrongly."""
    assert dunwell("decide", written(tmp_path, FACTS), DUNWELL_AUTH="jwt", DUNWELL_MODE="nonsense").status == 0


def test_on_a_terminal_it_is_for_people(tmp_path):
    """A person sees the amount, the steps and the reasons, not JSON."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "connector", "decide", str(tmp_path / written(tmp_path, FACTS))], cwd=ROOT, stdin=subprocess.DEVNULL,
        stdout=theirs, stderr=theirs, env={**os.environ, "COLUMNS": "150", "TERM": "dumb"},
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        while True:
            try:
                part = terminal.read(4096)
            except OSError:  # the other end is closed: all is read
                break
            if not part:
                break
            seen += part
    assert process.wait(60) == 0
    text = seen.decode()
    assert "p1: In Arrears, 40.00 EUR overdue since 2026-03-01" in text
    assert "Mon 02 Mar 2026 10:00" in text
    assert "{" not in text
