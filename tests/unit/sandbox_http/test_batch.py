"""Composite batches: independent requests in one call."""

import pytest


def send(call, *requests, **more):
    """Post a batch of (method, url[, body])."""
    entries = [{"method": method, "url": url, **({"richInput": body[0]} if body else {})} for method, url, *body in requests]
    return call("POST", "composite/batch", json={"batchRequests": entries, **more})


def test_a_batch_answers_in_order_and_commits_as_it_goes(call):
    """A later subrequest sees what an earlier one did; results are status and body."""
    record_id = call.create("Account", Name="Meadow")
    path = f"v66.0/sobjects/Account/{record_id}"
    reply = send(call, ("PATCH", path, {"Name": "Row"}), ("GET", f"{path}?fields=Name")).json()
    assert reply["hasErrors"] is False
    assert (reply["results"][0], reply["results"][1]["result"]["Name"]) == ({"statusCode": 204, "result": None}, "Row")


def test_a_failure_undoes_nothing(call):
    """The others are tried, and hasErrors tells."""
    made = ("POST", "v66.0/sobjects/Thing__c", {"Name": "x"})
    reply = send(call, made, ("POST", "v66.0/sobjects/Thing__c", {"No__c": 1}), made).json()
    assert (reply["hasErrors"], [one["statusCode"] for one in reply["results"]]) == (True, [201, 400, 201])
    assert reply["results"][1]["result"][0]["errorCode"] == "INVALID_FIELD"
    assert call("GET", "query", params={"q": "SELECT COUNT() FROM Thing__c"}).json()["totalSize"] == 2


def test_halt_on_error_stops_what_follows(call):
    """412 BATCH_PROCESSING_HALTED for every one after the first failure."""
    made = ("POST", "v66.0/sobjects/Thing__c", {"Name": "x"})
    reply = send(call, made, ("GET", "v66.0/sobjects/None__c"), made, made, haltOnError=True).json()
    assert [one["statusCode"] for one in reply["results"]] == [201, 404, 412, 412]
    assert reply["results"][3]["result"][0]["errorCode"] == "BATCH_PROCESSING_HALTED"


@pytest.mark.parametrize(
    "request_", [("FETCH", "v66.0/limits"), ("GET", "limits"), ("GET", "v67.0/limits"), ("GET", "v33.0/limits"), ("GET", "v66.0/composite")]
)
def test_a_bad_subrequest_refuses_the_batch_whole(call, request_):
    """A wrong method or URL, a version newer than the batch's or before 34.0, a resource that cannot be batched."""
    reply = send(call, ("POST", "v66.0/sobjects/Thing__c", {"Name": "x"}), request_)
    assert reply.status_code == 400
    assert call("GET", "query", params={"q": "SELECT COUNT() FROM Thing__c"}).json()["totalSize"] == 0


def test_twenty_five_are_the_most_and_each_is_a_call(call, admin):
    """Subrequests of a batch count against the limit of calls."""
    assert send(call, *[("GET", "v66.0/limits")] * 26).status_code == 400
    admin("/usage", {"api_calls": 0})
    reply = send(call, *[("GET", "v66.0/limits")] * 25)
    assert (reply.json()["hasErrors"], reply.headers["Sforce-Limit-Info"]) == (False, "api-usage=25/100000")
