"""When an installment is overdue, failing, or on its way."""

import pytest

from connector.core.words import Outcome
from tests.unit.core_ledger.build import at, claim, day, owed, paid, position


def test_due_yesterday_is_overdue_and_due_today_is_not() -> None:
    """A payer has the whole of the due date to pay."""
    found = position([claim("a", "03-19"), claim("b", "03-20"), claim("c", "03-21")])
    assert [(one.id, one.overdue) for one in found.open_items] == [("a", True), ("b", False), ("c", False)]
    assert (owed(found), found.days_past_due) == ({"EUR": 4000}, 1)


def test_failed_on_its_due_date_is_overdue_at_once() -> None:
    """Waiting for midnight would make the first message a day late."""
    found = position([claim("mar", "03-20")], [paid("1", "failed", at("03-20", "05:00"), "mar", reason_code="AM04")])
    assert (owed(found), found.days_past_due) == ({"EUR": 4000}, 0)


def test_failed_before_its_due_date_is_not_overdue() -> None:
    """A try ahead of time cannot make anybody late."""
    found = position([claim("apr", "04-01")], [paid("1", "failed", at("03-19"), "apr", reason_code="AM04")])
    assert (owed(found), found.since, len(found.open_items[0].failures)) == ({}, None, 1)


def test_days_are_the_creditors() -> None:
    """Half past midnight in Amsterdam is still yesterday in UTC; due dates live with the creditor."""
    assert owed(position([claim("a", "03-19")], now=at("03-20", "00:30"))) == {"EUR": 4000}
    assert owed(position([claim("a", "03-19")], now=at("03-19", "23:30"))) == {}


def test_an_installment_without_a_due_date_nobody_tried_to_collect_is_not_asked_for() -> None:
    """An open checkout is no claim yet; once tried, the first try's day is its due date."""
    assert position([claim("a", None)]).open_items == ()
    found = position([claim("a", None)], [paid("1", "failed", at("03-10"), "a", reason_code="AM04")])
    assert (str(found.open_items[0].due_on), owed(found)) == ("2026-03-10", {"EUR": 4000})


def test_a_new_episode_starts_with_the_reversal_after_settlement() -> None:
    """Failures of an episode that was settled do not count in the one a later reversal opens."""
    rows = [
        paid("1", "failed", at("01-05"), reason_code="AM04"),
        paid("2", "failed", at("01-12"), reason_code="AM04"),
        paid("3", "collected", at("01-20")),
        paid("4", "reversed", at("03-02"), amount=-4000, reason_code="MS03"),
    ]
    (item,) = position([claim()], rows).open_items
    assert [(one.outcome, one.reason.code) for one in item.failures] == [(Outcome.REVERSED, "MS03")]


def test_one_return_told_by_provider_and_package_is_one_failure() -> None:
    """The attempt row and the package's negative payment tell of the same event."""
    rows = [
        paid("1", "collected", at("02-01")),
        paid("2", "returned", at("02-04", "10:00"), reason_code="AM04"),
        paid("3", "reversed", at("02-05", "00:00"), amount=-4000),
    ]
    (item,) = position([claim()], rows).open_items
    assert len(item.failures) == 1


def test_a_resubmission_that_fails_again_under_the_same_reference_is_a_second_failure() -> None:
    """Some providers keep one payment id over all tries; the pending row between them tells them apart."""
    rows = [
        paid("1", "failed", at("02-01"), reference="PM1", reason_code="AM04"),
        paid("2", "pending", at("02-08"), reference="PM1"),
        paid("3", "failed", at("02-10"), reference="PM1", reason_code="AM04"),
    ]
    assert len(position([claim()], rows).open_items[0].failures) == 2
    assert len(position([claim()], [rows[0], rows[2]]).open_items[0].failures) == 1


def test_a_failure_only_the_package_counts_is_a_failure() -> None:
    """A package's counters tell of failures no row shows: one of them is known, on the day they name."""
    (item,) = position([claim(times_failed=2, last_failed_on=day("02-03"), last_reason_code="AM04")]).open_items
    (failure,) = item.failures
    assert (failure.at, failure.reason.code, item.attempts_180d) == (at("02-03", "00:00"), "AM04", 2)


def test_a_failure_told_by_a_row_is_not_told_again_by_the_counters() -> None:
    """The package stamps the day it learned of a failure, a little after the attempt."""
    counted = claim(times_failed=1, last_failed_on=day("02-05"), last_reason_code="AM04")
    (item,) = position([counted], [paid("1", "failed", at("02-02"), reason_code="MS03")]).open_items
    assert [one.reason.code for one in item.failures] == ["MS03"]


