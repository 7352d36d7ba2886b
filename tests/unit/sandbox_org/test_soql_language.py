"""The rarer parts of SOQL: levels of children, joins, subtotals, literals, sorting, functions."""

import pytest

from sandbox.org.clock import Clock
from sandbox.org.errors import OrgError
from sandbox.org.metadata import load_schema
from sandbox.org.org import Org
from tests.unit.sandbox_org.conftest import NOW


@pytest.fixture
def books(company):
    """Two accounts, three payers, five invoices, two of them with lines."""
    mill = company.create("Account", Name="Ford Mill")
    shop = company.create("Account", Name="Dale Shop")
    vane = company.create("Contact", FirstName="Ann", LastName="Vane", AccountId=mill)
    pole = company.create("Contact", LastName="Pöle", AccountId=mill)
    company.create("Contact", LastName="Lone", AccountId=shop)
    one = company.invoice(Key__c="i1", Amount__c=40, Payer__c=vane, Account__c=mill, Topics__c="Gas;Water", Status__c="Late", Sent__c=True)
    two = company.invoice(Key__c="i2", Amount__c=20, Payer__c=vane, Status__c="Open", Topics__c="Gas")
    company.invoice(Key__c="i3", Amount__c=300, Payer__c=pole, Status__c="Paid")
    company.invoice(Key__c="i4", Amount__c=400, Status__c="Open", Seen_At__c="2026-03-01T23:30:00Z")
    company.invoice(Key__c="i5", Amount__c=1234.5, Status__c="Late", Ref__c="a\\b")
    for number, invoice in enumerate((one, one, two)):
        company.create("Line__c", Name=f"l{number}", Invoice__c=invoice, Price__c=number)
    return company


def plain(result):
    """Give the rows without their attributes."""
    return [{key: value for key, value in each.items() if key != "attributes"} for each in result.records]


def refusal(company, soql, **more):
    """Give the refusal of a statement."""
    with pytest.raises(OrgError) as caught:
        company.org.query(soql, user_id=company.session.user_id, **more)
    return caught.value


def test_children_of_children_come_nested(books):
    """A query may go down four levels from its root, each level with its own conditions."""
    soql = "SELECT Name, (SELECT LastName, (SELECT Key__c, (SELECT Name FROM Lines__r ORDER BY Name DESC) FROM Invoices__r) FROM Contacts) FROM Account"
    mill = next(each for each in books.query(soql).records if each["Name"] == "Ford Mill")
    vane = next(each for each in mill["Contacts"]["records"] if each["LastName"] == "Vane")
    first, second = vane["Invoices__r"]["records"]
    assert [each["Name"] for each in first["Lines__r"]["records"]] == ["l1", "l0"]
    assert (first["Lines__r"]["totalSize"], second["Lines__r"]["totalSize"]) == (2, 1)
    pole = next(each for each in mill["Contacts"]["records"] if each["LastName"] != "Vane")
    assert pole["Invoices__r"]["records"][0]["Lines__r"] is None


def test_children_of_children_are_for_version_58_and_later(books):
    """Before it, a child has no children of its own."""
    soql = "SELECT Id, (SELECT Id, (SELECT Id FROM Invoices__r) FROM Contacts) FROM Account"
    error = refusal(books, soql, api_version="57.0")
    assert error.code == "MALFORMED_QUERY"
    assert error.message == "SOQL statements cannot query aggregate relationships more than 1 level away from the root entity object."
    assert books.org.query(soql, user_id=books.session.user_id, api_version="58.0").total_size == 2


def test_more_than_four_levels_of_children_or_five_of_parents_are_refused(books):
    """Depth has its bounds."""
    soql = "SELECT Id FROM Tasks"
    for relationship in ("Invoices__r", "Invoices__r", "Contacts", "Contacts", "Account"):
        soql = f"SELECT Id, ({soql}) FROM {relationship}"
    assert "levels" in refusal(books, soql).message or "relationship" in refusal(books, soql).message
    up = ".".join(["Parent"] * 6)
    assert "more than 5 levels away" in refusal(books, f"SELECT {up}.Name FROM Account").message


