"""What a credit manager, a complaints lawyer and a collections engineer found together: situations told as FACTS.json is."""

import json
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from connector.core.calendars import is_holiday
from connector.core.facts import render
from connector.core.replay import basis_of, decide_again
from connector.core.timing import payer_zones
from connector.core.what_if import suppose
from connector.core.words import ClaimKind
from connector.core.zones import NARROW, WIDE
from connector.errors import ConfigError
from tests.scenario.decide.builders import NOW, at, default_policy, failure, item, judge, payer, position
from tests.scenario.decide.test_second_look import claim, facts, judged, kinds, moved, one, withheld

OLD = claim(due="2026-01-05")
OLD_FAILED = moved(code="AM04", at="2026-01-07T05:00:00Z")


def card(name="I1", due="2026-03-01", **more):
    """An installment paid by card."""
    return claim(name, due=due, scheme="card", **more)


def declined(at="2026-03-01T05:00:00Z", code="51", on="I1", **more):
    """A card that had no money on it."""
    return moved(code=code, at=at, on=on, scheme="card", **more)


def four_failures(code, scheme="card", **more):
    """The fourth installment in a year that failed; the three before were paid late."""
    earlier = [f"2025-{month:02}-01" for month in (9, 10, 11)]
    return facts(
        claim(due="2026-02-27", scheme=scheme), *(card(f"E{day}", due=day) for day in earlier),
        payments=[
            moved(code=code, at="2026-02-27T05:00:00Z", scheme=scheme),
            *(declined(f"{day}T05:00:00Z", on=f"E{day}") for day in earlier),
            *(moved("collected", at=f"{day[:8]}12T05:00:00Z", on=f"E{day}") for day in earlier),
        ],
        **more,
    )  # fmt: skip


# Debt respite


def respite(cause="breathing_space", **more):
    """A payer in Britain under a debt respite hold."""
    return {"country": "GB", "time_zone": "Europe/London", "holds": [{"cause": cause, "id": "H1", **more}]}


@pytest.mark.parametrize(
    ("country", "begun", "asked"),
    [
        ("GB-ENG", "2026-01-01", False), ("GB-ENG", "2025-12-31", True), ("GB-SCT", "2025-12-31", False), ("GB-SCT", "2025-08-30", False),
        ("GB-SCT", "2025-08-29", True), ("NL", "2025-12-31", False),
    ],
)  # fmt: skip
def test_a_breathing_space_without_an_end_is_asked_about_when_the_law_gives_it_no_longer(country, begun, asked):
    """Sixty days in England, six months in Scotland: then a specialist is asked; until somebody answers it stands."""
    told = facts(
        claim(due="2025-08-05"),
        payments=[moved(code="AM04", at="2025-08-07T05:00:00Z")],
        payer=respite(**{"from": begun}) | {"country": country},
    )
    printed = judged(told)
    assert ("review" in kinds(printed), printed["arrears"]["status"]) == (asked, "On Hold")
    assert withheld(printed)["remind"] == ["hold:breathing_space"]
    if asked:
        assert one(printed, "review")["assignee"] == "specialist"


@pytest.mark.parametrize(("until", "asked"), [("2026-01-31", False), ("2026-01-30", True), (None, False)])
def test_a_crisis_lasts_thirty_days_beyond_the_treatment_and_ends_only_by_a_persons_word(until, asked):
    """The date given is the end of the treatment; thirty days later a specialist is asked, and nothing ends by itself."""
    printed = judged(facts(OLD, payments=[OLD_FAILED], payer=respite("crisis", until=until)))
    assert ("review" in kinds(printed), printed["arrears"]["status"]) == (asked, "On Hold")
    assert withheld(printed) == {"remind": ["hold:crisis"], "retry": ["hold:crisis"]}
    assert "crisis" not in json.dumps([one["subject"] for one in printed["follow_ups"]])


def test_what_falls_due_during_a_breathing_space_goes_on():
    """It is about the debts there were when it began; the current installment is collected and asked for as ever."""
    told = facts(
        OLD, card("I2", due="2026-02-25"), payments=[OLD_FAILED, declined("2026-02-27T05:00:00Z", on="I2")],
        payer=respite(until="2026-03-20", **{"from": "2026-01-20"}),
    )  # fmt: skip
    printed = judged(told)
    assert {tuple(one["installments"]) for one in printed["follow_ups"]} == {("I2",)}
    assert withheld(printed) == {"remind": ["hold:breathing_space"], "retry": ["hold:breathing_space"]}


# Stops


