"""The pass in bulk against a local org: it sees what REST sees, does what REST does, and overwrites nobody."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
import requests

import sandbox
from connector import app as wiring
from connector.core.frames import SCHEMA
from connector.errors import PermanentError, TransientError
from connector.mapping import own, queries, wide_csv
from connector.pipeline import judging, load_wide, nightly
from connector.pipeline.load import load
from connector.pipeline.sweep import everyone, sweep
from connector.pipeline.treat import treat
from connector.salesforce.bulk_write import KEPT
from connector.settings import load as load_settings

NOW = datetime(2026, 3, 2, 9, tzinfo=ZoneInfo("Europe/Amsterdam"))
PAYERS = 100
SHOWN = {
    own.POSITION: "Dunwell_Key__c, Status__c, Amount__c, Currency__c, Since__c, Level__c, Last_Key__c, Failures_12m__c, Next_Follow_Up__c, Look_Again__c, Why__c, Installments__c",
    own.FOLLOW_UP: "Dunwell_Key__c, Kind__c, Status__c, Planned_At__c, Done_At__c, Reasons__c, Withheld__c, Channel__c, Subject__c, Amount__c",
    own.HOLD: "Dunwell_Key__c, Cause__c, From__c, Until__c",
    "Task": "Dunwell_Key__c, Subject, Description, WhoId, WhatId, ActivityDate, Status",
    "cpm__Installment__c": "Id, cpm__Status__c, cpm__Due_Date__c, Dunwell_Retry_Key__c",
    "Contact": "Id, Arrears_Status__c",
}


def serve() -> "sandbox.Box":
    """One small world, an hour after it was made: what was there counts as untouched."""
    return sandbox.serve(world="findock", payers=PAYERS, seed=3, now=NOW)


def wire(box, folder) -> "Iterator[wiring.App]":
    """The product against it, with a fresh store; three rows of an object are many."""
    settings = load_settings(
        {
            "DUNWELL_LOGIN_URL": box.instance_url, "DUNWELL_CLIENT_ID": box.client_id, "DUNWELL_USERNAME": box.username,
            "DUNWELL_KEY_FILE": str(box.key_file), "DUNWELL_CLOCK_URL": f"{box.admin_url}/clock", "DUNWELL_STORE_URL": f"sqlite:///{folder}/store.db", "DUNWELL_BULK_ROWS": "3",
        },
        env_file=None,
    )  # fmt: skip
    with wiring.opened(settings) as opened:
        yield opened


@pytest.fixture(scope="module")
def box():
    """Serve the world that is only read, or written by a test that owns what it writes."""
    with serve() as served:
        admin(served, "/clock", advance_seconds=3600)
        yield served


@pytest.fixture
def app(box, tmp_path):
    """Wire the product against the shared world."""
    yield from wire(box, tmp_path)
    admin(box, "/faults", verb="DELETE")


@pytest.fixture
def fresh(tmp_path):
    """A world of its own for a test that changes it, with the product."""
    with serve() as served:
        admin(served, "/clock", advance_seconds=3600)
        for opened in wire(served, tmp_path):
            yield served, opened


def admin(box, where, verb="POST", **body):
    """One request to the admin port."""
    requests.request(verb, f"{box.admin_url}{where}", json=body or None, timeout=10).raise_for_status()


def change(box, path, fields=None, method="PATCH"):
    """Change a record as the package does."""
    issued = requests.post(f"{box.admin_url}/tokens/issue", json={"username": "package@sandbox.example"}, timeout=10).json()
    answer = requests.request(
        method, f"{box.instance_url}/services/data/v66.0/sobjects/{path}", json=fields,
        headers={"Authorization": f"Bearer {issued['access_token']}"}, timeout=10,
    )  # fmt: skip
    assert answer.status_code < 300, answer.text


def shown(app) -> dict[str, list[str]]:
    """What the org shows of our work, without ids of records made."""
    return {name: sorted(str(dict(row)) for row in app.org.query(f"SELECT {fields} FROM {name}")) for name, fields in SHOWN.items()}


def all_of(app, now=None) -> load_wide.Everyone:
    """Everyone, in bulk."""
    return load_wide.everyone(app.context.bulk, app.context.mapping, now or app.clock.now())


def assert_alike(first: pd.DataFrame, second: pd.DataFrame) -> None:
    """The same rows, cell by cell and type by type, in whatever order they came."""
    columns = list(first.columns)
    both = [one.sort_values(columns).reset_index(drop=True) for one in (first, second)]
    pd.testing.assert_frame_equal(*both)


def compare(app, payers: Sequence[str], wide) -> None:
    """Everything about ``payers``, by REST and in bulk."""
    narrow = load(app.org, app.context.mapping, payers, app.clock.now())
    for name in SCHEMA:
        assert_alike(getattr(narrow.snapshot, name), getattr(wide.snapshot, name))
    for name in ("views", "about", "due_on", "pay_links", "unreadable"):
        assert getattr(narrow, name) == getattr(wide, name), name
    assert narrow.snapshot.runs == wide.snapshot.runs


@pytest.mark.parametrize("worked", [False, True])
def test_bulk_and_rest_load_the_same_cells(fresh, worked, monkeypatch):
    """Frames and views are equal, before anything of ours is in the org and after; quiet payers are loaded here, too."""
    _, app = fresh
    if worked:
        sweep(app.context, batch_payers=200, wide=False)
    monkeypatch.setattr(load_wide, "quiet", lambda *given: np.zeros(given[1], dtype=np.bool_))
    found = all_of(app)
    assert list(found.payers) == everyone(app.context, app.clock.now())[0]
    compare(app, found.payers, found.loaded(app.org, 0, len(found.payers)))


def test_offsets_and_pages_change_nothing(app, box, monkeypatch):
    """Datetimes that end in +0000, pages of seven rows without headers: the same cells."""
    monkeypatch.setattr("connector.salesforce.bulk_query.PAGE_ROWS", 500)
    admin(box, "/settings", bulk_datetimes="offset", bulk_header_on_every_page=False)
    found = all_of(app)
    admin(box, "/settings", bulk_datetimes="Z", bulk_header_on_every_page=True)
    compare(app, found.payers, found.loaded(app.org, 0, len(found.payers)))


def test_who_is_quiet_is_decided_with_nothing_to_do(fresh):
    """Whoever is left out would have been decided with nothing, before and after a pass."""
    _, app = fresh
    for _ in range(2):
        found = all_of(app)
        left_out = sorted(set(everyone(app.context, app.clock.now())[0]) - set(found.payers))
        assert len(left_out) == found.quiet > PAYERS / 2
        batch = treat(app.context, left_out, app.clock.now(), dry=True)
        assert batch.changed == set()
        assert {(one.arrears.status, one.follow_ups, one.withheld) for one in batch.decisions} == {("Clear", (), ())}
        sweep(app.context, batch_payers=200, wide=False)


def test_the_same_text_is_asked_for_everyone(app):
    """Only whose records is another condition."""
    now, mapping = app.clock.now(), app.context.mapping
    payers = ["003000000000001AAA", "001000000000001AAA"]
    some, every = queries.for_payers(mapping, payers, now), queries.for_payers(mapping, None, now)
    assert [(one.name, one.all_rows, one.soql.partition(" WHERE ")[0]) for one in some] == [
        (one.name, one.all_rows, one.soql.partition(" WHERE ")[0]) for one in every
    ]
    for one, other in zip(some, every, strict=True):
        for condition in ("due_on", "Status__c", "CreatedDate", "IsClosed", "ClosedDate", "Shadow__c", "LIMIT"):
            assert one.soql.count(condition) == other.soql.count(condition)


def test_a_bulk_pass_does_what_a_rest_pass_does(fresh, tmp_path_factory):
    """Two orgs alike, one passed over by REST and one in bulk, show the same; a second pass of either kind changes nothing."""
    _, wide = fresh
    with serve() as other:
        admin(other, "/clock", advance_seconds=3600)
        for narrow in wire(other, tmp_path_factory.mktemp("narrow")):
            first, second = sweep(narrow.context, batch_payers=200, wide=False), sweep(wide.context, batch_payers=200, wide=True)
            assert first.summary() == second.summary()
            assert shown(narrow) == shown(wide)
            assert second.changes > 0
    assert sweep(wide.context, batch_payers=200, wide=True).changes == 0
    assert sweep(wide.context, batch_payers=200, wide=False).changes == 0


def test_slices_and_portions_of_any_size_come_to_the_same(fresh, tmp_path_factory, monkeypatch):
    """How many are in memory or written at once is nobody's business."""
    _, one = fresh
    sweep(one.context, batch_payers=200, wide=True)
    monkeypatch.setattr(judging, "SLICE_PAYERS", 7)
    monkeypatch.setattr(nightly, "PORTION_PAYERS", 5)
    with serve() as other:
        admin(other, "/clock", advance_seconds=3600)
        for app in wire(other, tmp_path_factory.mktemp("small")):
            sweep(app.context, batch_payers=200, wide=True)
            assert shown(one) == shown(app)


