"""The plain world believes its own books and refuses careless writes."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from sandbox.org import OrgError
from sandbox.worlds.opening import Wish, open_org
from tests.support.lessons import NOW, RULE, as_user, crowd, opened, receivable, rows

GOOD = {"Amount__c": "10.00", "Received_On__c": "2026-03-02", "Kind__c": "Received"}


def test_the_books_agree() -> None:
    """What has been paid is the sum of the payments, and Paid means that nothing is open."""
    for one in rows(
        crowd(), "SELECT Amount__c, Amount_Paid__c, Amount_Open__c, Status__c, (SELECT Amount__c FROM Payments__r) FROM Receivable__c"
    ):
        paid = sum(each["Amount__c"] for each in one["Payments__r"]["records"]) if one["Payments__r"] else 0
        assert one["Amount_Paid__c"] == pytest.approx(paid)
        assert one["Amount_Open__c"] == pytest.approx(one["Amount__c"] - paid)
        assert (one["Status__c"] == "Paid") == (one["Amount_Open__c"] == 0)


def test_the_past_keeps_the_rules_but_for_the_period() -> None:
    """Nothing a world loads breaks a rule that was in force when it happened."""
    found = rows(crowd(), "SELECT Id FROM Receivable__c WHERE Status__c = 'In Collection' AND Billing_Arrangement__c = null")
    found += rows(crowd(), "SELECT Id FROM Receivable__c WHERE Status__c = 'Written Off' AND Write_Off_Reason__c = null")
    found += rows(crowd(), "SELECT Id FROM Payment__c WHERE Kind__c = 'Returned' AND (Return_Code__c = null OR Amount__c > 0)")
    found += rows(crowd(), "SELECT Id FROM Payment__c WHERE Received_On__c > 2026-03-02")
    assert found == []


def test_the_crowd_begins_with_work_to_do() -> None:
    """A few clients in a hundred are in arrears, every way to pay and both currencies are there."""
    late = rows(crowd(), "SELECT COUNT_DISTINCT(Contact__c) n FROM Receivable__c WHERE Days_Overdue__c > 0 AND Contact__c != null")[0]["n"]
    assert 8 <= int(str(late)) <= 60
    assert {
        one["Payment_Method__c"] for one in rows(crowd(), "SELECT Payment_Method__c FROM Receivable__c GROUP BY Payment_Method__c")
    } == {
        "Direct Debit",
        "Card",
        "Bank Transfer",
    }
    assert len(rows(crowd(), "SELECT CurrencyIsoCode FROM Receivable__c GROUP BY CurrencyIsoCode")) == 2


def test_the_same_arguments_give_the_same_world() -> None:
    """Two worlds of one seed agree, and one more client changes none of the others."""
    soql = "SELECT Invoice_Number__c, Status__c, Amount__c FROM Receivable__c ORDER BY Invoice_Number__c"
    first, second, larger = (rows(opened(payers), soql) for payers in (20, 20, 30))
    facts = [{name: value for name, value in one.items() if name != "attributes"} for one in larger]
    assert first == second
    assert all({name: value for name, value in one.items() if name != "attributes"} in facts for one in first)


def test_months_are_asked_for() -> None:
    """The history of made-up clients is as long as asked for."""
    org = open_org(Wish("plain", 40, 1, NOW, shape={"months": 2}))
    dates = rows(org, "SELECT MIN(Due_Date__c) earliest FROM Receivable__c WHERE Invoice_Number__c LIKE 'TW%'")
    assert str(dates[0]["earliest"]) >= "2026-01-01"


def test_the_integration_user_sees_what_is_owed_and_may_not_change_it() -> None:
    """It reads bills, payments and arrangements, books payments, sets the next try, and can neither say what was paid nor delete."""
    org = opened()
    user = "dunwell.integration@sandbox.example"
    for soql in (
        "SELECT Id, Amount__c, Amount_Open__c, Due_Date__c, Status__c, Days_Overdue__c, Payment_Link__c, Billing_Arrangement__r.Status__c FROM Receivable__c",
        "SELECT Id, Receivable__c, Amount__c, Received_On__c, Kind__c, Transaction_Id__c, Paid_At__c FROM Payment__c",
        "SELECT Id, IBAN__c, Method__c, Collection_Day__c FROM Billing_Arrangement__c",
        "SELECT Id, Story__c, Client_Since__c, Client_Time_Zone__c, Reach_By__c, SMS_Consent__c FROM Contact",
    ):
        assert rows(org, soql, user)
    bill = str(receivable(org, "careless-write-off:2026-03")["Id"])
    own = as_user(org, "integration")
    org.update("Receivable__c", bill, {"Status__c": "Returned", "Return_Code__c": "51"}, session=own)
    org.create("Payment__c", GOOD | {"Receivable__c": bill, "Transaction_Id__c": "t-1"}, session=own)
    with pytest.raises(OrgError):
        org.update("Receivable__c", bill, {"Amount_Paid__c": 1}, session=own)
    with pytest.raises(OrgError):
        org.delete("Receivable__c", bill, session=own)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Received_On__c": "2026-01-31"}, "accounting period is closed"),
        ({"Received_On__c": "2026-03-03"}, "not come yet"),
        ({"Amount__c": "-10.00"}, "Received money is positive"),
        ({"Amount__c": "0"}, "Received money is positive"),
        ({"Kind__c": "Returned", "Return_Code__c": "0"}, "Received money is positive"),
        ({"Kind__c": "Returned", "Amount__c": "-10.00"}, "needs the bank's code"),
    ],
)
def test_a_careless_payment_is_refused(changes: dict[str, str], words: str) -> None:
    """The same payment booked with care passes, so each refusal is its rule's."""
    org = crowd()
    session = as_user(org, "credit_manager")
    with pytest.raises(OrgError, match=words) as refused:
        org.create("Payment__c", GOOD | changes, session=session)
    assert refused.value.code == RULE
    org.delete("Payment__c", org.create("Payment__c", GOOD, session=session), session=org.system)
    org.delete("Payment__c", org.create("Payment__c", GOOD | {"Received_On__c": "2026-02-01"}, session=session), session=org.system)