def test_a_later_failure_only_the_counters_know_joins_the_rows() -> None:
    """Rows that end in January do not hide March."""
    counted = claim(times_failed=2, last_failed_on=day("03-03"), last_reason_code="AM04")
    (item,) = position([counted], [paid("1", "failed", at("01-05"), reason_code="MS03")]).open_items
    assert [one.reason.code for one in item.failures] == ["MS03", "AM04"]


def test_a_failure_only_the_status_tells_has_no_known_reason_and_a_lasting_date() -> None:
    """It is dated by the due date, so that what answers it is made once and not every day."""
    first, later = position([claim(status="Failed")]), position([claim(status="Failed")], now=at("03-29"))
    (failure,) = first.open_items[0].failures
    assert (failure.reason.category, failure.at) == ("unknown", at("01-05", "00:00"))
    assert later.open_items[0].failures == (failure,)


@pytest.mark.parametrize(
    ("status", "due", "expected"),
    [
        ("Pending Processing", "03-15", True),
        ("Pending Processing", "03-01", False),
        ("Pending", "03-15", True),
        ("Pending recollection", "02-10", True),
        ("Pending recollection", "01-20", False),
        ("Outstanding", "03-15", False),
    ],
)
def test_a_status_says_money_is_on_its_way_until_it_is_stuck(status: str, due: str, expected: bool) -> None:
    """A queued recollection waits for a monthly run; anything that says nothing for longer is stuck, not on its way."""
    assert position([claim(due=due, status=status)]).open_items[0].in_transit is expected


def test_a_pending_try_is_on_its_way_until_something_answers_it() -> None:
    """Collecting beside a try whose end is not known collects twice."""
    pending = paid("1", "pending", at("03-16"))
    assert position([claim()], [pending]).open_items[0].in_transit
    assert not position([claim()], [pending], now=at("04-01")).open_items[0].in_transit
    assert not position([claim()], [pending, paid("2", "failed", at("03-18"), reason_code="AM04")]).open_items[0].in_transit


def test_another_try_does_not_answer_a_pending_one_of_its_own_reference() -> None:
    """Two references are two tries; the first may still bring money."""
    rows = [paid("1", "pending", at("03-16"), reference="A"), paid("2", "failed", at("03-18"), reference="B", reason_code="AM04")]
    assert position([claim()], rows).open_items[0].in_transit


def test_tries_are_counted_per_credential_and_amount_for_cards_and_per_installment_for_banks() -> None:
    """Card schemes count the card, Nacha the installment; money collected is a presentment but no declined try."""
    installments = [claim("feb", "02-20", credential="C"), claim("mar", "03-05", credential="C"), claim("x", "03-05", 999, credential="C")]
    rows = [
        paid("1", "failed", at("02-21"), "feb", reason_code="AM04"),
        paid("2", "failed", at("03-05"), "mar", reason_code="AM04"),
        paid("3", "failed", at("03-06"), "x", reason_code="AM04"),
        paid("4", "failed", at("02-10"), "feb", reason_code="AM04"),
        paid("5", "failed", at("2025-09-01"), "feb", reason_code="AM04"),
    ]
    feb, mar, other = position(installments, rows).open_items
    assert (feb.attempts_30d, mar.attempts_30d, other.attempts_30d) == (2, 2, 1)
    assert (feb.attempts_180d, mar.attempts_180d) == (2, 1)


def test_a_returned_collection_is_one_presentment() -> None:
    """Collected and then returned was presented once, not twice."""
    rows = [paid("1", "collected", at("02-01")), paid("2", "returned", at("02-04"), amount=-4000, reason_code="AM04")]
    assert position([claim()], rows).open_items[0].attempts_180d == 1


def test_advice_of_the_network_makes_a_retry_stricter_never_laxer() -> None:
    """Insufficient funds may be retried, but not where the network advised against it; it may also ask to wait."""
    card = {"scheme": "card", "reason_code": "AM04"}
    (stopped,) = position([claim()], [paid("1", "failed", at("03-01"), advice_code="03", **card)]).open_items
    (waiting,) = position([claim()], [paid("1", "failed", at("03-01"), advice_code="25", **card)]).open_items
    (unheard,) = position([claim()], [paid("1", "failed", at("03-01"), advice_code="99", **card)]).open_items
    assert [one.failures[0].reason.retry for one in (stopped, waiting, unheard)] == ["no", "yes", "yes"]
    assert waiting.failures[0].reason.wait_hours == 24


def test_the_payers_country_stands_in_for_the_banks() -> None:
    """MS03 is retryable in some countries only; a row that names its own country is believed first."""
    row = paid("1", "failed", at("03-01"), reason_code="MS03")
    german = [{"id": "p", "country": "DE"}]
    assert position([claim()], [row], payers=german).open_items[0].failures[0].reason.retry == "yes"
    assert position([claim()], [{**row, "reason_country": "NL"}], payers=german).open_items[0].failures[0].reason.retry == "ask"
