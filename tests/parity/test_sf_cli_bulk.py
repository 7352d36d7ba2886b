"""The ``sf`` command line moves files of records in and out by Bulk API 2.0."""

import csv
import io

KEYED = "SELECT Dunwell_Key__c, Subject, Status FROM Task WHERE Dunwell_Key__c LIKE 'sf-%' ORDER BY Dunwell_Key__c"


def test_a_file_goes_in_is_changed_and_comes_out(sf):
    """Import, upsert by external id and export agree on every row, whatever stands in it."""
    rows = [("sf-1", 'He said "no", twice', "Not Started"), ("sf-2", "Two\nlines", "In Progress")]
    _write(sf.folder / "tasks.csv", [("Dunwell_Key__c", "Subject", "Status"), *rows])
    made = sf("data", "import", "bulk", "-s", "Task", "-f", "tasks.csv", "-w", "3", "--line-ending", "LF", "--json").result
    assert (made["processedRecords"], made["successfulRecords"], made["failedRecords"]) == (2, 2, 0)

    _write(sf.folder / "changes.csv", [("Dunwell_Key__c", "Subject"), ("sf-2", "One line"), ("sf-3", "New")])
    words = ("-i", "Dunwell_Key__c", "-f", "changes.csv", "-w", "3", "--line-ending", "LF", "--json")
    changed = sf("data", "upsert", "bulk", "-s", "Task", *words).result
    assert changed["jobInfo"]["state"] == "JobComplete"
    assert changed["jobInfo"]["numberRecordsFailed"] == 0

    out = sf("data", "export", "bulk", "-q", KEYED, "--output-file", "out.csv", "-w", "3", "--json").result
    assert out["totalSize"] == 3
    with (sf.folder / "out.csv").open(newline="", encoding="utf-8") as file:
        assert [tuple(row) for row in csv.reader(file)] == [
            ("Dunwell_Key__c", "Subject", "Status"),
            rows[0],
            ("sf-2", "One line", "In Progress"),
            ("sf-3", "New", "Not Started"),
        ]


def test_rows_that_fail_are_counted_and_kept(sf):
    """A job with a bad row ends with an error that says how many failed, and the good row is there."""
    _write(sf.folder / "mixed.csv", [("LastName", "Email"), ("Parity Good", "good@example.com"), ("Parity Bad", "not an address")])
    told = sf("data", "import", "bulk", "-s", "Contact", "-f", "mixed.csv", "-w", "3", "--line-ending", "LF", "--json")
    assert told.status != 0
    assert told.json["data"]["state"] == "JobComplete"
    kept = sf("data", "query", "-q", "SELECT LastName FROM Contact WHERE LastName LIKE 'Parity %'", "--json").result
    assert [row["LastName"] for row in kept["records"]] == ["Parity Good"]


def _write(path, rows):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
