"""Friendly URLs: from a record to its parents and children; and what was in hand of late."""

import pytest


@pytest.fixture
def family(call):
    """An account and its two contacts."""
    account = call.create("Account", Name="Meadow")
    return account, [call.create("Contact", LastName=name, AccountId=account) for name in ("Ash", "Elm")]


def test_a_parent_is_read_changed_and_deleted_by_its_relationship(call, family):
    """The answer is that of the record itself."""
    account, (child, _) = family
    path = f"sobjects/Contact/{child}/Account"
    assert call("GET", path, params={"fields": "Name"}).json()["Name"] == "Meadow"
    assert call("PATCH", path, json={"Name": "Row"}).status_code == 204
    assert call("GET", f"sobjects/Account/{account}").json()["Name"] == "Row"
    assert call("DELETE", path).status_code == 204
    assert call("GET", path).status_code == 404


def test_children_are_listed_like_a_query(call, family, admin):
    """totalSize, done, records, and further pages when there are many."""
    account, children = family
    reply = call("GET", f"sobjects/Account/{account}/Contacts", params={"fields": "LastName"}).json()
    assert (reply["totalSize"], reply["done"], sorted(row["LastName"] for row in reply["records"])) == (2, True, ["Ash", "Elm"])
    assert "Email" in call("GET", f"sobjects/Account/{account}/contacts").json()["records"][0]
    admin("/settings", {"query_batch": 1})
    page = call("GET", f"sobjects/Account/{account}/Contacts", params={"fields": "Id"}).json()
    rest = call("GET", page["nextRecordsUrl"]).json()
    assert ({row["Id"] for row in page["records"] + rest["records"]}, rest["done"]) == ({*children}, True)


def test_no_children_are_an_empty_list_and_no_parent_is_not_found(call):
    """200 for a set, 404 for a record."""
    lonely = call.create("Contact", LastName="Oak")
    account = call.create("Account", Name="a")
    assert call("GET", f"sobjects/Account/{account}/Contacts").json() == {"totalSize": 0, "done": True, "records": []}
    assert call("GET", f"sobjects/Contact/{lonely}/Account").json()[0]["errorCode"] == "NOT_FOUND"


def test_parents_can_be_chained(call, family):
    """Contact to account to its owner; an unknown step is not found, a set cannot be written."""
    account, (child, _) = family
    assert (
        call("GET", f"sobjects/Contact/{child}/Account/Owner", params={"fields": "Username"}).json()["Username"] == "admin@sandbox.example"
    )
    assert call("GET", f"sobjects/Contact/{child}/Account/Contacts", params={"fields": "Id"}).json()["totalSize"] == 2
    assert call("GET", f"sobjects/Contact/{child}/Nothing__r").status_code == 404
    assert call("DELETE", f"sobjects/Account/{account}/Contacts").status_code == 405
    assert call("GET", f"sobjects/Contact/{child}/Account", params={"fields": "No__c"}).status_code == 400


def test_what_was_in_hand_is_recent(call):
    """Created, read and changed records, the newest first, once each; the object's page lists its own."""
    first, second = call.create("Account", Name="One"), call.create("Account", Name="Two")
    contact = call.create("Contact", LastName="Ash")
    call("GET", f"sobjects/Account/{first}")
    rows = call("GET", "recent").json()
    assert [row["Id"] for row in rows] == [first, contact, second]
    assert rows[0] == {
        "attributes": {"type": "Account", "url": f"/services/data/v66.0/sobjects/Account/{first}"},
        "Id": first,
        "Name": "One",
    }
    assert [row["Name"] for row in call("GET", "sobjects/Account").json()["recentItems"]] == ["One", "Two"]
    assert len(call("GET", "recent", params={"limit": 1}).json()) == 1
    assert call("GET", "recent", params={"limit": "x"}).status_code == 400


def test_requests_may_leave_the_recent_alone(call):
    """Sforce-Mru: updateMru=false since version 60; queries and collections never count; what is gone is not shown."""
    quiet = {"Sforce-Mru": "updateMru=false"}
    reply = call("POST", "sobjects/Account", json={"Name": "a"}, headers=quiet)
    assert call("GET", "recent").json() == []
    call("GET", f"/services/data/v59.0/sobjects/Account/{reply.json()['id']}", headers=quiet)
    assert [row["Name"] for row in call("GET", "recent").json()] == ["a"]
    call("DELETE", f"sobjects/Account/{reply.json()['id']}")
    call("POST", "composite/sobjects", json={"records": [{"attributes": {"type": "Account"}, "Name": "b"}]})
    assert call("GET", "recent").json() == []


def test_a_record_may_be_made_below_id(call):
    """POST /sobjects/T/Id creates, as /sobjects/T does."""
    assert call("POST", "sobjects/Account/Id", json={"Name": "a"}).status_code == 201


def test_a_segment_that_is_no_id_is_an_unknown_external_id(call):
    """Recorded words, other than those for an id that is not there."""
    reply = call("GET", "sobjects/Account/23foo")
    assert (reply.status_code, reply.json()) == (
        404,
        [{"message": "Provided external ID field does not exist or is not accessible: 23foo", "errorCode": "NOT_FOUND"}],
    )
    assert call("GET", "sobjects/Account/001000000000009AAA").json()[0]["message"] == "The requested resource does not exist"


def test_the_bytes_of_a_file_are_read_by_the_name_of_their_field(call):
    """As they were put in, whatever they are; a file that is not there is not found."""
    account = call.create("Account", Name="a")
    record_id = call.create("Attachment", Name="letter.pdf", ParentId=account, Body="AP8BCg==")
    path = call("GET", f"sobjects/Attachment/{record_id}").json()["Body"]
    assert path == f"/services/data/v66.0/sobjects/Attachment/{record_id}/Body"
    reply = call("GET", path)
    assert (reply.content, reply.headers["Content-Type"]) == (b"\x00\xff\x01\n", "application/octet-stream")
    assert call("GET", f"sobjects/Attachment/{record_id[:-4]}9AAA/Body").status_code == 404
    assert call("DELETE", f"sobjects/Attachment/{record_id}/Body").status_code == 405


def test_bytes_are_shown_as_the_address_they_can_be_read_at(call):
    """In queries, in child queries, in collections and of a related record alike: never the bytes themselves."""
    account = call.create("Account", Name="a")
    record_id = call.create("Attachment", Name="letter.pdf", ParentId=account, Body="AP8BCg==")
    path = f"/services/data/v66.0/sobjects/Attachment/{record_id}/Body"
    found = call("GET", "query", params={"q": f"SELECT Body FROM Attachment WHERE Id = '{record_id}'"}).json()
    assert [each["Body"] for each in found["records"]] == [path]
    below = call("GET", "query", params={"q": f"SELECT (SELECT Body FROM Attachments) FROM Account WHERE Id = '{account}'"}).json()
    assert below["records"][0]["Attachments"]["records"][0]["Body"] == path
    listed = call("POST", "composite/sobjects/Attachment", json={"ids": [record_id], "fields": ["Body"]}).json()
    assert listed[0]["Body"] == path
