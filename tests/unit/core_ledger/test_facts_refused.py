"""What a facts file may not say: each problem with its path, in words that help, and all of them at once."""

import json

import pytest

from connector.core.facts import parse, read
from connector.errors import ConfigError
from tests.unit.core_ledger.build import AMSTERDAM

JAN = {"id": "jan", "amount": "40.00", "currency": "EUR", "due_on": "2026-01-05"}
PAID = {"installment": "jan", "amount": "40.00", "outcome": "collected", "at": "2026-01-06T09:00:00"}


def problems(**other):
    """What is wrong with an element."""
    with pytest.raises(ConfigError) as caught:
        parse({"now": "2026-03-20T09:00:00+01:00", "payer": {"id": "p"}, "installments": [JAN], **other}, AMSTERDAM)
    return list(caught.value.problems)


def accepted(**other):
    """The rows of an element."""
    return parse({"now": "2026-03-20T09:00:00+01:00", "payer": {"id": "p"}, "installments": [JAN], **other}, AMSTERDAM).rows


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"now": "2026-03-20T09:00:00"}, "now: needs an offset, such as 2026-03-02T09:00:00+01:00"),
        ({"now": 5}, "now: a time is written 2026-03-02T09:00:00+01:00"), ({"now": "1899-01-01T00:00:00Z"}, "now: a time of that year is a mistake"),
        ({"now": "2200-01-01T00:00:00Z"}, "now: a time of that year is a mistake"),
        ({"installments": [JAN | {"due_on": "5 January"}]}, "installments[0].due_on: a date is written 2026-03-02"),
        ({"installments": [JAN | {"due_on": 20260105}]}, "installments[0].due_on: a date is written 2026-03-02"),
        ({"installments": [JAN | {"amount": "a lot"}]}, "installments[0].amount: an amount is a string or a number such as 40.00"),
        ({"installments": [JAN | {"amount": True}]}, "installments[0].amount: an amount is a string or a number such as 40.00"),
        ({"installments": [JAN | {"currency": "EURO"}]}, "installments[0].currency: 'EURO' is no currency of ISO 4217"),
        ({"installments": [JAN | {"amount": "40.001"}]}, "installments[0]: 40.001 has more decimals than EUR, which has 2"),
        ({"installments": [JAN, JAN | {"amount": "41.00"}]}, "installments[1].id: another installment has this id"),
        ({"payer": {"id": "p", "country": "Netherlands"}}, "payer.country: a country is two letters of ISO 3166-1, such as NL"),
        ({"payer": {"id": "p", "time_zone": "Mars/Olympus"}}, "payer.time_zone: no IANA time zone such as Europe/Amsterdam"),
        ({"payer": {"id": "p", "vulnerable": "yes"}}, "payer.vulnerable: must be true or false"),
        ({"payer": {"id": ""}}, "payer.id: must not be empty"), ({"payer": 5}, "payer: must be an object"), ({"installments": None}, "installments: must be a list"),
        ({"payer": {"id": "p", "representative": {"id": "r", "country": "NLD"}}}, "payer.representative.country: a country is two letters of ISO 3166-1, such as NL"),
        ({"payer": {"id": "p", "representative": {"id": "r", "phone_time_zone": "X/Y"}}}, "payer.representative.phone_time_zone: no IANA time zone such as Europe/Amsterdam"),
        ({"payments": [PAID | {"currency": "EURO"}]}, "payments[0].currency: 'EURO' is no currency of ISO 4217"),
        ({"payments": [PAID | {"reason_country": "Austria"}]}, "payments[0].reason_country: a country is two letters of ISO 3166-1, such as NL"),
        ({"payments": [PAID | {"amount": "40.005"}]}, "payments[0].amount: 40.005 has more decimals than EUR, which has 2"),
        ({"payments": [PAID | {"installment": "jam"}]}, "payments[0].installment: no installment of this file has this id; did you mean 'jan'?"),
        ({"payments": [PAID | {"amount": "-40.00"}]}, "payments[0].amount: collected money is positive; money that went back is reversed, returned, charged_back or refunded"),
        ({"payments": [{"outcome": "collected"}]}, "payments[0].amount: is needed where no installment is named"),
        ({"payments": [PAID | {"outcome": "colected"}]}, "payments[0].outcome: 'colected' is not one of its words; did you mean 'collected'?"),
        ({"promises": [{"on": "2026-04-01", "amount": "1.234"}]}, "promises[0].amount: 1.234 has more decimals than EUR, which has 2"),
        ({"payer": {"id": "p", "holds": [{"cause": "dispute", "installments": ["feb"]}]}}, "payer.holds[0].installments: no installment of this file has this id"),
        ({"payer": {"id": "p", "hold": {"cause": "dispute", "installments": ["feb"]}}}, "payer.hold.installments: no installment of this file has this id"),
        ({"payer": {"id": "p", "segmnt": "Gold"}}, "payer.segmnt: no such key; did you mean 'segment'?"), ({"plan": {"state": "missing"}}, "plan.state: 'missing' is not one of its words; did you mean 'missed'?"),
    ],
)  # fmt: skip
def test_a_problem_is_named_where_it_stands(wrong, said):
    """Path, problem, and what was probably meant."""
    assert said in problems(**wrong)


