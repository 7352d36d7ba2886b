"""One pass over everyone, as people and programs are told of it: its tally, what needs a person, and how it compares with the last.

Must not render, read or write anything. Invariants: what needs a person is told by ids and counts, never by a sensitive cause; a
history that cannot be read is none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from connector.core.plain import from_json, to_json
from connector.core.tally import Listed, Tally

VERSION = 1
"""Of what is kept; another one cannot be compared with."""
TREND = 30
"""Passes whose main figures are kept."""
CODES = 10
"""Codes in no table that are named."""
_ASKED = {
    "review": "To be looked at by a person: {}.",
    "propose_referral": "Proposed for referral: {}. Nobody is referred until a person approves.",
    "propose_write_off": "Proposed for writing off: {}. Nothing is written off until a person approves.",
}


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing that needs a person."""

    kind: str
    """One word, for programs: ``parked``, ``rows_missing``, ``review``, ``unknown_code``, or what a finding calls itself."""
    count: int
    words: str
    """A sentence that says what, how many, and what to do."""
    records: tuple[str, ...] = ()
    """Ids of the first of them in the org."""


@dataclass(frozen=True, slots=True)
class Point:
    """The main figures of one pass."""

    at: datetime
    payers: int
    in_arrears: int
    matters: int
    changes: int
    overdue: Mapping[str, int]
    """Currency → minor units."""


@dataclass(frozen=True, slots=True)
class History:
    """What is kept of earlier passes of one kind."""

    version: int = 0
    at: datetime | None = None
    """When the last one began."""
    last: Tally = field(default_factory=Tally)
    matters: int = 0
    points: tuple[Point, ...] = ()
    """Oldest first, the last one among them."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A pass over everyone. Moments are in the creditor's time zone."""

    started_at: datetime
    ended_at: datetime
    tally: Tally
    mode: str = "live"
    """``live``, ``shadow`` or ``dry run``."""
    scope: str = "everyone"
    """Who was looked at."""
    policy: str = ""
    """Its name and version."""
    findings: tuple[Matter, ...] = ()
    """What the pass found out of order in the org beside the payers' own debts."""
    before: History | None = None
    """Earlier passes of the same kind; None = there was none, or what is kept of it cannot be read."""
    figures: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Further figures of the pass by name, such as API calls."""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.ended_at - self.started_at).total_seconds()

    @property
    def matters(self) -> tuple[Matter, ...]:
        """What needs a person, the gravest first."""
        return (
            *_hidden(self.tally.missing),
            *_parked(self.tally.parked),
            *self.findings,
            *_asked(self.tally.asked),
            *_codes(self.tally.codes),
        )

    @property
    def point(self) -> Point:
        """Its main figures."""
        needed = sum(one.count for one in self.matters)
        return Point(
            self.started_at, self.tally.payers, self.tally.in_arrears, needed, self.tally.changes, dict(self.tally.overdue.amounts)
        )

    @property
    def trend(self) -> tuple[Point, ...]:
        """The last passes, oldest first, this one at the end."""
        return (*(self.before.points if self.before else ()), self.point)[-TREND:]


def kept(one: Reconciliation) -> str:
    """Give what is kept of a pass and those before it, as text."""
    return to_json(History(VERSION, one.started_at, one.tally, one.point.matters, one.trend)).decode()


def read(text: str | None) -> History | None:
    """Give the history that ``text`` holds; None where there is none, or none that this version knows."""
    if text is None:
        return None
    try:
        found = from_json(History, text.encode())
    except ValueError:
        return None
    return found if found.version == VERSION and found.at is not None else None


def many(count: int, one: str, several: str = "") -> str:
    """Give a count with its noun: ``1 payer``, ``1,200 payers``."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def _hidden(missing: Listed) -> Iterable[Matter]:
    if missing.count:
        words = (
            f"Of {many(missing.count, 'payer')} rows that their flags rest on cannot be read any more; nothing of theirs is cleared."
            " See who took away access to them, or deleted them."
        )
        yield Matter("rows_missing", missing.count, words, missing.first)


def _parked(parked: Mapping[str, Listed]) -> Iterable[Matter]:
    for why, listed in sorted(parked.items(), key=lambda one: (-one[1].count, one[0])):
        words = f"{many(listed.count, 'payer')} put aside: {why}. Mend the cause; the next pass tries them again."
        yield Matter("parked", listed.count, words, listed.first)


def _asked(asked: Mapping[str, Listed]) -> Iterable[Matter]:
    for kind, words in _ASKED.items():
        if kind in asked:
            yield Matter(kind, asked[kind].count, words.format(many(asked[kind].count, "payer")), asked[kind].first)


def _codes(codes: Mapping[str, int]) -> Iterable[Matter]:
    if codes:
        found = sorted(codes.items(), key=lambda one: (-one[1], one[0]))
        named = ", ".join(_code(name, payers) for name, payers in found[:CODES])
        more = f", and {many(len(found) - CODES, 'more code')}" if len(found) > CODES else ""
        told = f"{many(len(found), 'reason code is', 'reason codes are')} in no table: {named}{more}."
        yield Matter("unknown_code", len(found), f"{told} Add rows to own_reasons.csv; until then they count as unknown.")


def _code(name: str, payers: int) -> str:
    code_set, _, code = name.partition(":")
    return f"{code}{f' of {code_set}' if code_set else ''} ({many(payers, 'payer')})"
