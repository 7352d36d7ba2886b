"""The whole catalogue at once: rows of kin sets agree, no row is careless, and every text is fit to be read."""

import csv
import re

import pytest

from connector.core import codes
from connector.core.words import Category, CodeSet, Scheme
from tests.scenario.decide.builders import ROOT
from tests.unit.core_judge.test_reasons import catalogue

FILES = sorted((ROOT / "mappings" / "reasons").glob("*.csv"))
ROWS = [row for path in FILES for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())]
NOT_TO_BE_TRIED = {
    "deceased", "disputed", "fraud", "legal", "unknown", "creditor_error", "method_invalid", "mandate_invalid", "blocked_by_payer",
    "authentication_required",
}  # fmt: skip
ISO = [one for one in CodeSet if one.startswith("iso20022_")]
WORDS = [
    CodeSet.STRIPE_DECLINE, CodeSet.STRIPE_ERROR, CodeSet.MOLLIE_REASON, CodeSet.ADYEN_REFUSAL, CodeSet.BRAINTREE_PROCESSOR,
    CodeSet.ISO8583, CodeSet.GOCARDLESS_CAUSE,
]  # fmt: skip
APART = {
    "be08": "a bank's error in a return, a missing name in a status report",
    "ms02": "in a reversal we are the customer who gives no reason",
    "ms03": "in a reversal it is our side that gives no reason",
    "md01": "in BECS it is the payer's claim; in SEPA the bank's finding",
    "narr": "GoCardless takes it for refer to payer in BECS",
    "ac03": "New Zealand's banks say it of the payer's account",
    "ag01": "New Zealand's banks say it of a cancelled authority",
}
"""Codes that kin sets judge differently, and why."""


def judged(row):
    """What a row says."""
    return row["category"], row["retry"]


def spellings(row):
    """A row's code and names, as they are compared."""
    return [codes.plain(CodeSet(row["code_set"]), one) for one in (row["code"], *row["also"].split("|")) if one]


@pytest.mark.parametrize(("family", "only_words"), [(ISO, False), ([*ISO, CodeSet.BECS_RETURN], False), (WORDS, True)])
def test_kin_sets_agree_or_say_why_not(family, only_words):
    """The same code or word means the same wherever it is named."""
    seen, apart = {}, {}
    for row in ROWS:
        if row["code_set"] not in family or row["country"]:
            continue
        for one in spellings(row):
            if only_words and any(sign.isdecimal() for sign in one):
                continue
            if seen.setdefault(one, judged(row)) != judged(row) and codes.plain(CodeSet(row["code_set"]), row["code"]) not in APART:
                apart[one] = (seen[one], judged(row))
    assert apart == {}


def test_every_row_is_whole_and_careful():
    """A retry only where it is lawful and may help, a known actor, a hidden sensitive cause, a source and a date."""
    for row in ROWS:
        grave = row["category"] in ("deceased", "legal", "fraud")
        assert row["retry"] != "yes" or row["category"] not in NOT_TO_BE_TRIED, row
        assert (row["sensitive"] == "yes") == grave, row
        assert (row["act"] == "specialist") == grave, row
        assert row["act"] != "nobody" or row["retry"] == "no", row
        assert len(row["source"]) > 20, row
        assert row["source"].endswith("judged by Dunwell"), row
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", row["effective_on"]), row
        assert not row["wait_hours"] or row["code_set"] == "mastercard_advice", row


def test_meanings_are_plain_sentences_of_our_own():
    """No meaning is a provider's title with blanks in it, and none is in capitals or in code."""
    for row in ROWS:
        meaning = row["meaning"]
        assert codes.plain(CodeSet.STRIPE_DECLINE, meaning) not in spellings(row), row
        assert meaning[0].isupper(), row
        assert not meaning.endswith("."), row
        assert len(meaning) < 120, row
        assert "_" not in meaning, row


def test_every_set_of_the_closed_list_has_rows_and_every_row_is_found():
    """Twenty-two sets, and each row answers to its code and to each of its names, with its own judgement."""
    assert {row["code_set"] for row in ROWS} == set(CodeSet)
    for row in ROWS:
        if re.fullmatch(r"\d+-\d+", row["code"]):
            continue
        for name in (row["code"], *filter(None, row["also"].split("|"))):
            found = catalogue().resolve(CodeSet(row["code_set"]), name, None, row["country"] or None)
            assert (found.category, found.retry, found.meaning) == (*judged(row), row["meaning"]), (row, name)


@pytest.mark.parametrize(
    ("code_set", "code", "category", "retry"),
    [
        ("nacha_noc", "C10", "technical", "ask"), ("nacha_return", "R65", "technical", "no"),
        ("pad_return", "906", "method_invalid", "no"), ("pad_return", "908", "insufficient_funds", "yes"),
        ("autogiro_return", "4", "technical", "ask"), ("autogiro_return", "TK73-02", "mandate_invalid", "no"),
        ("iso20022_status", "MD08", "method_invalid", "no"), ("iso20022_status", "MD21", "fraud", "no"),
        ("iso20022_return", "MD20", "mandate_invalid", "no"), ("iso20022_cancellation", "LEGL", "legal", "no"),
        ("iso20022_status", "XT33", "technical", "no"), ("iso20022_return", "PY01", "method_invalid", "no"),
        ("iso8583", "68", "technical", "yes"), ("iso8583", "116", "insufficient_funds", "yes"), ("iso8583", "Q1", "method_invalid", "no"),
        ("iso8583", "208", "method_invalid", "no"), ("iso8583", "102", "fraud", "no"), ("iso8583", "65", "refused", "ask"),
        ("adyen_refusal", "43", "authentication_required", "ask"), ("mollie_reason", "possible_fraud", "fraud", "no"),
        ("mollie_reason", "refused_by_issuer", "refused", "yes"), ("stripe_decline", "recipient_deceased", "deceased", "no"),
        ("stripe_decline", "bank_account_closed", "method_invalid", "no"), ("stripe_decline", "subscription_canceled", "disputed", "no"),
        ("stripe_error", "highest_risk_level", "fraud", "no"), ("braintree_processor", "4001", "refused", "ask"),
        ("gocardless_cause", "FAILED", "unknown", "no"),
    ],
)  # fmt: skip
def test_codes_beyond_the_reference_tables_are_judged_too(code_set, code, category, retry):
    """Codes that are in use and in none of the tables that were given."""
    found = catalogue().resolve(CodeSet(code_set), code, None, None)
    assert (found.category, found.retry) == (category, retry)


@pytest.mark.parametrize("country", ["AT", "BE", "DE", "LU", "SK", "de"])
@pytest.mark.parametrize("code", ["MS03", "AG07"])
def test_a_bank_that_may_not_say_why_mostly_means_a_lack_of_money(code, country):
    """Where the law hides the cause, it is treated as what it mostly is; elsewhere the payer is asked first."""
    assert catalogue().resolve(None, code, Scheme.SEPA_CORE, country).category is Category.INSUFFICIENT_FUNDS
    assert catalogue().resolve(None, code, Scheme.SEPA_CORE, "NL").category is Category.REFUSED
