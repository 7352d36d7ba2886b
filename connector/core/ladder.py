"""The ladder: how far an installment has come, and which step is next.

Must not know guards or policies' rows. Invariant: the next step is always the one after the last that was
made, so no step is skipped however long a hold or an outage lasted; what people did themselves counts.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from connector.core.keys import bare_day, key
from connector.core.model import Contact
from connector.core.policy import Ladder, Step
from connector.core.records import quick
from connector.core.words import Channel, Kind

STEP_KINDS = frozenset(
    {
        Kind.REMIND,
        Kind.REQUEST_METHOD,
        Kind.CALL,
        Kind.OFFER_PLAN,
        Kind.REVIEW,
        Kind.ESCALATE,
        Kind.PROPOSE_REFERRAL,
        Kind.PROPOSE_WRITE_OFF,
    }
)
BY_PEOPLE = frozenset({Kind.REMIND, Kind.REQUEST_METHOD, Kind.CALL, Kind.OFFER_PLAN, "letter"})
"""Kinds of a contact without a key that count as the step which was due."""
SLACK = timedelta(days=2)
"""A person who contacts the payer this long before a step is due has made that step."""
UNANSWERED = -1
LONGEST_ID = 60


@quick
@dataclass(frozen=True, slots=True)
class Progress:
    """How far an episode has come. ``last_at`` None = nothing was done, or nobody knows when."""

    level: int = 0
    last_at: datetime | None = None


def subject(record: str) -> str:
    """Give the id as it stands in keys: as it is, or a digest of one too long to leave room for the rest."""
    return record if len(record) <= LONGEST_ID else hashlib.sha256(record.encode()).hexdigest()[:32]


def step_key(kind: Kind, item: str, episode: date, level: int) -> str:
    """Key of one step: what it does, for which installment and episode, at which level."""
    return key(kind, subject(item), episode, f"L{level}")


@quick
@dataclass(frozen=True, slots=True)
class Episode:
    """One stretch in which an installment is open: its id, the day it answers to, and from when contacts count."""

    item: str
    on: date
    since: datetime


def progress(episode: Episode, ladder: Ladder | None, done: Mapping[str, datetime | None], contacts: Sequence[Contact]) -> Progress:
    """Tell how far an episode has come.

    Args:
        episode: of which installment.
        ladder: whose steps people's own contacts count as; None = only our own steps count.
        done: keys of what was made (or cancelled by a person), with the time where known.
        contacts: contacts made, ours (with key) and people's.

    """
    made = [(at, level) for level, at in _levels(episode, done)]
    level = max((level for at, level in made if at is None), default=0)
    last_at: datetime | None = None
    others = [(one.at, UNANSWERED * _unanswered(one)) for one in contacts if one.key is None and one.at >= episode.since and _counts(one)]
    for at, reached in sorted([*((at, reached) for at, reached in made if at is not None), *others]):
        if reached > 0:
            level, last_at = max(level, reached), at
        elif ladder is not None:
            step = next_step(ladder, level)
            if step is None or (reached == UNANSWERED and step.kind is not Kind.CALL):
                continue
            if (at + SLACK).astimezone(UTC).date() >= due_on(step, episode.since.astimezone(UTC).date(), last_at):
                level, last_at = step.level, at
    return Progress(level, last_at)


def _levels(episode: Episode, done: Mapping[str, datetime | None]) -> list[tuple[int, datetime | None]]:
    """Give the levels whose keys are done for the episode."""
    own, first = key("x", subject(episode.item))[2:], bare_day(episode.on)
    found = []
    for one, at in done.items():
        if own not in one:
            continue
        head, _, level = one.rpartition("-L")
        head, _, day = head.rpartition("-")
        kind, _, about = head.partition("-")
        if about == own and level.isdecimal() and len(level) < 4 and day >= first and kind in STEP_KINDS:
            found.append((int(level), at))
    return found


def _counts(contact: Contact) -> bool:
    return contact.kind in BY_PEOPLE or contact.channel in (Channel.CALL, Channel.LETTER)


def _unanswered(contact: Contact) -> bool:
    """Tell whether it was a call that reached nobody: it makes the step that is a call, and no other."""
    return Channel.CALL in (contact.channel, contact.kind) and not contact.conversation


def next_step(ladder: Ladder, level: int) -> Step | None:
    """Give the step after ``level``; None at the end of the ladder."""
    return next((step for step in ladder.steps if step.level > level), None)


def due_on(step: Step, began: date, last_at: datetime | None) -> date:
    """Give the day a step is due: counted from the episode's begin, and never sooner than its gap after the last step."""
    day = began + timedelta(days=step.after_days)
    return day if last_at is None else max(day, last_at.astimezone(UTC).date() + timedelta(days=step.gap_days))
