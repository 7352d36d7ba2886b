"""One more installment that is paid never makes a course harsher, from the rows of an org to the decision."""

from datetime import UTC, date, datetime, timedelta
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from connector.core.ledger import assess
from connector.core.model import Position
from connector.core.words import Kind, Tone
from connector.mapping.reasons import load_reasons
from tests.scenario.decide.builders import ROOT, judge
from tests.unit.core_judge.anything import SLOW
from tests.unit.core_ledger.build import AMSTERDAM, snap

NOW = datetime(2026, 6, 15, 9, tzinfo=UTC)
CODES = {
    "sepa_core": ["AM04", "AC04", "MS03", "MD01", "MD06", "TM01", "AM05", "MD07", "XX99", None], "card": ["51", "05", "54", "41", "65", "91", None],
    "ach": ["R01", "R03", "R10", None], "credit_transfer": [None],
}  # fmt: skip
TONES = {None: 0, Tone.WELCOMING: 0, Tone.GENTLE: 0, Tone.NEUTRAL: 1, Tone.FIRM: 2, Tone.FINAL: 3}
HARSH = frozenset({Kind.CALL, Kind.ESCALATE, Kind.PROPOSE_REFERRAL, Kind.PROPOSE_WRITE_OFF, Kind.HOLD})
days = st.dates(date(2025, 3, 1), date(2026, 6, 14))


@cache
def catalogue():
    """The reasons that ship."""
    return load_reasons(ROOT / "mappings" / "reasons")


def moment(day, hour=3):
    """An hour of a day."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


@st.composite
def claims(draw, number):
    """An installment with what happened to it."""
    scheme, due, amount, identifier = draw(st.sampled_from([*CODES])), draw(days), draw(st.integers(600, 20_000)), f"i{number}"
    claim = {
        "id": identifier, "payer": "p", "amount_minor": amount, "currency": draw(st.sampled_from(["EUR", "EUR", "GBP"])), "due_on": due, "scheme": scheme,
        "claim_kind": draw(st.sampled_from([None, None, "membership", "gift"])),
    }  # fmt: skip
    moves = []
    for place, outcome in enumerate(
        draw(st.lists(st.sampled_from(["failed", "failed", "returned", "rejected", "collected", "reversed"]), max_size=3))
    ):
        at = moment(due) + timedelta(days=draw(st.integers(0, 40)) + place)
        sign = {"collected": 1, "reversed": -1}.get(outcome, 1)
        code = draw(st.sampled_from(CODES[scheme])) if outcome != "collected" else None
        moves.append(
            {
                "id": f"{identifier}-{place}",
                "payer": "p",
                "installment": identifier,
                "amount_minor": sign * amount,
                "at": min(at, NOW),
                "outcome": outcome,
                "scheme": scheme,
                "reason_code": code,
            }
        )
    return claim, moves


def assessed(parts, contacts) -> Position:
    """What is known about a payer with these installments."""
    rows, moves = [claim for claim, _ in parts], [one for _, ones in parts for one in ones]
    people = [{"id": "p", "country": "NL", "allow_call": True}]
    return assess(snap(rows, moves, payers=people, contacts=contacts), catalogue(), NOW, AMSTERDAM)["p"]


@SLOW
@given(
    st.lists(st.integers(0, 2), max_size=3).flatmap(lambda ones: st.tuples(*(claims(number) for number, _ in enumerate(ones)))), st.data()
)
def test_one_more_paid_installment_never_makes_it_harsher(parts, data):
    """No higher level, no firmer tone, no further call, hold, escalation or proposal, and not a cent more to pay.

    The tone alone may change for who seemed new and has paid before: the welcome is for a first installment.
    """
    contacts = [
        {"payer": "p", "at": moment(day, 10), "channel": "email", "kind": "remind"} for day in data.draw(st.lists(days, max_size=3))
    ]
    due, scheme = data.draw(days), data.draw(st.sampled_from([*CODES]))
    paid = {
        "id": "paid", "payer": "p", "amount_minor": 5000, "currency": data.draw(st.sampled_from(["EUR", "GBP"])), "due_on": due, "scheme": scheme,
        "claim_kind": data.draw(st.sampled_from([None, "membership", "gift"])),
    }  # fmt: skip
    money = {
        "id": "m",
        "payer": "p",
        "installment": "paid",
        "amount_minor": 5000,
        "at": min(moment(due) + timedelta(days=data.draw(st.integers(0, 20))), NOW),
        "outcome": "collected",
        "scheme": scheme,
    }
    known = assessed(parts, contacts), assessed([*parts, (paid, [money])], contacts)
    before, after = (judge(one, NOW) for one in known)
    assert after.arrears.amount == before.arrears.amount
    assert after.arrears.level <= before.arrears.level
    assert after.arrears.since == before.arrears.since
    firmest = [max((TONES[one.tone] for one in found.follow_ups), default=0) for found in (before, after)]
    assert firmest[1] <= firmest[0] or any(one.first_ever for one in known[0].open_items)
    harsh = [{one.kind for one in found.follow_ups} & HARSH for found in (before, after)]
    assert harsh[1] <= harsh[0]
