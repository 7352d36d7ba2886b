"""Some hundred situations, every reason crossed with every circumstance: whatever is decided, nothing in it contradicts anything else."""

from collections import Counter
from datetime import datetime
from functools import cache
from itertools import pairwise, product

import pytest

from connector.core.decide import decide
from connector.core.facts import parse, render
from connector.core.facts_batch import positions
from connector.core.words import CONTACT_KINDS, Kind
from tests.scenario.decide.builders import default_policy
from tests.scenario.decide.test_second_look import catalogue, claim, facts, moved

REASONS = (
    ("AM04", "sepa_core", "EUR"), ("MS03", "sepa_core", "EUR"), ("AC04", "sepa_core", "EUR"), ("MD01", "sepa_core", "EUR"), ("MS02", "sepa_core", "EUR"),
    ("MD06", "sepa_core", "EUR"), ("MD07", "sepa_core", "EUR"), ("ED05", "sepa_core", "EUR"), ("AM05", "sepa_core", "EUR"), ("ZZ99", "sepa_core", "EUR"),
    ("0", "bacs", "GBP"), ("R01", "ach", "USD"), ("51", "card", "EUR"), ("05", "card", "JPY"), ("54", "card", "KWD"), ("59", "card", "EUR"),
    ("authentication_required", "card", "EUR"), (None, "card", "EUR"), (None, None, "EUR"),
)  # fmt: skip
CASE = {"id": "500C1", "is_closed": False, "type": "Complaint", "owner": "005U1", "opened_at": "2026-02-20T10:00:00Z"}
WHERE_ELSE = {"country": "US", "time_zone": None}
CIRCUMSTANCES = {
    "as it is": {}, "a new customer": {"loyal": False}, "an open complaint": {"cases": [CASE]}, "an old complaint": {"cases": [CASE | {"opened_at": "2025-09-01T10:00:00Z"}]},
    "another case": {"cases": [CASE | {"type": "Moving house"}]}, "a promise": {"promises": [{"on": "2026-03-09"}]}, "a broken promise": {"promises": [{"on": "2026-03-02"}]},
    "a plan kept": {"plan": {"id": "P1", "state": "kept"}}, "a plan missed": {"plan": {"id": "P1", "state": "missed"}}, "vulnerable": {"payer": {"vulnerable": True}},
    "a dispute": {"payer": {"hold": {"cause": "dispute"}}}, "breathing space": {"payer": {"hold": {"cause": "breathing_space", "until": "2026-04-20"}}},
    "nobody may write": {"payer": {"contact_allowed": {"email": False}}}, "an attorney": {"payer": {"representative": {"id": "R1", "role": "attorney"}}},
    "a company": {"payer": {"kind": "company"}}, "America": {"payer": WHERE_ELSE}, "nowhere known": {"payer": {"country": None, "time_zone": None}},
    "on a Saturday night": {"now": "2026-03-07T22:30:00+01:00"}, "before the clocks change": {"now": "2026-03-28T23:30:00+01:00"}, "on a leap day": {"now": "2028-02-29T09:00:00+01:00"},
    "no runs": {"runs": []}, "runs on the last": {"runs": [{"on": "2026-03-31"}, {"on": "2026-04-30"}]}, "many returns": {"return_ratio": {"overall": 0.2}},
    "three mails this week": {"contacts": [{"at": f"2026-03-0{day}T09:00:00Z", "channel": "email", "kind": "newsletter"} for day in (1, 2, 3)]},
}  # fmt: skip
KINDS_OF_CLAIM = ("debt", "membership", "gift")


def situation(reason, circumstance, claim_kind):
    """Two installments of a payer: one that failed for the reason a week ago, and one that is paid every month by the same means."""
    code, scheme, currency = reason
    amount = {"JPY": "4000", "KWD": "40.500"}.get(currency, "40.00")
    told = facts(
        claim(due="2026-02-25", scheme=scheme, currency=currency, amount=amount, claim_kind=claim_kind),
        claim("I2", due="2026-02-26", scheme=scheme, currency=currency, amount=amount),
        payments=[moved(code=code, at=f"2026-02-2{day}T05:00:00Z", on=on, amount=amount, scheme=scheme) for day, on in ((6, "I1"), (7, "I2"))],
        **{"now": "2026-03-04T09:00:00+01:00"} | circumstance,
    )  # fmt: skip
    return {**told, "payments": [one if one["installment"] in ("I1", "I2") else one | {"amount": amount} for one in told["payments"]],
            "installments": [one if one["id"] in ("I1", "I2") else one | {"amount": amount} for one in told["installments"]]}  # fmt: skip


@cache
def decided():
    """Every situation, decided."""
    named = {
        f"{reason[0]} {reason[1]}, {name}, {claim_kind}": situation(reason, circumstance, claim_kind)
        for reason, (name, circumstance), claim_kind in product(REASONS, CIRCUMSTANCES.items(), KINDS_OF_CLAIM)
    }
    elements = [parse(one, "Europe/Amsterdam") for one in named.values()]
    found = zip(named, elements, positions(elements, catalogue()), strict=True)
    return {name: render(decide(position, default_policy(), element.now)) for name, element, position in found}


def broken(rule):
    """Names of the situations whose decision does not keep ``rule``."""
    return [name for name, printed in decided().items() if not rule(printed)]


def contacts(printed):
    """What is written to the payer, in order of time."""
    kinds = {str(kind) for kind in CONTACT_KINDS}
    return sorted((one for one in printed["follow_ups"] if one["kind"] in kinds), key=lambda one: datetime.fromisoformat(one["at"]))


