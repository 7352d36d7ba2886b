"""Promises and plans against a local org: the pass over everyone writes what became of them, once, and then acts on it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from connector import app as wiring
from connector.mapping import own
from connector.pipeline.sweep import sweep
from connector.settings import load
from sandbox.server import Box, Setup
from tests.support.town import NINE, Neighbour, Town, founded, money

NAMES = ("Anna", "Bram")


@pytest.fixture
def town() -> Iterator[tuple[Box, Town]]:
    """Two persons whose payment of this month failed a week ago."""
    keep: list[Town] = []
    with Box(Setup(now=NINE), founded([Neighbour(name) for name in NAMES], keep)) as box:
        for name in NAMES:
            for fields in (
                {"cpm__Original_Due_Date__c": "2026-02-20", "cpm__Status__c": "Failed", "cpm__Last_ReasonCode_Received__c": "51"},
                {"cpm__Last_Failed_Date__c": "2026-02-23"},
            ):
                box.run(
                    lambda name=name, fields=fields: box.org.update(
                        "cpm__Installment__c", keep[0].bill_id(name), fields, session=box.org.system
                    )
                )
        yield box, keep[0]


@pytest.fixture
def app(town, tmp_path):
    """The product against it; three rows of an object are many."""
    box, _ = town
    settings = load(
        {
            "DUNWELL_LOGIN_URL": box.instance_url, "DUNWELL_CLIENT_ID": box.client_id, "DUNWELL_USERNAME": box.username,
            "DUNWELL_KEY_FILE": str(box.key_file), "DUNWELL_CLOCK_URL": f"{box.admin_url}/clock", "DUNWELL_STORE_URL": f"sqlite:///{tmp_path}/store.db",
        },
        env_file=None,
    )  # fmt: skip
    with wiring.opened(settings) as opened:
        opened.context.bulk._bulk_rows = 3
        yield opened


def make(box, sobject, fields):
    """A person makes a record."""
    return box.run(lambda: box.org.create(sobject, fields, session=box.org.system))


def promise(box, town, name, days, **more):
    """Somebody promised to pay this month's installment."""
    on = (NINE + timedelta(days=days)).date().isoformat()
    return make(box, own.PROMISE, {"Contact__c": town.payers[name], "Installment_Id__c": town.bill_id(name), "On__c": on, **more})


def plan(box, town, name, installments, **more):
    """A payment plan that a person agreed."""
    fields = {"State__c": "Kept", "Starts_On__c": "2026-02-15", "Ends_On__c": "2026-06-01", "Installments__c": " ".join(installments)}
    return make(box, own.PLAN, {"Contact__c": town.payers[name], **fields, **more})


def state(app, sobject, record):
    """State of an agreement."""
    (row,) = app.org.query(f"SELECT State__c FROM {sobject} WHERE Id = '{record}'")
    return row["State__c"]


def calls(app, town, name):
    """Reasons of the calls that are planned for somebody."""
    return [
        one["Reasons__c"]
        for one in app.org.query(f"SELECT Reasons__c FROM {own.FOLLOW_UP} WHERE Kind__c = 'call' AND Contact__c = '{town.payers[name]}'")
    ]


@pytest.mark.parametrize("wide", [False, True])
def test_a_broken_promise_is_marked_and_still_counts_as_broken(app, town, wide):
    """The mark changes nothing in what is decided: somebody calls, before and after; the second pass writes nothing."""
    box, people = town
    broken, waiting = promise(box, people, "Anna", -1), promise(box, people, "Bram", 5)
    sweep(app.context, batch_payers=200, wide=wide)
    assert (state(app, own.PROMISE, broken), state(app, own.PROMISE, waiting)) == ("Broken", "Open")
    (why,) = calls(app, people, "Anna")
    assert "A promise to pay has passed without money." in why
    assert sweep(app.context, batch_payers=200, wide=wide).changes == 0
    assert sweep(app.context, batch_payers=200, wide=not wide).changes == 0


@pytest.mark.parametrize("wide", [False, True])
def test_a_promise_is_kept_when_the_money_comes(app, town, wide):
    """Also of a payer who needs no other look."""
    box, people = town
    kept = promise(box, people, "Bram", 5)
    make(box, "cpm__Payment__c", money(people.bill("Bram"), 40, NINE.date(), "bram-1"))
    sweep(app.context, batch_payers=200, wide=wide)
    assert state(app, own.PROMISE, kept) == "Kept"
    assert sweep(app.context, batch_payers=200, wide=wide).changes == 0


def test_what_a_person_called_broken_early_keeps_nobody_quiet(app, town):
    """A person knows before its day that it will not be kept: the promise no longer withholds, and its mark stays."""
    box, people = town
    given_up = promise(box, people, "Anna", 5, State__c="Broken")
    sweep(app.context, batch_payers=200)
    assert state(app, own.PROMISE, given_up) == "Broken"
    assert app.org.query(f"SELECT Id FROM {own.FOLLOW_UP} WHERE Withheld__c LIKE '%promise%'") == []


@pytest.mark.parametrize("wide", [False, True])
def test_a_plan_of_which_a_part_is_late_is_missed_and_followed_up_at_once(app, town, wide):
    """The mark and the call come in the same pass; the second writes nothing."""
    box, people = town
    missed = plan(box, people, "Anna", [people.bill_id("Anna")])
    running = plan(box, people, "Bram", [people.bill_id("Bram")], Starts_On__c="2026-02-25")
    sweep(app.context, batch_payers=200, wide=wide)
    assert (state(app, own.PLAN, missed), state(app, own.PLAN, running)) == ("Missed", "Kept")
    (why,) = calls(app, people, "Anna")
    assert "A payment plan was missed." in why
    assert calls(app, people, "Bram") == []
    assert sweep(app.context, batch_payers=200, wide=wide).changes == 0


@pytest.mark.parametrize("wide", [False, True])
def test_a_plan_ends_with_its_last_part(app, town, wide):
    """A plan that is kept for ever would keep everybody quiet for ever."""
    box, people = town
    ended = plan(box, people, "Bram", [people.bill_id("Bram"), people.bill_id("Bram", 1)])
    make(box, "cpm__Payment__c", money(people.bill("Bram"), 40, NINE.date(), "bram-1"))
    sweep(app.context, batch_payers=200, wide=wide)
    assert state(app, own.PLAN, ended) == "Ended"
    assert sweep(app.context, batch_payers=200, wide=wide).changes == 0


def test_a_dry_run_marks_nothing(app, town):
    """What would be marked is only decided."""
    box, people = town
    broken = promise(box, people, "Anna", -1)
    sweep(app.context, batch_payers=200, dry=True)
    assert state(app, own.PROMISE, broken) == "Open"
