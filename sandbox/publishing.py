"""Publishing a platform event for a client: within the hourly allowance, counted, and with the id that answers show.

Must not know how the client asked: REST, a collection, a bulk job. Source: Platform Events Developer Guide, "Platform Event
Allocations", "Publish Event Messages with Salesforce APIs". Invariant: what is beyond the allowance is refused before anything
is published.
"""

from collections.abc import Mapping
from typing import Protocol

from sandbox.faults import Faults
from sandbox.options import Options
from sandbox.org.errors import OrgError
from sandbox.org.org import Org
from sandbox.org.schema import ObjectType
from sandbox.org.types import Session
from sandbox.usage import Usage

_LIMIT_WORDS = "You have exceeded the hourly limit of platform event messages that can be published"


class Place(Protocol):
    """Where events are published: an org with its settings, faults and counters."""

    @property
    def org(self) -> Org:
        """The org."""
        ...

    @property
    def options(self) -> Options:
        """Its settings."""
        ...

    @property
    def faults(self) -> Faults:
        """Its faults."""
        ...

    @property
    def usage(self) -> Usage:
        """Its counters."""
        ...


def publish(place: Place, kind: ObjectType, fields: Mapping[str, object], session: Session) -> tuple[str, str]:
    """Publish an event; give the id answers show, and its uuid. Raises OrgError."""
    now = place.org.clock.now()
    spent = place.usage.publications.recent(now) >= place.options.publish_limit
    if spent or place.faults.take("publish_limit", target=kind.name):
        raise OrgError(400, "LIMIT_EXCEEDED", _LIMIT_WORDS)
    uuid, replay_id = place.org.publish(kind.name, fields, session=session)
    place.usage.publications.add(now)
    place.usage.counts["events_published"] += 1
    return f"e01{(replay_id or 0) % 10**12:012d}AAA", uuid
