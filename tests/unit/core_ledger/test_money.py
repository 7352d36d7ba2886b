"""Amounts with their currency's decimals."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.money import DIGITS, digits, text, to_decimal, to_minor


@pytest.mark.parametrize(
    ("amount", "currency", "minor", "printed"),
    [
        ("40", "EUR", 4000, "40.00"),
        ("500", "JPY", 500, "500"),
        ("-1.25", "KWD", -1250, "-1.250"),
        ("0.1", "CLF", 1000, "0.1000"),
        ("1E+2", "EUR", 10000, "100.00"),
    ],
)
def test_an_amount_is_held_in_the_minor_units_its_currency_has(amount: str, currency: str, minor: int, printed: str) -> None:
    """Yen have no cents and dinars a thousand fils; a wrong number of decimals is wrong by a factor of ten."""
    assert to_minor(Decimal(amount), currency) == minor
    assert text(minor, currency) == printed


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("40.005", "EUR"),
        ("0.5", "JPY"),
        ("NaN", "EUR"),
        ("Infinity", "EUR"),
        ("forty", "EUR"),
        ("1e999999", "EUR"),
        ("1e-999999", "EUR"),
        ("9e15", "EUR"),
        ("1", "EUX"),
        ("1", "eur"),
    ],
)
def test_an_amount_that_cannot_be_exact_is_refused(amount: str, currency: str) -> None:
    """Nothing is ever rounded, guessed or let through with a currency nobody has."""
    with pytest.raises(ValueError, match=r"."):
        to_minor(amount, currency)


@given(minor=st.integers(-(10**15), 10**15), currency=st.sampled_from(sorted(DIGITS)))
def test_an_amount_survives_the_way_out_and_back(minor: int, currency: str) -> None:
    """Minor units to Decimal to text to minor units is the same amount, in every currency."""
    assert to_minor(to_decimal(minor, currency), currency) == minor
    assert to_minor(text(minor, currency), currency) == minor


def test_every_currency_stands_in_the_table_once() -> None:
    """A code listed under two numbers of decimals would silently take the later one."""
    assert len(DIGITS) == 177
    assert (digits("EUR"), digits("JPY"), digits("BHD"), digits("UYW")) == (2, 0, 3, 4)
