"""The sheet on which one decision is written: its moment, what is done already, and what has been put down so far.

Must not judge. Invariant: a key that is done is never written again, and no key stands on it twice, planned
or withheld.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from connector.core.calendars import business_day_from
from connector.core.limits import Block, merged
from connector.core.model import FollowUp, Habit, Position, Withheld
from connector.core.policy import Policy
from connector.core.rules import CountryRules
from connector.core.timing import Diary, creditor_zone, local, payer_zones
from connector.core.words import SILENT_KINDS, Kind

DESK_MINUTE = 9 * 60
"""Minute of the day, in the creditor's zone, at which work planned for a later day reaches people."""


@dataclass(slots=True)
class Sheet:
    """One payer, one moment, one decision in the making."""

    position: Position
    policy: Policy
    now: datetime
    today: date
    where: ZoneInfo
    """The creditor's zone."""
    country: str | None
    done: Mapping[str, datetime | None]
    """Keys that were made or cancelled, with the time where known."""
    diary: Diary
    follow_ups: list[FollowUp] = field(default_factory=list)
    withheld: list[Withheld] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    @property
    def country_rules(self) -> CountryRules:
        """What the place the payer lives in asks of us."""
        return self.policy.rules.country(self.position.payer.country, self.position.payer.region)

    @property
    def calls_per_week(self) -> int:
        """Most calls in seven days: the policy's, or fewer where the payer's place says so."""
        lawful = self.country_rules.calls_per_week
        return self.policy.calls_per_week if lawful is None else min(lawful, self.policy.calls_per_week)

    @property
    def to(self) -> str | None:
        """Id of who is contacted in the payer's place, if anybody is."""
        named = self.position.represented_by
        return named.id if named is not None else None

    @property
    def in_place(self) -> str:
        """The sentence that says so."""
        named = self.position.represented_by
        return f"It goes to their {named.role.replace('_', ' ')}, in the payer's place and to nobody else." if named is not None else ""

    @property
    def habit(self) -> Habit | None:
        """The payer's habit; a representative keeps office hours."""
        return self.position.habit if self.position.represented_by is None else None

    def is_done(self, key: str) -> bool:
        """Tell whether ``key`` was made before, or a person decided that it is not."""
        return key in self.done

    def write(self, follow_up: FollowUp) -> None:
        """Put a follow-up down, once."""
        if follow_up.key not in self.done and follow_up.key not in self.used:
            self.used.add(follow_up.key)
            self.follow_ups.append(follow_up)

    def withhold(self, kind: Kind, blocks: Iterable[Block], key: str, installments: Sequence[str], rule: str) -> None:
        """Put down what the policy wanted and something forbade, once."""
        if key not in self.done and key not in self.used:
            self.used.add(key)
            reasons, until = merged(blocks)
            self.withheld.append(Withheld(kind, reasons, until, key, tuple(installments), rule))

    def kept(self, key: str, at: datetime) -> datetime:
        """Give the time already planned for people's work; ``at`` where none was."""
        shown = self.position.shown.get(key)
        return shown.at if shown is not None and shown.at is not None else at

    def desk_time(self, due: date) -> datetime:
        """Give when colleagues get work that is due on ``due``: at once, or that morning of a business day."""
        if due <= self.today:
            return self.now
        return local(business_day_from(None, self.country, due), DESK_MINUTE, self.where)

    def covered(self, kind: Kind) -> dict[str, str]:
        """Give the tags that done keys of ``kind`` answer, each with its key; of several the last in the order of keys, so of dates."""
        return {tag: key for key in self.done if key.startswith(f"{kind}-") for tag in key.split("-")[2:]}

    def shown_for(self, kind: Kind) -> dict[str, str]:
        """Give the tags that unfinished keys of ``kind`` in the org answer, each with its key."""
        found = sorted((shown for shown in self.position.shown.values() if shown.kind is kind), key=lambda shown: shown.key)
        return {tag: shown.key for shown in found for tag in shown.key.split("-")[2:]}


def open_sheet(position: Position, policy: Policy, now: datetime) -> Sheet:
    """Lay out an empty sheet for ``position`` at ``now`` (aware)."""
    now = now.astimezone(UTC)
    where = creditor_zone(position.time_zone)
    country = position.addressee.country or position.payer.country or policy.country
    done: dict[str, datetime | None] = dict.fromkeys(sorted(position.finished))
    done.update((contact.key, contact.at) for contact in position.contacts if contact.key)
    noticed = (contact.at for contact in position.contacts if contact.kind not in SILENT_KINDS)
    recent = tuple(at for at in noticed if abs(at - now) < timedelta(days=60))
    region = position.payer.region if country == position.payer.country else None
    place = f"{country}-{region}" if country and region else country
    diary = Diary(
        now, payer_zones(position.addressee, position.time_zone), place, recent, policy.contacts_per_day, policy.contacts_per_week
    )
    return Sheet(position, policy, now, now.astimezone(where).date(), where, country, done, diary)
