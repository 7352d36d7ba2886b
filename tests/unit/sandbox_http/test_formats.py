"""HTTP around REST: methods, media types, lengths, packing, versions, and what is not served."""

import gzip
import json
import zlib

import pytest


def test_post_may_stand_for_another_method(call):
    """_HttpMethod=PATCH over POST updates; over GET it is ignored."""
    record_id = call.create("Account", Name="a")
    path = f"sobjects/Account/{record_id}?_HttpMethod=PATCH"
    assert call("POST", path, json={"Name": "b"}).status_code == 204
    assert call("GET", path).json()["Name"] == "b"


def test_head_is_get_without_a_body(call):
    """Status and headers alone."""
    record_id = call.create("Account", Name="a")
    reply = call("HEAD", f"sobjects/Account/{record_id}")
    assert (reply.status_code, reply.content, "ETag" in reply.headers) == (200, b"", True)
    assert call("HEAD", "sobjects/Account/001000000000009AAA").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "sobjects/Account/001000000000009AAA", "HEAD,GET,PATCH,DELETE"),
        ("PUT", "sobjects/Account", "HEAD,GET,POST"),
        ("DELETE", "query", "HEAD,GET"),
        ("PATCH", "composite/graph", "POST"),
        ("POST", "limits", "HEAD,GET"),
    ],
)
def test_a_wrong_method_is_answered_with_the_right_ones(call, method, path, allowed):
    """405 in recorded words, and an Allow header."""
    reply = call(method, path, json={})
    assert (reply.status_code, reply.headers["Allow"]) == (405, allowed)
    assert reply.json() == [{"message": f"HTTP Method '{method}' not allowed. Allowed are {allowed}", "errorCode": "METHOD_NOT_ALLOWED"}]


def test_a_body_of_another_media_type_is_refused(call):
    """415 in recorded words."""
    reply = call("POST", "sobjects/Account", data=b"x", headers={"Content-Type": "multipart/related; boundary=a"})
    assert reply.status_code == 415
    assert reply.json()[0]["message"] == "MediaType of 'multipart/related' is not supported by this resource"


@pytest.mark.parametrize(
    ("accept", "status"), [("application/xml", 406), ("text/html", 406), ("text/html, */*;q=0.1", 200), ("application/json", 200)]
)
def test_only_json_is_written(call, accept, status):
    """XML, which the platform has too, is refused plainly."""
    assert call("GET", "limits", headers={"Accept": accept}).status_code == status


def test_a_body_too_large_is_refused_as_an_error_array(call):
    """413, in JSON like every refusal."""
    reply = call("POST", "sobjects/Account", data=b" " * (64 * 1024 * 1024 + 1), headers={"Content-Type": "application/json"})
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (413, "REQUEST_TOO_LARGE")


def test_headers_too_long_are_refused_with_the_uri(call):
    """16,384 bytes of URI and headers together; the page is that of the web server in front."""
    assert call("GET", "limits", headers={"X-Long": "x" * 8000}).status_code == 200
    reply = call("GET", "query", params={"q": "x" * 9000}, headers={"X-Long": "x" * 8000})
    assert (reply.status_code, reply.text) == (431, "<h1>Bad Message 431</h1><pre>reason: Request Header Fields Too Large</pre>")
    reply = call("GET", "query", params={"q": "x" * 17_000})
    assert (reply.status_code, reply.text) == (414, "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>")


@pytest.mark.parametrize("packing", ["gzip", "deflate"])
def test_replies_and_bodies_are_packed_either_way(call, packing):
    """What the client can unpack, and what it says it sent."""
    body = json.dumps({"Name": "packed"}).encode()
    sent = gzip.compress(body) if packing == "gzip" else zlib.compress(body)
    headers = {"Content-Encoding": packing, "Content-Type": "application/json"}
    assert call("POST", "sobjects/Account", data=sent, headers=headers).status_code == 201
    reply = call("GET", "sobjects", headers={"Accept-Encoding": packing})
    assert (reply.headers["Content-Encoding"], reply.json()["encoding"]) == (packing, "UTF-8")


def test_a_reply_may_be_spread_out(call):
    """X-PrettyPrint: 1 gives lines, and a space on both sides of a colon."""
    plain, spread = (call("GET", "limits/recordCount?sObjects=Account", headers={"X-PrettyPrint": one}).text for one in "01")
    assert (plain, spread.splitlines()[0:2]) == ('{"sObjects":[{"count":0,"name":"Account"}]}', ["{", '  "sObjects" : ['])


