"""Collections where rows disagree: named twice, rolled back, of another object, not there."""

import pytest


def things(**keys):
    """Record bodies of things by name and key."""
    return [{"attributes": {"type": "Thing__c"}, "Name": name, "Key__c": key} for name, key in keys.items()]


def codes(reply):
    """Each row's error code, or None."""
    return [row["errors"][0]["statusCode"] if row["errors"] else None for row in reply.json()]


def test_too_many_records_are_refused_in_the_platforms_words(call):
    """The text names the limit."""
    for method, path, more in (
        ("POST", "composite/sobjects", {"json": {"records": things(a="k") * 201}}),
        ("DELETE", "composite/sobjects?ids=" + ",".join(["001000000000000AAA"] * 201), {}),
    ):
        message = call(method, path, **more).json()[0]["message"]
        assert message == "record limit reached. cannot submit more than 200 records into this call"


@pytest.mark.parametrize(
    ("fail_all", "expected"), [(True, ["DUPLICATE_VALUE", None, "DUPLICATE_VALUE"]), (False, [None, None, "DUPLICATE_VALUE"])]
)
def test_an_external_id_named_twice_is_refused(call, admin, fail_all, expected):
    """Both rows fail, or with the option all but the first; the others are saved."""
    admin("/settings", {"duplicates_fail_all": fail_all})
    reply = call("PATCH", "composite/sobjects/Thing__c/Key__c", json={"records": things(a="k1", b="k2", c="k1")})
    assert codes(reply) == expected
    assert reply.json()[2]["errors"][0] == {
        "statusCode": "DUPLICATE_VALUE",
        "message": "Duplicate external id specified: k1",
        "fields": ["Key__c"],
    }


def test_an_id_named_twice_in_an_update_is_refused(call):
    """In either length, and only the rows concerned."""
    first, other = call.create("Thing__c", Name="a"), call.create("Thing__c", Name="b")
    rows = [{"attributes": {"type": "Thing__c"}, "Id": one, "Name": "z"} for one in (first, first[:15], other)]
    reply = call("PATCH", "composite/sobjects", json={"records": rows})
    assert codes(reply) == ["DUPLICATE_VALUE", "DUPLICATE_VALUE", None]
    assert reply.json()[0]["errors"][0]["message"] == f"Duplicate id specified: {first}"


def test_an_upsert_by_id_creates_where_the_id_is_null(call):
    """A recorded quirk: PATCH .../Id with "Id": null inserts."""
    known = call.create("Thing__c", Name="a")
    rows = [{"attributes": {"type": "Thing__c"}, "Id": one, "Name": "z"} for one in (None, known, "")]
    reply = call("PATCH", "composite/sobjects/Thing__c/Id", json={"records": rows})
    assert [row["created"] for row in reply.json()] == [True, False, True]


def test_upserts_of_collections_came_with_version_46(call):
    """Earlier versions have no such method."""
    reply = call("PATCH", "/services/data/v45.0/composite/sobjects/Thing__c/Key__c", json={"records": things(a="k")})
    assert reply.status_code == 405


def test_rolled_back_rows_keep_the_ids_they_had(call):
    """Updates and deletes name the record, creations do not; the guilty row keeps its own error."""
    known = call.create("Thing__c", Name="a", Key__c="k1")
    rows = [*things(a="k1"), {**things(b="k2")[0], "No__c": 1}]
    for allowed, expected in (
        (True, [{"id": known, "success": False}, {"success": False}]),
        (False, [{"id": known, "success": True}, {"success": False}]),
    ):
        reply = call("PATCH", "composite/sobjects/Thing__c/Key__c", json={"allOrNone": allowed, "records": rows}).json()
        assert [{key: row[key] for key in ("id", "success") if key in row} for row in reply] == expected
    gone = call("DELETE", f"composite/sobjects?ids={known},{known[:-4]}9AAA&allOrNone=true").json()
    assert (gone[0]["id"], gone[0]["errors"][0]["statusCode"]) == (known, "ALL_OR_NONE_OPERATION_ROLLED_BACK")
    assert call("GET", f"sobjects/Thing__c/{known}").status_code == 200


def test_no_inner_mark_reaches_the_client(call):
    """A result has id, success, errors, and created for upserts: nothing else."""
    reply = call("PATCH", "composite/sobjects/Thing__c/Key__c", json={"records": things(a="k1")}).json()
    assert [*reply[0]] == ["id", "success", "errors", "created"]
    rows = [{"attributes": {"type": "Thing__c"}, "id": reply[0]["id"], "Name": "z"}]
    assert [*call("PATCH", "composite/sobjects", json={"records": rows}).json()[0]] == ["id", "success", "errors"]


def test_ids_that_lead_nowhere_have_codes_of_save_results(call):
    """Another object's id is malformed, a free one an invalid cross reference, a deleted record is deleted."""
    account, gone = call.create("Account", Name="a"), call.create("Thing__c", Name="a")
    call("DELETE", f"sobjects/Thing__c/{gone}")
    rows = [{"attributes": {"type": "Thing__c"}, "id": one, "Name": "z"} for one in (account, f"{gone[:-4]}9AAA", gone)]
    reply = call("PATCH", "composite/sobjects", json={"records": rows})
    assert codes(reply) == ["MALFORMED_ID", "INVALID_CROSS_REFERENCE_KEY", "ENTITY_IS_DELETED"]
    assert reply.json()[0]["errors"][0]["message"] == f"Thing__c ID: id value of incorrect type: {account}"
    assert codes(call("DELETE", "composite/sobjects?ids=nothing")) == ["MALFORMED_ID"]