def test_a_record_that_cannot_be_read_parks_its_payer_alone_and_names_it(app, monkeypatch):
    """The same words as by REST; everyone else is loaded."""
    broken = {}
    real = wide_csv.whole

    def spoilt(parts):
        table = real(parts)
        if "cpm__Amount__c" in table.column_names and "cpm__Original_Due_Date__c" in table.column_names:
            at = table.column_names.index("cpm__Amount__c")
            values = table.column(at).to_pylist()
            values[3], values[40] = None, "40.005"
            broken.update(
                {
                    table.column("Id")[row].as_py(): table.column("cpm__Contact__c")[row].as_py()
                    or table.column("cpm__Account__c")[row].as_py()
                    for row in (3, 40)
                }
            )
            table = table.set_column(at, "cpm__Amount__c", [values])
        return table

    monkeypatch.setattr(wide_csv, "whole", spoilt)
    found = all_of(app)
    (missing, payer), (uneven, other) = broken.items()
    assert found.unreadable == {
        payer: f"record {missing}: cpm__Amount__c does not hold an amount",
        other: f"record {uneven}: cpm__Amount__c holds no amount in {'EUR' if 'EUR' in found.unreadable[other] else 'GBP'}: "
        + found.unreadable[other].rpartition(": ")[2],
    }
    assert not {payer, other} & set(found.payers)
    assert found.seen == len(everyone(app.context, app.clock.now())[0])


