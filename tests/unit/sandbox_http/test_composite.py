"""Composite requests and collections: many operations in one call, each with an answer of its own."""

ROOT = "/services/data/v66.0"


def things(*names, key=None):
    """Record bodies for collections."""
    return [{"attributes": {"type": "Thing__c"}, "Name": name, **({"Key__c": key} if key else {})} for name in names]


def sub(method, path, ref, **body):
    """One subrequest."""
    return {"method": method, "url": f"{ROOT}/{path}", "referenceId": ref} | ({"body": body} if body else {})


def test_a_collection_answers_row_by_row_in_order(call):
    """One bad row does not hurt the others, and its error is called statusCode."""
    records = [*things("a"), {"attributes": {"type": "Thing__c"}, "No_Such__c": 1}, *things("c")]
    results = call("POST", "composite/sobjects", json={"records": records}).json()
    assert [result["success"] for result in results] == [True, False, True]
    assert results[1]["errors"][0]["statusCode"] == "INVALID_FIELD"
    assert call("GET", "query", params={"q": "SELECT Id FROM Thing__c"}).json()["totalSize"] == 2


def test_all_or_none_saves_none_when_one_fails(call):
    """The others are rolled back and say so, the guilty one keeps its own error."""
    records = things("a", key="k") + things("b", key="k")
    results = call("POST", "composite/sobjects", json={"allOrNone": True, "records": records}).json()
    assert [result["errors"][0]["statusCode"] for result in results] == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "DUPLICATE_VALUE"]
    assert call("GET", "query", params={"q": "SELECT Id FROM Thing__c"}).json()["totalSize"] == 0


def test_more_than_two_hundred_records_are_refused_whole(call):
    """The limit is an HTTP 400, not a row error."""
    reply = call("POST", "composite/sobjects", json={"records": things(*["a"] * 201)})
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (400, "EXCEEDED_ID_LIMIT")


def test_more_than_ten_chunks_are_refused(call):
    """Types that alternate make chunks, and ten are the most."""
    records = [record for _ in range(6) for record in (*things("a"), {"attributes": {"type": "Account"}, "Name": "b"})]
    assert call("POST", "composite/sobjects", json={"records": records}).status_code == 400
    assert call("POST", "composite/sobjects", json={"records": records[:10]}).status_code == 200


def test_records_are_updated_upserted_read_and_deleted_together(call):
    """The four other operations on collections."""
    ids = [row["id"] for row in call("POST", "composite/sobjects", json={"records": things("a", "b")}).json()]
    changed = [{"attributes": {"type": "Thing__c"}, "id": one, "Name": "z"} for one in ids]
    assert all(row["success"] for row in call("PATCH", "composite/sobjects", json={"records": changed}).json())
    rows = call("POST", "composite/sobjects/Thing__c", json={"ids": [*ids, ids[0][:-4] + "9AAA"], "fields": ["Name"]}).json()
    assert [row and row["Name"] for row in rows] == ["z", "z", None]
    records = things("n", key="k1") + things("m", key="k1")
    upserted = [call("PATCH", "composite/sobjects/Thing__c/Key__c", json={"records": [one]}).json()[0] for one in records]
    assert [row["created"] for row in upserted] == [True, False]
    gone = call("DELETE", f"composite/sobjects?ids={','.join(ids)}").json()
    assert [row["success"] for row in gone] == [True, True]


def test_events_are_published_as_a_collection(call, box):
    """Platform events go through collections like records do."""
    records = [{"attributes": {"type": "Outcome__e"}, "Reference__c": f"r{number}"} for number in range(3)]
    results = call("POST", "composite/sobjects", json={"records": records}).json()
    assert {row["errors"][0]["statusCode"] for row in results} == {"OPERATION_ENQUEUED"}
    assert len(box.log.since("/event/Outcome__e", -2)) == 3


def test_a_composite_uses_results_of_earlier_subrequests(call):
    """@{ref.id} stands for the id in bodies and URLs, @{ref.records[0].Name} for a queried value."""
    requests = [
        sub("POST", "sobjects/Account", "made", Name="Meadow"),
        sub("PATCH", "sobjects/Account/@{made.id}", "changed", Name="Row"),
        sub("GET", "query?q=SELECT+Name+FROM+Account", "found"),
        sub("POST", "sobjects/Thing__c", "copy", Name="@{found.records[0].Name}", Key__c="@{made.id}"),
    ]
    answers = call("POST", "composite", json={"compositeRequest": requests}).json()["compositeResponse"]
    assert [answer["httpStatusCode"] for answer in answers] == [201, 204, 200, 201]
    assert answers[0]["httpHeaders"]["Location"].endswith(answers[0]["body"]["id"])
    row = call("GET", "query", params={"q": "SELECT Name, Key__c FROM Thing__c"}).json()["records"][0]
    assert (row["Name"], row["Key__c"]) == ("Row", answers[0]["body"]["id"])


def test_who_depends_on_a_failure_is_halted(call):
    """A reference to a failed subrequest is not tried; independent ones are."""
    requests = [
        sub("POST", "sobjects/Account", "bad"),
        sub("POST", "sobjects/Thing__c", "dependent", Name="@{bad.id}"),
        sub("POST", "sobjects/Thing__c", "free", Name="x"),
    ]
    requests[0]["body"] = {}
    answers = call("POST", "composite", json={"compositeRequest": requests}).json()["compositeResponse"]
    assert [answer["httpStatusCode"] for answer in answers] == [400, 400, 201]
    assert [answer["body"][0]["errorCode"] for answer in answers[:2]] == ["REQUIRED_FIELD_MISSING", "PROCESSING_HALTED"]


