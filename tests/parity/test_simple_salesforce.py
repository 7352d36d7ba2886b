"""simple-salesforce works with the org as it does with a real one: signing in, reading, writing, refusals."""

import warnings
from datetime import UTC, datetime, timedelta

import pytest
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)
from simple_salesforce.format import format_external_id, format_soql

from sandbox import FaultSpec
from sandbox.org.org import ORG_ID
from tests.parity.conftest import ADMIN
from tests.parity.simple import MY_DOMAIN, by_token, session


@pytest.fixture
def sf(org):
    """A client of an administrator, closed afterwards."""
    client = by_token(org, org.token(ADMIN))
    with client.session:
        yield client


def signed_in(org, **how):
    """A client that signs in itself, and the statuses it met."""
    made, adapter = session(org)
    return Salesforce(**{"version": "66.0", "session": made, "domain": MY_DOMAIN, **how}), adapter


def test_it_signs_in_by_assertion(org):
    """JWT bearer, with an expiry in text; the session is the integration user's."""
    sf, _ = signed_in(org, username=org.username, consumer_key=org.client_id, privatekey_file=str(org.key_file))
    with sf.session:
        assert (sf.auth_type, sf.sf_instance) == ("jwt-bearer", org.instance_url.removeprefix("http://"))
        assert sf.query("SELECT Id FROM Organization")["records"][0]["Id"] == ORG_ID


def test_it_signs_in_by_secret(org):
    """Client credentials in a Basic header."""
    sf, _ = signed_in(org, consumer_key=org.client_id, consumer_secret=org.client_secret)
    with sf.session:
        assert (sf.auth_type, sf.oauth2("userinfo")["preferred_username"]) == ("client-credentials", org.username)


def test_it_signs_in_by_password_where_the_org_allows_it(org):
    """The username-password grant: refused by default, served once the option is set."""
    how = {"username": ADMIN, "password": "not-a-secret", "consumer_key": org.client_id, "consumer_secret": org.client_secret}
    with pytest.raises(SalesforceAuthenticationFailed):
        signed_in(org, **how)
    org.run(lambda: setattr(org.platform.options, "user_password", "not-a-secret"))
    try:
        sf, _ = signed_in(org, **how)
        with sf.session:
            assert sf.query(format_soql("SELECT Username FROM User WHERE Username = {}", ADMIN))["totalSize"] == 1
    finally:
        org.run(lambda: setattr(org.platform.options, "user_password", None))


@pytest.mark.parametrize(("version", "code"), [("64.0", "INVALID_OPERATION"), ("30.0", "UNSUPPORTED_API_VERSION")])
@pytest.mark.parametrize("how", [{"security_token": "x"}, {"organizationId": ORG_ID}])
def test_soap_login_is_refused_with_a_fault_it_reads(org, how, version, code):
    """Login by SOAP is off in new orgs; the library finds the code in the fault."""
    with pytest.raises(SalesforceAuthenticationFailed) as refused:
        signed_in(org, username=ADMIN, password="x", version=version, **how)
    assert refused.value.code == code


def test_a_stranger_is_refused_in_the_words_of_oauth(org):
    """An unknown user gets invalid_grant, and the library's own advice."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(SalesforceAuthenticationFailed, match="user hasn't approved this consumer"):
            signed_in(org, username="nobody@sandbox.example", consumer_key=org.client_id, privatekey_file=str(org.key_file))


def test_an_expired_session_is_refreshed_and_the_call_repeated(org):
    """One 401, one new token, the answer; a client that cannot refresh says so."""
    sf, adapter = signed_in(org, consumer_key=org.client_id, consumer_secret=org.client_secret)
    with sf.session:
        old = sf.session_id
        sf.Account.describe()
        org.run(lambda: org.tokens.expire(value=old))
        adapter.statuses.clear()
        assert sf.query("SELECT Id FROM Account LIMIT 1")["done"] is True
        assert (adapter.statuses, sf.session_id != old) == ([401, 200, 200], True)
        org.run(lambda: org.tokens.expire(value=sf.session_id))
        assert sf.Account.metadata()["objectDescribe"]["name"] == "Account"
    dead = by_token(org, "00D000000000001!dead")
    with dead.session, pytest.raises(SalesforceExpiredSession) as expired:
        dead.Account.describe()
    assert expired.value.content == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


def test_rows_are_paged_and_each_comes_once(sf, org):
    """query, query_more, query_all and the lazy query_all_iter agree."""
    wanted = [org.run(lambda: org.org.bulk_load("Contact", [{"LastName": f"Paged {number:03}"} for number in range(450)]))][0]
    soql = "SELECT Id FROM Contact WHERE LastName LIKE 'Paged %' ORDER BY LastName"
    first = sf.query(soql)
    assert (first["totalSize"], first["done"], len(first["records"])) == (450, False, 200)
    second = sf.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    third = sf.query_more(second["nextRecordsUrl"].rsplit("/", 1)[1])
    assert [row["Id"] for page in (first, second, third) for row in page["records"]] == wanted
    assert [row["Id"] for row in sf.query_all(soql)["records"]] == wanted
    lazy = sf.query_all_iter(soql)
    assert (next(lazy)["Id"], sum(1 for _ in lazy)) == (wanted[0], 449)


def test_a_record_lives_and_dies(sf):
    """create, get, update, delete; include_deleted still sees it."""
    made = sf.Account.create({"Name": "O'Brien & Sons"})
    assert (made["success"], made["errors"]) == (True, [])
    assert sf.Account.get(made["id"])["Name"] == "O'Brien & Sons"
    assert sf.Account.update(made["id"], {"Name": "Row"}) == 204
    soql = format_soql("SELECT Name FROM Account WHERE Id = {}", made["id"])
    assert sf.query(soql)["records"][0]["Name"] == "Row"
    assert sf.Account.delete(made["id"]) == 204
    assert (sf.query(soql)["totalSize"], sf.query(soql, include_deleted=True)["totalSize"]) == (0, 1)


@pytest.mark.parametrize("key", ["plain-1", "a/b?c#d", "50%é"])
def test_an_external_id_is_one_whatever_stands_in_it(sf, key):
    """Quoted by format_external_id, it creates, then updates, then finds the record (but for spaces, which it reads back as +)."""
    path = format_external_id("Dunwell_Key__c", key)
    assert sf.Task.upsert(path, {"Subject": "first"}) == 201
    assert sf.Task.upsert(path, {"Subject": "second"}, raw_response=True).json()["created"] is False
    assert sf.Task.get_by_custom_id("Dunwell_Key__c", key)["Subject"] == "second"


def test_objects_are_described(sf):
    """All of them, one of them, its metadata."""
    names = {one["name"] for one in sf.describe()["sobjects"]}
    assert {"Account", "Case", "Task", "cpm__Installment__c"} <= names
    fields = {field["name"]: field for field in sf.cpm__Installment__c.describe()["fields"]}
    assert fields["cpm__External_ID__c"]["externalId"] is True
    assert sf.Case.metadata()["objectDescribe"]["keyPrefix"] == "500"
    assert sf.is_sandbox() in {True, False}


def test_changes_are_listed(sf):
    """Updated and deleted within a window around now."""
    kept, gone = (sf.Account.create({"Name": name})["id"] for name in ("kept", "gone"))
    sf.Account.delete(gone)
    window = (datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(minutes=5))
    assert kept in sf.Account.updated(*window)["ids"]
    assert gone in {one["id"] for one in sf.Account.deleted(*window)["deletedRecords"]}


def test_limits_and_usage_are_told(sf, org):
    """What /limits says agrees with the header of the same reply, the app's own usage included."""
    org.run(lambda: setattr(org.platform.options, "app_limit", 50_000))
    try:
        limits = sf.limits()["DailyApiRequests"]
        usage = sf.api_usage
    finally:
        org.run(lambda: setattr(org.platform.options, "app_limit", None))
    assert (usage["api-usage"].total, usage["api-usage"].total - usage["api-usage"].used) == (limits["Max"], limits["Remaining"])
    assert (usage["per-app-api-usage"].total, usage["per-app-api-usage"].name) == (50_000, "Integration")


