"""Dataclasses as canonical JSON and back: what the decision log is made of."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from types import MappingProxyType

import pytest
from hypothesis import given

from connector.core.model import CollectionRun, Position, Representative, Shown
from connector.core.plain import from_json, to_json
from connector.core.words import Channel, Kind, Scheme
from tests.scenario.decide.builders import default_policy, item, position
from tests.unit.core_judge.anything import SLOW, positions


@SLOW
@given(positions())
def test_a_position_comes_back_as_it_was(facts):
    """Written and read back, a position equals itself, and is written the same once more."""
    text = to_json(facts)
    back = from_json(Position, text)
    assert back == facts
    assert to_json(back) == text


def test_every_kind_of_field_comes_back():
    """What random positions do not hold: sets, mappings of records and of shares, representatives, words of closed lists."""
    shown = {"remind-a-L1": Shown("remind-a-L1", Kind.REMIND, datetime(2026, 3, 2, 9, tzinfo=UTC), surfaced=True)}
    facts = position(
        item(),
        finished=frozenset({"b", "a"}), outages=frozenset({"adyen"}), shown=MappingProxyType(shown), return_ratio={"overall": 0.031},
        represented_by=Representative("003R1", "executor", preferred_channel=Channel.EMAIL, allow_call=False),
        runs=(CollectionRun(Scheme.SEPA_CORE, date(2026, 3, 9)),),
    )  # fmt: skip
    back = from_json(Position, to_json(facts))
    assert back == facts
    assert back.represented_by is not None
    assert back.represented_by.preferred_channel is Channel.EMAIL
    assert replace(back, runs=()) == from_json(Position, to_json(replace(facts, runs=())))


def test_equal_values_are_written_alike():
    """The order of sets and mappings says nothing, so it does not show."""
    one = position(item(), finished=frozenset(f"key-{n}" for n in range(40)), overdue={"EUR": 1, "GBP": 2})
    other = position(item(), finished=frozenset(f"key-{n}" for n in reversed(range(40))), overdue={"GBP": 2, "EUR": 1})
    assert to_json(one) == to_json(other)


def test_an_instant_keeps_its_offset():
    """An instant is the same instant, in whatever zone it was told."""
    at = datetime(2026, 3, 2, 9, 0, 0, 1, tzinfo=timezone(timedelta(hours=-7)))
    back = from_json(Shown, to_json(Shown("k", Kind.CALL, at)))
    assert back.at == at
    assert back.at is not None
    assert back.at.isoformat() == at.isoformat()


def test_another_versions_text_gives_what_both_know():
    """What the text does not have is at its default, and a field that is no more is passed over."""
    assert from_json(Shown, b'{"key": "k", "kind": "call", "at": null, "colour": 1}') == Shown("k", Kind.CALL, None)
    assert to_json(Shown("k", Kind.CALL, None)) == b'{"key":"k","kind":"call","at":null,"withheld":false,"surfaced":false}'


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b'{"key": "k", "kind": "dance", "at": null}',
        b'{"key": "k", "kind": "call", "at": 7}',
    ],
)
def test_what_is_no_record_is_refused(text):
    """An error, and never half a record."""
    with pytest.raises(ValueError, match=r"."):
        from_json(Shown, text)


def test_what_has_no_plain_form_is_refused():
    """Nothing is written that could not be read back."""

    @dataclass(frozen=True)
    class Odd:
        what: object

    with pytest.raises(TypeError, match="complex has no plain form"):
        to_json(Odd(1j))


def test_a_policys_hash_stands_for_its_content():
    """Another ladder, row, number or rule is another hash; the same files give the same."""
    policy = default_policy()
    assert policy.content_hash == replace(policy).content_hash
    changed = [
        replace(policy, pay_day=25),
        replace(policy, rows=policy.rows[1:]),
        replace(policy, rows=(replace(policy.rows[0], when=()), *policy.rows[1:])),
        replace(policy, ladders={name: one for name, one in policy.ladders.items() if name != "gift"}),
        replace(policy, rules=replace(policy.rules, schemes={})),
    ]
    assert len({policy.content_hash, *(one.content_hash for one in changed)}) == 1 + len(changed)
