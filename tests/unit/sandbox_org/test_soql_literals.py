"""Lifting literals out of statements: what shares a plan, and what must not."""

import pytest

from sandbox.org.soql.literals import lift


def test_statements_that_differ_in_plain_texts_have_one_key():
    """The texts come out in order, a list as one."""
    one = lift("SELECT Id FROM A WHERE B = 'x' AND C IN ('a', 'b')")
    two = lift("SELECT Id FROM A WHERE B = 'other' AND C IN ('c')")
    assert one.key == two.key
    assert (one.texts, two.texts) == ((("x",), ("a", "b")), (("other",), ("c",)))
    assert [one.slot(27), one.slot(40), one.slot(5)] == [0, 1, None]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("B = ''", "B = 'x'"),
        ("B = 'é'", "B = 'è'"),
        ("B = 'a\\'b'", "B = 'a\\'c'"),
        ("B INCLUDES ('a')", "B INCLUDES ('b')"),
        ("B includes ('a)', 'b') AND C = 'x'", "B includes ('a)', 'b') AND D = 'x'"),
        ("DISTANCE(P, Q, 'km') < 5", "DISTANCE(P, Q, 'MI') < 5"),
        ("B = 'x'", "B = \0"),
        ("B = 'it''s'", "B = 'x'"),
        ("B IN ('a', '')", "B IN ('a', 'b')"),
    ],
)
def test_what_compiles_differently_has_keys_of_its_own(one, two):
    """Empty, escaped and foreign texts, picks and units stay in the key, and nothing can feign a lifted text."""
    assert lift(one).key != lift(two).key
