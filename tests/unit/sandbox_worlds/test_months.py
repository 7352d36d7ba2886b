"""What the world says happened in the past is consistent and looks like collecting does."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from sandbox.worlds.findock import days
from sandbox.worlds.findock.months import Course, Month
from sandbox.worlds.findock.payers import Spec, from_story, invented
from sandbox.worlds.findock.rails import BACS, RAILS, SEPA
from sandbox.worlds.findock.schedules import schedules
from sandbox.worlds.findock.stories import read_book
from sandbox.worlds.making import chance_of

TODAY = date(2026, 3, 2)


def lived(specs: Iterator[Spec] | list[Spec]) -> list[tuple[Spec, Month]]:
    """Every month of these payers."""
    return [
        (spec, month)
        for spec in specs
        for claim in spec.claims
        for month in Course(spec, claim, TODAY, chance_of(1, spec.number, "months", claim.label)).months()
    ]


@pytest.fixture(scope="module")
def crowd() -> list[tuple[Spec, Month]]:
    """The months of three hundred made-up payers."""
    return lived(invented(range(1, 301), 1, TODAY))


def story_months(name: str) -> dict[str, Month]:
    """The months of a story's payer, by external id."""
    story = next(one for one in read_book().stories if one.name == name)
    return {str(month.installment["cpm__External_ID__c"]): month for _, month in lived([from_story(1, story, TODAY)])}


def cents(value: object) -> int:
    """An amount of a row in minor units."""
    return round(float(str(value)) * 100)


def test_open_amount_is_what_payments_left(crowd: list[tuple[Spec, Month]]) -> None:
    """An installment's open amount is its amount less the sum of its payments, whatever happened to it."""
    for _, month in crowd:
        paid = sum(cents(one["cpm__Amount__c"]) for one in month.payments)
        assert cents(month.installment["cpm__Amount_Open__c"]) == cents(month.installment["cpm__Amount__c"]) - paid


def test_status_agrees_with_the_money(crowd: list[tuple[Spec, Month]]) -> None:
    """Collected means nothing is open, and every other status that something is."""
    for _, month in crowd:
        assert (month.installment["cpm__Status__c"] == "Collected") == (cents(month.installment["cpm__Amount_Open__c"]) == 0)


def test_nothing_happened_in_the_future(crowd: list[tuple[Spec, Month]]) -> None:
    """No payment is dated after the day the world begins on."""
    assert max(str(one["cpm__Collection_Date__c"]) for _, month in crowd for one in month.payments) <= TODAY.isoformat()


def test_about_one_month_in_twenty_five_goes_wrong(crowd: list[tuple[Spec, Month]]) -> None:
    """Failures and reversals are as rare as in life: around four in a hundred."""
    wrong = sum(1 for _, month in crowd if month.installment["cpm__of_times_failed__c"] or month.installment["cpm__of_times_reversed__c"])
    assert 0.02 < wrong / len(crowd) < 0.07


def test_the_crowd_has_every_kind_of_payer(crowd: list[tuple[Spec, Month]]) -> None:
    """Persons and companies, three countries, three processors and three kinds of claim are all there."""
    specs = {spec.number: spec for spec, _ in crowd}.values()
    assert {one.kind for one in specs} == {"person", "company"}
    assert {one.country for one in specs} == {"NL", "DE", "GB"}
    assert {claim.rail.processor for one in specs for claim in one.claims} == set(RAILS)
    assert {claim.kind for one in specs for claim in one.claims} == {"debt", "membership", "gift"}


def test_old_trouble_was_settled(crowd: list[tuple[Spec, Month]]) -> None:
    """Only the youngest months can still be open: the world does not begin with years of arrears."""
    for _, month in crowd:
        if month.installment["cpm__Status__c"] != "Collected":
            assert str(month.installment["cpm__Original_Due_Date__c"]) > "2025-12-01"


def test_some_payers_are_in_arrears_and_some_are_under_way(crowd: list[tuple[Spec, Month]]) -> None:
    """The world begins with work to do: failures not yet settled and collections whose outcome is unknown."""
    seen = Counter(month.installment["cpm__Status__c"] for _, month in crowd)
    assert seen["Failed"] + seen["Reversed"] >= 3
    assert seen["Pending Processing"] >= 10
    assert seen["New"] >= 200


def test_pay_link_payments_come_at_the_payers_hour(crowd: list[tuple[Spec, Month]]) -> None:
    """Whoever pays themselves does so within ten minutes of their habit, on their weekday."""
    seen = 0
    for spec, month in crowd:
        for one in month.payments:
            assert bool(one["Payer_Initiated__c"]) == (one["Paid_At__c"] is not None)
            if one["Paid_At__c"]:
                seen += 1
                assert one["cpm__Payment_Processor__c"] == "PaymentHub-Mollie"
                assert spec.habit_weekday == date.fromisoformat(str(one["cpm__Collection_Date__c"])).weekday()
    assert seen > 200


