"""The Snapshot of some payers is what it would have been of them alone."""

import pandas as pd

from connector.core.frames import SCHEMA, snapshot


def rows(*payers):
    """One row in every frame for each payer."""
    return {name: [{"id": one} if name == "payers" else {"payer": one} for one in payers] for name in SCHEMA}


def test_the_facts_of_some_payers_are_all_of_theirs_and_nobody_elses():
    """Every frame is cut, and what is true of everybody stays."""
    some = snapshot(rows("A", "B", "C"), stale=True, return_ratio=(("overall", 0.1),)).only(["A", "C"])
    alone = snapshot(rows("A", "C"), stale=True, return_ratio=(("overall", 0.1),))
    for name in SCHEMA:
        pd.testing.assert_frame_equal(getattr(some, name).reset_index(drop=True), getattr(alone, name))
    assert (some.stale, some.return_ratio, some.runs) == (True, (("overall", 0.1),), None)
