"""A team's day has so many calls, and an outage of a processor is not ten thousand debtors."""

from datetime import date, timedelta

import pytest

from connector.core.breaker import Breaker, DailyFailures, outages
from connector.core.capacity import Desk, ration
from connector.core.model import Arrears, Decision, FollowUp, Withheld
from connector.core.words import ArrearsStatus, Kind, Withholding
from tests.scenario.decide.builders import AMSTERDAM, NOW, at, failure, item, judge, kinds, position, withheld

TODAY = date(2026, 3, 2)


def calls(name, **more):
    """A decision that asks for one call."""
    asked = {"priority": "Normal", "amount": 4000, "days": 1, "when": NOW, "role": "credit_manager", "look": None} | more
    amount = asked["amount"]
    follow_up = FollowUp(
        Kind.CALL,
        asked["when"],
        f"call-{name}",
        (f"i-{name}",),
        "row",
        ("why",),
        assignee=asked["role"],
        priority=asked["priority"],
        amount_minor=amount,
        currency="EUR",
    )
    arrears = Arrears(ArrearsStatus.IN_ARREARS, {"EUR": amount}, TODAY, asked["days"], 0, 1)
    return Decision(name, arrears, (follow_up,), (), "default", "1", None, "why", asked["look"])


def desk(left, listed=()):
    """The credit managers with so many calls left on a Monday."""
    return Desk({"credit_manager": left}, frozenset(listed), NOW, AMSTERDAM, "NL")


def given(decisions):
    """Payers whose call was given out."""
    return [one.payer for one in decisions if one.follow_ups]


def test_the_most_pressing_calls_come_first_and_the_rest_is_carried_over():
    """High before Normal, then longest overdue, then most money; silence about the others is explained."""
    asked = [calls("a"), calls("b", days=9), calls("c", priority="High"), calls("d", amount=9000), calls("e", days=9, amount=1)]
    found = ration(asked, desk(3))
    assert given(found) == ["b", "c", "e"]
    (left_over,) = next(one for one in found if one.payer == "a").withheld
    assert (left_over.reasons, left_over.key) == (("capacity",), "call-a")
    assert left_over.until == at("2026-03-03 09:00")


def test_the_order_in_which_payers_come_does_not_matter():
    """The same calls are given out however the batch is sorted."""
    asked = [calls(name, days=number % 3) for number, name in enumerate("abcdef")]
    assert sorted(given(ration(asked, desk(2)))) == sorted(given(ration(asked[::-1], desk(2))))


def test_a_call_on_somebodys_list_stays_there():
    """Nobody's work is taken away again because the day is full."""
    assert given(ration([calls("a"), calls("b")], desk(0, {"call-b"}))) == ["b"]


def test_tomorrows_calls_and_other_teams_are_left_alone():
    """Only today's calls of teams with a number are counted."""
    asked = [calls("a", when=NOW + timedelta(days=1)), calls("b", role="membership_team"), calls("c")]
    assert given(ration(asked, desk(0))) == ["a", "b"]


def test_a_friday_is_carried_over_to_monday():
    """Carried-over calls come up on the next working day, and the payer is looked at again then, or sooner."""
    friday = Desk({"credit_manager": 0}, frozenset(), at("2026-03-06 15:00"), AMSTERDAM, "NL")
    (found,) = ration([calls("a", when=at("2026-03-06 15:00"))], friday)
    assert found.look_again_at == at("2026-03-09 09:00")
    (sooner,) = ration([calls("a", when=at("2026-03-06 15:00"), look=at("2026-03-07 10:00"))], friday)
    assert sooner.look_again_at == at("2026-03-07 10:00")


def failures(*counts, processor="Northwind Pay"):
    """Failures of the last days, yesterday's last but one, today's last."""
    days = len(counts)
    return [DailyFailures(processor, TODAY - timedelta(days=days - 1 - number), count) for number, count in enumerate(counts)]


@pytest.mark.parametrize(
    ("counts", "out"),
    [
        ((10, 900), True), ((10, 900, 5), True), ((10, 900, 5, 5), False), ((10, 199), False), ((150, 700), False), ((150, 750), True),
        ((900,), False), ((0, 900), False), ((), False), ((400, *[0] * 28, 900), False), ((100, *[0] * 40, 900), False),
    ],
)  # fmt: skip
def test_a_processor_is_out_when_failures_jump_beyond_its_worst_day(counts, out):
    """Five times the worst day of five weeks, and at least two hundred; without a history nothing is an outage."""
    assert bool(outages(failures(*counts), TODAY, Breaker())) is out


def test_one_processors_outage_is_not_anothers():
    """Only what failed there is held."""
    counts = [*failures(10, 900), *failures(10, 12, processor="PaymentHub-SEPA")]
    assert outages(counts, TODAY, Breaker()) == {"Northwind Pay"}


def test_what_failed_in_an_outage_is_held_and_says_so():
    """No note, no call and no blind retry about what the processor did; it is looked at again in six hours."""
    found = judge(position(item(scheme="card", processor="Northwind Pay"), failures_12m=4, outages=frozenset({"Northwind Pay"})))
    assert "remind" not in kinds(found)
    assert {reason for reasons in withheld(found).values() for reason in reasons} == {"switched_off"}
    assert found.look_again_at == NOW + timedelta(hours=6)


def test_what_failed_before_the_outage_or_elsewhere_goes_on():
    """An outage stops only what it caused."""
    out = frozenset({"Northwind Pay"})
    assert kinds(judge(position(item(processor="PaymentHub-SEPA"), outages=out))) == kinds(judge(position(item())))
    old = item(scheme="card", processor="Northwind Pay", failures=(failure(when=NOW - timedelta(days=3)),))
    assert "remind" in kinds(judge(position(old, outages=out)))


def test_what_is_carried_over_says_all_about_it():
    """Kind, reason, end, key, installments and row, and a public holiday is no working day."""
    eve = Desk({"credit_manager": 0}, frozenset(), at("2026-04-24 15:00"), AMSTERDAM, "NL")
    decision = calls("a", when=at("2026-04-24 15:00"))
    (call,) = decision.follow_ups
    (found,) = ration([decision], eve)
    assert found.follow_ups == ()
    assert found.withheld == (
        *decision.withheld,
        Withheld(call.kind, (Withholding.CAPACITY,), at("2026-04-28 09:00"), call.key, call.installments, call.rule),
    )
