"""What `columns=true` tells about a query, as the Salesforce command line reads it."""

import pytest


@pytest.fixture
def books(company):
    """A company with one payer of one invoice."""
    payer = company.create("Contact", LastName="Vane", AccountId=company.create("Account", Name="Ford Mill"))
    company.invoice(Key__c="i1", Amount__c=40.10, Payer__c=payer)
    return company


def shape(columns):
    """Names with what stands inside."""
    return [(each["columnName"], shape(each["joinColumns"])) if each["joinColumns"] else each["columnName"] for each in columns]


def test_a_field_says_what_it_holds(books):
    """Ids are neither text nor number; a currency is a number."""
    ident, key, amount = books.query("SELECT Id, Key__c, Amount__c FROM Invoice__c").columns
    assert [(each["apexType"], each["numberType"], each["textType"]) for each in (ident, key, amount)] == [
        ("Id", False, False),
        ("String", False, True),
        ("Double", True, False),
    ]
    assert (ident["custom"], key["custom"], ident["insertable"], key["insertable"]) == (False, True, False, True)


def test_a_parent_is_one_column_with_columns_inside(books):
    """Fields of the same parent stand together where the first of them was selected, by the lookup they came through."""
    columns = books.query("SELECT Payer__r.Name, Key__c, Payer__r.Account.Name, Payer__r.LastName FROM Invoice__c").columns
    assert shape(columns) == [("Payer__r", ["Name", ("Account", ["Name"]), "LastName"]), "Key__c"]
    payer = columns[0]
    assert (payer["foreignKeyName"], payer["apexType"], payer["aggregate"]) == ("Payer__c", None, False)
    assert payer["joinColumns"][1]["foreignKeyName"] == "AccountId"


def test_children_are_one_column_with_columns_inside(books):
    """A child query is told apart from a parent by `aggregate`."""
    columns = books.query("SELECT Name, (SELECT LastName, Owner.Name FROM Contacts) FROM Account").columns
    assert shape(columns) == ["Name", ("Contacts", ["LastName", ("Owner", ["Name"])])]
    assert [each["aggregate"] for each in columns] == [False, True]


def test_children_nobody_has_are_described_all_the_same(books):
    """The columns belong to the query, not to its rows."""
    columns = books.query("SELECT (SELECT LastName FROM Contacts) FROM Account WHERE Name = 'Nobody'").columns
    assert shape(columns) == [("Contacts", ["LastName"])]


def test_an_aggregate_is_displayed_as_it_was_written(books):
    """Without an alias the name is exprN; the function is told in small letters."""
    columns = books.query("SELECT Status__c, AVG(Amount__c), COUNT(Id) many FROM Invoice__c GROUP BY Status__c").columns
    assert [(each["columnName"], each["displayName"], each["aggregate"], each["apexType"]) for each in columns] == [
        ("Status__c", "Status__c", False, "String"),
        ("expr0", "avg(Amount__c)", True, None),
        ("many", "count(Id)", True, None),
    ]
