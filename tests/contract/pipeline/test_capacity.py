"""The pipeline against a local org: a team's day has so many calls, an outage is no debtor, and strange codes are named."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from zoneinfo import ZoneInfo

import pytest
import requests

from connector import app as wiring
from connector.mapping import own
from connector.pipeline.logbook import Verdict
from connector.pipeline.place import place_events
from connector.pipeline.sweep import sweep
from connector.pipeline.treat import UNKNOWN_CODE, treat_due
from connector.settings import load
from connector.store import InboxRow
from sandbox.server import Box, Setup
from tests.support.town import NINE, Neighbour, founded, outcome

ROOT = Path(__file__).parents[3]
ZONE = ZoneInfo("Europe/Amsterdam")
NAMES = ("Anna", "Bram", "Cleo", "Daan", "Esra")


@pytest.fixture
def town():
    """Five persons in an org of their own, who may all be called."""
    keep = []
    with Box(Setup(now=NINE), founded([Neighbour(name, amount=f"{40 + number}.00") for number, name in enumerate(NAMES)], keep)) as box:
        box.run(
            lambda: [box.org.update("Contact", one, {"Allow_Call__c": True}, session=box.org.system) for one in keep[0].payers.values()]
        )
        yield box, keep[0]


@pytest.fixture
def app(town, tmp_path):
    """The product with a policy whose credit managers make two calls a day, and call whoever lacks money."""
    mappings = tmp_path / "mappings"
    shutil.copytree(ROOT / "mappings", mappings)
    file = mappings / "policies" / "default.yaml"
    text = file.read_text(encoding="utf-8")
    row = "  - row: loyal payer, no money\n"
    assert row in text
    call = "    tasks: [{kind: call, assignee: credit_manager, per: course}]\n"
    text = text.replace(
        "calls_per_week: 7\n", "calls_per_week: 7\ncalls_per_day: {credit_manager: 2}\noutage: {least: 10, times_worst: 2}\n"
    )
    file.write_text(text.replace(row, row + call), encoding="utf-8")
    box, _ = town
    settings = load(
        {
            "DUNWELL_LOGIN_URL": box.instance_url, "DUNWELL_CLIENT_ID": box.client_id, "DUNWELL_USERNAME": box.username,
            "DUNWELL_KEY_FILE": str(box.key_file), "DUNWELL_CLOCK_URL": f"{box.admin_url}/clock",
            "DUNWELL_STORE_URL": f"sqlite:///{tmp_path}/store.db", "DUNWELL_MAPPINGS_DIR": str(mappings),
        },
        env_file=None,
    )  # fmt: skip
    with wiring.opened(settings) as opened:
        yield opened


def fail(app, box, town, names=NAMES, **more):
    """Let this month's payment of these people fail, as its processor and the package tell it."""
    now = app.clock.now()
    for name in names:
        box.run(
            lambda name=name: box.org.update(
                "cpm__Installment__c", town.bill_id(name), {"cpm__Status__c": "Failed"}, session=box.org.system
            )
        )
    reports = [outcome(town.bill(name), "failed", now, f"try-{name}-{now:%d}", **{"Reason_Code__c": "51", **more}) for name in names]
    rows = [
        InboxRow(own.OUTCOME_CHANNEL, int(now.timestamp()) + number, f"{name}-{now:%d%H}", json.dumps(body), now.astimezone(UTC))
        for number, (name, body) in enumerate(zip(names, reports, strict=True))
    ]
    app.store.accept(own.OUTCOME_CHANNEL, rows, rows[-1].replay_id)
    place_events(app.context, app.store.take_inbox(10, now.astimezone(UTC) + timedelta(seconds=1)), now.astimezone(UTC))
    return sweep(app.context, batch_payers=200)


def calls(app):
    """Call follow-ups of the org: who → why not, or whether it is on a list."""
    found = app.org.query(f"SELECT Contact__r.FirstName, Status__c, Withheld__c, Task_Id__c FROM {own.FOLLOW_UP} WHERE Kind__c = 'call'")
    return {
        one["Contact__r"]["FirstName"]: one["Withheld__c"] if one["Status__c"] == "Withheld" else bool(one["Task_Id__c"]) for one in found
    }


