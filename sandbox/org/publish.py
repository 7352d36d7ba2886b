"""Platform events: checked against their definition, then put on the event log.

Must not deliver. Source: Platform Events Developer Guide. Invariant: an event that publishes after commit is never on the
log before its transaction has ended, and never at all when it was rolled back.
"""

from collections.abc import Mapping
from datetime import datetime

from sandbox.org import errors
from sandbox.org.parts import Parts
from sandbox.org.schema import ObjectType
from sandbox.org.types import Events, Record, Session
from sandbox.org.values import event_value, exact, reader

_SYSTEM = frozenset({"ReplayId", "EventUuid", "CreatedDate", "CreatedById"})


class Publisher:
    """Publishes the platform events of one org."""

    def __init__(self, parts: Parts, events: Events | None) -> None:
        self._schema = parts.schema
        self._access = parts.access
        self._clock = parts.clock
        self._transactions = parts.transactions
        self._number = 0
        self.events = events

    def publish(self, event: str, fields: Mapping[str, object], session: Session) -> tuple[str, int | None]:
        """Publish an event; return its uuid and replay id, the latter None while it waits for its transaction.

        Raises OrgError for an unknown event, an unknown or missing field, a value of the wrong type. Raises RuntimeError
        when the org has no event log.
        """
        one = self._schema.get(event)
        if one is None or one.kind != "event":
            raise errors.not_found()
        if not self._access.rights(session.user_id).on(one).create:
            raise errors.no_access()
        if self.events is None:
            raise RuntimeError("the org has no event log")
        log = self.events
        payload = self._payload(one, fields, session)
        self._number += 1
        uuid = self._transactions.unique(f"event/{one.name}", self._number)
        channel, at = f"/event/{one.name}", self._clock.now()
        if one.publish_after_commit and self._transactions.running:
            self._transactions.after_commit(lambda: _append(log, channel, payload, uuid, at))
            return uuid, None
        return uuid, _append(log, channel, payload, uuid, at)

    def _payload(self, one: ObjectType, fields: Mapping[str, object], session: Session) -> Record:
        payload: Record = {"CreatedDate": exact(self._clock.now()), "CreatedById": session.user_id}
        given = {name.lower(): value for name, value in fields.items() if name.lower() != "attributes"}
        known = {each.name.lower(): each for each in one.fields.values() if each.name not in _SYSTEM}
        for name in given:
            if name not in known:
                raise errors.no_such_column(next(each for each in fields if each.lower() == name), one.name)
        missing = []
        for lower, field in known.items():
            value = given.get(lower)
            if value is None and field.default is not None:
                value = field.default
            kept = reader(field)(value)
            if kept is None and not field.nillable:
                missing.append(field.name)
            payload[field.name] = event_value(field, kept)
        if missing:
            raise errors.required_missing(missing)
        return payload


def _append(log: Events, channel: str, payload: Record, uuid: str, at: datetime) -> int:
    return log.append(channel, payload, event_uuid=uuid, at=at)
