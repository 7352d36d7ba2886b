"""Reading: complete, exact and in few calls."""

import json
from collections.abc import Sequence
from decimal import Decimal
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import requests
import responses

from connector.errors import ConfigError, PermanentError, TransientError
from tests.unit.salesforce.build import DATA, composite, issue, org, page, record, refuse, sent

QUERY = f"{DATA}/query"


def subrequests(call: responses.Call) -> list[dict[str, object]]:
    """What a composite call asked for."""
    return list(json.loads(call.request.body or "{}")["compositeRequest"])


def answering(tables: dict[str, Sequence[dict[str, object]]], *, page_size: int = 2, backwards: bool = False) -> None:
    """A composite endpoint that pages through tables by name; replies may come in another order."""

    def reply(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        entries = []
        for asked in json.loads(request.body or "{}")["compositeRequest"]:
            path = unquote(urlsplit(asked["url"]).path.rpartition("/")[2])
            if path in {"query", "queryAll"}:
                name, start = parse_qs(urlsplit(asked["url"]).query)["q"][0].rpartition(" ")[2], 0
            else:
                name, start = path.rpartition("-")[0], int(path.rpartition("-")[2])
            rows, end = tables[name], start + page_size
            body = page(rows[start:end], total=len(rows), more=f"{name}-{end}" if end < len(rows) else None)
            entries.append({"body": body, "httpHeaders": {}, "httpStatusCode": 200, "referenceId": asked["referenceId"]})
        return 200, {}, json.dumps({"compositeResponse": entries[::-1] if backwards else entries})

    responses.add_callback(responses.POST, f"{DATA}/composite", callback=reply)

    def single(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        name, _, start = str(request.url).rpartition("/")[2].rpartition("-")
        end = int(start) + page_size
        return (
            200,
            {},
            json.dumps(
                page(tables[name][int(start) : end], total=len(tables[name]), more=f"{name}-{end}" if end < len(tables[name]) else None)
            ),
        )

    for name, rows in tables.items():
        for start in range(page_size, len(rows), page_size):
            responses.add_callback(responses.GET, f"{DATA}/query/{name}-{start}", callback=single)


def test_amounts_arrive_as_exact_decimals():
    """No float touches an amount on its way in."""
    issue()
    responses.get(QUERY, body='{"totalSize":1,"done":true,"records":[{"attributes":{"type":"X"},"A":0.1,"B":12345678901234567.89,"C":40}]}')
    assert org().query("SELECT A FROM X") == [{"A": Decimal("0.1"), "B": Decimal("12345678901234567.89"), "C": 40}]


def test_attributes_are_gone_at_every_depth_and_a_subquery_is_a_list():
    """Parents stay nested, children become plain lists, nothing technical is left."""
    issue()
    child = record("Case", Id="5001", Owner=record("User", Name="Robin Example"))
    row = record("Account", Id="0011", Parent=None, Cases={"totalSize": 1, "done": True, "records": [child]})
    responses.get(QUERY, json=page([row]))
    assert org().query("SELECT Id, Parent.Name, (SELECT Id, Owner.Name FROM Cases) FROM Account") == [
        {"Id": "0011", "Parent": None, "Cases": [{"Id": "5001", "Owner": {"Name": "Robin Example"}}]}
    ]


def test_a_subquery_that_is_cut_off_is_an_error_not_a_shorter_list():
    """Rows are never missing in silence."""
    issue()
    row = record("Account", Cases={"totalSize": 900, "done": False, "records": [], "nextRecordsUrl": "/services/data/v66.0/query/x-1"})
    responses.get(QUERY, json=page([row]))
    with pytest.raises(PermanentError, match="query of their own"):
        org().query("SELECT Id, (SELECT Id FROM Cases) FROM Account")


@pytest.mark.parametrize(
    ("soql", "row", "clean"),
    [
        ("SELECT Id FROM Case", {"Id": "1"}, {"Id": "1"}),
        ("SELECT Owner.Name, Id FROM Case", {"Id": "1", "Owner": record("User", Name="R")}, {"Id": "1", "Owner": {"Name": "R"}}),
        ("SELECT Id, Owner.Name FROM Case", {"Id": "1", "Owner": None}, {"Id": "1", "Owner": None}),
        ("SELECT Id, A__r.B__r.C__c FROM Case", {"A__r": record("A", B__r=record("B", C__c=1))}, {"A__r": {"B__r": {"C__c": 1}}}),
        ("select Id, Owner.Name from Case", {"Id": "1", "Owner": record("User", Name="R")}, {"Id": "1", "Owner": {"Name": "R"}}),
        ("SELECT TYPEOF What WHEN Account THEN Name END FROM Task", {"What": record("Account", Name="N")}, {"What": {"Name": "N"}}),
    ],
)
def test_attributes_are_gone_however_parents_are_selected(soql, row, clean):
    """Only the parents a query names are looked into, and none of them is missed."""
    issue()
    responses.get(QUERY, json=page([record("Case", **row)]))
    assert org().query(soql) == [clean]


def test_one_query_follows_its_pages_with_plain_calls():
    """Two pages, two calls, rows in order."""
    issue()
    responses.get(QUERY, json=page([record("Case", Id="1")], total=2, more="01g-2000"))
    responses.get(f"{DATA}/query/01g-2000", json=page([record("Case", Id="2")], total=2))
    client = org()
    assert client.query("SELECT Id FROM Case") == [{"Id": "1"}, {"Id": "2"}]
    assert client.calls == 2


@pytest.mark.parametrize("backwards", [False, True])
def test_many_queries_and_their_further_pages_share_calls_five_at_a_time(*, backwards: bool):
    """Seven queries with up to three pages each: rows land where they belong, whatever order the platform answers in."""
    issue()
    tables = {f"T{size}": [record(f"T{size}", Id=f"{size}-{place}") for place in range(size)] for size in (0, 1, 2, 3, 4, 5, 6)}
    answering(tables, backwards=backwards)
    client = org()
    found = client.query_many([f"SELECT Id FROM {name}" for name in tables])
    assert [[row["Id"] for row in rows] for rows in found] == [[row["Id"] for row in rows] for rows in tables.values()]
    assert [len(subrequests(call)) for call in sent("composite")] == [5, 4, 2, 2]
    assert client.calls == 4


def test_each_query_may_see_deleted_rows_or_not():
    """QueryAll is chosen query by query."""
    issue()
    responses.post(f"{DATA}/composite", json=composite(page([]), page([])))
    org().query_many(["SELECT Id FROM Case", "SELECT Id FROM Task"], all_rows=[False, True])
    urls = [str(one["url"]) for one in subrequests(sent("composite")[0])]
    assert [urlsplit(url).path for url in urls] == ["/services/data/v66.0/query", "/services/data/v66.0/queryAll"]


def test_no_query_at_all_makes_no_call():
    """Nothing asked, nothing sent."""
    assert org().query_many([]) == []
    assert len(responses.calls) == 0


def test_a_query_too_long_for_an_address_travels_in_a_body():
    """Above the platform's limit for an address the composite call carries it."""
    issue()
    responses.post(f"{DATA}/composite", json=composite(page([record("Case", Id="1")])))
    ids = ",".join(f"'500{number:015d}'" for number in range(800))
    assert org().query(f"SELECT Id FROM Case WHERE Id IN ({ids})") == [{"Id": "1"}]


def test_fewer_rows_than_announced_is_an_error():
    """Rows that vanish while pages are read make the result worthless, not shorter."""
    issue()
    responses.get(QUERY, json=page([record("Case", Id="1")], total=3, more="01g-2000"))
    responses.get(f"{DATA}/query/01g-2000", json=page([record("Case", Id="2")], total=3))
    with pytest.raises(TransientError, match="fewer rows"):
        org().query("SELECT Id FROM Case")


def test_one_bad_query_in_a_bundle_is_judged_like_a_bad_query_alone():
    """A missing field inside a composite reply is the admin's to mend."""
    issue()
    problem = [{"errorCode": "INVALID_TYPE", "message": "sObject type 'Gone__c' is not supported."}]
    reply = composite(page([]), problem)
    reply["compositeResponse"][1]["httpStatusCode"] = 400
    responses.post(f"{DATA}/composite", json=reply)
    with pytest.raises(ConfigError, match="Gone__c"):
        org().query_many(["SELECT Id FROM Case", "SELECT Id FROM Gone__c"])


def test_a_bundle_with_an_answer_missing_is_asked_again():
    """Reading may be repeated, so an incomplete reply is simply not believed."""
    issue()
    responses.post(f"{DATA}/composite", json=composite(page([])))
    responses.post(f"{DATA}/composite", json=composite(page([]), page([record("Case", Id="1")])))
    assert org().query_many(["SELECT Id FROM Task", "SELECT Id FROM Case"]) == [[], [{"Id": "1"}]]


def test_a_count_is_the_announced_size_because_its_reply_has_no_rows():
    """COUNT() answers with totalSize alone."""
    issue()
    responses.get(QUERY, json={"totalSize": 42, "done": True, "records": []})
    assert org().count("SELECT COUNT() FROM Case") == 42


def test_retrieving_by_id_keeps_the_order_and_shows_what_is_not_there():
    """An id that does not exist or may not be seen is None in its place, not left out."""
    issue()
    responses.post(f"{DATA}/composite/sobjects/Case", json=[record("Case", Id="500000000000001AAA", Status="New"), None])
    found = org().retrieve("Case", ["500000000000001", "500000000000002"], ["Status"])
    assert found == [{"Id": "500000000000001AAA", "Status": "New"}, None]


def test_a_description_says_what_an_insert_must_give():
    """Required is createable, not nillable and without default; what security hides is absent."""
    issue()
    fields = [
        {
            "name": "Key__c",
            "type": "string",
            "length": 80,
            "createable": True,
            "nillable": False,
            "defaultedOnCreate": False,
            "unique": True,
        },
        {
            "name": "Status",
            "type": "picklist",
            "createable": True,
            "picklistValues": [{"value": "New", "active": True}, {"value": "Old", "active": False}],
        },
        {"name": "WhatId", "type": "reference", "referenceTo": ["Account", "Case"], "relationshipName": "What"},
    ]
    described = {"name": "Task", "createable": True, "queryable": True, "keyPrefix": "00T", "fields": fields}
    responses.get(f"{DATA}/sobjects/Task/describe", json=described)
    responses.post(f"{DATA}/composite", json=composite(described))
    found = org().describe("Task")
    assert [name for name, field in found.fields.items() if field.required] == ["Key__c"]
    assert found.fields["Status"].values == ("New",)
    assert found.fields["WhatId"].reference_to == ("Account", "Case")


def test_an_object_that_cannot_be_seen_is_none_among_many_and_an_error_alone():
    """A missing object is for the check command to list, and for everyone else to stop at."""
    issue()
    reply = composite([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}])
    reply["compositeResponse"][0]["httpStatusCode"] = 404
    responses.post(f"{DATA}/composite", json=reply)
    assert org().describe_many(["Gone__c"]) == {"Gone__c": None}
    with pytest.raises(ConfigError, match="Gone__c"):
        org().describe("Gone__c")


def test_a_page_locator_that_expired_is_transient():
    """The query is asked again from the start by whoever wanted it."""
    issue()
    responses.get(QUERY, json=page([record("Case", Id="1")], total=2, more="01g-2000"))
    responses.get(f"{DATA}/query/01g-2000", **refuse(400, "INVALID_QUERY_LOCATOR", "invalid query locator"))
    with pytest.raises(TransientError):
        org().query("SELECT Id FROM Case")
