"""The logbook: each decision with what it rested on, as the store keeps it, and the same decided once more.

Must not write to an org. Invariant: what is kept is enough to decide again without the org, and holds no names; a payer about
whom nothing was decided leaves nothing.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from connector.core.facts import render
from connector.core.model import Decision, Position
from connector.core.plain import from_json, to_json
from connector.core.policy import Policy
from connector.core.replay import Basis, basis_of, decide_again, differences
from connector.core.words import ArrearsStatus
from connector.store import LoggedDecision, Store

FAST = 1
"""zlib's level: a basis becomes little more than a third of its size; the highest level saves another 5 % of it for half as much time again."""
WINDOW_BITS, MEMORY_LEVEL = 12, 5
"""A basis is some 2 kB: with a window for texts of any size, four fifths of the time went into clearing the window."""


class Verdict(StrEnum):
    """What came of deciding once more."""

    SAME = "same"
    DIFFERENT = "different"
    """Under the very policy it was made under: that must not be."""
    SAME_UNDER_OTHER = "same under another policy"
    DIFFERENT_UNDER_OTHER = "different under another policy"
    """The policy has changed since: what it would decide today, which is a back-test and no fault."""
    NO_BASIS = "nothing to replay"
    """Kept by a version that did not keep what a decision rests on, or not as this one knows it."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One decision of the log, made once more under ``policy`` of ``version``."""

    logged: LoggedDecision
    verdict: Verdict
    policy: str
    version: str
    differences: tuple[str, ...] = ()

    def plain(self) -> dict[str, object]:
        """It as JSON prints it."""
        return {
            "payer": self.logged.payer, "at": self.logged.at.isoformat(), "verdict": self.verdict.value,
            "made_under": {"name": self.logged.policy, "version": self.logged.policy_version},
            "replayed_under": {"name": self.policy, "version": self.version}, "differences": list(self.differences),
        }  # fmt: skip


def says_something(decision: Decision) -> bool:
    """Tell whether anything was decided: most payers owe nothing, and of them there is nothing to keep."""
    return bool(decision.follow_ups or decision.withheld) or decision.arrears.status is not ArrearsStatus.CLEAR


def logged(decision: Decision, position: Position, policy: Policy, now: datetime) -> LoggedDecision:
    """Give the copy of a decision that the store keeps, with what it rested on."""
    basis = _packed(to_json(basis_of(decision, position, policy, now)))
    return LoggedDecision(decision.payer, now, decision.policy, decision.policy_version, to_json(render(decision)).decode(), basis)


def _packed(text: bytes) -> bytes:
    packing = zlib.compressobj(FAST, zlib.DEFLATED, WINDOW_BITS, MEMORY_LEVEL)
    return packing.compress(text) + packing.flush()


def replay_all(store: Store, policies: Mapping[str, Policy], in_force: Policy, payer: str | None) -> Iterator[Replayed]:
    """Decide everything in the log again, in the order it was decided: about everybody, or one payer."""
    last = 0
    while page := store.decisions_after(last, payer):
        for one in page:
            yield replayed(one, policies, in_force)
        last = page[-1].id or last


def replayed(one: LoggedDecision, policies: Mapping[str, Policy], in_force: Policy) -> Replayed:
    """Decide ``one`` again under the policy of its name, or under the one in force where there is none of that name any more."""
    policy = policies.get(one.policy, in_force)
    basis = _basis(one)
    if basis is None:
        return Replayed(one, Verdict.NO_BASIS, policy.name, policy.version)
    found = tuple(differences(json.loads(one.body), decide_again(basis, policy)))
    if basis.policy_hash == policy.content_hash:
        verdict = Verdict.DIFFERENT if found else Verdict.SAME
    else:
        verdict = Verdict.DIFFERENT_UNDER_OTHER if found else Verdict.SAME_UNDER_OTHER
    return Replayed(one, verdict, policy.name, policy.version, found)


def _basis(one: LoggedDecision) -> Basis | None:
    if one.basis is None:
        return None
    try:
        return from_json(Basis, zlib.decompress(one.basis))
    except (ValueError, zlib.error):
        return None
