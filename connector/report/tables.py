"""The tables of a report: rows of plain text, and beside each figure how far it moved since the last pass.

Must not know HTML. Invariant: every figure of a plot stands in the table beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from connector.core.reconciliation import Reconciliation
from connector.core.tally import Share, Tally
from connector.report import words

Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure, one or more lines of it, and how far each moved; ``moved`` is empty where there is nothing to compare with."""

    lines: tuple[str, ...]
    moved: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings; the first cell of each row is its name."""

    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()


def by_status(one: Reconciliation) -> Table:
    """Who is in which status, and what they owe overdue."""
    last = _last(one)
    rows = [
        _row(words.word(name), one.tally.statuses.get(name, Share()), last.statuses.get(name, Share()) if last else None)
        for name in words.STATUSES
    ]
    everyone = Share(one.tally.payers, one.tally.overdue.installments, one.tally.overdue.amounts)
    before = Share(last.payers, last.overdue.installments, last.overdue.amounts) if last else None
    return Table(("Status", "Payers", "Installments overdue", "Overdue"), tuple(rows), _row("Everyone", everyone, before))


def by_age(one: Reconciliation) -> Table:
    """What is open, by days past the original due date."""
    last = _last(one)
    rows = [
        _row(label, one.tally.ageing.get(age, Share()), last.ageing.get(age, Share()) if last else None)
        for age, label in words.AGES.items()
    ]
    return Table(
        ("Past due", "Payers", "Installments", "Open"),
        tuple(rows),
        _row("Overdue in all", one.tally.overdue, last.overdue if last else None),
    )


def by_reason(one: Reconciliation) -> Table:
    """What is open, by why it failed last."""
    last = _last(one)
    names = _ordered({name: share.installments for name, share in one.tally.reasons.items()}, last.reasons if last else None)
    shares = [(name, one.tally.reasons.get(name, Share()), last.reasons.get(name, Share()) if last else None) for name in names]
    rows = [_row(words.REASONS.get(name, words.word(name)), now, before) for name, now, before in shares]
    gifts, gifts_before = one.tally.gifts, last.gifts if last else None
    if gifts.payers or (gifts_before and gifts_before.payers):
        rows.append(_row("Gifts (no debt)", gifts, gifts_before))
    return Table(("Reason", "Payers", "Installments", "Open"), tuple(rows))


def by_count(heading: str, now: Mapping[str, int], before: Mapping[str, int] | None, names: Names | None = None) -> Table:
    """Counts by name, the greatest first."""
    rows = []
    for name in _ordered(now, before):
        count = now.get(name, 0)
        moved = () if before is None else words.change(count, before.get(name, 0))
        rows.append((Cell(((names or {}).get(name, words.word(name)),)), Cell((words.number(count),), moved)))
    return Table((heading, "Number"), tuple(rows))


def written(one: Reconciliation) -> Table:
    """Records made and changed, by object."""
    made, changed = one.tally.inserted, one.tally.updated
    both = {name: made.get(name, 0) + changed.get(name, 0) for name in {*made, *changed}}
    rows = [
        (Cell((words.OBJECTS.get(name, name),)), Cell((words.number(made.get(name, 0)),)), Cell((words.number(changed.get(name, 0)),)))
        for name in _ordered(both, None)
    ]
    return Table(("Records", "Made", "Changed"), tuple(rows))


def trend(one: Reconciliation) -> Table:
    """The last passes, the latest first."""
    rows = [
        (
            Cell((words.short(point.at.astimezone(one.started_at.tzinfo)),)),
            Cell((words.number(point.payers),)),
            Cell((words.number(point.in_arrears),)),
            Cell(words.amounts(point.overdue) or (words.NONE,)),
            Cell((words.number(point.matters),)),
            Cell((words.number(point.changes),)),
        )
        for point in reversed(one.trend)
    ]
    return Table(("Pass", "Payers", "In arrears", "Overdue", "For a person", "Changes"), tuple(rows))


def _last(one: Reconciliation) -> Tally | None:
    return one.before.last if one.before else None


def _row(name: str, now: Share, before: Share | None) -> tuple[Cell, ...]:
    last = now if before is None else before
    return (
        Cell((name,)),
        Cell((words.number(now.payers),), words.change(now.payers, last.payers)),
        Cell((words.number(now.installments),), words.change(now.installments, last.installments)),
        Cell(words.amounts(now.amounts) or (words.NONE,), words.changes(now.amounts, last.amounts)),
    )


def _ordered(counts: Mapping[str, int], before: Mapping[str, object] | None) -> list[str]:
    """Names of this and the last pass, the greatest first."""
    return sorted({*counts, *(before or {})}, key=lambda name: (-counts.get(name, 0), name))
