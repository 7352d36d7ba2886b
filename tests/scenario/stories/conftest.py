"""The stories of each world, played once: real processes on a local org, its clock walking from the first to the last day."""

from collections.abc import Callable
from functools import cache

import pytest

from connector.demo import Told, play

PAYERS = 60
"""The story payers and enough others that the org is no empty stage."""


@pytest.fixture(scope="session")
def played() -> Callable[[str], Told]:
    """What came of a month in the world of that name, read back from the org; played when first asked for."""
    return cache(lambda name: play(payers=PAYERS, seed=1, keep=None, console=None, name=name))


@pytest.fixture
def told(played, world) -> Told:
    """What came of the month in the world that the test is about."""
    return played(world)
