"""What became of one record that was sent to be written.

Must not judge what to do next. Invariant: the platform's ``success`` alone decides ``ok``; an accepted platform
event carries an entry in ``errors`` (salesforce.md D.4) and is ok all the same.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.salesforce.wire import id_18

LOCKED = "UNABLE_TO_LOCK_ROW"
DUPLICATE = "DUPLICATE_VALUE"
UNPROCESSED = "UNPROCESSED"
"""Our word for a row of a bulk job that ended before it came to the row."""
TRANSIENT_CODES = frozenset(
    {LOCKED, UNPROCESSED, "SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "REQUEST_LIMIT_EXCEEDED", "LIMIT_EXCEEDED", "REQUEST_RUNNING_TOO_LONG"}
)
"""Refusals of a row that waiting may cure (salesforce.md C.7, D.4)."""

_OTHER_RECORD = re.compile(r"record with id:\s*([A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?)\b")


@dataclass(frozen=True, slots=True)
class Saved:
    """The outcome for one row. ``message`` may quote values of the record: it is never logged.

    For an accepted platform event ``message`` is its EventUuid.
    """

    id: str | None
    ok: bool
    code: str | None = None
    message: str | None = None
    duplicate_of: str | None = None
    """The 18-character id of the record that already holds the unique value, where DUPLICATE_VALUE names it."""

    @property
    def transient(self) -> bool:
        """Waiting may cure it."""
        return self.code in TRANSIENT_CODES


def saved_from(item: Mapping[str, object]) -> Saved:
    """One entry of a collections reply: ``statusCode`` there, ``errorCode`` elsewhere (salesforce.md C.6).

    Raises KeyError when it is not such an entry.
    """
    ok = item["success"] is True
    record_id = item.get("id")
    errors = item.get("errors")
    first = errors[0] if isinstance(errors, Sequence) and not isinstance(errors, str) and errors else {}
    message = _text(first, "message")
    if ok:
        return Saved(id=str(record_id) if record_id else None, ok=True, message=message)
    return refused(_text(first, "statusCode") or _text(first, "errorCode") or "UNKNOWN_EXCEPTION", message)


def refused(code: str, message: str | None) -> Saved:
    """A row that was not written."""
    found = _OTHER_RECORD.search(message or "") if code == DUPLICATE else None
    return Saved(id=None, ok=False, code=code, message=message, duplicate_of=id_18(found.group(1)) if found else None)


def _text(entry: object, name: str) -> str | None:
    held = entry.get(name) if isinstance(entry, Mapping) else None
    return held if isinstance(held, str) else None
