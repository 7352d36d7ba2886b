"""Ingest jobs: their life, what becomes of each row, what fails a whole job."""

import pytest

from sandbox.org.errors import OrgError


def errors(bulk, job):
    """What `sf__Error` says, row by row."""
    return [row["sf__Error"] for row in bulk.rows(job, "failedResults")]


def test_an_ingest_job_lives_as_documented(bulk):
    """Made open with a relative content address, filled once, closed, polled, read, deleted."""
    job = bulk.make(operation="insert", object="payer__c", lineEnding="LF")
    assert (job["state"], job["object"], job["concurrencyMode"], job["contentType"]) == ("Open", "Payer__c", "Parallel", "CSV")
    assert job["contentUrl"] == f"services/data/v66.0/jobs/ingest/{job['id']}/batches"
    assert "numberRecordsProcessed" not in bulk("GET", f"jobs/ingest/{job['id']}").json()
    first = bulk.put(job["id"], "Name\na\n")
    assert (first.status_code, first.content) == (201, b"")
    second = bulk.put(job["id"], "Name\nb\n")
    assert second.status_code == 400
    assert second.json()[0]["message"].startswith(f"Found multiple contents for job: <{job['id']}>")
    closed = bulk("PATCH", f"jobs/ingest/{job['id']}", json={"state": "UploadComplete"}).json()
    assert closed["state"] == "UploadComplete"
    assert "contentUrl" not in closed
    done = bulk.ended(job["id"])
    assert (done["state"], done["jobType"], done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (
        "JobComplete",
        "V2Ingest",
        1,
        0,
    )
    assert {"retries", "totalProcessingTime", "apiActiveProcessingTime", "apexProcessingTime"} <= done.keys()
    assert bulk("PATCH", f"jobs/ingest/{job['id']}", json={"state": "Aborted"}).json() == [
        {"errorCode": "INVALIDJOBSTATE", "message": "Aborting already Completed Job not allowed"}
    ]
    assert bulk("DELETE", f"jobs/ingest/{job['id']}").status_code == 204
    assert bulk("GET", f"jobs/ingest/{job['id']}/successfulResults").status_code == 404


def test_results_repeat_the_rows_as_they_were_uploaded(bulk):
    """Behind quoted sf__ columns stands the row, byte for byte; both spellings of unprocessedrecords answer."""
    job = bulk.load('Name,"Key__c"\n"a, ""b""",k1\nc,"k1"', sobject="Payer__c")
    record_id = bulk.records("SELECT Id FROM Payer__c")[0]["Id"]
    good = bulk("GET", f"jobs/ingest/{job['id']}/successfulResults/").text
    assert good == f'"sf__Id","sf__Created",Name,"Key__c"\n"{record_id}","true","a, ""b""",k1\n'
    bad = bulk("GET", f"jobs/ingest/{job['id']}/failedResults").text
    words = f"DUPLICATE_VALUE:duplicate value found: Key__c duplicates value on record with id: {record_id[:15]}:"
    assert bad.startswith(f'"sf__Id","sf__Error",Name,"Key__c"\n"","{words}')
    assert bad.endswith('",c,"k1"\n')
    for what in ("unprocessedrecords", "unprocessedRecords"):
        assert bulk("GET", f"jobs/ingest/{job['id']}/{what}").text == 'Name,"Key__c"\n'


def test_a_multipart_request_makes_fills_and_closes_a_job(bulk):
    """Job and data in one request; the state is UploadComplete at once."""
    parts = {
        "job": (None, '{"object":"Payer__c","contentType":"CSV","operation":"insert"}', "application/json"),
        "content": ("content", "Name\na\n", "text/csv"),
    }
    reply = bulk("POST", "jobs/ingest", files=parts)
    assert (reply.status_code, reply.json()["state"]) == (200, "UploadComplete")
    assert bulk.ended(reply.json()["id"])["numberRecordsProcessed"] == 1
    parts["content"] = ("content", "Name\n" + "a" * 100_000, "text/csv")
    assert bulk("POST", "jobs/ingest", files=parts).status_code == 413


def test_empty_cells_are_ignored_and_marked_ones_null_a_field(bulk):
    """An empty cell leaves a value alone, #N/A takes it away."""
    bulk.payers(1)
    made = bulk.rows(bulk.load("Name,Payer__r.Key__c,Amount__c,Day__c\na,P0,5,2026-01-01Z\n"))[0]["sf__Id"]
    assert bulk.load(f"Id,Amount__c,Day__c\n{made},,#N/A\n", "update")["numberRecordsFailed"] == 0
    assert bulk.records("SELECT Amount__c, Day__c FROM Line__c") == [{"Amount__c": 5.0, "Day__c": None}]


@pytest.mark.parametrize(("name", "mark"), [("BACKQUOTE", "`"), ("CARET", "^"), ("PIPE", "|"), ("SEMICOLON", ";"), ("TAB", "\t")])
def test_every_delimiter_is_read_and_written(bulk, name, mark):
    """The declared delimiter divides uploads and results."""
    job = bulk.load(f"Name{mark}Key__c\na,b{mark}k\n", sobject="Payer__c", columnDelimiter=name)
    assert bulk.rows(job, delimiter=mark)[0]["Name"] == "a,b"
    assert bulk.records("SELECT Name, Key__c FROM Payer__c") == [{"Name": "a,b", "Key__c": "k"}]


def test_line_endings_must_be_those_declared(bulk):
    """A file with other ends of rows fails the job whole; line breaks inside quotes are data."""
    wrong = bulk.load("Name\r\na\r\n", sobject="Payer__c")
    assert (wrong["state"], wrong["numberRecordsProcessed"]) == ("Failed", 0)
    assert wrong["errorMessage"] == "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF"
    other = bulk.load("Name\na\n", sobject="Payer__c", lineEnding="CRLF")
    assert other["errorMessage"] == "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is CRLF"
    right = bulk.load('Name,Key__c\r\n"a\nb",k\r\n', sobject="Payer__c", lineEnding="CRLF")
    assert right["state"] == "JobComplete"
    assert bulk.records("SELECT Name FROM Payer__c") == [{"Name": "a\nb"}]


@pytest.mark.parametrize(
    ("header", "operation", "message"),
    [
        ("Name,Nix__c", "insert", "InvalidBatch : Field name not found : Nix__c"),
        ("Name,Amount__c", "update", "InvalidBatch : Field name not found : Id"),
        ("Name", "upsert", "InvalidBatch : Field name not found : Key__c"),
        ("Id,Name", "delete", "InvalidBatch : The 'delete' batch must contain only ids"),
        ("Nix__r.Key__c", "insert", "InvalidBatch : Unable to find relationship: Nix__r"),
        ("Payer__c:Payer__r.Key__c", "insert", "InvalidBatch : type is not needed for non polymorphic foreign key references: Payer__r"),
        ("Payer__r.Nix__c", "insert", "InvalidBatch : Field name not found : Payer__r.Nix__c"),
    ],
)
def test_a_header_that_does_not_fit_fails_the_job(bulk, header, operation, message):
    """No row is worked on: all stay unprocessed."""
    key = {"externalIdFieldName": "Key__c"} if operation == "upsert" else {}
    row = ",".join("x" for _ in header.split(","))
    job = bulk.load(f"{header}\n{row}\n", operation, **key)
    assert (job["state"], job["errorMessage"]) == ("Failed", message)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (0, 0)
    assert bulk("GET", f"jobs/ingest/{job['id']}/unprocessedrecords").text == f"{header}\n{row}\n"


def test_rows_fail_one_by_one_with_code_message_and_fields(bulk):
    """Required fields, types, rules, references: each row has its own error, and the others are written."""
    bulk.payers(1)
    text = "Name,Payer__r.Key__c,Amount__c,Account__c\n"
    text += "ok,P0,1,\nno parent,,1,\ntype,P0,much,\nrule,P0,-1,\nreference,P0,1,001000000000001AAA\nwho,P9,1,\nok too,P0,2,\n"
    job = bulk.load(text)
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 7, 5)
    assert [row["Name"] for row in bulk.rows(job)] == ["ok", "ok too"]
    assert errors(bulk, job) == [
        "REQUIRED_FIELD_MISSING:Required fields are missing: [Payer__c]:Payer__c --",
        "INVALID_TYPE_ON_FIELD_IN_RECORD:Amount: value not of required type: much:Amount__c --",
        "FIELD_CUSTOM_VALIDATION_EXCEPTION:Too low:Amount__c --",
        "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:Account__c --",
        "INVALID_FIELD:Foreign key external ID: P9 not found for field Key__c in entity Payer__c:Payer__c --",
    ]
    assert len(bulk.records("SELECT Id FROM Line__c")) == 2


