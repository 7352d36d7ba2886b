"""What each scheme forbids about trying again: how often, how long, with how much notice.

Must not know payers or dates; it is data. Invariant: every limit names its source, and where sources
conflict the stricter reading stands.
"""

from dataclasses import dataclass

from connector.core.words import Scheme


@dataclass(frozen=True, slots=True)
class SchemeLimit:
    """Limits of one scheme. None = the scheme sets none."""

    source: str
    as_of: str
    attempts_30d: int | None = None
    """Reattempts of one credential and amount within 30 days."""
    presentments_180d: int | None = None
    """Presentments of one installment within 180 days, the first included."""
    within_days: int | None = None
    """Days after the original date within which it may be presented again."""
    within_one_month: bool = False
    """As ``within_days``, counted as one calendar month."""
    same_amount: bool = False
    """Presented again only for the amount of the first time: not after a partial payment or a credit."""
    notice_days: int = 0
    """Calendar days between telling the payer date and amount and the debit."""
    notice_business_days: int = 0
    needs_notice: bool = False


NOTHING = SchemeLimit("no collection is possible", "")
STRICTEST = SchemeLimit(
    "unknown scheme: the strictest of all",
    "2026-01-01",
    attempts_30d=2,
    presentments_180d=3,
    within_days=30,
    same_amount=True,
    notice_days=14,
    needs_notice=True,
)
LIMITS = {
    Scheme.CARD: SchemeLimit(
        "Visa: 15 reattempts in 30 days per credential and amount (bulletin AI10325 as read at docs.worldpay.com; TabaPay says 20); "
        "Mastercard: 35 in 30 days, 10 a day",
        "2025-04-11",
        attempts_30d=15,
    ),
    Scheme.WALLET: SchemeLimit("wallets ride on cards: the card limits", "2025-04-11", attempts_30d=15),
    Scheme.SEPA_CORE: SchemeLimit(
        "EPC SDD Core rulebook: pre-notification 14 calendar days unless agreed shorter", "2025-10-05", notice_days=14, needs_notice=True
    ),
    Scheme.SEPA_B2B: SchemeLimit(
        "EPC SDD B2B rulebook: pre-notification 14 calendar days unless agreed shorter", "2025-10-05", notice_days=14, needs_notice=True
    ),
    Scheme.BACS: SchemeLimit(
        "Bacs: re-present the same amount within one month, five working days' notice where the date moves (field notes 6.1)",
        "2025-01-01",
        within_one_month=True,
        same_amount=True,
        notice_business_days=5,
        needs_notice=True,
    ),
    Scheme.ACH: SchemeLimit(
        "Nacha: two re-presentments within 180 days, same amount; a changed date is announced 7 days ahead",
        "2025-01-01",
        presentments_180d=3,
        within_days=180,
        same_amount=True,
        notice_days=7,
        needs_notice=True,
    ),
    Scheme.BECS: SchemeLimit(
        "BECS: notice as the service agreement says, 14 days where it is silent", "2025-01-01", notice_days=14, needs_notice=True
    ),
    Scheme.PAD: SchemeLimit(
        "Payments Canada rule H1: one re-presentment within 30 days, same amount, 10 days' notice of date and amount",
        "2025-01-01",
        presentments_180d=2,
        within_days=30,
        same_amount=True,
        notice_days=10,
        needs_notice=True,
    ),
    Scheme.AUTOGIRO: SchemeLimit(
        "Autogiro: the payer is told at least eight banking days ahead", "2025-01-01", notice_business_days=8, needs_notice=True
    ),
    Scheme.CREDIT_TRANSFER: NOTHING,
    Scheme.CASH: NOTHING,
}

RATIO_LIMITS = {"unauthorised": 0.005, "unauthorized": 0.005, "administrative": 0.03, "overall": 0.15}
"""Return-rate levels over 60 days at which we stop presenting again (Nacha operating rules; field notes 6.3)."""


def limit_of(scheme: Scheme | None) -> SchemeLimit:
    """Give the limits of ``scheme``; those of an unknown one are the strictest."""
    return LIMITS.get(scheme, STRICTEST) if scheme is not None else STRICTEST


def can_collect(scheme: Scheme | None) -> bool:
    """Tell whether the creditor can pull money at all."""
    return limit_of(scheme) is not NOTHING


def over_ratio(scheme: Scheme | None, ratios: dict[str, float]) -> bool:
    """Tell whether returns of ``scheme`` have reached the level at which the bank complains.

    ``ratios``: ``<class>``, ``<scheme>`` or ``<scheme>.<class>`` → share; class one of ``RATIO_LIMITS``.
    """
    for name, share in ratios.items():
        owner, _, kind = name.rpartition(".")
        if not owner and kind not in RATIO_LIMITS:
            owner, kind = kind, "overall"
        if (not owner or owner == scheme) and share >= RATIO_LIMITS.get(kind, 1.1):
            return True
    return False
