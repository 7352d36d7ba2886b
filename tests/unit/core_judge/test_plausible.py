"""What a pass sees and would do is believed, or told to be implausible."""

from dataclasses import replace

import pytest

from connector.core.changes import ShownPosition, View
from connector.core.plausible import Moves, Sight, doubts_of_moves, doubts_of_sight, moves
from connector.core.words import ArrearsStatus
from tests.scenario.decide.builders import item, judge, position

BEFORE = Sight(1000, {"Payment": 9000, "Installment": 5000})


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (Sight(1000, {"Payment": 9000, "Installment": 5000}), []), (Sight(800, {"Payment": 7200, "Installment": 4000}), []),
        (Sight(799, {"Payment": 9000, "Installment": 5000}), ["only 799 payers are visible, 1,000 were last time"]),
        (Sight(2000, {"Payment": 0, "Installment": 3999}), ["only 0 Payment are visible, 9,000 were last time", "only 3,999 Installment are visible, 5,000 were last time"]),
        (Sight(1000, {"Other": 0}), []),
    ],
)  # fmt: skip
def test_far_fewer_than_last_time_is_doubted(now, told):
    """Of each object on its own: invisible is not paid."""
    assert doubts_of_sight(now, BEFORE) == told


@pytest.mark.parametrize(
    ("last", "found", "believed"), [(20, 10, True), (20, 9, False), (1, 0, False), (0, 0, True), (100, 50, True), (100, 49, False)]
)
def test_a_small_org_may_lose_half(last, found, believed):
    """Where there is little, a difference of fifty is nothing strange, unless more than half is gone."""
    assert (doubts_of_sight(Sight(found), Sight(last)) == []) is believed


def test_the_first_pass_is_believed():
    """There is nothing to compare it with: an org's first night changes everybody in arrears."""
    assert doubts_of_sight(Sight(0), None) == []
    assert doubts_of_moves(Moves(1000, 900, 900), 1000, None) == []


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (Moves(250, 100, 50), []), (Moves(251), ["251 of 1,000 payers would be changed at once"]),
        (Moves(0, 110, 56), ["56 of 110 payers in arrears would be cleared at once"]), (Moves(0, 110, 55), []), (Moves(0, 50, 50), []),
        (Moves(999, 102, 52), ["999 of 1,000 payers would be changed at once", "52 of 102 payers in arrears would be cleared at once"]),
    ],
)  # fmt: skip
def test_far_more_than_a_night_changes_is_doubted(found, told):
    """Whoever would be changed or cleared is counted against all, and against those in arrears."""
    assert doubts_of_moves(found, 1000, BEFORE) == told


def test_a_small_org_may_change_altogether():
    """Fifty payers are believed in any org."""
    assert doubts_of_moves(Moves(50, 50, 50), 50, BEFORE) == []


def test_payers_are_counted_by_what_the_org_shows_of_them():
    """In arrears is who has a flag that is not clear; cleared is who would have none."""
    owes = replace(judge(position(item())), payer="a")
    paid = replace(owes, payer="b", arrears=replace(owes.arrears, status=ArrearsStatus.CLEAR))
    shown = ShownPosition("p", "EUR", {"status": "In Arrears"})
    views = {"a": View("a", positions={"EUR": shown}), "b": View("b", positions={"EUR": shown}), "c": View("c")}
    assert moves([owes, paid], views, 7) == Moves(7, 2, 1)
    clear = ShownPosition("p", "EUR", {"status": "Clear"})
    assert moves([paid], {"b": View("b", positions={"EUR": clear})}, 0) == Moves(0, 0, 0)
    assert moves([replace(owes, payer="c"), replace(owes, payer="d")], views, 2) == Moves(2, 0, 0)
    assert Moves(1, 2, 3) + Moves(10, 20, 30) == Moves(11, 22, 33)
