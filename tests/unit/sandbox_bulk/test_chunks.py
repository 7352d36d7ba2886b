"""Rows written together are rows written one by one: the same records, the same refusals, the same changes told."""

import random

import pytest

from sandbox.org.clock import Clock
from sandbox.org.metadata import load_schema
from sandbox.org.org import Org
from sandbox.org.task import Column, Task
from sandbox.org.types import Session

from .conftest import NOW

FIELDS = ("Name", "Key__c", "Ref__c", "Payer__c", "Amount__c", "Day__c", "Done__c")


@pytest.fixture
def make_org(dx):
    """Orgs with three payers, and what they tell of changes."""
    made = []

    def make():
        org = Org(load_schema([dx]), Clock(NOW))
        told = []
        org.on_change.append(lambda change: told.append((change.kind, change.id, change.changed_fields, dict(change.record))))
        session = Session(org.admin.id)
        payers = [org.create("Payer__c", {"Name": f"P{n}", "Key__c": f"P{n}"}, session=session) for n in range(3)]
        told.clear()
        made.append(org)
        return org, told, payers

    yield make
    for org in made:
        org.close()


def cells_of(chance, payers):
    """One row, perhaps with something wrong with it."""
    row = [
        chance.choice(["a", "b", ""]),
        f"k{chance.randrange(40)}" if chance.random() < 0.8 else "",
        chance.choice(["r1", "R1", "r2", "#N/A", ""]),
        chance.choice([*payers, payers[0][:15]]),
        chance.choice(["1", "2.505", "", "12.5"]),
        chance.choice(["2026-03-02", "2026-03-02Z", "#N/A", ""]),
        chance.choice(["true", "false", "#N/A", ""]),
    ]
    wrong = {2: "r" * 41, 3: chance.choice(["a0X000000000001", ""]), 4: chance.choice(["-3", "much", "1" * 18]), 5: "soon", 6: "perhaps"}
    if chance.random() < 0.25:
        place = chance.choice(sorted(wrong))
        row[place] = wrong[place]
    return row


def write(made, operation, rows, size):
    """Write rows in chunks of a size; what came of them, the records, and what was told."""
    org, told, _ = made
    one = org.schema.objects["Line__c"]
    key = one.fields["Key__c"] if operation == "upsert" else None
    task = Task(operation, one, tuple(Column(one.fields[name]) for name in FIELDS), Session(org.admin.id), key)
    outcomes = [each for start in range(0, len(rows), size) for each in org.write_chunk(task, rows[start : start + size])]
    came = [(each.created, each.error and (each.error.code, each.error.fields, each.error.message)) for each in outcomes]
    records = org.query("SELECT FIELDS(ALL) FROM Line__c LIMIT 200", user_id=org.admin.id).records
    names = {record["Id"]: record["Key__c"] or record["Name"] for record in records}
    shown = [{**record, "Id": 0, "Name": 0, "attributes": 0} for record in records]
    return came, sorted(map(repr, shown)), [(kind, changed) for kind, record_id, changed, _ in told if record_id in names]


@pytest.mark.parametrize("seed", range(4))
def test_inserts_together_are_inserts_one_by_one(make_org, seed):
    """Whatever rows have wrong with them, unique values taken by a row before among it."""
    chance = random.Random(seed)  # noqa: S311 - repeatable chance
    made = [make_org(), make_org()]
    rows = [cells_of(chance, made[0][2]) for _ in range(60)]
    together, alone = write(made[0], "insert", rows, 20), write(made[1], "insert", rows, 1)
    assert [_masked(each) for each in together[0]] == [_masked(each) for each in alone[0]]
    assert together[1:] == alone[1:]
    assert {error[0] for _, error in together[0] if error} >= {"DUPLICATE_VALUE", "REQUIRED_FIELD_MISSING"}


@pytest.mark.parametrize("seed", range(4))
def test_upserts_together_are_upserts_one_by_one(make_org, seed):
    """Rows that create beside rows that change, and refused ones between them."""
    chance = random.Random(seed)  # noqa: S311 - repeatable chance
    made = [make_org(), make_org()]
    rows = []
    for _ in range(3):
        for number in chance.sample(range(25), 20):
            rows.append(cells_of(chance, made[0][2]))
            rows[-1][1] = f"k{number}"
    together, alone = write(made[0], "upsert", rows, 20), write(made[1], "upsert", rows, 1)
    assert [_masked(each) for each in together[0]] == [_masked(each) for each in alone[0]]
    assert together[1:] == alone[1:]
    assert {created for created, error in together[0] if not error} == {True, False}


def _masked(came):
    """What came of a row, without the number of the record in a refusal: a refused row has used one up or has not."""
    created, error = came
    return created, error and (error[0], error[1], error[2].partition(" with id: ")[0])


def test_a_unique_value_is_taken_whatever_the_case_it_is_written_in(make_org):
    """Two rows of one chunk whose codes differ in case only: of a field without regard to case the first one has it."""
    org, _, _ = make_org()
    one = org.schema.objects["Payer__c"]
    task = Task("insert", one, (Column(one.fields["Code__c"]),), Session(org.admin.id))
    first, second, third = org.write_chunk(task, [["AbÉ"], ["aBÉ"], ["abé"]])
    assert (first.error, third.error) == (None, None)
    assert second.error is not None
    assert second.error.message == f"duplicate value found: Code__c duplicates value on record with id: {first.id[:15]}"


def test_a_row_finds_its_parent_among_the_rows_before_it(bulk):
    """By its key, in the same chunk, and only before: a parent that comes later is not there yet."""
    job = bulk.load("Name,Key__c,Parent__r.Key__c\na,x,\nb,y,x\nc,z,later\nd,later,\n", sobject="Payer__c")
    assert [row["Name"] for row in bulk.rows(job)] == ["a", "b", "d"]
    found = bulk.records("SELECT Name, Parent__r.Key__c FROM Payer__c WHERE Parent__c != NULL")
    assert [(one["Name"], one["Parent__r"]["Key__c"]) for one in found] == [("b", "x")]
