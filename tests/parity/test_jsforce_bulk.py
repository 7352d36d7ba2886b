"""jsforce loads rows by Bulk API 2.0 and reads them back."""

import pytest


@pytest.fixture(scope="module")
def seen(jsforce):
    """What jsforce loaded and read, in one go."""
    return jsforce("bulk")


def test_rows_are_inserted_and_the_bad_one_is_told(seen):
    """A row that fails does not stop the others; its error has code, message and field."""
    results = seen["inserted"]
    assert [row["sf__Created"] for row in results["successfulResults"]] == ["true", "true"]
    (failed,) = results["failedResults"]
    assert failed["Dunwell_Key__c"] == "bulk-3"
    assert failed["sf__Id"] == ""
    assert failed["sf__Error"].endswith(":ActivityDate --")
    assert results["unprocessedRecords"] == []


def test_an_upsert_says_what_was_new(seen):
    """With CRLF line ends, one row found its record by key and one made one."""
    created = {row["Dunwell_Key__c"]: row["sf__Created"] for row in seen["upserted"]["successfulResults"]}
    assert created == {"bulk-1": "false", "bulk-4": "true"}
    assert seen["upserted"]["failedResults"] == []


def test_what_was_written_is_read_back(seen):
    """An update changed what it named, and #N/A emptied a field."""
    assert [row["sf__Created"] for row in seen["updated"]["successfulResults"]] == ["false"]
    rows = {row["Dunwell_Key__c"]: row for row in seen["out"]}
    assert list(rows) == ["bulk-1", "bulk-2", "bulk-4"]
    assert (rows["bulk-1"]["Subject"], rows["bulk-1"]["Description"]) == ("", "Updated")
    assert rows["bulk-4"]["Subject"] == "New"


def test_a_line_break_survives_the_journey(seen):
    """Commas, quotes and line breaks inside a value come back as they were, in results as well."""
    subjects = [row["Subject"] for row in seen["inserted"]["successfulResults"]]
    assert 'Said "yes", twice\nand left' in subjects


def test_deleted_rows_are_gone_but_for_who_asks_for_them(seen):
    """A delete job fills the recycle bin; queryAll still finds the row."""
    assert [row["sf__Created"] for row in seen["removed"]["successfulResults"]] == ["false"]
    assert (seen["left"], seen["all"]) == (2, 3)


def test_a_job_is_walked_through_step_by_step(seen):
    """Open, upload, close, poll, results; and an open job can be given up."""
    opened = seen["opened"]
    assert (opened["state"], opened["object"], opened["operation"], opened["contentType"]) == ("Open", "Contact", "insert", "CSV")
    assert opened["contentUrl"] == f"services/data/v66.0/jobs/ingest/{opened['id']}/batches"
    assert opened["id"].startswith("750")
    done = seen["done"]
    assert (done["state"], done["numberRecordsProcessed"], done["numberRecordsFailed"]) == ("JobComplete", 1, 0)
    assert [row["LastName"] for row in seen["results"]["successfulResults"]] == ["Step by step"]
    assert seen["abort"]["state"] == "Aborted"


@pytest.mark.parametrize("what", ["bad_query", "aggregate", "bad_object", "no_key"])
def test_a_job_that_cannot_be_is_refused(seen, what):
    """The refusal has a code of the platform and says why."""
    refused = seen[what]
    assert refused["refused"]
    assert refused["message"]
    assert refused["name"] not in {"Error", "NOT_FOUND"}