def test_all_or_none_of_a_composite_keeps_nothing(call):
    """With allOrNone one failure undoes the others."""
    requests = [sub("POST", "sobjects/Thing__c", "good", Name="x"), sub("POST", "sobjects/Thing__c", "bad", No_Such__c=1)]
    answers = call("POST", "composite", json={"allOrNone": True, "compositeRequest": requests}).json()["compositeResponse"]
    assert [answer["body"][0]["errorCode"] for answer in answers] == ["PROCESSING_HALTED", "INVALID_FIELD"]
    assert call("GET", "query", params={"q": "SELECT Id FROM Thing__c"}).json()["totalSize"] == 0


def test_the_numbers_of_a_composite_are_limited(call, admin):
    """At most 25 subrequests, five of them queries or collections, references unique and well formed."""
    free = [sub("GET", "sobjects/Account", f"r{number}") for number in range(26)]
    queries = [sub("GET", "query?q=SELECT+Id+FROM+Account", f"q{number}") for number in range(6)]
    for requests in ([free[0], free[0]], [sub("GET", "sobjects/Account", "not good")], [sub("get", "sobjects/Account", "a")]):
        assert call("POST", "composite", json={"compositeRequest": requests}).status_code == 400
    assert call("POST", "composite", json={"compositeRequest": queries[:5]}).status_code == 200
    for requests, status in ((free, 200), (queries, 400)):
        admin("/settings", {"composite_limit_status": status})
        reply = call("POST", "composite", json={"compositeRequest": requests})
        ((refusal,),) = reply.json().values()
        assert (reply.status_code, refusal["httpStatusCode"], refusal["referenceId"]) == (status, 400, None)
        assert refusal["body"][0]["errorCode"] == "LIMIT_EXCEEDED"


def test_a_composite_is_one_call(call, admin):
    """Subrequests do not count against the limit."""
    admin("/stats/reset", {})
    call("POST", "composite", json={"compositeRequest": [sub("GET", "sobjects/Account", f"r{number}") for number in range(10)]})
    stats = admin("/stats")
    assert (stats["api_calls"], stats["subrequests"], stats["by_path"]) == (1, 10, {"POST composite": 1})


def test_only_some_resources_can_be_subrequests(call):
    """sObjects, queries and collections; limits, searches and other composites are refused where they stand."""
    paths = ("limits", "composite/tree/Account", "composite", "search?q=x", "sobjects/Account", "query?q=SELECT+Id+FROM+Account")
    requests = [sub("GET", path, f"r{place}") for place, path in enumerate(paths)]
    requests.append({"method": "GET", "url": "https://elsewhere.example/x", "referenceId": "out"})
    answers = call("POST", "composite", json={"compositeRequest": requests}).json()["compositeResponse"]
    assert [answer["httpStatusCode"] for answer in answers] == [400, 400, 400, 400, 200, 200, 400]
    assert sorted(call("GET", "composite").json()) == ["batch", "graph", "sobjects", "tree"]


def test_subrequests_have_headers_of_their_own(call, box):
    """They are sent with the subrequest, may refer to results, and formats and tokens may not be given."""
    commits = []
    box.run(lambda: box.org.on_change.append(commits.append))
    own = sub("POST", "sobjects/Thing__c", "a", Name="x") | {"httpHeaders": {"Sforce-Call-Options": "client=inner"}}
    call(
        "POST",
        "composite",
        json={"compositeRequest": [own, sub("POST", "sobjects/Thing__c", "b", Name="y")]},
        headers={"Sforce-Call-Options": "client=outer"},
    )
    assert [change.session.client for change in commits] == ["inner", "outer"]
    for name in ("Authorization", "accept", "Content-Type"):
        refused = call("POST", "composite", json={"compositeRequest": [own | {"httpHeaders": {name: "x"}}]})
        assert refused.status_code == 400


def test_a_composite_undoes_what_its_collections_did(call):
    """A refused row of a collection rolls the whole composite back, though the collection shows its other row as saved."""
    rows = [*things("a"), {"attributes": {"type": "Thing__c"}, "No_Such__c": 1}]
    requests = [sub("POST", "composite/sobjects", "rows", records=rows), sub("POST", "sobjects/Thing__c", "one", Name="x")]
    inner, outer = call("POST", "composite", json={"allOrNone": True, "compositeRequest": requests}).json()["compositeResponse"]
    assert ([row["success"] for row in inner["body"]], outer["body"][0]["errorCode"]) == ([True, False], "PROCESSING_HALTED")
    assert call("GET", "query", params={"q": "SELECT Id FROM Thing__c"}).json()["totalSize"] == 0


def test_the_words_of_a_missing_reference_name_it(call):
    """The path and the reply it was looked for in."""
    requests = [sub("POST", "sobjects/Thing__c", "made", Name="x"), sub("POST", "sobjects/Thing__c", "next", Name="@{made.Id}")]
    answer = call("POST", "composite", json={"compositeRequest": requests}).json()["compositeResponse"][1]
    assert answer["body"] == [
        {"message": "Invalid reference specified. No value for made.Id found in made.", "errorCode": "PROCESSING_HALTED"}
    ]
