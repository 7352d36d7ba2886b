"""What an installment still owes."""

import pytest

from tests.unit.core_ledger.build import at, claim, owed, paid, position


def test_money_settles_whatever_the_status_says() -> None:
    """Payments beat status fields: a status that lags behind never makes us chase who has paid."""
    found = position([claim(status="Failed")], [paid("1", "collected", at("01-06"))])
    assert (owed(found), found.open_items) == ({}, ())


def test_a_reversal_opens_it_again_whatever_the_status_says() -> None:
    """Payments beat status fields in the other direction too."""
    found = position(
        [claim(status="Collected")],
        [paid("1", "collected", at("01-06")), paid("2", "reversed", at("03-02"), amount=-4000, reason_code="AM04")],
    )
    assert owed(found) == {"EUR": 4000}


def test_january_reversed_in_march_reopens_january() -> None:
    """A claim keeps its identity: February being paid changes nothing about January's age."""
    rows = [
        paid("1", "collected", at("01-06")),
        paid("2", "collected", at("02-06"), "feb"),
        paid("3", "charged_back", at("03-02"), amount=-4000),
    ]
    found = position([claim(), claim("feb", "02-05")], rows)
    assert [one.id for one in found.open_items] == ["jan"]
    assert (str(found.since), found.days_past_due) == ("2026-01-05", 74)


@pytest.mark.parametrize("outcome", ["reversed", "charged_back", "returned"])
def test_money_taken_back_opens_it_again(outcome: str) -> None:
    """Reversed, charged back and returned after collection are negative and open the installment."""
    assert owed(position([claim()], [paid("1", "collected", at("01-06")), paid("2", outcome, at("01-08"), amount=-4000)])) == {"EUR": 4000}


@pytest.mark.parametrize("outcome", ["reversed", "charged_back", "returned"])
def test_a_sign_forgotten_changes_nothing(outcome: str) -> None:
    """The outcome says which way money went, not the sign somebody wrote."""
    assert owed(position([claim()], [paid("1", "collected", at("01-06")), paid("2", outcome, at("01-08"), amount=4000)])) == {"EUR": 4000}


def test_a_refund_does_not_open_it_again() -> None:
    """We gave the money back: nobody owes it twice."""
    assert owed(position([claim()], [paid("1", "collected", at("01-06")), paid("2", "refunded", at("01-08"), amount=-4000)])) == {}


def test_a_refund_of_what_was_paid_too_much_uses_that_up() -> None:
    """Money given back is no credit any more, and the installment stays settled."""
    twice = [paid("1", "collected", at("01-06")), paid("2", "collected", at("01-07")), paid("3", "refunded", at("01-08"), amount=-4000)]
    found = position([claim(), claim("feb", "02-05")], twice)
    assert owed(found) == {"EUR": 4000}
    assert [one.id for one in found.open_items] == ["feb"]


def test_a_part_paid_and_given_back_leaves_what_was_owed_beside_it() -> None:
    """A refund neither opens nor settles anything."""
    rows = [paid("1", "collected", at("01-06"), amount=1500), paid("2", "refunded", at("01-08"), amount=-1500)]
    assert owed(position([claim()], rows)) == {"EUR": 2500}


@pytest.mark.parametrize("outcome", ["failed", "rejected", "pending", "returned"])
def test_an_attempt_moves_nothing(outcome: str) -> None:
    """Failed, rejected, pending and a return without collection leave exactly the whole amount owed."""
    found = position([claim()], [paid("1", outcome, at("01-06"))])
    assert (owed(found), found.open_items[0].paid_minor) == ({"EUR": 4000}, 0)


def test_a_return_of_a_debit_never_collected_leaves_other_money_alone() -> None:
    """Ten paid by card stay paid when a debit of thirty, never booked, is returned."""
    rows = [
        paid("1", "collected", at("01-06"), amount=1000, scheme="card"),
        paid("2", "returned", at("01-08"), amount=3000, scheme="sepa_core"),
    ]
    assert owed(position([claim()], rows)) == {"EUR": 3000}


def test_a_return_that_comes_before_a_collection_takes_nothing_of_it() -> None:
    """The failed first try of Monday is no reason to doubt Thursday's money."""
    assert owed(position([claim()], [paid("2", "collected", at("01-08")), paid("1", "returned", at("01-05"), amount=-4000)])) == {}


def test_a_reversal_of_money_nobody_saw_leaves_the_whole_owed_and_no_more() -> None:
    """Where the collection was not loaded, its reversal cannot make somebody owe twice."""
    found = position([claim(status="Collected")], [paid("1", "reversed", at("03-02"), amount=-4000)])
    assert owed(found) == {"EUR": 4000}
    assert len(found.open_items[0].failures) == 1


def test_a_return_that_says_money_had_been_collected_beats_the_status() -> None:
    """A negative return is a return after collection, though the collection was not loaded."""
    assert owed(position([claim(status="Collected")], [paid("1", "returned", at("03-02"), amount=-4000)])) == {"EUR": 4000}


def test_a_part_paid_leaves_the_rest() -> None:
    """A partial payment counts for what it is, even beside a status that says all is well."""
    found = position([claim(status="Collected")], [paid("1", "collected", at("01-06"), amount=1500)])
    assert (owed(found), found.open_items[0].paid_minor, found.open_items[0].open_minor) == ({"EUR": 2500}, 1500, 2500)