def test_a_list_of_children_is_cut_for_each_parent_by_itself(books):
    """LIMIT and OFFSET of a subquery count within one parent."""
    soql = "SELECT LastName, (SELECT Key__c FROM Invoices__r ORDER BY Key__c DESC LIMIT 1 OFFSET 1) FROM Contact WHERE LastName = 'Vane'"
    (vane,) = books.query(soql).records
    assert [each["Key__c"] for each in vane["Invoices__r"]["records"]] == ["i1"]


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("Id IN (SELECT AccountId FROM Contact) OR Name = 'a'", "Semi join sub-selects are not allowed with the 'OR' operator"),
        ("Name = 'a' AND (Id IN (SELECT AccountId FROM Contact) OR Name = 'b')", "only allowed at the top level WHERE expressions"),
        ("NOT Id IN (SELECT AccountId FROM Contact)", "only allowed at the top level WHERE expressions"),
        ("Id IN (SELECT ParentId FROM Account)", "The inner and outer selects should not be on the same object type"),
        ("Id IN (SELECT Id FROM Contact)", "should point to the same object type"),
        ("Id IN (SELECT LastName FROM Contact)", "must be an id field"),
        ("Id IN (SELECT AccountId FROM Contact LIMIT 1)", "select one id field and nothing more"),
        (
            "Id IN (SELECT AccountId FROM Contact) AND Id IN (SELECT AccountId FROM Case) AND Id NOT IN (SELECT Account__c FROM Invoice__c)",
            "Maximum 2 semi join sub-selects",
        ),
    ],
)
def test_semi_joins_have_the_bounds_of_the_platform(books, where, words):
    """At most two, at the top, joined by AND, on another object, by ids of the same kind."""
    assert words in refusal(books, f"SELECT Id FROM Account WHERE {where}").message


def test_a_child_query_may_have_a_semi_join(books):
    """The conditions of a subquery are conditions like any other."""
    soql = "SELECT LastName, (SELECT Key__c FROM Invoices__r WHERE Id IN (SELECT Invoice__c FROM Line__c WHERE Price__c > 1)) FROM Contact"
    families = [each["Invoices__r"] for each in books.query(soql).records if each["Invoices__r"]]
    assert [each["Key__c"] for family in families for each in family["records"]] == ["i2"]


def test_rollup_gives_subtotals_below_their_rows_and_a_grand_total(books):
    """GROUPING() tells a subtotal from a group of nulls."""
    soql = "SELECT Status__c s, Sent__c t, GROUPING(Sent__c) g, SUM(Amount__c) n FROM Invoice__c GROUP BY ROLLUP(Status__c, Sent__c)"
    rows = [(each["s"], each["t"], each["g"], each["n"]) for each in books.query(soql).records]
    assert rows == [
        ("Open", False, 0, 420.0), ("Open", None, 1, 420.0),
        ("Late", False, 0, 1234.5), ("Late", True, 0, 40.0), ("Late", None, 1, 1274.5),
        ("Paid", False, 0, 300.0), ("Paid", None, 1, 300.0),
        (None, None, 1, 1994.5),
    ]  # fmt: skip


def test_cube_gives_every_combination_and_having_and_order_apply_to_all(books):
    """Conditions and order see subtotals as rows."""
    soql = (
        "SELECT Status__c, Sent__c, COUNT(Id) n FROM Invoice__c GROUP BY CUBE(Status__c, Sent__c) "
        "HAVING COUNT(Id) > 1 ORDER BY COUNT(Id) DESC, Status__c LIMIT 3"
    )
    assert [(each["Status__c"], each["Sent__c"], each["n"]) for each in books.query(soql).records] == [
        (None, None, 5),
        (None, False, 4),
        ("Open", False, 2),
    ]


def test_subtotals_have_their_rules(books):
    """At most three fields, and no further field beside ROLLUP."""
    assert "unexpected token" in refusal(books, "SELECT COUNT(Id) FROM Case GROUP BY ROLLUP(Status), Origin").message
    four = "Status, Origin, Priority, Type"
    assert "at most 3 fields" in refusal(books, f"SELECT COUNT(Id) FROM Case GROUP BY CUBE({four})").message


def test_an_aggregate_answer_has_no_second_page(books):
    """More than two thousand groups are refused with the advice to use LIMIT."""
    books.org.bulk_load("Contact", [{"LastName": f"L{number}"} for number in range(2001)])
    error = refusal(books, "SELECT LastName, COUNT(Id) FROM Contact GROUP BY LastName")
    assert error.code == "EXCEEDED_ID_LIMIT"
    assert "does not support queryMore(), use LIMIT" in error.message
    assert books.query("SELECT LastName, COUNT(Id) FROM Contact GROUP BY LastName LIMIT 2000").total_size == 2000


