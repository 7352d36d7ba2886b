"""What a second pair of eyes found: situations told as FACTS.json is, each with what a considerate credit manager expects."""

import json
from copy import deepcopy
from functools import cache

import pytest

from connector.core.decide import decide
from connector.core.facts import parse, render
from connector.core.facts_batch import positions
from connector.errors import ConfigError
from connector.mapping.reasons import load_reasons
from tests.scenario.decide.builders import ROOT, default_policy

NOW = "2026-03-02T09:00:00+01:00"
MONTHS = [f"{year}-{month:02}-01" for year in (2024, 2025) for month in range(1, 13)] + ["2026-01-01", "2026-02-01"]


@cache
def catalogue():
    """The catalogue that ships."""
    return load_reasons(ROOT / "mappings" / "reasons")


def claim(name="I1", amount="40.00", currency="EUR", due="2026-03-01", scheme="sepa_core", **more):
    """One installment."""
    return {"id": name, "amount": amount, "currency": currency, "due_on": due, "scheme": scheme, **more}


def moved(outcome="failed", code=None, at="2026-03-02T05:00:00Z", on="I1", amount="40.00", **more):
    """One movement on it, without an id."""
    return {"installment": on, "amount": amount, "at": at, "outcome": outcome, "reason_code": code, **more}


def facts(*claims, payments=(), loyal=True, payer=None, now=NOW, **more):
    """A payer in Amsterdam who may be called, with two years of payments behind them (``loyal``) or none of them."""
    person = {"id": "P1", "country": "NL", "time_zone": "Europe/Amsterdam", "contact_allowed": {"call": True}}
    person["customer_since"] = "2024-01-01" if loyal else "2025-06-01"
    first = claims[0] if claims else claim()
    past = [claim(f"H{day}", currency=first["currency"], due=day) for day in MONTHS[0 if loyal else -8 :]]
    paid = [moved("collected", at=f"{one['due_on']}T06:00:00Z", on=one["id"], id=f"C{one['id']}") for one in past]
    return {
        "now": now,
        "payer": person | (payer or {}),
        "installments": [*past, *(claims or [first])],
        "payments": [*paid, *payments],
        **more,
    }


def judged(told):
    """The printed decision."""
    parsed = parse(told, "Europe/Amsterdam")
    return render(decide(positions([parsed], catalogue())[0], default_policy(), parsed.now))


def kinds(printed):
    """Kinds of what is done, sorted."""
    return sorted(one["kind"] for one in printed["follow_ups"])


def one(printed, kind):
    """The one follow-up of a kind."""
    (found,) = [one for one in printed["follow_ups"] if one["kind"] == kind]
    return found


def withheld(printed):
    """Reasons by kind."""
    return {one["kind"]: one["reasons"] for one in printed["withheld"]}


def after(told, printed, now, *kinds_done):
    """``told`` on a later day, with what was planned made and fed back as contacts under its keys."""
    later = deepcopy(told) | {"now": now}
    made = [one for one in printed["follow_ups"] if not kinds_done or one["kind"] in kinds_done]
    later["contacts"] = [
        *later.get("contacts", ()),
        *({"at": one["at"], **{n: one[n] for n in ("channel", "kind", "key")}} for one in made),
    ]
    return later


def test_a_time_at_the_end_of_the_calendar_is_a_mistake_of_that_element_alone():
    """A year no clock shows is told as a problem with its path, never an overflow that takes the whole array along."""
    for at in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"):
        with pytest.raises(ConfigError, match=r"\]\.at: a time of that year is a mistake"):
            parse(facts(payments=[moved(code="AM04", at=at)]), "Europe/Amsterdam")


def test_work_of_colleagues_uses_up_no_contact():
    """Reviews, holds and case notes fed back as done reached nobody: the payer's day and week are still free."""
    told = facts(payments=[moved(code="AM04", at="2026-03-01T05:00:00Z")])
    told["contacts"] = [
        {"at": f"2026-03-0{day}T07:30:00Z", "kind": kind, "key": f"{kind}-x-{day}"}
        for day in (1, 2)
        for kind in ("review", "inform", "retry")
    ]
    assert one(judged(told), "remind")["at"] == "2026-03-02T10:00:00+01:00"


def test_a_call_that_reached_nobody_replaces_no_letter():
    """Yesterday's unanswered call counts towards the limits, but the first note still goes out; a conversation is the step."""
    told = facts(claim(due="2026-02-28"), payments=[moved(code="AM04", at="2026-02-28T05:00:00Z")])
    called = {"at": "2026-03-01T15:00:00Z", "channel": "call", "kind": "call"}
    assert one(judged(told | {"contacts": [called]}), "remind")["at"].startswith("2026-03-02")
    assert judged(told | {"contacts": [called | {"conversation": True}]})["arrears"]["level"] == 1


