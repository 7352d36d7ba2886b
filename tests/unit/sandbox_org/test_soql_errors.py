"""SOQL refusals: the code, the place and the words of the platform."""

import json
import re
from pathlib import Path

import pytest

from sandbox.org.errors import OrgError
from sandbox.org.soql.parse import parse

_CORPUS = Path(__file__).parents[4] / "shared" / "data" / "soql" / "queries.json"


@pytest.mark.parametrize(
    ("soql", "code", "words"),
    [
        ("SELECT Id FROM XYZZY", "INVALID_TYPE", "ERROR at Row:1:Column:16\nsObject type 'XYZZY' is not supported. If you are"),
        ("SELECT Foo FROM Case", "INVALID_FIELD", "ERROR at Row:1:Column:8\nNo such column 'Foo' on entity 'Case'. If you are attempting"),
        ("SELECT Id FROM Case WHERE Foo__c = 1", "INVALID_FIELD", "No such column 'Foo__c' on entity 'Case'."),
        ("SELECT Nope.Name FROM Case", "INVALID_FIELD", "Didn't understand relationship 'Nope' in field path."),
        (
            "SELECT Id, (SELECT Id FROM Nopes) FROM Account",
            "INVALID_TYPE",
            "Didn't understand relationship 'Nopes' in FROM part of query call.",
        ),
        ("SELECT Id Account", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT FROM Account", "MALFORMED_QUERY", "ERROR at Row:1:Column:8\nunexpected token: 'FROM'"),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Account WHERE Name = maybe", "MALFORMED_QUERY", "unexpected token: 'maybe'"),
        ("SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'", "MALFORMED_QUERY", "unexpected token: 'OR'"),
        ("SELECT Id FROM Account WHERE Id = :id", "MALFORMED_QUERY", "Bind variables only allowed in Apex code"),
        ("SELECT Id FROM Account LIMIT 1 ALL ROWS", "MALFORMED_QUERY", "ALL ROWS not allowed in this context"),
        ("SELECT Name n FROM Account", "MALFORMED_QUERY", "only aggregate expressions use field aliasing"),
        ("SELECT Name, Name FROM Account", "MALFORMED_QUERY", "duplicate field selected: Name"),
        ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY", "Field must be grouped or aggregated: Name"),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD", "field 'Name' must be of type string and should be enclosed in quotes"),
        (
            "SELECT Id FROM Account WHERE AnnualRevenue = '5'",
            "INVALID_FIELD",
            "must be of type double and should not be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Case WHERE CreatedDate > 2026-01-01",
            "INVALID_FIELD",
            "must be of type dateTime and should not be enclosed in quotes",
        ),
        ("SELECT Id FROM Case WHERE IsClosed = 'true'", "INVALID_FIELD", "must be of type boolean and should not be enclosed in quotes"),
        ("SELECT Id FROM Case WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc"),
        ("SELECT Id FROM Case WHERE Id LIKE 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on id field"),
        ("SELECT Id FROM Case WHERE Description = 'abc'", "INVALID_FIELD", "field 'Description' can not be filtered in a query call"),
        ("SELECT Id FROM Case ORDER BY Description", "INVALID_FIELD", "field 'Description' can not be sorted in a query call"),
        ("SELECT Amount__c FROM Invoice__c GROUP BY Amount__c", "INVALID_FIELD", "field 'Amount__c' can not be grouped in a query call"),
        ("SELECT Id FROM Case OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"),
        (
            "SELECT Id FROM Case WHERE AccountId IN (SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact))",
            "MALFORMED_QUERY",
            "Nesting of semi join sub-selects is not supported",
        ),
        (
            "SELECT Id FROM Case WHERE Subject IN (SELECT Id FROM Account)",
            "MALFORMED_QUERY",
            "should be an id field, cannot use: 'Subject'",
        ),
        ("SELECT Id FROM Paid__e", "INVALID_TYPE", "sObject type 'Paid__e' is not supported."),
    ],
)
def test_a_wrong_statement_is_refused_with_its_place_and_reason(company, soql, code, words):
    """A refusal has status 400, a code, and words a person can act on."""
    with pytest.raises(OrgError) as caught:
        company.query(soql)
    assert (caught.value.status, caught.value.code) == (400, code)
    assert words in caught.value.message


def test_a_refusal_points_at_the_place_with_a_caret_row_and_column(company):
    """The line, a caret under the place, and a one-based row and column come before the reason."""
    with pytest.raises(OrgError) as caught:
        company.query("SELECT Id\nFROM Case\nWHERE Foo = 1")
    empty, line, caret, place, *_ = caught.value.message.split("\n")
    assert (empty, line, place) == ("", "WHERE Foo = 1", "ERROR at Row:3:Column:7")
    assert caret.index("^") == line.index("Foo")


def test_a_statement_may_not_be_longer_than_the_platform_allows(company):
    """A hundred thousand characters are the bound."""
    with pytest.raises(OrgError, match="longer than 100000 characters"):
        company.query("SELECT Id FROM Case WHERE Subject = '" + "x" * 100_000 + "'")


def _for_the_api(soql):
    """Tell whether a statement is one for the API: whole, without Apex binds, comments and ALL ROWS."""
    soql = re.sub(r"'[^']*'", "''", soql)
    whole = re.match(r"\s*select\b", soql, re.IGNORECASE) and soql.count("(") == soql.count(")")
    return whole and not re.search(r"[=(]\s*:|\b(in|like|limit)\s+:|/\*|//|all\s+rows\s*$", soql, re.IGNORECASE)


def test_queries_of_public_repositories_can_be_read():
    """What people really write parses when it is meant for the API, and is refused when it is not."""
    if not _CORPUS.exists():
        pytest.skip("the collection of public queries is not on this machine")
    taken, refused = [], []
    for soql in (each["query"] for each in json.loads(_CORPUS.read_text(encoding="utf-8"))):
        try:
            taken.append((soql, not parse(soql).all_rows))
        except OrgError:
            refused.append(soql)
    assert [soql for soql in refused if _for_the_api(soql)] == []
    assert [soql for soql, api in taken if api and not _for_the_api(soql)] == []
    assert len(taken) >= 215


def test_a_refusal_echoes_the_words_around_its_place(company):
    """Thirty characters to either side, widened to whole words, as recorded from the platform."""
    with pytest.raises(OrgError) as caught:
        company.query("SELECT Id, CreatedById, CreatedDate, LastModifiedDate, Nope__c, SystemModstamp, OwnerId, Subject FROM Case")
    _, echo, caret, place, *_ = caught.value.message.split("\n")
    assert (echo, place) == ("CreatedDate, LastModifiedDate, Nope__c, SystemModstamp, OwnerId", "ERROR at Row:1:Column:56")
    assert caret == " " * 31 + "^"
