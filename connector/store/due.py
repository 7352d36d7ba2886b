"""Who is due, when, and in whose hands: one row a payer.

Must not decide when a payer is due, nor what happens to it. Its one invariant: a mark is cleared only by
the holder of the lease and only if no newer mark came (``seq`` is still the one that was leased), so that a
payer that changed while it was treated is treated again.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, delete, func, literal, null, or_, select, update

from connector.store.database import insert_or
from connector.store.rows import DueMark, Look, ParkedPayer, Treated
from connector.store.schema import EPOCH, Instant, due

_FREED = {"leased_seq": None, "lease_until": None, "lease_owner": None, "token": None}
_UNMOVED = due.c.seq == due.c.leased_seq
_MINE = and_(due.c.token == bindparam("of_token"), due.c.payer.in_(bindparam("of_payers", expanding=True)))
_NEXT = bindparam("next_look", type_=Instant)
_WINS = or_(_UNMOVED, due.c.due_at > _NEXT)
_HELD = select(due.c.payer, _UNMOVED).where(_MINE).order_by(due.c.payer).with_for_update()
_CLEAR = delete(due).where(_MINE)
_FREE = update(due).where(_MINE).values(attempts=0, error=None, **_FREED)
_LATER = _FREE.values(due_at=case((_WINS, _NEXT), else_=due.c.due_at), why=case((_WINS, "planned"), else_=due.c.why))


def mark(connection: Connection, looks: Sequence[Look]) -> None:
    """Make payers due: of two times the earlier wins, a parked payer is taken up again, ``seq`` grows.

    While a payer is in hand the time it was due at counts as used up: the new mark's time stands alone.
    """
    if not looks:
        return
    statement = insert_or(connection, due)
    new = statement.excluded
    wins = or_(due.c.due_at.is_(None), _UNMOVED, new.due_at < due.c.due_at)
    was_parked = due.c.parked_at.is_not(None)
    changed = {
        "seq": due.c.seq + 1,
        "due_at": case((wins, new.due_at), else_=due.c.due_at),
        "why": case((wins, new.why), else_=due.c.why),
        "attempts": case((was_parked, 0), else_=due.c.attempts),
        "error": case((was_parked, null()), else_=due.c.error),
        "parked_at": None,
    }
    rows = [{"payer": look.payer, "seq": 1, "due_at": look.at, "why": look.why, "attempts": 0} for look in _one_each(looks)]
    connection.execute(statement.on_conflict_do_update(index_elements=[due.c.payer], set_=changed), rows)


def lease(connection: Connection, now: datetime, limit: int, seconds: float, owner: str) -> list[DueMark]:
    """Claim up to ``limit`` payers that are due or whose holder fell silent, for ``seconds``; longest due first.

    A mark for a later time that came while the fallen holder had the payer stays for that time.
    """
    claimable = _claimable(now)
    chosen = select(due.c.payer).where(claimable).order_by(due.c.due_at, due.c.payer).limit(limit).with_for_update(skip_locked=True).cte()
    token = uuid4().hex
    until = now + timedelta(seconds=seconds)
    statement = (
        update(due)
        .where(due.c.payer.in_(select(chosen.c.payer)), claimable)
        .values(leased_seq=case((due.c.due_at > now, due.c.leased_seq), else_=due.c.seq), lease_until=until, lease_owner=owner, token=token)
        .returning(due.c.payer, due.c.seq, due.c.attempts, due.c.why, due.c.due_at)
    )
    marks = [DueMark(row.payer, row.seq, row.attempts, row.why, row.due_at, token, until) for row in connection.execute(statement)]
    return sorted(marks, key=lambda mark: (mark.due_at, mark.payer))


def finish(connection: Connection, treated: Sequence[Treated]) -> set[str]:
    """Clear the marks in hand, or set them to their next time; returns the payers whose lease was still ours."""
    ours: set[str] = set()
    for token, payers in _hands([one.mark for one in treated]):
        unmoved: dict[str, bool] = {row[0]: row[1] for row in connection.execute(_HELD, {"of_token": token, "of_payers": payers})}
        looks: dict[datetime, list[str]] = {}
        for one in treated:
            if one.mark.token == token and one.mark.payer in unmoved and one.next_at is not None:
                looks.setdefault(one.next_at, []).append(one.mark.payer)
        for at, later in looks.items():
            connection.execute(_LATER, {"of_token": token, "of_payers": later, "next_look": at})
        over = unmoved.keys() - {payer for later in looks.values() for payer in later}
        for statement, some in ((_CLEAR, [one for one in over if unmoved[one]]), (_FREE, [one for one in over if not unmoved[one]])):
            if some:
                connection.execute(statement, {"of_token": token, "of_payers": some})
        ours |= unmoved.keys()
    return ours


def postpone(connection: Connection, marks: Sequence[DueMark], until: datetime, error: str) -> None:
    """Give the marks back for a later try; a newer mark's earlier time stands."""
    later = case((or_(_UNMOVED, due.c.due_at > until), _instant(until)), else_=due.c.due_at)
    _give_back(connection, marks, {"due_at": later, "attempts": due.c.attempts + 1, "error": error, **_FREED})


