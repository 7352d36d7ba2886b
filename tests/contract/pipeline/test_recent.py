"""Between two passes over everyone: whoever was touched or whose day has come is found, and nobody else need be looked at."""

from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from zoneinfo import ZoneInfo

import pytest
import requests

import sandbox
from connector import app as wiring
from connector.errors import PermanentError, TransientError
from connector.pipeline import sweep as passes
from connector.pipeline.ports import Allowance
from connector.pipeline.recent import recent
from connector.pipeline.safety import PassStoppedError
from connector.pipeline.sweep import sweep
from connector.settings import load
from jobs import catch_up, reconcile

NOW = datetime(2026, 3, 2, 9, tzinfo=ZoneInfo("Europe/Amsterdam"))
PAYERS = 60


class Hands:
    """The package's and people's hands in the org."""

    def __init__(self, box):
        self.box = box
        issued = self.admin("tokens/issue", username="package@sandbox.example")
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {issued['access_token']}"

    def admin(self, path, **body):
        """Something that only the sandbox can."""
        answer = requests.post(f"{self.box.admin_url}/{path}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json() if answer.content else {}

    def __call__(self, method, path, **fields):
        """A record made, changed or deleted."""
        answer = self.session.request(
            method, f"{self.box.instance_url}/services/data/v66.0/sobjects/{path}", json=fields or None, timeout=10
        )
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else {}

    def wait(self, app, **time):
        """Let time pass, and the product see it."""
        until = app.clock.now() + timedelta(**time)
        self.admin("clock", advance_seconds=int(timedelta(**time).total_seconds()))
        app.clock.wait_until(until, Event())


@pytest.fixture
def box():
    """Serve a small world."""
    with sandbox.serve(world="findock", payers=PAYERS, seed=5, now=NOW) as served:
        yield served


@pytest.fixture
def hands(box):
    """Everybody else's hands."""
    return Hands(box)


@pytest.fixture
def app(box, hands, tmp_path):
    """Wire the product against it, after a first pass over everyone, an hour later."""
    settings = load(
        {
            "DUNWELL_LOGIN_URL": box.instance_url, "DUNWELL_CLIENT_ID": box.client_id, "DUNWELL_USERNAME": box.username,
            "DUNWELL_KEY_FILE": str(box.key_file), "DUNWELL_CLOCK_URL": f"{box.admin_url}/clock", "DUNWELL_STORE_URL": f"sqlite:///{tmp_path}/store.db",
        },
        env_file=None,
    )  # fmt: skip
    with wiring.opened(settings) as opened:
        hands.wait(opened, hours=1)
        sweep(opened.context, batch_payers=200)
        hands.wait(opened, hours=1)
        sweep(opened.context, batch_payers=200, only_recent=True)
        hands.wait(opened, hours=1)
        yield opened


def lately(app):
    """Who is looked at now."""
    return recent(app.context, datetime.fromisoformat(app.store.get_value(passes.SINCE)), app.clock.now())


def some(app, sobject, where, fields="Id"):
    """One record."""
    return app.org.query(f"SELECT {fields} FROM {sobject} WHERE {where} ORDER BY Id LIMIT 1")[0]


def test_where_nothing_happened_hardly_anybody_is_looked_at(app):
    """Those whose installment falls due this very day, and those whose next step has come."""
    today = app.org.query("SELECT cpm__Contact__c FROM cpm__Installment__c WHERE cpm__Original_Due_Date__c = 2026-03-02")
    calls = app.org.calls
    found = lately(app)
    assert app.org.calls - calls <= 4
    assert len(found) <= len(today) + PAYERS // 4 < PAYERS
    runs = app.org.query("SELECT COUNT(Id) total FROM Dunwell_Run__c")
    assert sweep(app.context, batch_payers=200, only_recent=True).changes == 0
    assert app.org.query("SELECT COUNT(Id) total FROM Dunwell_Run__c") == runs, "there is nothing to tell"


def test_whatever_somebody_touches_is_found(app, hands):
    """A payment, one that is deleted, a case, a hold, consent, a Task, and a position that somebody overwrote: each by its payer."""
    quiet = sorted(
        {row["cpm__Contact__c"] for row in app.org.query("SELECT cpm__Contact__c FROM cpm__Installment__c WHERE cpm__Contact__c != null")}
        - set(lately(app))
    )
    paid, gone, complains, held, mute, *_ = quiet
    payment = some(app, "cpm__Payment__c", f"cpm__Installment__r.cpm__Contact__c = '{paid}'")["Id"]
    hands("PATCH", f"cpm__Payment__c/{payment}", cpm__Amount__c=1)
    hands("DELETE", "cpm__Payment__c/" + some(app, "cpm__Payment__c", f"cpm__Installment__r.cpm__Contact__c = '{gone}'")["Id"])
    hands("POST", "Case", ContactId=complains, Subject="Complaint", Type="Complaint", Status="New")
    hands("POST", "Dunwell_Hold__c", Contact__c=held, Cause__c="manual", From__c="2026-03-02", Until__c="2026-03-09")
    hands("PATCH", f"Contact/{mute}", HasOptedOutOfEmail=True)
    assert {paid, gone, complains, held, mute} <= set(lately(app))
    found = sweep(app.context, batch_payers=200, only_recent=True)
    assert found.changes > 0
    assert found.everyone is False
    whole = sweep(app.context, batch_payers=200)
    assert dict(whole.tally.inserted) in ({}, {"Task": 1}), "but for the one that tells a team of counters that disagree"
    assert not whole.tally.updated


def test_a_contact_who_never_owed_is_nobodys_business(app, hands):
    """An org's contacts are touched by all kinds of programs, every night."""
    made = hands("POST", "Contact", LastName="Newsletter")["id"]
    task = hands("POST", "Task", Subject="About something else", WhatId=some(app, "Case", "Id != null")["Id"])["id"]
    assert made not in lately(app)
    assert task
    assert all(one[:3] in {"003", "001"} for one in lately(app))


def test_a_day_that_begins_brings_what_falls_due_on_it(app, hands):
    """No record changes when a day begins; a pass over everyone finds nothing more."""
    hands.wait(app, days=5)
    due = app.org.query(
        "SELECT cpm__Contact__c FROM cpm__Installment__c WHERE cpm__Original_Due_Date__c > 2026-03-02 AND cpm__Original_Due_Date__c <= 2026-03-07"
    )
    assert {row["cpm__Contact__c"] for row in due if row["cpm__Contact__c"]} <= set(lately(app))
    assert sweep(app.context, batch_payers=200, only_recent=True).changes > 0
    assert sweep(app.context, batch_payers=200).changes == 0


def test_a_mark_that_is_too_old_or_gone_means_everyone(app, hands):
    """After a week without a pass over everyone, and with a store that knows of none."""
    assert sweep(app.context, batch_payers=200, only_recent=True).everyone is False
    hands.wait(app, days=8)
    assert sweep(app.context, batch_payers=200, only_recent=True).everyone is True
    app.store.set_value(passes.SINCE, "")
    assert sweep(app.context, batch_payers=200, only_recent=True, dry=True).everyone is True


def test_very_many_touched_payers_are_looked_at_in_bulk(app, monkeypatch):
    """With everybody else: that takes fewer calls."""
    monkeypatch.setattr(passes, "MANY_PAYERS", 0)
    monkeypatch.setattr(passes, "WIDE_ROWS", 1)
    assert sweep(app.context, batch_payers=200, only_recent=True).everyone is True


def test_a_stopped_pass_does_not_move_the_mark(app, hands):
    """What it did stands, the run record says that it ended early, and the next one begins where the last whole one did."""
    hands.wait(app, days=5)
    before = app.store.get_value(passes.SINCE)
    used = iter(range(0, 10_000, 40))
    with pytest.raises(PassStoppedError):
        sweep(replace(app.context, allowance=Allowance(calls=lambda: 120 - next(used))), batch_payers=3, only_recent=True)
    assert app.store.get_value(passes.SINCE) == before
    assert sweep(app.context, batch_payers=200, only_recent=True).parked == {}
    assert sweep(app.context, batch_payers=200).changes == 0


def test_a_refused_pass_writes_nothing(app, hands):
    """Neither by REST nor in bulk, but a run record that says why; a person may say to go on."""
    hands.wait(app, days=5)
    records = app.org.query("SELECT COUNT(Id) total FROM Dunwell_Follow_Up__c")[0]["total"]
    for wide in (False, True):
        before = app.store.get_value("sweep:seen")
        app.store.set_value("sweep:seen", '{"payers": 500, "rows": {}}')
        with pytest.raises(PermanentError, match="500 were last time"):
            sweep(app.context, batch_payers=200, wide=wide)
        app.store.set_value("sweep:seen", before)
        hands.wait(app, hours=1)
    assert app.org.query("SELECT COUNT(Id) total FROM Dunwell_Follow_Up__c")[0]["total"] == records
    told = app.org.query("SELECT Needs_Person__c FROM Dunwell_Run__c WHERE Scope__c = 'nobody'")
    assert len(told) == 2
    assert "500 were last time" in told[0]["Needs_Person__c"]
    assert sweep(app.context, batch_payers=200, force=True).changes > 0


def test_two_passes_never_run_at_once(app, hands):
    """The catch-up leaves the field to the pass over everyone; that one, whoever begins it, waits for the catch-up."""
    hands.wait(app, hours=1)
    now, mark = app.clock.now(), app.store.get_value(passes.SINCE)
    app.store.job_started("reconcile", now, owner="other", seconds=300)
    catch_up.run(app.context)
    assert app.store.get_value(passes.SINCE) == mark
    app.store.job_finished("reconcile", now, owner="other")
    app.store.job_started("catch_up", now, owner="other", seconds=300)
    with pytest.raises(TransientError, match="the catch-up runs"):
        reconcile.run(app.context)
    with pytest.raises(TransientError, match="the catch-up runs"), wiring.alone(app, "reconcile"):
        pass
    assert app.store.get_value(passes.SINCE) == mark
    app.store.job_finished("catch_up", now, owner="other")
    catch_up.run(app.context)
    assert app.store.get_value(passes.SINCE) != mark
    reconcile.run(app.context)
    assert app.store.get_value(passes.EVERYONE) == app.store.get_value(passes.SINCE)
