"""Somebody who acts for the payer is contacted in their place, and nobody else is told."""

import json

import pytest

from connector.core import facts, facts_batch
from connector.core.decide import decide
from connector.core.model import Habit, Representative
from connector.core.words import Channel, Kind
from connector.mapping.reasons import load_reasons
from tests.scenario.decide.builders import NOW, ROOT, default_policy, item, judge, payer, position

CALLED = position(item(), failures_12m=4)
LAWYER = Representative("003LAW", "attorney", allow_call=True)


def reached(found):
    """Contacts and calls with whom they go to."""
    return {(one.kind.value, one.to) for one in judge(found).follow_ups if one.channel is not None}


def test_every_contact_and_call_goes_to_the_representative():
    """The payer hears nothing from us while somebody acts for them."""
    found = judge(position(item(), failures_12m=4, represented_by=LAWYER))
    about = [one for one in found.follow_ups if one.channel is not None]
    assert {one.kind for one in about} >= {Kind.REMIND, Kind.CALL, Kind.NOTIFY}
    assert {one.to for one in about} == {"003LAW"}
    assert any("to their attorney, in the payer's place" in " ".join(one.reasons) for one in about)


def test_without_one_the_payer_is_contacted():
    """Nobody stands in where nobody is named."""
    assert {to for _, to in reached(CALLED)} == {None}


def test_their_own_consent_counts_and_not_the_payers():
    """A payer who allows calls does not allow them for their lawyer, nor the other way round."""
    shy = Representative("003LAW", allow_call=None)
    assert (Kind.CALL.value, "003LAW") not in reached(position(item(), failures_12m=4, represented_by=shy))
    mute = position(item(), failures_12m=4, payer=payer(allow_call=False, allow_email=False), represented_by=LAWYER)
    assert {("call", "003LAW"), ("remind", "003LAW")} <= reached(mute)


def test_their_own_time_zone_and_office_hours_count():
    """A lawyer in Lisbon is not written to at the payer's evening hour in Amsterdam."""
    evening = position(item(), habit=Habit(20 * 60, None, 9), represented_by=Representative("003LAW", time_zone="Europe/Lisbon"))
    first = next(one for one in judge(evening).follow_ups if one.kind is Kind.REMIND)
    assert first.at.strftime("%H:%M %Z") == "10:00 WET"


def test_a_preferred_letter_is_a_letter():
    """Their way of being reached is asked for, not the payer's."""
    found = position(item(), represented_by=Representative("003LAW", preferred_channel=Channel.LETTER))
    assert {one.channel for one in judge(found).follow_ups if one.kind is Kind.REMIND} == {Channel.LETTER}


@pytest.mark.parametrize("role", ["attorney", "executor", "guardian", "debt_adviser", None])
def test_a_facts_file_names_them(role):
    """FACTS.json can say who acts for the payer; the answer says to whom each contact goes."""
    element = {
        "now": NOW.isoformat(), "payer": {"id": "P", "country": "NL", "representative": {"id": "R", "role": role}},
        "installments": [{"id": "I", "amount": "40.00", "currency": "EUR", "due_on": "2026-02-01", "scheme": "credit_transfer"}],
    }  # fmt: skip
    (parsed,) = [facts.parse(json.loads(json.dumps(element)), "Europe/Amsterdam")]
    (found,) = facts_batch.positions([parsed], load_reasons(ROOT / "mappings" / "reasons"))
    shown = facts.render(decide(found, default_policy(), NOW))
    assert [one["to"] for one in shown["follow_ups"] if one["channel"]] == ["R"]
