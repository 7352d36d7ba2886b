"""Platform events published by ingest jobs: any API may publish them."""


def test_an_insert_job_publishes_events_row_by_row(bulk):
    """Good rows are on the event log in their order, bad ones failed, and nothing is kept."""
    job = bulk.load("Note__c,Weight__c\nfirst,1.5\n,2\nmuch too long a note,1\nthird,heavy\nlast,\n", sobject="Signal__e")
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 5, 3)
    assert [text.split(":")[0] for text in (row["sf__Error"] for row in bulk.rows(job, "failedResults"))] == [
        "REQUIRED_FIELD_MISSING",
        "STRING_TOO_LONG",
        "INVALID_TYPE_ON_FIELD_IN_RECORD",
    ]
    payloads = bulk.box.run(lambda: [one.payload for one in bulk.box.log.since("/event/Signal__e", -2)])
    assert [(one["Note__c"], one["Weight__c"]) for one in payloads] == [("first", 1.5), ("last", None)]
    good = bulk.rows(job)
    assert [row["sf__Created"] for row in good] == ["true", "true"]
    assert len({row["sf__Id"] for row in good}) == 2
    assert {row["sf__Id"][:3] for row in good} == {"e01"}


def test_events_of_jobs_count_against_the_hour(bulk):
    """Beyond the hourly allowance rows fail, as REST publishing does."""
    bulk.option(publish_limit=1)
    job = bulk.load("Note__c\na\nb\n", sobject="Signal__e")
    assert [row["sf__Error"].split(":")[0] for row in bulk.rows(job, "failedResults")] == ["LIMIT_EXCEEDED"]


def test_events_cannot_be_changed_by_a_job(bulk):
    """What is published cannot be updated, upserted or deleted."""
    for operation in ("update", "delete", "upsert"):
        asked = {"object": "Signal__e", "operation": operation, "externalIdFieldName": "EventUuid"}
        reply = bulk("POST", "jobs/ingest", json=asked)
        assert (reply.status_code, reply.json()[0]["errorCode"]) == (400, "INVALIDENTITY")
