"""Telling a team what stands still: one Task for a kind, made once, and closed by us when nothing of the kind is left.

Must not find anything, nor name fields of an org. Invariants: while a Task of a kind is open there is no second one; one that a person
completed or deleted comes back only for something newer; what a person wrote into a Task is never touched.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from connector.core.findings import TOLD, Found, headline
from connector.core.keys import key
from connector.core.ladder import subject
from connector.core.words import Kind

START = f"{Kind.ALERT_TEAM}-finding_"
"""How the keys of these Tasks begin."""


@dataclass(frozen=True, slots=True)
class ShownAlert:
    """A Task of ours about a kind, deleted ones included."""

    id: str
    key: str
    is_closed: bool
    is_deleted: bool

    @property
    def kind(self) -> str:
        """What it is about."""
        return self.key.removeprefix(START).partition("-")[0]


@dataclass(frozen=True, slots=True)
class Alert:
    """A Task to be made."""

    key: str
    role: str
    priority: str
    subject: str
    text: str
    at: datetime


def alerts(found: Iterable[Found], shown: Sequence[ShownAlert], now: datetime) -> tuple[list[Alert], list[str]]:
    """Give the Tasks to be made, and the ids of those that are answered: of their kind nothing is left.

    A kind that was not looked at is not among ``found``, and its Tasks stay as they are.
    """
    made, answered = [], []
    keys = {one.key for one in shown}
    for one in found:
        open_ones = [task.id for task in shown if task.kind == one.kind and not (task.is_closed or task.is_deleted)]
        if not one.count:
            answered += open_ones
        elif one.shown and not open_ones and alert_key(one) not in keys:
            made.append(_alert(one, now))
    return made, answered


def alert_key(found: Found) -> str:
    """Key of the Task for a kind: it answers the newest of its findings."""
    newest = found.shown[0]
    return key(Kind.ALERT_TEAM, f"finding_{found.kind}", subject(newest.record), f"{newest.since:%Y%m%dT%H%M%S}")


def _alert(found: Found, now: datetime) -> Alert:
    told = TOLD[found.kind]
    more = found.count - len(found.shown)
    lines = [found.words, "", *(f"{one.record}: {one.sentence}" for one in found.shown), *([f"and {more:,} more"] if more > 0 else [])]
    return Alert(alert_key(found), told.role, told.priority, headline(found), "\n".join(lines), now)
