"""The cells of a decision table: what they accept, what they refuse, and how they say so."""

import pytest

from connector.core.conditions import ConditionError, Fact, FactKind, parse

NUMBER = Fact("failures_12m", FactKind.NUMBER, "")
WORD = Fact("reason", FactKind.WORD, "", ("disputed", "deceased", "none"))
TEXT = Fact("product", FactKind.TEXT, "")
FLAG = Fact("reached", FactKind.FLAG, "")
MONEY = Fact("open_amount", FactKind.MONEY, "")


@pytest.mark.parametrize(
    ("raw", "fact", "holds", "fails"),
    [
        (4, NUMBER, [4], [3, 5, None]),
        ("4", NUMBER, [4], [5]),
        (">= 4", NUMBER, [4, 9], [3, None]),
        ("<4", NUMBER, [3], [4]),
        ("!= 4", NUMBER, [3, 5], [4, None]),
        ("= 2.5", NUMBER, [2.5], [2, 3]),
        ("[1..3]", NUMBER, [1, 2, 3], [0, 4, None]),
        ("(1..3]", NUMBER, [2, 3], [1, 4]),
        ("]1..3[", NUMBER, [2], [1, 3]),
        ("[1 .. 3)", NUMBER, [1, 2], [3]),
        ("1, (4..6], >= 9", NUMBER, [1, 5, 6, 9], [2, 4, 7]),
        (["1", ">= 9"], NUMBER, [1, 9], [2]),
        ("not(1, 2)", NUMBER, [3], [1, 2, None]),
        ("not([1..3])", NUMBER, [0, 4], [1, 3, None]),
        ("null", NUMBER, [None], [0]),
        (None, NUMBER, [None], [0]),
        ("null, 3", NUMBER, [None, 3], [2]),
        ("-", NUMBER, [None, 0, 9], []),
        ("disputed", WORD, ["disputed"], ["deceased", None]),
        ("disputed, deceased", WORD, ["disputed", "deceased"], ["none"]),
        ("not(disputed, deceased)", WORD, ["none"], ["disputed", None]),
        (["disputed", "none"], WORD, ["none"], ["deceased"]),
        ("Gym", TEXT, ["gym", "GYM"], ["gym plus", None]),
        ('"Gym, pool"', TEXT, ["gym, pool"], ["gym"]),
        (True, FLAG, [True], [False, None]),
        ("no", FLAG, [False], [True, None]),
        (">= 100 EUR", MONEY, [{"EUR": 10000}, {"EUR": 10001, "GBP": 1}], [{"EUR": 9999}, {"GBP": 99999}, {}, None]),
        ("< 5 eur", MONEY, [{"EUR": 499}], [{"EUR": 500}]),
        ("100.50 EUR", MONEY, [{"EUR": 10050}], [{"EUR": 10000}]),
    ],
)
def test_a_cell_holds_for_exactly_its_values(raw, fact, holds, fails):
    """A value meets a test or does not; what is not known meets only null and '-'."""
    condition = parse(raw, fact)
    assert [value for value in holds if not condition.holds(value)] == []
    assert [value for value in fails if condition.holds(value)] == []


@pytest.mark.parametrize(
    ("raw", "fact", "said"),
    [
        ("many", NUMBER, "is no number"),
        ("[5..3]", NUMBER, "is empty"),
        (">= NaN", NUMBER, "is no number that can be compared"),
        ("dispute", WORD, "did you mean 'disputed'?"),
        ("zzz", WORD, "it is one of disputed, deceased, none"),
        ("1,,2", NUMBER, "an empty test"),
        ("", TEXT, "an empty test"),
        ("maybe", FLAG, "neither yes nor no"),
        ("100", MONEY, "is no amount"),
        (">= 1.2.3 EUR", MONEY, "is no number"),
    ],
)
def test_a_cell_that_cannot_be_read_says_what_was_probably_meant(raw, fact, said):
    """An admin reads the fault in their own table's words."""
    with pytest.raises(ConditionError, match=said.replace("?", r"\?").replace("'", "'")):
        parse(raw, fact)


def test_a_condition_keeps_its_text_and_its_turning_points():
    """What was written is shown again in explanations; the values around it serve to find dead rows."""
    condition = parse(">= 4", NUMBER)
    assert condition.text == ">= 4"
    assert set(condition.samples) == {None, 3, 4, 5}


@pytest.mark.parametrize(
    ("raw", "fact", "samples"),
    [
        ("[10..20]", NUMBER, [None, 9, 10, 11, 19, 20, 21]), ("10, >= 20", NUMBER, [None, 9, 10, 11, 19, 20, 21]), ("not(4)", NUMBER, [None, 3, 4, 5]),
        ("yes", FLAG, [None, True, False]), ("disputed", WORD, [None, *WORD.words]), ("Gym", TEXT, [None, "gym", "not gym"]),
        (">= 1 EUR", MONEY, [None, {"EUR": 99}, {"EUR": 100}, {"EUR": 101}]), ("-", NUMBER, [None]), ("null", NUMBER, [None]),
    ],
)  # fmt: skip
def test_the_values_around_which_a_cell_turns_are_kept(raw, fact, samples):
    """Below, at and above each number it names, so that a dead row is found and none is called dead by chance."""
    assert list(parse(raw, fact).samples) == samples


def test_decimals_are_the_currencys():
    """A yen has none, a dinar three."""
    digits = {"JPY": 0, "KWD": 3}
    assert parse(">= 5 JPY", MONEY, digits.__getitem__).holds({"JPY": 5})
    assert not parse(">= 5 KWD", MONEY, digits.__getitem__).holds({"KWD": 4999})


@pytest.mark.parametrize(
    ("raw", "fact", "said"),
    [
        ("1,,2", NUMBER, "an empty test; write '-' for anything, 'null' for nothing known"), ("[5..3]", NUMBER, "'[5..3]' is empty: 5 is more than 3"),
        (">= many", NUMBER, "'many' is no number; failures_12m is one: write for example '>= 4' or '[1..3]'"), ("NaN", NUMBER, "'NaN' is no number that can be compared"),
        ("100", MONEY, "'100' is no amount; write for example '>= 100 EUR'"), ("maybe", FLAG, "'maybe' is neither yes nor no, and reached is one of them"),
        ("dispute", WORD, "'dispute' is no reason; did you mean 'disputed'?"), ("zzz", WORD, "'zzz' is no reason; it is one of disputed, deceased, none"),
    ],
)  # fmt: skip
def test_a_fault_is_told_word_for_word(raw, fact, said):
    """What an admin reads says what is wrong and what to write."""
    with pytest.raises(ConditionError) as caught:
        parse(raw, fact)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("raw", "holds", "fails"),
    [("not(1, 2), 2", [3, 2], [1, None]), ("(1..3), 7", [2, 7], [1, 3]), ("not( [1..3] ), 2", [2, 9], [1]), ("not(null)", [1], [None])],
)
def test_brackets_hold_their_commas_together(raw, holds, fails):
    """A comma inside ``not(...)`` is not one between cells, and an open interval is no ``not``."""
    condition = parse(raw, NUMBER)
    assert [condition.holds(value) for value in (*holds, *fails)] == [True] * len(holds) + [False] * len(fails)