def test_there_are_enough_of_them():
    """More than a thousand situations, and every kind of follow-up but those at the end of a ladder stands somewhere among them."""
    assert len(decided()) > 1000
    seen = {one["kind"] for printed in decided().values() for one in printed["follow_ups"]}
    late = {Kind.ESCALATE, Kind.PROPOSE_REFERRAL, Kind.PROPOSE_WRITE_OFF, Kind.CLEAR, Kind.CONFIRM, Kind.ALERT_TEAM}
    assert seen >= {str(kind) for kind in Kind} - late - {Kind.APOLOGISE, Kind.OFFER_PLAN}


def test_nothing_is_done_and_withheld_at_once():
    """A retry that is planned is not withheld for the same installment, and a key stands once."""
    assert not broken(lambda printed: max(Counter(one["key"] for one in printed["follow_ups"]).values(), default=1) == 1)
    assert not broken(
        lambda printed: {"retry", "remind"}.isdisjoint({one["kind"] for one in printed["follow_ups"]} & _all_withheld(printed))
    )


def _all_withheld(printed):
    """Kinds withheld in a decision that puts a stop on the whole payer."""
    stops = any(one["kind"] == "hold" and one["rule"] in ("deceased", "legal", "suspected fraud") for one in printed["follow_ups"])
    return {one["kind"] for one in printed["withheld"]} if stops else set()


def test_who_is_asked_for_another_way_is_not_debited_the_old_one():
    """No installment is asked for by another account or mandate and tried again on the one that failed."""

    def holds(printed):
        asked = {name for one in printed["follow_ups"] if one["kind"] == "request_method" for name in one["installments"]}
        return asked.isdisjoint(name for one in printed["follow_ups"] if one["kind"] == "retry" for name in one["installments"])

    assert not broken(holds)


def test_a_try_comes_on_a_day_after_the_word_about_it():
    """The first word about an installment comes on an earlier day than the next try."""

    def holds(printed):
        tries = {name: one["at"][:10] for one in printed["follow_ups"] if one["kind"] == "retry" for name in one["installments"]}
        first = [
            (one["at"][:10], name)
            for one in contacts(printed)
            if one["kind"] == "notify" or one["key"].endswith("-L1")
            for name in one["installments"]
        ]
        return all(day < tries[name] for day, name in first if name in tries)

    assert not broken(holds)


def test_a_payer_hears_from_us_once_a_day():
    """Between two messages lies a night."""
    assert not broken(lambda printed: all(one["at"][:10] < other["at"][:10] for one, other in pairwise(contacts(printed))))


def test_every_message_falls_in_a_lawful_hour_of_its_own_day():
    """Eight to nine in the evening, never on a Sunday."""

    def holds(printed):
        times = [datetime.fromisoformat(one["at"]) for one in contacts(printed)]
        return all(8 <= at.hour < 21 and at.weekday() < 6 for at in times)

    assert not broken(holds)


def test_sentences_are_whole_and_true():
    """Sentences end, none is said twice, "not tried again" never stands where it is, and what is withheld names why."""

    def holds(printed):
        tried = {name for one in printed["follow_ups"] if one["kind"] == "retry" for name in one["installments"]}
        for one in printed["follow_ups"]:
            said = one["reasons"]
            if len(set(said)) < len(said) or not all(sentence.endswith((".", "?")) for sentence in said) or "None" in " ".join(said):
                return False
            if "not tried again" in " ".join(said) and tried & set(one["installments"]):
                return False
        return all(one["reasons"] for one in printed["withheld"])

    assert not broken(holds)


def test_where_all_stops_nothing_is_written():
    """A death, special care: nobody is written to or called, and there is one Task for the specialist."""
    stopped = {name: printed for name, printed in decided().items() if name.startswith("MD07 ")}
    assert len(stopped) > 50
    for name, printed in stopped.items():
        assert contacts(printed) == [], name
        assert not {"call", "retry"} & {one["kind"] for one in printed["follow_ups"]}, name
        assert [one["assignee"] for one in printed["follow_ups"] if one["kind"] == "review"].count("credit_manager") == 0, name
        assert printed["arrears"]["status"] == "On Hold", name


def test_gifts_are_never_firm_and_never_owed():
    """Of a gift nobody is called, nobody escalates, and nothing of it is in the arrears."""
    for name, printed in decided().items():
        if not name.endswith(", gift"):
            continue
        about = [one for one in printed["follow_ups"] if one["installments"] == ["I1"]]
        assert not {one["tone"] for one in about} & {"firm", "final"}, name
        assert not {one["kind"] for one in about} & {"call", "escalate", "offer_plan", "propose_referral"}, name


def test_silence_is_explained():
    """Where nothing is done about something open, something says why."""
    assert not broken(lambda printed: printed["follow_ups"] or printed["withheld"])


@pytest.mark.parametrize("name", ["a promise", "a plan kept", "vulnerable", "a dispute", "breathing space", "an open complaint"])
def test_what_forbids_forbids_everything_to_the_payer(name):
    """Under each of these nobody writes, calls or debits, whatever the reason was."""
    told = [(one, printed) for one, printed in decided().items() if one.split(", ")[1] == name]
    assert len(told) == len(REASONS) * len(KINDS_OF_CLAIM)
    for one, printed in told:
        assert not {"call", "retry"} & {found["kind"] for found in printed["follow_ups"]}, one
        assert contacts(printed) == [], one
