"""Formulas: what they give, and how blanks count."""

from datetime import UTC, date, datetime

import pytest

from sandbox.org.clock import Clock
from sandbox.org.errors import OrgError
from sandbox.org.formula.syntax import FormulaError, parse
from sandbox.org.functions import add_months
from sandbox.org.metadata import load_schema
from sandbox.org.org import Org
from sandbox.org.soql.dates import days_of


@pytest.fixture
def worked_out(source):
    """Give the way to work out a formula of a type over a record with some fields."""

    def work_out(formula, kind="Text", **fields):
        source.object("Thing__c", "Thing", nameField="<label>Name</label><type>Text</type>")
        source.field("Thing__c", "Number__c", "Number", precision="16", scale="2")
        source.field("Thing__c", "Text__c", "Text", length="40")
        source.field("Thing__c", "Day__c", "Date")
        source.field("Thing__c", "At__c", "DateTime")
        source.field("Thing__c", "Share__c", "Percent", precision="5", scale="2")
        escaped = formula.replace("&", "&amp;").replace("<", "&lt;")
        scale = {"Number": {"precision": "18", "scale": "2"}, "Percent": {"precision": "18", "scale": "2"}}.get(kind, {})
        source.field("Thing__c", "Result__c", kind, formula=escaped, **scale)
        org = Org(load_schema([source.root]), Clock(datetime(2026, 3, 2, 9, 30, 15, tzinfo=UTC)))
        org.create("Thing__c", {"Name": "Thing", **fields}, session=org.system)
        return org.query("SELECT Result__c FROM Thing__c", user_id=org.admin.id).records[0]["Result__c"]

    return work_out


@pytest.mark.parametrize(
    ("formula", "kind", "fields", "result"),
    [
        ("1 + 2 * 3 - 4 / 2", "Number", {}, 5.0),
        ("(1 + 2) * -3", "Number", {}, -9.0),
        ("2 ^ 3", "Number", {}, 8.0),
        ("10 - 2 - 3", "Number", {}, 5.0),
        ("1 / 0", "Number", {}, None),
        ("Number__c + 1", "Number", {}, 1.0),
        ("ROUND(Number__c, 0)", "Number", {"Number__c": 2.5}, 3.0),
        ("MOD(7, 3) + ABS(-1) + FLOOR(2.7) + CEILING(2.1)", "Number", {}, 7.0),
        ("MAX(1, Number__c, 2) - MIN(4, 3)", "Number", {"Number__c": 9}, 6.0),
        ("Share__c * 200", "Number", {"Share__c": 10}, 20.0),
        ("0.125", "Percent", {}, 12.5),
        ("LEN(Text__c) + VALUE('4')", "Number", {"Text__c": "abc"}, 7.0),
        ('Text__c & "-" & TEXT(Number__c)', "Text", {"Text__c": "a", "Number__c": 40.10}, "a-40.1"),
        ('Text__c & ""', "Text", {}, None),
        ('IF(ISBLANK(Text__c), "none", Text__c)', "Text", {}, "none"),
        ('IF(Text__c = "A", "same", "other")', "Text", {"Text__c": "a"}, "other"),
        ('CASE(Text__c, "a", "first", "b", "second", "else")', "Text", {"Text__c": "b"}, "second"),
        ('IF(Number__c > 1 && !ISBLANK(Text__c) || FALSE, "yes", "no")', "Text", {"Number__c": 2, "Text__c": "x"}, "yes"),
        ("LEFT(Text__c, 2) & RIGHT(Text__c, 2) & MID(Text__c, 2, 3)", "Text", {"Text__c": "abcdef"}, "abefbcd"),
        ('UPPER(SUBSTITUTE(TRIM(" abc "), "b", "-"))', "Text", {}, "A-C"),
        ('LPAD("7", 3, "0")', "Text", {}, "007"),
        ('IF(AND(CONTAINS(Text__c, "bc"), BEGINS(Text__c, "ab")), "in", "out")', "Text", {"Text__c": "abc"}, "in"),
        ("BLANKVALUE(Day__c, TODAY())", "Date", {}, "2026-03-02"),
        ("Day__c + 30", "Date", {"Day__c": "2026-01-31"}, "2026-03-02"),
        ("TODAY() - Day__c", "Number", {"Day__c": "2026-02-20"}, 10.0),
        ("TODAY() - Day__c", "Number", {}, None),
        ("ADDMONTHS(DATE(2026, 1, 31), 1)", "Date", {}, "2026-02-28"),
        ("DATEVALUE(At__c)", "Date", {"At__c": "2026-03-01T23:30:00Z"}, "2026-03-02"),
        ("YEAR(Day__c) * 100 + MONTH(Day__c) + DAY(Day__c) / 100", "Number", {"Day__c": "2026-02-20"}, 202602.2),
        ("WEEKDAY(Day__c)", "Number", {"Day__c": "2026-03-01"}, 1.0),
        ("NOW() - At__c", "Number", {"At__c": "2026-03-01T21:30:15Z"}, 0.5),
        ("At__c + 0.5", "DateTime", {"At__c": "2026-03-01T00:00:00Z"}, "2026-03-01T12:00:00.000+0000"),
        ("Day__c < TODAY()", "Checkbox", {}, False),
        ("ISBLANK(Number__c)", "Checkbox", {}, True),
        ("Number__c = NULL", "Checkbox", {"Number__c": 1}, False),
        ("$User.Username", "Text", {}, "admin@sandbox.example.com"),
    ],
)
def test_a_formula_gives_what_the_platform_gives(worked_out, formula, kind, fields, result):
    """Operators bind as documented, blanks count as zero or empty, dates count in days."""
    assert worked_out(formula, kind, **fields) == result


