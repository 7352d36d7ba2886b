"""The stories, played once: real processes on a local org, its clock walking from the first to the last day."""

import pytest

from connector.demo import Told, play

PAYERS = 60
"""The story payers and enough others that the org is no empty stage."""


@pytest.fixture(scope="session")
def told() -> Told:
    """What came of a month in the world, read back from the org."""
    return play(payers=PAYERS, seed=1, keep=None, console=None)
