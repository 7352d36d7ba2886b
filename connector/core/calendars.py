"""Days on which nobody is contacted and no money moves: public holidays and the banks' business days.

Must not look at a clock or a payer. Invariant: a country or calendar nobody knows has no holidays beyond
Saturdays and Sundays, and never raises.
"""

from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache

import holidays

from connector.core.words import Scheme

FINANCIAL = {Scheme.SEPA_CORE: "ECB", Scheme.SEPA_B2B: "ECB"}
"""Schemes that settle by a calendar of their own: SEPA by TARGET (the European Central Bank's closing days)."""
BANKS = {Scheme.BACS: "GB", Scheme.ACH: "US", Scheme.BECS: "AU", Scheme.PAD: "CA", Scheme.AUTOGIRO: "SE"}
"""Schemes that settle on the bank business days of one country."""
PARTS = {"GB": "ENG"}
"""Countries whose holidays are those of their parts, and the part that stands for the whole: most of its people, and Bacs."""
NONE: frozenset[date] = frozenset()


@lru_cache(maxsize=2048)
def public_holidays(country: str | None, year: int) -> frozenset[date]:
    """Public holidays of ``country`` (``NL``) or of a part of it (``GB-SCT``) in ``year``; nation-wide where the part is unknown."""
    return _listed(holidays.country_holidays, country, year)


@lru_cache(maxsize=512)
def _financial(market: str, year: int) -> frozenset[date]:
    return _listed(holidays.financial_holidays, market, year)


def _listed(source: Callable[..., object], name: str | None, year: int) -> frozenset[date]:
    if not name:
        return NONE
    country, _, region = name.partition("-")
    country = country.upper()
    for part in dict.fromkeys((_part(country, region) or PARTS.get(country), PARTS.get(country), None)):
        try:
            found = source(country, years=year, **({"subdiv": part} if part else {}))
        except (NotImplementedError, KeyError, ValueError, AttributeError):
            continue
        return frozenset(found) if isinstance(found, dict) else NONE
    return NONE


@lru_cache(maxsize=512)
def _part(country: str, region: str) -> str | None:
    """Give the code of a part of a country, written as a code (``BY``) or by name (``Bayern``); as it is where nobody knows it."""
    known = getattr(getattr(holidays, country, None), "subdivisions_aliases", {})
    wanted = region.strip().casefold()
    return next((code for word, code in known.items() if word.casefold() == wanted), region.strip().upper()) or None


def is_holiday(country: str | None, day: date) -> bool:
    """Tell whether ``day`` is a Sunday or a public holiday of ``country``."""
    return day.weekday() == 6 or day in public_holidays(country, day.year)


def is_business_day(scheme: Scheme | None, country: str | None, day: date) -> bool:
    """Tell whether banks settle on ``day``: by the scheme's calendar, else by that of ``country``."""
    if day.weekday() >= 5:
        return False
    if scheme in FINANCIAL:
        return day not in _financial(FINANCIAL[scheme], day.year)
    return day not in public_holidays(BANKS.get(scheme, country) if scheme else country, day.year)


def business_day_from(scheme: Scheme | None, country: str | None, day: date) -> date:
    """Give ``day`` or the first business day after it."""
    while not is_business_day(scheme, country, day):
        day += timedelta(days=1)
    return day


def plus_business_days(scheme: Scheme | None, country: str | None, day: date, count: int) -> date:
    """Give the business day that lies ``count`` business days after ``day``."""
    for _ in range(count):
        day = business_day_from(scheme, country, day + timedelta(days=1))
    return day
