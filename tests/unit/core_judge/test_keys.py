"""Keys: short, plain, and never the same for two things."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.keys import LIMIT, key


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("remind", "a0X1", date(2026, 3, 1), "L2"), "remind-a0X1-20260301-L2"), (("retry", "a0X1", None, 2), "retry-a0X1-2"),
        (("hold", "a0X1", datetime(2026, 3, 1, 9, 5, tzinfo=UTC)), "hold-a0X1-20260301T0905"),
    ],
)  # fmt: skip
def test_a_key_reads_as_what_it_answers(parts, expected):
    """Days and instants without a sign that a URL would read as something else; what is not known is left out."""
    assert key(*parts) == expected


def test_other_signs_are_replaced_and_told_apart():
    """A key keeps something to recognise, and a digest of the whole."""
    assert key("remind", "a.b").startswith("remind-a_b_")
    assert len({key("remind", one) for one in ("a.b", "a b", "a-b", "a_b", "a.b ")}) == 5


def test_what_is_too_long_is_a_digest_of_all_of_it():
    """The kind stays to be seen; two long ones stay two."""
    first, second = (key("remind", *["x" * 30] * 4, number) for number in (1, 2))
    assert first != second
    assert {first[:7], second[:7]} == {"remind-"}
    assert len(first) == len("remind-") + 32
    exact = key("remind", "y" * (LIMIT - len("remind-")))
    assert (len(exact), exact.endswith("y")) == (LIMIT, True)


@given(st.lists(st.text(max_size=60) | st.integers() | st.dates(), min_size=1, max_size=6))
def test_every_key_fits_and_is_plain(parts):
    """Whatever an org puts into its ids, the key can be an external id and part of an address."""
    found = key("retry", str(parts[0]), *parts[1:])
    assert len(found) <= LIMIT
    assert set(found) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
