"""Rows in a stream: the columns of the query, as of one moment, in bounded memory."""

import pytest

from sandbox.org.errors import OrgError


@pytest.fixture(params=["memory", "file"])
def stored(request, company, open_company, tmp_path):
    """The company's org in memory and in a file."""
    return company if request.param == "memory" else open_company(tmp_path / "org.db")


def open_stream(company, soql, **more):
    """Open a stream as the administrator."""
    return company.org.stream(soql, user_id=company.session.user_id, **more)


def test_a_stream_gives_the_rows_in_order_with_dotted_columns(stored):
    """Names of parents' fields are dotted, values are shown as in query answers."""
    vane = stored.create("Contact", FirstName="Ann", LastName="Vane")
    stored.invoice(Key__c="b", Payer__c=vane, Sent__c=True, Seen_At__c="2026-03-01T23:30:00Z")
    stored.invoice(Key__c="a", Amount__c=2.5)
    with open_stream(stored, "SELECT key__c, Payer__r.LastName, Sent__c, Amount__c, Seen_At__c FROM Invoice__c ORDER BY Key__c") as rows:
        assert rows.columns == ["Key__c", "Payer__r.LastName", "Sent__c", "Amount__c", "Seen_At__c"]
        assert list(rows) == [["a", None, False, 2.5, None], ["b", "Vane", True, 100.0, "2026-03-01T23:30:00.000+0000"]]


def test_a_stream_shows_one_moment_and_lets_writers_go_on(stored):
    """What is written while a stream is read is not in it, and is written all the same."""
    stored.org.bulk_load("Invoice__c", [{"Amount__c": n} for n in range(5000)])
    rows = open_stream(stored, "SELECT Id, Amount__c FROM Invoice__c ORDER BY Amount__c")
    first = next(rows)
    stored.update("Invoice__c", first[0], Amount__c=7)
    new = stored.invoice()
    stored.org.bulk_load("Invoice__c", [{"Amount__c": -1}])
    rest = list(rows)
    assert [row[1] for row in (first, *rest)] == [float(n) for n in range(5000)]
    assert new not in {row[0] for row in rest}
    assert stored.query("SELECT COUNT() FROM Invoice__c").total_size == 5002


def test_rows_in_memory_are_read_as_they_are_asked_for_until_somebody_writes(company):
    """Others read in between; a write first has the rest put aside, and a stream read to its end holds up nobody."""
    company.org.bulk_load("Invoice__c", [{"Amount__c": n} for n in range(6000)])
    rows = open_stream(company, "SELECT Amount__c FROM Invoice__c ORDER BY Amount__c")
    database = company.org._database
    assert next(rows) == [0.0]
    assert company.query("SELECT COUNT() FROM Invoice__c").total_size == 6000
    assert len(database.half_read) == 1
    company.invoice()
    assert database.half_read == []
    assert [row[0] for row in rows] == [float(n) for n in range(1, 6000)]
    with open_stream(company, "SELECT Id FROM Invoice__c") as again:
        assert len(list(again)) == 6001
        assert database.half_read == []


def test_a_stream_opened_inside_a_transaction_sees_its_writes(stored):
    """A transaction reads what it wrote itself."""
    with stored.org.transaction():
        stored.invoice(Key__c="own")
        assert list(open_stream(stored, "SELECT Key__c FROM Invoice__c")) == [["own"]]


def test_a_stream_can_count_the_recycle_bin_in(stored):
    """Deleted rows come with all_rows only."""
    gone = stored.invoice(Key__c="gone")
    stored.delete("Invoice__c", gone)
    assert list(open_stream(stored, "SELECT Key__c FROM Invoice__c")) == []
    assert list(open_stream(stored, "SELECT Key__c FROM Invoice__c", all_rows=True)) == [["gone"]]


@pytest.mark.parametrize(
    "soql",
    [
        "SELECT COUNT(Id) FROM Case",
        "SELECT Status FROM Case GROUP BY Status",
        "SELECT Id FROM Case OFFSET 5",
        "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
        "SELECT TYPEOF What WHEN Account THEN Name END FROM Task",
    ],
)
def test_what_bulk_queries_do_not_allow_is_refused(company, soql):
    """Aggregates, groups, offsets, nested queries and TYPEOF have no rows of plain columns."""
    with pytest.raises(OrgError, match="not supported in Bulk V2 Query"):
        open_stream(company, soql)


def test_an_abandoned_stream_leaves_the_store_usable(stored):
    """A stream that is closed early gives its snapshot back."""
    stored.org.bulk_load("Invoice__c", [{"Amount__c": n} for n in range(3000)])
    rows = open_stream(stored, "SELECT Id FROM Invoice__c")
    next(rows)
    rows.close()
    rows.close()
    assert stored.query("SELECT COUNT() FROM Invoice__c").total_size == 3000
