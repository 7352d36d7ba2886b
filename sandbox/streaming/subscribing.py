"""Granting subscriptions: what a user asks for, against what there is and what the user may see.

No sessions, no events. Its invariant: what a subscription shows is settled when it is granted; rights that change later count
from the next subscription on. Source: Change Data Capture Developer Guide, "Permission Enforcement" (CometD subscribers).
"""

from collections.abc import Collection

from sandbox.http.platform import Platform
from sandbox.org.access import Rights
from sandbox.org.types import Json
from sandbox.streaming import catalogue
from sandbox.streaming.channels import Channel, Channels
from sandbox.streaming.compound import Place, place
from sandbox.streaming.delivery import EVENT_UUID_SINCE, Subscription


class Subscribing:
    """Grants the subscriptions of one org and reads what enriches its change events."""

    def __init__(self, platform: Platform, channels: Channels) -> None:
        self._platform = platform
        self._channels = channels

    def channel(self, name: object) -> Channel | str:
        """The channel of that name, or the error that refuses it."""
        if not isinstance(name, str) or not name:
            return catalogue.CHANNEL_NOT_NAMED
        if not name.startswith("/"):
            return catalogue.CHANNEL_WITHOUT_SLASH
        if name.startswith(("/meta/", "/service/")):
            return catalogue.RESTRICTED_CHANNEL
        if name.startswith("/u/"):
            return catalogue.GENERIC_CHANNEL_UNKNOWN
        found = self._channels.get(name, unselected=self._platform.options.unselected_channels == "silent")
        return catalogue.channel_unknown(name) if found is None else found

    def granted(self, channel: Channel, user_id: str, version: str, after: int) -> Subscription | str:
        """The subscription of a user to a channel from a replay id on, or the error that refuses it."""
        rights = Rights(self._platform.org.users[user_id], self._platform.org.schema, has_hidden=False)
        whole = self._platform.options.change_permission == "subscription"
        if refusal := self._channels.refusal(channel, rights, whole=whole):
            return refusal
        visible = self._channels.visible(channel, rights)
        hidden = {name: self._places(name, self._channels.unreadable(name, rights)) for name in visible}
        unnamed = not self._platform.options.name_hidden_changes
        return Subscription(channel, visible, hidden, unnamed, float(version) >= EVENT_UUID_SINCE, after)

    def fields(self, sobject: str, record_id: str, names: tuple[str, ...]) -> list[tuple[Place, Json]]:
        """The values that enrich an event, as they are now, of a record that may be deleted."""
        org = self._platform.org
        one = org.schema.objects[sobject]
        known = [name for name in names if name in one.fields]
        if not known:
            return []
        soql = f"SELECT {', '.join(known)} FROM {sobject} WHERE Id = '{record_id}'"
        for values in org.query(soql, user_id=org.admin.id, all_rows=True).records:
            pairs = [(place(one, name, values), _as_in_events(one.fields[name].type, values[name])) for name in known]
            return [(path, value) for path, value in pairs if path is not None and value is not None]
        return []

    def _places(self, sobject: str, names: Collection[str]) -> frozenset[Place]:
        one = self._platform.org.schema.objects[sobject]
        return frozenset(path for name in names if (path := place(one, name, {})) is not None)


def _as_in_events(kind: str, value: Json) -> Json:
    return value.replace("+0000", "Z") if kind == "datetime" and isinstance(value, str) else value
