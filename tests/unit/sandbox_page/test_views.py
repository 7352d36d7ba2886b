"""Columns and filters of list views."""

from pathlib import Path

import pytest

from sandbox.org.metadata import load_schema
from sandbox.org.schema import Schema
from sandbox.org.setup import ListFilter, ListView
from sandbox.page.columns import of_token, resolve
from sandbox.page.filters import UnclearError, conditions, equals, like


@pytest.fixture(scope="module")
def schema(dx: Path) -> Schema:
    """Give the small org's schema."""
    return load_schema([dx])


@pytest.mark.parametrize(
    ("sobject", "token", "path"),
    [
        ("Debt__c", "NAME", "Name"),
        ("Debt__c", "amount__c", "Amount__c"),
        ("Debt__c", "OWNER.ALIAS", "OwnerId"),
        ("Debt__c", "LAST_UPDATE", "LastModifiedDate"),
        ("Debt__c", "CREATED_DATE", "CreatedDate"),
        ("Debt__c", "Person__r.Email", "Person__r.Email"),
        ("Case", "CASES.CASE_NUMBER", "CaseNumber"),
        ("Case", "CASES.CREATED_DATE_DATE_ONLY", "CreatedDate"),
        ("Case", "CASES.CLOSED", "IsClosed"),
        ("Case", "NAME", "ContactId"),
        ("Case", "ACCOUNT.NAME", "AccountId"),
        ("Account", "ACCOUNT.NAME", "Name"),
        ("Account", "ACCOUNT.PHONE1", "Phone"),
        ("Contact", "FULL_NAME", "Name"),
        ("Contact", "CONTACT.EMAIL", "Email"),
        ("Task", "DUE_DATE", "ActivityDate"),
        ("Task", "WHO_NAME", "WhoId"),
        ("Task", "IS_CLOSED", "IsClosed"),
        ("Task", "CORE.USERS.ALIAS", "OwnerId"),
    ],
)
def test_columns_of_the_user_interface_are_understood(schema: Schema, sobject: str, token: str, path: str) -> None:
    """List views name standard fields by tokens of their own."""
    column = of_token(schema, schema.objects[sobject], token)
    assert column is not None
    assert column.path == path


def test_a_token_that_is_not_known_is_not_guessed(schema: Schema) -> None:
    """A column nobody knows is none."""
    assert of_token(schema, schema.objects["Debt__c"], "NO_SUCH_TOKEN") is None
    assert resolve(schema, schema.objects["Debt__c"], "Person__r.Nothing__c") is None


def view(*filters: ListFilter, scope: str = "Everything", logic: str | None = None, queue: str | None = None) -> ListView:
    """Make a list view of debts."""
    return ListView("V", "V", "Debt__c", ("NAME",), filters, scope, logic, queue)


@pytest.mark.parametrize(
    ("given", "soql"),
    [
        (ListFilter("Status__c", "equals", "open,late"), "(Status__c = 'open' OR Status__c = 'late')"),
        (ListFilter("Status__c", "notEqual", "open,late"), "(Status__c != 'open' AND Status__c != 'late')"),
        (ListFilter("Status__c", "equals", ""), "(Status__c = null)"),
        (ListFilter("Sent__c", "equals", "1"), "(Sent__c = true)"),
        (ListFilter("Sent__c", "notEqual", "0"), "(Sent__c != false)"),
        (ListFilter("Amount__c", "greaterOrEqual", "10.50"), "(Amount__c >= 10.50)"),
        (ListFilter("Due__c", "lessThan", "TODAY"), "(Due__c < TODAY)"),
        (ListFilter("Due__c", "equals", "LAST_N_DAYS:30"), "(Due__c = LAST_N_DAYS:30)"),
        (ListFilter("Due__c", "greaterThan", "3/9/2026"), "(Due__c > 2026-03-09)"),
        (ListFilter("Seen_At__c", "greaterThan", "11/1/2021 12:00 AM"), "(Seen_At__c > 2021-11-01T00:00:00Z)"),
        (ListFilter("Key__c", "contains", "50%_'"), "(Key__c LIKE '%50\\%\\_\\'%')"),
        (ListFilter("Key__c", "startsWith", "A"), "(Key__c LIKE 'A%')"),
        (ListFilter("Person__c", "equals", "Ada Exampleby"), "(Person__r.Name = 'Ada Exampleby')"),
    ],
)
def test_filters_become_soql(schema: Schema, given: ListFilter, soql: str) -> None:
    """Each operation of list views means what SOQL means by it; a value never becomes language."""
    assert conditions(schema, schema.objects["Debt__c"], view(given), "005")[0] == soql


def test_filters_are_said_in_words(schema: Schema) -> None:
    """What a list leaves out is said above it."""
    given = view(ListFilter("Status__c", "notEqual", "done"), ListFilter("Sent__c", "equals", "0"))
    assert conditions(schema, schema.objects["Debt__c"], given, "005")[1] == ("Status is not done", "Sent is no")


def test_the_logic_of_filters_is_kept(schema: Schema) -> None:
    """Filters are joined as the list view says, and the scope narrows the whole."""
    one, two = ListFilter("Amount__c", "lessThan", "1"), ListFilter("Sent__c", "equals", "1")
    found, _ = conditions(schema, schema.objects["Debt__c"], view(one, two, logic="1 OR (2 and NOT 1)", scope="Mine"), "005A")
    assert found == "((Amount__c < 1) OR ( (Sent__c = true) AND NOT (Amount__c < 1) )) AND OwnerId = '005A'"


@pytest.mark.parametrize(
    "unclear",
    [
        view(ListFilter("NO_SUCH_TOKEN", "equals", "1")),
        view(ListFilter("Status__c", "sounds like", "open")),
        view(ListFilter("Due__c", "equals", "soon")),
        view(ListFilter("Amount__c", "lessThan", "1 OR Id != null")),
        view(ListFilter("Sent__c", "equals", "1"), logic="1 AND 2"),
        view(ListFilter("Sent__c", "equals", "1"), logic="1; DROP"),
        view(scope="SalesTeam"),
    ],
)
def test_what_is_not_understood_is_refused(schema: Schema, unclear: ListView) -> None:
    """A list that left a filter out would show the wrong records, so it shows none."""
    with pytest.raises(UnclearError):
        conditions(schema, schema.objects["Debt__c"], unclear, "005")


def test_text_searched_for_stands_for_itself(schema: Schema) -> None:
    """Quotes, backslashes and wildcards in a text are letters."""
    assert like("a'b\\c%d_e") == "'%a\\'b\\\\c\\%d\\_e%'"
    assert equals(schema, schema.objects["Debt__c"], "Key__c", "x' OR Id != '")[0] == "Key__c = 'x\\' OR Id != \\''"
