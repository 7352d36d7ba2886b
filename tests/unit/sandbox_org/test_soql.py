"""SOQL answers: rows, parents, children, conditions, groups."""

import pytest

from sandbox.org.errors import OrgError


@pytest.fixture
def books(company):
    """A company with two accounts, three payers and four invoices."""
    mill = company.create("Account", Name="Ford Mill", Industry="Energy")
    shop = company.create("Account", Name="Dale Shop")
    vane = company.create("Contact", FirstName="Ann", LastName="Vane", AccountId=mill)
    pole = company.create("Contact", LastName="Pole", AccountId=mill)
    company.create("Contact", LastName="Lone", AccountId=shop)
    company.invoice(
        Key__c="i1", Amount__c=40.10, Payer__c=vane, Account__c=mill, Due__c="2026-02-20", Topics__c="Gas;Water", Status__c="Late"
    )
    company.invoice(Key__c="i2", Amount__c=0.20, Payer__c=vane, Due__c="2026-03-02", Topics__c="Gas", Sent__c=True)
    company.invoice(Key__c="i3", Amount__c=300, Payer__c=pole, Due__c="2026-04-01", Notes__c="long", Ref__c="50%_off")
    company.invoice(Key__c="i4", Amount__c=400, Status__c="Paid", Seen_At__c="2026-03-01T23:30:00Z")
    return company


def keys(company, where):
    """Give the keys of the invoices a condition finds."""
    return company.column(f"SELECT Key__c FROM Invoice__c WHERE {where} ORDER BY Key__c")


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Key__c = 'I1'", ["i1"]),
        ("Key__c != 'i1'", ["i2", "i3", "i4"]),
        ("Ref__c != 'x'", ["i1", "i2", "i3", "i4"]),
        ("Ref__c = null", ["i1", "i2", "i4"]),
        ("Ref__c LIKE '50\\%\\_%'", ["i3"]),
        ("Key__c LIKE 'I_'", ["i1", "i2", "i3", "i4"]),
        ("Key__c IN ('i1', 'I3')", ["i1", "i3"]),
        ("Key__c NOT IN ('i1')", ["i2", "i3", "i4"]),
        ("Ref__c NOT IN ('x')", ["i1", "i2", "i3", "i4"]),
        ("Ref__c IN (null, '50%_off')", ["i1", "i2", "i3", "i4"]),
        ("Amount__c >= 40.1 AND Amount__c < 400", ["i1", "i3"]),
        ("Amount__c IN (0.2, 400)", ["i2", "i4"]),
        ("Sent__c = TRUE", ["i2"]),
        ("Status__c = 'Late' OR Status__c = 'Paid'", ["i1", "i4"]),
        ("NOT (Ref__c = '50%_off')", ["i1", "i2", "i4"]),
        ("NOT Status__c = 'Open' AND Amount__c > 100", ["i4"]),
        ("Topics__c INCLUDES ('Gas;Water', 'Power')", ["i1"]),
        ("Topics__c EXCLUDES ('Water')", ["i2", "i3", "i4"]),
        ("Due__c = TODAY", ["i2"]),
        ("Due__c = LAST_N_DAYS:10", ["i1", "i2"]),
        ("Due__c < TODAY", ["i1"]),
        ("Due__c > TODAY", ["i3"]),
        ("Due__c = NEXT_MONTH", ["i3"]),
        ("Due__c = 2026-02-20", ["i1"]),
        ("Seen_At__c = TODAY", ["i4"]),
        ("Seen_At__c >= 2026-03-02T00:00:00+01:00", ["i4"]),
        ("Seen_At__c < 2026-03-01T23:30:00.001Z", ["i4"]),
        ("Seen_At__c >= 2026-03-01T23:30:00.001Z", []),
        ("CALENDAR_MONTH(Due__c) = 2", ["i1"]),
        ("Payer__r.LastName = 'vane'", ["i1", "i2"]),
        ("Payer__r.Account.Name = 'Ford Mill'", ["i1", "i2", "i3"]),
        ("Payer__c IN (SELECT Id FROM Contact WHERE LastName = 'Pole')", ["i3"]),
        ("Payer__c NOT IN (SELECT Id FROM Contact WHERE LastName = 'Vane')", ["i3", "i4"]),
        ("Days_Late__c > 5", ["i1"]),
        ("Is_Late__c = TRUE", ["i1"]),
        ("Payer_Name__c = 'ANN of ford mill'", ["i1", "i2"]),
    ],
)
def test_conditions_find_what_the_platform_would_find(books, where, found):
    """Texts ignore case, != and NOT IN count nulls in, date literals are days in the org's time zone."""
    assert keys(books, where) == found


