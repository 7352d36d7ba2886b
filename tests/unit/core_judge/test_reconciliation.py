"""A pass as a whole: what needs a person is told whole, and it is compared only with what it can be compared with."""

from datetime import timedelta

import pytest

from connector.core.reconciliation import TREND, Matter, Reconciliation, kept, many, read
from connector.core.tally import Listed, Share, Tally
from tests.scenario.decide.builders import NOW


def a_pass(tally=None, number=0, **more) -> Reconciliation:
    """A pass of half a minute, ``number`` days after the first."""
    at = NOW + timedelta(days=number)
    return Reconciliation(at, at + timedelta(seconds=30), tally or Tally(), **more)


def troubled() -> Tally:
    """A tally with one of each thing that needs a person."""
    tally = Tally(payers=10, statuses={"Clear": Share(7), "Watch": Share(3, 3, {"EUR": 900})}, overdue=Share(3, 3, {"EUR": 900}))
    tally.missing = Listed(1, ("003M",))
    tally.parked = {"why": Listed(1, ("003A",)), "how": Listed(3, ("003B", "003C", "003D"))}
    tally.asked = {"propose_write_off": Listed(1, ("003W",)), "review": Listed(2, ("003R", "003S"))}
    tally.codes = {"bacs_arudd:Z9": 2, ":Q": 5}
    return tally


def test_what_needs_a_person_is_told_with_count_words_and_records():
    """The gravest first: rows that vanished, payers put aside, findings, decisions, codes; the greater number first."""
    finding = Matter("mandate", 4, "4 installments wait.", ("a0B1",))
    found = a_pass(troubled(), findings=(finding,)).matters
    assert [(one.kind, one.count, one.records) for one in found] == [
        ("rows_missing", 1, ("003M",)), ("parked", 3, ("003B", "003C", "003D")), ("parked", 1, ("003A",)), ("mandate", 4, ("a0B1",)),
        ("review", 2, ("003R", "003S")), ("propose_write_off", 1, ("003W",)), ("unknown_code", 2, ()),
    ]  # fmt: skip
    words = " ".join(one.words for one in found)
    for said in (
        "Of 1 payer rows",
        "3 payers put aside: how.",
        "To be looked at by a person: 2 payers.",
    ):
        assert said in words
    assert "2 reason codes are in no table: Q (5 payers), Z9 of bacs_arudd (2 payers). Add" in words


def test_of_many_codes_the_commonest_are_named():
    """A field full of nonsense makes one line, not a thousand."""
    found = a_pass(Tally(codes={f":C{number:02}": number for number in range(1, 31)})).matters
    assert [one.count for one in found] == [30]
    assert "30 reason codes are in no table: C30 (30 payers), C29 (29 payers)" in found[0].words
    assert "C21 (21 payers), and 20 more codes." in found[0].words
    assert a_pass(Tally(codes={":Q": 1})).matters[0].words.startswith("1 reason code is in no table: Q (1 payer). Add")


def test_a_pass_without_trouble_needs_nobody():
    """Nothing is told where nothing is."""
    assert a_pass(Tally(payers=3)).matters == ()


def test_what_is_kept_is_what_the_next_pass_reads():
    """The last tally and the trend come back as they were."""
    first = a_pass(troubled())
    history = read(kept(first))
    assert (history.at, history.last, history.matters, history.points) == (first.started_at, first.tally, first.point.matters, first.trend)
    second = a_pass(Tally(payers=11), 1, before=history)
    assert [(one.payers, one.in_arrears, one.matters) for one in second.trend] == [(10, 3, 10), (11, 0, 0)]


def test_the_trend_is_of_the_last_thirty_passes():
    """What is kept stays small, however long a daemon runs."""
    history = None
    for number in range(TREND + 5):
        one = a_pass(Tally(payers=number), number, before=history)
        history = read(kept(one))
    assert [point.payers for point in one.trend] == list(range(5, TREND + 5))


@pytest.mark.parametrize("text", [None, "", "{}", "[]", "nonsense", '{"version": 2, "at": "2026-03-01T00:00:00Z"}', '{"version": 1}'])
def test_a_history_that_cannot_be_read_is_none(text):
    """Another version's memory, or none, costs the comparison and never the pass."""
    assert read(text) is None


def test_it_took_as_long_as_it_took():
    """From its beginning to its end."""
    assert a_pass().seconds == 30


@pytest.mark.parametrize(("count", "said"), [(1, "1 payer"), (0, "0 payers"), (1200, "1,200 payers")])
def test_one_is_one_and_more_are_several(count, said):
    """A count agrees with its noun."""
    assert many(count, "payer") == said
    assert many(2, "money", "monies") == "2 monies"
