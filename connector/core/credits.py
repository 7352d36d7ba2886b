"""Credits: what a payer has with us, and setting it off against what they owe.

Must not invent money: a payment on an installment that was not loaded is no credit. Invariant: for each
currency, credit before = set off + left over, and nothing is ever set off across currencies.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from connector.core.books import UNALLOCATED, Books, midnight
from connector.core.cells import dates, texts
from connector.core.course import Movement, walk
from connector.core.lookup import Reasons
from connector.core.model import OpenItem
from connector.core.movements import courses, rows
from connector.core.records import quick
from connector.core.settle import Balances
from connector.core.words import ClaimKind


@quick
@dataclass(frozen=True, slots=True)
class Credit:
    """Money of the payer's that settles nothing yet."""

    at: datetime
    """Since when we have it."""
    currency: str
    amount_minor: int
    is_money: bool = False
    """The payer paid it; otherwise we credited it."""


@quick
@dataclass(frozen=True, slots=True)
class SetOff:
    """What setting off came to."""

    items: tuple[OpenItem, ...]
    """Still open, ``credit_minor`` filled; those not overdue untouched."""
    covered: tuple[tuple[OpenItem, Credit], ...]
    """Wholly covered, and the last of the credits that did it."""
    left: dict[str, int]
    """Currency → minor units not used up; zero left out."""


def credits_of(books: Books, balances: Balances, reasons: Reasons) -> dict[int, list[Credit]]:
    """Credits by payer (row number): negative installments, what was paid too much, and money on no installment."""
    found: dict[int, list[Credit]] = defaultdict(list)
    slots = balances.credit > 0
    overpaid = slots & (books.amount > 0)
    walked = courses(books, overpaid, reasons)
    table = books.installments
    facts = zip(texts(table, "currency", slots), dates(table, "due_on", slots), strict=True)
    for slot, (currency, due_on) in zip(np.flatnonzero(slots).tolist(), facts, strict=True):
        if overpaid[slot]:
            at = max((at for at, _ in walked[slot].lots), default=books.now)
        else:
            at = books.now if due_on is None else min(midnight(due_on, books.zone), books.now)
        found[int(books.owner[slot])].append(Credit(at, str(currency), int(balances.credit[slot]), is_money=bool(overpaid[slot])))
    for (payer, currency), movements in _unallocated(books, reasons).items():
        found[payer] += [Credit(at, currency, amount, is_money=True) for at, amount in walk(0, movements).lots]
    return dict(found)


def _unallocated(books: Books, reasons: Reasons) -> dict[tuple[int, str], list[Movement]]:
    mask = (books.slot == UNALLOCATED) & books.payments["currency"].notna().to_numpy(dtype=np.bool_)
    found: dict[tuple[int, str], list[Movement]] = defaultdict(list)
    keys = zip(books.payer[mask].tolist(), texts(books.payments, "currency", mask), strict=True)
    for (payer, currency), one in zip(keys, rows(books, mask, reasons), strict=True):
        found[payer, str(currency)].append(one)
    return found


def set_off(items: Iterable[OpenItem], owned: Sequence[Credit]) -> SetOff:
    """Set ``owned`` off against what is overdue: debts first, gifts last, each oldest first.

    What is not due yet is left alone: the credit waits for it.
    """
    items = tuple(items)
    left = _purses(owned)
    covered: list[tuple[OpenItem, Credit]] = []
    drawn: dict[str, OpenItem | None] = {}
    for item in sorted((one for one in items if one.overdue), key=_order):
        used, last = _draw(left.get(item.currency, []), item.open_minor)
        if used == item.open_minor and last is not None:
            covered.append((item, last))
            drawn[item.id] = None
        elif used:
            drawn[item.id] = replace(item, credit_minor=used)
    kept = tuple(one for item in items if (one := drawn.get(item.id, item)) is not None)
    totals = {currency: sum(one.amount_minor for one in purse) for currency, purse in left.items()}
    return SetOff(kept, tuple(covered), {currency: total for currency, total in sorted(totals.items()) if total})


def _purses(owned: Sequence[Credit]) -> dict[str, list[Credit]]:
    purses: dict[str, list[Credit]] = defaultdict(list)
    for one in sorted(owned, key=lambda one: (one.at, one.amount_minor)):
        purses[one.currency].append(one)
    return purses


def _draw(purse: list[Credit], wanted: int) -> tuple[int, Credit | None]:
    """Take up to ``wanted`` from ``purse``, oldest first; how much, and the last credit it came from."""
    used, last = 0, None
    while purse and used < wanted:
        first = purse[0]
        part = min(first.amount_minor, wanted - used)
        used, last = used + part, first
        purse[:1] = [] if part == first.amount_minor else [replace(first, amount_minor=first.amount_minor - part)]
    return used, last


def _order(item: OpenItem) -> tuple[bool, object, str]:
    return (item.claim_kind is ClaimKind.GIFT, item.due_on, item.id)
