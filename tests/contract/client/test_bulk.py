"""Bulk API 2.0 against a local org: downloads are whole, uploads have one outcome a row, and no job is ever forgotten."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connector.errors import ConfigError, ConflictError, PermanentError, TransientError
from connector.mapping.wide_csv import Pages, records, whole
from connector.salesforce import bulk_query
from connector.salesforce.auth import Credentials
from connector.salesforce.bulk import Jobs
from connector.salesforce.bulk_csv import cell, results, uploads
from connector.salesforce.bulk_org import BulkOrg
from connector.salesforce.bulk_query import Asked
from connector.salesforce.bulk_write import KEPT, BulkWriting
from connector.salesforce.calls import Call
from connector.salesforce.client import Org
from connector.store import Store
from sandbox.server import Box
from tests.contract.client.conftest import admin

KEY = "Dunwell_Key__c"
HOLD = "Dunwell_Hold__c"


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    """The memory that job ids are kept in."""
    with Store.open(f"sqlite:///{tmp_path}/store.db") as opened:
        yield opened


@pytest.fixture(autouse=True)
def _settings_as_they_were(box: Box) -> Iterator[None]:
    """Switches a test turned are turned back."""
    yield
    admin(box, "/settings", {"bulk_polls": 0, "bulk_header_on_every_page": True})


@pytest.fixture
def bulk(org: Org, store: Store) -> BulkOrg:
    """The org in bulk; three rows of an object are many."""
    return BulkOrg(org, store, key=KEY, bulk_rows=3)


def fault(box: Box, kind: str, **settings: object) -> None:
    """Arm one fault."""
    admin(box, "/faults", {"kind": kind, **settings})


def holds(count: int, prefix: str) -> list[tuple[str, dict[str, object]]]:
    """Rows to insert, told apart by their keys."""
    return [(HOLD, {KEY: f"{prefix}-{number:04d}", "Cause__c": "manual"}) for number in range(count)]


def read(bulk: BulkOrg, soql: str, *, all_rows: bool = False) -> list[dict[str, object]]:
    """All rows of one query, as the pipeline reads them."""
    pages = Pages()
    (parts,) = bulk.download([Asked(soql, all_rows)], lambda _, page: pages.table(page.body, page.rows))
    return [dict(one) for one in records(whole(parts), {"IsDeleted"})]


def kept(org: Org, prefix: str) -> list[object]:
    """Keys in the org that begin so."""
    return [row[KEY] for row in org.query(f"SELECT {KEY} FROM {HOLD} WHERE {KEY} LIKE '{prefix}-%' ORDER BY {KEY}")]


def job_ids(org: Org, kind: str) -> list[str]:
    """Ids of the jobs that the org still has."""
    return org.wire[0].send(Call(f"jobs/{kind}"), lambda body: [one["id"] for one in body["records"]])  # type: ignore[index,union-attr]


def test_a_download_has_every_row_over_all_pages(bulk: BulkOrg, org: Org, monkeypatch: pytest.MonkeyPatch):
    """Rows, and cells with line ends, quotes and nothing in them, come as REST gives them."""
    names = [*(f"Paged {number:03d}" for number in range(25)), 'Paged with "quotes", and\na second line']
    org.insert([("Account", {"Name": name, "Phone": None}) for name in names])
    monkeypatch.setattr(bulk_query, "PAGE_ROWS", 10)
    soql = "SELECT Id, Name, Phone FROM Account WHERE Name LIKE 'Paged %' ORDER BY Name"
    assert read(bulk, soql) == [dict(one) for one in org.query(soql)]


def test_later_pages_may_come_without_a_header(bulk: BulkOrg, org: Org, box: Box, monkeypatch: pytest.MonkeyPatch):
    """Third parties disagree whether every page has one; both are read right."""
    org.insert([("Account", {"Name": f"Headless {number}"}) for number in range(5)])
    monkeypatch.setattr(bulk_query, "PAGE_ROWS", 2)
    admin(box, "/settings", {"bulk_header_on_every_page": False})
    assert len(read(bulk, "SELECT Id, Name FROM Account WHERE Name LIKE 'Headless %'")) == 5


def test_an_empty_result_is_an_empty_table(bulk: BulkOrg):
    """Nothing found is no error, and its columns are there."""
    assert read(bulk, "SELECT Id, Name FROM Account WHERE Name = 'nobody at all'") == []


def test_deleted_rows_come_only_when_asked_for(bulk: BulkOrg, org: Org):
    """``all_rows`` is queryAll."""
    (saved,) = org.insert([("Account", {"Name": "Binned"})])
    org.wire[0].send(Call(f"sobjects/Account/{saved.id}", "DELETE"), lambda _: None)
    soql = "SELECT Id, IsDeleted FROM Account WHERE Name = 'Binned'"
    assert read(bulk, soql) == []
    assert read(bulk, soql, all_rows=True) == [{"Id": saved.id, "IsDeleted": True}]


def test_a_job_is_polled_at_growing_pauses_until_it_ends(org: Org, box: Box):
    """A job that takes its time is asked about ever less often, and somebody hears that we are alive."""
    admin(box, "/settings", {"bulk_polls": 4})
    pauses: list[float] = []
    calls, _ = org.wire
    job = Jobs(calls, sleep=pauses.append).create("query", {"operation": "query", "query": "SELECT Id FROM Account"})
    assert Jobs(calls, sleep=pauses.append).wait("query", job.id).state == "JobComplete"
    assert len(pauses) >= 4
    assert pauses == sorted(pauses)


def test_a_job_that_never_ends_is_aborted(org: Org, box: Box):
    """Nobody waits for ever, and nothing goes on behind our back."""
    admin(box, "/settings", {"bulk_polls": 10_000})
    calls, _ = org.wire
    jobs = Jobs(calls, sleep=lambda _: None)
    job = jobs.create("query", {"operation": "query", "query": "SELECT Id FROM Account"})
    with pytest.raises(TransientError, match="aborted"):
        jobs.wait("query", job.id)
    assert jobs.look("query", job.id).state == "Aborted"


def test_a_session_that_ends_between_pages_is_renewed(bulk: BulkOrg, org: Org, box: Box, monkeypatch: pytest.MonkeyPatch):
    """The third page's 401 costs a login, not the download."""
    org.insert([("Account", {"Name": f"Renewed {number}"}) for number in range(6)])
    monkeypatch.setattr(bulk_query, "PAGE_ROWS", 2)
    fault(box, "expire_token", path="results", after=2)
    assert len(read(bulk, "SELECT Id FROM Account WHERE Name LIKE 'Renewed %'")) == 6