def test_a_trigger_that_refuses_fails_its_row_only(bulk):
    """What a trigger did for a refused row is undone with it; the rows beside it stay."""

    def refuse(change):
        if change.sobject == "Payer__c" and change.record["Name"] == "b":
            raise OrgError(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "no b")

    bulk.box.run(lambda: bulk.box.org.on_change.append(refuse))
    job = bulk.load("Name\na\nb\nc\n", sobject="Payer__c")
    assert errors(bulk, job) == ["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY:no b:--"]
    assert [one["Name"] for one in bulk.records("SELECT Name FROM Payer__c ORDER BY Name")] == ["a", "c"]


def test_upsert_creates_updates_and_says_which(bulk):
    """sf__Created tells new rows from old ones; a key of several records and a row without a key fail."""
    bulk.payers(1)
    bulk.load("Name,Key__c,Ref__c,Payer__r.Key__c\na,k1,r,P0\nb,k2,r,P0\n")
    job = bulk.load("Key__c,Name,Payer__r.Key__c\nk1,a2,\nk3,c,P0\n,d,P0\n", "upsert", externalIdFieldName="Key__c")
    assert job["externalIdFieldName"] == "Key__c"
    assert [row["sf__Created"] for row in bulk.rows(job)] == ["false", "true"]
    assert errors(bulk, job) == ["MISSING_ARGUMENT:Key__c not specified:--"]
    twice = bulk.load("Ref__c,Name\nr,x\n", "upsert", externalIdFieldName="Ref__c")
    assert errors(bulk, twice)[0].startswith("DUPLICATE_EXTERNAL_ID:Ref__c: more than one record found for external id field: [")


