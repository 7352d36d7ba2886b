"""Money taken back in parts, by another amount or from another scheme, and credits down to the last cent."""

import pytest

from connector.core.words import Outcome
from tests.unit.core_ledger.build import at, claim, owed, paid, position


def test_a_try_that_moved_nothing_leaves_the_status_its_word():
    """Paid stays paid where only a try failed, or where something came back that nobody saw collected."""
    for outcome in ("failed", "rejected", "returned"):
        assert owed(position([claim(status="Paid")], [paid("1", outcome, at("01-06"), reason_code="AM04")])) == {}
    assert owed(position([claim(status="Paid")], [paid("1", "returned", at("01-06"), amount=-4000, reason_code="AM04")])) == {"EUR": 4000}


@pytest.mark.parametrize(("back", "left"), [(1000, 1000), (1500, 1500), (2500, 2500), (4000, 4000), (9000, 4000)])
def test_a_reversal_takes_from_the_newest_payments_until_it_is_covered(back, left):
    """Four payments of ten euros: what comes back is what is open again, and never more."""
    parts = [paid(f"{number}", "collected", at(f"01-0{number}"), amount=1000) for number in (1, 2, 3, 4)]
    assert owed(position([claim()], [*parts, paid("9", "reversed", at("01-09"), amount=-back)])) == {"EUR": left}


def test_a_part_of_several_payments_opens_just_that_part():
    """Thirty of a ten, a twenty and a ten."""
    parts = [paid(f"{number}", "collected", at(f"01-0{number}"), amount=amount) for number, amount in ((1, 1000), (2, 2000), (3, 1000))]
    found = position([claim()], [*parts, paid("9", "charged_back", at("01-09"), amount=-2500, reason_code="MS03")])
    assert owed(found) == {"EUR": 2500}
    assert found.open_items[0].paid_minor == 1500


def test_a_reversal_of_another_scheme_and_amount_still_opens_it():
    """Money that went back went back, whichever way it came."""
    rows = [paid("1", "collected", at("01-06"), scheme="card"), paid("2", "reversed", at("01-09"), amount=-3900, scheme="sepa_core")]
    assert owed(position([claim()], rows)) == {"EUR": 3900}


def test_a_return_of_another_scheme_needs_proof():
    """A return of another amount takes only money of its own scheme, or money that has room for it."""
    card, sepa = (
        paid("1", "collected", at("01-05"), amount=2000, scheme="card"),
        paid("2", "collected", at("01-06"), amount=2000, scheme="sepa_core"),
    )
    back = paid("3", "returned", at("01-09"), amount=-500, scheme="sepa_core", reason_code="AM04")
    assert position([claim()], [card, sepa, back]).open_items[0].paid_minor == 3500
    unnamed = [paid("1", "collected", at("01-06")), paid("3", "returned", at("01-09"), amount=-500, reason_code="AM04")]
    assert owed(position([claim()], unnamed)) == {"EUR": 500}
    assert (
        owed(
            position([claim()], [paid("1", "collected", at("01-06")), paid("3", "returned", at("01-09"), amount=-4500, reason_code="AM04")])
        )
        == {}
    )


def test_a_named_collection_is_the_one_that_is_taken_back():
    """By its reference, whatever else came later."""
    rows = [
        paid("1", "collected", at("01-05"), amount=1500, reference="a"),
        paid("2", "collected", at("01-06"), amount=2500, reference="b"),
    ]
    found = position([claim()], [*rows, paid("3", "reversed", at("01-09"), amount=-1500, reference="a")])
    assert (owed(found), found.open_items[0].paid_minor) == ({"EUR": 1500}, 2500)


def test_one_reversal_told_by_two_sources_is_one_failure():
    """A provider's report and the package's booking within a fortnight; a second reversal later is a second failure."""
    rows = [paid("1", "collected", at("01-06")), paid("2", "reversed", at("01-09"), amount=-4000)]
    twice = position([claim()], [*rows, paid("3", "reversed", at("01-12"), amount=-4000)])
    assert len(twice.open_items[0].failures) == 1
    again = position([claim()], [*rows, paid("3", "reversed", at("02-12"), amount=-4000)])
    assert len(again.open_items[0].failures) == 2
    assert [one.outcome for one in again.open_items[0].failures] == [Outcome.REVERSED, Outcome.REVERSED]


def test_a_credit_is_used_up_to_the_last_cent():
    """What is left of it goes on to the next; one cent too much is a credit of one cent."""
    found = position([claim(amount=6000), claim("feb", "02-05", 6000), claim("note", "01-01", -10000)])
    assert [(one.id, one.credit_minor) for one in found.open_items] == [("feb", 4000)]
    cent = position([claim()], [paid("1", "collected", at("01-06"), amount=4001)])
    assert (owed(cent), dict(cent.credits)) == ({}, {"EUR": 1})
    three = position([claim("a", amount=1000), claim("b", "01-06", 1000), claim("c", "01-07", 1000), claim("note", "01-01", -2500)])
    assert [(one.id, one.credit_minor) for one in three.open_items] == [("c", 500)]
