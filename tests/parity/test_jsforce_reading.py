"""jsforce logs in, queries and describes as it does against a real org."""

import pytest

from sandbox.org.org import ORG_ID


@pytest.fixture(scope="module")
def seen(jsforce):
    """What jsforce read, in one go."""
    return jsforce("reading")


def test_it_logs_in_by_assertion_and_by_secret(seen, org):
    """Both grants give a session of the integration user, and the identity says whose it is."""
    assert seen["jwt"]["id"] == seen["client_credentials"]["id"] == org.integration.id
    assert seen["jwt"]["organizationId"] == ORG_ID
    assert seen["jwt"]["instanceUrl"] == org.instance_url
    assert (seen["identity"]["username"], seen["identity"]["user_id"]) == (org.username, org.integration.id)
    assert seen["identity"]["urls"]["custom_domain"] == org.instance_url
    assert seen["identity"]["photos"]["thumbnail"] == f"{org.instance_url}/profilephoto/005/T"


def test_a_stranger_is_refused_in_the_words_of_oauth(seen):
    """The error of a refused grant becomes jsforce's own error name and message."""
    assert (seen["strangers"]["name"], seen["strangers"]["message"]) == ("invalid_grant", "user hasn't approved this consumer")


def test_a_dead_session_is_known_as_one_and_revived_once(seen):
    """INVALID_SESSION_ID makes jsforce refresh its session and ask again; without a way to refresh it is an error."""
    assert (seen["dead"]["name"], seen["dead"]["message"]) == ("INVALID_SESSION_ID", "Session expired or invalid")
    assert seen["revived"] == {"refreshes": 1, "rows": 1}


def test_versions_are_listed_oldest_first(seen):
    """A client finds the newest version last."""
    numbers = [float(one["version"]) for one in seen["versions"]]
    assert numbers == sorted(numbers)
    assert seen["versions"][-1]["url"] == f"/services/data/v{seen['versions'][-1]['version']}"


def test_pages_are_followed_to_the_end(seen):
    """Every row is fetched once, over as many pages as there are."""
    total = seen["page"]["totalSize"]
    assert (seen["page"]["rows"], seen["page"]["done"], seen["next"]) == (200, False, 200)
    assert total > 400
    assert (seen["auto_fetch"]["total"], seen["auto_fetch"]["distinct"], seen["count"]) == (total, total, total)
    assert seen["auto_fetch"]["fetchedBy"] == -(-total // 200)


def test_rows_carry_their_attributes(seen):
    """Type and URL stand in front of the selected fields; aggregates have a type of their own."""
    row = seen["first_row"]
    assert list(row) == ["attributes", "Id", "Name"]
    assert row["attributes"] == {
        "type": "cpm__Installment__c",
        "url": f"/services/data/v66.0/sobjects/cpm__Installment__c/{row['Id']}",
    }
    assert {one["attributes"]["type"] for one in seen["aggregate"]} == {"AggregateResult"}
    assert sum(one["many"] for one in seen["aggregate"]) == seen["count"]


def test_a_chained_query_reads_children(seen):
    """A subquery built by jsforce is answered."""
    assert seen["children"] == 3


def test_an_object_describes_itself(seen):
    """What jsforce knows of an object is what the metadata says."""
    told = seen["sobject_describe"]
    assert (told["name"], told["label"], told["custom"]) == ("cpm__Installment__c", "Installment", True)
    assert seen["first_row"]["Id"].startswith(told["keyPrefix"])
    assert (told["key"]["externalId"], told["key"]["idLookup"], told["key"]["type"], told["key"]["length"]) == (True, True, "string", 50)
    assert seen["describe_cached"] == "Case"
    assert {"Account", "Case", "Contact", "Task", "User", "cpm__Installment__c", "Payment_Outcome__e"} <= set(seen["global"])


def test_limits_are_told_in_full_and_on_the_side(seen):
    """The limits resource and the header of every reply speak of the same counter."""
    daily = seen["limits"]["DailyApiRequests"]
    usage = seen["limit_info"]["apiUsage"]
    assert usage["limit"] == daily["Max"]
    assert 0 < usage["used"] <= daily["Max"]
    assert daily["Max"] - daily["Remaining"] <= usage["used"]


@pytest.mark.parametrize(
    ("what", "code", "words"),
    [
        ("bad_field", "INVALID_FIELD", "No such column 'Nonsense__c' on entity 'Case'"),
        ("bad_type", "INVALID_TYPE", "sObject type 'Nonsense__c' is not supported"),
        ("bad_syntax", "MALFORMED_QUERY", "ERROR at Row:1:Column:"),
        ("bad_locator", "INVALID_QUERY_LOCATOR", "invalid query locator"),
        ("no_resource", "NOT_FOUND", "The requested resource does not exist"),
    ],
)
def test_a_refusal_is_named_by_its_code(seen, what, code, words):
    """The platform's code becomes the name of the error, and its message is kept."""
    refused = seen[what]
    assert refused["refused"]
    assert (refused["name"], refused["code"]) == (code, code)
    assert words in refused["message"]
