"""The unique keys of everything Dunwell makes.

A key is built from subject, kind, level and the failure or period it answers; never from a rule name or
a policy version, so that renaming a rule makes nothing twice. Invariant: only ``[A-Za-z0-9_-]``, at
most 100 characters (an external id with a dot can be read as a file extension by the REST API:
salesforce.md C.5).
"""

import hashlib
import re
from datetime import date, datetime
from functools import lru_cache

LIMIT = 100
_FORBIDDEN = re.compile(r"[^A-Za-z0-9_]+")


def key(kind: str, subject: str, *parts: str | int | date | datetime | None) -> str:
    """``kind-subject-part-part``; dates as yyyymmdd, instants as yyyymmddThhmm UTC, levels as ``L2`` by the caller.

    Longer than ``LIMIT`` or holding other characters: the offending part is replaced by a digest of it, so
    that two different subjects never share a key.
    """
    words = [_clean(kind), _clean(subject), *[_clean(_text(part)) for part in parts if part is not None]]
    whole = "-".join(words)
    if len(whole) <= LIMIT:
        return whole
    return f"{words[0]}-{_digest(whole)}"


def _text(part: str | int | date | datetime) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, datetime):
        return part.strftime("%Y%m%dT%H%M")
    return bare_day(part) if isinstance(part, date) else str(part)


@lru_cache(maxsize=4096)
def bare_day(day: date) -> str:
    """A date as it stands in keys: yyyymmdd."""
    return day.isoformat().replace("-", "")


@lru_cache(maxsize=8192)
def _clean(word: str) -> str:
    return word if not _FORBIDDEN.search(word) else f"{_FORBIDDEN.sub('_', word)[:20]}_{_digest(word)[:12]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
