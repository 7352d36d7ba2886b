"""Describes kept ready: worked out once for each user's rights, with the time since when they say what they say.

It describes nothing itself. Its invariant: a description that is handed out is what the org would answer now; its time moves
only when its content does.

Source: the REST API guide, sObject Describe and Describe Global (If-Modified-Since answers 304, permissions count as changes),
and a recorded composite reply whose describes carry ``ETag`` of eight hexadecimal digits and ``Last-Modified`` (CumulusCI).
"""

import zlib
from dataclasses import dataclass

import msgspec

from sandbox.http.conditions import State
from sandbox.org.org import Org
from sandbox.org.types import Commit, Record, User

_SHAPING = frozenset({"RecordType", "PermissionSet", "PermissionSetAssignment", "User", "Profile"})


@dataclass(frozen=True, slots=True)
class Description:
    """One describe with its tag and time, and what it was worked out from."""

    body: Record
    state: State
    basis: tuple[User, object, int]


class Descriptions:
    """The describes of one org. An object's name of "" means all objects."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._began = org.clock.now()
        self._setup_changes = 0
        self._known: dict[tuple[str, str, str], Description] = {}

    def note(self, commit: Commit) -> None:
        """Take a finished transaction in; listens to the org."""
        self._setup_changes += any(change.sobject in _SHAPING for change in commit.changes)

    def of(self, sobject: str, user_id: str, version: str) -> Description:
        """Describe an object, or all. Raises OrgError NOT_FOUND."""
        key = (sobject, user_id, version)
        basis = (self._org.users[user_id], self._org.schema, self._setup_changes)
        known = self._known.get(key)
        if known is not None and known.basis == basis:
            return known
        if sobject:
            body = self._org.describe(sobject, user_id, api_version=version)
        else:
            body = self._org.describe_global(user_id, api_version=version)
        etag = f'"{zlib.crc32(msgspec.json.encode(body)):08x}"'
        since = self._began if known is None else known.state.modified if known.state.etag == etag else self._org.clock.now()
        self._known[key] = Description(body, State(since, etag), basis)
        return self._known[key]
