"""Shadow mode: everything is decided and logged, nothing is written but attempts and follow-ups marked so."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.picture import differences, made_twice, picture
from tests.support.scenario import FRIDAY_TEN, MONDAY_TEN, NEIGHBOURS, WEDNESDAY_NOON, outcomes_come_in
from tests.support.stage import Stage, staged

OURS = ("Dunwell_Attempt__c", "Dunwell_Follow_Up__c")
OTHERS = (
    "Task",
    "Dunwell_Position__c",
    "Dunwell_Hold__c",
    "Dunwell_Run__c",
    "Dunwell_Promise__c",
    "Dunwell_Plan__c",
    "cpm__Payment__c",
    "Case",
)
TOUCHABLE = ("Contact", "Account", "cpm__Installment__c", "cpm__Payment__c", "Case", "Task")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Three days in the life of a daemon in shadow mode."""
    with _three_days(tmp_path_factory.mktemp("shadow")) as one:
        yield one


@contextmanager
def _three_days(folder: Path) -> Iterator[Stage]:
    with staged(folder, NEIGHBOURS, DUNWELL_MODE="shadow") as one:
        one.start()
        one.rest()
        one.together(lambda: (one.at(MONDAY_TEN), outcomes_come_in(one)))
        one.rest(polled=True)
        one.at(WEDNESDAY_NOON)
        one.rest(polled=True)
        yield one


def dunwell(stage: Stage) -> str:
    """Id of the user that Dunwell works as."""
    return stage.town.users["integration"]


def test_nothing_is_written_but_attempts_and_shadow_follow_ups(stage: Stage) -> None:
    """No Task, no flag, no hold, no money, no recollection: an admin sees only what would have been."""
    made = {name: len(stage.query(f"SELECT Id FROM {name} WHERE CreatedById = '{dunwell(stage)}'")) for name in (*OURS, *OTHERS)}
    assert {name for name, count in made.items() if count} == set(OURS)
    touched = {
        name: len(stage.query(f"SELECT Id FROM {name} WHERE LastModifiedById = '{dunwell(stage)}'", all_rows=True)) for name in TOUCHABLE
    }
    assert not any(touched.values()), touched
    keys = [str(row["Dunwell_Key__c"]) for row in stage.query("SELECT Dunwell_Key__c FROM Dunwell_Follow_Up__c")]
    assert keys
    assert all(key.startswith("shadow-") for key in keys)
    assert stage.running().status()["mode"] == "shadow"


def test_money_that_would_be_booked_stands_as_a_parked_attempt(stage: Stage) -> None:
    """A payment that Dunwell would have recorded is not lost: its attempt says why it is not booked."""
    found = stage.query("SELECT Provider_Reference__c, Parked_Because__c FROM Dunwell_Attempt__c WHERE Status__c = 'Parked'")
    because = {str(row["Provider_Reference__c"]): str(row["Parked_Because__c"]) for row in found}
    assert {"dora-1", "gus-2", "max-1"} <= set(because)
    assert "shadow mode" in because["dora-1"]


def test_a_pass_in_shadow_mode_repeats_nothing(stage: Stage) -> None:
    """What was written once as a shadow is not written again, by a pass over everyone either."""
    stage.reconcile()
    before = picture(stage)
    again = stage.reconcile()
    assert differences(before, picture(stage)) == []
    assert again["changes"] == 0
    assert made_twice(stage) == []


def test_no_decision_reads_a_shadow(tmp_path: Path) -> None:
    """Switched to live, everything that was only a shadow is really done, once."""
    with _three_days(tmp_path) as stage:
        assert stage.stop() == 0
        stage.environment["DUNWELL_MODE"] = "live"
        stage.start()
        stage.rest(polled=True)
        stage.reconcile()
        stage.at(FRIDAY_TEN)
        stage.rest(polled=True)
        for name in ("Ada", "Bas", "Cor", "Fay", "Ivy"):
            payer = stage.town.payers[name]
            assert stage.query(f"SELECT Id FROM Task WHERE WhoId = '{payer}' AND Dunwell_Key__c != null"), name
            assert stage.query(f"SELECT Id FROM Dunwell_Position__c WHERE Contact__c = '{payer}'"), name
        assert made_twice(stage) == []
        assert stage.reconcile()["changes"] == 0
