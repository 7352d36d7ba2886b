"""The event log and change capture as pure values."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from sandbox.org.types import Change, Commit, Session
from sandbox.streaming.changes import change_events, event_name, gap_event
from sandbox.streaming.log import EventLog, InvalidReplayIdError

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
CASE = "500000000000001AAA"


def log_of(count, channel="/event/A__e"):
    """A log with some events, one a minute, and their replay ids."""
    log = EventLog()
    return log, [log.append(channel, {"n": n}, event_uuid=str(n), at=AT + timedelta(minutes=n)) for n in range(count)]


def change(kind="UPDATE", fields=("Status",), record_id=CASE, client="", **values):
    """One change of a case."""
    record = {"Id": record_id, "LastModifiedDate": "2026-03-02T08:00:00.000Z", "SystemModstamp": "x"} | values
    return Change("Case", record_id, kind, fields, record, Session("005A", client))


def published(*changes):
    """The change events of one transaction."""
    return [event.payload for event in change_events(Commit("key", 7, changes, AT), frozenset({"Case"}))]


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


def test_an_id_of_nobody_is_refused():
    """Ids of other channels, between ids and expired ones are all invalid."""
    log, ids = log_of(3)
    other = log.append("/event/B__e", {}, event_uuid="x", at=AT)
    assert log.expire_before(AT + timedelta(minutes=1)) == 2
    for replay_id in (ids[0], other, ids[2] - 1 if ids[2] - 1 not in ids else 5, 10**9):
        with pytest.raises(InvalidReplayIdError):
            log.since("/event/A__e", replay_id)
    assert [event.replay_id for event in log.since("/event/A__e", -2)] == ids[1:]


def test_a_group_carries_its_members_in_order():
    """One subscription to several channels sees the events as they were published."""
    log, (first,) = log_of(1)
    second = log.append("/event/B__e", {}, event_uuid="x", at=AT)
    third = log.append("/event/A__e", {}, event_uuid="y", at=AT)
    log.group("/event/All", ["/event/A__e", "/event/B__e"])
    assert [event.replay_id for event in log.since("/event/All", first)] == [second, third]


def test_channels_are_named_after_their_objects():
    """Custom objects lose their c."""
    assert (event_name("Case"), event_name("Dunwell_Hold__c")) == ("CaseChangeEvent", "Dunwell_Hold__ChangeEvent")


def test_several_changes_of_a_row_make_one_event():
    """The last values count, and every field that changed is named once."""
    (payload,) = published(change(Status="Working"), change(fields=("Subject", "Status"), Status="Closed", Subject="s"))
    assert (payload["Status"], payload["Subject"]) == ("Closed", "s")
    assert payload["ChangeEventHeader"]["changedFields"] == ["Status", "Subject", "LastModifiedDate"]


def test_a_row_that_came_and_went_is_no_event():
    """Created and deleted in one transaction: nothing to tell."""
    assert published(change("CREATE"), change("DELETE", ())) == []


def test_a_created_row_that_was_changed_is_created():
    """CREATE carries the final values that are not null."""
    (payload,) = published(change("CREATE", ("Status",), Status="New"), change(Status="Working", Subject=None))
    assert (payload["ChangeEventHeader"]["changeType"], payload["Status"]) == ("CREATE", "Working")
    assert payload.keys() == {"Status", "LastModifiedDate", "ChangeEventHeader"}


def test_a_deletion_carries_no_fields():
    """DELETE is a header."""
    (payload,) = published(change("DELETE", ()))
    assert payload.keys() == {"ChangeEventHeader"}


def test_different_changes_are_numbered_within_their_transaction():
    """Rows changed differently are separate events with one transaction key."""
    first, second = published(change(Status="a"), change(record_id="500000000000002AAA", Status="b"))
    assert [one["ChangeEventHeader"]["sequenceNumber"] for one in (first, second)] == [1, 2]
    assert first["ChangeEventHeader"]["transactionKey"] == second["ChangeEventHeader"]["transactionKey"] == "key"


def test_the_origin_is_who_began():
    """What automations change in the same transaction carries the caller's name."""
    automation = change(record_id="500000000000002AAA", Status="b")
    payloads = published(change(client="dunwell", Status="a"), automation)
    assert {one["ChangeEventHeader"]["changeOrigin"] for one in payloads} == {"com/salesforce/api/rest/66.0;client=dunwell"}


def test_an_unknown_gap_is_refused():
    """Only the platform's five kinds of gap exist."""
    with pytest.raises(ValueError, match="GAP_MOON"):
        gap_event("Case", [CASE], "GAP_MOON", AT, "005A")
