"""The channels of an org: which there are, what each carries, and who may listen.

Knows the schema and what a user may do; no sessions, no messages. Its invariant: an event is on a channel only if the
metadata put it there: its own definition (platform events) or a selection for Change Data Capture.

Source: Platform Events and Change Data Capture Developer Guides (custom channels, "Required Permissions for Change Event
Subscribers", "Change Event Object Support"). A single-entity channel is refused to whoever may not see all records of the
object; ``/data/ChangeEvents`` and custom channels are open to all and leave out what the user may not see.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sandbox.org.access import Rights
from sandbox.org.schema import ObjectType, Schema
from sandbox.streaming import catalogue

STANDARD_CHANNEL = "ChangeEvents"
STANDARD_OBJECTS = frozenset({
    "Account", "AccountContactRole", "Asset", "Campaign", "CampaignMember", "CampaignMemberStatus", "Case", "Contact", "Contract",
    "ContractLineItem", "EmailMessage", "EmailTemplate", "Entitlement", "Event", "EventRelation", "Individual", "Lead",
    "ListEmail", "Location", "Opportunity", "OpportunityContactRole", "OpportunitySplit", "Order", "OrderItem", "Pricebook2",
    "PricebookEntry", "Product2", "Quote", "QuoteLineItem", "ServiceContract", "Task", "TaskRelation", "User",
})  # fmt: skip
"""The standard objects with change events, as far as this org can have them."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel: the platform events it carries, or the objects whose changes it carries with the fields added to them."""

    name: str
    events: tuple[str, ...] = ()
    sobjects: tuple[str, ...] = ()
    single: bool = False
    enriched: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def sources(self) -> tuple[str, ...]:
        """The channels of the event log it is fed from."""
        return tuple(f"/event/{name}" for name in self.events) + tuple(channel_of(name) for name in self.sobjects)


def event_name(sobject: str) -> str:
    """``Case`` → ``CaseChangeEvent``, ``Hold__c`` → ``Hold__ChangeEvent``."""
    return f"{sobject[:-1]}ChangeEvent" if sobject.endswith("__c") else f"{sobject}ChangeEvent"


def channel_of(sobject: str) -> str:
    """The channel of one object's change events."""
    return f"/data/{event_name(sobject)}"


def supports_changes(one: ObjectType) -> bool:
    """Whether an object has change events: every custom object and some standard ones."""
    return one.kind == "record" and (one.name.endswith("__c") or one.name in STANDARD_OBJECTS)


class Channels:
    """All channels of one org. ``unknown`` are selections of what has no events here: nothing comes of them."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self.unknown: list[str] = []
        self._by_change = {event_name(one.name).lower(): one.name for one in schema.records() if supports_changes(one)}
        self._channels = {f"/event/{one.name}": Channel(f"/event/{one.name}", events=(one.name,)) for one in schema.events()}
        for name, members in schema.change_entities.items():
            self._select(name, members)
        self._channels.setdefault(f"/data/{STANDARD_CHANNEL}", Channel(f"/data/{STANDARD_CHANNEL}"))
        self.captured = frozenset(sobject for one in self._channels.values() for sobject in one.sobjects)
        for sobject in self.captured:
            self._channels[channel_of(sobject)] = Channel(channel_of(sobject), sobjects=(sobject,), single=True)

    def __iter__(self) -> Iterator[Channel]:
        return iter(tuple(self._channels.values()))

    def get(self, name: str, *, unselected: bool = False) -> Channel | None:
        """The channel of that name; with ``unselected`` also that of an object whose changes are not captured."""
        known = self._channels.get(name)
        if known is None and unselected and name.startswith("/data/"):
            sobject = self._by_change.get(name.removeprefix("/data/").lower())
            return Channel(name, sobjects=(sobject,), single=True) if sobject else None
        return known

    def refusal(self, channel: Channel, rights: Rights, *, whole: bool) -> str | None:
        """Why a user may not subscribe, or None. ``whole``: must see everything that the channel carries, single or not."""
        if any(not rights.on(self._schema.objects[name]).read for name in channel.events):
            return catalogue.RESTRICTED_CHANNEL
        if (channel.single or whole) and set(channel.sobjects) - self.visible(channel, rights):
            return catalogue.VIEW_ALL_DATA_MISSING
        return None

    def visible(self, channel: Channel, rights: Rights) -> frozenset[str]:
        """The objects of a channel whose changes a user is shown."""
        return frozenset(name for name in channel.sobjects if rights.view_all or rights.on(self._schema.objects[name]).view_all)

    def unreadable(self, sobject: str, rights: Rights) -> frozenset[str]:
        """The fields of an object that field-level security keeps from a user."""
        one = self._schema.objects[sobject]
        return frozenset(each.name for each in one.fields.values() if not rights.reads(one, each))

    def _select(self, name: str, members: tuple[str, ...]) -> None:
        if members and all(member.endswith("__e") for member in members):
            self._channels[f"/event/{name}"] = Channel(f"/event/{name}", events=tuple(filter(None, map(self._event, members))))
            return
        sobjects = {member: sobject for member in members if (sobject := self._changed(member))}
        enriched = {sobject: self._schema.enriched_fields.get((name, member), ()) for member, sobject in sobjects.items()}
        channel = f"/data/{name}"
        self._channels[channel] = Channel(
            channel, sobjects=tuple(sobjects.values()), enriched={sobject: names for sobject, names in enriched.items() if names}
        )

    def _event(self, member: str) -> str | None:
        one = self._schema.get(member)
        if one is None or one.kind != "event":
            self.unknown.append(member)
            return None
        return one.name

    def _changed(self, member: str) -> str | None:
        found = self._by_change.get(member.lower())
        if found is None:
            self.unknown.append(member)
        return found