@pytest.mark.parametrize(
    ("soql", "words"),
    [
        (
            "SELECT Status__c, COUNT(Id) FROM Invoice__c GROUP BY Status__c ORDER BY Key__c",
            "Ordered field must be grouped or aggregated: Key__c",
        ),
        ("SELECT CALENDAR_YEAR(Due__c) FROM Invoice__c", "Field must be grouped or aggregated: CALENDAR_YEAR(Due__c)"),
        ("SELECT MAX(Sent__c) FROM Invoice__c", "field Sent__c does not support aggregate operator MAX"),
        ("SELECT SUM(Key__c) FROM Invoice__c", "field Key__c does not support aggregate operator SUM"),
        ("SELECT COUNT(), Id FROM Invoice__c", "COUNT() must be the only element"),
        ("SELECT Status__c, toLabel(Status__c) FROM Invoice__c", "duplicate field selected: Status__c"),
        ("SELECT Id, FIELDS(STANDARD) FROM Invoice__c", "duplicate field selected: Id"),
        ("SELECT Id FROM Invoice__c WHERE COUNT(Id) > 1", "unexpected token: 'COUNT'"),
        ("SELECT Id FROM Invoice__c WHERE Key__c = 'a\\-b'", "Invalid string literal 'a\\-b'. Illegal character sequence '\\-' in string"),
        ("SELECT COUNT(Id) group FROM Invoice__c", "unexpected token: 'group'"),
        ("SELECT COUNT(Id) first FROM Invoice__c", "unexpected token: 'first'"),
        ("SELECT Id FROM Invoice__c Group", "unexpected token: 'Group'"),
        ("SELECT Id FROM Invoice__c WHERE Key__c LIKE %a", "line 1:44 no viable alternative at character '%'"),
        ("SELECT Id FROM Invoice__c WHERE Key__c = 'a", "mismatched character '<EOF>' expecting '''"),
        ("SELECT Id FROM Invoice__c WHERE Amount__c > USD5", "Unknown currency USD"),
        ("SELECT Id FROM Invoice__c WHERE HOUR_IN_DAY(Due__c) = 1", "is not a dateTime field in function HOUR_IN_DAY"),
        ("SELECT DISTANCE(Key__c, GEOLOCATION(1, 2), 'km') FROM Invoice__c", "is not a geolocation field in function DISTANCE"),
        ("SELECT Id FROM Invoice__c WITH DATA CATEGORY Area__c AT a__c", "WITH DATA CATEGORY is not supported by the sandbox"),
        ("SELECT Id FROM Invoice__c USING SCOPE delegated", "scope delegated is not supported by the sandbox"),
        ("SELECT Id FROM Invoice__c WHERE Topics__c > 'a'", "invalid operator on multipicklist field"),
        ("SELECT Id FROM Invoice__c WHERE Key__c INCLUDES ('a')", "includes/excludes only valid on multipicklist field, found: 'Key__c'"),
    ],
)
def test_what_has_no_meaning_is_refused_in_words(books, soql, words):
    """A statement that can be read may still ask for nothing that is."""
    assert words in refusal(books, soql).message


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Amount__c > EUR399.5", ["i4", "i5"]),
        ("Ref__c = 'a\\\\b'", ["i5"]),
        ("Ref__c LIKE 'a\\\\%'", ["i5"]),
        ("Ref__c LIKE 'a\\\\\\\\%'", []),
        ("Key__c LIKE '%\\u0000z'", []),
        ("Key__c LIKE '%\0z'", []),
        ("Payer__r.LastName = 'PÖLE'", ["i3"]),
        ("Payer__r.LastName LIKE 'pÖ%'", ["i3"]),
        ("Payer__r.LastName IN ('PÖLE', 'x')", ["i3"]),
        ("Topics__c INCLUDES ('gas;WATER')", ["i1"]),
        ("Topics__c INCLUDES ('Gas')", ["i1", "i2"]),
        ("Topics__c EXCLUDES ('Gas', 'Power')", ["i3", "i4", "i5"]),
        ("Topics__c = 'Gas'", ["i2"]),
        ("HOUR_IN_DAY(Seen_At__c) = 23", ["i4"]),
        ("HOUR_IN_DAY(convertTimezone(Seen_At__c)) = 0", ["i4"]),
        ("DAY_ONLY(convertTimezone(Seen_At__c)) = 2026-03-02", ["i4"]),
        ("toLabel(Status__c) = 'paid'", ["i3"]),
        ("Key__c > null", []),
        ("NOT (Payer__r.LastName = 'Vane' OR Amount__c > 350)", ["i3"]),
        ("Payer__r.FirstName = null", ["i3", "i4", "i5"]),
        ("Payer__r.FirstName != 'Ann'", ["i3", "i4", "i5"]),
        ("Sent__c != TRUE", ["i2", "i3", "i4", "i5"]),
        ("CreatedDate = TODAY AND CreatedDate = THIS_FISCAL_QUARTER", ["i1", "i2", "i3", "i4", "i5"]),
        ("Invoice__c.Key__c = 'i1'", ["i1"]),
    ],
)
def test_conditions_follow_the_reference(books, where, found):
    """Escapes, accents, several picks, time zones, nulls of parents."""
    assert books.column(f"SELECT Key__c FROM Invoice__c WHERE {where} ORDER BY Key__c") == found


