"""Events that have arrived and are not durable yet: put in order, freed of repeats and of our own echoes.

Must not store, wait or log. Invariant: a batch's cursor is never beyond an event that arrived and was not in
this or an earlier batch of its channel.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from connector.salesforce.events import Event, decode

_BY_REPLAY_ID = attrgetter("replay_id")


@dataclass(frozen=True, slots=True)
class Batch:
    """What the sink is given: ``events`` oldest first, perhaps none, and the ``cursor`` after them."""

    channel: str
    events: Sequence[Event]
    cursor: int


@dataclass(slots=True)
class _Queue:
    events: list[Event]
    cursor: int | None
    sorted: bool = True


class Pending:
    """The queue of one connection. ``own_client`` is the client name whose changes are dropped (the cursor moves past them)."""

    def __init__(self, own_client: str) -> None:
        self._own_client = own_client
        self._queues: dict[str, _Queue] = {}
        self.unusable: dict[str, int] = {}
        """Events without replay id or body, counted by channel; whoever reports them empties it."""

    def __bool__(self) -> bool:
        return any(queue.events for queue in self._queues.values())

    def begin(self, channel: str, cursor: int | None) -> None:
        """Expect events of ``channel`` after ``cursor``; None = from the beginning, with whatever ids there are."""
        self._queues[channel] = _Queue([], cursor)

    def add(self, message: Mapping[str, object]) -> None:
        """Take one CometD message in the order of arrival."""
        event = decode(message)
        if event is None:
            channel = str(message.get("channel"))
            self.unusable[channel] = self.unusable.get(channel, 0) + 1
            return
        queue = self._queues.get(event.channel)
        if queue is None:
            queue = self._queues[event.channel] = _Queue([], None)
        if queue.events and event.replay_id <= queue.events[-1].replay_id:
            queue.sorted = False
        queue.events.append(event)

    def take(self, limit: int) -> Batch | None:
        """Remove and return up to ``limit`` of the oldest events of one channel; None when nothing is queued.

        Ids rise per channel (salesforce.md D.1), so what arrived out of order is put right before it is cut into
        batches: else the cursor of a batch could pass an event of the next one.
        """
        for channel, queue in self._queues.items():
            if not queue.events:
                continue
            if not queue.sorted:
                queue.events = list({event.replay_id: event for event in sorted(queue.events, key=_BY_REPLAY_ID)}.values())
                queue.sorted = True
            taken, queue.events = queue.events[:limit], queue.events[limit:]
            last = taken[-1].replay_id
            queue.cursor = last if queue.cursor is None else max(queue.cursor, last)
            return Batch(channel, [event for event in taken if not self._is_own(event)], queue.cursor)
        return None

    def _is_own(self, event: Event) -> bool:
        """Whether we made this change ourselves; a gap is never ours alone."""
        return event.change is not None and not event.change.is_gap and event.change.client == self._own_client
