"""Bad days on request: what each fault does, and that it is counted and repeatable."""

import pytest
import requests

from sandbox.faults import Faults, FaultSpec


def things(count):
    """Record bodies of a collection."""
    return [{"attributes": {"type": "Thing__c"}, "Name": str(number)} for number in range(count)]


def total(call):
    """How many things the org has."""
    return call("GET", "query", params={"q": "SELECT Id FROM Thing__c"}).json()["totalSize"]


def test_a_status_fault_answers_html_and_changes_nothing(call, admin):
    """503 with an html body, once, and nothing was executed."""
    admin("/faults", {"kind": "http_status"})
    reply = call("POST", "sobjects/Thing__c", json={"Name": "a"})
    assert (reply.status_code, reply.headers["Content-Type"].partition(";")[0]) == (503, "text/html")
    assert total(call) == 0


def test_a_fault_may_wait_for_a_method_and_a_path(call, admin):
    """Only matching requests are hit, after those let through."""
    admin("/faults", {"kind": "http_status", "status": 500, "method": "post", "path": "composite", "after": 1})
    body = {"records": things(1)}
    assert [call("POST", "composite/sobjects", json=body).status_code for _ in range(3)] == [200, 500, 200]


def test_a_dropped_connection_executes_nothing(call, admin):
    """The client sees the connection end."""
    admin("/faults", {"kind": "drop", "method": "POST"})
    with pytest.raises(requests.ConnectionError):
        call("POST", "sobjects/Thing__c", json={"Name": "a"})
    assert total(call) == 0


def test_a_lost_answer_leaves_the_work_done(call, admin):
    """timeout_after_commit: the record is there although nobody said so."""
    admin("/faults", {"kind": "timeout_after_commit", "method": "POST"})
    with pytest.raises(requests.ConnectionError):
        call("POST", "sobjects/Thing__c", json={"Name": "a"})
    assert total(call) == 1


def test_locked_rows_fail_alone(call, admin):
    """UNABLE_TO_LOCK_ROW hits single records of a collection, the others are saved."""
    admin("/faults", {"kind": "row_lock", "count": 2, "sobject": "Thing__c"})
    results = call("POST", "composite/sobjects", json={"records": things(4)}).json()
    assert [result["success"] for result in results] == [False, False, True, True]
    assert results[0]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"


