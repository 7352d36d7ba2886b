"""The books: rows that belong nowhere, know no time or no currency, or say what nobody understands."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from connector.core.course import Movement, walk
from connector.core.frames import SCHEMA, Snapshot, check, frame, snapshot, table
from connector.core.ledger import assess
from connector.core.words import Outcome
from tests.unit.core_ledger.build import AMSTERDAM, NOW, Table, at, claim, owed, paid, position, snap


@pytest.mark.parametrize("column", ["id", "amount_minor", "currency"])
def test_an_installment_that_cannot_be_counted_is_an_error(column):
    """Nothing is left out in silence: without id, amount or currency no sum is right."""
    with pytest.raises(ValueError, match=f"without {column}"):
        position([claim() | {column: None}])


def test_rows_of_payers_who_were_not_asked_for_are_left_out():
    """A batch reads its own payers, whatever else the query brought."""
    other = claim("feb") | {"payer": "q"}
    strangers = [paid("1", "collected", at("01-06"), "feb"), paid("2", "collected", at("01-06"), None) | {"payer": "q"}]
    found = position([claim(), other], [*strangers, paid("3", "failed", at("01-06"), reason_code="AM04")])
    assert [one.id for one in found.open_items] == ["jan"]
    assert found.credits == {}
    assert len(found.open_items[0].failures) == 1
    assert not found.open_items[0].first_ever
    assert position([claim(), other], strangers[1:]).open_items[0].first_ever


def test_an_installment_told_twice_stands_once_in_its_last_words():
    """The same record in two pages of an answer is one record."""
    found = position([claim(amount=9000), claim()])
    assert (owed(found), len(found.open_items)) == ({"EUR": 4000}, 1)


def test_money_without_a_currency_is_in_its_installments():
    """Packages often leave it away; money in another one settles nothing and is a credit."""
    assert owed(position([claim()], [paid("1", "collected", at("01-06"), currency=None)])) == {}
    assert owed(position([claim(), claim("feb", "02-05") | {"currency": "GBP"}], [paid("1", "collected", at("01-06"), currency=None)])) == {
        "GBP": 4000
    }
    dollars = position([claim()], [paid("1", "collected", at("01-06"), currency="USD")])
    assert (owed(dollars), dict(dollars.credits)) == ({"EUR": 4000}, {"USD": 4000})


def test_an_outcome_nobody_knows_is_an_error():
    """Money is never counted by a guess."""
    with pytest.raises(ValueError, match="vanished"):
        position([claim()], [paid("1", "vanished", at("01-06"))])


@pytest.mark.parametrize("outcome", ["failed", "rejected"])
def test_a_first_try_without_a_time_happened_on_the_due_date(outcome):
    """So that keys built on it are the same on every day that we look."""
    found = position([claim()], [paid("1", outcome, None)])
    assert found.open_items[0].failures[0].at == datetime(2026, 1, 4, 23, tzinfo=UTC)


def test_what_follows_a_collection_without_a_time_came_right_after_it():
    """A reversal nobody dated undoes the collection that was; it is not older than it."""
    found = position([claim()], [paid("1", "collected", at("01-07")), paid("2", "reversed", None, amount=-4000)])
    assert owed(found) == {"EUR": 4000}
    assert found.open_items[0].failures[0].at == at("01-07")


def test_a_reversal_alone_without_a_time_is_of_the_due_date():
    """Where nothing else has a time, the due date has to do; where not even that is known, this moment."""
    assert position([claim()], [paid("1", "reversed", None, amount=-4000)]).open_items[0].failures[0].at == at("01-05", "00:00")
    undated = position([claim(due=None)], [paid("1", "failed", None)])
    assert undated.open_items[0].failures[0].at == NOW


def test_what_is_pending_without_a_time_is_pending_now():
    """Money of which nobody knows when it was sent is on its way."""
    assert position([claim()], [paid("1", "pending", None)]).open_items[0].in_transit


def test_money_on_no_installment_without_a_time_is_a_credit_of_now():
    """It is set off all the same."""
    assert owed(position([claim()], [paid("1", "collected", None, None, amount=1500)])) == {"EUR": 2500}


def test_a_payment_told_twice_counts_once_in_any_order():
    """The earliest telling stands: of the same id and outcome, one row."""
    rows = [paid("1", "collected", at("01-08"), amount=1000), paid("1", "collected", at("01-06"), amount=1000)]
    for told in (rows, rows[::-1]):
        found = position([claim()], [*told, paid("2", "failed", at("01-07"), reason_code="AM04")])
        assert owed(found) == {"EUR": 3000}
        assert found.consecutive_failures == 1
    unnamed = [
        paid("1", "collected", at("01-06"), amount=1000) | {"id": None},
        paid("2", "collected", at("01-06"), amount=1000) | {"id": None},
    ]
    assert owed(position([claim()], [*unnamed, *rows])) == {"EUR": 1000}


def test_a_moment_without_a_zone_is_refused():
    """Nobody can say what day it is."""
    with pytest.raises(ValueError, match="aware"):
        assess(snap([claim()]), Table(), datetime(2026, 3, 20, 9), AMSTERDAM)  # noqa: DTZ001 - that is the point


def test_a_failing_movement_has_a_reason():
    """A failure is never walked without one: the catalogue always gives one."""
    with pytest.raises(ValueError, match="without its reason"):
        walk(4000, [Movement((0, 0, "", 0, "", "", "", ""), NOW, Outcome.FAILED)])


def test_a_column_that_is_not_in_the_schema_is_refused():
    """A misspelt column would be a fact that nobody reads."""
    with pytest.raises(KeyError, match="payers: unknown column nmae"):
        frame("payers", [{"id": "p", "nmae": "x"}])
    with pytest.raises(KeyError, match="payers: unknown column nmae"):
        table("payers", {"id": ["p"], "nmae": ["x"]})


def test_a_frame_of_another_shape_is_refused():
    """What is read as money must have been written as money."""
    good = snapshot({"payers": [{"id": "p"}]})
    wrong = good.installments.assign(amount_minor=good.installments["amount_minor"].astype("float64"))
    with pytest.raises(TypeError, match=r"frame installments: columns differ from the schema at .*amount_minor"):
        check("installments", wrong)
    with pytest.raises(TypeError, match="frame payments"):
        Snapshot(**{name: getattr(good, name) for name in SCHEMA} | {"payments": wrong})


def test_what_has_no_day_is_no_promise_and_no_contact():
    """A promise without a date binds nobody; a contact without a time was not made."""
    found = position([claim()], promises=[{"payer": "p", "id": "1"}], contacts=[{"payer": "p", "kind": "call", "key": "k"}])
    assert (found.promises, found.contacts, found.finished) == ((), (), frozenset())


def test_days_are_the_creditors():
    """Half past eleven in the evening in London is the next day in Amsterdam."""
    now = datetime(2026, 3, 19, 23, 30, tzinfo=ZoneInfo("Europe/London"))
    assert position([claim(due="03-19")], now=now).since == date(2026, 3, 19)
