"""Which records changed: windows of whole minutes, as far back as the platform keeps them."""

import pytest


def ask(call, what, start, end):
    """Ask for changes of accounts."""
    return call("GET", f"sobjects/Account/{what}", params={"start": start, "end": end})


def test_seconds_of_a_window_are_ignored(call, admin):
    """08:00:30 asks from 08:00; what is covered ends now, not in the future."""
    record_id = call.create("Account", Name="a")
    admin("/clock", {"advance_seconds": 90})
    reply = ask(call, "updated", "2026-03-02T08:00:30Z", "2026-03-02T09:59:59Z").json()
    assert reply == {"ids": [record_id], "latestDateCovered": "2026-03-02T08:01:00.000+0000"}
    assert ask(call, "updated", "2026-03-02T08:01:00Z", "2026-03-02T08:02:00Z").json()["ids"] == []


def test_deletions_are_told_as_long_as_they_are_kept(call, admin):
    """Fifteen days by default; the answer says how far back it reaches."""
    gone = call.create("Account", Name="a")
    call("DELETE", f"sobjects/Account/{gone}")
    admin("/clock", {"advance_seconds": 16 * 86_400})
    window = ("2026-03-02T07:00:00Z", "2026-03-18T08:00:00Z")
    reply = ask(call, "deleted", *window).json()
    assert (reply["deletedRecords"], reply["earliestDateAvailable"]) == ([], "2026-03-03T08:00:00.000+0000")
    admin("/settings", {"deleted_days": 30})
    assert ask(call, "deleted", *window).json()["deletedRecords"] == [{"id": gone, "deletedDate": "2026-03-02T08:00:00.000+0000"}]


@pytest.mark.parametrize(
    "window",
    [
        ("2026-03-02T08:00:00Z", "2026-03-02T08:00:40Z"),
        ("2026-03-02T09:00:00Z", "2026-03-02T08:00:00Z"),
        ("2026-01-30T08:00:00Z", "2026-03-02T08:00:00Z"),
        ("2026-03-02T08:00:00", "2026-03-02T09:00:00Z"),
        ("x", "2026-03-02T09:00:00Z"),
    ],
)
def test_a_window_that_cannot_be_is_refused(call, window):
    """Less than a minute, the wrong way round, more than 30 days ago, without an offset, no date."""
    for what in ("updated", "deleted"):
        reply = ask(call, what, *window)
        assert (reply.status_code, reply.json()[0]["errorCode"]) == (400, "INVALID_REPLICATION_DATE")
