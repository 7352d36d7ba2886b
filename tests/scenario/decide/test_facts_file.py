"""The stories told as FACTS.json is: from raw installments and payments through ledger and catalogue to the decision."""

from functools import cache

import pytest

from connector.core.decide import decide
from connector.core.facts import parse, render
from connector.core.facts_batch import positions
from connector.mapping.reasons import load_reasons
from tests.scenario.decide.builders import ROOT, default_policy

HISTORY = [f"{year}-{month:02}-01" for year in (2024, 2025) for month in range(1, 13)] + ["2026-01-01", "2026-02-01"]


@cache
def catalogue():
    """The catalogue that ships."""
    return load_reasons(ROOT / "mappings" / "reasons")


def installment(due, scheme="sepa_core", **more):
    """One monthly installment of 40.00 EUR."""
    return {"id": f"I{due}", "amount": "40.00", "currency": "EUR", "due_on": due, "scheme": scheme, **more}


def payment(due, at=None, outcome="collected", amount="40.00", **more):
    """One movement on it."""
    return {
        "id": f"P{due}{outcome}{at}",
        "installment": f"I{due}",
        "amount": amount,
        "at": at or f"{due}T06:00:00Z",
        "outcome": outcome,
        **more,
    }


def told(code=None, *, scheme="sepa_core", outcome="failed", payer=None, extra=(), **more):
    """The printed decision for a payer of two clean years whose March installment failed on the second."""
    failed = payment("2026-03-01", "2026-03-02T06:00:00Z", outcome, scheme=scheme, reason_code=code)
    facts = {
        "now": "2026-03-02T09:00:00+01:00",
        "payer": {
            "id": "P1",
            "name": "Ada Example",
            "country": "NL",
            "customer_since": "2014-01-01",
            "time_zone": "Europe/Amsterdam",
            **(payer or {}),
        },
        "installments": [*(installment(due, scheme) for due in HISTORY), installment("2026-03-01", scheme)],
        "payments": [*(payment(due) for due in HISTORY), failed, *extra],
        **more,
    }
    element = parse(facts, "Europe/Amsterdam")
    return render(decide(positions([element], catalogue())[0], default_policy(), element.now))


def kinds(decision):
    """Kinds of what is done."""
    return sorted(one["kind"] for one in decision["follow_ups"])


@pytest.mark.parametrize(
    ("code", "scheme", "wanted", "status"),
    [
        ("AM04", "sepa_core", ["notify", "remind", "retry"], "In Arrears"),
        ("MS03", "sepa_core", ["request_method"], "In Arrears"),
        ("AC04", "sepa_core", ["request_method"], "In Arrears"),
        ("MD01", "sepa_core", ["request_method"], "In Arrears"),
        ("MD06", "sepa_core", ["hold", "review"], "On Hold"),
        ("MD07", "sepa_core", ["hold", "review"], "On Hold"),
        ("ED05", "sepa_core", ["notify", "retry"], "Watch"),
        ("AM05", "sepa_core", ["review"], "Watch"),
        ("SL01", "sepa_core", ["request_method"], "In Arrears"),
        ("QQ99", "sepa_core", ["review"], "In Arrears"),
        ("0", "bacs", ["notify", "remind", "retry"], "In Arrears"),
        ("2", "bacs", ["hold", "review"], "On Hold"),
        ("R01", "ach", ["notify", "remind", "retry"], "In Arrears"),
        ("51", "card", ["remind", "retry"], "In Arrears"),
        ("54", "card", ["request_method"], "In Arrears"),
        ("91", "card", ["retry"], "Watch"),
        ("1A", "card", ["request_method"], "In Arrears"),
        ("R1", "card", ["request_method"], "In Arrears"),
    ],
)
def test_a_code_leads_to_its_follow_up(code, scheme, wanted, status):
    """From the code of a provider to what happens, nothing in between but ledger, catalogue and policy."""
    decision = told(code, scheme=scheme)
    assert (kinds(decision), decision["arrears"]["status"]) == (wanted, status)


