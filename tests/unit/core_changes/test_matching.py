"""Where a reported outcome belongs: placed beyond doubt, or parked in an admin's words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from connector.core.matching import Candidate, KnownMoney, Report, place

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
REPORT = Report(
    "uuid-1", NOW, "1", "Northwind Pay", "ref-1", "a0B000000000001AAA", None, "failed", Decimal("40.00"), "EUR", NOW, reason_code="51"
)
CARD = Candidate("a0B000000000001AAA", "003000000000001AAA", "EUR", Decimal("40.00"), "dunwell")


def placed(candidates=(CARD,), money=(), **changed):
    """Place a changed report."""
    return place(replace(REPORT, **changed), candidates, money, NOW, ("1",))


def test_a_failure_becomes_an_attempt_that_moved_nothing():
    """A failed attempt is never a payment."""
    found = placed()
    assert (found.write, found.parked, found.payer) == ("attempt", None, CARD.payer)


@pytest.mark.parametrize(
    ("outcome", "amount"),
    [
        ("collected", Decimal("40.00")),
        ("reversed", Decimal("-40.00")),
        ("charged_back", Decimal("-40.00")),
        ("refunded", Decimal("-40.00")),
    ],
)
def test_money_that_moved_is_signed_by_what_happened(outcome, amount):
    """Collected is positive; what went back is negative, whatever sign the provider sent."""
    for sent in (Decimal("40.00"), Decimal("-40.00")) if amount < 0 else (Decimal("40.00"),):
        found = placed(outcome=outcome, amount=sent)
        assert (found.write, found.amount, found.parked) == ("payment", amount, None)


def test_what_the_package_books_is_only_read():
    """FinDock's own cash is never written a second time, but its payer is looked at."""
    found = placed([replace(CARD, recorded_by="package")], outcome="collected")
    assert (found.write, found.payer) == (None, CARD.payer)


def test_a_payment_already_there_by_the_same_reference_is_not_written_twice():
    """Whoever recorded it first, money counts once."""
    assert placed(money=[KnownMoney(CARD.id, Decimal("40.00"), "ref-1")], outcome="collected").write is None
    assert placed(money=[KnownMoney(CARD.id, Decimal("40.00"), "other")], outcome="collected").write == "payment"
    assert placed(money=[KnownMoney(CARD.id, Decimal("40.00"), "ref-1")], outcome="reversed").write == "payment"


def test_a_return_without_a_collection_moves_nothing():
    """A return before any money came is an attempt; after a collection it takes the money back."""
    assert placed(outcome="returned").write == "attempt"
    assert placed(outcome="returned", money=[KnownMoney(CARD.id, Decimal("40.00"), "c")]).amount == Decimal("-40.00")


@pytest.mark.parametrize(
    ("changed", "candidates", "because"),
    [
        ({"version": "9"}, [CARD], "version 9 is not understood"),
        ({"outcome": "exploded"}, [CARD], "Outcome__c is not one of"),
        ({"outcome": None}, [CARD], "Outcome__c is not one of"),
        ({"installment_id": None}, [], "names no installment"),
        ({}, [], "no installment has this id"),
        ({}, [CARD, replace(CARD, id="a0B000000000002AAA")], "2 installments have this reference"),
        ({"amount": None}, [CARD], "Amount__c is missing"),
        ({"amount": Decimal(0)}, [CARD], "cannot be right"),
        ({"amount": Decimal(10) ** 12}, [CARD], "cannot be right"),
        ({"amount": Decimal("1.005")}, [CARD], "more decimals than EUR"),
        ({"outcome": "collected", "amount": Decimal(-4)}, [CARD], "negative for a collection"),
        ({"currency": "USD"}, [CARD], "the installment is in EUR"),
        ({"scheme": "carrier_pigeon"}, [CARD], "Scheme__c"),
        ({"code_set": "tarot"}, [CARD], "Code_Set__c"),
        ({"occurred_at": NOW + timedelta(days=3)}, [CARD], "in the future"),
        ({"problems": ("Amount__c does not hold a number",)}, [CARD], "does not hold a number"),
        ({}, [replace(CARD, payer=None)], "has no payer"),
    ],
)
def test_what_cannot_be_placed_is_parked_with_what_to_do(changed, candidates, because):
    """Bad input is normal: nothing lost, nothing guessed, and an admin can read why."""
    found = placed(candidates, **changed)
    assert found.write == "attempt"
    assert because in (found.parked or "")


def test_the_same_report_has_the_same_key_and_another_outcome_another():
    """Redelivery writes nothing twice; a reversal of a collection is its own record."""
    assert placed().key == placed(amount=Decimal("1.00")).key
    assert placed(outcome="collected").key != placed(outcome="reversed").key
    assert placed(provider_reference=None).key != placed(provider_reference=None, event_uuid="uuid-2").key


def test_an_outcome_without_a_time_happened_when_it_was_received():
    """Every outcome has a time and a reference: the report's own, else the event's."""
    early = NOW - timedelta(hours=3)
    assert replace(REPORT, occurred_at=early).at == early
    assert replace(REPORT, occurred_at=None, received_at=early).at == early
    assert (REPORT.reference, replace(REPORT, provider_reference=None).reference) == ("ref-1", "uuid-1")
