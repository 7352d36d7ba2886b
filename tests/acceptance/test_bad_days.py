"""Bad days of an org: the daemon recovers or waits, says so once, loses nothing and writes nothing twice."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.picture import made_twice, picture
from tests.support.scenario import MONDAY_TEN, NO_FUNDS, NO_MONEY, WEDNESDAY_NOON
from tests.support.stage import POLL, Stage, staged
from tests.support.town import Neighbour, outcome

NEIGHBOURS = (Neighbour("Ada"), Neighbour("Bas", rail="sepa"), Neighbour("Dora"))
REST = "/services/data"
WRITES = "/services/data/v66.0/composite/sobjects"
AGES = timedelta(minutes=16)
"""Longer than the daemon waits for a spent allowance."""
A_MOMENT = timedelta(seconds=5)
Shown = Mapping[str, list[tuple[object, object]]]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A daemon at rest on Monday at ten."""
    with staged(tmp_path, NEIGHBOURS, DUNWELL_REQUEST_TIMEOUT_SECONDS="2") as one:
        one.start()
        one.rest()
        one.at(MONDAY_TEN)
        one.rest(polled=True)
        yield one


@pytest.fixture(scope="module")
def good_day(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """What the org shows after a day on which nothing went wrong."""
    with staged(tmp_path_factory.mktemp("good"), NEIGHBOURS) as one:
        one.start()
        one.rest()
        one.at(MONDAY_TEN)
        one.rest(polled=True)
        news(one)
        one.rest()
        one.at(WEDNESDAY_NOON)
        one.rest(polled=True)
        assert loud(one) == {}
        return shown(one)


def news(stage: Stage) -> None:
    """Two payments fail and one arrives."""

    def work() -> None:
        for name, code in (("Ada", "51"), ("Bas", "AM04")):
            fields = {"cpm__Status__c": "Failed", "cpm__Last_ReasonCode_Received__c": code}
            stage.update("cpm__Installment__c", stage.town.bill_id(name), fields)
        stage.publish(
            outcome(stage.town.bill("Ada"), "failed", stage.now(), "ada-1", **NO_MONEY),
            outcome(stage.town.bill("Bas"), "failed", stage.now(), "bas-1", **NO_FUNDS),
            outcome(stage.town.bill("Dora"), "collected", stage.now(), "dora-1"),
        )

    stage.together(work)


def shown(stage: Stage) -> Shown:
    """Key and status of everything Dunwell made; once it is at rest a pass over everyone has nothing to add."""
    own = ("Dunwell_Attempt__c", "Dunwell_Follow_Up__c", "Dunwell_Position__c", "Dunwell_Hold__c", "Task")
    found = {
        name: sorted(
            (row["Dunwell_Key__c"], row.get("Status__c", row.get("Status")))
            for row in stage.query(f"SELECT {fields} FROM {name}", all_rows=True)
        )
        for name in own
        for fields in ["Dunwell_Key__c" + (", Status" if name == "Task" else "" if name == "Dunwell_Hold__c" else ", Status__c")]
    }
    found["links"] = [(a, b) for a, b in picture(stage)["links"]]
    found["payments"] = [(row[0], row[4]) for row in picture(stage)["cpm__Payment__c"] if row[0] is not None]
    assert made_twice(stage) == []
    assert stage.reconcile()["changes"] == 0
    return found


def loud(stage: Stage) -> Counter[str]:
    """How often each warning or error was logged."""
    return Counter(str(line["event"]) for line in stage.loud())


def calls(stage: Stage) -> int:
    """REST requests the org has seen."""
    return sum(REST in one for one in stage.watch.begun)


def recovered(stage: Stage, good_day: Shown, *, said: set[str]) -> None:
    """In the end all is as on a good day, and what was wrong was said at most once each, in these words."""
    stage.rest(step=A_MOMENT)
    stage.at(WEDNESDAY_NOON)
    stage.rest(polled=True, step=A_MOMENT)
    noted = loud(stage)
    assert set(noted) <= said, stage.trouble()
    assert all(count == 1 for count in noted.values()), stage.trouble()
    assert shown(stage) == good_day


def test_an_expired_token_is_renewed_and_nobody_notices(stage: Stage, good_day: Shown) -> None:
    """An access token that has expired is replaced in the middle of the work."""
    stage.admin("tokens/expire")
    news(stage)
    recovered(stage, good_day, said={"stream.lost"})
    assert len(stage.running().lines("token.renewed")) == 2, "one login at start, one after the token died"


def test_a_revoked_token_is_replaced_and_the_stream_comes_back(stage: Stage, good_day: Shown) -> None:
    """An admin who revokes every token, streaming sessions included, stops nothing for longer than a login."""
    stage.admin("tokens/revoke")
    news(stage)
    recovered(stage, good_day, said={"stream.lost"})
    assert len(stage.running().lines("token.renewed")) == 2


def test_an_org_in_maintenance_is_waited_for(stage: Stage, good_day: Shown) -> None:
    """An org that answers every call with 503 and a page of html is asked again later; one warning, one all-clear."""
    stage.fault("http_status", count=None, path=REST)
    news(stage)
    waits(stage)
    for _ in range(3):
        stage.later(timedelta(seconds=0.7))
        waits(stage)
    for _ in range(2):
        before = calls(stage)
        stage.later(POLL)
        stage.until(lambda before=before: calls(stage) >= before + 8, "the daemon did not try again")
    waits(stage)
    assert stage.running().get("/readyz").status_code == 503
    stage.admin("faults", method="DELETE")
    stage.later(AGES)
    recovered(stage, good_day, said={"org.unavailable", "poll.failed", "job.postponed"})
    assert len(stage.running().lines("org.recovered")) == 1


def waits(stage: Stage) -> None:
    """The daemon knows that the org does not answer, and does not forget it before it does."""
    stage.until(lambda: stage.running().status()["waiting"], "the daemon does not say that it waits")


def test_locked_rows_are_written_a_moment_later(stage: Stage, good_day: Shown) -> None:
    """A row that somebody else holds locked for a moment costs nobody anything."""
    for sobject in ("Dunwell_Follow_Up__c", "Task", "cpm__Installment__c", "Dunwell_Attempt__c"):
        stage.fault("row_lock", sobject=sobject, count=2)
    news(stage)
    recovered(stage, good_day, said=set())


def test_rows_locked_for_long_are_tried_again_until_they_are_free(stage: Stage, good_day: Shown) -> None:
    """A lock that outlasts the short retries brings its payer up again by itself; the other payers are done meanwhile."""
    stage.fault("row_lock", sobject="Task", count=12)
    news(stage)
    recovered(stage, good_day, said={"payer.postponed"})


def test_a_spent_allowance_is_waited_for_without_asking(stage: Stage, good_day: Shown) -> None:
    """When the org's daily calls are used up no call is wasted on asking whether they still are."""
    stage.fault("limit_exhausted", count=None)
    news(stage)
    waits(stage)
    stage.later(POLL)
    waits(stage)
    asked = calls(stage)
    for _ in range(3):
        stage.later(POLL)
    assert calls(stage) - asked <= 1
    stage.admin("faults", method="DELETE")
    stage.later(AGES)
    recovered(stage, good_day, said={"org.unavailable", "budget.exhausted", "poll.failed", "job.postponed"})


def test_the_reserve_is_left_to_everyone_else(stage: Stage, good_day: Shown) -> None:
    """Inside the reserve of the org's API calls Dunwell stops, and goes on when there are calls again."""
    stage.admin("usage", {"api_calls": 85_000})
    news(stage)
    waits(stage)
    assert calls(stage) < 40
    stage.admin("usage", {"api_calls": 100})
    stage.later(AGES)
    recovered(stage, good_day, said={"org.unavailable", "budget.exhausted", "poll.failed", "job.postponed"})


@pytest.mark.parametrize("after", range(3))
def test_a_connection_cut_before_the_work_is_made_again(after: int, stage: Stage, good_day: Shown) -> None:
    """A request whose connection breaks before the org has done anything is repeated or read back, whichever one it is."""
    stage.fault("drop", path=REST, after=after)
    news(stage)
    stage.until(lambda: stage.watch.fired, "nothing went wrong")
    recovered(stage, good_day, said={"write.ambiguous", "org.unavailable"})


@pytest.mark.parametrize("after", range(4))
def test_an_answer_lost_after_the_work_is_read_back(after: int, stage: Stage, good_day: Shown) -> None:
    """A write whose answer never comes is not sent again: what it made is found by its key."""
    stage.fault("timeout_after_commit", path=REST, after=after)
    news(stage)
    stage.until(lambda: stage.watch.fired, "nothing went wrong")
    recovered(stage, good_day, said={"write.ambiguous", "org.unavailable"})


def test_a_time_out_after_the_work_is_read_back(stage: Stage, good_day: Shown) -> None:
    """A write that takes longer than we wait has happened all the same, and happens once."""
    stage.fault("timeout_after_commit", path=WRITES, seconds=3)
    news(stage)
    stage.until(lambda: stage.watch.fired, "nothing went wrong")
    recovered(stage, good_day, said={"write.ambiguous", "org.unavailable"})


STREAM_TROUBLES: dict[str, Callable[[Stage], object]] = {
    "sessions forgotten": lambda stage: stage.admin("streams/drop"),
    "unknown client": lambda stage: (stage.fault("bayeux"), stage.admin("streams/drop")),
    "proxy page": lambda stage: (stage.fault("bayeux_http", status=502), stage.admin("streams/drop")),
    "replay id refused": lambda stage: (stage.fault("refuse_replay_id", count=1), stage.admin("streams/drop")),
    "events twice and in disorder": lambda stage: (stage.fault("duplicate_events", count=5), stage.fault("reorder_events", count=5)),
}


@pytest.mark.parametrize("trouble", STREAM_TROUBLES)
def test_a_troubled_event_stream_loses_nothing(trouble: str, stage: Stage, good_day: Shown) -> None:
    """Whatever happens to the event stream, it comes back from its cursor and every outcome is placed once."""
    STREAM_TROUBLES[trouble](stage)
    news(stage)
    recovered(stage, good_day, said={"stream.lost", "stream.gap_found"})