def test_the_country_of_the_bank_decides_what_ms03_means():
    """In Germany it mostly hides a lack of money and may be tried again."""
    failed = payment("2026-03-01", "2026-03-02T06:00:00Z", "failed", reason_code="MS03", reason_country="DE", scheme="sepa_core")
    facts = {"payments": [*(payment(due) for due in HISTORY), failed]}
    assert kinds(told("MS03", **facts)) == ["notify", "remind", "retry"]


def test_january_taken_back_in_march_is_open_since_january():
    """A reversal opens its own installment, though February was paid."""
    back = payment("2026-01-01", "2026-03-01T06:00:00Z", "reversed", "-40.00", reason_code="AM04", scheme="sepa_core")
    paid = payment("2026-03-01", "2026-03-02T07:00:00Z")
    decision = told("AM04", extra=(back, paid))
    assert decision["arrears"]["since"] == "2026-01-01"
    assert decision["arrears"]["amount"] == {"EUR": "40.00"}


def test_late_money_clears_and_is_thanked_for():
    """The installment failed, then the payer paid it."""
    decision = told("AM04", extra=(payment("2026-03-01", "2026-03-02T07:30:00Z", payer_initiated=True),))
    assert kinds(decision) == ["clear", "confirm"]
    assert decision["arrears"] == {"status": "Clear", "amount": {}, "since": None, "days_past_due": 0, "level": 0, "failures_12m": 1}


def test_the_order_in_which_facts_arrive_does_not_matter():
    """Out of order and told twice: the same decision."""
    back = payment("2026-01-01", "2026-03-01T06:00:00Z", "reversed", "-40.00", reason_code="AM04", scheme="sepa_core")
    straight = told("AM04", extra=(back,))
    payments = [
        back,
        payment("2026-03-01", "2026-03-02T06:00:00Z", "failed", scheme="sepa_core", reason_code="AM04"),
        *(payment(due) for due in reversed(HISTORY)),
    ]
    assert told("AM04", payments=[*payments, payments[1]]) == straight


def test_a_habit_is_found_and_served():
    """Somebody who pays by link around seven in the evening is written to at half past six."""
    by_link = [
        payment(due, f"{due}T18:{minute:02}:00+01:00", payer_initiated=True)
        for due, minute in zip(HISTORY[-8:], (0, 5, 2, 1, 3, 4, 0, 2), strict=True)
    ]
    decision = told(
        "51",
        scheme="card",
        payments=[
            *(payment(due) for due in HISTORY[:-8]),
            *by_link,
            payment("2026-03-01", "2026-03-02T06:00:00Z", "failed", scheme="card", reason_code="51"),
        ],
    )
    (remind,) = [one for one in decision["follow_ups"] if one["kind"] == "remind"]
    assert "T17:3" in remind["at"]


def test_an_open_complaint_withholds_and_its_owner_is_told():
    """Contact and retry wait; the case owner hears of the payment."""
    decision = told(
        "AM04", cases=[{"id": "500C1", "is_closed": False, "type": "Complaint", "opened_at": "2026-02-20T10:00:00Z", "owner": "005U1"}]
    )
    assert kinds(decision) == ["inform"]
    assert {one["kind"]: one["reasons"] for one in decision["withheld"]} == {"remind": ["open_case"], "retry": ["open_case"]}


def test_breathing_space_is_silent_until_its_end():
    """Withheld, and until when."""
    decision = told("AM04", payer={"hold": {"cause": "breathing_space", "until": "2026-04-20"}})
    assert decision["follow_ups"] == []
    assert {one["kind"]: (one["reasons"], one["until"]) for one in decision["withheld"]} == {
        "remind": (["hold:breathing_space"], "2026-04-20"), "retry": (["hold:breathing_space"], "2026-04-20"),
    }  # fmt: skip
