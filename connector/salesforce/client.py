"""The org, as the rest of Dunwell sees it: ask, insert, update, publish, in as few calls as the platform allows.

Must not know any field beyond the platform's own. Invariants: answers come in the order of the questions; a row is
reported saved only if the org said so; a result with rows missing is an error, never a shorter list.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from connector.errors import ConfigError
from connector.salesforce.auth import TokenSource
from connector.salesforce.calls import Call, Calls, MalformedReplyError
from connector.salesforce.describe import ObjectDescription
from connector.salesforce.failures import AmbiguousWrite
from connector.salesforce.limits import ApiBudget
from connector.salesforce.reading import Reading
from connector.salesforce.saved import Saved
from connector.salesforce.transport import Manner
from connector.salesforce.wire import Record, id_18, same_id
from connector.salesforce.writing import Writing

__all__ = ["AmbiguousWrite", "Insert", "Limit", "Org", "Record", "Saved", "Update", "UserInfo"]

Insert = tuple[str, Mapping[str, object]]
"""Object name, values by field name."""
Update = tuple[str, str, Mapping[str, object]]
"""Object name, record id, values by field name."""


class UserInfo(BaseModel, frozen=True):
    """Who the daemon is in the org."""

    user_id: str
    organization_id: str
    preferred_username: str = ""
    zoneinfo: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """One of the org's limits: allowed, and left."""

    max: int
    remaining: int


class Org:
    """One org. Safe for several threads.

    Every method raises ConfigError (an admin must act), TransientError (waiting helps), PermanentError (it never
    will); writes also AmbiguousWrite (read back first).
    """

    def __init__(  # noqa: PLR0913 - what a caller may set, by name
        self,
        token_source: TokenSource,
        *,
        api_version: str,
        budget: ApiBudget | None = None,
        timeout: float = 60.0,
        client_name: str = "dunwell",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        manner = Manner(api_version, timeout, client_name)
        self._calls = Calls(token_source, manner, budget or ApiBudget(), sleep=sleep)
        self._reading = Reading(self._calls)
        self._writing = Writing(self._calls, sleep=sleep)
        self._sleep = sleep

    @property
    def calls(self) -> int:
        """Requests sent so far, repeated ones included; logins not counted."""
        return self._calls.made

    @property
    def wire(self) -> tuple[Calls, Callable[[float], None]]:
        """What calls are made by and how pauses are made, for ``bulk_org``, which talks beside this."""
        return self._calls, self._sleep

    @property
    def calls_repeated(self) -> int:
        """How many of them were second or later attempts."""
        return self._calls.repeated

    @property
    def longest_call_seconds(self) -> float:
        """What one call may take with all its repetitions, a login aside; rows that meet a lock are further calls."""
        return self._calls.longest_seconds

    @property
    def budget(self) -> ApiBudget:
        """The API allowance as last seen."""
        return self._calls.budget

    @property
    def org_id(self) -> str:
        """The 18-character id of the org the token belongs to."""
        return self._calls.tokens.current().org_id or id_18(self.userinfo().organization_id)

    def close(self) -> None:
        """Let go of the connections."""
        self._calls.close()

    def verify(self, org_id: str) -> None:
        """Make sure this is the org Dunwell was set up for, now and after every renewal. Raises ConfigError if not."""
        found = self.org_id
        if not same_id(found, org_id):
            raise ConfigError(f"this is the org {found}, not {org_id} for which Dunwell is set up: check the login URL")
        self._calls.tokens.pin(org_id)

    def query(self, soql: str, *, all_rows: bool = False) -> list[Record]:
        """All rows, over all pages; ``all_rows`` sees deleted and archived ones as well."""
        return self._reading.query_many([soql], all_rows=all_rows)[0]

    def query_many(self, soqls: Sequence[str], *, all_rows: bool | Sequence[bool] = False) -> list[list[Record]]:
        """The rows of each query, five queries or further pages to a call. ``all_rows`` for all of them, or one for each."""
        return self._reading.query_many(soqls, all_rows=all_rows)

    def count(self, soql: str) -> int:
        """The number a ``SELECT COUNT() FROM ...`` finds (its reply has no rows)."""
        return self._reading.count(soql)

    def retrieve(self, sobject: str, ids: Sequence[str], fields: Sequence[str]) -> list[Record | None]:
        """Records by id, 2,000 to a call, in the order of ``ids``; None where there is none or it may not be seen."""
        return self._reading.retrieve(sobject, ids, fields)

    def describe(self, sobject: str) -> ObjectDescription:
        """One object as this user sees it. Raises ConfigError if it does not exist or may not be seen."""
        found = self.describe_many([sobject])[sobject]
        if found is None:
            raise ConfigError(f"the org has no object {sobject}, or the integration user may not see it")
        return found

    def describe_many(self, sobjects: Sequence[str]) -> dict[str, ObjectDescription | None]:
        """Several objects, 25 to a call; None for one that does not exist or may not be seen."""
        return self._reading.describe_many(sobjects)

    def insert(self, rows: Sequence[Insert]) -> list[Saved]:
        """Make records; the outcome of each, in order. Up to 1,000 to a call."""
        return self.write(rows, ())[0]

    def update(self, rows: Sequence[Update]) -> list[Saved]:
        """Change records by id; the outcome of each, in order. Up to 1,000 to a call."""
        return self.write((), rows)[1]

    def write(
        self, inserts: Sequence[Insert], updates: Sequence[Update], *, serial: bool = False, before: Callable[[], None] = lambda: None
    ) -> tuple[list[Saved], list[Saved]]:
        """Both in as few calls as possible: up to 1,000 rows each; outcomes in the order given.

        ``serial``: each collection of 200 ends its transaction before the next begins, for records that lock their
        parents. ``before`` is called ahead of each request; what it raises ends the write there. On AmbiguousWrite, its ``saved``
        answers to the inserts, then the updates.
        """
        return self._writing.write(inserts, updates, serial=serial, before=before)

    def publish(self, sobject: str, rows: Sequence[Mapping[str, object]]) -> list[Saved]:
        """Publish platform events; ``message`` of each accepted one is its EventUuid."""
        return self.insert([(sobject, row) for row in rows])

    def userinfo(self) -> UserInfo:
        """Who we are in the org."""
        return self._calls.send(Call("userinfo", identity=True), _userinfo)

    def limits(self) -> dict[str, Limit]:
        """The org's limits by name; needs View Setup and Configuration (salesforce.md C.8)."""
        return self._calls.send(Call("limits", metered=False), _limits)


def _userinfo(body: object) -> UserInfo:
    try:
        return UserInfo.model_validate(body)
    except ValidationError as error:
        raise MalformedReplyError("userinfo could not be read") from error


def _limits(body: object) -> dict[str, Limit]:
    if not isinstance(body, Mapping):
        raise MalformedReplyError("limits could not be read")
    return {
        str(name): Limit(held["Max"], held["Remaining"])
        for name, held in body.items()
        if isinstance(held, Mapping) and isinstance(held.get("Max"), int) and isinstance(held.get("Remaining"), int)
    }
