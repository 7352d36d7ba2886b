"""When payers pay when they pay themselves."""

from datetime import datetime

from connector.core.model import Habit
from tests.unit.core_ledger.build import at, claim, paid, position

FRIDAYS = ("2025-12-05", "2026-01-09", "2026-02-06", "2026-03-06")


def payments(*moments: datetime, **other: object) -> list[dict[str, object]]:
    """Card payments of history the payer made."""
    row = {"scheme": "card", "payer_initiated": True, **other}
    return [paid(f"h{number}", "collected", moment, "elsewhere", **row) for number, moment in enumerate(moments)]


def habit(rows: list[dict[str, object]], **payer: object) -> Habit | None:
    """The habit of a payer with one open installment."""
    return position([claim()], rows, payers=[{"id": "p", **payer}]).habit


def test_payments_at_one_hour_of_one_weekday_are_a_habit() -> None:
    """Friday evening after work is when this payer has time for it."""
    rows = payments(*(at(one, "18:40") for one in FRIDAYS[:3]), at(FRIDAYS[3], "19:30"))
    assert habit(rows) == Habit(18 * 60 + 40, 4, 4)


def test_two_payments_are_no_habit() -> None:
    """Twice is chance."""
    assert habit(payments(*(at(one, "18:40") for one in FRIDAYS[:2]))) is None


def test_payments_all_over_the_day_are_no_habit() -> None:
    """Fewer than half within two hours says nothing."""
    assert (
        habit(payments(at("01-05", "06:10"), at("01-06", "10:10"), at("01-07", "14:10"), at("01-08", "18:10"), at("01-09", "22:10")))
        is None
    )


def test_a_habit_may_lie_around_midnight() -> None:
    """Ten to twelve and ten past twelve are twenty minutes apart."""
    found = habit(payments(at("01-05", "23:50"), at("02-04", "00:10"), at("03-04", "23:55")))
    assert found is not None
    assert found.minute_of_day in (23 * 60 + 50, 23 * 60 + 55, 10)
    assert found.count == 3


def test_a_weekday_shared_by_two_days_is_none() -> None:
    """Half on Monday and half on Tuesday is no weekday."""
    found = habit(payments(at("01-05", "18:40"), at("01-12", "18:40"), at("01-06", "18:40"), at("01-13", "18:40")))
    assert found == Habit(18 * 60 + 40, None, 4)


def test_collection_dates_are_never_a_habit() -> None:
    """Direct debits, unmarked cards and days without a time are the creditor's or the bank's doing."""
    evening = [at(one, "18:40") for one in FRIDAYS]
    assert habit(payments(*evening, scheme="sepa_core")) is None
    assert habit(payments(*evening, payer_initiated=None)) is None
    assert habit(payments(*evening, payer_initiated=False, scheme="credit_transfer")) is None
    assert habit(payments(*(at(one, "00:00") for one in FRIDAYS))) is None


def test_a_transfer_is_always_made_by_the_payer() -> None:
    """Nobody else can make one."""
    assert habit(payments(*(at(one, "18:40") for one in FRIDAYS), payer_initiated=None, scheme="credit_transfer")) is not None


def test_a_habit_is_in_the_payers_time_zone() -> None:
    """Evening in Amsterdam is noon in New York, winter and summer."""
    found = habit(payments(*(at(one, "18:40") for one in FRIDAYS[:3])), time_zone="America/New_York")
    assert found is not None
    assert found.minute_of_day == 12 * 60 + 40


def test_a_habit_fades_after_two_years() -> None:
    """What somebody did three years ago is not what they do."""
    assert habit(payments(*(at(one, "18:40") for one in ("2023-01-06", "2023-02-03", "2023-03-03")))) is None
