"""The API allowance: read from replies, with a share left to others."""

from datetime import datetime, timedelta

import pytest

from connector.errors import TransientError
from connector.salesforce.limits import ApiBudget, Usage, usage_from
from tests.unit.salesforce.build import NOW


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("api-usage=18/5000", Usage(18, 5000)),
        ("api-usage=25/5000; per-app-api-usage=240/250(appName=sample)", Usage(240, 250)),
        ("api-usage=4999/5000; per-app-api-usage=1/250(appName=sample)", Usage(4999, 5000)),
        ("something else", None),
        ("", None),
    ],
)
def test_the_tighter_of_two_allowances_counts(header: str, expected: Usage | None):
    """An app may have less than the org; whichever is nearer its end is the one to keep."""
    assert usage_from(header) == expected


def test_calls_are_held_back_for_five_minutes_and_then_the_org_is_asked_again():
    """Held back calls bring no news, so after a while one is let through; with news that is good all are."""
    moment: list[datetime] = [NOW]
    budget = ApiBudget(20, now=lambda: moment[0])
    budget.allow()
    budget.note("api-usage=79/100")
    budget.allow()
    budget.note("api-usage=81/100")
    moment[0] += timedelta(seconds=100)
    with pytest.raises(TransientError) as caught:
        budget.allow()
    assert caught.value.retry_after == 200
    moment[0] += timedelta(seconds=200)
    budget.allow()
    budget.note("api-usage=82/100")
    with pytest.raises(TransientError):
        budget.allow()
    moment[0] += timedelta(seconds=300)
    budget.note("api-usage=10/100")
    budget.allow()
    assert budget.usage == Usage(10, 100)


def test_a_reply_without_usage_changes_nothing():
    """The versions resource sends no such header."""
    budget = ApiBudget(20, now=lambda: NOW)
    budget.note(None)
    budget.allow()
    assert budget.usage is None


def test_an_allowance_of_nothing_is_used_up():
    """Zero allowed calls are not a division by zero."""
    assert Usage(0, 0).left_percent == 0