def test_parents_are_nested_with_attributes_and_null_where_there_are_none(books):
    """A parent is a record of its own in the answer, or null."""
    first, *_, last = books.query("SELECT Key__c, Payer__r.Name, Payer__r.Account.Name FROM Invoice__c ORDER BY Key__c").records
    assert first["Payer__r"]["attributes"]["type"] == "Contact"
    assert first["Payer__r"]["Name"] == "Ann Vane"
    assert first["Payer__r"]["Account"]["Name"] == "Ford Mill"
    assert last["Payer__r"] is None
    assert first["attributes"]["url"].startswith("/services/data/v66.0/sobjects/Invoice__c/a00")


def test_children_come_with_their_parents_each_list_cut_on_its_own(books):
    """A subquery gives a small answer of its own for each parent, or null."""
    soql = "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName LIMIT 1) FROM Account ORDER BY Name"
    dale, ford = books.query(soql).records
    assert [each["LastName"] for each in ford["Contacts"]["records"]] == ["Pole"]
    assert (dale["Contacts"]["totalSize"], dale["Contacts"]["done"]) == (1, True)
    account = books.create("Account", Name="Empty")
    assert books.query(f"SELECT Id, (SELECT Id FROM Contacts) FROM Account WHERE Id = '{account}'").records[0]["Contacts"] is None


def test_polymorphic_parents_show_their_name_and_type(books):
    """Owner and What may be of several objects; their shared fields can be read all the same."""
    account = books.column("SELECT Id FROM Account LIMIT 1")[0]
    books.create("Task", Subject="Call", WhatId=account)
    found = books.query("SELECT What.Name, What.Type, Who.Name, Owner.Name FROM Task").records[0]
    assert (found["What"]["Name"], found["What"]["Type"], found["Who"]) == ("Ford Mill", "Account", None)
    assert found["What"]["attributes"]["type"] == "Name"
    assert found["Owner"]["Name"] == "Sandbox Administrator"
    assert books.query("SELECT Id FROM Task WHERE What.Type = 'Account' AND What.Name LIKE 'ford%'").total_size == 1


def test_typeof_reads_the_fields_of_the_type_that_is_there(books):
    """TYPEOF gives each row the fields of its own kind of parent."""
    account = books.column("SELECT Id FROM Account WHERE Name = 'Ford Mill'")[0]
    books.create("Task", Subject="One", WhatId=account)
    books.create("Task", Subject="Two", WhatId=books.column("SELECT Id FROM Invoice__c LIMIT 1")[0])
    soql = "SELECT Subject, TYPEOF What WHEN Account THEN Industry ELSE Name END FROM Task ORDER BY Subject"
    one, two = books.query(soql).records
    assert one["What"]["Industry"] == "Energy"
    assert two["What"]["Name"] == "INV-0001"


def test_order_puts_nulls_first_unless_told_otherwise(books):
    """Nulls lead in both directions by default."""
    assert books.column("SELECT Due__c FROM Invoice__c ORDER BY Due__c")[0] is None
    assert books.column("SELECT Due__c FROM Invoice__c ORDER BY Due__c DESC")[0] is None
    assert books.column("SELECT Due__c FROM Invoice__c ORDER BY Due__c DESC NULLS LAST")[-1] is None
    assert books.column("SELECT Key__c FROM Invoice__c ORDER BY Amount__c LIMIT 2 OFFSET 1") == ["i1", "i3"]


