"""Which rows of a job lose the race for a record's lock, when lock contention is turned on.

The model: the 10,000-row batches of a job are worked on side by side, a few at a time, each chunk after chunk. A batch holds the
locks of its last chunk until its next turn; a row of another batch that needs such a record waits, and by the
configured chance waits in vain. What a row locks: its record, its masters, and the targets of lookups it sets or moves.
It rests on Salesforce's "Organize Data to Minimize Lock Contention" (Bulk API 2.0 guide), "General Guidelines for Data Loads"
(Bulk API guide: a wait of seconds, then the record fails; more than 100 such records put the rest of a batch back) and
"Managing Lookup Skew" (lookup targets are locked as masters are). How many batches run side by side is not published.
Invariant: with the same seed and the same upload the same rows lose; one batch never competes with itself.
"""

import random
from collections.abc import Sequence

from sandbox.org.errors import OrgError, locked


class Locks:
    """The locks held by the batches that are being worked on, of all jobs of an org."""

    def __init__(self) -> None:
        self._holder: dict[str, object] = {}
        self._held: dict[object, list[str]] = {}

    def begin(self, batch: object) -> None:
        """Let go of what a batch holds: its next chunk begins, or it is done."""
        for record_id in self._held.pop(batch, ()):
            del self._holder[record_id]

    def claim(self, batch: object, records: Sequence[str], *, chance: float, seed: str) -> OrgError | None:
        """Take the locks of a row; the refusal if another batch has one of them and waiting does not help."""
        taken = next((each for each in records if self._holder.get(each, batch) is not batch), None)
        if taken is not None and random.Random(seed).random() < chance:  # noqa: S311 - repeatable chance, not secrecy
            return locked(taken)
        mine = self._held.setdefault(batch, [])
        for each in records:
            if each not in self._holder:
                self._holder[each] = batch
                mine.append(each)
        return None
