"""Tags that tell one state of a record from the next, where its time of change is too coarse for that.

State only. Its invariant: two tags of a record are equal only if nothing was committed to it in between; tags of an earlier
run are never valid again.

Source: the REST API guide gives ETags on Account only; how the platform makes them is not documented, so clients can but
compare them.
"""

import base64
import hashlib
import secrets

from sandbox.org.types import Commit

TAGGED = frozenset({"Account"})


class Revisions:
    """How often each tagged record was committed to in this run."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._run = secrets.token_bytes(8)

    def note(self, commit: Commit) -> None:
        """Take a finished transaction in; listens to the org."""
        for change in commit.changes:
            if change.sobject in TAGGED:
                self._last[change.id] = commit.number

    def tag(self, sobject: str, record_id: str) -> str | None:
        """The ETag of a record as it stands; None for objects without."""
        if sobject not in TAGGED:
            return None
        state = hashlib.sha256(self._run + f"{record_id}{self._last.get(record_id, 0)}".encode())
        return f'"{base64.b64encode(state.digest()).decode()}"'
