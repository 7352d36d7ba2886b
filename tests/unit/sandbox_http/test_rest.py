"""REST: records, queries, errors and headers, as a client sees them."""

import gzip
import json

import pytest


def test_a_record_goes_through_its_whole_life(call):
    """Create answers 201 with the id, read shows the fields, update and delete answer 204, then it is gone."""
    record_id = call.create("Account", Name="Meadow Lane")
    assert call("GET", f"sobjects/Account/{record_id}?fields=Name").json()["Name"] == "Meadow Lane"
    assert call("PATCH", f"sobjects/Account/{record_id}", json={"Name": "Meadow Row"}).status_code == 204
    assert call("GET", f"sobjects/Account/{record_id}").json()["Name"] == "Meadow Row"
    assert call("DELETE", f"sobjects/Account/{record_id}").status_code == 204
    assert call("GET", f"sobjects/Account/{record_id}").status_code == 404


def test_both_authorization_schemes_work(call, box):
    """Bearer and OAuth are the same to the platform."""
    call.session.headers["Authorization"] = f"OAuth {box.token()}"
    assert call("GET", "limits").status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer 00D!wrong", "Basic abc"])
def test_a_dead_token_gets_the_rest_error_array(call, header):
    """401 carries INVALID_SESSION_ID in an array, whatever was wrong with the token."""
    call.session.headers["Authorization"] = header
    reply = call("GET", "limits")
    assert (reply.status_code, reply.json()) == (401, [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}])


def test_every_reply_says_how_many_calls_are_used(call):
    """Sforce-Limit-Info counts up with each call, errors included; the list of versions is free."""
    first = call("GET", "limits").headers["Sforce-Limit-Info"]
    second = call("GET", "sobjects/Nothing__c").headers["Sforce-Limit-Info"]
    assert (first, second) == ("api-usage=1/100000", "api-usage=2/100000")
    assert "Sforce-Limit-Info" not in call("GET", "/services/data").headers


def test_the_versions_need_no_token(call):
    """GET /services/data lists versions to anyone."""
    del call.session.headers["Authorization"]
    assert {"label": "Spring '26", "url": "/services/data/v66.0", "version": "66.0"} in call("GET", "/services/data/").json()


def test_slashes_too_many_are_tolerated(call):
    """Doubled and trailing slashes reach the same resource."""
    assert call("GET", "//services//data/v66.0/limits/").status_code == 200


def test_a_missing_required_field_is_refused_with_its_name(call):
    """REQUIRED_FIELD_MISSING names the field, as DML errors do."""
    reply = call("POST", "sobjects/Account", json={})
    assert reply.status_code == 400
    assert reply.json() == [{"message": "Required fields are missing: [Name]", "errorCode": "REQUIRED_FIELD_MISSING", "fields": ["Name"]}]


def test_broken_json_is_a_parser_error(call):
    """A body that is no JSON is refused before anything happens."""
    reply = call("POST", "sobjects/Account", data="{", headers={"Content-Type": "application/json"})
    assert reply.json()[0]["errorCode"] == "JSON_PARSER_ERROR"


def test_a_body_of_another_type_is_refused(call):
    """A form is not a record."""
    assert call("POST", "sobjects/Account", data={"Name": "x"}).status_code == 415


def test_an_unknown_object_is_not_found(call):
    """The path of an object that is not there answers 404 NOT_FOUND."""
    assert call("GET", "sobjects/Nothing__c/describe").json()[0]["errorCode"] == "NOT_FOUND"


def test_an_upsert_says_created_then_updated(call):
    """201 with created true, then 200 with created false; 204 without a body up to version 45."""
    path = "sobjects/Thing__c/Key__c/k-1"
    first, second = (call("PATCH", path, json={"Name": name}) for name in ("a", "b"))
    assert (first.status_code, first.json()["created"]) == (201, True)
    assert (second.status_code, second.json()["created"], second.json()["id"]) == (200, False, first.json()["id"])
    old = call("PATCH", "/services/data/v45.0/" + path, json={"Name": "c"})
    assert (old.status_code, old.content) == (204, b"")
    assert call("GET", path).json()["Name"] == "c"


