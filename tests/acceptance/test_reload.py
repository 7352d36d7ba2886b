"""Changed files are taken up by the running daemon; wrong ones change nothing and are told."""

import shutil
from datetime import timedelta
from pathlib import Path

from connector.business import SHIPPED
from tests.support.scenario import MONDAY_TEN, NEIGHBOURS, outcomes_come_in
from tests.support.stage import Stage, staged

A_LOOK = timedelta(seconds=6)


def looked(stage: Stage, event: str) -> None:
    """Let the daemon look at the files until it has said ``event``."""
    for _ in range(20):
        if stage.running().lines(event):
            return
        stage.later(A_LOOK)
        stage.rest()
    raise AssertionError(f"the daemon never said {event}: {stage.running().text()}")


def test_a_changed_policy_is_in_force_without_a_restart(tmp_path: Path) -> None:
    """First a wrong change, which keeps what was and is said once; then a right one, which the next decisions name."""
    files = tmp_path / "mappings"
    shutil.copytree(SHIPPED, files)
    policy = files / "policies" / "default.yaml"
    right = policy.read_text()
    with staged(tmp_path, NEIGHBOURS, DUNWELL_MAPPINGS_DIR=str(files)) as stage:
        stage.at(MONDAY_TEN)
        daemon = stage.start()
        daemon.url()
        stage.rest(polled=True)
        policy.write_text(right.replace("rows:", "rowz:", 1))
        looked(stage, "config.refused")
        policy.write_text(right.replace('version: "1"', 'version: "7"', 1))
        looked(stage, "config.loaded")
        outcomes_come_in(stage)
        stage.rest()
        made = stage.query("SELECT Policy_Version__c FROM Dunwell_Follow_Up__c")
        assert made
        assert {row["Policy_Version__c"] for row in made} == {"7"}
        assert len(daemon.lines("config.refused")) == 1
        assert daemon.exit_code is None
