"""Judging a batch: assess → decide, as one function of the facts and the terms, on whatever machine it runs.

Must not read the org, the store or a clock, and must not log: what a person should hear stands in what is given back. Invariant: the same
facts and terms give the same judgement; one payer that cannot be judged is named with the reason and the rest go on.
"""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from connector.core.decide import decide
from connector.core.frames import Snapshot
from connector.core.ledger import assess
from connector.core.model import Decision, Position
from connector.core.policy import Policy
from connector.core.reasons import Catalogue
from connector.core.what_if import suppose
from connector.errors import DunwellError


@dataclass(frozen=True, slots=True)
class Terms:
    """What everyone of a pass is judged by."""

    policy: Policy
    catalogue: Catalogue
    time_zone: str
    """The creditor's (IANA)."""
    supposed: Sequence[str] = ()
    """``key=value`` of ``--what-if``."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found and decided about the payers of a snapshot, in its order."""

    positions: dict[str, Position] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    parked: dict[str, str] = field(default_factory=dict)
    """Payer → why they could not be judged."""
    halved: list[tuple[int, str]] = field(default_factory=list)
    """Payers of each batch that was split because it raised, and the class of the error."""

    @property
    def missing(self) -> dict[str, int]:
        """Payers of whom rows could not be read, and how many rows."""
        return {payer: len(one.missing) for payer, one in self.positions.items() if one.missing}


def judge(snapshot: Snapshot, terms: Terms, now: datetime) -> Judgement:
    """Assess and decide everyone of ``snapshot``. Raises ConfigError where a supposition cannot be read."""
    found = Judgement()
    found.positions.update(_assessed(snapshot, terms, now, found))
    if terms.supposed:
        for payer, position in found.positions.items():
            found.positions[payer] = suppose(position, terms.supposed, now)
    for payer, position in found.positions.items():
        with sparing_the_others(found.parked, payer):
            found.decisions.append(decide(position, terms.policy, now))
    return found


@contextmanager
def sparing_the_others(parked: dict[str, str], payer: str) -> Iterator[None]:
    """Park a payer that breaks the rules: it must not stop the others."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the one place
        parked[payer] = f"could not be decided: {type(error).__name__}"


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Leave the search for cycles out while very many small objects are made that hold none: it would take a quarter of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _assessed(snapshot: Snapshot, terms: Terms, now: datetime, found: Judgement) -> dict[str, Position]:
    """Positions; a batch that raises is halved until the one payer is found who does it."""
    try:
        return assess(snapshot, terms.catalogue, now, terms.time_zone)
    except (DunwellError, ValueError, TypeError, KeyError) as error:
        ids = list(snapshot.payers["id"])
        found.halved.append((len(ids), type(error).__name__))
        if len(ids) <= 1:
            found.parked.update({payer: f"could not be assessed: {type(error).__name__}" for payer in ids})
            return {}
        half = len(ids) // 2
        first = _assessed(snapshot.only(ids[:half]), terms, now, found)
        return first | _assessed(snapshot.only(ids[half:]), terms, now, found)
