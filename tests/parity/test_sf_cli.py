"""The ``sf`` command line logs in, reads and writes as it does against a real org."""

import csv
import io
import re

import pytest

from sandbox.org.org import ORG_ID
from tests.parity.conftest import ADMIN

INSTALLMENTS = "cpm__Installment__c"


@pytest.fixture(scope="module")
def seen(sf):
    """What commands that only read wrote."""
    query = ("data", "query", "-q")
    return sf.all(
        {
            "display": ("org", "display", "--json"),
            "table": (*query, "SELECT LastName, Account.Name FROM Contact ORDER BY LastName LIMIT 2"),
            "children": (
                *query,
                "SELECT Name, (SELECT LastName FROM Contacts) FROM Account WHERE Id IN (SELECT AccountId FROM Contact) LIMIT 2",
            ),
            "pages": (*query, f"SELECT Id, Name FROM {INSTALLMENTS}", "--json"),
            "csv": (*query, f"SELECT cpm__Status__c, COUNT(Id) FROM {INSTALLMENTS} GROUP BY cpm__Status__c", "-r", "csv"),
            "count": (*query, f"SELECT COUNT() FROM {INSTALLMENTS}"),
            "bad": (*query, "SELECT Nonsense__c FROM Account", "--json"),
            "objects": ("sobject", "list", "--sobject", "custom", "--json"),
            "describe": ("sobject", "describe", "-s", INSTALLMENTS, "--json"),
            "limits": ("org", "list", "limits", "--json"),
            "rest": ("api", "request", "rest", "/services/data/v66.0/sobjects/Case/describe"),
        }
    )


def test_the_org_is_one_it_knows(seen, org):
    """Login by key over plain HTTP gives a connected org with a version, and no development hub."""
    shown = seen["display"].result
    assert (shown["id"], shown["username"], shown["connectedStatus"]) == (ORG_ID, ADMIN, "Connected")
    assert shown["instanceUrl"] == org.instance_url
    assert float(shown["apiVersion"]) >= 66.0


def test_a_query_is_shown_as_a_table(seen):
    """Rows and the columns they are shown in come from two requests that agree, parents included."""
    assert seen["table"].status == 0, seen["table"].err
    assert _heads(seen["table"].out) == ["LASTNAME", "ACCOUNT.NAME"]
    assert "household" in seen["table"].out
    assert "Total number of records retrieved: 2." in seen["table"].out


def test_children_have_columns_of_their_own(seen):
    """A subquery is described as a column with columns inside, so its rows are shown."""
    assert _heads(seen["children"].out) == ["NAME", "CONTACTS.LASTNAME"]


def test_all_pages_are_read(seen):
    """Every row comes once, whatever the size of a page."""
    result = seen["pages"].result
    assert result["done"]
    assert len({row["Id"] for row in result["records"]}) == result["totalSize"] > 400


def test_an_aggregate_is_written_as_csv(seen):
    """A function without an alias is shown as it was written, and the counts add up to the number of rows."""
    rows = list(csv.DictReader(io.StringIO(seen["csv"].out)))
    assert set(rows[0]) == {"cpm__Status__c", "count(Id)"}
    total = seen["pages"].result["totalSize"]
    assert sum(int(row["count(Id)"]) for row in rows) == total
    assert f"Total number of records retrieved: {total}." in seen["count"].out


def test_a_refused_query_says_where(seen):
    """The platform's code and message reach whoever typed the query."""
    assert seen["bad"].status == 1
    assert seen["bad"].json["name"] == "INVALID_FIELD"
    assert "ERROR at Row:1:Column:8\nNo such column 'Nonsense__c' on entity 'Account'" in seen["bad"].json["message"]


def test_objects_are_listed_and_described(seen):
    """Custom objects by name, and every field of one of them."""
    assert INSTALLMENTS in seen["objects"].result
    described = seen["describe"].result
    assert (described["name"], described["custom"]) == (INSTALLMENTS, True)
    assert {"Id", "Name", "OwnerId", "cpm__External_ID__c"} <= {field["name"] for field in described["fields"]}


def test_limits_are_listed(seen):
    """Each limit has a most and what is left of it."""
    daily = next(one for one in seen["limits"].result if one["name"] == "DailyApiRequests")
    assert daily["max"] == 100_000
    assert 0 < daily["remaining"] < daily["max"]


def test_any_resource_can_be_asked_for(seen):
    """A request by hand carries the session of the login."""
    assert seen["rest"].json["name"] == "Case"


def test_a_record_is_made_changed_and_deleted(sf):
    """Create, get by a condition, update, get by id, delete; then there is nothing to get."""
    made = sf("data", "create", "record", "-s", "Account", "-v", "Name='Parity & Sons' Phone=0800", "--json").result
    assert made["success"]
    found = sf("data", "get", "record", "-s", "Account", "-w", "Name='Parity & Sons'", "--json").result
    assert (found["Id"], found["Phone"]) == (made["id"], "0800")
    assert sf("data", "update", "record", "-s", "Account", "-i", made["id"], "-v", "Phone=0900", "--json").result["success"]
    assert sf("data", "get", "record", "-s", "Account", "-i", made["id"], "--json").result["Phone"] == "0900"
    assert sf("data", "delete", "record", "-s", "Account", "-i", made["id"], "--json").result["success"]
    gone = sf("data", "get", "record", "-s", "Account", "-i", made["id"], "--json")
    assert (gone.status, gone.json["name"]) == (1, "ENTITY_IS_DELETED")


def _heads(table):
    """The column heads of a table, drawn with lines or without."""
    head = next(line for line in table.splitlines() if "NAME" in line)
    return re.findall(r"[A-Z.]+", head)