def test_collections_happen_on_working_days(crowd: list[tuple[Spec, Month]]) -> None:
    """A direct debit or card run never moves money on a day its rail is closed."""
    for spec, month in crowd:
        for one in month.payments:
            if not one["Payer_Initiated__c"]:
                assert days.is_open(date.fromisoformat(str(one["cpm__Collection_Date__c"])), spec.claims[0].rail.processor)


def test_one_more_payer_changes_no_other() -> None:
    """Worlds of different size agree on the payers they share, so that a number names the same payer everywhere."""
    assert list(invented(range(20, 30), 1, TODAY)) == list(invented(range(20, 40), 1, TODAY))[:10]
    assert list(invented(range(20, 30), 1, TODAY)) != list(invented(range(20, 30), 2, TODAY))


def test_nobody_in_it_can_exist() -> None:
    """E-mail, telephone and account numbers are of kinds that reach nobody."""
    for spec in invented(range(1, 200), 1, TODAY):
        assert str(spec.facts()["Phone"]).startswith(("+3161122", "+4917139200", "+447700900"))


def test_the_loyal_payer_never_failed_and_pays_at_half_past_seven() -> None:
    """Twelve good years: no failure, eight pay-link payments on Wednesdays at 19:30 Amsterdam time."""
    months = story_months("loyal-first-failure")
    assert len(months) == 26
    assert all(not month.installment["cpm__of_times_failed__c"] for month in months.values())
    own = [one for month in months.values() for one in month.payments if one["Payer_Initiated__c"]]
    assert len(own) == 8
    assert {str(one["Paid_At__c"])[11:16] for one in own} == {"17:30", "18:30"}  # summer and winter time
    assert {date.fromisoformat(str(one["cpm__Collection_Date__c"])).weekday() for one in own} == {2}


def test_three_months_failed_before_the_fourth() -> None:
    """The payer of `fourth-this-year` failed in three earlier months, each settled later."""
    failed = [key for key, month in story_months("fourth-this-year").items() if month.installment["cpm__of_times_failed__c"]]
    assert failed == ["fourth-this-year:2025-05", "fourth-this-year:2025-08", "fourth-this-year:2025-12"]


@pytest.mark.parametrize("story", read_book().stories, ids=lambda story: story.name)
def test_a_story_begins_with_this_month_under_way_and_the_past_settled(story: object) -> None:
    """Before its first step a story's payer owes nothing that is late: what happens is the story's doing."""
    name = getattr(story, "name", "")
    for key, month in story_months(name).items():
        status = month.installment["cpm__Status__c"]
        if key.endswith("2026-03"):
            assert status in {"Pending Processing", "New"}
        else:
            assert status == ("New" if key.endswith("2026-04") else "Collected")


def test_runs_fall_on_working_days_and_reach_half_a_year_ahead() -> None:
    """Every coming run is on a working day of its rail; each rail has one at least every week but one."""
    rows = list(schedules(TODAY))
    for row in rows:
        assert days.is_open(date.fromisoformat(str(row["cpm__Collection_Date__c"])), str(row["cpm__Payment_Processor__c"]))
    for processor in RAILS:
        coming = [
            date.fromisoformat(str(row["cpm__Collection_Date__c"]))
            for row in rows
            if row["cpm__Payment_Processor__c"] == processor and row["cpm__Status__c"] == "Scheduled"
        ]
        assert coming[0] > TODAY
        assert (coming[-1] - TODAY).days > 150
        assert max((b - a).days for a, b in pairwise(coming)) <= 8


def test_calendars_know_their_closed_days() -> None:
    """Good Friday closes both rails; the May bank holiday only Bacs; 1 May only SEPA."""
    assert not days.is_open(date(2026, 4, 3), SEPA.processor)
    assert not days.is_open(date(2026, 4, 3), BACS.processor)
    assert days.is_open(date(2026, 5, 4), SEPA.processor)
    assert not days.is_open(date(2026, 5, 4), BACS.processor)
    assert not days.is_open(date(2026, 5, 1), SEPA.processor)
    assert days.plus(date(2026, 4, 2), 1, SEPA.processor) == date(2026, 4, 7)
    assert days.on_or_after(date(2026, 4, 3), SEPA.processor) == date(2026, 4, 7)
    assert str(ZoneInfo("Europe/Amsterdam")) == read_book().time_zone
