"""The event log: every platform event and change event of the org, kept for replay.

It knows nothing of HTTP, sessions or who listens. Its one invariant: within the whole log replay ids only rise, and are
never contiguous by promise, so that nobody can compute "the next one".

Source of the rules (D.1, D.2 of the platform's streaming guide): -1 means new events only, -2 everything retained, an id
means the events after it; an id outside what is retained, or never issued on the channel, is refused.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

NEW_ONLY = -1
ALL_RETAINED = -2


class InvalidReplayIdError(Exception):
    """The replay id is past retention, or was never issued on this channel."""

    def __init__(self, channel: str, replay_id: int) -> None:
        self.channel = channel
        self.replay_id = replay_id
        super().__init__(f"replay id {replay_id} was never issued on {channel} or is no longer retained")


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it was published. ``payload`` is ready for JSON; ``at`` is the org's time of publication."""

    channel: str
    replay_id: int
    event_uuid: str
    payload: Mapping[str, object]
    at: datetime


class EventLog:
    """Events per channel in order of publication, all in memory.

    ``on_append`` is called with every event right after it is stored; listeners must not publish from inside it.
    """

    def __init__(self, first_replay_id: int = 1000) -> None:
        self.on_append: list[Callable[[Event], None]] = []
        self._last = first_replay_id
        self._issued = 0
        self._events: dict[str, list[Event]] = {}
        self._groups: dict[str, tuple[str, ...]] = {}

    def append(self, channel: str, payload: Mapping[str, object], *, event_uuid: str, at: datetime) -> int:
        """Store one event and return its replay id, higher than every one before it."""
        self._issued += 1
        self._last += 1 + (self._issued * 7 % 4)
        event = Event(channel, self._last, event_uuid, payload, at)
        self._events.setdefault(channel, []).append(event)
        for listener in tuple(self.on_append):
            listener(event)
        return event.replay_id

    def group(self, channel: str, members: Iterable[str]) -> None:
        """Let ``channel`` carry the events of other channels as well (``/data/ChangeEvents``, custom channels)."""
        self._groups[channel] = tuple(dict.fromkeys(members))

    def members(self, channel: str) -> tuple[str, ...]:
        """The channels whose events a subscriber of ``channel`` receives; itself when it is no group."""
        return self._groups.get(channel, (channel,))

    def since(self, channel: str, replay_id: int) -> list[Event]:
        """The retained events after ``replay_id``, oldest first; none for -1, all for -2.

        Raises InvalidReplayIdError for an id that is not retained or was never issued on this channel.
        """
        if replay_id == NEW_ONLY:
            return []
        retained = self._retained(channel)
        if replay_id == ALL_RETAINED:
            return retained
        ids = [event.replay_id for event in retained]
        place = bisect_right(ids, replay_id)
        if place == 0 or ids[place - 1] != replay_id:
            raise InvalidReplayIdError(channel, replay_id)
        return retained[place:]

    def last_replay_id(self) -> int:
        """The highest replay id issued so far, on any channel."""
        return self._last

    def expire_before(self, limit: int | datetime) -> int:
        """Forget the events before a replay id, or published before a time; return how many went."""
        gone = 0
        for channel, events in self._events.items():
            kept = [event for event in events if not _before(event, limit)]
            gone += len(events) - len(kept)
            self._events[channel] = kept
        return gone

    def _retained(self, channel: str) -> list[Event]:
        members = self.members(channel)
        if len(members) == 1:
            return list(self._events.get(members[0], ()))
        return sorted((event for member in members for event in self._events.get(member, ())), key=lambda event: event.replay_id)


def _before(event: Event, limit: int | datetime) -> bool:
    return event.at < limit if isinstance(limit, datetime) else event.replay_id < limit
