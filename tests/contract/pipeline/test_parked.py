"""The pipeline against a local org: what cannot be placed is parked, and placed once it can be."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import requests

import sandbox
from connector import app as wiring
from connector.business import SHIPPED
from connector.errors import PermanentError
from connector.mapping import own
from connector.pipeline.parked import place_parked
from connector.pipeline.place import place_events
from connector.pipeline.sweep import sweep
from connector.settings import load
from connector.store import InboxRow

NOW = datetime(2026, 3, 2, 9, tzinfo=ZoneInfo("Europe/Amsterdam"))


@pytest.fixture(scope="module")
def box():
    """Serve one small world for this module; each test uses references of its own."""
    with sandbox.serve(world="findock", payers=20, seed=1, now=NOW) as served:
        yield served


@pytest.fixture
def app(box, tmp_path):
    """Wire the product against it, with a fresh store."""
    settings = load(
        {
            "DUNWELL_LOGIN_URL": box.instance_url,
            "DUNWELL_CLIENT_ID": box.client_id,
            "DUNWELL_USERNAME": box.username,
            "DUNWELL_KEY_FILE": str(box.key_file),
            "DUNWELL_CLOCK_URL": f"{box.admin_url}/clock",
            "DUNWELL_STORE_URL": f"sqlite:///{tmp_path}/store.db",
        },
        env_file=None,
    )
    with wiring.opened(settings) as opened:
        yield opened


def insert(box, sobject, fields):
    """Insert a record as the package does."""
    issued = requests.post(f"{box.admin_url}/tokens/issue", json={"username": "package@sandbox.example"}, timeout=10).json()
    answer = requests.post(
        f"{box.instance_url}/services/data/v66.0/sobjects/{sobject}",
        json=fields,
        headers={"Authorization": f"Bearer {issued['access_token']}"},
        timeout=10,
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def report(app, number, **fields):
    """Take in one reported outcome."""
    body = {
        "Version__c": "1",
        "Provider__c": "Northwind Pay",
        "Amount__c": "12.50",
        "Currency__c": "EUR",
        "Outcome__c": "collected",
        **fields,
    }
    row = InboxRow(own.OUTCOME_CHANNEL, number, f"uuid-{number}", json.dumps(body), NOW.astimezone(UTC))
    app.store.accept(own.OUTCOME_CHANNEL, [row], number)
    return place_events(app.context, app.store.take_inbox(10, NOW.astimezone(UTC) + timedelta(seconds=1)), NOW.astimezone(UTC))


def rows(app, soql):
    """Read records as the integration user."""
    return app.org.query(soql)


def test_an_outcome_that_came_before_its_installment_is_placed_once_it_is_there(app, box):
    """Nothing that was reported is lost: parked with a reason, and booked exactly once when it can be."""
    placed = report(app, 1, Provider_Reference__c="early-1", Installment_Reference__c="EARLY-1")
    (parked,) = rows(app, f"SELECT Id, Status__c, Parked_Because__c FROM {own.ATTEMPT} WHERE Provider_Reference__c = 'early-1'")
    assert (placed.parked, parked["Status__c"]) == (1, "Parked")
    assert "no installment has this id or reference" in parked["Parked_Because__c"]
    assert place_parked(app.context, NOW) == 0

    contact = rows(app, "SELECT Id FROM Contact WHERE Story__c = 'technical'")[0]["Id"]
    fields = {
        "cpm__Contact__c": contact,
        "cpm__Amount__c": 12.5,
        "CurrencyIsoCode": "EUR",
        "cpm__Due_Date__c": "2026-03-01",
        "cpm__Original_Due_Date__c": "2026-03-01",
        "cpm__Status__c": "Pending",
        "cpm__Payment_Processor__c": "Northwind Pay",
        "cpm__Payment_Method__c": "CreditCard",
        "cpm__Custom_Payment_Reference__c": "EARLY-1",
    }
    installment = insert(box, "cpm__Installment__c", fields)
    assert place_parked(app.context, NOW) == 1
    assert place_parked(app.context, NOW) == 0
    payments = rows(app, f"SELECT cpm__Amount__c FROM cpm__Payment__c WHERE cpm__Installment__c = '{installment}'")
    assert [float(one["cpm__Amount__c"]) for one in payments] == [12.5]
    (attempt,) = rows(app, f"SELECT Status__c, Installment_Id__c FROM {own.ATTEMPT} WHERE Provider_Reference__c = 'early-1'")
    assert (attempt["Status__c"], attempt["Installment_Id__c"]) == ("Placed", None)


def test_a_pass_over_everyone_changes_nothing_the_second_time(app):
    """The same org, looked at twice, is written to once."""
    first = sweep(app.context, batch_payers=200)
    second = sweep(app.context, batch_payers=200)
    assert first.payers == second.payers > 0
    assert second.changes == 0


def test_a_pass_that_sees_far_fewer_payers_stops(app):
    """Invisible is not paid: half the payers gone is a question of permissions, not a wave of settlements."""
    sweep(app.context, batch_payers=200)
    app.store.set_value("sweep:seen", '{"payers": 1000, "rows": {}}')
    with pytest.raises(PermanentError, match="1,000 were last time"):
        sweep(app.context, batch_payers=200)
    assert sweep(app.context, batch_payers=200, force=True).payers > 0


def test_shipped_mappings_are_found_beside_the_package():
    """An installation carries its own mappings."""
    assert (Path(SHIPPED) / "findock.yaml").is_file()