def test_a_reminder_that_waits_for_the_caps_keeps_its_place():
    """Three contacts this week: the reminder waits, and the notice of a debit does not take the day it waits for."""
    many = [{"at": f"2026-02-{day}T09:00:00Z", "channel": "email", "kind": "newsletter"} for day in (26, 27, 28)]
    printed = judged(facts(payments=[moved(code="AM04")], contacts=many))
    (waits,) = printed["withheld"]
    assert (waits["kind"], waits["reasons"]) == ("remind", ["contact_cap"])
    assert one(printed, "notify")["at"] > waits["until"]


def test_nobody_is_called_who_was_never_asked():
    """Absent consent means e-mail may be used, calls not: the call is withheld, and a person with the same urgency decides."""
    failing = [moved(code="AM04", at=f"{day}T04:00:00Z", on=f"H{day}", id=f"F{day}") for day in MONTHS[-4:]]
    told = facts(payments=[moved(code="AM04"), *failing], payer={"contact_allowed": None})
    printed = judged(told)
    assert withheld(printed)["call"] == ["no_consent"]
    assert (one(printed, "review")["priority"], "call" in kinds(printed)) == ("High", False)
    assert one(judged(told | {"payer": told["payer"] | {"contact_allowed": {"call": True}}}), "call")["priority"] == "High"


def test_a_payer_who_allows_no_channel_is_a_persons_business():
    """Silence for ever helps nobody: once, a colleague decides how to reach them."""
    told = facts(payments=[moved(code="AC04")], payer={"contact_allowed": {"email": False, "sms": False, "call": False}})
    printed = judged(told)
    assert (kinds(printed), withheld(printed)) == (["review"], {"request_method": ["no_consent"]})
    assert kinds(judged(after(told, printed, "2026-03-05T09:00:00+01:00"))) == []


def test_calls_fall_on_working_days_at_ten():
    """A promise that broke on a Saturday: the call is for Monday at ten, not for the first minute that is lawful."""
    told = facts(
        claim(due="2026-02-18"), payments=[moved(code="AM04", at="2026-02-20T05:00:00Z")], promises=[{"on": "2026-02-27"}],
        now="2026-02-28T21:30:00+01:00",
    )  # fmt: skip
    assert one(judged(told), "call")["at"] == "2026-03-02T10:00:00+01:00"


def test_a_call_that_goes_with_a_letter_survives_it():
    """The firm reminder went out on Saturday, its call waits for Monday: it is still wanted, until it was made."""
    told = facts(claim(due="2026-02-01", scheme="credit_transfer"), loyal=False, now="2026-03-08T09:00:00+01:00")
    made = [f"remind-I1-20260201-L{level}" for level in (1, 2, 3)]
    told["contacts"] = [
        {"at": f"2026-{at}T09:00:00Z", "channel": "email", "kind": "remind", "key": key}
        for at, key in zip(("02-04", "02-14", "03-07"), made, strict=True)
    ]
    printed = judged(told)
    assert (one(printed, "call")["at"][:16], one(printed, "call")["key"]) == ("2026-03-09T10:00", "remind-I1-20260201-L3-with")
    assert kinds(judged(after(told, printed, "2026-03-09T12:00:00+01:00", "call"))) == ["offer_plan"]


def test_a_promised_part_that_came_is_a_promise_kept():
    """15.00 were promised and 15.00 came: nobody calls about a broken promise."""
    told = facts(
        claim(due="2026-02-18"), promises=[{"on": "2026-03-01", "installment": "I1", "amount": "15.00"}],
        payments=[moved(code="AM04", at="2026-02-20T05:00:00Z"), moved("collected", at="2026-02-27T10:00:00Z", amount="15.00")],
    )  # fmt: skip
    assert "call" not in kinds(judged(told))
    told["promises"][0]["amount"] = "20.00"
    assert "call" in kinds(judged(told))
    whole = told | {"promises": [{"on": "2026-03-01", "amount": "15.00"}]}
    assert "call" not in kinds(judged(whole))


def test_bacs_and_ach_present_the_same_amount_or_nothing():
    """After a partial payment the rest may not be presented again under these schemes; under SEPA it may, with its own notice."""
    for scheme, code, currency in (("bacs", "0", "GBP"), ("ach", "R01", "USD")):
        told = facts(claim(scheme=scheme, currency=currency), payments=[moved(code=code, at="2026-03-01T05:00:00Z", scheme=scheme)])
        assert "retry" in kinds(judged(told))
        told["payments"].append(moved("collected", at="2026-03-01T15:00:00Z", amount="15.00"))
        assert withheld(judged(told))["retry"] == ["scheme_limit"]


