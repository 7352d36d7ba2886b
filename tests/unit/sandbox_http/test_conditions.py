"""Conditional requests: dates on every record and describe, tags on accounts."""

import pytest

EARLIER, NOW_, LATER = "Sun, 01 Mar 2026 08:00:00 GMT", "Mon, 02 Mar 2026 08:00:00 GMT", "Tue, 03 Mar 2026 08:00:00 GMT"


@pytest.mark.parametrize(
    ("header", "date", "read", "write"),
    [
        ("If-Modified-Since", EARLIER, 200, 204),
        ("If-Modified-Since", NOW_, 304, 412),
        ("If-Modified-Since", LATER, 304, 412),
        ("If-Unmodified-Since", EARLIER, 412, 412),
        ("If-Unmodified-Since", NOW_, 200, 204),
        ("If-Unmodified-Since", "Tue, 03 Mar 2026 01:00:00 MST", 200, 204),
    ],
)
def test_dates_are_held_against_the_last_change(call, header, date, read, write):
    """A read finds nothing newer (304) or too new (412); a write that does not apply is 412."""
    record_id = call.create("Thing__c", Name="a")
    path = f"sobjects/Thing__c/{record_id}"
    found = call("GET", path, headers={header: date})
    assert (found.status_code, bool(found.content) or read == 304) == (read, True)
    assert call("PATCH", path, json={"Name": "b"}, headers={header: date}).status_code == write
    assert call("GET", f"{path}?fields=Name").json()["Name"] == ("b" if write == 204 else "a")


def test_a_date_that_is_none_is_refused(call):
    """Nothing is done on a condition that cannot be read."""
    record_id = call.create("Thing__c", Name="a")
    reply = call("DELETE", f"sobjects/Thing__c/{record_id}", headers={"If-Unmodified-Since": "yesterday"})
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (400, "INVALID_HTTP_HEADER")


def test_accounts_alone_have_tags(call):
    """The tag changes with the record, even within one second of the org's clock."""
    account, thing = call.create("Account", Name="a"), call.create("Thing__c", Name="a")
    assert "ETag" not in call("GET", f"sobjects/Thing__c/{thing}").headers
    path = f"sobjects/Account/{account}"
    first = call("GET", path).headers["ETag"]
    assert call("GET", path).headers["ETag"] == first
    second = call("PATCH", path, json={"Name": "b"}).headers["ETag"]
    assert (second != first, call("GET", path).headers["ETag"]) == (True, second)


def test_a_write_may_insist_on_a_tag(call):
    """If-Match with a tag of before changes nothing; lists, packing marks and * are understood."""
    path = f"sobjects/Account/{call.create('Account', Name='a')}"
    old = call("GET", path).headers["ETag"]
    new = call("PATCH", path, json={"Name": "b"}, headers={"If-Match": old}).headers["ETag"]
    assert call("PATCH", path, json={"Name": "c"}, headers={"If-Match": old}).status_code == 412
    packed = new[:-1] + '--gzip"'
    assert call("PATCH", path, json={"Name": "d"}, headers={"If-Match": f'"other", {packed}'}).status_code == 204
    assert call("DELETE", path, headers={"If-Match": "*"}).status_code == 204


def test_a_read_may_decline_what_it_knows(call):
    """If-None-Match with the present tag answers 304 without a body."""
    path = f"sobjects/Account/{call.create('Account', Name='a')}"
    tag = call("GET", path).headers["ETag"]
    reply = call("GET", path, headers={"If-None-Match": tag})
    assert (reply.status_code, reply.content, reply.headers["ETag"]) == (304, b"", tag)
    assert call("GET", path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("path", ["sobjects", "sobjects/Thing__c/describe"])
def test_describes_say_since_when_they_hold(call, path):
    """304 while nothing changed; Last-Modified and ETag are told with both answers."""
    reply = call("GET", path)
    told = reply.headers["Last-Modified"]
    assert (reply.status_code, told) == (200, NOW_)
    again = call("GET", path, headers={"If-Modified-Since": told})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", reply.headers["ETag"])
    assert call("GET", path, headers={"If-Modified-Since": EARLIER}).status_code == 200


def test_a_describe_changes_with_the_rights_of_its_reader(call, box, admin):
    """What a permission set adds is seen at once, and dated by the org's clock."""
    box.run(lambda: box.org.set_access(box.integration.id, permission_sets=[]))
    call.session.headers["Authorization"] = f"Bearer {box.token()}"
    assert call("GET", "sobjects/Case/describe").status_code == 404
    admin("/clock", {"advance_seconds": 86_400})
    box.run(lambda: box.org.set_access(box.integration.id, permission_sets=["Listener"]))
    assert call("GET", "sobjects/Case/describe").status_code == 200
    names = {one["name"] for one in call("GET", "sobjects").json()["sobjects"]}
    assert "Case" in names
    box.run(lambda: box.org.set_access(box.integration.id, permission_sets=[]))
    again = call("GET", "sobjects", headers={"If-Modified-Since": NOW_})
    assert "Case" not in {one["name"] for one in again.json()["sobjects"]}


def test_conditions_of_a_composite_are_its_own(call):
    """A subrequest sets its conditions itself (recorded: a describe not modified answers 304 with null)."""
    inner = {"method": "GET", "url": "/services/data/v66.0/sobjects/Thing__c/describe", "referenceId": "a"}
    asked = {"compositeRequest": [inner | {"httpHeaders": {"If-Modified-Since": LATER}}]}
    (answer,) = call("POST", "composite", json=asked).json()["compositeResponse"]
    assert (answer["body"], answer["httpStatusCode"], sorted(answer["httpHeaders"])) == (None, 304, ["ETag", "Last-Modified"])
    outer = call("POST", "composite", json={"compositeRequest": [inner]}, headers={"If-Modified-Since": LATER})
    assert outer.json()["compositeResponse"][0]["httpStatusCode"] == 200