def test_an_exhausted_limit_is_403(call, admin):
    """By fault, and by using up the day's calls, which come back after 24 hours of org time."""
    admin("/faults", {"kind": "limit_exhausted"})
    assert call("GET", "limits").json()[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"
    admin("/usage", {"api_calls": 100_000})
    reply = call("GET", "limits")
    assert (reply.status_code, reply.headers["Sforce-Limit-Info"]) == (403, "api-usage=100000/100000")
    admin("/clock", {"advance_seconds": 86_400})
    assert call("GET", "limits").json()["DailyApiRequests"] == {"Max": 100_000, "Remaining": 99_999}


def test_the_token_endpoint_fails_when_named(box, admin):
    """Faults without a path leave OAuth alone."""
    admin(
        "/faults",
        [{"kind": "http_status"}, {"kind": "http_status", "path": "oauth2/token", "status": 400, "body": {"error": "invalid_grant"}}],
    )
    url = f"{box.instance_url}/services/oauth2/token"
    form = {"grant_type": "client_credentials", "client_id": box.client_id, "client_secret": box.client_secret}
    assert [requests.post(url, data=form, timeout=10).status_code for _ in range(2)] == [400, 200]


def test_latency_comes_before_the_answer(call, admin):
    """The reply arrives no earlier than asked."""
    admin("/faults", {"kind": "latency", "seconds": 0.2})
    assert call("GET", "limits").elapsed.total_seconds() >= 0.2


def test_chance_is_the_same_for_the_same_seed():
    """Two runs with one seed fail at the same requests, and some do not fail."""

    def run(seed):
        faults = Faults()
        faults.arm(FaultSpec(kind="drop", count=None, probability=0.5, seed=seed))
        return [faults.take("drop") is not None for _ in range(40)]

    assert run(7) == run(7)
    assert set(run(7)) == {True, False}
    assert run(7) != run(8)


def test_faults_are_listed_and_cleared(admin):
    """The admin port shows what is left, and removes one or all."""
    admin("/faults", [{"kind": "drop"}, {"kind": "latency", "count": 3}])
    assert [(one["id"], one["kind"], one["left"]) for one in admin("/faults")] == [(1, "drop", 1), (2, "latency", 3)]
    assert [one["id"] for one in admin("/faults/1", method="DELETE")] == [2]
    assert admin("/faults", method="DELETE") == []


def test_a_token_may_expire_or_be_revoked_under_a_request(call, admin):
    """The request that is hit answers 401 and changes nothing; a refresh token outlives expiry, not revocation."""
    for kind in ("expire_token", "revoke_token"):
        call.session.headers["Authorization"] = f"Bearer {call.box.token(call.username)}"
        admin("/faults", {"kind": kind, "method": "POST"})
        assert call("GET", "limits").status_code == 200
        reply = call("POST", "sobjects/Thing__c", json={"Name": "a"})
        assert (reply.status_code, reply.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")
        assert call("GET", "limits").status_code == 401
    call.session.headers["Authorization"] = f"Bearer {call.box.token(call.username)}"
    assert total(call) == 0


@pytest.mark.parametrize(
    ("more", "status", "body"),
    [
        ({}, 400, {"error": "invalid_grant", "error_description": "expired access/refresh token"}),
        ({"reason": "user is locked"}, 400, {"error": "invalid_grant", "error_description": "user is locked"}),
        (
            {"error": "server_error", "reason": "try later", "status": 503},
            503,
            {"error": "server_error", "error_description": "try later"},
        ),
    ],
)
def test_the_token_endpoint_may_refuse(box, admin, more, status, body):
    """Once, in the words asked for; the next grant is given."""
    admin("/faults", {"kind": "token_refused", **more})
    form = {"grant_type": "client_credentials", "client_id": box.client_id, "client_secret": box.client_secret}
    first, second = (requests.post(f"{box.instance_url}/services/oauth2/token", data=form, timeout=10) for _ in range(2))
    assert (first.status_code, first.json(), second.status_code) == (status, body, 200)


def test_an_answer_may_be_cut_in_the_middle(call, admin):
    """Head and half of the body come, then the connection ends; the work is done."""
    admin("/faults", {"kind": "cut_body", "method": "POST"})
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        call("POST", "sobjects/Thing__c", json={"Name": "a"})
    with requests.post(
        f"{call.box.instance_url}/services/data/v66.0/sobjects/Thing__c", json={"Name": "b"}, headers=call.session.headers, timeout=10
    ) as whole:
        assert whole.status_code == 201
    assert total(call) == 2


def test_a_cut_answer_has_its_head(call, admin):
    """What was announced is longer than what comes."""
    admin("/faults", {"kind": "cut_body"})
    with call.session.get(f"{call.box.instance_url}/services/data/v66.0/sobjects/Thing__c", stream=True, timeout=10) as reply:
        assert reply.status_code == 200
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
            assert reply.content


def test_the_date_header_follows_the_org_and_may_be_beside_it(call, admin):
    """Every answer is dated by the org's clock; a fault moves one date ahead or behind."""
    assert call("GET", "limits").headers["Date"] == "Mon, 02 Mar 2026 08:00:00 GMT"
    admin("/faults", {"kind": "clock_skew", "seconds": -90})
    assert call("GET", "limits").headers["Date"] == "Mon, 02 Mar 2026 07:58:30 GMT"
    assert call("GET", "limits").headers["Date"] == "Mon, 02 Mar 2026 08:00:00 GMT"


def test_publishing_may_hit_its_limit(call, admin):
    """LIMIT_EXCEEDED for one event of the object named, among others of a collection."""
    admin("/faults", {"kind": "publish_limit", "sobject": "Outcome__e"})
    records = [
        {"attributes": {"type": name}, **fields}
        for name, fields in (("Alarm__e", {"Text__c": "a"}), ("Outcome__e", {}), ("Outcome__e", {}))
    ]
    results = call("POST", "composite/sobjects", json={"records": records}).json()
    assert [result["success"] for result in results] == [True, False, True]
    assert results[1]["errors"][0]["statusCode"] == "LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "row_lock", "status": 400},
        {"kind": "latency", "seconds": -1},
        {"kind": "drop", "advice": {}},
        {"kind": "bayeux", "on": "publish"},
    ],
)
def test_a_member_that_its_kind_does_not_know_is_refused(box, body):
    """A fault never does less than it says."""
    assert requests.post(f"{box.admin_url}/faults", json=body, timeout=10).status_code == 400


def test_a_misspelt_fault_is_refused(box):
    """Unknown kinds and members answer 400, so that a test never waits for a fault that is not armed."""
    for body in ({"kind": "dorp"}, {"kind": "drop", "cuont": 2}, {"kind": "drop", "path": "("}):
        assert requests.post(f"{box.admin_url}/faults", json=body, timeout=10).status_code == 400
