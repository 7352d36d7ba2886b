"""What worlds are made with: chance that repeats itself, portions, and the audit fields of records made long ago.

Must not know any world. Invariant: the same words give the same numbers, on every machine.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from functools import cache
from itertools import islice
from random import Random
from typing import TypeVar

from sandbox.org.values import stamp

Row = dict[str, object]
AT_WORK = time(6, 0)
"""When software works through the day's reports, UTC."""
T = TypeVar("T")


def chance_of(*words: str | int) -> Random:
    """Give a source of numbers of its own to whatever these words name."""
    return Random("/".join(str(word) for word in words))  # noqa: S311 - made-up worlds must be repeatable, nothing here is secret


def portions(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut into lists of at most so many."""
    left = iter(things)
    while portion := list(islice(left, size)):
        yield portion


def no_iban(country: str, account: str) -> str:
    """Write an account number that looks like an IBAN and cannot be one: its check digits are 00, or 01 where 00 passes for 97.

    Source: ISO 13616; check digits are 02 to 98, and whoever only takes the remainder by 97 cannot tell 00 from 97.
    """
    digits = "".join(str(int(letter, 36)) for letter in f"{account}{country}00")
    return f"{country}{'01' if int(digits) % 97 == 1 else '00'}{account}"


def add_months(first: date, months: int) -> date:
    """Move the first day of a month by whole months."""
    index = first.year * 12 + first.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def first_month(since: date, today: date, months: int) -> date:
    """Give the first month there is something to pay for: of the last so many, and not before the payer came."""
    return max(add_months(today.replace(day=1), -months), add_months(since.replace(day=1), 1))


def audit(made_on: date, moved_on: date) -> Row:
    """Audit fields of a record made and last changed on these days, at the hour software works."""
    moved = _at_work(moved_on)
    return {"CreatedDate": _at_work(made_on), "LastModifiedDate": moved, "SystemModstamp": moved}


@cache
def _at_work(day: date) -> str:
    return stamp(datetime.combine(day, AT_WORK, UTC))