def test_an_upsert_may_forbid_creation(call):
    """updateOnly=true answers 404 for a key that is not there."""
    assert call("PATCH", "sobjects/Thing__c/Key__c/k-2?updateOnly=true", json={"Name": "a"}).status_code == 404


def test_several_matches_are_listed(call):
    """An external id that is not unique answers 300 with the URLs of all matches."""
    ids = [call.create("Thing__c", Name=name, Ref__c="same") for name in "ab"]
    reply = call("PATCH", "sobjects/Thing__c/Ref__c/same", json={"Name": "c"})
    assert (reply.status_code, reply.json()) == (300, [f"/services/data/v66.0/sobjects/Thing__c/{one}" for one in ids])


def test_a_key_may_hold_any_character_when_quoted(call):
    """Percent-encoded slashes belong to the key, not to the path."""
    call("PATCH", "sobjects/Thing__c/Key__c/a%2Fb%20c", json={"Name": "a"})
    assert call("GET", "query", params={"q": "SELECT Key__c FROM Thing__c"}).json()["records"][0]["Key__c"] == "a/b c"


def test_a_unique_value_is_saved_once(call):
    """DUPLICATE_VALUE names the field and the record that has it."""
    record_id = call.create("Thing__c", Name="a", Key__c="k")
    reply = call("POST", "sobjects/Thing__c", json={"Name": "b", "Key__c": "k"})
    assert reply.json()[0]["message"] == f"duplicate value found: Key__c duplicates value on record with id: {record_id[:15]}"


def test_a_query_is_paged_and_each_row_comes_once(call, admin):
    """Pages follow nextRecordsUrl, done is false until the last one, totalSize is the whole."""
    admin("/settings", {"query_batch": 2})
    for number in range(5):
        call.create("Account", Name=f"a{number}")
    page = call("GET", "query", params={"q": "SELECT Id FROM Account"}).json()
    sizes, ids = [len(page["records"])], [row["Id"] for row in page["records"]]
    while not page["done"]:
        page = call("GET", page["nextRecordsUrl"]).json()
        sizes.append(len(page["records"]))
        ids += [row["Id"] for row in page["records"]]
    assert (sizes, len(set(ids)), page["totalSize"]) == ([2, 2, 1], 5, 5)
    assert "nextRecordsUrl" not in page


def test_a_cursor_ends_after_two_days(call, admin):
    """A locator older than two days of org time, or made up, is refused."""
    admin("/settings", {"query_batch": 1})
    for name in ("a", "b"):
        call.create("Account", Name=name)
    page = call("GET", "query", params={"q": "SELECT Id FROM Account"}).json()
    admin("/clock", {"advance_seconds": 2 * 86400})
    for url in (page["nextRecordsUrl"], "query/01gNothing-200"):
        assert call("GET", url).json() == [{"message": "invalid query locator", "errorCode": "INVALID_QUERY_LOCATOR"}]


def test_an_empty_query_is_malformed(call):
    """The parameter q is required."""
    assert call("GET", "query").json()[0]["errorCode"] == "MALFORMED_QUERY"


def test_a_uri_too_long_is_refused(call):
    """More than 16,384 bytes of URI answer 414."""
    assert call("GET", "query", params={"q": "x" * 17_000}).status_code == 414


def test_publishing_an_event_succeeds_with_errors(call, box):
    """201 carries OPERATION_ENQUEUED and the event's uuid in a non-empty errors array."""
    reply = call("POST", "sobjects/Outcome__e", json={"Reference__c": "r-1"})
    saved = reply.json()
    assert (reply.status_code, saved["success"], saved["errors"][0]["statusCode"]) == (201, True, "OPERATION_ENQUEUED")
    assert [event.event_uuid for event in box.log.since("/event/Outcome__e", -2)] == [saved["errors"][0]["message"]]


