"""What a subscriber is shown of an event: the message, without what the user may not read and with what the channel adds.

No sessions and no waiting. Its invariant: the same event in the log gives the same message to the same subscriber, but for
fields that enrich it, which are read when it is delivered.

Source: Change Data Capture Developer Guide, "Required Permissions", "Field-Level Security" and "Event Enrichment Considerations"
(the latest value of an enriched field; a merged event is sent once per record, with one replay id); ``EventUuid`` came with 52.0.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sandbox.org.types import Json, Record
from sandbox.streaming.changes import HEADER
from sandbox.streaming.channels import Channel
from sandbox.streaming.compound import Place, nested, without
from sandbox.streaming.log import Event

EVENT_UUID_SINCE = 52.0
_ENRICHED_KINDS = frozenset({"UPDATE", "DELETE"})

Message = dict[str, object]
ReadFields = Callable[[str, str, tuple[str, ...]], list[tuple[Place, Json]]]
"""Read fields of a record, deleted or not: object, id, names → places and values of those that have one."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription as it was granted: what its user sees of which objects, and after which replay id it takes up.

    ``hidden`` are the fields kept from the user; with ``unnamed`` they are not named in ``changedFields`` either.
    """

    channel: Channel
    visible: frozenset[str]
    hidden: Mapping[str, frozenset[Place]]
    unnamed: bool
    with_uuid: bool
    after: int


def messages(event: Event, subscription: Subscription, read: ReadFields) -> Iterator[Message]:
    """The messages by which one event reaches a subscriber: one as a rule, none when it may not be seen."""
    if event.channel not in subscription.channel.sources:
        return
    header = event.payload.get(HEADER)
    if not isinstance(header, dict):
        yield _message(event, event.payload, subscription)
        return
    sobject = str(header["entityName"])
    if sobject not in subscription.visible:
        return
    hidden = subscription.hidden.get(sobject, frozenset())
    payload = without(event.payload, hidden)
    if subscription.unnamed:
        payload[HEADER] = _unnamed(header, hidden)
    names = subscription.channel.enriched.get(sobject, ())
    if not names or header["changeType"] not in _ENRICHED_KINDS:
        yield _message(event, payload, subscription)
        return
    for record_id in header["recordIds"]:
        extra = nested(pair for pair in read(sobject, record_id, names) if pair[0] not in hidden)
        one = {HEADER: {**payload[HEADER], "recordIds": [record_id]}}
        yield _message(event, extra | payload | one, subscription)


def _unnamed(header: Mapping[str, Json], hidden: frozenset[Place]) -> Record:
    names = {".".join(path) for path in hidden}
    return {**header, "changedFields": [name for name in header["changedFields"] if name not in names]}


def _message(event: Event, payload: Mapping[str, Json], subscription: Subscription) -> Message:
    place: Message = {"replayId": event.replay_id}
    if subscription.with_uuid:
        place = {"EventUuid": event.event_uuid, **place}
    return {"channel": subscription.channel.name, "data": {"schema": event.schema_id, "payload": payload, "event": place}}
