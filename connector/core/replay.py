"""Replay: what a decision rested on, kept so that it can be made again, and how the two differ.

Must not read a store, a file or a clock. Invariant: the same basis under a policy of the same hash gives the same decision;
a basis holds ids, amounts, dates and words of closed lists or picklists, never a name and never what somebody wrote.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from connector.core.capacity import Desk, carry_over
from connector.core.decide import decide
from connector.core.facts import render
from connector.core.model import Case, Decision, OpenItem, Position
from connector.core.policy import CaseRules, Policy
from connector.core.records import changed
from connector.core.timing import creditor_zone
from connector.core.words import Withholding

Rendered = Mapping[str, object]
"""A decision as ``render`` gives it."""


@dataclass(frozen=True, slots=True)
class Basis:
    """All that one decision rested on, besides the policy's content, of which it holds the hash."""

    now: datetime
    position: Position
    policy_hash: str
    carried_over: tuple[str, ...] = ()
    """Keys of calls that the team could not make that day: capacity sees the whole batch, a position only one payer."""


def basis_of(decision: Decision, position: Position, policy: Policy, now: datetime) -> Basis:
    """Give what ``decision`` rested on."""
    carried = tuple(sorted(one.key for one in decision.withheld if one.reasons == (Withholding.CAPACITY,)))
    return Basis(now, unnamed(position, policy.cases), policy.content_hash, carried)


def unnamed(position: Position, rules: CaseRules) -> Position:
    """Give ``position`` without what people wrote and without account and card references: no decision reads more than is left.

    Of a case's subject stay the words that ``rules`` look for; of references, only which are the same; of the coming collection
    runs, those of the schemes that something is open on.
    """
    names: dict[str, str] = {}
    schemes = {None, *(item.scheme for item in position.open_items)}
    return changed(
        position,
        cases=tuple(changed(case, subject=_words_in(case, rules)) for case in position.cases),
        open_items=tuple(_bare(item, names) for item in position.open_items),
        runs=position.runs and tuple(run for run in position.runs if run.scheme in schemes),
    )


def _words_in(case: Case, rules: CaseRules) -> str | None:
    text = (case.subject or "").casefold()
    return ", ".join(sorted({word for word in (*rules.contact, *rules.retries) if word in text})) or None


def _bare(item: OpenItem, names: dict[str, str]) -> OpenItem:
    """Give ``item`` with each reference replaced by its number among those of the payer."""
    if item.credential is None and item.mandate is None:
        return item
    credential, mandate = (one and names.setdefault(one, str(len(names) + 1)) for one in (item.credential, item.mandate))
    return changed(item, credential=credential, mandate=mandate)


def decide_again(basis: Basis, policy: Policy) -> Rendered:
    """Decide once more on ``basis``, under ``policy``, with the calls carried over that were."""
    again = decide(basis.position, policy, basis.now)
    desk = Desk({}, frozenset(), basis.now, creditor_zone(basis.position.time_zone), policy.country)
    return render(carry_over(again, frozenset(basis.carried_over), desk))


def differences(before: Rendered, after: Rendered) -> list[str]:
    """Say in short lines what is otherwise in ``after``; nothing where the two are the same but for the policy's version."""
    found = _changed("", _part(before, "arrears"), _part(after, "arrears"))
    old, new = _by_key(before), _by_key(after)
    found += [f"no longer {_said(one)}" for key, one in old.items() if key not in new]
    found += [f"now {_said(one)}" for key, one in new.items() if key not in old]
    for key in (key for key in old if key in new):
        found += _changed(f"{old[key]['kind']}: ", old[key], new[key])
    was, is_now = _withheld(before), _withheld(after)
    found += [f"no longer withheld: {one}" for one in was if one not in is_now]
    found += [f"now withheld: {one}" for one in is_now if one not in was]
    return found


def _part(one: Rendered, name: str) -> Rendered:
    part = one[name]
    return part if isinstance(part, Mapping) else {}


def _parts(one: Rendered, name: str) -> Iterable[Rendered]:
    parts = one[name]
    return [part for part in parts if isinstance(part, Mapping)] if isinstance(parts, list) else []


def _by_key(one: Rendered) -> dict[object, Rendered]:
    return {part["key"]: part for part in _parts(one, "follow_ups")}


def _changed(where: str, before: Rendered, after: Rendered) -> list[str]:
    names = dict.fromkeys([*before, *after])
    return [
        f"{where}{name} {_shown(before.get(name))} -> {_shown(after.get(name))}" for name in names if before.get(name) != after.get(name)
    ]


def _said(one: Rendered) -> str:
    return " ".join(str(one[name]) for name in ("kind", "tone", "channel", "at") if one[name] is not None)


def _withheld(one: Rendered) -> list[str]:
    return [f"{part['kind']} ({_shown(part['reasons'])}) until {part['until'] or 'over'}" for part in _parts(one, "withheld")]


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{amount} {currency}" for currency, amount in value.items()) or "nothing"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "nothing"
    return "nothing" if value is None else str(value)
