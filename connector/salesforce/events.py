"""What an event from the org looks like inside Dunwell, and what its receiver promises.

Must not connect, wait or decide. Invariant: an ``Event`` always has a channel and a replay id, so that
handing it over and moving the cursor are one act of the sink.

Wire format: salesforce.md D.4 (platform events and change events over CometD).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Protocol

_NOTHING: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ChangeHeader:
    """The header of a Change Data Capture event.

    ``kind``: CREATE, UPDATE, DELETE, UNDELETE, or GAP_* when the org could not send the fields and the records
    must be read again. ``record_ids``: several if one change hit several rows of a transaction; an id can be a
    wildcard such as ``001*``. ``changed_fields``: empty except on UPDATE.
    """

    entity: str
    kind: str
    record_ids: tuple[str, ...]
    changed_fields: tuple[str, ...] = ()
    origin: str = ""
    transaction_key: str = ""
    sequence: int = 0
    committed_at: datetime | None = None
    committed_by: str | None = None

    @property
    def is_gap(self) -> bool:
        """Whether the org says that it changed records but could not say how."""
        return self.kind.startswith("GAP_")

    @property
    def client(self) -> str | None:
        """The ``Sforce-Call-Options`` client name of whoever made the change; None for people in the browser."""
        for part in self.origin.split(";"):
            name, found, value = part.strip().partition("=")
            if found and name.strip().lower() == "client":
                return value.split(",")[0].strip()
        return None


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it came. ``replay_id`` rises per channel and is not contiguous; numbers in ``payload`` are int or Decimal."""

    channel: str
    replay_id: int
    event_uuid: str | None
    payload: Mapping[str, object]
    created_at: datetime | None = None
    change: ChangeHeader | None = None


class Sink(Protocol):
    """Where events go. Called on the stream's thread only; what it accepted must survive a crash when it returns."""

    def cursor(self, channel: str) -> int | None:
        """Return the replay id up to which everything is durable; None when the channel was never received."""
        ...

    def receive(self, channel: str, events: Sequence[Event], cursor: int) -> None:
        """Keep ``events`` and set the channel's cursor to ``cursor``, both or neither.

        ``events`` may be empty: then only the cursor moves (Dunwell's own changes are not handed over). An event
        can come twice. ``cursor`` may be lower than the stored one after a gap.
        """
        ...

    def gap(self, channel: str) -> None:
        """The org refused the stored cursor: events older than it keeps are lost, poll from the last known time.

        All that is still kept comes again from the beginning, its replay ids perhaps lower than before.
        """
        ...


class EventSource(Protocol):
    """Anything that brings events to a sink: long polling now, Pub/Sub API perhaps later."""

    @property
    def connected(self) -> bool:
        """Whether events flow at this moment."""
        ...

    def start(self) -> None:
        """Begin, in the background."""
        ...

    def stop(self, timeout: float) -> bool:
        """End; True when everything has ended within ``timeout`` seconds."""
        ...


def decode(message: Mapping[str, object]) -> Event | None:
    """Return the event in a CometD message; None when it has no replay id or no body and so cannot be used."""
    channel, data = message.get("channel"), message.get("data")
    if not isinstance(channel, str) or not isinstance(data, Mapping):
        return None
    event, payload = data.get("event"), data.get("payload")
    if not isinstance(event, Mapping) or not isinstance(payload, Mapping):
        return None
    replay_id, uuid = event.get("replayId"), event.get("EventUuid")
    if type(replay_id) is not int:
        return None
    header = payload.get("ChangeEventHeader")
    change = _change(header) if isinstance(header, Mapping) else None
    created_at = change.committed_at if change is not None else _instant(payload.get("CreatedDate"))
    return Event(channel, replay_id, uuid if isinstance(uuid, str) else None, payload, created_at, change)


def _change(header: Mapping[str, object]) -> ChangeHeader:
    user, sequence = header.get("commitUser"), header.get("sequenceNumber")
    return ChangeHeader(
        entity=_text(header.get("entityName")),
        kind=_text(header.get("changeType")),
        record_ids=_texts(header.get("recordIds")),
        changed_fields=_texts(header.get("changedFields")),
        origin=_text(header.get("changeOrigin")),
        transaction_key=_text(header.get("transactionKey")),
        sequence=sequence if isinstance(sequence, int) else 0,
        committed_at=_milliseconds(header.get("commitTimestamp")),
        committed_by=user if isinstance(user, str) else None,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _instant(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _milliseconds(value: object) -> datetime | None:
    if not isinstance(value, int):
        return None
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
