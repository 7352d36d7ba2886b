"""Business days: when money moves, by the calendar of the rail.

Must not know payers. Invariant: a day it gives is a working day of the calendar asked for (see closed.py).
"""

from datetime import date, timedelta

from sandbox.worlds.findock import closed

BACS = "PaymentHub-Bacs"


def is_open(day: date, processor: str) -> bool:
    """Whether money moves on that day for that processor."""
    holidays = closed.england if processor == BACS else closed.target
    return day.weekday() < 5 and day not in holidays(day.year)


def on_or_after(day: date, processor: str) -> date:
    """Give the first working day that is not before `day`."""
    while not is_open(day, processor):
        day += timedelta(days=1)
    return day


def plus(day: date, working_days: int, processor: str) -> date:
    """Move by a number of working days, forwards or (negative) backwards."""
    step = timedelta(days=1 if working_days > 0 else -1)
    for _ in range(abs(working_days)):
        day += step
        while not is_open(day, processor):
            day += step
    return day


def next_weekday(day: date, weekday: int) -> date:
    """Give the first day after `day` that is this weekday (0 = Monday)."""
    return day + timedelta(days=(weekday - day.weekday() - 1) % 7 + 1)