def test_another_amount_needs_another_notice():
    """40.00 were announced, 15.00 came: the debit of 25.00 is announced anew and moves behind that notice."""
    told = facts(payments=[moved(code="AM04")], loyal=False)
    for now in ("2026-03-03T09:00:00+01:00", "2026-03-04T09:00:00+01:00"):
        told = (
            after(told, judged(told), now, "remind", "notify") if now.startswith("2026-03-03") else after(told, judged(told), now, "notify")
        )
    assert one(judged(told), "retry")["at"].startswith("2026-03-26")
    told["payments"].append(moved("collected", at="2026-03-12T10:00:00Z", amount="15.00"))
    printed = judged(told | {"now": "2026-03-13T09:00:00+01:00"})
    assert "25.00 EUR" in one(printed, "notify")["subject"]
    assert one(printed, "retry")["at"][:10] >= "2026-03-27"


def test_a_retry_the_network_advised_against_is_named():
    """Not enough money, and the network says do not try again: no retry, and the silence is explained."""
    told = facts(claim(scheme="card"), payments=[moved(code="51", scheme="card", advice_code="03")])
    assert withheld(judged(told)) == {"retry": ["scheme_limit"]}


def test_what_the_scheme_repeats_itself_is_left_to_it():
    """Autogiro code 9: the bank tries again, so we do not."""
    told = facts(claim(scheme="autogiro", currency="SEK"), payments=[moved(code="TK82-9", scheme="autogiro")], payer={"country": "SE"})
    assert withheld(judged(told))["retry"] == ["other_system"]


def test_a_failure_from_the_future_does_not_carry_the_retry_there():
    """A slip in a date of payment moves no retry into the next year."""
    assert one(judged(facts(payments=[moved(code="AM04", at="2027-01-01T00:00:00Z")])), "retry")["at"].startswith("2026-03-26")


def test_a_try_told_twice_without_any_id_is_one_try():
    """The same row twice is no second failure in a row."""
    assert "retry" in kinds(judged(facts(payments=[moved(code="AM04"), moved(code="AM04")])))
    earlier = moved(code="AM04", at="2026-02-27T05:00:00Z")
    assert "retry" not in kinds(judged(facts(payments=[moved(code="AM04"), earlier])))


def test_a_technical_fault_in_between_breaks_no_row():
    """No money, a fault of a machine, no money: the payer has failed twice in a row."""
    told = [moved(code=code, at=f"2026-02-{day}T05:00:00Z") for day, code in (("03", "AM04"), ("12", "ED05"), ("25", "AM04"))]
    assert "retry" not in kinds(judged(facts(claim(due="2026-02-01"), payments=told)))


def test_a_first_failure_of_a_loyal_payer_never_ends_in_escalation():
    """Two clean years, one installment whose retry fails as well, or whose account is closed: mild to the end, then a person looks."""
    for code, again in (("AM04", "AM04"), ("AC04", None), ("MD01", None)):
        told = facts(payments=[moved(code=code), *([moved(code=again, at="2026-03-26T20:00:00Z")] if again else [])])
        level_keys = [f"{kind}-I1-20260301-L{level}" for level, kind in enumerate(("remind", "remind", "call", "call", "offer_plan"), 1)]
        told["contacts"] = [{"at": f"2026-04-0{n}T09:00:00Z", "kind": key.split("-")[0], "key": key} for n, key in enumerate(level_keys, 1)]
        assert kinds(judged(told | {"now": "2026-08-03T09:00:00+02:00"})) == ["review"], code


def test_a_membership_ends_in_the_question_whether_they_wish_to_stay():
    """Whatever stands in the way of a membership: no firm word and no escalation."""
    ladders = default_policy().ladders
    rows = [row for row in default_policy().rows if row.name.startswith("membership") or row.name == "promise broken, membership"]
    assert len({row.ladder for row in rows}) == 6
    for name in {row.ladder for row in rows}:
        steps = ladders[name].steps
        assert steps[-1].kind == "review"
        assert {step.tone for step in steps} <= {"welcoming", "gentle", "neutral", None}
        assert "membership_stay" in [step.template for step in steps]
    for code in ("AC04", "MD01", "MS02"):
        printed = judged(facts(claim(claim_kind="membership"), payments=[moved(code=code)]))
        assert one(printed, "request_method")["rule"].startswith("membership")


def test_a_gift_that_failed_for_a_machines_fault_invites_nobody():
    """It is collected again with its notice, or repaired first; the giver is not asked for what they did not cause."""
    assert kinds(judged(facts(claim(claim_kind="gift"), payments=[moved(code="ED05")]))) == ["notify", "retry"]
    assert kinds(judged(facts(claim(claim_kind="gift"), payments=[moved(code="AG02")]))) == ["review"]


