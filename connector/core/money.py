"""Amounts: Decimal with a currency at every edge, integer minor units inside, never float.

Must not convert between currencies or round: an amount with more decimals than its currency has is an
error. Invariant: ``to_decimal(to_minor(a, c), c) == a`` for every amount accepted.
"""

from decimal import Decimal, InvalidOperation
from typing import Final

_WHOLE = "BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"
_TWO = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU"
    " CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES"
    " KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL LTL LVL MAD MDL MGA MKD MMK MNT MOP MRO MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK"
    " NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STD STN SVC SYP SZL THB TJS TMT"
    " TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VEF VES WST XCD XCG YER ZAR ZMK ZMW ZWG ZWL"
)
DIGITS: Final = {code: digits for digits, codes in ((0, _WHOLE), (2, _TWO), (3, _THREE), (4, _FOUR)) for code in codes.split()}
"""Currency → decimals. Source: ISO 4217 list one (SIX, maintenance agency), the circulating and fund currencies that
state a minor unit, together with those withdrawn since 2012 (ANG, BGN, BYR, CUC, HRK, LTL, LVL, MRO, SLL, STD, VEF, ZMK,
ZWL), which old installments still carry."""

LARGEST: Final = 10**15
"""Minor units. Beyond it an amount is a mistake, and sums of a million of them would leave int64."""


def digits(currency: str) -> int:
    """Decimals of ``currency``; ValueError where ISO 4217 has no such code."""
    try:
        return DIGITS[currency]
    except KeyError:
        raise ValueError(f"'{currency}' is no currency of ISO 4217") from None


def to_minor(amount: Decimal | str | int, currency: str) -> int:
    """``amount`` in minor units of ``currency``: ``to_minor("40.00", "EUR") == 4000``.

    Raises:
        ValueError: no amount, no known currency, more decimals than the currency has, or absurdly large.

    """
    places = digits(currency)
    try:
        value = Decimal(amount)
    except InvalidOperation:
        raise ValueError(f"'{amount}' is not an amount such as 40.00") from None
    if not value.is_finite():
        raise ValueError(f"'{amount}' is not an amount such as 40.00")
    if value and not -10 <= value.adjusted() <= 18:
        raise ValueError("an amount of this size is a mistake")
    minor = value.scaleb(places)
    if minor != minor.to_integral_value():
        raise ValueError(f"{value} has more decimals than {currency}, which has {places}")
    if abs(minor) > LARGEST:
        raise ValueError("an amount of this size is a mistake")
    return int(minor)


def to_decimal(minor: int, currency: str) -> Decimal:
    """Minor units as an amount with exactly the currency's decimals: ``Decimal("40.00")``."""
    return Decimal(minor).scaleb(-digits(currency))


def text(minor: int, currency: str) -> str:
    """Minor units as people and JSON read them: ``40.00``, ``-1.250``, ``500``; never with an exponent."""
    return f"{to_decimal(minor, currency):f}"
