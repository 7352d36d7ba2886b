"""What holds for every test: examples are the same in every run (`HYPOTHESIS_PROFILE=explore` looks for new ones); who runs what."""

import os

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

settings.register_profile("same", derandomize=True, database=None)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

ONE_BY_ONE = ("tests/acceptance/test_killed.py", "tests/acceptance/test_bad_days.py")


class Portions(LoadScopeScheduling):
    """A file goes to one worker, so that the org its tests share is made once; deaths and bad days are long and go one by one.

    Files with many tests go first, single tests last, so that the workers end together. xdist's own groups do not work with
    pytest 9.2 (node ids can no longer be changed), or the stories would be played once a worker.
    """

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if nodeid.startswith(ONE_BY_ONE) else nodeid.split("::", maxsplit=1)[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Portions:
    """Hand out the tests in portions."""
    return Portions(config, log)