def test_aggregates_group_and_round_money(books):
    """Sums are exact to the field's scale; unnamed columns are expr0 and so on."""
    total = books.query("SELECT COUNT(Id), SUM(Amount__c) total, MIN(Due__c) FROM Invoice__c WHERE Amount__c < 300").records
    assert total == [{"attributes": {"type": "AggregateResult"}, "expr0": 2, "total": 40.3, "expr1": "2026-02-20"}]
    groups = books.query("SELECT Payer__r.LastName, COUNT(Id) n FROM Invoice__c GROUP BY Payer__r.LastName HAVING COUNT(Id) > 1").records
    assert [(each["LastName"], each["n"]) for each in groups] == [("Vane", 2)]
    months = books.query(
        "SELECT CALENDAR_MONTH(Due__c), COUNT(Id) FROM Invoice__c GROUP BY CALENDAR_MONTH(Due__c) ORDER BY CALENDAR_MONTH(Due__c)"
    )
    assert [each["expr0"] for each in months.records] == [None, 2, 3, 4]


def test_count_alone_is_a_number_without_rows(books):
    """SELECT COUNT() answers by its size."""
    result = books.query("SELECT COUNT() FROM Invoice__c WHERE Amount__c > 1")
    assert (result.records, result.total_size) == ([], 3)
    assert books.query("SELECT COUNT() FROM Invoice__c LIMIT 2").total_size == 2


def test_fields_stands_for_many_fields(books):
    """FIELDS(STANDARD) is free, FIELDS(ALL) needs a limit."""
    standard = books.query("SELECT FIELDS(STANDARD) FROM Invoice__c LIMIT 1").records[0]
    assert "Name" in standard
    assert "Key__c" not in standard
    assert "Key__c" in books.query("SELECT FIELDS(ALL) FROM Invoice__c LIMIT 200").records[0]
    with pytest.raises(OrgError, match="must have a LIMIT of at most 200"):
        books.query("SELECT FIELDS(ALL) FROM Invoice__c")


def test_an_id_is_found_by_its_short_form(books):
    """Fifteen characters are as good as eighteen."""
    full = books.column("SELECT Id FROM Invoice__c WHERE Key__c = 'i1'")[0]
    assert books.column(f"SELECT Id FROM Invoice__c WHERE Id = '{full[:15]}'") == [full]


def test_columns_are_described_for_the_command_line(books):
    """`columns=true` wants names, types and what kind of query it was."""
    result = books.query("SELECT Id, Payer__r.Name, Amount__c FROM Invoice__c")
    assert [each["columnName"] for each in result.columns] == ["Id", "Payer__r", "Amount__c"]
    assert [each["numberType"] for each in result.columns] == [False, False, True]
    assert (result.entity, result.key_prefix, result.id_selected, result.group_by) == ("Invoice__c", "a00", True, False)


def test_a_query_over_ten_thousand_rows_uses_its_indexes(company):
    """Looking up two hundred ids does not read the whole table."""
    payers = company.org.bulk_load("Contact", [{"LastName": f"L{n}"} for n in range(300)])
    company.org.bulk_load("Invoice__c", [{"Amount__c": n, "Payer__c": payers[n % 300]} for n in range(3000)])
    listed = ", ".join(f"'{each}'" for each in payers[:200])
    assert company.query(f"SELECT Id FROM Invoice__c WHERE Payer__c IN ({listed})").total_size == 2000
    plan = company.org._database.rows(
        "EXPLAIN QUERY PLAN SELECT Id FROM Invoice__c t0 WHERE t0.Payer__c IN (SELECT value FROM json_each('[]'))"
    )
    assert any("Invoice__c.Payer__c" in str(row) for row in plan)
