"""The event log as a pure value: ids, replay, retention, and what outlives the process."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from sandbox.streaming.log import EventLog, InvalidReplayIdError

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


def log_of(count, channel="/event/A__e", **how):
    """A log with some events, one a minute, and their replay ids."""
    log = EventLog(**how)
    return log, [log.append(channel, {"n": n}, event_uuid=str(n), at=AT + timedelta(minutes=n)) for n in range(count)]


def test_replay_ids_rise_with_holes():
    """Nobody can guess the next id, and ids rise across channels."""
    log, ids = log_of(20)
    assert ids == sorted(set(ids))
    assert {b - a for a, b in pairwise(ids)} - {1}
    assert log.append("/event/B__e", {}, event_uuid="x", at=AT) > ids[-1]


def test_since_takes_up_after_an_issued_id():
    """Events after the id, all for -2, none for -1."""
    log, ids = log_of(3)
    assert [event.replay_id for event in log.since("/event/A__e", ids[0])] == ids[1:]
    assert [event.replay_id for event in log.since("/event/A__e", -2)] == ids
    assert log.since("/event/A__e", -1) == []
    assert log.since("/event/A__e", ids[-1]) == []


def test_an_event_comes_back_as_it_went_in():
    """Payload, uuid, time and schema id are those of the publication."""
    log = EventLog()
    log.name_schema("/event/A__e", "abc", {"name": "A__e"})
    payload = {"Text__c": "Zoë", "Amount__c": 12.1, "Flag__c": True, "Empty__c": None}
    replay_id = log.append("/event/A__e", payload, event_uuid="u", at=AT)
    (event,) = log.since("/event/A__e", -2)
    assert (event.replay_id, event.event_uuid, event.payload, event.at, event.schema_id) == (replay_id, "u", payload, AT, "abc")


def test_an_id_of_nobody_is_refused():
    """Ids of other channels, between ids and expired ones are all invalid."""
    log, ids = log_of(3)
    other = log.append("/event/B__e", {}, event_uuid="x", at=AT)
    assert log.expire_before(AT + timedelta(minutes=1)) == 2
    for replay_id in (ids[0], other, ids[2] - 1 if ids[2] - 1 not in ids else 5, 10**9, -3):
        with pytest.raises(InvalidReplayIdError):
            log.since("/event/A__e", replay_id)
    assert [event.replay_id for event in log.since("/event/A__e", -2)] == ids[1:]


def test_a_group_carries_its_members_in_order():
    """One subscription to several channels sees the events as they were published."""
    log, (first,) = log_of(1)
    second = log.append("/event/B__e", {}, event_uuid="x", at=AT)
    third = log.append("/event/A__e", {}, event_uuid="y", at=AT)
    log.group("/event/All__chn", ["/event/A__e", "/event/B__e"])
    assert [event.replay_id for event in log.since("/event/All__chn", first)] == [second, third]


def test_a_group_of_nothing_is_empty():
    """A channel nobody selected anything for has no events."""
    log, _ = log_of(2)
    log.group("/data/ChangeEvents", ())
    assert log.since("/data/ChangeEvents", -2) == []


def test_only_the_newest_are_kept_when_there_are_too_many():
    """The log is bounded: every thousand events the oldest beyond the bound go."""
    log, ids = log_of(2000, most=100)
    assert [event.replay_id for event in log.since("/event/A__e", -2)] == ids[-100:]


def test_a_log_in_a_file_outlives_the_process(file):
    """Events, the last id and schemas are found again without a clean end: nothing waits in memory."""
    first, ids = log_of(3, path=file)
    first.name_schema("/event/A__e", "abc", {"name": "A__e"})
    second = EventLog(file)
    assert [event.payload for event in second.since("/event/A__e", ids[0])] == [{"n": 1}, {"n": 2}]
    assert second.schema("abc") == {"name": "A__e"}
    assert second.append("/event/A__e", {}, event_uuid="x", at=AT) > ids[-1]
    first.close()
    second.close()


def test_ids_rise_even_when_nothing_is_left(file):
    """An org opened anew never issues an id twice, expired or not."""
    first, ids = log_of(3, path=file)
    first.expire_before(ids[-1] + 1)
    first.close()
    second = EventLog(file)
    assert second.append("/event/A__e", {}, event_uuid="x", at=AT) > ids[-1]
    second.close()