@pytest.mark.parametrize("kind", ["drop", "cut_body", "http_status"])
def test_a_page_that_breaks_off_is_read_again_whole(bulk: BulkOrg, org: Org, box: Box, kind: str, monkeypatch: pytest.MonkeyPatch):
    """Half a page is never taken for a page."""
    org.insert([("Account", {"Name": f"Broken {kind} {number}"}) for number in range(5)])
    monkeypatch.setattr(bulk_query, "PAGE_ROWS", 2)
    fault(box, kind, path="results", after=1)
    assert len(read(bulk, f"SELECT Id, Name FROM Account WHERE Name LIKE 'Broken {kind} %'")) == 5


def test_a_stale_locator_begins_the_query_again(bulk: BulkOrg, org: Org, box: Box, monkeypatch: pytest.MonkeyPatch):
    """Rows read before it went stale are not counted twice."""
    org.insert([("Account", {"Name": f"Stale {number}"}) for number in range(5)])
    monkeypatch.setattr(bulk_query, "PAGE_ROWS", 2)
    gone = [{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}]
    fault(box, "http_status", path="results", after=1, status=400, body=gone)
    pages: dict[int, list[bytes]] = {}
    found = bulk.download(
        [Asked("SELECT Id FROM Account WHERE Name LIKE 'Stale %'")], lambda place, page: pages.setdefault(place, []) or page.rows
    )
    assert sum(found[0]) == 5


def test_a_query_the_org_does_not_know_is_the_admins(bulk: BulkOrg):
    """A missing field is said before anything is waited for."""
    with pytest.raises(ConfigError, match="no field Missing__c"):
        read(bulk, "SELECT Id, Missing__c FROM Account")


def test_a_download_leaves_no_job_behind(bulk: BulkOrg, org: Org):
    """What was read is given back to the org."""
    before = job_ids(org, "query")
    read(bulk, "SELECT Id FROM Account")
    assert job_ids(org, "query") == before


def test_many_rows_are_inserted_by_one_job_and_answered_in_order(bulk: BulkOrg, org: Org, store: Store):
    """Every outcome has the id of its own row; few rows of another object go by collections beside it."""
    rows = [*holds(7, "many"), ("Account", {"Name": "Beside"})]
    made, _ = bulk.write(rows, [])
    assert [one.ok for one in made] == [True] * 8
    found = {row["Id"]: row[KEY] for row in org.query(f"SELECT Id, {KEY} FROM {HOLD} WHERE {KEY} LIKE 'many-%'")}
    assert [found[str(one.id)] for one in made[:7]] == [values[KEY] for _, values in rows[:7]]
    assert store.values(KEPT) == {}
    assert job_ids(org, "ingest") == []


