"""Uploads at the edge of what makes sense, which a client's own suite expects to go well on a real org."""

import pytest


@pytest.mark.parametrize("operation", ["insert", "delete"])
@pytest.mark.parametrize("text", ["", "\n"])
def test_an_empty_upload_is_a_job_without_rows(bulk, text, operation):
    """Nothing to do is done at once, and every list of results is empty."""
    job = bulk.load(text, operation, sobject="Payer__c")
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 0, 0)
    for what in ("successfulResults", "failedResults", "unprocessedrecords"):
        reply = bulk("GET", f"jobs/ingest/{job['id']}/{what}")
        assert reply.status_code == 200
        assert len(reply.text.splitlines()) <= 1


def test_an_upsert_by_id_without_ids_only_creates(bulk):
    """A row that has no id is a new record, also when no row can have one."""
    job = bulk.load("Name\na\nb\n", "upsert", sobject="Payer__c", externalIdFieldName="Id")
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 2, 0)
    assert [row["sf__Created"] for row in bulk.rows(job)] == ["true", "true"]