def test_a_payer_who_cannot_be_seen_is_parked(fresh):
    """An installment whose payer's record is gone or hidden is not a payer without a name."""
    box, app = fresh
    whose = next(one for one in everyone(app.context, app.clock.now())[0] if one.startswith("003"))
    admin(box, "/hide", sobject="Contact", ids=[whose])
    assert all_of(app).unreadable == {whose: load(app.org, app.context.mapping, [whose], app.clock.now()).unreadable[whose]}


def test_a_payer_touched_since_the_load_is_not_overwritten(fresh, monkeypatch):
    """Money that came while we decided: the old decision is dropped, and the payer is looked at again."""
    box, app = fresh
    dry = sweep(app.context, batch_payers=200, dry=True, wide=True)
    chased = next(one for one in dry.decisions if one.arrears.status == "In Arrears" and one.payer.startswith("003"))
    real = nightly.planned

    def meanwhile(*given):
        plans = real(*given)
        for row in app.org.query(
            f"SELECT Id FROM cpm__Installment__c WHERE cpm__Contact__c = '{chased.payer}' AND cpm__Status__c NOT IN ('Collected')"
        ):
            change(box, f"cpm__Installment__c/{row['Id']}", {"cpm__Status__c": "Cancelled"})
        return plans

    monkeypatch.setattr(nightly, "planned", meanwhile)
    found = sweep(app.context, batch_payers=200, wide=True)
    assert found.parked == {}
    assert app.org.query(f"SELECT Id FROM {own.POSITION} WHERE Contact__c = '{chased.payer}' AND Status__c = 'In Arrears'") == []
    assert chased.payer in {mark.payer for mark in app.store.lease_due(app.clock.now() + timedelta(seconds=1), 1000, 60)}
    assert sweep(app.context, batch_payers=200, wide=False).changes == 0


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_pass_that_breaks_off_is_finished_by_the_next(fresh, tmp_path_factory, after):
    """The answer to a write is lost somewhere: nothing is written twice, and the org ends as after an undisturbed pass."""
    box, app = fresh
    admin(box, "/faults", kind="timeout_after_commit", path="composite/sobjects|composite$|ingest/.*/batches", after=after)
    try:
        sweep(app.context, batch_payers=200, wide=True)
    except TransientError:
        sweep(app.context, batch_payers=200, wide=True)
    assert app.store.values(KEPT) == {}
    with serve() as other:
        admin(other, "/clock", advance_seconds=3600)
        for calm in wire(other, tmp_path_factory.mktemp("calm")):
            sweep(calm.context, batch_payers=200, wide=True)
            assert shown(calm) == shown(app)


def test_one_percent_refused_rows_stop_nobody_else(fresh):
    """Rows the org refuses park their payers with the reason; the rest lands."""
    box, app = fresh
    admin(box, "/faults", kind="bulk_partial", sobject=own.FOLLOW_UP, share=0.2, code="FIELD_CUSTOM_VALIDATION_EXCEPTION")
    found = sweep(app.context, batch_payers=200, wide=True)
    assert 0 < len(found.parked) < found.records[own.FOLLOW_UP]
    assert set(found.parked.values()) == {f"the org refused a {own.FOLLOW_UP} with FIELD_CUSTOM_VALIDATION_EXCEPTION"}
    sweep(app.context, batch_payers=200, wide=True)
    assert sweep(app.context, batch_payers=200, wide=True).changes == 0


def test_implausibly_few_payers_stop_a_bulk_pass(app):
    """Invisible is not paid, in bulk as well."""
    app.store.set_value("sweep:seen", '{"payers": 100000, "rows": {}}')
    with pytest.raises(PermanentError, match="visible"):
        sweep(app.context, batch_payers=200, wide=True)


def test_an_org_chooses_by_its_size(app, monkeypatch):
    """A small org is passed over by REST, a large one in bulk."""
    went = []
    monkeypatch.setattr("connector.pipeline.sweep.wide_pass", lambda *_, **__: iter(went.append("wide") or []))
    sweep(app.context, batch_payers=200, dry=True)
    assert went == []
    monkeypatch.setattr("connector.pipeline.sweep.WIDE_ROWS", 100)
    sweep(app.context, batch_payers=200, dry=True)
    assert went == ["wide"]
    assert sweep(replace(app.context, bulk=None), batch_payers=200, dry=True).payers == PAYERS