def test_the_period_closes_as_time_goes_on() -> None:
    """What could be booked in March cannot in April, by London's calendar."""
    org = opened()
    old = GOOD | {"Received_On__c": "2026-02-10"}
    session = as_user(org, "credit_manager")
    org.create("Payment__c", old, session=session)
    org.clock.set(datetime(2026, 3, 31, 23, 30, tzinfo=ZoneInfo("Europe/London")))
    org.create("Payment__c", old, session=session)
    org.clock.advance(3600)
    with pytest.raises(OrgError, match="period is closed"):
        org.create("Payment__c", old, session=session)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Status__c": "Paid"}, "not paid yet"),
        ({"Status__c": "Written Off"}, "needs a reason"),
        ({"Status__c": "Disputed"}, "disagrees"),
        ({"Status__c": "In Collection", "Billing_Arrangement__c": None}, "no arrangement"),
        ({"Contact__c": None}, "Say who owes"),
    ],
)
def test_a_careless_change_of_a_receivable_is_refused(changes: dict[str, object], words: str) -> None:
    """Nothing of a refused write is left."""
    org = crowd()
    before = receivable(org, "careless-write-off:2026-03")
    with pytest.raises(OrgError, match=words) as refused:
        org.update("Receivable__c", str(before["Id"]), changes, session=as_user(org, "credit_manager"))
    assert refused.value.code == RULE
    assert receivable(org, "careless-write-off:2026-03") == before


def test_an_active_debit_needs_an_account_number() -> None:
    """A card needs none, and neither does a cancelled debit."""
    org, session = crowd(), as_user(crowd(), "credit_manager")
    with pytest.raises(OrgError, match="needs an account number"):
        org.create("Billing_Arrangement__c", {"Method__c": "Direct Debit"}, session=session)
    org.create("Billing_Arrangement__c", {"Method__c": "Card"}, session=session)
    org.create("Billing_Arrangement__c", {"Method__c": "Direct Debit", "Status__c": "Cancelled"}, session=session)


def test_money_is_booked_once() -> None:
    """The bank's own number is unique: booking it again is refused."""
    org = opened()
    org.create("Payment__c", GOOD | {"Transaction_Id__c": "tx"}, session=org.system)
    with pytest.raises(OrgError) as refused:
        org.create("Payment__c", GOOD | {"Transaction_Id__c": "tx"}, session=org.system)
    assert refused.value.code == "DUPLICATE_VALUE"


def test_money_paid_back_opens_nothing_and_a_deleted_payment_does() -> None:
    """A refund is not owed again; a payment that was a mistake is."""
    org = opened()
    bill = receivable(org, "half-paid:2026-02")["Id"]
    org.create("Payment__c", GOOD | {"Receivable__c": bill, "Amount__c": "-44.00", "Kind__c": "Paid Back"}, session=org.system)
    assert receivable(org, "half-paid:2026-02")["Amount_Open__c"] == 0
    wrong = rows(org, f"SELECT Id FROM Payment__c WHERE Receivable__c = '{bill}' AND Kind__c = 'Received'")[0]["Id"]
    org.delete("Payment__c", str(wrong), session=org.system)
    after = receivable(org, "half-paid:2026-02")
    assert (after["Amount_Open__c"], after["Status__c"]) == (44.0, "Open")