def test_large_replies_are_packed_when_asked(call):
    """Packing is used when the client takes it, and understood when it sends it."""
    body = gzip.compress(json.dumps({"Name": "packed"}).encode())
    made = call("POST", "sobjects/Account", data=body, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})
    assert made.status_code == 201
    for number in range(30):
        call.create("Account", Name=f"a{number}")
    assert call("GET", "query", params={"q": "SELECT Id, Name FROM Account"}).headers["Content-Encoding"] == "gzip"


def test_a_record_moved_since_is_a_conflict(call):
    """If-Unmodified-Since before the last change answers 412 and changes nothing."""
    record_id = call.create("Account", Name="a")
    stale = {"If-Unmodified-Since": "Sun, 01 Mar 2026 08:00:00 GMT"}
    assert call("PATCH", f"sobjects/Account/{record_id}", json={"Name": "b"}, headers=stale).status_code == 412
    fresh = {"If-Unmodified-Since": "Tue, 03 Mar 2026 08:00:00 GMT"}
    assert call("PATCH", f"sobjects/Account/{record_id}", json={"Name": "c"}, headers=fresh).status_code == 204


def test_version_bounds_are_kept(call):
    """A retired version is 410, one of the future is 404."""
    assert call("GET", "/services/data/v20.0/limits").status_code == 410
    assert call("GET", "/services/data/v99.0/limits").status_code == 404


def test_a_wrong_method_is_refused(call):
    """405 METHOD_NOT_ALLOWED where a resource has no such method."""
    assert call("POST", "query").status_code in {405, 415}
    assert call("PUT", "sobjects/Account", json={}).json()[0]["errorCode"] == "METHOD_NOT_ALLOWED"


def test_describe_is_served_for_one_and_all(call):
    """Describe lists fields, the global describe lists objects and the batch size."""
    fields = {field["name"] for field in call("GET", "sobjects/Thing__c/describe").json()["fields"]}
    assert {"Id", "Key__c"} <= fields
    everything = call("GET", "sobjects").json()
    assert (everything["maxBatchSize"], "Thing__c" in {one["name"] for one in everything["sobjects"]}) == (200, True)
    assert call("GET", "sobjects/Thing__c").json()["objectDescribe"]["name"] == "Thing__c"


def test_deleted_and_updated_records_are_listed(call):
    """Replication lists ids within a window, deletions with their date."""
    kept, gone = call.create("Account", Name="kept"), call.create("Account", Name="gone")
    call("DELETE", f"sobjects/Account/{gone}")
    window = {"start": "2026-03-02T07:00:00+00:00", "end": "2026-03-02T09:00:00+00:00"}
    assert call("GET", "sobjects/Account/updated", params=window).json()["ids"] == [kept]
    deleted = call("GET", "sobjects/Account/deleted", params=window).json()["deletedRecords"]
    assert deleted == [{"id": gone, "deletedDate": "2026-03-02T08:00:00.000+0000"}]
    assert call("GET", "sobjects/Account/deleted").json()[0]["errorCode"] == "INVALID_REPLICATION_DATE"


def test_deleted_records_are_seen_by_query_all_only(call):
    """QueryAll includes the recycle bin."""
    call("DELETE", f"sobjects/Account/{call.create('Account', Name='gone')}")
    sizes = [call("GET", what, params={"q": "SELECT Id FROM Account"}).json()["totalSize"] for what in ("query", "queryAll")]
    assert sizes == [0, 1]


def test_columns_are_told_without_rows(call):
    """With columns=true the answer is metadata, as the sf command line wants it."""
    body = call("GET", "query", params={"q": "SELECT Id, Name FROM Account", "columns": "true"}).json()
    assert (body["entityName"], [column["columnName"] for column in body["columnMetadata"]]) == ("Account", ["Id", "Name"])
