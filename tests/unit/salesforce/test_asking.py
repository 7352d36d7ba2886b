"""Questions whose refusal is an answer, and the first word with an org."""

from datetime import UTC, datetime, timedelta

import pytest
import requests
import responses

from connector.errors import TransientError
from connector.salesforce.asking import Asking
from connector.salesforce.certificates import ends_at
from connector.salesforce.greeting import Greeting, greet
from tests.unit.salesforce.build import DATA, INSTANCE, issue, org, page, record, refuse, sent

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
VERSIONS = [{"label": "Spring '26", "url": "/services/data/v66.0", "version": "66.0"}]


def answers(*entries):
    """A composite reply with a status of its own for each subrequest."""
    told = [
        {"body": body, "httpHeaders": {}, "httpStatusCode": status, "referenceId": f"r{at}"} for at, (status, body) in enumerate(entries)
    ]
    responses.post(f"{DATA}/composite", json={"compositeResponse": told})


def test_a_question_that_is_refused_harms_no_other():
    """What this user may not ask is not told; the rest is."""
    issue()
    refused = [{"errorCode": "INVALID_TYPE", "message": "sObject type 'PackageLicense' is not supported."}]
    denied = [{"errorCode": "INSUFFICIENT_ACCESS", "message": ""}]
    answers((200, page([record("Group", Id="1")])), (400, refused), (403, denied), (200, page([])))
    assert Asking(org()).rows(["SELECT Id FROM A", "SELECT Id FROM B", "SELECT Id FROM C", "SELECT Id FROM D"]) == [
        [{"Id": "1"}],
        None,
        None,
        [],
    ]


def test_ten_questions_take_two_calls():
    """The platform takes five queries in a composite call (salesforce.md C.6)."""
    issue()
    for _ in range(2):
        answers(*[(200, page([]))] * 5)
    assert Asking(org()).rows([f"SELECT Id FROM T{at}" for at in range(10)]) == [[]] * 10
    assert len(sent("composite")) == 2


@pytest.mark.parametrize(("status", "code"), [(403, "REQUEST_LIMIT_EXCEEDED"), (503, "SERVER_UNAVAILABLE")])
def test_an_org_that_cannot_answer_now_is_no_answer(status, code):
    """A used-up allowance is not taken for a permission that is missing."""
    issue()
    for _ in range(5):
        answers((status, [{"errorCode": code, "message": "TotalRequests Limit exceeded."}]))
    with pytest.raises(TransientError):
        Asking(org()).rows(["SELECT Id FROM A"])


def test_limits_and_metadata_may_be_refused():
    """A user without View Setup and Configuration is told nothing, and that is no failure."""
    issue()
    responses.get(f"{DATA}/limits", **refuse(403, "FUNCTIONALITY_NOT_ENABLED"))
    responses.get(f"{DATA}/tooling/query", **refuse(400, "INVALID_TYPE", "sObject type 'ValidationRule' is not supported."))
    asking = Asking(org())
    assert (asking.limits(), asking.tooling("SELECT Id FROM ValidationRule")) == (None, None)


def test_names_of_all_objects():
    """From the list of all that this user sees."""
    issue()
    responses.get(f"{DATA}/sobjects", json={"encoding": "UTF-8", "sobjects": [{"name": "Account"}, {"name": "Case"}]})
    assert Asking(org()).names() == ("Account", "Case")


def test_the_clock_is_read_from_the_middle_of_the_answer():
    """The way there and back does not count as a difference."""
    times = iter([NOW, NOW + timedelta(seconds=4)])
    responses.get(f"{INSTANCE}/services/data", json=VERSIONS, headers={"Date": "Mon, 02 Mar 2026 09:01:32 GMT"})
    assert greet(INSTANCE, lambda: next(times)) == Greeting(("66.0",), 90.0)


@pytest.mark.parametrize(
    "reply",
    [
        {"status": 404, "body": "not here"},
        {"json": {"error": "no"}},
        {"body": requests.ConnectionError("no")},
        {"status": 503, "body": "<html>"},
    ],
)
def test_what_is_not_an_org_tells_no_time(reply):
    """A proxy's clock, or nobody's, is not the org's."""
    responses.get(f"{INSTANCE}/services/data", headers={"Date": "Mon, 02 Mar 2026 09:01:32 GMT"}, **reply)
    assert greet(INSTANCE, lambda: NOW) == Greeting()


def test_an_answer_without_a_date_tells_no_time():
    """No header, or one that is none."""
    for headers in ({}, {"Date": "yesterday"}):
        responses.get(f"{INSTANCE}/services/data", json=VERSIONS, headers=headers)
        assert greet(INSTANCE, lambda: NOW) == Greeting(("66.0",), None)


def test_no_certificate_is_found_where_there_is_none(key_file):
    """Nor in a file that only looks like one."""
    assert ends_at(key_file) is None
    key_file.with_suffix(".crt").write_text("-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n")
    assert ends_at(key_file) is None
    assert ends_at(key_file.with_name("absent.key")) is None