@pytest.mark.parametrize("formula", ["FLY(1)", "Nope__c + 1", "IF(1)", "1 +", "$Setup.X", "Result__c & 'x'"])
def test_a_formula_that_cannot_be_worked_out_stops_the_org_from_starting(worked_out, formula):
    """Bad metadata is found at the start, not by a query months later."""
    with pytest.raises(FormulaError):
        worked_out(formula)


def test_formulas_reach_over_lookups_and_roll_ups_over_details(company):
    """A formula sees its parents, a roll-up its children outside the bin."""
    mill = company.create("Account", Name="Ford Mill")
    payer = company.create("Contact", FirstName="Ann", LastName="Vane", AccountId=mill)
    invoice = company.invoice(Payer__c=payer, Paid__c=30, Due__c="2026-02-20")
    first = company.create("Line__c", Invoice__c=invoice, Price__c=10.10)
    company.create("Line__c", Invoice__c=invoice, Price__c=0.20)
    found = company.read("Invoice__c", invoice, "Open_Amount__c", "Days_Late__c", "Payer_Name__c", "Is_Late__c", "Lines__c")
    assert list(found.values()) == [70.0, 10.0, "Ann of Ford Mill", True, 10.3]
    company.delete("Line__c", first)
    assert company.column("SELECT Lines__c FROM Invoice__c ORDER BY Days_Late__c") == [0.2]


def test_formulas_follow_the_clock(company):
    """TODAY() is the org's day, so days late grow by themselves."""
    company.invoice(Due__c="2026-03-01")
    company.clock.advance(86400 * 3)
    assert company.column("SELECT Days_Late__c FROM Invoice__c WHERE Days_Late__c = 4") == [4.0]


def test_a_formula_sees_parents_hidden_from_the_user(company):
    """Sharing hides the parent itself, not what a formula takes from it."""
    clerk = company.org.add_user("clerk@example.com", last_name="Clerk", is_admin=True)
    mill = company.create("Account", Name="Ford Mill")
    payer = company.create("Contact", FirstName="Ann", LastName="Vane", AccountId=mill)
    company.invoice(Payer__c=payer)
    company.org.hide("Contact", [payer], clerk.id)
    found = company.query("SELECT Payer__r.Name, Payer_Name__c FROM Invoice__c", user_id=clerk.id).records[0]
    assert (found["Payer__r"], found["Payer_Name__c"]) == (None, "Ann of Ford Mill")


def test_a_validation_rule_names_its_field(company):
    """The refusal carries the rule's message and the field it points at."""
    with pytest.raises(OrgError) as caught:
        company.invoice(Paid__c=500)
    assert (caught.value.message, caught.value.fields) == ("More paid than owed", ["Paid__c"])


def test_the_end_of_a_month_stays_the_end_of_a_month():
    """ADDMONTHS keeps last days last."""
    assert [add_months("2026-02-28", 1), add_months("2026-01-30", 1), add_months("2024-01-31", 1)] == [
        "2026-03-31",
        "2026-02-28",
        "2024-02-29",
    ]


def test_parsing_the_same_formula_twice_reads_it_once():
    """Formulas are parsed once for the life of the process."""
    assert parse("1 + Number__c") is parse("1 + Number__c")


@pytest.mark.parametrize(
    ("literal", "first", "end"),
    [
        ("TODAY", "2026-03-02", "2026-03-03"),
        ("YESTERDAY", "2026-03-01", "2026-03-02"),
        ("THIS_WEEK", "2026-03-02", "2026-03-09"),
        ("LAST_MONTH", "2026-02-01", "2026-03-01"),
        ("NEXT_QUARTER", "2026-04-01", "2026-07-01"),
        ("LAST_YEAR", "2025-01-01", "2026-01-01"),
        ("LAST_N_DAYS:3", "2026-02-27", "2026-03-03"),
        ("NEXT_N_DAYS:3", "2026-03-03", "2026-03-06"),
        ("LAST_N_MONTHS:2", "2026-01-01", "2026-03-01"),
        ("NEXT_N_WEEKS:1", "2026-03-09", "2026-03-16"),
        ("LAST_N_FISCAL_YEARS:1", "2025-01-01", "2026-01-01"),
        ("N_DAYS_AGO:1", "2026-03-01", "2026-03-02"),
        ("LAST_90_DAYS", "2025-12-02", "2026-03-03"),
    ],
)
def test_a_date_literal_is_a_range_of_days(literal, first, end):
    """Each literal covers whole days, the last one included."""
    assert days_of(literal, date(2026, 3, 2)) == (date.fromisoformat(first), date.fromisoformat(end))
