"""Lock contention and partial failure: which rows fail, and that the same ones do again."""

import pytest

from sandbox.bulk.locks import Locks
from sandbox.faults import FaultSpec

LANES = {"lock_contention": 1.0, "bulk_batch_rows": 4, "bulk_chunk_rows": 2}


def lines(parents):
    """Rows that name their parents."""
    return "Name,Payer__r.Key__c\n" + "".join(f"l{place},P{parent}\n" for place, parent in enumerate(parents))


def test_a_parent_held_by_another_batch_cannot_be_had():
    """The first to claim a record keeps it until its next chunk; its own rows may have it as often as they like."""
    locks, one, other = Locks(), object(), object()
    assert locks.claim(one, ["p"], chance=1, seed="") is None
    assert locks.claim(one, ["p"], chance=1, seed="") is None
    assert locks.claim(other, ["p"], chance=1, seed="").code == "UNABLE_TO_LOCK_ROW"
    locks.begin(one)
    assert locks.claim(other, ["p"], chance=1, seed="") is None


def test_without_contention_no_row_loses(bulk):
    """Off by default."""
    bulk.payers(2)
    bulk.option(**(LANES | {"lock_contention": 0.0}))
    assert bulk.load(lines([0, 1] * 4))["numberRecordsFailed"] == 0


def test_children_of_one_parent_in_several_batches_compete(bulk):
    """Batches side by side that touch the same master lose rows to one another."""
    bulk.payers(2)
    bulk.option(**LANES)
    job = bulk.load(lines([0, 1] * 4))
    assert job["state"] == "JobComplete"
    failed = bulk.rows(job, "failedResults")
    assert [row["Name"] for row in failed] == ["l4", "l5", "l6", "l7"]
    assert failed[0]["sf__Error"].startswith("UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 1 records: ")
    assert failed[0]["sf__Error"].endswith(":--")


def test_rows_sorted_by_parent_do_not_compete(bulk):
    """One parent's children in one batch, or in its last and the next one's first chunk at different times."""
    bulk.payers(2)
    bulk.option(**LANES)
    assert bulk.load(lines([0] * 4 + [1] * 4))["numberRecordsFailed"] == 0


def test_the_same_rows_lose_again(make_box, make_client):
    """The losers follow from the seed and the upload."""
    found = []
    for seed in (1, 1, 2):
        client = make_client(make_box(lock_seed=seed, **(LANES | {"lock_contention": 0.5})))
        client.payers(2)
        client.option()
        found.append([row["Name"] for row in client.rows(client.load(lines([0, 1] * 16)), "failedResults")])
    assert found[0] == found[1] != found[2]
    assert found[0]


def test_updates_of_one_record_in_several_batches_compete(bulk):
    """The record itself is locked as well."""
    payer = bulk.payers(1)[0]
    bulk.option(lock_contention=1.0, bulk_batch_rows=1)
    job = bulk.load(f"Id,Name\n{payer},a\n{payer},b\n", "update", "Payer__c")
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (2, 1)


def test_a_fault_fails_some_rows_with_a_code(bulk):
    """A share of the rows fails as asked for, once."""
    spec = FaultSpec(kind="bulk_partial", share=0.5, code="UNABLE_TO_LOCK_ROW", sobject="Payer__c", seed=3)
    bulk.box.run(lambda: bulk.box.platform.faults.arm(spec))
    text = "Name\n" + "".join(f"n{place}\n" for place in range(40))
    job = bulk.load(text, sobject="Payer__c")
    assert job["state"] == "JobComplete"
    assert 10 < job["numberRecordsFailed"] < 30
    assert {row["sf__Error"] for row in bulk.rows(job, "failedResults")} == {
        "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--"
    }
    assert bulk.load(text, sobject="Payer__c")["numberRecordsFailed"] == 0


def test_a_fault_leaves_rows_unprocessed(bulk):
    """The job fails half-way; successful, failed and unprocessed rows are the rows uploaded."""
    bulk.option(bulk_chunk_rows=10)
    spec = FaultSpec(kind="bulk_partial", rows="unprocessed")
    bulk.box.run(lambda: bulk.box.platform.faults.arm(spec))
    job = bulk.load("Name\n" + "".join(f"n{place}\n" for place in range(40)), sobject="Payer__c")
    assert (job["state"], job["numberRecordsProcessed"]) == ("Failed", 20)
    assert job["errorMessage"] == "TooManyLockFailure : Too many lock failures while processing the current batch."
    left = [row["Name"] for row in bulk.rows(job, "unprocessedrecords")]
    assert [row["Name"] for row in bulk.rows(job)] + left == [f"n{place}" for place in range(40)]


@pytest.mark.parametrize("wrong", [{"code": "X"}, {"share": 0.1}])
def test_other_faults_know_no_rows(wrong):
    """A member of another kind is refused."""
    with pytest.raises(ValueError, match="knows no"):
        FaultSpec(kind="drop", **wrong)


def test_batches_worked_on_one_after_another_do_not_compete(bulk):
    """How many run side by side is an option: with one lane nobody holds what another needs."""
    bulk.payers(2)
    bulk.option(**LANES, bulk_lanes=1)
    assert bulk.load(lines([0, 1] * 4))["numberRecordsFailed"] == 0