def test_a_value_of_none_empties_and_an_absent_one_stays(bulk: BulkOrg, org: Org):
    """Only what is named is changed, as with collections."""
    made, _ = bulk.write(
        [(HOLD, {**values, "Evidence__c": 'said "no",\nthen yes', "From__c": date(2026, 3, 1)}) for _, values in holds(4, "edit")], []
    )
    edits = [(HOLD, str(one.id), {"Evidence__c": None} if at % 2 else {"Until__c": date(2026, 4, 1)}) for at, one in enumerate(made)]
    _, changed = bulk.write([], edits)
    assert [one.ok for one in changed] == [True] * 4
    rows = org.query(f"SELECT Evidence__c, From__c, Until__c FROM {HOLD} WHERE {KEY} LIKE 'edit-%' ORDER BY {KEY}")
    assert [(row["Evidence__c"], row["From__c"], row["Until__c"]) for row in rows] == [
        ('said "no",\nthen yes', "2026-03-01", "2026-04-01"),
        (None, "2026-03-01", None),
    ] * 2


def test_a_refused_row_says_why_and_the_rest_lands(bulk: BulkOrg, org: Org):
    """A key that is taken is known again; a value the org refuses has its code; neither stops a neighbour."""
    bulk.write(holds(1, "part"), [])
    rows = [*holds(4, "part"), (HOLD, {KEY: "part-bad", "Cause__c": "no such cause"})]
    made, _ = bulk.write(rows, [])
    assert [one.code for one in made] == ["DUPLICATE_VALUE", None, None, None, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"]
    assert made[0].duplicate_of == org.query(f"SELECT Id FROM {HOLD} WHERE {KEY} = 'part-0000'")[0]["Id"]
    assert len(kept(org, "part")) == 4


def test_rows_a_job_never_came_to_are_written_by_collections(bulk: BulkOrg, org: Org, box: Box):
    """A job that fails half-way loses nothing and writes nothing twice."""
    fault(box, "bulk_partial", sobject=HOLD, rows="unprocessed")
    made, _ = bulk.write(holds(9, "half"), [])
    assert [one.ok for one in made] == [True] * 9
    assert len(kept(org, "half")) == 9


def test_rows_that_met_a_lock_are_written_again(bulk: BulkOrg, box: Box):
    """UNABLE_TO_LOCK_ROW in a job is not the last word."""
    fault(box, "bulk_partial", sobject=HOLD, share=0.5)
    made, _ = bulk.write(holds(8, "lock"), [])
    assert [one.ok for one in made] == [True] * 8


def test_a_column_the_org_does_not_know_is_the_admins(bulk: BulkOrg):
    """The whole job fails for it, so it is no fault of a row."""
    with pytest.raises(ConfigError, match="Missing__c"):
        bulk.write([(HOLD, {**values, "Missing__c": "x"}) for _, values in holds(4, "odd")], [])


def test_an_upload_whose_answer_is_lost_is_aborted_and_nothing_is_written(bulk: BulkOrg, org: Org, box: Box, store: Store):
    """A second upload to the same job would be refused, so the job is ended and the caller loads again."""
    fault(box, "timeout_after_commit", method="PUT", path="batches")
    with pytest.raises(TransientError):
        bulk.write(holds(4, "lost"), [])
    assert kept(org, "lost") == []
    assert store.values(KEPT) == {}


def test_closing_twice_is_closing_once(bulk: BulkOrg, box: Box):
    """The answer to "the upload is complete" may be lost."""
    fault(box, "timeout_after_commit", method="PATCH", path="jobs/ingest")
    made, _ = bulk.write(holds(4, "twice"), [])
    assert [one.ok for one in made] == [True] * 4


def test_the_job_is_kept_before_its_upload_is_complete_and_found_by_a_restart(bulk: BulkOrg, org: Org, box: Box, store: Store):
    """Whoever starts next waits for what the org is still writing, and then loads what it wrote."""
    fault(box, "drop", method="GET", path="jobs/ingest", count=None)
    with pytest.raises(TransientError):
        bulk.write(holds(5, "dead"), [])
    assert len(store.values(KEPT)) == 1
    admin(box, "/faults", method="DELETE")
    assert bulk.settle() == 1
    assert store.values(KEPT) == {}
    assert len(kept(org, "dead")) == 5


@pytest.mark.parametrize("asked", [1, 2, 3])
def test_work_lost_before_an_upload_is_whole_is_not_written(bulk: BulkOrg, org: Org, store: Store, asked: int):
    """Before a job is made, filled and begun it is asked whether the work is still ours: if not, the job is aborted and forgotten."""
    made = set(job_ids(org, "ingest"))
    moments = iter(range(1, 10))

    def before() -> None:
        if next(moments) == asked:
            raise ConflictError("in other hands")

    with pytest.raises(ConflictError, match="in other hands"):
        bulk.write(holds(4, f"lost{asked}"), [], before=before)
    assert kept(org, f"lost{asked}") == []
    assert store.values(KEPT) == {}
    left = set(job_ids(org, "ingest")) - made
    assert {Jobs(org.wire[0]).look("ingest", one).state for one in left} == ({"Aborted"} if asked > 1 else set())


@pytest.mark.parametrize("serial", [False, True])
def test_before_each_request_that_writes_the_caller_is_asked(bulk: BulkOrg, org: Org, serial: bool):
    """Jobs, collections and what is sent again after a lock alike; a read asks nobody."""
    asked: list[int] = []
    rows = [*holds(3, f"asked{serial}"), *(("Account", {"Name": f"Asked {serial} {number}"}) for number in range(2))]
    bulk.write(rows, [], serial=serial, before=lambda: asked.append(org.calls))
    assert len(asked) == (1 if serial else 4)  # in one composite call; or a job made, filled and begun, and a collection
    read(bulk, "SELECT Id FROM Account LIMIT 1")
    assert len(asked) == (1 if serial else 4)


def test_a_job_that_was_never_closed_is_aborted_by_a_restart(bulk: BulkOrg, org: Org, store: Store):
    """Its rows were never written, and never will be."""
    calls, _ = org.wire
    job = Jobs(calls).create("ingest", {"object": HOLD, "operation": "insert"})
    store.set_value(KEPT + job.id, HOLD)
    bulk.settle()
    assert Jobs(calls).look("ingest", job.id).state == "Aborted"


def test_a_kept_job_that_is_gone_is_forgotten(bulk: BulkOrg, store: Store):
    """Somebody deleted it, or it was older than seven days."""
    store.set_value(KEPT + "7505g00000abcdeAAA", HOLD)
    assert bulk.settle() == 1
    assert store.values(KEPT) == {}


def test_large_uploads_are_cut(org: Org, store: Store):
    """No upload is larger than the platform takes, and the outcomes are still one a row, in order."""
    calls, sleep = org.wire
    writing = BulkWriting(calls, Jobs(calls, sleep=sleep), store, most_bytes=200)
    made = writing.write(HOLD, "insert", [values for _, values in holds(12, "cut")], KEY)
    assert [one.ok for one in made] == [True] * 12
    assert kept(org, "cut") == [f"cut-{number:04d}" for number in range(12)]


def test_calls_stay_within_the_budget(connect: Callable[..., Org], credentials: Credentials, store: Store):
    """Where the rest of the allowance is left to others, no job is begun."""
    client = connect(credentials, reserve_percent=100.0)
    client.query("SELECT Id FROM Account LIMIT 1")
    with pytest.raises(TransientError, match="allowance"):
        read(BulkOrg(client, store, key=KEY), "SELECT Id FROM Account")


def test_record_counts_come_in_one_call(bulk: BulkOrg, org: Org):
    """What the choice between REST and bulk rests on; an unknown object is left out."""
    before = org.calls
    counted = bulk.record_counts(["Account", "Nothing__c"])
    assert set(counted) == {"Account"}
    assert org.calls == before + 1


def test_cells_are_written_exactly():
    """Amounts digit for digit, instants in UTC, nothing by way of a float."""
    at = datetime(2026, 3, 2, 9, 0, 0, 5000, tzinfo=UTC)
    assert [cell(one) for one in (None, "", "a", True, False, 7, Decimal("1E+3"), at, date(2026, 3, 2))] == [
        "#N/A", "#N/A", "a", "true", "false", "7", "1000", "2026-03-02T09:00:00.005Z", "2026-03-02",
    ]  # fmt: skip
    for impossible in (Decimal("NaN"), datetime(2026, 3, 2), 1.5, object()):  # noqa: DTZ001 - that is the point
        with pytest.raises(PermanentError):
            cell(impossible)


def test_columns_stand_in_one_order_whatever_order_values_came_in():
    """A set of columns would differ from run to run (salesforce.md B.4)."""
    ((body, rows),) = uploads([{"B": 1, "A": 2}, {"A": 3}, {"C": "x", "B": 4}])
    assert (body, rows) == (b'"A","B","C"\n"2","1",""\n"3","",""\n"","4","x"\n', 3)


def test_results_keep_line_ends_within_cells():
    """A second line within a cell stays one (salesforce.md B.4)."""
    assert results(b'"sf__Id","A"\n"1","s\nx"\n"2","y"\n') == [{"sf__Id": "1", "A": "s\nx"}, {"sf__Id": "2", "A": "y"}]
