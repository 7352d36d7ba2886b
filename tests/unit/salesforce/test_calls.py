"""One call: what is repeated, what never is, and what every request carries."""

import ssl

import pytest
import requests
import responses
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import MaxRetryError, NewConnectionError
from urllib3.exceptions import SSLError as PoolSSLError

from connector.errors import ConfigError, PermanentError, TransientError
from connector.salesforce.client import AmbiguousWrite
from connector.salesforce.limits import ApiBudget
from tests.unit.salesforce.build import (
    DATA,
    EXPIRED,
    INSTANCE,
    NOW,
    ORG_ID,
    TOKEN_URL,
    Time,
    issue,
    made,
    org,
    page,
    record,
    refuse,
    sent,
    token_source,
)

QUERY = f"{DATA}/query"
COLLECTION = f"{DATA}/composite/sobjects"
ROWS = [("Case", {"Subject": "Test"})]


def unreachable() -> requests.ConnectionError:
    """What requests raises when nobody listens."""
    pool = HTTPSConnectionPool("example.my.salesforce.com")
    return requests.ConnectionError(MaxRetryError(pool, "/", NewConnectionError(pool._new_conn(), "refused")))


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503, "body": "<html>maintenance</html>"},
        {"status": 502, "body": ""},
        {"status": 500, "json": [{"errorCode": "UNKNOWN_EXCEPTION", "message": "gack"}]},
        {"status": 420, "body": ""},
        {"status": 200, "body": "<html>not json</html>"},
        {"status": 200, "json": {"records": "cut short"}},
        {"body": requests.ReadTimeout("slow")},
        {"body": requests.ConnectionError("reset")},
        {"body": requests.exceptions.ChunkedEncodingError("broken")},
        {"body": unreachable()},
        refuse(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
    ],
)
def test_reading_is_repeated_until_the_org_answers(fault: dict[str, object]):
    """A query survives two bad answers of any passing kind, or fails as transient when asked to wait long."""
    issue()
    responses.get(QUERY, **fault)
    responses.get(QUERY, **fault)
    responses.get(QUERY, json=page([record("Case", Id="500")]))
    if fault.get("status") == 403:
        with pytest.raises(TransientError) as caught:
            org().query("SELECT Id FROM Case")
        assert caught.value.retry_after == 30
    else:
        assert org().query("SELECT Id FROM Case") == [{"Id": "500"}]


def test_an_org_that_stays_away_is_transient_after_a_few_growing_pauses():
    """Four attempts, three pauses, each within seconds: the rest is the store's."""
    issue()
    responses.get(QUERY, status=503, body="<html>")
    time = Time()
    client = org(time)
    with pytest.raises(TransientError):
        client.query("SELECT Id FROM Case")
    assert client.calls == 4
    assert client.calls_repeated == 3
    assert len(time.slept) == 3
    assert sum(time.slept) < 10


def test_a_retry_after_is_honoured_when_short_and_handed_on_when_long():
    """A short wait is slept, a long one goes to the caller at once."""
    issue()
    responses.get(QUERY, status=503, body="", headers={"Retry-After": "7"})
    responses.get(QUERY, status=503, body="", headers={"Retry-After": "120"})
    time = Time()
    with pytest.raises(TransientError) as caught:
        org(time).query("SELECT Id FROM Case")
    assert time.slept == [7.0]
    assert caught.value.retry_after == 120


@pytest.mark.parametrize(
    "fault",
    [
        {"body": requests.ReadTimeout("slow")},
        {"body": requests.ConnectionError("reset")},
        {"status": 502, "body": "<html>"},
        {"status": 504, "body": ""},
        {"status": 500, "body": ""},
        {"status": 200, "body": "<html>cut"},
        {"status": 200, "json": []},
        {"status": 200, "json": [{"id": "no verdict"}]},
    ],
)
def test_a_write_whose_answer_is_lost_is_sent_once_and_never_again(fault: dict[str, object]):
    """Whether the record exists is unknown, so nothing is resent and the caller is told to read back."""
    issue()
    responses.post(COLLECTION, **fault)
    with pytest.raises(AmbiguousWrite) as caught:
        org().insert(ROWS)
    assert len(sent("composite")) == 1
    assert caught.value.saved == (None,)


@pytest.mark.parametrize(
    "fault", [{"status": 503, "body": "<html>"}, {"body": unreachable()}, {"body": requests.ConnectTimeout("slow")}, EXPIRED]
)
def test_a_write_the_org_certainly_did_not_take_is_sent_again(fault: dict[str, object]):
    """Turned away at the door, never connected or not let in: the row was not written and may be sent again."""
    issue("one", "two")
    responses.post(COLLECTION, **fault)
    responses.post(COLLECTION, json=[made()])
    assert org().insert(ROWS)[0].ok
    assert len(sent("composite")) == 2


def test_an_expired_token_is_renewed_once_and_the_call_made_again_with_the_same_headers():
    """The standing headers survive a renewal, and the new token is the one used."""
    issue("old", "new")
    responses.get(QUERY, **EXPIRED)
    responses.get(QUERY, json=page([]))
    org().query("SELECT Id FROM Case")
    before, after = (call.request.headers for call in sent("query"))
    assert before["Authorization"].endswith("!old")
    assert after["Authorization"].endswith("!new")
    for headers in (before, after):
        assert headers["Sforce-Auto-Assign"] == "FALSE"
        assert headers["Sforce-Call-Options"] == "client=dunwell"
        assert headers["Sforce-Duplicate-Rule-Header"] == "allowSave=true"
        assert headers["Sforce-Mru"] == "updateMru=false"
        assert "X-PrettyPrint" not in headers


