"""A large world has the proportions it is said to have, and a small one stays as it was."""

from collections import Counter
from datetime import UTC, date, datetime

import holidays
import pytest

from sandbox.worlds.findock import closed, fill
from sandbox.worlds.findock.months import Course
from sandbox.worlds.findock.payers import LARGE, invented, usual_months
from sandbox.worlds.making import chance_of
from sandbox.worlds.opening import Wish, open_org

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_a_small_world_has_two_years_and_a_large_one_four_months() -> None:
    """The size decides, unless somebody says."""
    assert usual_months(LARGE) == 24
    assert usual_months(LARGE + 1) == 4


@pytest.mark.parametrize("today", [TODAY, date(2026, 7, 31), date(2026, 11, 22), date(2026, 12, 31)])
def test_a_payer_of_a_large_world_has_five_to_six_installments_and_four_to_five_payments(today: date) -> None:
    """200,000 payers are a million installments or a little more, on whatever day of the month the world begins."""
    specs = list(invented(range(1, 601), 1, today, 4))
    months = [
        list(Course(one, claim, today, chance_of(1, one.number, "months", claim.label)).months()) for one in specs for claim in one.claims
    ]
    assert 5.0 <= sum(map(len, months)) / len(specs) <= 6.0
    assert 3.9 <= sum(len(month.payments) for each in months for month in each) / len(specs) <= 5.2


def test_money_that_comes_in_parts_is_the_same_money_in_two_or_three_payments() -> None:
    """Two payments an installment instead of one; what is open, which months went wrong and all other payers' months stay as they are."""
    whole, parted = (
        [
            month
            for one in invented(range(1, 601), 1, TODAY, 4, parts)
            for month in Course(one, one.claims[0], TODAY, chance_of(1, one.number, "months", "")).months()
        ]
        for parts in (1, 3)
    )
    counted = "cpm__Collection_Count__c"
    assert [{**one.installment, counted: 0} for one in whole] == [{**one.installment, counted: 0} for one in parted]
    for one, other in zip(whole, parted, strict=True):
        paid = [sum(round(float(str(row["cpm__Amount__c"])) * 100) for row in each.payments) for each in (one, other)]
        assert paid[0] == paid[1]
        assert len({row["cpm__Payment_Reference__c"] for row in other.payments}) == len(other.payments)
    assert 1.8 <= sum(len(one.payments) for one in parted) / len(parted) <= 2.1


def test_about_one_payer_in_twenty_is_in_arrears_when_it_starts() -> None:
    """A large world begins with work to do, not with a catastrophe."""
    late = Counter(
        any(month.installment["cpm__Status__c"] in {"Failed", "Reversed", "Pending recollection"} for month in course.months())
        for one in invented(range(1, 2001), 1, TODAY, 4)
        for course in (Course(one, one.claims[0], TODAY, chance_of(1, one.number, "months", "")),)
    )
    assert 0.03 <= late[True] / 2000 <= 0.07


def test_crowds_do_not_change_what_is_in_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many payers are made at a time is nothing a record could tell."""
    soql = "SELECT Id, cpm__Generated_Payment_Reference__c, cpm__Status__c FROM cpm__Installment__c ORDER BY Id"

    def installments() -> list[dict[str, object]]:
        org = open_org(Wish("findock", 60, 1, NOW))
        return org.query(soql, user_id=org.admin.id).records

    whole = installments()
    monkeypatch.setattr(fill, "CROWD", 17)
    monkeypatch.setattr(fill, "COMPANY", 5)
    assert installments() == whole


def test_a_month_at_least() -> None:
    """A payer without a past is no payer of this world."""
    with pytest.raises(ValueError, match="at least one month"):
        open_org(Wish("findock", 19, 1, NOW, shape={"months": 0}))
    with pytest.raises(ValueError, match="at least one payment"):
        open_org(Wish("findock", 19, 1, NOW, shape={"parts": 0}))


@pytest.mark.parametrize("year", range(2013, 2041))
def test_closed_days_are_those_of_the_calendar_package(year: int) -> None:
    """What is worked out here agrees with the package made for it, working days only."""
    england = {day for day in holidays.country_holidays("GB", subdiv="ENG", years=year) if day.weekday() < 5}
    target = {day for day in holidays.financial_holidays("ECB", years=year) if day.weekday() < 5}
    assert {day for day in closed.england(year) if day.weekday() < 5} == england
    assert {day for day in closed.target(year) if day.weekday() < 5} == target
