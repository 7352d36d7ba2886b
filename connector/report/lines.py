"""The report of a pass as plain lines: for its record in the org, and for a terminal.

Must not name payers beyond what ``matters`` names. Invariant: every line is whole in itself; nothing that is zero is told.
"""

from collections.abc import Mapping

from connector.core.reconciliation import History, Matter, Reconciliation, many
from connector.core.tally import Share
from connector.report import words

SHOWN = 10
"""Records that a line names."""


def lines(one: Reconciliation) -> list[str]:
    """Give what was found and done, a heading a line; ``compared`` and ``matter`` tell the rest."""
    tally = one.tally
    told = [
        f"{many(tally.payers, 'payer')} looked at, {number_of(tally.in_arrears, 'in arrears, on hold or watched')}.",
        f"Overdue: {', '.join(words.amounts(tally.overdue.amounts)) or 'nothing'}.",
        _shares("By status", {status: tally.statuses[status] for status in words.STATUSES if status in tally.statuses}, {}),
        _shares("By age", {age: tally.ageing[age] for age in words.AGES if age in tally.ageing}, words.AGES),
        _shares("By reason", dict(sorted(tally.reasons.items(), key=lambda one: (-one[1].installments, one[0]))), words.REASONS),
        _counts("Next", tally.planned),
        _counts("Withheld", tally.withheld),
        _counts("New follow-ups", tally.made),
        _counts("Records made", tally.inserted, words.OBJECTS),
        _counts("Records changed", tally.updated, words.OBJECTS),
    ]
    return [line for line in told if line]


def number_of(count: int, what: str) -> str:
    """Give a count before what it counts."""
    return f"{words.number(count)} {what}"


def compared(one: Reconciliation) -> str:
    """Give how far the main figures moved since the last pass; empty where there is none to compare with."""
    before: History | None = one.before
    if before is None or before.at is None:
        return ""
    now, last = one.tally, before.last
    moved = {
        "payers": words.change(now.payers, last.payers),
        "in arrears": words.change(now.in_arrears, last.in_arrears),
        "overdue": words.changes(now.overdue.amounts, last.overdue.amounts),
        "for a person": words.change(one.point.matters, before.matters),
    }
    told = "; ".join(f"{name} {', '.join(by)}" for name, by in moved.items() if by) or "nothing moved"
    return f"Compared with {words.day_and_time(before.at.astimezone(one.started_at.tzinfo))}: {told}."


def matter(one: Matter) -> str:
    """Give one thing that needs a person, with the first records it is about."""
    if not one.records:
        return one.words
    more = one.count - len(one.records[:SHOWN])
    return f"{one.words} {', '.join(one.records[:SHOWN])}" + (f", and {words.number(more)} more" if more > 0 else "")


def _shares(title: str, shares: Mapping[str, Share], names: Mapping[str, str]) -> str:
    told = []
    for name, share in shares.items():
        owed = ", ".join(words.amounts(share.amounts))
        told.append(f"{names.get(name, words.word(name))} {words.number(share.payers)}" + (f" ({owed})" if owed else ""))
    return f"{title}: {'; '.join(told)}." if told else ""


def _counts(title: str, counts: Mapping[str, int], names: Mapping[str, str] | None = None) -> str:
    told = [f"{(names or {}).get(name, words.word(name))} {words.number(count)}" for name, count in sorted(counts.items()) if count]
    return f"{title}: {'; '.join(told)}." if told else ""