@pytest.mark.parametrize(("fail_all", "failed"), [(True, 2), (False, 1)])
def test_rows_of_one_key_in_one_chunk(bulk, fail_all, failed):
    """All fail, or by a switch all but the first; in another chunk the key is simply known."""
    bulk.option(duplicates_fail_all=fail_all, bulk_chunk_rows=2)
    job = bulk.load("Key__c,Name\nk,a\nk,b\nk,c\nj,d\n", "upsert", "Payer__c", externalIdFieldName="Key__c")
    assert errors(bulk, job) == ["DUPLICATE_VALUE:Duplicate external id specified: k:Key__c --"] * failed
    assert [row["Name"] for row in bulk.rows(job)] == ["a", "c", "d"][fail_all:]


def test_doubles_stay_refused_when_a_trigger_refuses_another_row(bulk):
    """That rows are then written one by one makes no row of a key pass."""

    def refuse(change):
        if change.record.get("Name") == "no":
            raise OrgError(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "no")

    bulk.box.run(lambda: bulk.box.org.on_change.append(refuse))
    job = bulk.load("Key__c,Name\nk,a\nk,b\nj,no\n", "upsert", "Payer__c", externalIdFieldName="Key__c")
    assert [text.split(":")[0] for text in errors(bulk, job)] == [
        "DUPLICATE_VALUE",
        "DUPLICATE_VALUE",
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
    ]
    assert bulk.records("SELECT Id FROM Payer__c") == []


@pytest.mark.parametrize(("fail_all", "name"), [(True, "second"), (False, "first")])
def test_rows_of_one_record_in_one_chunk(bulk, fail_all, name):
    """They fail, with ids of either length, or by a switch all but the first; in the next chunk the last one wins."""
    payer, other = bulk.payers(2)
    bulk.option(duplicates_fail_all=fail_all, bulk_chunk_rows=3)
    job = bulk.load(f"Id,Name\n{payer},first\n{payer[:15]},again\n{other},x\n{other},second\n", "update", "Payer__c")
    assert f"DUPLICATE_VALUE:Duplicate id specified: {payer[:15]}:--" in errors(bulk, job)
    assert job["numberRecordsFailed"] == (2 if fail_all else 1)
    assert [one["Name"] for one in bulk.records(f"SELECT Name FROM Payer__c WHERE Id = '{other}'")] == ["second"]
    assert [one["Name"] for one in bulk.records(f"SELECT Name FROM Payer__c WHERE Id = '{payer}'")] == ["P0" if fail_all else name]


