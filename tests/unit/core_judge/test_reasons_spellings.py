"""Reason codes as records really hold them: every spelling means what the code means, and never something laxer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.reasons import strictness
from connector.core.words import Category, CodeSet, Scheme
from tests.unit.core_judge.test_reasons import catalogue


def resolved(code_set, code, scheme=None, country=None):
    """The reason, from plain words."""
    return catalogue().resolve(CodeSet(code_set) if code_set else None, code, Scheme(scheme) if scheme else None, country)


@pytest.mark.parametrize(
    ("code_set", "code", "scheme", "category", "retry"),
    [
        # Case, blanks, dashes, underscores
        ("iso20022_return", " am04 ", None, "insufficient_funds", "yes"),
        ("iso20022_return", "AM-04", None, "insufficient_funds", "yes"),
        ("iso20022_return", "AM 04", None, "insufficient_funds", "yes"),
        ("stripe_decline", "insufficient-funds", None, "insufficient_funds", "yes"),
        ("stripe_decline", "InsufficientFunds", None, "insufficient_funds", "yes"),
        ("mollie_reason", "Insufficient Funds", None, "insufficient_funds", "yes"),
        ("gocardless_cause", "BANK-ACCOUNT-CLOSED", None, "method_invalid", "no"),
        ("autogiro_return", "tk82_1", None, "insufficient_funds", "yes"),
        # Zeros, numbers that went through a spreadsheet, wide digits
        ("iso8583", "0051", None, "insufficient_funds", "yes"),
        ("iso8583", "51.0", None, "insufficient_funds", "yes"),
        ("iso8583", "\uff15\uff11", None, "insufficient_funds", "yes"),
        ("nacha_return", "R1", None, "insufficient_funds", "yes"),
        ("nacha_noc", "c1", None, "technical", "ask"),
        ("pad_return", "0901", None, "insufficient_funds", "yes"),
        ("bacs_arudd", "00", None, "insufficient_funds", "yes"),
        ("mastercard_advice", "3", None, "refused", "no"),
        # A title behind the code, in brackets, or the title alone
        ("nacha_return", "R01 - Insufficient Funds", None, "insufficient_funds", "yes"),
        ("nacha_return", "R01: Insufficient Funds", None, "insufficient_funds", "yes"),
        ("nacha_return", "R01 Insufficient Funds", None, "insufficient_funds", "yes"),
        ("nacha_return", "R01. Insufficient Funds", None, "insufficient_funds", "yes"),
        ("nacha_return", "Insufficient Funds (R01)", None, "insufficient_funds", "yes"),
        ("nacha_return", "R15 (Beneficiary deceased)", None, "deceased", "no"),
        ("iso20022_return", "AM04/InsufficientFunds", None, "insufficient_funds", "yes"),
        ("iso20022_return", "[AM04]", None, "insufficient_funds", "yes"),
        ("iso20022_return", "EndCustomerDeceased", None, "deceased", "no"),
        ("bacs_arudd", "0 - Refer to payer", None, "insufficient_funds", "yes"),
        ("becs_return", "6 Refer to Customer", None, "insufficient_funds", "yes"),
        ("pad_return", "901 NSF", None, "insufficient_funds", "yes"),
        ("iso8583", "51 Insufficient funds", None, "insufficient_funds", "yes"),
        ("braintree_processor", "2001 : Insufficient Funds", None, "insufficient_funds", "yes"),
        ("stripe_decline", "card_declined: insufficient_funds", None, "insufficient_funds", "yes"),
        ("stripe_error", "card_declined/lost_card", None, "method_invalid", "no"),
        # Who says it stands before it
        (None, "urn:iso:std:iso:20022:tech:xsd:ExternalReturnReason1Code:AM04", None, "insufficient_funds", "yes"),
        (None, "ExternalReturnReason1Code/AM04", "sepa_core", "insufficient_funds", "yes"),
        (None, "SEPA-AM04", None, "insufficient_funds", "yes"),
        (None, "iso20022_return:AM04", None, "insufficient_funds", "yes"),
        (None, "ACH R01", None, "insufficient_funds", "yes"),
        (None, "BACS ARUDD 2", "bacs", "deceased", "no"),
        ("gocardless_cause", "ARUDD_0", "bacs", "insufficient_funds", "yes"),
        ("gocardless_cause", "DISHONOUR-AM04", "becs", "insufficient_funds", "yes"),
        # Words of one card set under another
        ("iso8583", "insufficient_funds", None, "insufficient_funds", "yes"),
        ("adyen_refusal", "insufficient_funds", None, "insufficient_funds", "yes"),
        ("braintree_processor", "insufficient_funds", None, "insufficient_funds", "yes"),
        ("adyen_refusal", "Not enough balance", None, "insufficient_funds", "yes"),
        (None, "Not enough balance", "card", "insufficient_funds", "yes"),
        ("adyen_refusal", "FRAUD", None, "fraud", "no"),
        ("iso8583", "Do not honour", None, "refused", "yes"),
        # A gateway that hands on the scheme's or network's own code
        ("stripe_decline", "R01", "ach", "insufficient_funds", "yes"),
        ("stripe_decline", "51", "card", "insufficient_funds", "yes"),
        ("braintree_processor", "51", "card", "insufficient_funds", "yes"),
        ("mollie_reason", "AM04", None, "insufficient_funds", "yes"),
        ("adyen_refusal", "MD07", "sepa_core", "deceased", "no"),
        ("adyen_refusal", "51 : Insufficient funds", "card", "insufficient_funds", "yes"),
        ("adyen_refusal", "05 : Do not honor", "card", "refused", "yes"),
    ],
)  # fmt: skip
def test_every_spelling_means_what_the_code_means(code_set, code, scheme, category, retry):
    """Case, separators, zeros, titles, prefixes, URNs, names and codes handed on."""
    found = resolved(code_set, code, scheme)
    assert (found.category, found.retry) == (category, retry)


@pytest.mark.parametrize(
    ("code_set", "code", "scheme", "category", "retry"),
    [
        # Code and title, prefix and set, set and scheme disagree: the stricter one
        ("nacha_return", "R01 - Account Closed", None, "method_invalid", "no"),
        ("adyen_refusal", "12 : Invalid transaction", "card", "technical", "no"),
        ("bacs_addacs", "BACS-0", None, "mandate_invalid", "no"),
        ("bacs_addacs", "ARUDD-0", None, "mandate_invalid", "no"),
        ("nacha_return", "R01", "card", "insufficient_funds", "ask"),
        ("bacs_arudd", "0", "sepa_core", "insufficient_funds", "ask"),
        ("iso8583", "51", "ach", "insufficient_funds", "ask"),
        ("nacha_return", "R15", "card", "deceased", "no"),
        # Looks like a code, and is none
        ("iso20022_return", "AM04X", None, "unknown", "no"),
        ("iso20022_return", "XAM04", None, "unknown", "no"),
        ("iso8583", "05-1", None, "unknown", "no"),
        ("iso8583", "5 1", None, "unknown", "no"),
        ("adyen_refusal", "51", "card", "unknown", "no"),
        ("bacs_arudd", "attempt (3)", None, "unknown", "no"),
        ("bacs_arudd", "2 payments failed", None, "unknown", "no"),
        ("braintree_processor", "3999", None, "unknown", "no"),
        ("stripe_decline", "51", None, "unknown", "no"),
        ("stripe_decline", "_", None, "unknown", "no"),
        (None, ":", "card", "unknown", "no"),
        (None, "SEPA direct debit failed", None, "unknown", "no"),
        # A code of another scheme
        (None, "R01", "sepa_core", "unknown", "no"),
        (None, "0", "sepa_core", "unknown", "no"),
        (None, "AM04", "card", "unknown", "no"),
        # Means different things in different sets
        (None, "0", None, "unknown", "no"),
        (None, "12", None, "unknown", "no"),
    ],
)  # fmt: skip
def test_nothing_resolves_to_something_laxer_by_accident(code_set, code, scheme, category, retry):
    """Where a record is in doubt, the stricter reading stands, and what is no code is unknown."""
    found = resolved(code_set, code, scheme)
    assert (found.category, found.retry) == (category, retry)


@given(st.text(max_size=30), st.sampled_from([None, *CodeSet]), st.sampled_from([None, *Scheme]), st.sampled_from([None, "DE", "xx", ""]))
def test_any_text_gives_a_reason_and_an_unknown_one_is_never_tried_again(text, code_set, scheme, country):
    """No code of no shape breaks anything; without a row behind it there is no retry."""
    found = catalogue().resolve(code_set, text, scheme, country)
    assert found.category in Category
    if not found.meaning:
        assert (found.category, found.retry, found.act) == (Category.UNKNOWN, "no", "creditor")


@given(st.data())
def test_a_title_behind_a_code_never_makes_it_laxer(data):
    """Whatever is written behind a code, it may forbid more and never allow more."""
    code_set = data.draw(st.sampled_from([CodeSet.NACHA_RETURN, CodeSet.ISO20022_RETURN, CodeSet.STRIPE_DECLINE]))
    code = data.draw(st.sampled_from({CodeSet.NACHA_RETURN: ["R02", "R15", "R01"], CodeSet.ISO20022_RETURN: ["AC04", "MD07", "AM04"]}.get(
        code_set, ["lost_card", "do_not_honor", "insufficient_funds"])))  # fmt: skip
    title = data.draw(st.sampled_from(["Insufficient Funds", "please retry", "AM04", "R01", "do_not_honor", "51", "approved"]))
    alone, both = catalogue().resolve(code_set, code, None, None), catalogue().resolve(code_set, f"{code} - {title}", None, None)
    assert strictness(both.retry) >= strictness(alone.retry)