def move(app, box, moment):
    """Let the org's clock stand at a moment in Amsterdam, and the product see it."""
    now = datetime.strptime(moment, "%Y-%m-%d %H:%M").replace(tzinfo=ZONE)
    requests.post(f"{box.admin_url}/clock", json={"now": now.isoformat()}, timeout=10).raise_for_status()
    app.clock.wait_until(now, Event())


def test_a_day_has_two_calls_and_the_rest_is_carried_over(app, town):
    """The largest amounts first; the others say why they wait, and come up on the next working days."""
    box, people = town
    fail(app, box, people)
    assert calls(app) == {"Esra": True, "Daan": True, "Cleo": "capacity", "Bram": "capacity", "Anna": "capacity"}
    assert sweep(app.context, batch_payers=200).changes == 0
    move(app, box, "2026-03-03 09:30")
    sweep(app.context, batch_payers=200)
    assert calls(app) == {"Esra": True, "Daan": True, "Cleo": True, "Bram": True, "Anna": "capacity"}
    move(app, box, "2026-03-04 09:30")
    sweep(app.context, batch_payers=200)
    assert calls(app)["Anna"] is True


def test_the_log_of_a_rationed_day_replays(app, town):
    """Each decision comes out as it was, calls carried over included; a pass that changes nothing adds nothing to the log."""
    box, people = town
    fail(app, box, people)
    found = list(wiring.replay(app.settings, None))
    assert sorted(one.logged.payer for one in found) == sorted(people.payers.values())
    assert sum('"capacity"' in one.logged.body for one in found) == 3
    assert {one.verdict for one in found} == {Verdict.SAME}
    sweep(app.context, batch_payers=200)
    assert len(list(wiring.replay(app.settings, None))) == len(found)
    now = app.clock.now()
    app.store.mark_due([people.payers["Anna"]], at=now, why="test")
    treat_due(app.context, app.store.lease_due(now, 10, 60), now)
    (*_, last) = wiring.replay(app.settings, people.payers["Anna"])
    assert (last.logged.at, last.verdict) == (now, Verdict.SAME)


def test_a_code_in_no_table_is_remembered_with_the_day_it_was_met(app, town):
    """An admin learns from ``dunwell status`` which row is missing."""
    box, people = town
    fail(app, box, people, names=["Anna"], Reason_Code__c="ZZ99")
    ((name, since),) = app.store.values(UNKNOWN_CODE).items()
    assert name.endswith(":ZZ99")
    assert since.startswith("2026-03-02")
    assert list(wiring.status(app.settings)["unknown_codes"]) == ["any set ZZ99"]


def test_failures_of_a_processor_that_is_out_bother_nobody(app, town):
    """Nobody is written to about what the processor did; when it works again the course goes on."""
    box, people = town
    link = {"Contact__c": people.payers["Anna"]}
    past = [{"Dunwell_Key__c": f"old-{day}", "Outcome__c": "failed", "Provider__c": "Northwind Pay", "Status__c": "Placed"} for day in (1,)]
    today = [{**past[0], "Dunwell_Key__c": f"new-{number}"} for number in range(12)]
    box.run(
        lambda: [
            box.org.create(own.ATTEMPT, {**fields, **link, "Occurred_At__c": at}, session=box.org.system)
            for fields, at in [*((one, "2026-02-10T10:00:00Z") for one in past), *((one, "2026-03-02T07:30:00Z") for one in today)]
        ]
    )
    found = fail(app, box, people)
    reasons = {reason for one in found.decisions for withheld in one.withheld for reason in withheld.reasons}
    assert "switched_off" in reasons
    assert calls(app) == dict.fromkeys(NAMES, "switched_off")
    move(app, box, "2026-03-05 09:30")
    sweep(app.context, batch_payers=200)
    assert sorted(map(str, calls(app).values())) == ["True", "True", "capacity", "capacity", "capacity"]
