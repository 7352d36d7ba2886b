"""`dunwell reconcile --report`: the report of a pass that a person began, where that person wants it."""

import json


def test_a_report_is_written_where_it_is_asked_for(dunwell, connected, tmp_path, local_org):
    """A dry run may be told too; the answer names the page, and the page says that nothing was made."""
    local_org.fail("fourth-this-year")
    folder = tmp_path / "mine"
    done = dunwell("reconcile", "--dry-run", "--json", "--report", str(folder), **connected)
    assert (done.status, done.err) == (0, "")
    found = json.loads(done.out)
    page, data = sorted(folder.iterdir())
    assert found["report"] == str(page)
    assert "nothing was written" in page.read_text(encoding="utf-8")
    told = json.loads(data.read_text(encoding="utf-8"))
    assert (told["run"]["mode"], told["payers"], told["overdue"]["amounts"]) == ("dry run", found["payers"], found["overdue"])


def test_people_are_told_what_needs_them_and_where_the_report_is(dunwell, connected, tmp_path):
    """On a terminal the last lines say it; a second pass says how far it moved."""
    first = dunwell("reconcile", "--report", str(tmp_path / "mine"), **connected)
    assert first.status == 0
    assert f"Report: {tmp_path / 'mine'}/run-" in first.out
    assert "Compared with" not in first.out
    second = dunwell("reconcile", **connected)
    assert "Compared with Mon 2 Mar 2026, 09:00: " in second.out
    assert "Report: " not in second.out


def test_a_folder_that_is_none_is_said_in_words(dunwell, connected, tmp_path):
    """A file in the way fails the report, not the pass, and the error says so."""
    (tmp_path / "file").write_text("")
    done = dunwell("reconcile", "--report", str(tmp_path / "file"), **connected)
    assert (done.status, done.out) == (1, "")
    assert "the report cannot be written" in done.err
    settled = dunwell("reconcile", "--dry-run", DUNWELL_REPORTS_DIR=str(tmp_path / "none"), **connected)
    assert (settled.status, "DUNWELL_REPORTS_DIR: no such directory" in settled.err) == (2, True)
