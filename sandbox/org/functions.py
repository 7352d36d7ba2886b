"""Functions SQLite lacks and formulas or SOQL need.

Must not see the schema. Dates are YYYY-MM-DD texts, datetimes the kept form of values.py.
Invariant: null in, null out.
"""

import calendar
import math
import sqlite3
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from sandbox.org.values import stamp

Scalar = str | int | float | None
_EARTH_RADIUS = 6371.0088


def _strict(function: Callable[..., Scalar]) -> Callable[..., Scalar]:
    def guarded(*given: Scalar) -> Scalar:
        return None if any(each is None for each in given) else function(*given)

    return guarded


def add_months(day: str, months: float) -> str:
    """Move a date by months; the end of a month stays the end of a month."""
    start = date.fromisoformat(day[:10])
    index = start.year * 12 + start.month - 1 + int(months)
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    was_last = start.day == calendar.monthrange(start.year, start.month)[1]
    return date(year, month + 1, last if was_last else min(start.day, last)).isoformat() + day[10:]


def half_up(number: float, digits: float) -> float:
    """Round half away from zero, as formulas do."""
    return float(Decimal(str(number)).quantize(Decimal(1).scaleb(-int(digits)), rounding=ROUND_HALF_UP))


def local(at: str, zone: str) -> str:
    """Give the kept form of a datetime as a wall-clock time of a zone, without a zone mark."""
    moment = datetime.fromisoformat(at).astimezone(ZoneInfo(zone))
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def make_date(year: float, month: float, day: float) -> str | None:
    """Build a date; null for one that does not exist."""
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None


def date_value(text: str, zone: str) -> str | None:
    """Take the date of a datetime (in a zone) or of a text; null where there is none."""
    try:
        if "T" in text:
            return local(text, zone)[:10]
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        return None


def datetime_value(text: str) -> str | None:
    """Read a datetime from text; null where there is none."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return stamp(at if at.tzinfo else at.replace(tzinfo=UTC))


def number_value(text: str) -> float | None:
    """Read a number from text; null where there is none."""
    try:
        return float(text)
    except ValueError:
        return None


def number_text(number: float) -> str:
    """Write a number as TEXT() does: no trailing zeros, no exponent."""
    written = format(Decimal(str(number)).normalize(), "f")
    return "0" if written in ("-0", "") else written


def great_circle(from_latitude: float, from_longitude: float, to_latitude: float, to_longitude: float) -> float:
    """Measure the way between two places over the ground, in kilometres (haversine)."""
    a, b = math.radians(from_latitude), math.radians(to_latitude)
    east = math.radians(to_longitude - from_longitude)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(east / 2) ** 2
    return 2 * _EARTH_RADIUS * math.asin(min(1.0, math.sqrt(half)))


def sort_key(text: str) -> str:
    """Give what a text is sorted by: without case, and letters with accents beside those without."""
    if text.isascii():
        return text.lower()
    plain = "".join(each for each in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(each))
    return f"{plain}\0{text.casefold()}"


def _upper(text: str) -> str:
    return str(text).upper()


def _lower(text: str) -> str:
    return str(text).lower()


def register(connection: sqlite3.Connection) -> None:
    """Make the functions known to a connection, all deterministic."""
    for name, count, function in (
        ("add_months", 2, add_months),
        ("half_up", 2, half_up),
        ("local_time", 2, local),
        ("make_date", 3, make_date),
        ("date_value", 2, date_value),
        ("datetime_value", 1, datetime_value),
        ("number_value", 1, number_value),
        ("number_text", 1, number_text),
        ("great_circle", 4, great_circle),
        ("sort_key", 1, sort_key),
        ("upper_text", 1, _upper),
        ("lower_text", 1, _lower),
        ("power_of", 2, lambda base, power: float(base) ** float(power)),
        ("floor_of", 1, lambda number: float(number // 1)),
        ("ceiling_of", 1, lambda number: float(-(-number // 1))),
        ("remainder_of", 2, lambda number, by: None if not by else float(number - by * (number // by))),
    ):
        connection.create_function(name, count, _strict(function), deterministic=True)