def test_where_fraud_is_suspected_nothing_else_is_asked_for_either():
    """A specialist reads "do not contact" while another installment is reminded of? Everything rests until they have looked."""
    told = facts(
        card(due="2026-01-20"),
        card("I2", due="2026-02-20"),
        payments=[declined("2026-01-22T05:00:00Z"), declined("2026-02-22T05:00:00Z", "59", on="I2")],
    )
    printed = judged(told)
    assert (kinds(printed), printed["arrears"]["status"]) == (["hold", "review"], "On Hold")
    assert withheld(printed) == {"remind": ["hold:fraud"], "retry": ["hold:fraud"]}


def test_a_second_legal_stop_is_looked_at_again():
    """The specialist looked at one a year ago and released it: a new one is a new Task."""
    first = judged(
        facts(
            claim("L", due="2025-01-05"), payments=[moved(code="MD07", on="L", at="2025-01-07T05:00:00Z")], now="2025-01-08T09:00:00+01:00"
        )
    )
    assert one(first, "review")["key"] == "review-P1-deceased"
    held = judge(position(item(failures=(failure("legal", at("2026-03-01 08:00")),))))
    again = judge(position(item(failures=(failure("legal", at("2027-03-01 08:00")),), due="2027-03-01")), at("2027-03-02 09:00"))
    keys = [{found.key for found in decision.follow_ups if found.kind == "review"} for decision in (held, again)]
    assert keys[0].isdisjoint(keys[1])


def test_where_all_stops_the_specialist_alone_is_told():
    """A death is discreet: the owner of an open complaint hears of it from the specialist, not from a Task."""
    case = {"id": "500C1", "is_closed": False, "type": "Complaint", "owner": "005U1"}
    assert kinds(judged(facts(claim(due="2026-02-20"), payments=[moved(code="MD07", at="2026-02-22T05:00:00Z")], cases=[case]))) == [
        "hold",
        "review",
    ]


@pytest.mark.parametrize(
    "supposed", ["pay_day=0", "pay_day=32", "failures_12m=-3", "country=Narnia", "time_zone=Mars/Base", "tenure_days=1.5"]
)
def test_what_cannot_be_is_not_supposed(supposed):
    """A day no month has, a country nobody knows: an error that says so, never an answer about nothing."""
    with pytest.raises(ConfigError, match=supposed.partition("=")[0]):
        suppose(position(item()), [supposed], NOW)
    assert suppose(position(item()), ["country=gb-SCT", "time_zone=none", "pay_day=none", "country=none"], NOW).payer.country is None


def test_money_from_an_estate_is_not_thanked_for():
    """The bank reported a death, then somebody paid: the flag is cleared and nobody writes to the dead, whoever was written to before."""
    told = facts(
        claim(due="2026-02-20"), payments=[moved(code="MD07", at="2026-02-22T05:00:00Z"), moved("collected", at="2026-03-01T10:00:00Z")]
    )
    assert kinds(judged(told)) == ["clear"]
    told["contacts"] = [{"at": "2026-02-25T09:00:00Z", "channel": "email", "kind": "newsletter"}]
    assert kinds(judged(told)) == ["clear"]
    transfer = {"amount": "40.00", "currency": "EUR", "at": "2026-03-01T10:00:00Z", "outcome": "collected"}
    assert kinds(judged(facts(claim(due="2026-02-20"), payments=[moved(code="MD07", at="2026-02-22T05:00:00Z"), transfer]))) == ["clear"]


def test_a_gift_that_failed_for_an_unknown_reason_is_looked_at_first():
    """The reason may be a death: a person looks before anybody is invited to give again."""
    assert kinds(judged(facts(claim(claim_kind="gift"), payments=[moved(code="ZZ99")]))) == ["review"]


def test_a_question_that_is_a_complaint_withholds():
    """People file complaints under whatever type the form offers."""
    case = {"id": "500C1", "is_closed": False, "type": "Question", "subject": "Complaint: charged twice", "owner": "005U1"}
    printed = judged(facts(OLD, payments=[OLD_FAILED], cases=[case]))
    assert withheld(printed) == {"remind": ["open_case"], "retry": ["open_case"]}
    printed = judged(facts(OLD, payments=[OLD_FAILED], cases=[case | {"subject": "Moving house"}]))
    assert "remind" in kinds(printed)


# Nothing contradictory


@pytest.mark.parametrize(("code", "planned"), [("AC04", False), ("MD01", False), ("MS02", False), ("AM04", True)])
def test_an_account_that_was_closed_since_is_not_debited_for_the_older_installment(code, planned):
    """January failed for lack of money, February because the account is closed: January is not announced on that account."""
    told = facts(
        claim(due="2026-01-20"),
        claim("I2", due="2026-02-20"),
        payments=[moved(code="AM04", at="2026-02-10T05:00:00Z"), moved(code=code, on="I2", at="2026-02-25T05:00:00Z")],
    )
    assert any("I1" in one["installments"] for one in judged(told)["follow_ups"] if one["kind"] == "retry") is planned


