"""Habits: when a payer pays when they pay themselves, and on which day of the month money comes after a failure.

Must not learn from collection dates: those are the creditor's habit. Invariant: a habit rests on payments
the payer made themselves, at a known time, by card, wallet, transfer or pay link, in the payer's own time zone.

What counts as a habit: at least ``LEAST`` such payments in the last ``MONTHS`` months, of which at least
half, and no fewer than two, lie within two hours of the day. The weekday counts only when at least half of
them fall on it and no other day has as many.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, time
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from connector.core.books import Books, Bools
from connector.core.cells import instants, texts
from connector.core.model import Habit
from connector.core.timing import home_zone
from connector.core.words import DIRECT_DEBIT, Outcome, Scheme

LEAST = 3
MONTHS = 24
WINDOW_MINUTES = 120
_DAY_MINUTES = 24 * 60


def habits(books: Books, payers: Bools) -> dict[int, Habit]:
    """Habits of the payers marked in ``payers``, by row number."""
    table = books.payments
    start = pd.Timestamp(books.now) - pd.DateOffset(months=MONTHS)
    mask = books.having(Outcome.COLLECTED) & payers[books.payer] & (table["at"] > start).to_numpy(dtype=np.bool_)
    mask &= _self_made(table)
    if not mask.any():
        return {}
    places = zip(texts(books.payers, "time_zone"), texts(books.payers, "country"), strict=True)
    zones = [home_zone(own, country, books.zone.key) for own, country in places]
    moments: dict[int, list[datetime]] = defaultdict(list)
    for payer, at in zip(books.payer[mask].tolist(), instants(table, "at", mask), strict=True):
        zone = zones[payer]
        if at is not None and not _day_only(at, (zone, books.zone)):
            moments[payer].append(at.astimezone(zone))
    found = {payer: habit_in(ones) for payer, ones in moments.items()}
    return {payer: habit for payer, habit in found.items() if habit is not None}


def habit_in(moments: Iterable[datetime]) -> Habit | None:
    """The habit in local times of payments, or None."""
    moments = sorted(moments)
    if len(moments) < LEAST:
        return None
    minutes = sorted(one.hour * 60 + one.minute for one in moments)
    windows = [
        [(other - start) % _DAY_MINUTES for other in minutes if (other - start) % _DAY_MINUTES <= WINDOW_MINUTES] for start in minutes
    ]
    best = max(range(len(minutes)), key=lambda at: (len(windows[at]), -minutes[at]))
    within = sorted(windows[best])
    if len(within) < 2 or len(within) * 2 < len(moments):
        return None
    minute = (minutes[best] + within[(len(within) - 1) // 2]) % _DAY_MINUTES
    return Habit(minute, _weekday(moments), len(within))


def pay_day(recovered_at: Iterable[datetime], zone: ZoneInfo) -> int | None:
    """Commonest day of month on which money came after a failure, in the creditor's time zone; of several, the latest used."""
    days = [one.astimezone(zone).day for one in sorted(recovered_at)]
    if not days:
        return None
    often = Counter(days)
    return max(reversed(days), key=lambda day: often[day])


def _weekday(moments: list[datetime]) -> int | None:
    (day, times), *others = Counter(one.weekday() for one in moments).most_common(2)
    shared = bool(others) and others[0][1] == times
    return day if times * 2 >= len(moments) and not shared else None


def _self_made(table: pd.DataFrame) -> Bools:
    """Payments the payer made: marked so, or a transfer, which nobody else can make; never a direct debit nor cash."""
    scheme = table["scheme"]
    marked = table["payer_initiated"].fillna(value=False).to_numpy(dtype=np.bool_)
    transfer = table["payer_initiated"].isna().to_numpy(dtype=np.bool_) & (scheme == Scheme.CREDIT_TRANSFER).to_numpy(dtype=np.bool_)
    other: Bools = (marked | transfer) & ~scheme.isin([*DIRECT_DEBIT, Scheme.CASH]).to_numpy(dtype=np.bool_)
    return other


def _day_only(at: datetime, zones: tuple[ZoneInfo, ZoneInfo]) -> bool:
    return time() in (at.time(), *(at.astimezone(zone).time() for zone in zones))
