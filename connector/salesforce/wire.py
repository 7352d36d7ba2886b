"""Python values to the JSON the REST API reads, and its records to plain Python.

Must not send anything. Invariant: an amount is a ``Decimal`` on both sides and never passes through a float.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any

from connector.errors import PermanentError

Record = Mapping[str, object]
"""One row as the org sent it, without ``attributes``: numbers with a fraction are Decimal, whole numbers int,
dates and times text, a parent record a nested Record or None, a subquery a list of Records."""

_DATA_PATH = re.compile(r"^/services/data/v\d+\.\d+/")


def encode(value: object) -> str:
    """JSON text: Decimal digit for digit, datetimes as UTC with milliseconds, dates as yyyy-MM-dd (salesforce.md C.4).

    Raises PermanentError for NaN, infinity, a datetime without a zone and what JSON cannot hold.
    """
    return _WRITERS.get(type(value), _uncommon)(value)


def _amount(value: Decimal) -> str:
    if not value.is_finite():
        raise PermanentError("an amount to be written is not a finite number")
    return format(value, "f")


def _moment(value: datetime) -> str:
    if value.tzinfo is None:
        raise PermanentError("a point in time to be written has no time zone")
    return f'"{value.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")}Z"'


def _object(value: Mapping[str, object]) -> str:
    return "{" + ",".join([f"{_name(name)}:{_WRITERS.get(type(held), _uncommon)(held)}" for name, held in value.items()]) + "}"


def _list(value: Sequence[object]) -> str:
    return "[" + ",".join([_WRITERS.get(type(item), _uncommon)(item) for item in value]) + "]"


def _uncommon(value: object) -> str:
    """What is not exactly of a type in the table: its subclasses (words of a closed list), other mappings and sequences."""
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if isinstance(value, Decimal):
        return _amount(value)
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, date):
        return f'"{value.isoformat()}"'
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return _list(value)
    try:
        return json.dumps(value, allow_nan=False)
    except (ValueError, TypeError) as error:
        raise PermanentError(f"a value to be written cannot be sent to the org ({type(value).__name__})") from error


@lru_cache(maxsize=1024)
def _name(name: object) -> str:
    return encode_basestring_ascii(str(name))


_WRITERS: Mapping[type, Callable[[Any], str]] = {
    str: encode_basestring_ascii,
    bool: lambda value: "true" if value else "false",
    int: int.__repr__,
    type(None): lambda _: "null",
    Decimal: _amount,
    datetime: _moment,
    date: lambda value: f'"{value.isoformat()}"',
    dict: _object,
    list: _list,
    tuple: _list,
}
"""By exact type, because asking an abstract class about each of a hundred thousand values takes most of the time."""


def parents_in(soql: str) -> frozenset[str] | None:
    """Names of the parent records a query selects fields of (``A__r.B__c`` → ``A__r``); None = there may be subqueries, too."""
    selected = soql.partition(" FROM ")[0]
    if "(" in selected or "TYPEOF" in selected.upper():
        return None
    return frozenset(path.split(".")[0].split()[-1] for path in selected.split(",") if "." in path)


def strip_rows(rows: Sequence[dict[str, object]], parents: frozenset[str] | None) -> list[Record]:
    """Rows without ``attributes``, changed in place; ``parents`` as ``parents_in`` tells them, so that not every value is looked at."""
    if parents is None:
        return [strip(row) for row in rows]
    for row in rows:
        row.pop("attributes", None)
        for name in parents:
            if type(held := row.get(name)) is dict:
                row[name] = strip(held)
    return list(rows)


def strip(row: dict[str, object]) -> Record:
    """The row without ``attributes`` at any depth; a subquery becomes its list of rows. The row given is changed: copies cost.

    A subquery that goes on over a further page raises PermanentError: rows would be missing in silence.
    """
    row.pop("attributes", None)
    for name, held in row.items():
        if type(held) is dict:
            row[name] = _stripped(held)
    return row


def _stripped(held: dict[str, object]) -> object:
    rows = held.get("records")
    if isinstance(rows, list) and "done" in held:
        if held["done"] is not True:
            raise PermanentError("a subquery has more rows than one page holds; ask for the child rows in a query of their own")
        return [strip(row) for row in rows]
    return strip(held)


def below_version(url: str) -> str:
    """``query/01g...-2000`` from ``/services/data/v66.0/query/01g...-2000``."""
    return _DATA_PATH.sub("", url)


def same_id(one: str, other: str) -> bool:
    """Whether two ids name one record: the first 15 characters count, the last 3 are a checksum of their case."""
    return bool(one) and one[:15] == other[:15]


def id_18(short: str) -> str:
    """The 18-character form of a 15-character id; anything else is given back unchanged.

    Each of the three last characters encodes which of five characters are capitals (Salesforce's published rule).
    """
    if len(short) != 15:
        return short
    ends = ""
    for start in (0, 5, 10):
        bits = sum(1 << place for place, letter in enumerate(short[start : start + 5]) if letter.isascii() and letter.isupper())
        ends += "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bits]
    return short + ends