def test_another_card_may_still_be_tried():
    """The expired card was another one; and a card that replaced the expired one is tried."""
    told = facts(
        card(due="2026-01-20", credential="new"),
        card("I2", due="2026-02-20", credential="old"),
        payments=[declined("2026-02-10T05:00:00Z"), declined("2026-02-25T05:00:00Z", "54", on="I2")],
    )
    assert [one["installments"] for one in judged(told)["follow_ups"] if one["kind"] == "retry"] == [["I1"]]
    told["installments"] = [one | {"credential": "same"} if one["id"] in ("I1", "I2") else one for one in told["installments"]]
    assert "retry" not in kinds(judged(told))


def test_a_try_never_falls_on_the_day_of_the_note_about_it():
    """Who reads a note in the morning and pays at once must not be charged a minute later."""
    for now in ("2026-03-27T21:30:00+01:00", "2026-03-28T21:30:00+01:00", "2026-04-27T09:00:00+02:00"):
        printed = judged(facts(card(due="2026-03-25"), payments=[declined("2026-03-26T05:00:00Z")], now=now))
        assert one(printed, "remind")["at"][:10] < one(printed, "retry")["at"][:10]
    habit = [
        moved("collected", at=f"2026-02-{day}T18:00:00Z", on=f"S{day}", amount="10.00", payer_initiated=True, scheme="wallet")
        for day in (13, 20, 27)
    ]
    bought = [claim(f"S{day}", "10.00", due=f"2026-02-{day}", scheme="wallet") for day in (13, 20, 27)]
    printed = judged(facts(card(), *bought, payments=[declined(code="05"), *habit]))
    assert one(printed, "remind")["at"][:10] == "2026-03-06"
    assert one(printed, "retry")["at"][:10] == "2026-03-09"


def test_who_can_neither_be_written_to_nor_called_is_one_question():
    """Not one Task about letters and one about calls; the urgent one of the two."""
    told = four_failures("51", payer={"contact_allowed": {"email": False}})
    printed = judged(told)
    assert (kinds(printed), one(printed, "review")["priority"]) == (["retry", "review"], "High")
    assert {"remind", "call", "offer_plan"} == set(withheld(printed))


def test_the_first_note_after_a_part_was_paid_thanks_for_it():
    """15.00 of 40.00 have come: nobody writes that nothing did."""
    told = facts(
        card(due="2026-02-20"), payments=[declined("2026-02-22T05:00:00Z"), moved("collected", at="2026-02-28T10:00:00Z", amount="15.00")]
    )
    remind = one(judged(told), "remind")
    assert (remind["template"], remind["tone"], remind["subject"]) == (
        "partial_payment",
        "gentle",
        "Thank for a part, and say that 25.00 EUR remains",
    )


def test_nobody_asks_for_the_rest_of_a_gift():
    """15.00 of a gift of 40.00 were given: nothing remains open of a gift, before an invitation or after."""
    told = facts(
        claim(due="2026-02-01", claim_kind="gift"),
        payments=[moved(code="AM04", at="2026-02-02T05:00:00Z"), moved("collected", at="2026-02-20T10:00:00Z", amount="15.00")],
    )
    assert kinds(judged(told)) == []
    told["contacts"] = [{"at": "2026-02-03T09:00:00Z", "channel": "email", "kind": "remind", "key": "remind-I1-20260201-L1"}]
    assert kinds(judged(told)) == []


# The whole customer


@pytest.mark.parametrize(
    ("code", "scheme", "asks"),
    [
        ("51", "card", "remind"),
        ("AC04", "sepa_core", "request_method"),
        ("MD01", "sepa_core", "request_method"),
        ("authentication_required", "card", "request_method"),
        ("MS02", "sepa_core", "request_method"),
    ],
)
def test_four_failures_in_a_year_are_firm_whatever_the_last_reason_was(code, scheme, asks):
    """A firm word, a High call, and for a person a plan on offer; for a company no plan by itself."""
    printed = judged(four_failures(code, scheme))
    assert (one(printed, asks)["tone"], one(printed, "call")["priority"]) == ("firm", "High")
    assert one(printed, "offer_plan")["template"] == "offer_plan"
    assert "offer_plan" not in kinds(judged(four_failures(code, scheme, payer={"kind": "company"})))


