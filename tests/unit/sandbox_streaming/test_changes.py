"""Change Data Capture as pure values: what a transaction looks like on the change channels."""

from datetime import UTC, datetime

import pytest

from sandbox.org.types import Change, Commit, Session
from sandbox.streaming.changes import NO_RECORD, Capture, change_events, gap_event
from sandbox.streaming.channels import event_name

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
CASE, OTHER = "500000000000001AAA", "500000000000002AAA"
OBJECTS = frozenset({"Case", "Contact", "Account"})


def change(kind="UPDATE", fields=("Status",), record_id=CASE, session=None, sobject="Case", **values):
    """One change of a record."""
    record = {"Id": record_id, "LastModifiedDate": "2026-03-02T08:00:00.000Z", "SystemModstamp": "x"} | values
    return Change(sobject, record_id, kind, fields, record, session or Session("005A"))


@pytest.fixture
def published(schema):
    """The payloads of the change events of one transaction."""

    def of(*changes, overflow_after=100_000):
        capture = Capture(schema, OBJECTS, overflow_after)
        return [event.payload for event in change_events(Commit("key", 7, changes, AT), capture)]

    return of


def kinds(payloads):
    """Change types with their records."""
    return [(one["ChangeEventHeader"]["changeType"], one["ChangeEventHeader"]["recordIds"]) for one in payloads]


def test_change_events_are_named_after_their_objects():
    """Custom objects lose their c."""
    assert (event_name("Case"), event_name("Dunwell_Hold__c")) == ("CaseChangeEvent", "Dunwell_Hold__ChangeEvent")


def test_several_changes_of_a_row_make_one_event(published):
    """The last values count, and every field that changed is named once."""
    (payload,) = published(change(Status="Working"), change(fields=("Subject", "Status"), Status="Closed", Subject="s"))
    assert (payload["Status"], payload["Subject"]) == ("Closed", "s")
    assert payload["ChangeEventHeader"]["changedFields"] == ["Status", "Subject", "LastModifiedDate"]


def test_a_field_set_to_nothing_is_carried_as_null(published):
    """Of an update, empty fields are told if they were emptied."""
    (payload,) = published(change(fields=("Subject",), Subject=None))
    assert payload["Subject"] is None


def test_a_row_that_came_and_went_is_no_event(published):
    """Created and deleted in one transaction: nothing to tell."""
    assert published(change("CREATE"), change("DELETE", ())) == []


def test_a_created_row_that_was_changed_is_created(published):
    """CREATE carries the final values that are not null."""
    (payload,) = published(change("CREATE", ("Status",), Status="New"), change(Status="Working", Subject=None))
    assert (payload["ChangeEventHeader"]["changeType"], payload["Status"]) == ("CREATE", "Working")
    assert payload.keys() == {"Status", "LastModifiedDate", "ChangeEventHeader"}


def test_a_deletion_carries_no_fields(published):
    """DELETE is a header."""
    (payload,) = published(change("DELETE", ()))
    assert payload.keys() == {"ChangeEventHeader"}


def test_rows_changed_alike_share_an_event_and_others_do_not(published):
    """One event names all rows of the same change; the events of a transaction are numbered and share its key."""
    alike = [change(record_id=one, Status="a") for one in (CASE, OTHER)]
    first, second = published(*alike, change(record_id="500000000000003AAA", Status="b"))
    assert kinds([first, second]) == [("UPDATE", [CASE, OTHER]), ("UPDATE", ["500000000000003AAA"])]
    headers = [one["ChangeEventHeader"] for one in (first, second)]
    assert [one["sequenceNumber"] for one in headers] == [1, 2]
    assert {one["transactionKey"] for one in headers} == {"key"}


def test_the_origin_is_who_began(published):
    """What automations change in the same transaction carries the caller's interface and name."""
    caller = Session("005A", "dunwell", api="bulk/66.0")
    payloads = published(change(session=caller, Status="a"), change(record_id=OTHER, Status="b"))
    assert {one["ChangeEventHeader"]["changeOrigin"] for one in payloads} == {"com/salesforce/api/bulk/66.0;client=dunwell"}


def test_what_no_client_began_has_no_origin(published):
    """The origin is empty for changes that did not come through an API."""
    assert published(change())[0]["ChangeEventHeader"]["changeOrigin"] == ""


def test_names_of_people_are_nested(published):
    """A contact's name is a compound; its components are named with it, and the full name is not carried."""
    who = {"FirstName": "Vera", "LastName": "Maas", "Name": "Vera Maas", "Email": "vera@maas.example"}
    (made,) = published(change("CREATE", tuple(who), "003000000000001AAA", sobject="Contact", **who))
    assert (made["Name"], made["Email"]) == ({"FirstName": "Vera", "LastName": "Maas"}, "vera@maas.example")
    (moved,) = published(change(fields=("LastName", "Name"), record_id="003000000000001AAA", sobject="Contact", **who))
    assert moved["Name"] == {"LastName": "Maas"}
    assert moved["ChangeEventHeader"]["changedFields"] == ["Name.LastName", "LastModifiedDate"]


def test_addresses_are_nested_and_an_accounts_name_is_not(published):
    """BillingStreet is the Street of BillingAddress; an account that is no person has a plain name."""
    where = {"Name": "Maas", "BillingStreet": "Dijk 1", "BillingCity": None}
    (made,) = published(change("CREATE", tuple(where), "001000000000001AAA", sobject="Account", **where))
    assert (made["Name"], made["BillingAddress"]) == ("Maas", {"Street": "Dijk 1"})
    (moved,) = published(change(fields=("BillingStreet",), record_id="001000000000001AAA", sobject="Account", **where))
    assert moved["ChangeEventHeader"]["changedFields"] == ["BillingAddress.Street", "LastModifiedDate"]


def test_beyond_the_threshold_one_event_per_object_tells_that_there_was_more(published):
    """Updates count once per field; the overflow names no record and has no fields."""
    many = [change(fields=("Status", "Subject"), record_id=f"50000000000000{n}AAA", Status=str(n), Subject="s") for n in range(3)]
    gone = change("DELETE", (), "001000000000001AAA", sobject="Account")
    *told, overflow, other = published(*many, gone, overflow_after=4)
    assert len(told) == 2
    assert kinds([overflow, other]) == [("GAP_OVERFLOW", [NO_RECORD]), ("GAP_OVERFLOW", [NO_RECORD])]
    assert overflow.keys() == {"ChangeEventHeader"}
    assert [one["ChangeEventHeader"]["entityName"] for one in (overflow, other)] == ["Case", "Account"]


def test_an_unknown_gap_is_refused():
    """Only the platform's five kinds of gap exist; an overflow names no record."""
    with pytest.raises(ValueError, match="GAP_MOON"):
        gap_event("Case", [CASE], "GAP_MOON", AT, "005A")
    assert gap_event("Case", [], "GAP_OVERFLOW", AT, "005A").payload["ChangeEventHeader"]["recordIds"] == [NO_RECORD]
