"""What stands still in an org: found by REST and in bulk, told once to the team whose work it is, and closed when it is gone."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
import requests

from connector import app as wiring
from connector.errors import PermanentError, TransientError
from connector.mapping import own
from connector.mapping.findings import questions
from connector.pipeline import findings
from connector.pipeline.freshness import KEEP
from connector.pipeline.sweep import sweep
from connector.settings import load
from sandbox.server import Box, Setup
from tests.support.town import NINE, Neighbour, Town, founded, money

ROOT = Path(__file__).parents[3]
NAMES = ("Anna", "Bram", "Cleo")
TASKS = f"SELECT Id, {own.KEY}, Subject, Description, Priority, Status, IsClosed, Owner.Name, WhoId, WhatId FROM Task WHERE {own.KEY} LIKE 'alert_team-finding%'"


@pytest.fixture
def town() -> Iterator[tuple[Box, Town]]:
    """Three persons who pay in time, a day after whatever the test makes is made."""
    keep: list[Town] = []
    with Box(Setup(now=NINE), founded([Neighbour(name) for name in NAMES], keep)) as box:
        yield box, keep[0]


def wired(box, folder, **settings) -> Iterator[wiring.App]:
    """The product against it; three rows of an object are many."""
    given = {
        "DUNWELL_LOGIN_URL": box.instance_url, "DUNWELL_CLIENT_ID": box.client_id, "DUNWELL_USERNAME": box.username,
        "DUNWELL_KEY_FILE": str(box.key_file), "DUNWELL_CLOCK_URL": f"{box.admin_url}/clock", "DUNWELL_STORE_URL": f"sqlite:///{folder}/store.db",
    }  # fmt: skip
    with wiring.opened(load({**given, **settings}, env_file=None)) as opened:
        opened.context.bulk._bulk_rows = 3
        yield opened


@pytest.fixture
def app(town, tmp_path):
    """The product with the mapping that ships."""
    yield from wired(town[0], tmp_path)


def make(box, sobject, fields):
    """A person or the package makes a record."""
    return box.run(lambda: box.org.create(sobject, fields, session=box.org.system))


def change(box, sobject, record, fields):
    """A person or the package changes a record."""
    box.run(lambda: box.org.update(sobject, record, fields, session=box.org.system))


def later(app, box, by=timedelta(days=2)):
    """Let time pass, and the product see it."""
    now = app.clock.now() + by
    requests.post(f"{box.admin_url}/clock", json={"now": now.isoformat()}, timeout=10).raise_for_status()
    app.clock.wait_until(now, Event())


def run(app, **more):
    """One pass."""
    return sweep(app.context, batch_payers=200, **more)


def told(app):
    """Our Tasks about findings: kind → record."""
    return {str(one[own.KEY]).split("-")[1].removeprefix("finding_"): one for one in app.org.query(TASKS)}


def schedule(box, status="Failed"):
    """A collection run."""
    dates = {"cpm__Selection_Date__c": "2026-03-02", "cpm__Run_Date__c": "2026-03-01", "cpm__Collection_Date__c": "2026-03-02"}
    return make(box, "cpm__Payment_Schedule__c", {**dates, "cpm__Status__c": status})


def everything(box, town):
    """One finding of each kind; gives its record by kind."""
    profile = make(box, "cpm__Payment_Profile__c", {"cpm__Contact__c": town.payers["Anna"], "cpm__Active__c": True})
    mandate = make(box, "cpm__Mandate__c", {"cpm__Payment_Profile__c": profile, "cpm__Active__c": False})
    stuck = {"cpm__Status__c": "Pending recollection", "cpm__Mandate__c": mandate, "cpm__Payment_Profile__c": profile}
    change(box, "cpm__Installment__c", town.bill_id("Anna"), stuck)
    change(box, "cpm__Installment__c", town.bill_id("Cleo", 1), {"cpm__Amount_Open__c": 15})
    loose = {**money(town.bill("Bram"), 12.5, NINE.date(), "loose-1"), "cpm__Installment__c": None}
    return {
        "recollection": town.bill_id("Anna"), "counter": town.bill_id("Cleo", 1), "run": schedule(box), "payment": make(box, "cpm__Payment__c", loose),
        "report": make(box, "cpm__Inbound_Report__c", {"cpm__Status__c": "Failed"}), "message": make(box, "cpm__Message__c", {"cpm__Status__c": "Queued"}),
    }  # fmt: skip


@pytest.mark.parametrize("wide", [False, True])
def test_every_kind_is_found_and_told_once_to_its_team(app, town, wide):
    """One Task a kind, with the record's id in it, on nobody's record; the next pass makes none."""
    box, people = town
    records = everything(box, people)
    later(app, box)
    found = run(app, wide=wide)
    assert {one.kind: one.records for one in found.findings} == {kind: (record,) for kind, record in records.items()}
    tasks = told(app)
    assert tasks.keys() == records.keys()
    for kind, record in records.items():
        assert record in tasks[kind]["Description"]
        assert (tasks[kind]["WhoId"], tasks[kind]["WhatId"], tasks[kind]["IsClosed"]) == (None, None, False)
    assert {kind: one["Owner"]["Name"] for kind, one in tasks.items()} == dict.fromkeys(
        ("run", "report", "message", "counter"), "Dunwell Admins"
    ) | dict.fromkeys(("recollection", "payment"), "Dunwell Credit Managers")
    assert "1 payment has no installment, 12.50 EUR." in tasks["payment"]["Description"]
    assert "It says 15.00 EUR are open, its payments say 0.00 EUR." in tasks["counter"]["Description"]
    assert "its mandate is inactive" in tasks["recollection"]["Description"]
    assert (
        app.org.query(f"SELECT cpm__Amount_Open__c FROM cpm__Installment__c WHERE Id = '{records['counter']}'")[0]["cpm__Amount_Open__c"]
        == 15
    )
    for each in (wide, not wide):
        assert run(app, wide=each).changes == 0


def test_what_is_gone_is_closed_by_us_and_comes_back_as_a_new_task(app, town):
    """A schedule that is run again closes its Task; when it fails once more the admins hear of it once more."""
    box, _ = town
    failed = schedule(box)
    run(app)
    change(box, "cpm__Payment_Schedule__c", failed, {"cpm__Status__c": "Done"})
    run(app)
    (first,) = app.org.query(TASKS)
    assert first["Status"] == "Completed"
    later(app, box)
    change(box, "cpm__Payment_Schedule__c", failed, {"cpm__Status__c": "Failed"})
    run(app)
    assert sorted(one["Status"] for one in app.org.query(TASKS)) == ["Completed", "Not Started"]


@pytest.mark.parametrize("answer", ["complete", "delete"])
def test_a_task_that_a_person_answered_is_not_made_again(app, town, answer):
    """They know; a newer one is told."""
    box, _ = town
    schedule(box)
    run(app)
    (task,) = app.org.query(TASKS)
    if answer == "complete":
        change(box, "Task", task["Id"], {"Status": "Completed"})
    else:
        box.run(lambda: box.org.delete("Task", task["Id"], session=box.org.system))
    assert run(app).changes == 0
    later(app, box)
    schedule(box)
    run(app)
    assert [one["Status"] for one in app.org.query(TASKS) if one["Id"] != task["Id"]] == ["Not Started"]


def test_what_a_person_wrote_into_a_task_stays(app, town):
    """More of the same changes no Task that is open."""
    box, _ = town
    schedule(box)
    run(app)
    (task,) = app.org.query(TASKS)
    change(box, "Task", task["Id"], {"Description": "I am on it", "Subject": "Mine"})
    later(app, box)
    schedule(box)
    run(app)
    assert [(one["Subject"], one["Description"]) for one in app.org.query(TASKS)] == [("Mine", "I am on it")]


def test_time_is_given_before_anything_counts_as_stuck(app, town):
    """A message of this hour, money of this morning and a recollection of tomorrow are on their way."""
    box, people = town
    make(box, "cpm__Message__c", {"cpm__Status__c": "Queued"})
    make(box, "cpm__Payment__c", {**money(people.bill("Bram"), 12.5, NINE.date(), "loose-2"), "cpm__Installment__c": None})
    change(box, "cpm__Installment__c", people.bill_id("Anna"), {"cpm__Status__c": "Pending recollection"})
    assert run(app).findings == []
    later(app, box, timedelta(days=14))
    assert {one.kind for one in run(app).findings} == {"message", "payment"}
    later(app, box, timedelta(days=1))
    assert {one.kind for one in run(app).findings} == {"message", "payment", "recollection"}


@pytest.mark.parametrize("way", ["dry", "shadow"])
def test_a_dry_run_and_shadow_mode_find_and_tell_nobody(town, tmp_path, way):
    """What stands still is reported, no Task is made."""
    box, _ = town
    schedule(box)
    for app in wired(box, tmp_path, **({"DUNWELL_MODE": "shadow"} if way == "shadow" else {})):
        assert [one.kind for one in run(app, dry=way == "dry").findings] == ["run"]
        assert app.org.query(TASKS) == []


def test_a_lost_answer_makes_no_second_task(app, town):
    """The org took the Task and the answer was lost: the next pass finds it."""
    box, _ = town
    schedule(box)
    fault = {"kind": "timeout_after_commit", "path": "composite", "method": "POST", "sobject": "Task"}
    real, calls = app.context.org.write, []

    def lost(inserts, updates, *, serial=False):
        done = real(inserts, updates, serial=serial)
        if not calls and any(str(values.get(own.KEY, "")).startswith("alert_team-finding") for _, values in inserts):
            calls.append(fault)
            raise TransientError("the answer was lost")
        return done

    app.context.org.write = lost
    with pytest.raises(TransientError):
        run(app)
    run(app)
    assert len(app.org.query(TASKS)) == 1


def test_an_org_without_the_package_objects_is_asked_for_what_it_has(app, town, monkeypatch):
    """One refused question hides no other answer, leaves its Task alone and is told itself."""
    box, people = town
    everything(box, people)
    later(app, box)
    run(app)
    broken = app.context.mapping.findings.backlogs[-1].model_copy(update={"object": "No_Such__c"})
    part = app.context.mapping.findings.model_copy(update={"backlogs": (*app.context.mapping.findings.backlogs[:-1], broken)})
    monkeypatch.setattr(findings.asking, "questions", lambda mapping, now: questions(mapping.model_copy(update={"findings": part}), now))
    found = run(app)
    assert {one.kind for one in found.findings} == {"recollection", "counter", "run", "payment", "report", "unseen"}
    assert "message" in next(one.words for one in found.findings if one.kind == "unseen")
    assert told(app)["message"]["IsClosed"] is False
    assert found.changes == 0


def test_a_counter_that_was_read_at_two_moments_is_read_again(app, town):
    """What the bulk download named wrongly is not told: the few that are named are read once more, at one moment."""
    _, people = town
    found, unseen = findings.find(app.context, app.clock.now(), [people.bill_id("Anna", 1)], counters=True)
    assert (unseen, {str(one.kind): one.count for one in found}["counter"]) == ({}, 0)


def test_many_are_counted_and_the_newest_told(app, town):
    """Two answers, however many there are."""
    box, _ = town
    box.run(lambda: box.org.bulk_load("cpm__Inbound_Report__c", [{"cpm__Status__c": "Failed"} for _ in range(250)]))
    before = app.org.calls
    found, _ = findings.find(app.context, app.clock.now(), (), counters=False)
    assert app.org.calls - before <= 3
    (one,) = (each for each in found if each.count)
    assert (one.count, len(one.shown)) == (250, 20)
    run(app)
    assert told(app)["report"]["Description"].endswith("and 230 more")


def test_a_mapping_that_declares_nothing_asks_nothing(app):
    """A plain org has no such findings."""
    bare = app.context.mapping.model_copy(update={"findings": type(app.context.mapping.findings)()})
    assert questions(bare, app.clock.now()) == []


@pytest.fixture
def cautious(town, tmp_path):
    """The product that calls payment data stale after 24 hours."""
    mappings = tmp_path / "mappings"
    shutil.copytree(ROOT / "mappings", mappings)
    file = mappings / "findock.yaml"
    text = file.read_text(encoding="utf-8")
    assert "\nstale_after_hours: null\n" in text
    file.write_text(text.replace("\nstale_after_hours: null\n", "\nstale_after_hours: 24\n"), encoding="utf-8")
    yield from wired(town[0], tmp_path, DUNWELL_MAPPINGS_DIR=str(mappings))


@pytest.mark.parametrize("wide", [False, True])
def test_on_stale_data_nothing_becomes_harsher_and_the_pass_says_so(cautious, town, wide):
    """Nobody is written to or collected from until money is heard of again; then the day goes on."""
    box, people = town
    app = cautious
    make(box, "cpm__Payment__c", money(people.bill("Bram"), 40, NINE.date(), "bram-1"))
    later(app, box, timedelta(hours=25))
    change(box, "cpm__Installment__c", people.bill_id("Anna"), {"cpm__Status__c": "Failed", "cpm__Last_ReasonCode_Received__c": "51"})
    with pytest.raises(PermanentError, match="no payment was heard of"):
        run(app, wide=wide)
    found = run(app, wide=wide, force=True)
    assert "stale" in {one.kind for one in found.findings}
    reasons = [str(one["Withheld__c"]).split(";") for one in app.org.query(f"SELECT Withheld__c FROM {own.FOLLOW_UP}")]
    assert reasons
    assert all("stale_data" in one for one in reasons)
    assert app.org.query(f"SELECT Id FROM Task WHERE {own.KEY} LIKE 'remind%'") == []
    make(box, "cpm__Payment__c", money(people.bill("Cleo"), 40, NINE.date(), "cleo-1"))
    assert "stale" in {one.kind for one in run(app, wide=wide, force=True).findings}
    later(app, box, KEEP)
    assert "stale" not in {one.kind for one in run(app, wide=wide).findings}
    assert app.org.query(f"SELECT Id FROM {own.FOLLOW_UP} WHERE Status__c = 'Planned' AND Kind__c IN ('remind', 'retry')") != []


def test_freshness_is_asked_once_in_five_minutes_and_never_where_it_does_not_matter(app, cautious):
    """A burst pays one call, and none where the mapping says never."""
    now, before = cautious.clock.now(), cautious.org.calls
    assert [cautious.context.stale(now + timedelta(seconds=second)) for second in range(0, 300, 30)] == [True] * 10
    assert cautious.org.calls == before + 1
    before = app.org.calls
    assert app.context.stale(now) is False
    assert app.org.calls == before
