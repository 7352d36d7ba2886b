"""A pass in bulk on a bad night: whatever the org does to it, the rest lands, nothing is there twice, and the next pass finds nothing to do."""

from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import requests

import sandbox
from connector import app as wiring
from connector.errors import TransientError
from connector.mapping import own
from connector.pipeline.sweep import sweep
from connector.salesforce.bulk_write import KEPT
from connector.settings import load

NOW = datetime(2026, 3, 2, 9, tzinfo=ZoneInfo("Europe/Amsterdam"))
SHOWN = {
    own.POSITION: "Dunwell_Key__c, Status__c, Amount__c, Since__c, Level__c, Failures_12m__c, Why__c",
    own.FOLLOW_UP: "Dunwell_Key__c, Kind__c, Status__c, Planned_At__c, Withheld__c, Subject__c",
    own.HOLD: "Dunwell_Key__c, Cause__c, Until__c",
    "Task": "Dunwell_Key__c, Subject, WhoId, WhatId, Status",
}
NIGHTS = {
    "the session ends while rows are read": {"kind": "expire_token", "path": "jobs/query/.*/results", "after": 2},
    "the session ends while a job is waited for": {"kind": "revoke_token", "path": "jobs/query/[^/]*$", "after": 4},
    "the session ends while rows are written": {"kind": "expire_token", "path": "jobs/ingest/.*/batches"},
    "a page breaks off": {"kind": "cut_body", "path": "jobs/query/.*/results", "after": 1},
    "the locator is stale": {
        "kind": "http_status", "path": "jobs/query/.*/results", "status": 400, "after": 1,
        "body": [{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}],
    },
    "the org is away for a while": {"kind": "http_status", "status": 503, "path": "jobs", "count": 2, "after": 5},
    "an upload is cut off": {"kind": "drop", "path": "jobs/ingest/.*/batches"},
    "an answer is lost": {"kind": "timeout_after_commit", "path": "jobs/ingest/[^/]*$"},
    "a job fails half way": {"kind": "bulk_partial", "sobject": own.FOLLOW_UP, "rows": "unprocessed"},
    "records are locked": {"kind": "row_lock", "sobject": own.FOLLOW_UP, "count": 3},
}  # fmt: skip


def wired(box, folder):
    """Wire the product, with a fresh store; a few rows of an object are many."""
    return wiring.opened(
        load(
            {
                "DUNWELL_LOGIN_URL": box.instance_url, "DUNWELL_CLIENT_ID": box.client_id, "DUNWELL_USERNAME": box.username,
                "DUNWELL_KEY_FILE": str(box.key_file), "DUNWELL_CLOCK_URL": f"{box.admin_url}/clock",
                "DUNWELL_STORE_URL": f"sqlite:///{folder}/store.db", "DUNWELL_BULK_ROWS": "3",
            },
            env_file=None,
        )
    )  # fmt: skip


def shown(app):
    """What the org shows of ours."""
    found = {}
    for sobject, fields in SHOWN.items():
        rows = app.org.query(f"SELECT {fields} FROM {sobject} WHERE {own.KEY} != null")
        found[sobject] = sorted(str({name: value for name, value in row.items() if name != "attributes"}) for row in rows)
    return found


@contextmanager
def served():
    """A small world, six days later: much has come due."""
    with sandbox.serve(world="findock", payers=60, seed=3, now=NOW) as box:
        requests.post(f"{box.admin_url}/clock", json={"advance_seconds": 6 * 86_400}, timeout=10).raise_for_status()
        yield box


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """What the org shows after a night on which nothing happened."""
    with served() as box, wired(box, tmp_path_factory.mktemp("calm")) as app:
        assert sweep(app.context, batch_payers=200, wide=True).parked == {}
        return shown(app)


@pytest.mark.parametrize("night", NIGHTS)
def test_a_bad_night_ends_like_a_calm_one(night, calm, tmp_path):
    """The pass goes on, or is simply run again: the org shows the same, each record once."""
    with served() as box, wired(box, tmp_path) as app:
        requests.post(f"{box.admin_url}/faults", json=NIGHTS[night], timeout=10).raise_for_status()
        tries = 0
        while tries < 3:
            tries += 1
            try:
                sweep(app.context, batch_payers=200, wide=True)
                break
            except TransientError:
                continue
        faults = requests.get(f"{box.admin_url}/faults", timeout=10).json()
        assert all(one["fired"] for one in faults), "the night was calm"
        assert sweep(app.context, batch_payers=200, wide=True).parked == {}
        assert app.store.values(KEPT) == {}
        assert shown(app) == calm
        assert sweep(app.context, batch_payers=200, wide=True).changes == 0


def test_refused_rows_are_told_in_the_run_record(tmp_path):
    """A validation rule refuses some rows: the rest lands, and the record says who was put aside and why."""
    with served() as box, wired(box, tmp_path) as app:
        fault = {"kind": "bulk_partial", "sobject": own.FOLLOW_UP, "share": 0.1, "code": "FIELD_CUSTOM_VALIDATION_EXCEPTION"}
        requests.post(f"{box.admin_url}/faults", json=fault, timeout=10).raise_for_status()
        found = sweep(app.context, batch_payers=200, wide=True)
        assert 0 < len(found.parked) < found.payers / 2
        (run,) = app.org.query(f"SELECT Parked__c, Needs_Person__c FROM {own.RUN}")
        assert run["Parked__c"] == len(found.parked)
        assert "FIELD_CUSTOM_VALIDATION_EXCEPTION" in run["Needs_Person__c"]
        assert all(payer in run["Needs_Person__c"] for payer in found.parked)