def test_a_gift_is_invited_not_reminded_of():
    """The subject of the Task speaks of giving."""
    printed = judged(facts(claim(claim_kind="gift"), payments=[moved(code="AM04")]))
    assert one(printed, "remind")["subject"] == "Invite once more to give 40.00 EUR"


def test_an_open_gift_stands_in_the_way_of_no_clearing():
    """The debt is paid: cleared and thanked for, though a gift is still open."""
    told = facts(
        claim(due="2026-02-25"), claim("G", due="2026-02-26", claim_kind="gift"),
        payments=[moved(code="AM04", at="2026-02-25T05:00:00Z"), moved(code="AM04", at="2026-02-26T05:00:00Z", on="G"), moved("collected", at="2026-03-01T10:00:00Z")],
    )  # fmt: skip
    printed = judged(told)
    assert (kinds(printed), printed["arrears"]["status"]) == (["clear", "confirm", "remind"], "Clear")


def test_money_on_no_installment_is_thanked_for_and_a_credit_note_is_not():
    """A transfer that nobody has allocated yet settles the debt and was sent by the payer; our own credit note was not."""
    failed = moved(code="AM04", at="2026-02-25T05:00:00Z")
    transfer = {"amount": "40.00", "currency": "EUR", "at": "2026-03-01T10:00:00Z", "outcome": "collected"}
    assert kinds(judged(facts(claim(due="2026-02-25"), payments=[failed, transfer]))) == ["clear", "confirm"]
    assert kinds(judged(facts(claim(due="2026-02-25"), claim("N", "-40.00", due="2026-03-01"), payments=[failed]))) == ["clear"]


def test_the_thanks_name_all_that_came_together():
    """Two installments paid by one transfer: thanks for both, once."""
    told = facts(
        claim(due="2026-02-25"), claim("I2", due="2026-02-26"),
        payments=[
            *(moved(code="AM04", at=f"2026-02-2{day}T05:00:00Z", on=name) for day, name in ((5, "I1"), (6, "I2"))),
            *(moved("collected", at="2026-03-01T10:00:00Z", on=name) for name in ("I1", "I2")),
        ],
    )  # fmt: skip
    assert one(judged(told), "confirm")["subject"] == "Thank for the payment of 80.00 EUR"


def test_what_is_still_to_come_from_the_deceased_is_proposed_to_be_stopped():
    """The specialist's one Task names the coming installments too."""
    told = facts(claim(), claim("I2", due="2026-04-01"), claim("I3", due="2026-05-01"), payments=[moved(code="MD07")])
    review = one(judged(told), "review")
    assert review["installments"] == ["I1", "I2", "I3"]
    assert review["reasons"][-1] == "Proposed to be stopped as well: 2 still to come, due 1 April 2026, 1 May 2026."


def test_a_hold_that_was_put_on_and_is_told_of_as_done_stands():
    """Fed back under its key, with no word of a release: the dead are not written to, and a dispute stays at rest."""
    for code in ("MD07", "MD06"):
        told = facts(claim(due="2026-02-01"), payments=[moved("returned", code, at="2026-02-03T05:00:00Z")])
        printed = judged(after(told, judged(told), "2026-03-09T09:00:00+01:00"))
        assert (kinds(printed), printed["arrears"]["status"]) == ([], "On Hold")


def test_nothing_overdue_is_no_arrears():
    """A debit refused before its due date: the payer is asked, the flag only watches."""
    printed = judged(facts(claim(due="2026-03-05"), payments=[moved("rejected", "AC04", at="2026-03-01T05:00:00Z")]))
    assert (printed["arrears"]["status"], printed["arrears"]["amount"], kinds(printed)) == ("Watch", {}, ["request_method"])


def test_a_step_that_waits_for_a_retry_says_so():
    """Between the first note and the retry lies a silence of weeks, and it is explained."""
    told = facts(payments=[moved(code="AM04")], loyal=False)
    printed = judged(after(told, judged(told), "2026-03-03T09:00:00+01:00", "remind"))
    assert "It waits for what the try of 26 March 2026 brings." in one(printed, "remind")["reasons"]


def test_leading_zeros_hide_no_code():
    """01 of Autogiro is 1."""
    told = facts(claim(scheme="autogiro", currency="SEK"), payments=[moved(code="01", scheme="autogiro")], payer={"country": "SE"})
    assert "remind" in kinds(judged(told))


def test_no_sentence_promises_a_retry_that_is_not_planned():
    """Where no retry stands among the follow-ups, no reason says that there will be one."""
    for payment, more in ((moved(code="AM04"), {"runs": []}), (moved(code="51", scheme="card", advice_code="03"), {})):
        printed = judged(facts(claim(scheme=payment.get("scheme", "sepa_core")), payments=[payment], **more))
        assert "retry" in withheld(printed)
        assert "tried again" not in json.dumps(printed).replace("is not tried again", "")
