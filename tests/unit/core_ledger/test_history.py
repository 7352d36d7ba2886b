"""What lies behind a payer."""

import pytest

from tests.unit.core_ledger.build import at, claim, day, paid, position


def failing(identifier: str, when: str, installment: str, code: str = "AM04") -> dict[str, object]:
    """A failed try."""
    return paid(identifier, "failed", at(when), installment, reason_code=code)


def test_failures_are_counted_by_installment_not_by_try() -> None:
    """Three tries of one installment are one failure of the payer's."""
    rows = [failing("1", "01-05", "jan"), failing("2", "01-12", "jan"), failing("3", "02-05", "feb")]
    assert position([claim(), claim("feb", "02-05"), claim("mar", "03-05")], rows).failures_12m == 2


@pytest.mark.parametrize("code", ["TM01", "AM05"])
def test_what_was_a_machines_or_our_own_fault_is_not_counted(code: str) -> None:
    """A duplicate collection of ours is no mark against the payer."""
    assert position([claim()], [failing("1", "01-05", "jan", code)]).failures_12m == 0


def test_only_twelve_months_are_counted() -> None:
    """March of last year is forgotten on the day after its anniversary."""
    old = claim("old", "2025-03-20")
    assert position([old], [failing("1", "2025-03-20", "old")], now=at("2026-03-19")).failures_12m == 1
    assert position([old], [failing("1", "2025-03-20", "old")], now=at("2026-03-21")).failures_12m == 0


def test_what_the_package_counts_is_counted() -> None:
    """A settled installment whose counter says it failed did fail."""
    assert position([claim(status="Collected", times_failed=1, last_failed_on=day("01-06"))]).failures_12m == 1
    assert position([claim(status="Collected", times_failed=1, last_failed_on=day("01-06"), last_reason_code="TM01")]).failures_12m == 0


def test_failures_are_unknown_where_only_a_status_tells_of_one() -> None:
    """The org cannot tell when or how often: null, never 0."""
    assert position([claim(status="Failed"), claim("feb", "02-05", status="Collected")]).failures_12m is None


def test_failures_are_none_where_nothing_hints_at_one() -> None:
    """Unpaid is not failed."""
    assert position([claim()]).failures_12m == 0


def test_failures_in_a_row_end_with_any_money() -> None:
    """Somebody who paid February meanwhile is not on a row of failures since January."""
    rows = [failing("1", "02-05", "feb"), failing("2", "02-12", "feb")]
    claims = [claim(), claim("feb", "02-05")]
    assert position(claims, rows).consecutive_failures == 2
    assert position(claims, [*rows, paid("3", "collected", at("02-08"))]).consecutive_failures == 1


def test_tenure_is_what_the_payer_says_else_the_oldest_installment() -> None:
    """A customer of ten years whose history was not migrated is still a customer of ten years."""
    assert position([claim(), claim("old", "2025-03-20", status="Collected")]).tenure_days == 365
    assert position([claim()], payers=[{"id": "p", "customer_since": "2016-03-20"}]).tenure_days == 3652
    assert position().tenure_days is None


def test_clean_days_are_those_before_the_present_episode() -> None:
    """Two years without a failure are worth something on the day the first one comes; our own faults do not end them."""
    claims = [claim("old", "2025-01-05"), claim("mid", "2025-06-05"), claim("mar", "03-05")]
    rows = [
        failing("1", "2025-01-05", "old"),
        paid("2", "collected", at("2025-01-09"), "old"),
        failing("3", "2025-06-05", "mid", "TM01"),
        paid("4", "collected", at("2025-06-06"), "mid"),
        failing("5", "03-05", "mar"),
    ]
    assert position(claims, rows).clean_days == 424
    assert position([claim("mar", "03-05")], [rows[4]]).clean_days is None


def test_the_first_installment_of_all_is_known_as_such() -> None:
    """A new customer's first debit fails for other reasons than their thirtieth."""
    row = failing("1", "03-05", "mar")
    claims = [claim("mar", "03-05"), claim("apr", "04-05")]
    assert [one.first_ever for one in position(claims, [row]).open_items] == [True, False]
    assert not position([*claims, claim("feb", "02-05", status="Collected")], [row]).open_items[0].first_ever
    assert not position(claims, [row, paid("2", "collected", at("03-01"), "apr", 100)]).open_items[0].first_ever
    assert not position(claims, [row], payers=[{"id": "p", "customer_since": "2019-01-01"}]).open_items[0].first_ever


def test_late_money_is_remembered_for_thirty_days() -> None:
    """Who paid after a failure is thanked, once, soon, and not for old money."""
    rows = [failing("1", "03-05", "mar"), paid("2", "collected", at("03-09"), "mar")]
    (settled,) = position([claim("mar", "03-05")], rows).settled
    assert (settled.id, settled.by, settled.settled_at, settled.failed_at) == ("mar", "money", at("03-09"), at("03-05"))
    assert position([claim("mar", "03-05")], rows, now=at("04-09")).settled == ()
    assert position([claim("mar", "03-05")], rows[1:]).settled == ()


def test_money_on_top_does_not_settle_a_second_time() -> None:
    """Who paid twice by mistake settled it with the first payment."""
    rows = [failing("1", "03-05", "mar"), paid("2", "collected", at("03-09"), "mar"), paid("3", "collected", at("03-12"), "mar")]
    assert [one.settled_at for one in position([claim("mar", "03-05")], rows).settled] == [at("03-09")]


def test_late_money_is_seen_where_only_the_status_tells() -> None:
    """An org without payment rows says Collected after a failure: that is money, and waiving is not."""
    row = failing("1", "03-05", "mar")
    assert [one.by for one in position([claim("mar", "03-05", status="Collected")], [row]).settled] == ["money"]
    assert [one.by for one in position([claim("mar", "03-05", status="Cancelled")], [row]).settled] == ["written_off"]
    assert position([claim("mar", "03-05", status="Refunded")], [row]).settled == ()


def test_the_pay_day_is_learnt_from_money_that_came_after_failures() -> None:
    """The day salaries come shows in when failed money came, not in when it was due."""
    claims = [claim("a", "2025-11-01"), claim("b", "2025-12-01"), claim("c", "01-01"), claim("d", "03-01")]
    rows = []
    for name, failed, came in (("a", "2025-11-01", "2025-11-25"), ("b", "2025-12-01", "2025-12-25"), ("c", "01-01", "01-03")):
        rows += [failing(f"{name}1", failed, name), paid(f"{name}2", "collected", at(came, "12:00"), name)]
    rows += [failing("d1", "03-01", "d")]
    assert position(claims, rows).pay_day == 25
    assert position(claims, rows[-1:]).pay_day is None


def test_every_payer_gets_a_position() -> None:
    """Silence about somebody is not the same as being clear."""
    found = position(payers=[{"id": "p", "plan_state": "kept", "plan_id": "plan", "missing": "a b"}])
    assert (found.open_items, found.missing, found.plan and found.plan.state) == ((), ("a", "b"), "kept")
