"""Who needs no look: told by numbers alone, and in doubt nobody is quiet."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from connector.core.quiet import Book, Claims, Moves, quiet

NOW = datetime(2026, 6, 15, 9, tzinfo=UTC)
LONG_AGO, LATELY, NEVER = np.datetime64("2026-01-05", "us"), np.datetime64("2026-06-10", "us"), np.datetime64("NaT", "us")


def numbers(*values):
    """Whole numbers in a row."""
    return np.array(values, dtype=np.int64)


def marks(*values):
    """Yes and no in a row."""
    return np.array(values, dtype=np.bool_)


def moments(*values):
    """Moments in a row."""
    return np.array(values, dtype="datetime64[us]")


CLAIM = Claims(numbers(0), numbers(4000), numbers(1), marks(0), marks(0), marks(0), moments(NEVER), marks(0), moments(LONG_AGO))
PAID = Moves(numbers(0), numbers(0), moments(LONG_AGO), numbers(4000), numbers(1))
UNPAID = Moves(numbers(), numbers(), moments(), numbers(), numbers())
NO_TRY = Moves(numbers(), numbers(), moments(), plain=marks())
TRY = Moves(numbers(0), numbers(0), moments(LONG_AGO), plain=marks(1))


def is_quiet(claims=CLAIM, payments=PAID, attempts=NO_TRY):
    """Tell whether the one payer needs no look."""
    (found,) = quiet(Book(claims, payments, attempts), 1, NOW, ZoneInfo("Europe/Amsterdam"))
    return bool(found)


def test_who_has_paid_long_ago_needs_no_look():
    """With or without a currency beside the money, and after a try that failed long ago."""
    assert is_quiet()
    assert is_quiet(payments=replace(PAID, currency=None))
    assert is_quiet(attempts=TRY)


@pytest.mark.parametrize(
    ("claims", "payments", "attempts"),
    [
        (CLAIM, UNPAID, NO_TRY), (CLAIM, replace(PAID, amount=numbers(3999)), NO_TRY), (CLAIM, replace(PAID, amount=numbers(4001)), NO_TRY),
        (CLAIM, replace(PAID, currency=numbers(2)), NO_TRY), (CLAIM, replace(PAID, at=moments(NEVER)), NO_TRY), (CLAIM, replace(PAID, claim=numbers(-1)), NO_TRY),
        (CLAIM, replace(PAID, amount=numbers(-4000)), NO_TRY), (CLAIM, PAID, replace(TRY, at=moments(LATELY))), (CLAIM, PAID, replace(TRY, at=moments(NEVER))),
        (CLAIM, PAID, replace(TRY, plain=marks(0))), (CLAIM, PAID, replace(TRY, claim=numbers(-1))), (replace(CLAIM, amount=numbers(-4000)), UNPAID, NO_TRY),
        (replace(CLAIM, failed=marks(1)), PAID, NO_TRY), (replace(CLAIM, failed=marks(1), failed_on=moments(LATELY)), PAID, NO_TRY),
        (replace(CLAIM, settled=marks(1)), replace(PAID, amount=numbers(100)), NO_TRY), (replace(CLAIM, cancelled=marks(1)), PAID, NO_TRY),
    ],
)  # fmt: skip
def test_whatever_leaves_a_doubt_is_looked_at(claims, payments, attempts):
    """Unpaid, paid otherwise than owed, moved lately, or told of by something that is not plain."""
    assert not is_quiet(claims, payments, attempts)


def test_what_is_settled_by_its_status_or_coming_needs_no_look():
    """Without any payment the status stands; what is due today or later and never tried is not owed yet."""
    assert is_quiet(replace(CLAIM, settled=marks(1)), UNPAID)
    assert is_quiet(replace(CLAIM, cancelled=marks(1)), UNPAID)
    for due, expected in (("2026-06-14", False), ("2026-06-15", True), ("2026-07-01", True), ("NaT", False)):
        assert is_quiet(replace(CLAIM, due_on=moments(due)), UNPAID) == expected, due
    coming = replace(CLAIM, due_on=moments("2026-07-01"))
    assert not is_quiet(replace(coming, troubled=marks(1)), UNPAID)
    assert not is_quiet(coming, UNPAID, TRY)


def test_two_equal_payments_without_a_reference_may_be_one_told_twice():
    """Half and half is looked at; parts of different amounts are plain, however many."""
    half = Moves(numbers(0, 0), numbers(0, 0), moments(LONG_AGO, LONG_AGO), numbers(2000, 2000), numbers(1, 1))
    assert not is_quiet(payments=half)
    assert is_quiet(payments=replace(half, amount=numbers(1000, 3000)))
    three = Moves(numbers(0, 0, 0), numbers(0, 0, 0), moments(*[LONG_AGO] * 3), numbers(500, 1500, 2000), numbers(1, 1, 1))
    assert is_quiet(payments=three)
    assert not is_quiet(payments=replace(three, amount=numbers(1000, 2000, 1000)))


def test_a_reference_tells_payments_apart():
    """Two halves with a reference each are two; one reference twice is a doubt, whatever the amounts, and no reference says nothing."""
    half = Moves(numbers(0, 0), numbers(0, 0), moments(LONG_AGO, LONG_AGO), numbers(2000, 2000), numbers(1, 1), numbers(7, 8))
    assert is_quiet(payments=half)
    assert not is_quiet(payments=replace(half, reference=numbers(7, 7)))
    assert not is_quiet(payments=replace(half, amount=numbers(1000, 3000), reference=numbers(7, 7)))
    assert not is_quiet(payments=replace(half, reference=numbers(-1, -1)))
    assert is_quiet(payments=replace(half, reference=numbers(-1, 7)))


def test_one_reference_on_two_installments_is_two_payments():
    """A bank transfer for two months is split over both by its reference."""
    two = Claims(*(np.repeat(getattr(CLAIM, name), 2) for name in CLAIM.__slots__))
    split = Moves(numbers(0, 1), numbers(0, 0), moments(LONG_AGO, LONG_AGO), numbers(4000, 4000), numbers(1, 1), numbers(7, 7))
    assert is_quiet(two, split)


def test_one_payer_never_makes_another_restless():
    """And rows of somebody else's make nobody restless."""
    two = Claims(
        numbers(0, 1),
        numbers(4000, 4000),
        numbers(1, 1),
        marks(0, 0),
        marks(0, 0),
        marks(0, 0),
        moments(NEVER, NEVER),
        marks(0, 0),
        moments(LONG_AGO, LONG_AGO),
    )
    assert quiet(Book(two, PAID, NO_TRY), 2, NOW, ZoneInfo("UTC")).tolist() == [True, False]
    strange = Moves(numbers(0, -1), numbers(0, -1), moments(LONG_AGO, LONG_AGO), numbers(4000, 7), numbers(1, 1))
    assert is_quiet(payments=strange)


