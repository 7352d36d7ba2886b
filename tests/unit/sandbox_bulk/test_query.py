"""Query jobs: their life, their results page by page, what they refuse."""

import pytest


@pytest.fixture
def lines(bulk):
    """Five lines of one payer."""
    bulk.payers(1)
    text = "Name,Key__c,Payer__r.Key__c,Amount__c,Day__c,At__c,Done__c,Text__c\n"
    text += 'one,k1,P0,10000000,2026-01-01,2026-01-01T10:00:00Z,true,"say ""hi"", then\nleave"\n'
    text += "".join(f"n{n},k{n},P0,,,,,\n" for n in range(2, 6))
    assert bulk.load(text)["numberRecordsFailed"] == 0
    return bulk


def test_a_query_job_is_made_polled_and_read(lines):
    """The body says what the documentation shows, and the result quotes every cell."""
    made = lines.make("query", operation="query", query="SELECT Name, Payer__r.Key__c FROM Line__c WHERE Key__c = 'k2'")
    assert made["state"] == "UploadComplete"
    assert (made["id"][:3], made["object"], made["apiVersion"], made["lineEnding"]) == ("750", "Line__c", 66.0, "LF")
    assert "jobType" not in made
    job = lines.ended(made["id"], "query")
    assert (job["state"], job["jobType"], job["numberRecordsProcessed"], job["retries"]) == ("JobComplete", "V2Query", 1, 0)
    assert job["isPkChunkingSupported"] is True
    page = lines.page(job)
    assert page.text == '"Name","Payer__r.Key__c"\n"n2","P0"\n'
    assert page.headers["Sforce-Locator"] == "null"
    assert page.headers["Sforce-NumberOfRecords"] == "1"
    assert page.headers["Content-Type"] == "text/csv; charset=UTF-8"
    assert page.headers["Sforce-Limit-Info"].startswith("api-usage=")


def test_values_are_written_as_bulk_writes_them(lines):
    """Numbers as Java writes them, datetimes ending in Z, booleans as words, nulls as nothing, quotes doubled."""
    soql = "SELECT Amount__c, Day__c, At__c, Done__c, Text__c FROM Line__c WHERE Key__c IN ('k1', 'k2') ORDER BY Key__c"
    first, second = lines.page(lines.ask(soql)).text.split("\n", 1)[1].split('"1.0E7"')[1].split('""\n')[0], None
    del second
    assert first.startswith(',"2026-01-01","2026-01-01T10:00:00.000Z","true","say ""hi"", then\nleave"')
    assert lines.page(lines.ask(soql.replace("'k1', ", ""))).text.endswith('"","","","false",""\n')
    lines.option(bulk_datetimes="offset")
    assert '"2026-01-01T10:00:00.000+0000"' in lines.page(lines.ask(soql)).text


def test_pages_together_hold_each_row_once(lines):
    """Locators lead through the result in pages of any size; the last one is the word null."""
    job = lines.ask("SELECT Key__c, Text__c FROM Line__c ORDER BY Key__c")
    seen, locator, pages = [], "", []
    while locator != "null":
        page = lines.page(job, maxRecords=2, **({"locator": locator} if locator else {}))
        assert page.text.startswith('"Key__c","Text__c"\n')
        locator = page.headers["Sforce-Locator"]
        pages.append(int(page.headers["Sforce-NumberOfRecords"]))
        seen += [f"k{n}" for n in range(1, 6) if f'"k{n}"' in page.text]
    assert (pages, seen) == ([2, 2, 1], ["k1", "k2", "k3", "k4", "k5"])
    assert lines.page(job, locator="xyz!").json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_later_pages_may_come_without_a_header(lines):
    """The other answer about header rows is a switch away."""
    lines.option(bulk_header_on_every_page=False)
    job = lines.ask("SELECT Key__c FROM Line__c ORDER BY Key__c")
    first = lines.page(job, maxRecords=4)
    assert first.text.startswith('"Key__c"')
    assert lines.page(job, locator=first.headers["Sforce-Locator"]).text == '"k5"\n'