def test_a_field_that_may_be_filled_on_creation_only_stays_so(bulk):
    """Also for a value that a row before has been created with: a master is for ever."""
    bulk.payers(1)
    line = bulk.rows(bulk.load("Name,Payer__r.Key__c\na,P0\n"))[0]["sf__Id"]
    job = bulk.load(f"Id,Name,Payer__r.Key__c\n,b,P0\n{line},c,P0\n", "upsert", externalIdFieldName="Id")
    assert [row["Name"] for row in bulk.rows(job)] == ["b"]
    assert errors(bulk, job)[0].startswith("INVALID_FIELD_FOR_INSERT_UPDATE:Unable to create/update fields: Payer__c.")


def test_upsert_needs_its_external_id(bulk):
    """A blank one is refused at once, one that is none fails the job."""
    reply = bulk("POST", "jobs/ingest", json={"operation": "upsert", "object": "Payer__c"})
    assert reply.json()[0]["message"] == "External ID was blank for Payer__c. An External ID must be specified for upsert."
    job = bulk.load("Name\na\n", "upsert", "Payer__c", externalIdFieldName="Name")
    words = "InvalidBatch : Field name provided, Name does not match an External ID, Salesforce Id, or indexed field for Payer__c"
    assert job["errorMessage"] == words


def test_update_and_delete_find_records_by_id(bulk):
    """Ids of either length; none, a strange one and a lost one fail their rows."""
    first, second = bulk.payers(2)
    job = bulk.load(f"Id,Name\n{first[:15]},new\n,x\n001000000000001AAA,y\n{first[:-5]}zzzAA,z\n", "update", "Payer__c")
    assert [row["sf__Id"] for row in bulk.rows(job)] == [first]
    assert [text.split(":")[0] for text in errors(bulk, job)] == ["MISSING_ARGUMENT", "MALFORMED_ID", "MALFORMED_ID"]
    gone = bulk.load(f"Id\n{second}\n{second}\n", "delete", "Payer__c")
    assert (gone["numberRecordsProcessed"], errors(bulk, gone)) == (2, ["ENTITY_IS_DELETED:entity is deleted:--"])
    assert bulk("GET", "queryAll", params={"q": "SELECT Id FROM Payer__c"}).json()["totalSize"] == 2


def test_hard_delete_needs_its_permission_and_leaves_nothing(bulk):
    """Without "Bulk API Hard Delete" the job is refused; with it rows and their details are gone for good."""
    payer = bulk.payers(1)[0]
    bulk.load("Name,Payer__r.Key__c\na,P0\n")
    reply = bulk("POST", "jobs/ingest", json={"operation": "hardDelete", "object": "Payer__c"})
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (400, "FEATURENOTENABLED")
    bulk.option(bulk_hard_delete=True)
    assert bulk.load(f"Id\n{payer}\n", "hardDelete", "Payer__c")["numberRecordsFailed"] == 0
    for sobject in ("Payer__c", "Line__c"):
        assert bulk("GET", "queryAll", params={"q": f"SELECT Id FROM {sobject}"}).json()["totalSize"] == 0


def test_each_chunk_is_one_transaction_told_as_bulk(bulk):
    """Change events name Bulk API as their origin, and rows of a chunk share a transaction."""
    bulk.payers(1)
    bulk.option(bulk_chunk_rows=2)
    bulk.session.headers["Sforce-Call-Options"] = "client=loader"
    bulk.load("Name,Payer__r.Key__c\na,P0\nb,P0\nc,P0\n")
    events = bulk.box.run(lambda: [one.payload["ChangeEventHeader"] for one in bulk.box.log.since("/data/Line__ChangeEvent", -2)])
    assert {one["changeOrigin"] for one in events} == {"com/salesforce/api/bulkapi/66.0;client=loader"}
    assert len({one["transactionKey"] for one in events}) == 2