def test_many_records_go_in_one_call(sf):
    """Composite, graph and collections through ``restful``."""
    root = "/services/data/v66.0/sobjects"
    requests = [
        {"method": "POST", "url": f"{root}/Account", "referenceId": "acc", "body": {"Name": "Composite"}},
        {"method": "POST", "url": f"{root}/Contact", "referenceId": "con", "body": {"LastName": "Reed", "AccountId": "@{acc.id}"}},
    ]
    answers = sf.restful("composite", method="POST", json={"allOrNone": True, "compositeRequest": requests})["compositeResponse"]
    assert [one["httpStatusCode"] for one in answers] == [201, 201]
    graphs = {"graphs": [{"graphId": "one", "compositeRequest": requests}]}
    assert sf.restful("composite/graph", method="POST", json=graphs)["graphs"][0]["isSuccessful"] is True
    rows = [{"attributes": {"type": "Account"}, "Name": "a"}, {"attributes": {"type": "Account"}}]
    good, bad = sf.restful("composite/sobjects", method="POST", json={"records": rows})
    assert (good["success"], bad["errors"][0]["statusCode"]) == (True, "REQUIRED_FIELD_MISSING")
    gone = sf.restful("composite/sobjects", {"ids": good["id"], "allOrNone": "true"}, method="DELETE")
    assert gone == [{"id": good["id"], "success": True, "errors": []}]


def test_refusals_become_its_exceptions(sf, org):
    """300, 400, 403, 404 and the rest, each with the platform's body."""
    for _ in range(2):
        sf.cpm__Payment__c.create({"cpm__External_ID__c": "twice"})
    with pytest.raises(SalesforceMoreThanOneRecord) as several:
        sf.cpm__Payment__c.upsert("cpm__External_ID__c/twice", {})
    assert len(several.value.content) == 2
    with pytest.raises(SalesforceMalformedRequest) as malformed:
        sf.query("SELECT Nothing FROM Account")
    assert malformed.value.content[0]["errorCode"] == "INVALID_FIELD"
    with pytest.raises(SalesforceResourceNotFound) as missing:
        sf.Nothing__c.describe()
    assert missing.value.content == [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}]
    org.run(lambda: org.platform.faults.arm(FaultSpec(kind="limit_exhausted")))
    with pytest.raises(SalesforceRefusedRequest) as refused:
        sf.limits()
    assert refused.value.content[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"
    org.run(lambda: org.platform.faults.arm(FaultSpec(kind="http_status", status=503)))
    with pytest.raises(SalesforceGeneralError) as down:
        sf.limits()
    assert down.value.status == 503
    with pytest.raises(SalesforceMalformedRequest) as unsearchable:
        sf.search("FIND {Meadow}")
    assert unsearchable.value.content[0]["errorCode"] == "FUNCTIONALITY_NOT_ENABLED"


def test_old_versions_answer_as_they_did(org):
    """Version 45 has no body after an update by external id; a retired version is gone."""
    old = by_token(org, org.token(ADMIN), "45.0")
    with old.session:
        assert [old.Task.upsert("Dunwell_Key__c/old-1", {"Subject": "x"}) for _ in range(2)] == [201, 204]
    retired = by_token(org, org.token(ADMIN), "30.0")
    with retired.session, pytest.raises(SalesforceGeneralError) as gone:
        retired.limits()
    assert gone.value.status == 410
