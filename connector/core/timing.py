"""When: time zones, quiet hours, habits, and the diary that gives each contact a lawful time.

Must not decide whether somebody is contacted. Invariant: an instant that ``Diary.place`` gives is never
in a quiet hour, on a Sunday or public holiday, or beyond the contact caps; all arithmetic is in UTC, local
time only names the wish, so a change of the clocks neither loses nor doubles a contact.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from connector.core.calendars import is_holiday
from connector.core.model import Habit, Payer, Representative
from connector.core.records import quick
from connector.core.words import Channel, Withholding
from connector.core.zones import NARROW, WIDE

OPENS, CLOSES = 8 * 60, 21 * 60
"""Minutes of the local day between which a payer may be contacted (12 CFR 1006.6(b); field notes 6.3, 6.5)."""
LAST_WISH = 20 * 60 + 30
"""A habit later than this is served at this minute: half an hour before the evening closes."""
HEAD_START = 30
"""Minutes before the usual hour at which a contact arrives."""
WEEK = timedelta(days=7)
HORIZON_DAYS = 92
"""How far ahead a time is looked for before giving up."""


@lru_cache(maxsize=1024)
def zone(name: str | None) -> ZoneInfo | None:
    """Give the zone of an IANA name; None for no name and for names nobody knows."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


@lru_cache(maxsize=4096)
def _zones(own: str | None, phone: str | None, country: str | None, creditor: str) -> tuple[ZoneInfo, ...]:
    home = [zone(own)]
    if home == [None]:
        home = [zone(name) for name in WIDE.get(country or "", (NARROW.get(country or ""),))]
    found = [one for one in (*home, zone(phone)) if one is not None]
    if not found:
        found = [zone(creditor) or ZoneInfo("UTC")]
    return tuple(dict.fromkeys(found))


def payer_zones(payer: Payer | Representative, creditor: str) -> tuple[ZoneInfo, ...]:
    """Give every zone in which a contact must be lawful: the payer's (else their country's) and their phone's."""
    return _zones(payer.time_zone, payer.phone_time_zone, payer.country, creditor)


def home_zone(own: str | None, country: str | None, creditor: str) -> ZoneInfo:
    """Give the zone a payer lives in: their own, else where most people of their country live, else the creditor's."""
    return _zones(own, None, country, creditor)[0]


def creditor_zone(name: str) -> ZoneInfo:
    """Give the creditor's zone, UTC where its name is unknown."""
    return zone(name) or ZoneInfo("UTC")