def test_an_aborted_job_keeps_its_rows_unprocessed(bulk):
    """A job aborted before its work began has written nothing."""
    bulk.option(bulk_polls=1)
    job_id = bulk.make(operation="insert", object="Payer__c")["id"]
    bulk.put(job_id, "Name\na\nb\n")
    bulk("PATCH", f"jobs/ingest/{job_id}", json={"state": "UploadComplete"})
    assert bulk("GET", f"jobs/ingest/{job_id}/successfulResults").status_code == 400
    assert bulk("PATCH", f"jobs/ingest/{job_id}", json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert bulk("GET", f"jobs/ingest/{job_id}/unprocessedrecords").text == "Name\na\nb\n"
    assert bulk.records("SELECT Id FROM Payer__c") == []


def test_batches_count_against_the_day(bulk):
    """When the batches run out the job fails and keeps the rest; then no job is made."""
    bulk.option(bulk_batch_limit=1, bulk_batch_rows=2)
    job = bulk.load("Name\na\nb\nc\n", sobject="Payer__c")
    assert (job["state"], job["errorMessage"]) == ("Failed", "ExceededQuota : ApiBatchItems Limit exceeded.")
    assert bulk("GET", f"jobs/ingest/{job['id']}/unprocessedrecords").text == "Name\nc\n"
    assert bulk("GET", "limits").json()["DailyBulkApiBatches"] == {"Max": 1, "Remaining": 0}
    assert bulk("POST", "jobs/ingest", json={"operation": "insert", "object": "Payer__c"}).json()[0]["errorCode"] == "EXCEEDEDQUOTA"


def test_an_upload_counts_as_base64(bulk):
    """Four bytes for three: one more is too many, and a smaller one may follow."""
    bulk.option(bulk_upload_bytes=40)
    job_id = bulk.make(operation="insert", object="Payer__c")["id"]
    assert bulk.put(job_id, b"Name\n" + b"a" * 26).status_code == 413
    assert bulk.put(job_id, b"Name\n" + b"a" * 25).status_code == 201


def test_only_whoever_made_a_job_may_touch_it(bulk, make_client):
    """Others may look at its state, not at its data."""
    job = bulk.load("Name\na\n", sobject="Payer__c")
    other = make_client(bulk.box, bulk.box.username)
    assert other("GET", f"jobs/ingest/{job['id']}").status_code == 200
    for method, path in (("GET", "/successfulResults"), ("DELETE", "")):
        assert other(method, f"jobs/ingest/{job['id']}{path}").json()[0]["errorCode"] == "INVALIDUSER"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"operation": "merge", "object": "Payer__c"}, "INVALIDJOB"),
        ({"operation": "insert", "object": "Nix__c"}, "INVALIDJOB"),
        ({"operation": "insert", "object": "Payer__c", "lineEnding": "CR"}, "INVALIDJOB"),
        ({"operation": "insert", "object": "Payer__c", "contentType": "JSON"}, "INVALIDJOB"),
    ],
)
def test_a_senseless_job_is_refused(bulk, asked, code):
    """Unknown operations, objects and formats."""
    reply = bulk("POST", "jobs/ingest", json=asked)
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (400, code)


def test_a_path_that_is_not_there(bulk):
    """Wrong methods and wrong paths."""
    assert bulk("DELETE", "jobs/ingest").status_code == 405
    assert bulk("GET", "jobs/export").status_code == 404
    assert bulk("PUT", "jobs/query/750000000000001AAA/batches").status_code == 404


def test_a_gzipped_upload_is_unpacked(bulk):
    """Uploads may come packed."""
    import gzip

    job_id = bulk.make(operation="insert", object="Payer__c")["id"]
    headers = {"Content-Type": "text/csv", "Content-Encoding": "gzip"}
    assert bulk("PUT", f"jobs/ingest/{job_id}/batches", data=gzip.compress(b"Name\na\n"), headers=headers).status_code == 201
    bulk("PATCH", f"jobs/ingest/{job_id}", json={"state": "UploadComplete"})
    assert bulk.ended(job_id)["numberRecordsProcessed"] == 1
