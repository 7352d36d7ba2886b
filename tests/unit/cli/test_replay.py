"""``dunwell replay``: the decisions of the log made once more, without an org."""

import json
import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from connector.core.decide import decide
from connector.pipeline.logbook import logged
from connector.store import Store
from tests.scenario.decide.builders import NOW, ROOT, default_policy, item, position

PAYERS = ("003000000000001AAA", "003000000000002AAA")


@pytest.fixture
def kept(tmp_path):
    """A store with two decisions about two payers each, and settings that lead to it; the org they name does not answer."""
    url = f"sqlite:///{tmp_path}/log.db"
    base, policy = position(item()), default_policy()
    with Store.open(url) as store:
        for hours in (0, 1):
            for payer in PAYERS:
                facts, now = replace(base, payer=replace(base.payer, id=payer)), NOW + timedelta(hours=hours)
                store.log_decision(logged(decide(facts, policy, now), facts, policy, now))
    return {
        "DUNWELL_STORE_URL": url, "DUNWELL_AUTH": "token", "DUNWELL_ACCESS_TOKEN": "x", "DUNWELL_INSTANCE_URL": "https://localhost:1",
    }  # fmt: skip


def test_every_decision_comes_out_the_same(dunwell, kept):
    """A line for each, in the order they were made, and their number; all well is exit 0."""
    done = dunwell("replay", **kept)
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == [*PAYERS, *PAYERS]
    assert all(line.endswith("default 1  same") for line in lines[:-1])
    assert lines[-1] == "4 decisions made once more, 4 same"


def test_one_payer_alone_and_as_json(dunwell, kept):
    """Asked for one payer, nobody else is told of; a short record id will do."""
    found = json.loads(dunwell("replay", PAYERS[1][:15], "--json", **kept).out)
    assert [one["payer"] for one in found["decisions"]] == [PAYERS[1]] * 2
    assert found["counts"]["same"] == 2
    assert found["decisions"][0]["at"] == "2026-03-02T08:00:00+00:00"


def test_an_empty_log_is_no_fault(dunwell, kept, tmp_path):
    """Nothing was decided yet."""
    done = dunwell("replay", "--json", **{**kept, "DUNWELL_STORE_URL": f"sqlite:///{tmp_path}/other.db"})
    assert (done.status, json.loads(done.out)["decisions"]) == (0, [])


@pytest.mark.parametrize("words", [["replay"], ["replay", "--json"]], ids=["people", "programs"])
def test_one_that_differs_under_the_same_policy_is_a_failure(dunwell, kept, words):
    """It is told what was decided then and what would be now, and the exit status says so."""
    with Store.open(kept["DUNWELL_STORE_URL"]) as store:
        first = store.decisions_after(limit=1)[0]
        store.log_decision(replace(first, id=None, body=first.body.replace('"level":0', '"level":2')))
    done = dunwell(*words, **kept)
    assert done.status == 1
    assert "level 2 -> 0" in done.out
    assert ("another decision under the same policy" in done.err) == (len(words) == 1)


def test_a_changed_policy_is_said_and_is_no_failure(dunwell, kept, tmp_path):
    """After an admin edits the policy, the log answers what it would have done."""
    folder = tmp_path / "mappings"
    shutil.copytree(ROOT / "mappings", folder)
    file = folder / "policies" / "default.yaml"
    file.write_text(file.read_text().replace('version: "1"', 'version: "2"').replace("pay_day: 26", "pay_day: 20"))
    done = dunwell("replay", PAYERS[0], **kept, DUNWELL_MAPPINGS_DIR=str(folder))
    assert done.status == 0
    assert "default 1 -> default 2  the policy has changed, and would decide otherwise: " in done.out
    assert done.out.splitlines()[-1] == "2 decisions made once more, 2 different under another policy"
