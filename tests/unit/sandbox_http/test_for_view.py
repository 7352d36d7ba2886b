"""FOR VIEW and FOR REFERENCE: a query that says its rows were looked at."""

import pytest


@pytest.mark.parametrize("words", ["FOR VIEW", "FOR REFERENCE"])
def test_rows_of_such_a_query_are_recent(call, words):
    """They stand before what was in hand until then, in the order of the query; a plain query leaves no trace."""
    ids = [call.create("Thing__c", Name=name) for name in ("a", "b", "c")]
    soql = "SELECT Name FROM Thing__c WHERE Name != 'c' ORDER BY Name"
    assert call("GET", "query", params={"q": soql}).json()["totalSize"] == 2
    assert call("GET", "query", params={"q": f"{soql} FOR UPDATE"}).json()["totalSize"] == 2
    assert call("GET", "recent", params={"limit": "1"}).json()[0]["Id"] == ids[2]
    assert call("GET", "query", params={"q": f"{soql} {words}"}).json()["totalSize"] == 2
    assert [row["Id"] for row in call("GET", "recent").json()] == ids