def test_delimiter_and_line_ending_are_honoured(lines):
    """The result is written as the job asks."""
    job = lines.ask("SELECT Name, Key__c FROM Line__c WHERE Key__c = 'k2'", columnDelimiter="PIPE", lineEnding="CRLF")
    assert lines.page(job).text == '"Name"|"Key__c"\r\n"n2"|"k2"\r\n'


def test_result_pages_can_be_read_in_parallel(lines):
    """The list of result pages gives up to five addresses at a time."""
    lines.option(bulk_page_rows=1)
    job = lines.ask("SELECT Key__c FROM Line__c ORDER BY Key__c")
    body = lines("GET", f"jobs/query/{job['id']}/resultPages").json()
    assert (body["done"], body["nextRecordsUrl"], len(body["resultPages"])) == (True, None, 5)
    assert lines("GET", body["resultPages"][4]["resultUrl"]).text == '"Key__c"\n"k5"\n'


def test_an_empty_result_is_its_header(bulk):
    """No rows, one line."""
    page = bulk.page(bulk.ask("SELECT Id FROM Line__c"))
    assert (page.text, page.headers["Sforce-NumberOfRecords"], page.headers["Sforce-Locator"]) == ('"Id"\n', "0", "null")


def test_results_are_for_the_version_of_the_job(bulk, make_client):
    """Another API version gets 409."""
    job = bulk.ask("SELECT Id FROM Line__c")
    older = make_client(bulk.box, bulk.username, "65.0")
    assert older.page(job).status_code == 409
    assert older("GET", f"jobs/query/{job['id']}").json()["apiVersion"] == 66.0


@pytest.mark.parametrize(
    ("soql", "words"),
    [
        (
            "SELECT Id, (SELECT Id FROM Lines__r) FROM Payer__c",
            "Aggregate Relationships not supported in Bulk V2 Query with CSV content type",
        ),
        ("SELECT COUNT(Id) FROM Line__c", None),
        ("SELECT Name FROM Line__c GROUP BY Name", None),
        ("SELECT Id FROM Line__c LIMIT 1 OFFSET 1", None),
        ("SELECT TYPEOF What WHEN Account THEN Name END FROM Task", None),
        ("SELECT BillingAddress FROM Account", "Selecting compound data not supported in Bulk Query"),
    ],
)
def test_what_bulk_queries_do_not_allow_is_refused(bulk, soql, words):
    """The job is not made, and the error is the platform's."""
    reply = bulk("POST", "jobs/query", json={"operation": "query", "query": soql})
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (400, "API_ERROR")
    assert words in (None, reply.json()[0]["message"])
    assert bulk("GET", "jobs/query").json()["records"] == []


def test_a_broken_statement_is_refused_in_soqls_words(bulk):
    """A job for an unknown field is not made."""
    reply = bulk("POST", "jobs/query", json={"operation": "query", "query": "SELECT Nix__c FROM Line__c"})
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (400, "INVALID_FIELD")


def test_query_all_counts_the_recycle_bin_in(lines):
    """Deleted rows come with queryAll only."""
    record_id = lines.records("SELECT Id FROM Line__c WHERE Key__c = 'k2'")[0]["Id"]
    assert lines("DELETE", f"sobjects/Line__c/{record_id}").status_code == 204
    soql = "SELECT Key__c FROM Line__c WHERE Key__c = 'k2'"
    assert lines.ask(soql)["numberRecordsProcessed"] == 0
    assert lines.ask(soql, operation="queryAll")["numberRecordsProcessed"] == 1