def test_a_boolean_of_a_parent_that_is_not_there_is_false(books):
    """The reference says so of outer joins."""
    assert books.column("SELECT Name FROM Line__c WHERE Invoice__r.Sent__c = FALSE") == ["l2"]
    assert books.column("SELECT Key__c FROM Invoice__c WHERE Payer__r.IsDeleted = FALSE ORDER BY Key__c") == ["i1", "i2", "i3", "i4", "i5"]


def test_picklists_sort_by_their_values_and_texts_without_accents(books):
    """The order of a picklist is the one it was set up in."""
    assert books.column("SELECT Status__c FROM Invoice__c ORDER BY Status__c, Key__c") == ["Open", "Open", "Late", "Late", "Paid"]
    books.create("Contact", LastName="polf")
    books.create("Contact", LastName="Pold")
    assert books.column("SELECT LastName FROM Contact WHERE LastName LIKE 'p%' ORDER BY LastName") == ["Pold", "Pöle", "polf"]


def test_functions_show_values_for_people(books):
    """FORMAT() writes numbers and moments, toLabel() goes below its parent, an alias gives a column of its own."""
    soql = "SELECT FORMAT(Amount__c) shown, Amount__c, FORMAT(Seen_At__c), toLabel(Status__c) word FROM Invoice__c WHERE Key__c IN ('i4', 'i5') ORDER BY Key__c"
    four, five = plain(books.query(soql))
    assert five == {"shown": "1,234.50", "Amount__c": 1234.5, "Seen_At__c": None, "word": "Late"}
    assert four["Seen_At__c"] == "3/1/2026, 11:30 PM"
    parent = books.query("SELECT toLabel(Invoice__r.Status__c) FROM Line__c WHERE Name = 'l0'").records[0]
    assert parent["Invoice__r"]["Status__c"] == "Late"
    assert plain(books.query("SELECT FORMAT(MAX(Amount__c)) most FROM Invoice__c")) == [{"most": "1,234.50"}]


def test_keys_come_in_the_order_of_the_select_list(books):
    """A parent stands where its first field was asked for."""
    record = books.query("SELECT Payer__r.LastName, Key__c, Payer__r.Id, Id FROM Invoice__c WHERE Key__c = 'i1'").records[0]
    assert list(record) == ["attributes", "Payer__r", "Key__c", "Id"]
    assert list(record["Payer__r"]) == ["attributes", "LastName", "Id"]


def test_typeof_reads_parents_of_each_kind_and_is_null_without_an_else(books):
    """Fields may lie further up; what no arm names is null unless ELSE names fields."""
    vane = books.column("SELECT Id FROM Contact WHERE LastName = 'Vane'")[0]
    mill = books.column("SELECT Id FROM Account WHERE Name = 'Ford Mill'")[0]
    books.create("Task", Subject="a", WhoId=vane, WhatId=mill)
    one = books.query("SELECT TYPEOF Who WHEN Contact THEN LastName, Account.Name END FROM Task").records[0]["Who"]
    assert (one["attributes"]["type"], one["LastName"], one["Account"]["Name"]) == ("Contact", "Vane", "Ford Mill")
    assert books.query("SELECT TYPEOF What WHEN Case THEN CaseNumber END FROM Task").records[0]["What"] is None
    other = books.query("SELECT TYPEOF What WHEN Case THEN CaseNumber ELSE Name END FROM Task").records[0]["What"]
    assert (other["attributes"]["type"], other["Name"]) == ("Account", "Ford Mill")


