"""What stops a pass over everyone: implausible sights and changes, payment data that is too old, the hours and the calls it was given.

Must not judge payers. Invariants: a pass is refused before its first write; one that used up its hours or calls ends between two
batches, and what is left is done by the next.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from connector.core.plausible import Moves, Sight, doubts_of_moves, doubts_of_sight
from connector.errors import PermanentError, TransientError
from connector.pipeline.ports import Allowance, Context

SEEN = "sweep:seen"
"""Under this the store keeps what the last pass saw."""
AGAIN_SECONDS = 3600.0
"""When the calls of a pass are used up, the next comes no sooner."""


class PassStoppedError(TransientError):
    """A pass ended before everyone was looked at; what was done stands."""


class Safety:
    """The stops of one pass. ``force``: a person has said to go on; ``by_hand``: a person began it, at whatever hour."""

    def __init__(self, context: Context, *, force: bool = False, by_hand: bool = False) -> None:
        self._context, self._force, self._by_hand = context, force, by_hand
        self._before = _kept(context)
        self._calls = context.org.calls
        self.sight: Sight | None = None

    def sees(self, sight: Sight) -> None:
        """Take in what the pass sees. Raises PermanentError where that is implausibly little, or payment data is too old."""
        self.sight = sight
        self._refuse(doubts_of_sight(sight, self._before), "check that the integration user still sees every installment and payment")
        old = ["no payment was heard of for longer than allowed"] if self._context.stale(self._context.clock.now()) else []
        self._refuse(old, "see to what books payments")

    def moves(self, moves: Moves) -> None:
        """Take in what it would do. Raises PermanentError where that is implausibly much."""
        payers = self.sight.payers if self.sight else 0
        if not self._context.shadow:
            self._refuse(doubts_of_moves(moves, payers, self._before), "see with `dunwell reconcile --dry-run` what it would change")

    def goes_on(self) -> None:
        """Raise PassStoppedError where hours or calls are used up."""
        allowance, context = self._context.allowance, self._context
        closed = closed_for(allowance, context.clock.now().astimezone(context.mapping.creditor.zone))
        if closed and not self._by_hand:
            raise PassStoppedError("the hours for passes over everyone are over", closed)
        most = allowance.calls()
        if most is not None and not self._force and context.org.calls - self._calls >= most:
            raise PassStoppedError(f"the pass has made the {most:,} API calls it may make", AGAIN_SECONDS)

    def remember(self) -> None:
        """Keep what was seen for the next pass."""
        if self.sight is not None:
            self._context.store.set_value(SEEN, json.dumps({"payers": self.sight.payers, "rows": dict(self.sight.rows)}))

    def _refuse(self, doubts: list[str], look: str) -> None:
        if doubts and not self._force:
            raise PermanentError(f"{'; '.join(doubts)}: {look}, then run `dunwell reconcile --yes`")


def _kept(context: Context) -> Sight | None:
    told = context.store.get_value(SEEN)
    if told is None:
        return None
    found = json.loads(told)
    rows: Mapping[str, int] = found["rows"]
    return Sight(int(found["payers"]), rows)


def closed_for(allowance: Allowance, now: datetime) -> float:
    """Give the seconds until the hours of ``allowance`` begin; 0 within them. ``now`` is in the creditor's time zone."""
    opens, closes, at = allowance.opens, allowance.closes, now.time()
    if opens is None or closes is None:
        return 0.0
    if opens <= at < closes or (opens > closes and not closes <= at < opens):
        return 0.0
    opening = datetime.combine(now.date(), opens, now.tzinfo)
    return (opening + timedelta(days=opening <= now) - now).total_seconds()