@pytest.mark.parametrize("fault", [EXPIRED, {"status": 401, "body": "<html>who are you"}, {"status": 401, "body": ""}])
def test_an_org_that_refuses_every_token_costs_one_login_a_call_and_is_transient(fault: dict[str, object]):
    """No refresh loop, whatever the body of the 401 looks like."""
    issue("one", "two", "three")
    responses.get(QUERY, **fault)
    with pytest.raises(TransientError) as caught:
        org().query("SELECT Id FROM Case")
    assert caught.value.retry_after == 60
    assert len(sent("query")) == 2
    assert len([call for call in responses.calls if call.request.url == TOKEN_URL]) == 2


def test_a_dead_token_without_renewal_is_a_configuration_error():
    """With the access-token method the admin must act, and learns how."""
    responses.get(QUERY, **EXPIRED)
    tokens = token_source(method="token", access_token="00D000000000001!abc", instance_url=INSTANCE)
    with pytest.raises(ConfigError, match="client_credentials"):
        org(tokens=tokens).query("SELECT Id FROM Case")
    assert len(responses.calls) == 1


def test_a_used_up_daily_allowance_stops_all_calls_for_a_quarter_of_an_hour():
    """TotalRequests does not come back in seconds: one refusal, and nothing more is sent until it may help."""
    issue()
    responses.get(QUERY, **refuse(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
    client = org()
    for _ in range(3):
        with pytest.raises(TransientError) as caught:
            client.query("SELECT Id FROM Case")
        assert caught.value.retry_after == 900
    assert client.calls == 1


def test_the_last_share_of_the_allowance_is_left_to_others():
    """Once the reply says that less than the reserve is left, the next call is not made, but limits may still be asked."""
    issue()
    responses.get(QUERY, json=page([]), headers={"Sforce-Limit-Info": "api-usage=81/100"})
    responses.get(f"{DATA}/limits", json={"DailyApiRequests": {"Max": 100, "Remaining": 19}})
    client = org(budget=ApiBudget(20, now=lambda: NOW))
    client.query("SELECT Id FROM Case")
    with pytest.raises(TransientError, match="left to others"):
        client.query("SELECT Id FROM Case")
    assert client.limits()["DailyApiRequests"].remaining == 19


def test_every_request_has_a_time_out():
    """Connecting gets ten seconds at most, the answer what the settings say."""
    issue()
    responses.get(QUERY, json=page([]))
    org().query("SELECT Id FROM Case")
    assert responses.calls[0].request.req_kwargs["timeout"] == (10.0, 30.0)
    assert sent("query")[0].request.req_kwargs["timeout"] == (10.0, 30.0)


def test_a_redirect_is_never_followed_because_it_would_carry_the_token_away():
    """An org that moved is a configuration error."""
    issue()
    responses.get(QUERY, status=302, headers={"Location": "https://example.com/elsewhere"})
    with pytest.raises(ConfigError, match="My Domain"):
        org().query("SELECT Id FROM Case")
    assert len(sent("query")) == 1


def test_an_untrusted_certificate_is_for_an_admin_to_mend():
    """A certificate does not become good by waiting."""
    issue()
    pool = HTTPSConnectionPool("example.my.salesforce.com")
    problem = ssl.SSLCertVerificationError(1, "self-signed certificate")
    responses.get(QUERY, body=requests.exceptions.SSLError(MaxRetryError(pool, "/", PoolSSLError(problem))))
    with pytest.raises(ConfigError, match="certificate"):
        org().query("SELECT Id FROM Case")


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "MALFORMED_QUERY", PermanentError),
        (400, "QUERY_TIMEOUT", TransientError),
        (400, "INVALID_QUERY_LOCATOR", TransientError),
        (403, "API_DISABLED_FOR_ORG", ConfigError),
        (404, "NOT_FOUND", ConfigError),
        (410, "GONE", ConfigError),
        (414, "URI_TOO_LONG", PermanentError),
    ],
)
def test_a_refusal_says_who_must_act(status: int, code: str, expected: type[Exception]):
    """Waiting, an admin or nobody: each refusal has one of them."""
    issue()
    responses.get(QUERY, **refuse(status, code, "SELECT Secret__c FROM Case"))
    with pytest.raises(expected) as caught:
        org().query("SELECT Id FROM Case")
    assert "Secret__c" not in str(caught.value)


def test_a_field_the_org_does_not_know_is_named_but_the_query_is_not_repeated():
    """The echo of the query may hold values; only the name that is missing is passed on."""
    issue()
    text = "\nSELECT Id,Gone__c FROM Case WHERE Name = 'Ada'\n  ^\nERROR at Row:1:Column:11\nNo such column 'Gone__c' on entity 'Case'. If you are"
    responses.get(QUERY, **refuse(400, "INVALID_FIELD", text))
    with pytest.raises(ConfigError) as caught:
        org().query("SELECT Id FROM Case")
    assert "no field Gone__c on Case" in str(caught.value)
    assert "Ada" not in str(caught.value)


def test_the_wrong_org_is_refused_and_the_right_one_pinned():
    """A 15-character id names the same org as its 18-character form."""
    issue()
    client = org()
    client.verify(ORG_ID[:15])
    with pytest.raises(ConfigError, match="00D000000000009EAA"):
        client.verify("00D000000000009EAA")


def test_who_we_are_comes_from_the_identity_service():
    """Userinfo is read from the OAuth endpoints of the instance."""
    issue()
    responses.get(f"{INSTANCE}/services/oauth2/userinfo", json={"user_id": "005", "organization_id": ORG_ID, "zoneinfo": "Europe/Berlin"})
    assert org().userinfo().zoneinfo == "Europe/Berlin"