@lru_cache(maxsize=4096)
def local(day: date, minute: int, where: ZoneInfo) -> datetime:
    """Give the instant (UTC) of ``minute`` of ``day`` in ``where``."""
    return datetime.combine(day, time(minute // 60, minute % 60), where).astimezone(UTC)


def day_after(day: date) -> date | None:
    """Give the next day; None at the end of the calendar (a hold until 9999-12-31 never ends)."""
    return None if day >= date(9999, 12, 30) else day + timedelta(days=1)


@quick
@dataclass(frozen=True, slots=True)
class Wish:
    """The time a contact would like: ``minute`` of the local day, ``weekday`` (0 = Monday) or any, or at once."""

    minute: int
    weekday: int | None = None
    at_once: bool = False


DEFAULT_MINUTES = {Channel.EMAIL: 600, Channel.SMS: 720, Channel.LETTER: 540, Channel.PORTAL: 600, Channel.CALL: 600}
"""Minute of the day a channel is used at where no habit is known: mail at 10:00, a text at noon, post at 9:00."""


SUNDAY = 6
"""A habit of Sundays cannot be met, so any day will do."""


def wish(habit: Habit | None, channel: Channel) -> Wish:
    """Give half an hour before the usual hour on the usual weekday; without a habit the channel's default."""
    if habit is None:
        return Wish(DEFAULT_MINUTES[channel])
    minute = min(max(habit.minute_of_day - HEAD_START, OPENS), LAST_WISH)
    return Wish(minute, None if habit.weekday == SUNDAY else habit.weekday)


@quick
@dataclass(frozen=True, slots=True)
class Slot:
    """A lawful time, and what moved it away from the wish."""

    at: datetime
    moved_by: frozenset[Withholding] = frozenset()
    spaced: bool = False
    """Moved away from another contact that is planned."""


@dataclass(slots=True)
class Diary:
    """Times at which one payer was and will be contacted. ``taken``: contacts made; ``booked``: planned, by key."""

    now: datetime
    zones: Sequence[ZoneInfo]
    country: str | None
    taken: tuple[datetime, ...]
    per_day: int = 1
    per_week: int = 3
    booked: dict[str, datetime] = field(default_factory=dict)
    moved: bool = False
    """Something was placed at another time than it would have liked best."""

    def stands(self, planned: Mapping[str, datetime]) -> bool:
        """Tell whether everything booked stands where ``planned`` says, moved by nothing: planning around those times would change nothing."""
        return not self.moved and self.booked == {key: max(at, self.now) for key, at in planned.items()}

    def forbidden(self, at: datetime) -> Withholding | None:
        """Why nobody may be contacted at ``at``; None when they may."""
        for where in self.zones:
            there = at.astimezone(where)
            if not OPENS <= there.hour * 60 + there.minute < CLOSES:
                return Withholding.QUIET_HOURS
            if is_holiday(self.country, there.date()):
                return Withholding.HOLIDAY
        return None

    def next_lawful(self, at: datetime) -> datetime | None:
        """Give the first lawful instant at or after ``at``; None where the zones leave no common hour."""
        for _ in range(HORIZON_DAYS):
            why = self.forbidden(at)
            if why is None:
                return at
            at = min(self._opens_after(at, where) for where in self.zones)
        return None

    def _opens_after(self, at: datetime, where: ZoneInfo) -> datetime:
        day = at.astimezone(where).date()
        opening = local(day, OPENS, where)
        return opening if opening > at else local(day + timedelta(days=1), OPENS, where)

    def fits(self, at: datetime, own: str = "") -> bool:
        """Tell whether one more contact at ``at`` stays within the caps, ``own`` booking set aside."""
        return self._fits(at, [*self.taken, *(booked for key, booked in self.booked.items() if key != own)])

    def _fits(self, at: datetime, others: Sequence[datetime]) -> bool:
        day = at.astimezone(self.zones[0]).date()
        if sum(other.astimezone(self.zones[0]).date() == day for other in others) >= self.per_day:
            return False
        near = [other for other in others if abs(other - at) < WEEK]
        ends = [at, *(other for other in near if other > at)]
        return all(1 + sum(end - WEEK < other <= end for other in near) <= self.per_week for end in ends)

    def keep(self, key: str, at: datetime) -> datetime | None:
        """Keep a time planned before while it is lawful; one that has passed is due as long as now is lawful."""
        when = max(at, self.now)
        if self.forbidden(when) is None and self.fits(when, key):
            self.booked[key] = when
            return at
        return None

    def place(self, key: str, not_before: datetime, wanted: Wish) -> Slot | None:
        """Give the first lawful time at or after ``not_before`` that meets the wish, and book it."""
        if key in self.booked:
            return Slot(self.booked[key])
        start = max(not_before, self.now)
        where, moved, spaced = self.zones[0], set[Withholding](), False
        first = start.astimezone(where).date()
        for offset in range(HORIZON_DAYS):
            day = first + timedelta(days=offset)
            if offset == 7 and wanted.weekday is not None:
                wanted = replace(wanted, weekday=None)
            at = self._candidate(day, start, wanted, moved)
            if at is None:
                continue
            if self.fits(at):
                self.booked[key] = at
                self.moved |= spaced or bool(moved)
                return Slot(at, frozenset(moved), spaced)
            if self._fits(at, self.taken):
                spaced = True
            else:
                moved.add(Withholding.CONTACT_CAP)
        return None

    def _candidate(self, day: date, start: datetime, wanted: Wish, moved: set[Withholding]) -> datetime | None:
        """Give the lawful instant of ``day`` nearest after the wish; None where the day has none."""
        where = self.zones[0]
        at = max(start, local(day, OPENS, where)) if wanted.at_once else local(day, wanted.minute, where)
        if at < start or (wanted.weekday is not None and day.weekday() != wanted.weekday):
            return None
        why = self.forbidden(at)
        if why is None:
            return at
        moved.add(why)
        later = self.next_lawful(at) if why is Withholding.QUIET_HOURS else None
        return later if later is not None and later.astimezone(where).date() == day else None