def test_a_name_in_from_may_stand_for_a_relationship(books):
    """`FROM Contact c, c.Account a` gives a short name to a path."""
    assert books.column("SELECT c.LastName FROM Contact c, c.Account a WHERE a.Name = 'Dale Shop'") == ["Lone"]


def test_clauses_that_change_nothing_are_taken(books):
    """A user's mode is the only one; views are not counted."""
    for clause in (
        "WITH USER_MODE",
        "WITH SECURITY_ENFORCED",
        "FOR VIEW",
        "FOR REFERENCE",
        "UPDATE TRACKING",
        "UPDATE VIEWSTAT",
        "FOR UPDATE",
    ):
        assert books.query(f"SELECT Id FROM Invoice__c {clause}").total_size == 5
    assert books.query("SELECT Id FROM Invoice__c USING SCOPE mine").total_size == 5


def test_the_recycle_bin_is_asked_for_by_the_resource_not_by_the_statement(books):
    """ALL ROWS belongs to Apex; the refusal shows no place, as users report it."""
    error = refusal(books, "SELECT Id FROM Invoice__c ALL ROWS")
    assert (error.code, error.message) == ("MALFORMED_QUERY", "ALL ROWS not allowed in this context")


def test_one_plan_serves_statements_that_differ_in_plain_texts(books):
    """Each gets its own answer, whatever came before it, down to lists, ids and refusals."""
    soql = "SELECT Key__c FROM Invoice__c WHERE Key__c IN ({}) AND Status__c != '{}' ORDER BY Key__c"
    assert books.column(soql.format("'i1', 'i2'", "Open")) == ["i1"]
    assert books.column(soql.format("'i2','i3','i4'", "Paid")) == ["i2", "i4"]
    assert books.column(soql.format("'i2', null, ''", "Paid")) == ["i2"]
    topics = "SELECT Key__c FROM Invoice__c WHERE Topics__c INCLUDES ('{}')"
    assert (books.column(topics.format("Water")), books.column(topics.format("Power"))) == (["i1"], [])
    payers = books.column("SELECT Id FROM Contact WHERE LastName = 'Vane'") + books.column("SELECT Id FROM Contact WHERE LastName = 'Lone'")
    assert [len(books.column(f"SELECT Id FROM Invoice__c WHERE Payer__c = '{each}'")) for each in payers] == [2, 0]
    assert refusal(books, "SELECT Id FROM Invoice__c WHERE Payer__c = 'nobody'").message == "invalid ID field: nobody"


def test_a_kept_plan_follows_the_day_and_the_moment(books):
    """TODAY moves at midnight of the org's time zone, NOW() all the time."""
    soql = "SELECT Key__c FROM Invoice__c WHERE CreatedDate = TODAY AND Key__c = 'i1'"
    assert books.column(soql) == ["i1"]
    books.clock.advance(86_400)
    assert books.column(soql) == []


def test_a_kept_plan_is_one_users_own(books):
    """What one may see is not what another may see."""
    user = books.org.add_user("clerk@example.com", last_name="Clerk", permission_sets=("Clerk",))
    soql = "SELECT Ref__c FROM Invoice__c"
    assert books.query(soql).total_size == 5
    with pytest.raises(OrgError, match="No such column 'Ref__c'"):
        books.query(soql, user_id=user.id)
    books.org.set_access(user.id, is_admin=True)
    assert books.query(soql, user_id=user.id).total_size == 5


def test_distances_are_measured_over_the_ground(source):
    """A geolocation field can be shown, filtered and sorted by its distance."""
    source.object("Shop__c", "Shop", nameField="<label>Shop</label><type>Text</type>")
    source.field("Shop__c", "Place__c", "Location", scale="4", displayLocationInDecimal="true")
    org = Org(load_schema([source.root]), Clock(NOW))
    for name, latitude, longitude in (("Utrecht", 52.0907, 5.1214), ("Paris", 48.8566, 2.3522), ("Nowhere", None, None)):
        org.create("Shop__c", {"Name": name, "Place__Latitude__s": latitude, "Place__Longitude__s": longitude}, session=org.system)
    away = "DISTANCE(Place__c, GEOLOCATION(52.3676, 4.9041), 'km')"
    soql = f"SELECT Name, {away} km FROM Shop__c WHERE {away} < 500 ORDER BY {away} DESC"
    assert [(each["Name"], round(each["km"])) for each in org.query(soql, user_id=org.admin.id).records] == [
        ("Paris", 430),
        ("Utrecht", 34),
    ]