def test_the_flag_speaks_of_the_debt_and_not_of_the_gift():
    """Both failed; the sentence everybody reads is about what is owed."""
    decision = judge(position(item(id="a0X1"), item(id="a0X0", claim_kind=ClaimKind.GIFT, amount=900)))
    assert (decision.why.startswith("40.00 EUR"), "gift" in decision.why) == (True, False)


def test_a_replayed_decision_still_knows_which_cards_are_the_same():
    """References are not kept, but which are the same is: another card is tried in the replay as it was."""
    facts_of = [
        position(
            item(scheme="card", id="a0X1", credential="tok_new"),
            item("method_invalid", scheme="card", id="a0X2", credential=other, due="2026-03-01"),
        )
        for other in ("tok_old", "tok_new")
    ]
    for told, tried in zip(facts_of, (True, False), strict=True):
        made = judge(told)
        basis = basis_of(made, told, default_policy(), NOW)
        assert ("retry" in [one.kind for one in made.follow_ups], "tok" in repr(basis)) == (tried, False)
        assert decide_again(basis, default_policy()) == render(made)


def test_a_membership_too_is_not_tried_a_third_time_before_the_member_was_reached():
    """Twice for lack of money: tries pause until somebody has spoken with the member."""
    told = facts(
        card(due="2026-02-10", claim_kind="membership"),
        payments=[declined("2026-02-11T05:00:00Z"), declined("2026-02-26T05:00:00Z")],
        loyal=False,
    )
    assert kinds(judged(told)) == ["remind"]
    spoken = {"at": "2026-02-27T15:00:00Z", "channel": "call", "kind": "call", "conversation": True}
    assert "retry" in kinds(judged(told | {"contacts": [spoken]}))


def test_a_new_member_is_welcomed_and_in_the_end_asked_whether_they_wish_to_stay():
    """The first fee of all that fails: welcoming words, and no escalation."""
    told = {"now": "2026-03-02T09:00:00+01:00", "payer": {"id": "P1", "country": "NL", "customer_since": "2026-02-20"}}
    told |= {"installments": [card(claim_kind="membership")], "payments": [declined()]}
    printed = judged(told)
    assert (one(printed, "remind")["tone"], one(printed, "remind")["template"]) == ("welcoming", "reminder_welcome")
    assert one(printed, "remind")["rule"].startswith("membership")


def test_a_technical_fault_that_nobody_repaired_is_not_forgotten():
    """Never tried again in four months: an admin looks, and the payer is kindly told how to pay; nothing lies in silence for ever."""
    told = facts(card(due="2025-10-01"), payments=[declined("2025-10-01T05:00:00Z", code="96")])
    assert kinds(judged(told)) == ["remind", "review"]
    assert kinds(judged(told | {"now": "2025-10-02T09:00:00+02:00"})) == ["retry"]


# Where and when


def test_every_country_has_its_own_clock():
    """Ten in the morning in Amsterdam is not yet day in Buenos Aires: where only the country is known, its clock counts."""
    for country, zone in (
        ("AR", "America/Argentina/Buenos_Aires"),
        ("IN", "Asia/Kolkata"),
        ("KE", "Africa/Nairobi"),
        ("TR", "Europe/Istanbul"),
        ("TH", "Asia/Bangkok"),
    ):
        printed = judged(facts(card(), payments=[declined()], payer={"country": country, "time_zone": None}))
        hour = datetime.fromisoformat(one(printed, "remind")["at"]).astimezone(ZoneInfo(zone)).hour
        assert hour == 10, country


def test_a_wide_country_is_lawful_at_its_ends():
    """An American whose zone nobody knows may live in Hawaii, a Russian in Kamchatka, a Spaniard on the Canaries."""
    for country, ends in WIDE.items():
        printed = judged(facts(card(), payments=[declined()], payer={"country": country, "time_zone": None}))
        if "remind" in kinds(printed):
            there = [datetime.fromisoformat(one(printed, "remind")["at"]).astimezone(ZoneInfo(zone)) for zone in ends]
            assert all(8 <= when.hour < 21 for when in there), country
    assert payer_zones(payer(country="US", time_zone=None), "UTC")[0] == ZoneInfo("America/New_York")
    assert not WIDE.keys() & NARROW.keys()


