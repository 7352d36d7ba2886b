"""The days on which banks are closed: TARGET for the euro area, bank holidays of England for Bacs.

Worked out here instead of by the package `holidays`, which loads the calendars of all countries (half a second); a test holds
both against each other. Must not know rails. Invariant: right for the years from 2013 on, as far as holidays are announced.
Sources: European Central Bank, TARGET closing days (since 2002); gov.uk, bank holidays of England and Wales, and the
proclamations of the single days named below.
"""

from datetime import date, timedelta
from functools import cache

_ONCE = {
    2020: {date(2020, 5, 4): date(2020, 5, 8)},
    2022: {date(2022, 5, 30): date(2022, 6, 2)},
}
"""Bank holidays that were moved."""
_ADDED = frozenset({date(2022, 6, 3), date(2022, 9, 19), date(2023, 5, 8)})
"""Bank holidays of one year only: jubilee, funeral, coronation."""


def easter(year: int) -> date:
    """Give Easter Sunday (Meeus, Jones and Butcher: the anonymous Gregorian algorithm)."""
    century, rest = divmod(year, 100)
    leap, cycle = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * (year % 19) + century - leap - correction + 15) % 30
    weekday = (32 + 2 * cycle + 2 * (rest // 4) - epact - rest % 4) % 7
    shift = (year % 19 + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * shift + 114, 31)
    return date(year, month, day + 1)


@cache
def target(year: int) -> frozenset[date]:
    """Give the closing days of TARGET, weekends left out of account."""
    sunday = easter(year)
    fixed = {date(year, 1, 1), date(year, 5, 1), date(year, 12, 25), date(year, 12, 26)}
    return frozenset(fixed | {sunday - timedelta(days=2), sunday + timedelta(days=1)})


@cache
def england(year: int) -> frozenset[date]:
    """Give the bank holidays of England and Wales; one that falls on a weekend is kept on the next free working day."""
    sunday = easter(year)
    mondays = {_monday(date(year, 5, 1)), _monday(date(year, 5, 25)), _monday(date(year, 8, 25))}
    found = {sunday - timedelta(days=2), sunday + timedelta(days=1), *mondays}
    for day in (date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)):
        kept = day
        while kept.weekday() > 4 or kept in found:
            kept += timedelta(days=1)
        found.add(kept)
    moved = _ONCE.get(year, {})
    return frozenset({moved.get(day, day) for day in found} | {day for day in _ADDED if day.year == year})


def _monday(day: date) -> date:
    """Give the first Monday that is not before a day."""
    return day + timedelta(days=-day.weekday() % 7)
