"""Date literals as ranges of days, and date functions as SQL.

Must not know fields. Weeks start on Monday, fiscal years are calendar years. Source: SOQL and SOSL Reference, "Date Formats
and Date Literals", "Date Functions". Invariant: a range is [first day, day after the last) in the org's time zone.
"""

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sandbox.org.functions import add_months
from sandbox.org.values import stamp

_COUNTED = re.compile(r"(LAST|NEXT)_N_(\w+?)S:(\d+)")
_AGO = re.compile(r"N_(\w+?)S_AGO:(\d+)")
_NAMED = re.compile(r"(LAST|THIS|NEXT)_(\w+)")
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}

FUNCTIONS = {
    "CALENDAR_YEAR": "CAST(strftime('%Y', {0}) AS INTEGER)",
    "CALENDAR_QUARTER": "((CAST(strftime('%m', {0}) AS INTEGER) + 2) / 3)",
    "CALENDAR_MONTH": "CAST(strftime('%m', {0}) AS INTEGER)",
    "FISCAL_YEAR": "CAST(strftime('%Y', {0}) AS INTEGER)",
    "FISCAL_QUARTER": "((CAST(strftime('%m', {0}) AS INTEGER) + 2) / 3)",
    "FISCAL_MONTH": "CAST(strftime('%m', {0}) AS INTEGER)",
    "DAY_IN_MONTH": "CAST(strftime('%d', {0}) AS INTEGER)",
    "DAY_IN_WEEK": "(CAST(strftime('%w', {0}) AS INTEGER) + 1)",
    "DAY_IN_YEAR": "CAST(strftime('%j', {0}) AS INTEGER)",
    "DAY_ONLY": "substr({0}, 1, 10)",
    "HOUR_IN_DAY": "CAST(strftime('%H', {0}) AS INTEGER)",
    "WEEK_IN_MONTH": "((CAST(strftime('%d', {0}) AS INTEGER) + 6) / 7)",
    "WEEK_IN_YEAR": "((CAST(strftime('%j', {0}) AS INTEGER) + 6) / 7)",
}


def _start(unit: str, day: date) -> date:
    if unit == "WEEK":
        return day - timedelta(days=day.weekday())
    if unit == "DAY":
        return day
    months = _MONTHS[unit]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def _move(unit: str, day: date, count: int) -> date:
    if unit == "DAY":
        return day + timedelta(days=count)
    if unit == "WEEK":
        return day + timedelta(weeks=count)
    return date.fromisoformat(add_months(day.isoformat(), count * _MONTHS[unit]))


def _counted(direction: str, unit: str, count: int, today: date) -> tuple[date, date]:
    if unit == "DAY":
        tomorrow = today + timedelta(days=1)
        return (today - timedelta(days=count), tomorrow) if direction == "LAST" else (tomorrow, tomorrow + timedelta(days=count))
    here = _start(unit, today)
    after = _move(unit, here, 1)
    return (_move(unit, here, -count), here) if direction == "LAST" else (after, _move(unit, after, count))


def days_of(literal: str, today: date) -> tuple[date, date]:
    """Give the days a date literal stands for. Raises ValueError for a word that is no date literal."""
    word = literal.upper().replace("FISCAL_", "")
    fixed = {"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1}
    if word in fixed:
        first = today + timedelta(days=fixed[word])
        return first, first + timedelta(days=1)
    if word in ("LAST_90_DAYS", "NEXT_90_DAYS"):
        return _counted(word[:4], "DAY", 90, today)
    counted = _COUNTED.fullmatch(word)
    if counted and counted[2] in ("DAY", "WEEK", *_MONTHS):
        return _counted(counted[1], counted[2], int(counted[3]), today)
    ago = _AGO.fullmatch(word)
    if ago and ago[1] in ("DAY", "WEEK", *_MONTHS):
        first = _move(ago[1], _start(ago[1], today), -int(ago[2]))
        return first, _move(ago[1], first, 1)
    named = _NAMED.fullmatch(word)
    if named and named[2] in ("WEEK", *_MONTHS):
        first = _move(named[2], _start(named[2], today), {"LAST": -1, "THIS": 0, "NEXT": 1}[named[1]])
        return first, _move(named[2], first, 1)
    raise ValueError(f"{literal} is no date literal")


def moments_of(first: date, end: date, zone: str) -> tuple[str, str]:
    """Give the kept forms of the moments at which a range of days begins and ends in a zone."""

    def midnight(day: date) -> str:
        return stamp(datetime.combine(day, time(), ZoneInfo(zone)))

    return midnight(first), midnight(end)