def test_a_habit_is_told_by_the_payers_own_clock():
    """Nine in the evening in Tokyo is one in the afternoon in Amsterdam; the note comes in the evening in Tokyo."""
    times = ["2026-02-03T12:00:00Z", "2026-02-11T12:05:00Z", "2026-02-20T12:10:00Z"]
    bought = [claim(f"S{n}", "10.00", due=when[:10], scheme="wallet") for n, when in enumerate(times)]
    paid = [moved("collected", at=when, on=f"S{n}", amount="10.00", payer_initiated=True, scheme="wallet") for n, when in enumerate(times)]
    printed = judged(facts(card(), *bought, payments=[declined(), *paid], payer={"country": "JP", "time_zone": None}))
    assert one(printed, "remind")["at"][11:] == "20:30:00+09:00"


def test_a_habit_of_sundays_does_not_delay_a_note_by_a_week():
    """Nobody is written to on a Sunday, so whoever pays on Sundays is written to on any day, at their hour."""
    days = ("08", "15", "22")
    bought = [claim(f"S{day}", "10.00", due=f"2026-02-{day}", scheme="wallet") for day in days]
    paid = [
        moved("collected", at=f"2026-02-{day}T11:00:00Z", on=f"S{day}", amount="10.00", payer_initiated=True, scheme="wallet")
        for day in days
    ]
    assert one(judged(facts(card(), *bought, payments=[declined(), *paid])), "remind")["at"] == "2026-03-02T11:30:00+01:00"


@pytest.mark.parametrize(
    ("place", "day", "rests"),
    [
        ("DE-BY", "2026-01-06", True), ("DE-Bayern", "2026-01-06", True), ("DE-by", "2026-01-06", True), ("DE-Berlin", "2026-01-06", False),
        ("GB-Scotland", "2027-01-04", True), ("GB-England", "2027-01-04", False), ("US-Massachusetts", "2026-04-20", True), ("US-Nowhere", "2026-07-03", True),
    ],
)  # fmt: skip
def test_a_part_of_a_country_may_be_written_as_people_do(place, day, rests):
    """By code or by name, the part's own holidays count; a part nobody knows has the country's."""
    assert is_holiday(place, date.fromisoformat(day)) is rests


# Explained


def test_the_code_that_was_reported_is_named():
    """Whoever reads the follow-up sees what the bank said, in the catalogue's words; of a sensitive cause nothing is added."""
    reasons = one(judged(facts(payments=[moved(code="MS03")], payer={"country": "DE"})), "remind")["reasons"]
    assert any(sentence.startswith("Reported as MS03: the bank gives no reason") for sentence in reasons)
    assert "Reported" not in json.dumps(judged(facts(payments=[moved(code="MD07")])))
    assert "No reason was reported." in one(judged(facts(payments=[moved()])), "review")["reasons"]


@pytest.mark.parametrize(
    ("payment", "subject"),
    [
        (declined(code="authentication_required"), "Ask the payer to confirm the payment of 40.00 EUR"),
        (moved(code="MD01"), "Ask for a new mandate for 40.00 EUR"), (moved(code="AC04"), "Ask for another way to pay 40.00 EUR"),
        (moved(code="AM04"), "Remind of 40.00 EUR"),
    ],
)  # fmt: skip
def test_a_subject_says_what_is_to_be_done(payment, subject):
    """A colleague who reads nothing else knows what the message asks for."""
    printed = judged(facts(claim(scheme=payment.get("scheme", "sepa_core")), payments=[payment]))
    assert subject in [one["subject"] for one in printed["follow_ups"]]


def test_a_cleared_flag_says_by_what():
    """Paid, covered by a credit, or no longer asked for: three different things."""
    failed = moved(code="AM04", at="2026-02-22T05:00:00Z")
    paid = judged(facts(claim(due="2026-02-20"), payments=[failed, moved("collected", at="2026-03-01T10:00:00Z")]))
    credited = judged(facts(claim(due="2026-02-20"), claim("N", "-40.00", due="2026-02-27"), payments=[failed]))
    written_off = judged(facts(claim(due="2026-02-20", status="Cancelled"), payments=[failed]))
    said = [one(printed, "clear")["reasons"][0] for printed in (paid, credited, written_off)]
    assert said == [
        f"40.00 EUR that had failed {how}; nothing is overdue." for how in ("is paid", "is covered by a credit", "is no longer asked for")
    ]


def test_a_sentence_is_not_said_twice():
    """What happened and what follows from it are two sentences, not one told twice."""
    for code, scheme in (("05", "card"), ("51", "card"), ("AC04", "sepa_core"), ("MS03", "sepa_core")):
        printed = judged(facts(claim(scheme=scheme), payments=[moved(code=code, scheme=scheme)]))
        for found in printed["follow_ups"]:
            said = " ".join(found["reasons"])
            assert said.count("Refused without a reason") + said.count("It is not tried again") <= 1
            assert len(set(found["reasons"])) == len(found["reasons"])