def test_a_part_taken_back_leaves_the_other_part() -> None:
    """Two parts paid, one reversed: the reversed one is owed."""
    rows = [
        paid("1", "collected", at("01-06"), amount=1500),
        paid("2", "collected", at("01-07"), amount=2500),
        paid("3", "reversed", at("01-09"), amount=-1500),
    ]
    assert owed(position([claim()], rows)) == {"EUR": 1500}


def test_a_chargeback_with_its_fee_opens_the_installment_and_no_more() -> None:
    """A bank's fee on top of a chargeback is no debt of the installment."""
    assert owed(position([claim()], [paid("1", "collected", at("01-06")), paid("2", "charged_back", at("02-06"), amount=-5500)])) == {
        "EUR": 4000
    }


def test_collected_again_after_a_reversal_is_settled() -> None:
    """The second collection settles it though the first one's reversal is still on the books."""
    rows = [paid("1", "collected", at("01-06")), paid("2", "reversed", at("01-09"), amount=-4000), paid("3", "collected", at("01-20"))]
    assert owed(position([claim()], rows)) == {}


def test_a_recollection_under_the_same_reference_is_new_money() -> None:
    """A package uses one reference for a claim: what comes after a reversal is not the first collection told twice."""
    rows = [
        paid("1", "collected", at("01-06"), reference="R"),
        paid("2", "reversed", at("01-09"), amount=-4000, reference="R"),
        paid("3", "collected", at("01-20"), reference="R"),
    ]
    assert owed(position([claim()], rows)) == {}


def test_an_overpayment_booked_in_two_rows_of_one_reference_is_two_rows() -> None:
    """FinDock books the surplus as a second Payment on the first installment; it is a credit, not a copy."""
    rows = [paid("1", "collected", at("01-06"), reference="R"), paid("2", "collected", at("01-06"), amount=1000, reference="R")]
    assert dict(position([claim()], rows).credits) == {"EUR": 1000}


@pytest.mark.parametrize("status", ["Collected", "Paid", "Refunded", "Cancelled"])
def test_without_any_payment_these_statuses_mean_nothing_is_owed(status: str) -> None:
    """Orgs that keep no payment rows say so by status alone."""
    assert owed(position([claim(status=status)])) == {}


@pytest.mark.parametrize(
    "status",
    [
        None,
        "New",
        "Outstanding",
        "Pending",
        "Pending Processing",
        "Partially paid",
        "Failed",
        "Rejected",
        "Reversed",
        "Pending recollection",
    ],
)
def test_every_other_status_owes(status: str | None) -> None:
    """A debt is cleared only by an observed settlement, never by a status that does not say so."""
    assert owed(position([claim(status=status)])) == {"EUR": 4000}


def test_a_failed_attempt_is_no_payment() -> None:
    """With nothing but a failed try on record, a status that says Collected stands."""
    assert owed(position([claim(status="Collected")], [paid("1", "failed", at("01-06"))])) == {}


def test_a_payment_of_nothing_is_no_payment() -> None:
    """A row of zero does not silence the status."""
    assert owed(position([claim(status="Collected")], [paid("1", "collected", at("01-06"), amount=0)])) == {}


def test_cancelled_owes_nothing_even_after_a_reversal() -> None:
    """Waived is waived, whatever else is on the books."""
    assert (
        owed(position([claim(status="Cancelled")], [paid("1", "collected", at("01-06")), paid("2", "reversed", at("02-06"), amount=-4000)]))
        == {}
    )


def test_what_was_paid_before_the_rest_was_waived_is_no_credit() -> None:
    """A part paid and the rest cancelled: the part was for something."""
    assert dict(position([claim(status="Cancelled")], [paid("1", "collected", at("01-06"), amount=1500)]).credits) == {}


def test_a_payment_without_an_amount_is_of_the_whole() -> None:
    """Some sources tell that it was collected, not how much: then it was the installment."""
    assert owed(position([claim()], [paid("1", "collected", at("01-06"), amount=None)])) == {}


def test_a_reversal_without_a_time_follows_the_money_it_takes() -> None:
    """A row without a time may not settle by accident, and its time is the same on every day we look."""
    rows = [paid("1", "collected", at("01-06")), paid("2", "reversed", None, amount=-4000)]
    first, later = position([claim()], rows), position([claim()], rows, now=at("03-25"))
    assert owed(first) == {"EUR": 4000}
    assert first.open_items[0].failures == later.open_items[0].failures


def test_a_day_without_a_time_ends_that_day() -> None:
    """A package that dates its cash by day: a failure that morning came before the money, the reversal after it."""
    failed_then_paid = [paid("1", "failed", at("03-02", "10:00")), paid("2", "collected", at("03-02", "00:00"))]
    assert position([claim()], failed_then_paid).settled[0].by == "money"
    paid_then_reversed = [paid("1", "collected", at("03-02", "10:00")), paid("2", "reversed", at("03-02", "00:00"), amount=-4000)]
    assert owed(position([claim()], paid_then_reversed)) == {"EUR": 4000}
