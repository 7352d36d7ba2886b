"""The stops of a pass: what is implausible is refused, hours and calls are kept to."""

from dataclasses import replace
from datetime import datetime, time
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from connector.core.plausible import Moves, Sight
from connector.errors import PermanentError
from connector.pipeline.ports import Allowance, Context
from connector.pipeline.safety import PassStoppedError, Safety, closed_for
from connector.store import Store

ZONE = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2026, 3, 2, 2, 0, tzinfo=ZONE)
NIGHT = Allowance(time(22), time(6))


@pytest.fixture
def context():
    """A context with a store, a clock and an org that has made ten calls."""
    with Store.open("sqlite://") as store:
        yield Context(
            org=SimpleNamespace(calls=10), store=store, mapping=SimpleNamespace(creditor=SimpleNamespace(zone=ZONE)), policy=None, catalogue=None,
            templates=None, clock=SimpleNamespace(now=lambda: NOW), roles=dict,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("allowance", "at", "seconds"),
    [
        (Allowance(), "12:00", 0), (NIGHT, "22:00", 0), (NIGHT, "05:59", 0), (NIGHT, "06:00", 16 * 3600), (NIGHT, "21:59", 60),
        (Allowance(time(1), time(5)), "01:00", 0), (Allowance(time(1), time(5)), "00:30", 1800), (Allowance(time(1), time(5)), "05:00", 20 * 3600),
    ],
)  # fmt: skip
def test_hours_may_go_over_midnight(allowance, at, seconds):
    """Outside them the pass waits until they begin."""
    assert closed_for(allowance, datetime.combine(NOW.date(), time.fromisoformat(at), ZONE)) == seconds


def test_a_pass_ends_with_its_hours_unless_a_person_began_it(context):
    """A scheduled one says for how long to wait."""
    late = replace(context, allowance=Allowance(time(22), time(1)))
    with pytest.raises(PassStoppedError, match="hours") as stopped:
        Safety(late).goes_on()
    assert stopped.value.retry_after == 20 * 3600
    Safety(late, by_hand=True).goes_on()
    Safety(replace(context, allowance=NIGHT)).goes_on()


def test_a_pass_ends_when_its_calls_are_used_up(context):
    """Counted from its beginning; a person may say to go on."""
    spending = replace(context, allowance=Allowance(calls=lambda: 5))
    safety, forced = Safety(spending), Safety(spending, force=True)
    context.org.calls = 14
    safety.goes_on()
    context.org.calls = 15
    with pytest.raises(PassStoppedError, match="5 API calls"):
        safety.goes_on()
    forced.goes_on()
    assert Safety(spending).goes_on() is None


def test_what_was_seen_is_kept_for_the_next_pass(context):
    """The first is believed; the next is compared with it, and says what to do."""
    first = Safety(context)
    first.remember()
    assert context.store.get_value("sweep:seen") is None
    first.sees(Sight(1000, {"Payment": 9000}))
    first.moves(Moves(900))
    first.remember()
    with pytest.raises(PermanentError, match=r"only 10 payers .*; only 0 Payment .*`dunwell reconcile --yes`"):
        Safety(context).sees(Sight(10, {"Payment": 0}))
    Safety(context, force=True).sees(Sight(10, {"Payment": 0}))


def test_implausible_changes_are_refused_but_in_shadow_mode(context):
    """There nothing is changed that anybody relies on."""
    first = Safety(context)
    first.sees(Sight(1000))
    first.remember()
    again, shadow = Safety(context), Safety(replace(context, shadow=True))
    for one in (again, shadow):
        one.sees(Sight(1000))
    with pytest.raises(PermanentError, match="300 of 1,000 payers would be changed at once: see with `dunwell reconcile --dry-run`"):
        again.moves(Moves(300))
    shadow.moves(Moves(300))


def test_payment_data_that_is_too_old_is_refused(context):
    """Money may have come that nobody has booked."""
    with pytest.raises(PermanentError, match="for longer than allowed: see to what books payments, then"):
        Safety(replace(context, stale=lambda _: True)).sees(Sight(10))
    Safety(replace(context, stale=lambda _: True), force=True).sees(Sight(10))