THRICE = Moves(
    numbers(0, 0, 0),
    numbers(0, 0, 0),
    moments(LONG_AGO, LONG_AGO, LONG_AGO),
    numbers(4000, -4000, 4000),
    numbers(1, 1, 1),
    numbers(7, 8, 9),
)
"""Collected, taken back and collected again, each under its own reference."""


@pytest.mark.parametrize(
    "payments",
    [
        replace(THRICE, at=moments(LONG_AGO, LONG_AGO, LATELY)), replace(THRICE, at=moments(LONG_AGO, NEVER, LONG_AGO)),
        replace(THRICE, reference=numbers(7, 8, 7)), replace(THRICE, reference=numbers(7, 7, 9)), replace(THRICE, reference=numbers(7, -1, 9)),
        replace(THRICE, reference=numbers(-1, 8, 9)), replace(THRICE, reference=None), replace(THRICE, amount=numbers(4000, -4000, 3000)),
        replace(THRICE, claim=numbers(0, -1, 0)), replace(THRICE, currency=numbers(1, 2, 1)),
    ],
)  # fmt: skip
def test_money_taken_back_needs_no_look_once_it_has_come_again_and_that_is_long_ago(payments):
    """Only where every payment has a reference of its own: then none can be another told twice."""
    assert is_quiet(payments=THRICE)
    assert not is_quiet(payments=payments)


def test_nameless_money_beside_money_taken_back_is_a_matter_of_its_own_claim():
    """What has no reference on one installment casts no doubt on another."""
    two = Claims(*(np.repeat(getattr(CLAIM, name), 2) for name in CLAIM.__slots__))
    both = Moves(
        numbers(0, 0, 0, 1), numbers(0, 0, 0, 0), moments(*[LONG_AGO] * 4), numbers(4000, -4000, 4000, 4000), numbers(1, 1, 1, 1), numbers(7, 8, 9, -1)
    )  # fmt: skip
    assert is_quiet(two, both)
    assert not is_quiet(two, replace(both, reference=numbers(7, 8, -1, 9)))
