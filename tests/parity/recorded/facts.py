"""What real orgs were recorded to answer, as facts: status, keys, codes and words; no copies of the recordings.

Sources: CumulusCI's cassettes (SFDO-Tooling/CumulusCI, BSD-3; the file's name below cumulusci/), restforce's fixtures
(restforce/restforce, MIT; the file's name below spec/fixtures), and answers quoted in issues and questions.
A pattern is matched whole: a type stands for any value of it, a compiled expression for a text, a list of one element and
``...`` for a list of such elements; every other value for itself, an object for exactly its keys.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Pattern = Any
ID = re.compile(r"[A-Za-z0-9]{18}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000")
HTTP_DATE = re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")
SAVED = {"id": ID, "success": True, "errors": []}
NOT_FOUND = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
FUTURE = {"If-Modified-Since": "Thu, 03 Sep 2099 21:35:07 GMT"}
XYZZY = (
    "\nselect count() from XYZZY\n                    ^\nERROR at Row:1:Column:21\nsObject type 'XYZZY' is not supported. If you are "
    "attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe "
    "call for the appropriate names."
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One request and what was answered; ``{account}`` and the like in path and body stand for records the test makes."""

    what: str
    source: str
    method: str
    path: str
    status: int
    pattern: Pattern
    body: object = None
    version: str = "66.0"
    headers: Mapping[str, str] = field(default_factory=dict)


def row(kind: str, **fields: Pattern) -> Pattern:
    """A record with its attributes."""
    return {"attributes": {"type": kind, "url": re.compile(rf"/services/data/v66\.0/sobjects/{kind}/\w{{18}}")}, **fields}


def results(*records: Pattern) -> Pattern:
    """A query's only page."""
    return {"totalSize": int, "done": True, "records": [*records]}


def within(status: int, body: Pattern, headers: Pattern = None) -> Pattern:
    """A composite's only result."""
    return {"compositeResponse": [{"body": body, "httpHeaders": headers or {}, "httpStatusCode": status, "referenceId": "one"}]}


def composite(path: str, **more: object) -> object:
    """A composite of one GET."""
    return {"compositeRequest": [{"method": "GET", "url": f"/services/data/v66.0/{path}", "referenceId": "one", **more}]}


