"""The course of one installment: its movements in order of time → what is paid on it, and its failures by episode.

Must not read frames or clocks. Invariant: the same set of movements gives the same course whatever order it
came in and however often each was told, because they are walked in the order of ``Movement.place`` and a
state told twice is one state.

The rules (design section 4): collected money lies on the installment as lots. Reversed and charged back take
lots away and open it again; so does a return, but only of a collection that was there: by its reference, by
its amount, or by its scheme. Failed, rejected and pending move nothing. A refund never opens anything; it
only uses up what was paid too much. A movement that takes back money nobody saw coming leaves the whole open.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connector.core.model import Failure, Reason
from connector.core.records import quick
from connector.core.words import Outcome

SAME_EVENT = timedelta(days=14)
"""A provider's report and the package's own booking of one reversal lie no further apart than this."""
FAILING = frozenset({Outcome.FAILED, Outcome.REJECTED, Outcome.RETURNED, Outcome.REVERSED, Outcome.CHARGED_BACK})
"""Outcomes that leave an installment open."""
_TAKES_BACK = frozenset({Outcome.REVERSED, Outcome.CHARGED_BACK})
_TRIES = frozenset({Outcome.FAILED, Outcome.REJECTED, Outcome.PENDING})
_SETTLES_PENDING = frozenset({Outcome.COLLECTED, Outcome.FAILED, Outcome.REJECTED, Outcome.RETURNED})

Place = tuple[int, int, str, int, str, str, str, str]
"""Where a movement stands in time: microseconds, rank within the instant, then enough of it to leave no ties."""


@quick
@dataclass(frozen=True, slots=True)
class Movement:
    """One row of payments. ``amount_minor`` as the org tells it, None where it does not; ``reason`` only on failures."""

    place: Place
    at: datetime
    outcome: Outcome
    amount_minor: int | None = None
    scheme: str | None = None
    reference: str | None = None
    reason: Reason | None = None


@quick
@dataclass(frozen=True, slots=True)
class Course:
    """What the movements of one installment come to."""

    paid_minor: int
    """Money lying on it now; more than its amount where too much was paid."""
    observed: bool
    """Money was seen to move, or to have moved: payments beat the status from here on."""
    settled_at: datetime | None
    """When money last made it whole; None while it is open, and where nobody saw the money."""
    episode: tuple[Failure, ...]
    """Failures since it was last whole."""
    closed: tuple[Failure, ...]
    """Failures of the episode that ended when it was last made whole."""
    earlier: tuple[Failure, ...]
    """All other failures."""
    recovered_at: tuple[datetime, ...]
    """Collections that came while it was failing, and stayed."""
    collected_at: tuple[datetime, ...]
    """All collections."""
    presented_at: tuple[datetime, ...]
    """Each try to collect it, whatever came of it."""
    declined_at: tuple[datetime, ...]
    """Tries that moved nothing, and those whose end is not known."""
    pending_at: tuple[datetime, ...]
    """Tries whose end is not known."""
    lots: tuple[tuple[datetime, int], ...]
    """Money lying on it now, piece by piece."""


@dataclass(slots=True)
class _Lot:
    at: datetime
    remaining: int
    scheme: str | None
    reference: str | None
    late: bool


def walk(amount_minor: int, movements: Iterable[Movement]) -> Course:
    """Walk the movements of an installment of ``amount_minor`` (0 = money that belongs to no installment)."""
    state = _Walk(abs(amount_minor))
    for one in sorted(movements, key=_place):
        state.step(one)
    return state.course()


def paid_out(amount_minor: int, movements: Iterable[Movement]) -> int:
    """How much of a credit (a negative installment) was paid out to the payer, in minor units, never more than it is.

    The same reference with the same outcome and amount in a row is one movement told twice.
    """
    whole, out = abs(amount_minor), 0
    told: dict[str, tuple[Outcome, int]] = {}
    for one in sorted(movements, key=_place):
        moved = whole if one.amount_minor is None else abs(one.amount_minor)
        if one.reference:
            if told.get(one.reference) == (one.outcome, moved):
                continue
            told[one.reference] = (one.outcome, moved)
        if one.outcome in (Outcome.COLLECTED, Outcome.REFUNDED):
            out = min(whole, out + moved)
        elif one.outcome in _TAKES_BACK or one.outcome is Outcome.RETURNED:
            out = max(0, out - moved)
    return out


@dataclass(slots=True)
class _Walk:
    owed: int
    lots: list[_Lot] = field(default_factory=list)
    implied: int = 0
    observed: bool = False
    settled_at: datetime | None = None
    episode: list[Failure] = field(default_factory=list)
    closed: list[Failure] = field(default_factory=list)
    earlier: list[Failure] = field(default_factory=list)
    presented: list[datetime] = field(default_factory=list)
    declined: list[datetime] = field(default_factory=list)
    pending: list[Movement] = field(default_factory=list)
    told: dict[str, tuple[Outcome, int | None]] = field(default_factory=dict)
    tried_again: set[str] = field(default_factory=set)
    taken_at: datetime | None = None
    newest: Movement | None = None

    @property
    def paid(self) -> int:
        return sum(lot.remaining for lot in self.lots) + self.implied

    def step(self, one: Movement) -> None:
        if self._told_before(one) or (one.outcome is Outcome.COLLECTED and one.amount_minor == 0):
            return
        if one.outcome in _SETTLES_PENDING:
            self.pending = [old for old in self.pending if old.reference and one.reference and old.reference != one.reference]
        if one.outcome is Outcome.PENDING:
            self.pending.append(one)
            self.tried_again.add(one.reference or "")
        elif one.outcome is Outcome.COLLECTED and (one.amount_minor is None or one.amount_minor >= 0):
            self._collected(one)
        elif one.outcome in FAILING:
            self._failing(one)
        else:
            self._refunded(one)

    def course(self) -> Course:
        return Course(
            paid_minor=self.paid,
            observed=self.observed,
            settled_at=self.settled_at,
            episode=tuple(self.episode),
            closed=tuple(self.closed),
            earlier=tuple(self.earlier),
            recovered_at=tuple(lot.at for lot in self.lots if lot.late and lot.remaining),
            collected_at=tuple(lot.at for lot in self.lots),
            presented_at=(*self.presented, *(one.at for one in self.pending)),
            declined_at=(*self.declined, *(one.at for one in self.pending)),
            pending_at=tuple(one.at for one in self.pending),
            lots=tuple((lot.at, lot.remaining) for lot in self.lots if lot.remaining),
        )

    def _told_before(self, one: Movement) -> bool:
        """A state told twice: under its reference, or, of a try that has none, in every word (nobody tries twice in one instant)."""
        if not one.reference:
            before, self.newest = self.newest, one
            return one == before and one.outcome in _TRIES
        amount = one.amount_minor if one.outcome not in (Outcome.FAILED, Outcome.REJECTED, Outcome.PENDING) else None
        if self.told.get(one.reference) == (one.outcome, amount):
            return True
        self.told[one.reference] = (one.outcome, amount)
        return False

    def _collected(self, one: Movement) -> None:
        amount = self.owed if one.amount_minor is None else one.amount_minor
        was_whole = self.paid >= self.owed
        self.lots.append(_Lot(one.at, amount, one.scheme, one.reference, late=bool(self.episode)))
        self.presented.append(one.at)
        self.observed = True
        if not was_whole and self.paid >= self.owed:
            self.settled_at = one.at
            self._close()

    def _refunded(self, one: Movement) -> None:
        amount = self.owed if one.amount_minor is None else abs(one.amount_minor)
        self.observed = True
        if not self.lots and not self.implied:
            self.implied = min(amount, self.owed)
            if self.implied == self.owed:
                self._close()
        elif self.paid > self.owed:
            _take(self.lots[::-1], min(amount, self.paid - self.owed))

    def _failing(self, one: Movement) -> None:
        was_whole, unseen = self.paid >= self.owed, not self.lots and not self.observed and _asserts_collection(one)
        moved = self._take_back(one)
        if not moved and one.outcome not in _TAKES_BACK:
            self.presented.append(one.at)
            self.declined.append(one.at)
        self.observed = self.observed or moved > 0 or unseen
        failure = Failure(
            one.at, one.outcome, _known(one.reason), None if one.amount_minor is None else abs(one.amount_minor), one.reference
        )
        if self.paid >= self.owed:
            self.earlier.append(failure)
        elif was_whole:
            self.earlier += self.closed
            self.closed, self.episode, self.settled_at = [], [failure], None
        elif not self._same_event(one, moved):
            if unseen:
                self.earlier += self.episode
                self.episode = []
            self.episode.append(failure)
        self.tried_again.discard(one.reference or "")
        if moved or unseen:
            self.taken_at = one.at

    def _same_event(self, one: Movement, moved: int) -> bool:
        """One failure told by two sources: under the same reference, or a second booking of money already taken back."""
        if moved or not self.episode:
            return False
        if one.reference and any(old.reference == one.reference and old.outcome is not one.outcome for old in self.episode):
            return one.reference not in self.tried_again
        return _asserts_collection(one) and self.taken_at is not None and one.at - self.taken_at <= SAME_EVENT

    def _take_back(self, one: Movement) -> int:
        if one.outcome in (Outcome.FAILED, Outcome.REJECTED):
            return 0
        wanted = None if one.amount_minor is None else abs(one.amount_minor)
        live = [lot for lot in reversed(self.lots) if lot.remaining]
        named = [lot for lot in live if one.reference and lot.reference == one.reference]
        fitting = named or [lot for lot in live if not one.scheme or not lot.scheme or lot.scheme == one.scheme]
        exact = [lot for lot in fitting if wanted is None or lot.remaining == wanted][:1]
        chosen = exact or named or _of_other_amount(one, wanted, fitting, live)
        return _take(chosen, wanted)

    def _close(self) -> None:
        self.earlier += self.closed
        self.closed, self.episode, self.taken_at = self.episode, [], None


def _of_other_amount(one: Movement, wanted: int | None, fitting: Sequence[_Lot], live: Sequence[_Lot]) -> Sequence[_Lot]:
    """Lots for a movement whose amount equals none of them (fees, parts): a return needs better proof than a reversal."""
    if one.outcome is not Outcome.RETURNED:
        return (fitting or live) if wanted is not None else live[:1]
    if wanted is None or not _asserts_collection(one):
        return ()
    same_scheme = [lot for lot in fitting if lot.scheme and lot.scheme == one.scheme]
    return same_scheme or (fitting if sum(lot.remaining for lot in fitting) >= wanted else ())


def _asserts_collection(one: Movement) -> bool:
    """The row itself says that money had been collected before: a return does so by a negative amount."""
    return one.outcome in _TAKES_BACK or (one.outcome is Outcome.RETURNED and one.amount_minor is not None and one.amount_minor < 0)


def _take(lots: Sequence[_Lot], wanted: int | None) -> int:
    taken = 0
    for lot in lots:
        part = lot.remaining if wanted is None else min(lot.remaining, wanted - taken)
        lot.remaining -= part
        taken += part
    return taken


def _known(reason: Reason | None) -> Reason:
    if reason is None:
        raise ValueError("a failing movement without its reason")
    return reason


def _place(one: Movement) -> Place:
    return one.place