def test_all_problems_are_told_at_once():
    """Nobody mends a file one message at a time."""
    found = problems(
        payments=[PAID | {"installment": "feb"}, {"outcome": "collected"}], promises=[{"on": "2026-04-01", "installment": "mar"}]
    )
    assert [one.partition(":")[0] for one in found] == ["payments[0].installment", "payments[1].amount", "promises[0].installment"]


def test_an_amount_between_two_currencies_needs_its_own():
    """Nobody guesses between euros and pounds."""
    two = [JAN, JAN | {"id": "feb", "currency": "GBP"}]
    assert problems(installments=two, payments=[{"outcome": "collected", "amount": "1.00"}]) == [
        "payments[0].currency: is needed, the installments are in EUR and GBP"
    ]
    rows = accepted(installments=two, payments=[{"outcome": "collected", "amount": "1.00", "currency": "GBP"}])
    assert [(one["currency"], one["amount_minor"]) for one in rows["payments"]] == [("GBP", 100)]


def test_the_only_currency_is_everybodys():
    """A payment or promise on nothing is in the currency of the file."""
    rows = accepted(payments=[{"outcome": "collected", "amount": 1, "advice_code": 3}], promises=[{"on": "2026-04-01", "amount": 2.5}])
    assert [(one["currency"], one["amount_minor"], one["advice_code"]) for one in rows["payments"]] == [("EUR", 100, "03")]
    assert [(one["currency"], one["amount_minor"]) for one in rows["promises"]] == [("EUR", 250)]
    assert accepted(payments=[PAID | {"currency": None}])["payments"][0]["currency"] == "EUR"
    assert accepted(installments=[], payments=[{"outcome": "collected", "amount": "1.00"}])["payments"][0]["amount_minor"] is None


@pytest.mark.parametrize(
    ("given", "country", "region"),
    [({"country": "gb-sct"}, "GB", "SCT"), ({"country": "GB-SCT", "region": "Wales"}, "GB", "Wales"), ({"country": "nl"}, "NL", None), ({}, None, None)],
)  # fmt: skip
def test_a_part_of_a_country_may_stand_with_it(given, country, region):
    """``GB-SCT`` is Scotland; a region that is given stands."""
    row = accepted(payer={"id": "p", **given})["payers"][0]
    assert (row["country"], row["region"]) == (country, region)


def test_a_representatives_place_is_read():
    """Their country and zones are checked as the payer's are."""
    where = {"id": "r", "country": "pt", "time_zone": "Europe/Lisbon", "contact_allowed": {"call": True}}
    (row,) = accepted(payer={"id": "p", "representative": where})["representatives"]
    assert (row["country"], row["time_zone"], row["allow_call"], row["allow_email"]) == ("PT", "Europe/Lisbon", True, None)


@pytest.mark.parametrize(("text", "said"), [("{", "not JSON"), ("[NaN]", "NaN is no number"), ("[" * 100_000, "not JSON")])
def test_what_is_not_json_is_refused(text, said):
    """With a reason, and without a crash."""
    with pytest.raises(ConfigError, match=said):
        read(text)


def test_an_element_that_is_no_object_is_refused():
    """A list in a list, a number: nothing to judge."""
    for one in (5, "x", None, [1]):
        with pytest.raises(ConfigError, match="must be an object"):
            parse(one, AMSTERDAM)


def test_times_without_an_offset_are_the_creditors():
    """Nine in the morning in Amsterdam in January is eight in the world's."""
    rows = accepted(payments=[PAID], cases=[{"id": "c", "status": " Closed ", "opened_at": "2026-01-06T09:00:00"}])
    assert str(rows["payments"][0]["at"]) == "2026-01-06 08:00:00+00:00"
    assert (str(rows["cases"][0]["opened_at"]), rows["cases"][0]["is_closed"]) == ("2026-01-06 08:00:00+00:00", True)
    assert accepted(cases=[{"id": "c", "status": "Closed", "is_closed": False}])["cases"][0]["is_closed"] is False


def test_numbers_are_never_floats():
    """An amount written as a number keeps its cents."""
    ((one,), many) = read(json.dumps(JAN | {"amount": 40.1}))
    assert (str(one["amount"]), many) == ("40.1", False)
