"""Credits and how they are set off."""

from tests.unit.core_ledger.build import at, claim, owed, paid, position


def test_a_negative_installment_is_set_off_against_the_oldest_first() -> None:
    """A credit note covers the oldest claim, so that arrears never look older than they are."""
    found = position([claim("note", "02-20", -4000), claim("feb", "02-05"), claim("jan")])
    assert [one.id for one in found.open_items] == ["feb"]
    assert (owed(found), str(found.since)) == ({"EUR": 4000}, "2026-02-05")


def test_a_credit_smaller_than_the_claim_says_how_much_it_covers() -> None:
    """Open stays what it was before credits; what to ask for is the rest."""
    found = position([claim("note", "02-20", -1500), claim()])
    (item,) = found.open_items
    assert (item.open_minor, item.credit_minor, owed(found), dict(found.credits)) == (4000, 1500, {"EUR": 2500}, {})


def test_a_credit_never_crosses_currencies() -> None:
    """Dollars settle no euros."""
    found = position([claim("note", "02-20", -9000, currency="USD"), claim()])
    assert (owed(found), dict(found.credits)) == ({"EUR": 4000}, {"USD": 9000})


def test_what_is_paid_too_much_settles_the_next_oldest() -> None:
    """An overpayment on one installment is a credit for the others."""
    found = position([claim(), claim("feb", "02-05")], [paid("1", "collected", at("01-06"), amount=6000)])
    assert owed(found) == {"EUR": 2000}


def test_money_on_no_installment_is_a_credit() -> None:
    """Money that came and could not be placed is the payer's all the same."""
    found = position([claim()], [paid("1", "collected", at("03-01"), None, 4000)])
    assert (owed(found), found.open_items) == ({}, ())


def test_unplaced_money_that_was_taken_back_is_no_credit() -> None:
    """A reversal without an installment takes the unplaced money back."""
    rows = [paid("1", "collected", at("03-01"), None), paid("2", "reversed", at("03-05"), None, -4000)]
    assert owed(position([claim()], rows)) == {"EUR": 4000}


def test_money_on_an_installment_that_was_not_loaded_is_no_credit() -> None:
    """It settled something we do not see; counting it here would settle two things with it."""
    assert owed(position([claim()], [paid("1", "collected", at("03-01"), "elsewhere")])) == {"EUR": 4000}


def test_money_in_another_currency_does_not_settle_the_installment() -> None:
    """It stays the payer's credit in its own currency."""
    found = position([claim()], [paid("1", "collected", at("03-01"), currency="USD", amount=4400)])
    assert (owed(found), dict(found.credits)) == ({"EUR": 4000}, {"USD": 4400})


def test_a_credit_paid_out_is_used_up() -> None:
    """What was paid to the payer cannot be set off as well."""
    found = position([claim("note", "02-20", -4000), claim()], [paid("1", "collected", at("02-25"), "note", -3000)])
    assert owed(found) == {"EUR": 3000}


def test_a_credit_whose_status_says_paid_is_used_up() -> None:
    """Paid is the outgoing word for collected."""
    assert owed(position([claim("note", "02-20", -4000, status="Paid"), claim()])) == {"EUR": 4000}


def test_a_credit_waits_for_what_is_not_due_yet() -> None:
    """Nothing is overdue: the credit is shown as left over and the coming installment stays as it is."""
    found = position([claim("note", "02-20", -4000), claim("apr", "04-05")])
    assert (dict(found.credits), found.open_items[0].credit_minor) == ({"EUR": 4000}, 0)


def test_debts_are_covered_before_gifts() -> None:
    """Money a payer has with us settles what they owe before what they meant to give."""
    found = position([claim("gift", "01-02", claim_kind="gift"), claim("debt", "02-02"), claim("note", "02-20", -4000)])
    assert [one.id for one in found.open_items] == ["gift"]


def test_an_item_that_failed_and_is_covered_by_credit_counts_as_settled() -> None:
    """A balance cleared by a credit is cleared: no one is chased because no payment event came."""
    found = position([claim("note", "03-15", -4000), claim("mar", "03-05")], [paid("1", "failed", at("03-05"), "mar", reason_code="AM04")])
    (settled,) = found.settled
    assert (settled.id, settled.by, settled.settled_at) == ("mar", "credit", at("03-15", "00:00"))


def test_a_payout_told_twice_uses_the_credit_up_once():
    """The same payout under the same reference, told by two sources, leaves the rest of the credit to the payer."""
    told = [paid(name, "collected", at("02-25"), "note", 1000, reference="R1") for name in ("1", "2")]
    once, twice = (owed(position([claim("note", "02-20", -2500), claim()], rows)) for rows in (told[:1], told))
    assert once == twice == {"EUR": 2500}
