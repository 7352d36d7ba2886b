"""Composite graphs: each graph all or nothing by itself, within the platform's limits."""

ROOT = "/services/data/v66.0"


def node(method, path, ref, **body):
    """One node."""
    return {"method": method, "url": f"{ROOT}/{path}", "referenceId": ref} | ({"body": body} if body else {})


def send(call, *graphs, version="66.0"):
    """Post graphs named g0, g1, ..."""
    body = {"graphs": [{"graphId": f"g{place}", "compositeRequest": nodes} for place, nodes in enumerate(graphs)]}
    return call("POST", f"/services/data/v{version}/composite/graph", json=body)


def total(call):
    """How many things the org has."""
    return call("GET", "query", params={"q": "SELECT Id FROM Thing__c"}).json()["totalSize"]


def test_a_graph_uses_results_of_its_nodes(call):
    """Nodes refer to nodes of their graph; the reply has the shape of the guide."""
    nodes = [
        node("POST", "sobjects/Account", "acc", Name="Meadow"),
        node("POST", "sobjects/Thing__c", "thing", Name="x", Key__c="@{acc.id}"),
    ]
    reply = send(call, nodes)
    (graph,) = reply.json()["graphs"]
    assert (reply.status_code, graph["graphId"], graph["isSuccessful"]) == (200, "g0", True)
    results = graph["graphResponse"]["compositeResponse"]
    assert [(one["referenceId"], one["httpStatusCode"]) for one in results] == [("acc", 201), ("thing", 201)]
    assert call("GET", "query", params={"q": "SELECT Key__c FROM Thing__c"}).json()["records"][0]["Key__c"] == results[0]["body"]["id"]


def test_a_failed_graph_leaves_nothing_and_hurts_no_other(call):
    """One bad node undoes its graph; the node keeps its error, the others are halted, other graphs stay."""
    bad = [
        node("POST", "sobjects/Thing__c", "a", Name="lost"),
        node("POST", "sobjects/Thing__c", "b", No__c=1),
        node("POST", "sobjects/Thing__c", "c", Name="late"),
    ]
    first, second = send(call, bad, [node("POST", "sobjects/Thing__c", "d", Name="kept")]).json()["graphs"]
    assert (first["isSuccessful"], second["isSuccessful"], total(call)) == (False, True, 1)
    codes = [one["body"][0]["errorCode"] for one in first["graphResponse"]["compositeResponse"]]
    assert codes == ["PROCESSING_HALTED", "INVALID_FIELD", "PROCESSING_HALTED"]


def test_graphs_share_no_results(call):
    """A reference to a node of another graph is not resolved."""
    graphs = [node("POST", "sobjects/Thing__c", "one", Name="x")], [node("POST", "sobjects/Thing__c", "two", Name="@{one.id}")]
    assert [one["isSuccessful"] for one in send(call, *graphs).json()["graphs"]] == [True, False]


def test_more_than_fourteen_failures_halt_the_rest(call):
    """The fifteenth failed graph is the last one tried."""
    bad = [[node("POST", "sobjects/Thing__c", "a", No__c=1)] for _ in range(15)]
    graphs = send(call, *bad, [node("POST", "sobjects/Thing__c", "a", Name="never")]).json()["graphs"]
    codes = [one["graphResponse"]["compositeResponse"][0]["body"][0]["errorCode"] for one in graphs]
    assert (codes, total(call)) == (["INVALID_FIELD"] * 15 + ["PROCESSING_HALTED"], 0)


def test_only_records_are_nodes(call):
    """Queries, and versions before 50.0, are not supported in a graph."""
    for url in ("query?q=SELECT+Id+FROM+Account", "sobjects", "sobjects/Account/describe/layouts"):
        assert send(call, [node("GET", url, "a")]).json()["graphs"][0]["isSuccessful"] is False
    old = {"method": "GET", "url": "/services/data/v49.0/sobjects/Account", "referenceId": "a"}
    assert send(call, [old]).json()["graphs"][0]["isSuccessful"] is False
    assert send(call, [node("GET", "sobjects/Account", "a")], version="49.0").status_code == 404


def test_the_limits_of_graphs_are_kept(call):
    """75 graphs, 500 nodes, 15 kinds of node, 15 levels; one more is refused whole."""
    one = [node("GET", "sobjects/Account", "a")]
    many = [node("GET", "sobjects/Account", f"a{number}") for number in range(501)]
    kinds = [
        {**node("GET", "sobjects/Account", f"a{number}"), "url": f"/services/data/v{50 + number}.0/sobjects/Account"}
        for number in range(16)
    ]
    chain = [node("POST", "sobjects/Thing__c", "a0", Name="x")]
    chain += [node("POST", "sobjects/Thing__c", f"a{number}", Name=f"@{{a{number - 1}.id}}") for number in range(1, 16)]
    for graphs in ([one] * 76, [many], [kinds], [chain]):
        reply = send(call, *graphs)
        assert (reply.status_code, reply.json()[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")
    assert send(call, kinds[:15]).json()["graphs"][0]["isSuccessful"] is True
    assert send(call, chain[:15]).json()["graphs"][0]["isSuccessful"] is True


def test_graphs_have_names_of_their_own(call):
    """Two graphs of one id are refused."""
    body = {"graphs": [{"graphId": "g", "compositeRequest": [node("GET", "sobjects/Account", "a")]}] * 2}
    assert call("POST", "composite/graph", json=body).status_code == 400


def test_a_graph_is_one_call(call, admin):
    """However many nodes it has."""
    admin("/stats/reset", {})
    send(call, [node("GET", "sobjects/Account", f"a{number}") for number in range(30)])
    assert (admin("/stats")["api_calls"], admin("/stats")["subrequests"]) == (1, 30)
