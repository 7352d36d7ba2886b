"""Which channels an org has: from platform events, and from what is selected for Change Data Capture."""

from dataclasses import replace

import pytest

from sandbox.streaming.channels import Channels


def selecting(schema, **selected):
    """The schema with these selections only."""
    return replace(schema, change_entities=selected)


def test_every_platform_event_has_its_channel(schema):
    """One channel per event, fed by itself."""
    assert Channels(schema).get("/event/Outcome__e").sources == ("/event/Outcome__e",)


def test_a_selected_object_has_a_channel_of_its_own_besides(schema):
    """What any channel selects can be listened to alone."""
    channels = Channels(selecting(schema, Sales__chn=("CaseChangeEvent", "Thing__ChangeEvent")))
    assert channels.get("/data/Sales__chn").sources == ("/data/CaseChangeEvent", "/data/Thing__ChangeEvent")
    assert channels.get("/data/CaseChangeEvent").single
    assert channels.captured == {"Case", "Thing__c"}
    assert channels.get("/data/ChangeEvents").sources == ()
    assert channels.get("/data/AccountChangeEvent") is None


def test_a_custom_channel_may_group_platform_events(schema):
    """Then it stands below /event."""
    channels = Channels(selecting(schema, All__chn=("Outcome__e",)))
    assert channels.get("/event/All__chn").sources == ("/event/Outcome__e",)
    assert channels.get("/data/All__chn") is None


@pytest.mark.parametrize("member", ["MoonChangeEvent", "GroupChangeEvent", "Case"])
def test_selecting_what_has_no_change_events_is_told(schema, member):
    """Not every object has them, and a selection names the event, not the object; the rest of the channel works."""
    channels = Channels(selecting(schema, ChangeEvents=("CaseChangeEvent", member)))
    assert channels.unknown == [member]
    assert channels.get("/data/ChangeEvents").sobjects == ("Case",)


def test_wildcards_are_no_channels(schema):
    """A subscription names one channel."""
    channels = Channels(schema)
    assert [channels.get(name, unselected=True) for name in ("/event/*", "/event/**", "/data/*", "/**")] == [None] * 4