def test_versions_are_listed_and_kept(call):
    """31.0 to 67.0 with their labels; retired ones are 410, unknown ones 404; one version lists what it has."""
    listed = call("GET", "/services/data").json()
    assert [one["version"] for one in listed] == [f"{number}.0" for number in range(31, 68)]
    labels = {one["version"]: one["label"] for one in listed}
    assert (labels["31.0"], labels["45.0"], labels["67.0"]) == ("Summer '14", "Spring '19", "Summer '26")
    statuses = [call("GET", f"/services/data/v{version}/limits").status_code for version in ("20.0", "30.0", "31.0", "66.5", "68.0")]
    assert statuses == [410, 410, 200, 404, 404]
    resources = call("GET", "/services/data/v66.0/").json()
    assert resources["sobjects"] == "/services/data/v66.0/sobjects"
    assert call("GET", resources["identity"].replace(call.box.instance_url, "")).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "ui-api/object-info",
        "actions",
        "chatter/users/me",
        "connect",
        "sobjects/Account/describe/layouts",
        "tooling",
        "tooling/sobjects/SourceMember/describe",
        "parameterizedSearch",
        "composite/none",
    ],
)
def test_what_is_not_served_is_not_found(call, path):
    """404 NOT_FOUND in an error array."""
    reply = call("GET", path)
    assert (reply.status_code, reply.json()) == (404, [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}])


def test_apex_rest_finds_no_match(call):
    """No Apex, no classes to match."""
    assert call("GET", "/services/apexrest/x").json() == [{"message": "Could not find a match for URL", "errorCode": "NOT_FOUND"}]


def test_tooling_objects_are_unknown(call):
    """A query names the object and its place."""
    reply = call("GET", "tooling/query", params={"q": "SELECT Id FROM ApexClass"})
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (400, "INVALID_TYPE")
    assert reply.json()[0]["message"].startswith(
        "\nSELECT Id FROM ApexClass\n               ^\nERROR at Row:1:Column:16\nsObject type 'ApexClass'"
    )


def test_search_is_refused(call):
    """A term without braces in recorded words, any other as a feature that is off."""
    assert call("GET", "search", params={"q": "FIND x"}).json() == [
        {"message": "No search term found. The search term must be enclosed in braces.", "errorCode": "MALFORMED_SEARCH"}
    ]
    assert call("GET", "search", params={"q": "FIND {x}"}).json()[0]["errorCode"] == "FUNCTIONALITY_NOT_ENABLED"


def test_an_apps_own_usage_is_told_on_request(call, admin):
    """per-app-api-usage stands beside the org's."""
    admin("/settings", {"app_limit": 250})
    admin("/usage", {"api_calls": 16})
    assert call("GET", "limits").headers["Sforce-Limit-Info"] == "api-usage=17/100000; per-app-api-usage=17/250(appName=Integration)"


def test_limits_tell_what_is_left(call):
    """The keys clients read, each with Max and Remaining."""
    limits = call("GET", "limits").json()
    wanted = {
        "DailyApiRequests",
        "DailyBulkApiBatches",
        "DailyBulkV2QueryJobs",
        "DailyBulkV2QueryFileStorageMB",
        "HourlyPublishedPlatformEvents",
    }
    wanted |= {"DailyDeliveredPlatformEvents", "DurableStreamingApiConcurrentClients", "DataStorageMB"}
    assert wanted <= {*limits}
    assert all({*one} == {"Max", "Remaining"} for one in limits.values())
    call("POST", "sobjects/Outcome__e", json={"Reference__c": "r"})
    after = call("GET", "limits").json()
    for name, spent in (("DailyApiRequests", 2), ("HourlyPublishedPlatformEvents", 1)):
        assert limits[name]["Remaining"] - after[name]["Remaining"] == spent


def test_records_are_counted_whoever_may_see_them(call):
    """A count leaves out the recycle bin and objects it does not know."""
    call.create("Account", Name="a")
    call("DELETE", f"sobjects/Account/{call.create('Account', Name='b')}")
    reply = call("GET", "limits/recordCount", params={"sObjects": "Account,Contact,None__c"}).json()
    assert reply == {"sObjects": [{"count": 1, "name": "Account"}, {"count": 0, "name": "Contact"}]}
    assert {"count": 1, "name": "Account"} in call("GET", "limits/recordCount").json()["sObjects"]