_CCI, _RF = "CumulusCI utils/http/TestCompositeParallelSalesforce", "restforce sobject"
FACTS = (
    Fact("a record is made", f"{_CCI}.test_composite_parallel_salesforce", "POST", "sobjects/Account/", 201, SAVED, {"Name": "Smith Corp."}),
    Fact(
        "a query with plain spaces inside a composite", f"{_CCI}.test_composite_parallel_salesforce", "POST", "composite", 200,
        within(200, results(row("Account", Id=ID))), composite("query?q=SELECT Id FROM Account LIMIT 1"),
    ),
    Fact("no such object inside a composite", f"{_CCI}.test_errors", "POST", "composite", 200, within(404, NOT_FOUND), composite("sobjects/Foo")),
    Fact(
        "describes not modified inside a composite", "CumulusCI utils/http/ManualEditTestCompositeParallelSalesforce.test_http_headers", "POST",
        "composite", 200, within(304, None, {"ETag": re.compile(r'"[0-9a-f]{8}"'), "Last-Modified": HTTP_DATE}),
        composite("sobjects", httpHeaders=FUTURE),
    ),
    Fact(
        "rows are counted inside a composite", "CumulusCI utils/salesforce/TestCountSObjects.test_count_sobjects_simple", "POST", "composite", 200,
        within(200, {"totalSize": int, "done": True, "records": []}), composite("query/?q=select count() from Account"),
    ),
    Fact(
        "an unknown object is counted", "CumulusCI utils/salesforce/TestCountSObjects.test_count_sobjects__errors", "POST", "composite", 200,
        within(400, [{"message": XYZZY, "errorCode": "INVALID_TYPE"}]), composite("query/?q=select count() from XYZZY"),
    ),
    Fact(
        "ids are counted", "CumulusCI core/TestDatasetsE2E.test_datasets_e2e", "GET", "query/?q=select+count%28Id%29+from+Account", 200,
        {"totalSize": 1, "done": True, "records": [{"attributes": {"type": "AggregateResult"}, "expr0": int}]},
    ),
    Fact(
        "records of an object are counted", "CumulusCI core/TestDatasetsE2E.test_datasets_e2e", "GET", "limits/recordCount?sObjects=Account", 200,
        {"sObjects": [{"count": int, "name": "Account"}]},
    ),
    Fact(
        "a collection is saved", "CumulusCI tasks/bulkdata/TestUpsert.test_simple_upsert__rest", "POST", "composite/sobjects", 200, [SAVED],
        {"allOrNone": False, "records": [{"Name": "Sitwell-Bluth", "attributes": {"type": "Account"}}]},
    ),
    Fact(
        "a collection is upserted by a lookup field that is no external id", "CumulusCI tasks/bulkdata/TestUpsert.test_simple_upsert__rest",
        "PATCH", "composite/sobjects/Contact/Email", 200, [{**SAVED, "created": True}],
        {"allOrNone": False, "records": [{"LastName": "Cain", "Email": "cain@example.com", "attributes": {"type": "Contact"}}]},
    ),
    Fact(
        "a null id makes a record", "CumulusCI tasks/bulkdata/TestUpsert.test_upsert_complex_external_id_field__rest", "PATCH",
        "composite/sobjects/Contact/Id", 200, [{**SAVED, "created": True}],
        {"allOrNone": False, "records": [{"LastName": "Cain", "Id": None, "attributes": {"type": "Contact"}}]},
    ),
    Fact(
        "a collection is changed", "CumulusCI tasks/bulkdata/TestUpdatesIntegrationTests.test_updates_task", "PATCH", "composite/sobjects", 200,
        [SAVED], {"allOrNone": False, "records": [{"Id": "{account}", "NumberOfEmployees": "10000", "attributes": {"type": "Account"}}]},
    ),
    Fact(
        "nothing is found", "CumulusCI core/TestDatasetsE2E.test_datasets_extract_standard_objects", "GET",
        "query/?q=SELECT+Id+FROM+Contact+WHERE+Id+%3D+null", 200, {"totalSize": 0, "done": True, "records": []},
    ),
    Fact(
        "a dead session", "restforce expired_session_response", "GET", "limits", 401,
        [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}], headers={"Authorization": "Bearer 00D!dead"},
    ),
    Fact(
        "an id that is none", f"{_RF}/sobject_find_error_response", "GET", "sobjects/Account/23foo", 404,
        [{"message": "Provided external ID field does not exist or is not accessible: 23foo", "errorCode": "NOT_FOUND"}],
    ),
    Fact(
        "an id that is none is deleted", f"{_RF}/delete_error_response", "DELETE", "sobjects/Account/rid", 404,
        [{"message": "Provided external ID field does not exist or is not accessible: rid", "errorCode": "NOT_FOUND"}],
    ),
    Fact(
        "a field that is no external id", f"{_RF}/upsert_error_response", "PATCH", "sobjects/Account/Namez/x", 404,
        [{"message": "Provided external ID field does not exist or is not accessible: Namez", "errorCode": "NOT_FOUND"}], {"Name": "x"},
    ),
    Fact(
        "a column that is not there is written", f"{_RF}/write_error_response", "POST", "sobjects/Account", 400,
        [{"message": "No such column 'foo' on sobject of type Account", "errorCode": "INVALID_FIELD", "fields": list}], {"foo": 1},
    ),
    Fact("no such object is described", f"{_RF}/sobject_describe_error_response", "GET", "sobjects/Whizbang/describe", 404, NOT_FOUND),
    Fact(
        "some fields of a record, and its id unasked", f"{_RF}/sobject_select_success_response", "GET", "sobjects/Account/{account}?fields=Name",
        200, row("Account", Name=str, Id=ID),
    ),
    Fact(
        "groups are summed", f"{_RF}/query_aggregate_success_response", "GET", "query?q=SELECT+OwnerId,COUNT(Id)+FROM+Account+GROUP+BY+OwnerId",
        200, {"totalSize": int, "done": True, "records": [{"attributes": {"type": "AggregateResult"}, "OwnerId": ID, "expr0": int}, ...]},
    ),
    Fact(
        "deletions are listed", f"{_RF}/get_deleted_success_response", "GET", "sobjects/Account/deleted/?{window}", 200,
        {"deletedRecords": [{"id": ID, "deletedDate": re.compile(r"[\d-]+T[\d:.]+\+0000")}, ...], "earliestDateAvailable": MOMENT, "latestDateCovered": MOMENT},
    ),
    Fact(
        "changes are listed", f"{_RF}/get_updated_success_response", "GET", "sobjects/Account/updated/?{window}", 200,
        {"ids": [ID, ...], "latestDateCovered": MOMENT},
    ),
    Fact("what was in hand is listed", f"{_RF}/recent_success_response", "GET", "recent?limit=1", 200, [row("Account", Id=ID, Name=str)]),
    Fact(
        "a search without braces", f"{_RF}/search_error_response", "GET", "search?q=x", 400,
        [{"message": "No search term found. The search term must be enclosed in braces.", "errorCode": "MALFORMED_SEARCH"}],
    ),
    Fact(
        "several records have an external id", f"{_RF}/upsert_multiple_error_response", "PATCH",
        "sobjects/cpm__Payment__c/cpm__External_ID__c/recorded-twice", 300, [re.compile(r"/services/data/v66\.0/sobjects/cpm__Payment__c/\w{18}"), ...], {},
    ),
    Fact(
        "26 subrequests", "guardian/support-service-lambdas pull request 766", "POST", "composite", 200,
        {"compositeResponse": [{
            "body": [{"errorCode": "LIMIT_EXCEEDED", "message": "The request can\N{RIGHT SINGLE QUOTATION MARK}t contain more than 25 operations."}],
            "httpHeaders": {}, "httpStatusCode": 400, "referenceId": None,
        }]},
        {"compositeRequest": [{"method": "GET", "url": "/services/data/v66.0/sobjects", "referenceId": f"r{number}"} for number in range(26)]},
    ),
    Fact(
        "201 records", "sorenkrabbe/Chrome-Salesforce-inspector issue 134", "POST", "composite/sobjects", 400,
        [{"message": "record limit reached. cannot submit more than 200 records into this call", "errorCode": "EXCEEDED_ID_LIMIT"}],
        {"records": [{"attributes": {"type": "Account"}, "Name": "x"}] * 201},
    ),
    Fact(
        "a record is posted to", "salesforce.stackexchange.com 13294", "POST", "sobjects/Account/{account}", 405,
        [{"message": "HTTP Method 'POST' not allowed. Allowed are HEAD,GET,PATCH,DELETE", "errorCode": "METHOD_NOT_ALLOWED"}], {},
    ),
    Fact(
        "a body of another type", "kevinohara80/nforce issue 74", "POST", "sobjects/Account", 415,
        [{"message": "MediaType of 'multipart/related' is not supported by this resource", "errorCode": "UNSUPPORTED_MEDIA_TYPE"}],
        {"Name": "x"}, headers={"Content-Type": "multipart/related; boundary=x"},
    ),
    Fact(
        "a URI too long", "simple-salesforce issue 271, jsforce issue 1134", "GET", "query?q=" + "x" * 17_000, 414,
        "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>",
    ),
)  # fmt: skip