def park(connection: Connection, marks: Sequence[DueMark], at: datetime, error: str) -> None:
    """Put payers aside; one that changed while it was in hand stays due instead."""
    values = {
        "due_at": case((_UNMOVED, null()), else_=due.c.due_at),
        "parked_at": case((_UNMOVED, _instant(at)), else_=null()),
        "attempts": due.c.attempts + 1,
        "error": error,
        **_FREED,
    }
    _give_back(connection, marks, values)


def parked(connection: Connection, limit: int) -> list[ParkedPayer]:
    """Payers put aside, longest first."""
    columns = (due.c.payer, due.c.parked_at, due.c.attempts, due.c.error)
    found = connection.execute(select(*columns).where(due.c.parked_at.is_not(None)).order_by(due.c.parked_at, due.c.payer).limit(limit))
    return [ParkedPayer(*row) for row in found]


def unpark(connection: Connection, payers: Sequence[str] | None, at: datetime) -> int:
    """Make parked payers due at ``at`` (None = all of them); returns how many."""
    chosen = select(due.c.payer).where(due.c.parked_at.is_not(None))
    found = connection.execute(chosen if payers is None else chosen.where(due.c.payer.in_(payers))).scalars().all()
    mark(connection, [Look(payer, at, "unparked") for payer in found])
    return len(found)


def renew(connection: Connection, marks: Sequence[DueMark], until: datetime) -> set[str]:
    """Lengthen leases; returns the payers that are still ours."""
    kept: set[str] = set()
    for token, payers in _hands(marks):
        held = {row[0] for row in connection.execute(_HELD, {"of_token": token, "of_payers": payers})}
        if held:
            connection.execute(update(due).where(_MINE).values(lease_until=until), {"of_token": token, "of_payers": sorted(held)})
        kept |= held
    return kept


def lease_until(connection: Connection, mark: DueMark) -> datetime | None:
    """Until when the mark is ours; None = it is not any more."""
    return connection.execute(select(due.c.lease_until).where(_held(mark))).scalar_one_or_none()


def free(connection: Connection, owner: str) -> int:
    """Let every lease of ``owner`` lapse now, so that what it had in hand is due again; returns how many."""
    held = and_(due.c.lease_owner == owner, due.c.lease_until > EPOCH)
    return connection.execute(update(due).where(held).values(lease_until=EPOCH, token=None)).rowcount


def counts(connection: Connection, now: datetime) -> tuple[int, int, int, int, datetime | None]:
    """Return how many are due now, later, leased and parked, and since when the oldest waits."""
    leased = due.c.lease_until > now
    ready = _claimable(now)
    row = connection.execute(
        select(
            _count(ready),
            _count(and_(due.c.due_at > now, due.c.lease_until.is_(None))),
            _count(leased),
            _count(due.c.parked_at.is_not(None)),
            func.min(case((or_(ready, leased), due.c.due_at), else_=null())),
        )
    ).one()
    return row[0], row[1], row[2], row[3], row[4]


def _claimable(now: datetime) -> ColumnElement[bool]:
    untouched = and_(due.c.lease_until.is_(None), due.c.due_at <= now)
    return and_(due.c.parked_at.is_(None), or_(untouched, due.c.lease_until <= now))


def _held(mark: DueMark) -> ColumnElement[bool]:
    return and_(due.c.payer == mark.payer, due.c.token == mark.token)


def _give_back(connection: Connection, marks: Sequence[DueMark], values: Mapping[str, object]) -> None:
    for token, payers in _hands(marks):
        connection.execute(_HELD, {"of_token": token, "of_payers": payers})
        connection.execute(update(due).where(_MINE).values(values), {"of_token": token, "of_payers": payers})


def _hands(marks: Sequence[DueMark]) -> list[tuple[str, list[str]]]:
    """The payers of each lease, sorted: everybody locks rows in the same order, so that no two wait for each other."""
    found: dict[str, list[str]] = {}
    for mark in marks:
        found.setdefault(mark.token, []).append(mark.payer)
    return sorted((token, sorted(payers)) for token, payers in found.items())


def _one_each(looks: Sequence[Look]) -> list[Look]:
    """The earliest look of each payer, sorted by payer: one statement cannot touch a row twice."""
    found: dict[str, Look] = {}
    for look in looks:
        if look.payer not in found or look.at < found[look.payer].at:
            found[look.payer] = look
    return [found[payer] for payer in sorted(found)]


def _instant(at: datetime) -> ColumnElement[datetime]:
    return literal(at, Instant)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
