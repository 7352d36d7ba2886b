"""What a user had in hand of late: the records made, changed or read one by one.

State only; whether a record is still there is asked when it is shown. Its invariant: a record stands once in a user's list,
the newest first.

Source: the REST API guide, MRU header (creating, changing and reading single records count unless ``updateMru=false``,
queries and collections never) and Recently Viewed Items (200 at most).
"""

from collections import OrderedDict

MOST_KEPT = 200


class Recent:
    """The recent records of all users."""

    def __init__(self) -> None:
        self._lists: dict[str, OrderedDict[str, str]] = {}

    def note(self, user_id: str, sobject: str, record_id: str) -> None:
        """Put a record first in a user's list."""
        mine = self._lists.setdefault(user_id, OrderedDict())
        mine[record_id] = sobject
        mine.move_to_end(record_id)
        if len(mine) > MOST_KEPT:
            mine.popitem(last=False)

    def of(self, user_id: str, sobject: str | None = None) -> list[tuple[str, str]]:
        """Object and id of a user's recent records, the newest first; of one object, or of all."""
        mine = self._lists.get(user_id, OrderedDict())
        return [(name, record_id) for record_id, name in reversed(mine.items()) if sobject in {None, name}]
