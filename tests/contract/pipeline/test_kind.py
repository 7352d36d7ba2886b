"""The pass in bulk is kind to the org: few locks at once, nothing written that stands there already, nobody lost to contention."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby

import pytest

import sandbox
from connector.mapping import own
from connector.pipeline import nightly
from connector.pipeline.sweep import sweep
from connector.salesforce.saved import LOCKED, UNPROCESSED
from tests.contract.pipeline.test_wide import NOW, admin, change, wire

CHILDREN = 1500
"""Records below the big Account here; ten thousand in ``benchmarks/nightly_skewed.py``."""
PARENTS = ("Contact__c", "Account__c", "WhoId", "WhatId")
RECORDS = (own.POSITION, own.FOLLOW_UP)


@dataclass
class Watched:
    """What was given to the org, write by write, and what went by ingest jobs."""

    writes: list = field(default_factory=list)
    jobs: list = field(default_factory=list)

    @property
    def inserts(self) -> Iterator:
        """Every record that was to be made."""
        return (row for inserts, _, _ in self.writes for row in inserts)

    @property
    def updates(self) -> list:
        """Every change that was to be made."""
        return [row for _, updates, _ in self.writes for row in updates]


def watch(app) -> Watched:
    """Note what is written, by whichever way; nothing is held back."""
    seen = Watched()
    bulk, org = app.context.bulk, app.context.org
    within: list[bool] = []

    def noting(real):
        def write(inserts, updates, *, serial=False, **rest):
            if not within:  # what no job takes goes on from one to the other
                seen.writes.append((list(inserts), list(updates), serial))
            within.append(True)
            try:
                return real(inserts, updates, serial=serial, **rest)
            finally:
                within.pop()

        return write

    def job(sobject, operation, rows, *rest, real=bulk._writing.write):
        saved = real(sobject, operation, rows, *rest)
        seen.jobs.append((sobject, operation, rows, Counter(one.code for one in saved)))
        return saved

    bulk.write, bulk._writing.write, org.write = noting(bulk.write), job, noting(org.write)
    return seen


def parent_of(values) -> str | None:
    """Whose record it is."""
    return next((values[name] for name in PARENTS if values.get(name)), None)


@pytest.fixture
def served(tmp_path) -> Iterator:
    """A world of its own, an hour after it was made, with the product."""
    with sandbox.serve(world="findock", payers=100, seed=3, now=NOW) as box:
        admin(box, "/clock", advance_seconds=3600)
        for app in wire(box, tmp_path):
            yield box, app


def test_rows_of_one_payer_stand_together_and_payers_in_order(served, monkeypatch):
    """In every write, for every object; and no payer is cut between two portions."""
    monkeypatch.setattr(nightly, "PORTION_PAYERS", 2)
    _, app = served
    seen = watch(app)
    sweep(app.context, batch_payers=200, wide=True, force=True)
    portions: dict[str, list[str]] = {name: [] for name in RECORDS}
    for inserts, _, _ in seen.writes:
        rows = [(name, parent) for name, values in inserts if name in RECORDS and (parent := parent_of(values))]
        for name in RECORDS:
            parents = [parent for one, parent in rows if one == name]
            assert parents == sorted(parents)
            if parents:
                portions[name] += [*dict.fromkeys(parents)]
    for name, parents in portions.items():
        assert len(parents) > 2, "several portions"
        assert parents == sorted(set(parents)), name
    for sobject, _, rows, _ in seen.jobs:
        parents = [parent_of(row) for row in rows]
        assert [one for one, _ in groupby(parents)] == sorted(set(parents)), sobject


def test_tasks_never_go_by_jobs_that_run_side_by_side(served):
    """A Task locks whom it is about: one collection after the other."""
    _, app = served
    seen = watch(app)
    sweep(app.context, batch_payers=200, wide=True, force=True)
    with_tasks = [serial for inserts, _, serial in seen.writes if any(name == "Task" for name, _ in inserts)]
    assert with_tasks
    assert all(with_tasks)
    assert seen.jobs
    assert "Task" not in {sobject for sobject, *_ in seen.jobs}


def test_only_what_differs_is_written_and_payers_records_stay_alone(served):
    """Whatever happens on a later night: the field that is wrong, and never Account or Contact, whose flag was set on the first."""
    box, app = served
    first = watch(app)
    sweep(app.context, batch_payers=200, wide=True, force=True)
    flags = [(name, sorted(values)) for name, _, values in first.updates if name in ("Account", "Contact")]
    assert flags
    assert {str(fields) for _, fields in flags} == {"['Dunwell_Position__c']"}
    position, *_ = app.org.query(f"SELECT Id, Level__c FROM {own.POSITION} WHERE Status__c = 'In Arrears'")
    change(box, f"{own.POSITION}/{position['Id']}", {"Level__c": 9})
    admin(box, "/clock", advance_seconds=300)
    second = watch(app)
    assert sweep(app.context, batch_payers=200, wide=True, force=True).changes == 1
    (update,) = {(name, str(record), str(sorted(values))) for name, record, values in second.updates}
    assert update == (own.POSITION, position["Id"], "['Level__c']")
    assert {name for name, _ in second.inserts} == {own.RUN}


def fail_flats(box, app, hub) -> int:
    """The bank takes none of the debits of the big Account that are due."""
    due = app.org.query(
        f"SELECT Id FROM cpm__Installment__c WHERE cpm__Account__c = '{hub}' AND cpm__Status__c IN ('New', 'Pending Processing')"
    )
    for row in due:
        change(box, f"cpm__Installment__c/{row['Id']}", {"cpm__Status__c": "Failed", "cpm__Last_ReasonCode_Received__c": "AM04"})
    return len(due)


@pytest.fixture
def skewed(tmp_path) -> Iterator:
    """One Account above most of the records, and its debits of a month have failed; with the product, a day later."""
    with sandbox.serve(world="skewed", payers=20, seed=3, now=NOW, shape={"children": CHILDREN}) as box:
        for app in wire(box, tmp_path):
            (hub,) = (str(row["Id"]) for row in app.org.query("SELECT Id FROM Account WHERE Name = 'Proefdam Housing Association BV'"))
            admin(box, "/clock", advance_seconds=40 * 86400)
            assert fail_flats(box, app, hub) > 3
            admin(box, "/clock", advance_seconds=86400)
            yield box, app, hub


def test_nobody_is_lost_to_locks_in_a_skewed_org(skewed):
    """Batches side by side all want the lock of the big Account: the losers are written one after the other, and nobody is parked."""
    box, app, _ = skewed
    admin(box, "/settings", lock_contention=1.0, bulk_batch_rows=1, bulk_chunk_rows=1)
    seen = watch(app)
    found = sweep(app.context, batch_payers=200, wide=True, force=True)
    met = sum((codes for *_, codes in seen.jobs), Counter())
    assert met[LOCKED] + met[UNPROCESSED] > 0
    assert found.parked == {}
    assert sweep(app.context, batch_payers=200, wide=True, force=True).changes == 0


def test_a_lock_held_longer_than_our_patience_parks_nobody(skewed):
    """The package recounts the big Account while we write: it is left for later, everybody else is done, and the next pass finishes."""
    box, app, hub = skewed
    admin(box, "/clock", now="2026-04-14T02:05:00+00:00")
    found = sweep(app.context, batch_payers=200, wide=True, force=True)
    assert found.parked == {}
    assert found.changes > 0
    about_it = f"SELECT Id FROM {own.POSITION} WHERE Account__c = '{hub}'"
    assert app.org.query(about_it) == []
    assert hub in {mark.payer for mark in app.store.lease_due(app.clock.now() + timedelta(minutes=1), 1000, 60)}
    admin(box, "/clock", now="2026-04-14T02:20:00+00:00")
    assert sweep(app.context, batch_payers=200, wide=True, force=True).parked == {}
    assert len(app.org.query(about_it)) == 1
