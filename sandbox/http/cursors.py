"""Query cursors: the rows of a query whose pages are still being read.

State only; it knows no SOQL and no HTTP. Its invariant: a cursor answers the same rows in the same order until it expires,
two days of org time after the query (C.4).

Source: the platform's pages on QueryLocator: ten cursors a user, the oldest is released when another is opened; reading on in
the parent ends the cursors of the children shown before. A help article gives locators of 18 characters that begin with 0r8,
the REST guide's example one with 01g.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.org.types import Record

CURSOR_LIFE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The rows of one query, or of one record's children (then ``parent`` is the id of its query's cursor, if that has one)."""

    records: list[Record]
    user_id: str
    opened_at: datetime
    child: bool = False
    parent: str = ""


class Cursors:
    """Open query cursors by id."""

    def __init__(self) -> None:
        self._open: dict[str, Cursor] = {}
        self._count = 0

    def open(self, cursor: Cursor, *, prefix: str, most: int) -> str:
        """Keep rows for later pages; returns the cursor's id. ``most`` is how many one user may have, children's apart."""
        self._count += 1
        cursor_id = f"{prefix}Sb{self._count:010d}AAA"
        self._open[cursor_id] = cursor
        own = [name for name, one in self._open.items() if one.user_id == cursor.user_id and one.child == cursor.child]
        for oldest in own[: -most if not cursor.child else -1000]:
            self._release(oldest)
        return cursor_id

    def get(self, cursor_id: str, user_id: str, now: datetime) -> Cursor | None:
        """The cursor, or None when unknown, somebody else's or older than two days."""
        cursor = self._open.get(cursor_id)
        if cursor is None or cursor.user_id != user_id or now - cursor.opened_at >= CURSOR_LIFE:
            return None
        return cursor

    def release_children(self, cursor_id: str) -> None:
        """End the cursors of the children shown on earlier pages of a cursor."""
        for name in [name for name, one in self._open.items() if one.child and one.parent == cursor_id]:
            del self._open[name]

    def _release(self, cursor_id: str) -> None:
        del self._open[cursor_id]
        self.release_children(cursor_id)
