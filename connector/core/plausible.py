"""Whether a pass over everyone may be believed: what it sees beside what the last one saw, and how much it would change.

Must not read an org or a clock. Invariant: the first pass of all is believed, and so is what concerns only a few.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from connector.core.changes import ShownPosition, View
from connector.core.model import Decision
from connector.core.words import ArrearsStatus

LEAST_SEEN_PERCENT = 80
"""Of what the last pass saw, this much is there again: archiving and clean-ups take less between two nights, a lost permission takes more."""
LEAST_SEEN_OF_A_FEW_PERCENT = 50
"""The same where there is little."""
MOST_MOVED_PERCENT = 25
"""Of all payers, more are not changed by one night: events have told of the day's failures already."""
MOST_CLEARED_PERCENT = 50
"""Of payers in arrears, more do not pay in one night."""
A_FEW = 50
"""In a small org a difference of so many is nothing strange."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a pass sees."""

    payers: int
    rows: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Object → records the integration user can read."""


@dataclass(frozen=True, slots=True)
class Moves:
    """What a pass would do, in payers."""

    changed: int = 0
    flagged: int = 0
    """Whom the org shows in arrears in any way."""
    cleared: int = 0
    """Of these, who would be clear."""

    def __add__(self, other: "Moves") -> "Moves":
        """Give both together."""
        return Moves(self.changed + other.changed, self.flagged + other.flagged, self.cleared + other.cleared)


def moves(decisions: Iterable[Decision], views: Mapping[str, View], changed: int) -> Moves:
    """Count what the decisions change of what the org shows; ``changed`` of the payers have any change."""
    flagged = [one for one in decisions if any(shown.values.get("status") != ArrearsStatus.CLEAR for shown in _flags(views, one))]
    return Moves(changed, len(flagged), sum(one.arrears.status is ArrearsStatus.CLEAR for one in flagged))


def doubts_of_sight(now: Sight, before: Sight | None) -> list[str]:
    """Say of what implausibly little is seen: invisible is not paid."""
    if before is None:
        return []
    seen = {"payers": (now.payers, before.payers)}
    seen |= {name: (now.rows[name], count) for name, count in before.rows.items() if name in now.rows}
    return [
        f"only {found:,} {name} are visible, {last:,} were last time"
        for name, (found, last) in seen.items()
        if found * 100 < last * (LEAST_SEEN_PERCENT if last - found > A_FEW else LEAST_SEEN_OF_A_FEW_PERCENT)
    ]


def doubts_of_moves(found: Moves, payers: int, before: Sight | None) -> list[str]:
    """Say what would change implausibly many of ``payers``."""
    if before is None:
        return []
    told = []
    if found.changed > A_FEW and found.changed * 100 > payers * MOST_MOVED_PERCENT:
        told.append(f"{found.changed:,} of {payers:,} payers would be changed at once")
    if found.cleared > A_FEW and found.cleared * 100 > found.flagged * MOST_CLEARED_PERCENT:
        told.append(f"{found.cleared:,} of {found.flagged:,} payers in arrears would be cleared at once")
    return told


def _flags(views: Mapping[str, View], one: Decision) -> list[ShownPosition]:
    view = views.get(one.payer)
    return list(view.positions.values()) if view else []