def test_states_advance_over_polls(bulk):
    """With polls asked for, each of the first two states is seen at least so often; a job that waits can be aborted."""
    bulk.option(bulk_polls=2)
    job_id = bulk.make("query", operation="query", query="SELECT Id FROM Line__c")["id"]
    seen = [bulk("GET", f"jobs/query/{job_id}").json()["state"] for _ in range(3)]
    assert seen[:2] == ["UploadComplete", "UploadComplete"]
    assert bulk("DELETE", f"jobs/query/{job_id}").json()[0]["errorCode"] == "API_ERROR"
    assert bulk.ended(job_id, "query")["state"] == "JobComplete"
    other = bulk.make("query", operation="query", query="SELECT Id FROM Line__c")["id"]
    body = bulk("PATCH", f"jobs/query/{other}", json={"state": "Aborted"}).json()
    assert (body["state"], "lineEnding" in body) == ("Aborted", False)
    again = bulk("PATCH", f"jobs/query/{other}", json={"state": "Aborted"})
    assert (again.status_code, again.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")
    assert bulk("GET", f"jobs/query/{other}/results").status_code == 400
    assert bulk("DELETE", f"jobs/query/{other}").status_code == 204
    gone = bulk("GET", f"jobs/query/{other}")
    assert (gone.status_code, gone.json()) == (404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}])


def test_a_job_may_take_its_time(bulk):
    """With seconds asked for it waits before it begins, however often it is looked at."""
    bulk.option(bulk_seconds=3600.0)
    job_id = bulk.make("query", operation="query", query="SELECT Id FROM Line__c")["id"]
    assert [bulk("GET", f"jobs/query/{job_id}").json()["state"] for _ in range(3)] == ["UploadComplete"] * 3
    assert bulk("PATCH", f"jobs/query/{job_id}", json={"state": "Aborted"}).json()["state"] == "Aborted"


def test_jobs_are_listed_page_by_page_and_by_type(bulk):
    """Lists hold a thousand jobs by default, go on by locator, and know ingest from query."""
    bulk.option(bulk_list_rows=2)
    made = [bulk.make("query", operation="query", query="SELECT Id FROM Line__c")["id"] for _ in range(3)]
    ingest = bulk.make(operation="insert", object="Line__c")["id"]
    first = bulk("GET", "jobs/query").json()
    assert (first["done"], [one["id"] for one in first["records"]]) == (False, made[:2])
    second = bulk("GET", first["nextRecordsUrl"]).json()
    assert (second["done"], second["nextRecordsUrl"], [one["id"] for one in second["records"]]) == (True, None, made[2:])
    assert [one["id"] for one in bulk("GET", "jobs/ingest").json()["records"]] == [ingest]
    assert [one["jobType"] for one in bulk("GET", "jobs/query?jobType=V2Ingest").json()["records"]] == ["V2Ingest"]
    assert bulk("GET", "jobs/query?isPkChunkingEnabled=true").json()["records"] == []


def test_query_jobs_count_against_the_day(bulk):
    """The limit goes down with each job, and a job too many is refused."""
    bulk.option(bulk_query_limit=1)
    bulk.ask("SELECT Id FROM Line__c")
    assert bulk("GET", "limits").json()["DailyBulkV2QueryJobs"] == {"Max": 1, "Remaining": 0}
    reply = bulk("POST", "jobs/query", json={"operation": "query", "query": "SELECT Id FROM Line__c"})
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")
    assert reply.json()[0]["message"] == "Max bulk v2 query jobs (1) per 24 hrs has been reached"


def test_jobs_are_forgotten_after_seven_days(bulk):
    """Seven days of the org's time."""
    job = bulk.ask("SELECT Id FROM Line__c")
    bulk.box.run(lambda: bulk.box.org.clock.advance(7 * 86_400 - 1))
    assert bulk("GET", f"jobs/query/{job['id']}").status_code == 200
    bulk.box.run(lambda: bulk.box.org.clock.advance(1))
    assert bulk("GET", f"jobs/query/{job['id']}").status_code == 404


def test_bulk_api_one_is_refused(bulk):
    """Bulk API 1.0 answers as in an org that has it not."""
    reply = bulk("POST", "/services/async/66.0/job", data="<jobInfo/>", headers={"Content-Type": "application/xml"})
    assert reply.status_code == 400
    assert "<exceptionCode>FeatureNotEnabled</exceptionCode>" in reply.text
    assert bulk("POST", "/services/async/66.0/job", json={}).json()["exceptionCode"] == "FeatureNotEnabled"
