"""What a credit manager logs of a call, against a local org: spoken to or not, and words that stop everything until a person goes on."""

import pytest

from connector.mapping import own
from connector.pipeline.sweep import sweep
from connector.pipeline.treat import treat
from sandbox.server import Box, Setup
from tests.contract.pipeline.test_agreements import NINE, Neighbour, app, founded, make
from tests.contract.pipeline.test_wide import admin

__all__ = ["app"]


@pytest.fixture
def town():
    """One person whose payment of this month failed a week ago."""
    keep = []
    with Box(Setup(now=NINE), founded([Neighbour("Anna")], keep)) as box:
        fields = {
            "cpm__Original_Due_Date__c": "2026-02-20", "cpm__Status__c": "Failed", "cpm__Last_ReasonCode_Received__c": "51",
            "cpm__Last_Failed_Date__c": "2026-02-23",
        }  # fmt: skip
        box.run(lambda: box.org.update("cpm__Installment__c", keep[0].bill_id("Anna"), fields, session=box.org.system))
        yield box, keep[0]


def logged(box, payer, outcome, **more):
    """A person logs a call that they made, with what came of it."""
    return make(
        box, "Task", {"WhoId": payer, "Subject": "Call", "Status": "Completed", "TaskSubtype": "Call", own.CALL_OUTCOME: outcome, **more}
    )


def decided(app, payer):
    """What would be done for the payer now: status, kinds that go on, and why others do not."""
    (found,) = treat(app.context, [payer], app.clock.now(), dry=True).decisions
    withheld = {str(reason) for one in found.withheld for reason in one.reasons}
    return found.arrears.status.value, {one.kind.value for one in found.follow_ups}, withheld


def change(box, sobject, record, fields):
    """A person changes a record."""
    box.run(lambda: box.org.update(sobject, record, fields, session=box.org.system))


@pytest.mark.parametrize(("outcome", "cause"), [("dispute", "dispute"), ("hardship", "vulnerable")])
def test_words_that_stop_contact_stop_it_at_once(town, app, outcome, cause):
    """Nobody has to remember a second click: the payer is on hold from the moment the call is logged, and goes on when it is corrected."""
    box, place = town
    payer = place.payers["Anna"]
    assert decided(app, payer)[0] == "In Arrears"
    task = logged(box, payer, outcome)
    status, going_on, withheld = decided(app, payer)
    assert (status, f"hold:{cause}" in withheld) == ("On Hold", True)
    assert not going_on & {"retry", "remind", "request_method", "call", "escalate"}
    change(box, "Task", task, {own.CALL_OUTCOME: "reached"})
    assert decided(app, payer)[0] == "In Arrears"


def test_a_hold_made_after_the_call_takes_over_and_its_release_ends_both(town, app):
    """From then on the record counts: released by a person, it is over, whatever the call said before."""
    box, place = town
    payer = place.payers["Anna"]
    logged(box, payer, "dispute")
    admin(box, "/clock", advance_seconds=60)
    hold = make(box, own.HOLD, {"Contact__c": payer, "Cause__c": "dispute", "From__c": "2026-03-02"})
    assert decided(app, payer)[0] == "On Hold"
    change(box, own.HOLD, hold, {"Released_At__c": "2026-03-02T10:00:00Z"})
    assert decided(app, payer)[0] == "In Arrears"


def test_a_deleted_call_stops_nothing(town, app):
    """What a person took back is taken back."""
    box, place = town
    payer = place.payers["Anna"]
    task = logged(box, payer, "dispute")
    box.run(lambda: box.org.delete("Task", task, session=box.org.system))
    assert decided(app, payer)[0] == "In Arrears"


@pytest.mark.parametrize(
    ("outcome", "spoken"), [("reached", True), ("promise", True), (None, True), ("no_answer", False), ("wrong_number", False)]
)
def test_only_a_conversation_counts_as_one(town, app, outcome, spoken):
    """Nobody there and a wrong number are calls, not conversations; a call without an outcome counts as it always did."""
    from connector.pipeline.load import load

    box, place = town
    payer = place.payers["Anna"]
    logged(box, payer, outcome)
    contacts = load(app.context.org, app.context.mapping, [payer], app.clock.now()).snapshot.contacts
    assert (list(contacts["channel"]), list(contacts["conversation"])) == (["call"], [spoken])


@pytest.mark.parametrize("wide", [False, True])
def test_the_pass_over_everyone_sees_it_too(town, app, wide):
    """By REST and in bulk the position says On Hold, though no hold record exists."""
    box, place = town
    payer = place.payers["Anna"]
    logged(box, payer, "hardship")
    sweep(app.context, batch_payers=200, wide=wide)
    (row,) = app.org.query(f"SELECT Status__c FROM {own.POSITION} WHERE Contact__c = '{payer}'")
    assert row["Status__c"] == "On Hold"
    assert app.org.query(f"SELECT Id FROM {own.HOLD}") == []


def test_a_logged_call_is_noticed_by_polling(town, app):
    """Only calls with an outcome, of all that people log: the poll asks for no others."""
    from connector.mapping import queries

    box, place = town
    payer = place.payers["Anna"]
    told = logged(box, payer, "dispute")
    make(box, "Task", {"WhoId": payer, "Subject": "Call", "Status": "Completed", "TaskSubtype": "Call"})
    rows = app.org.query(queries.polls(app.context.mapping)["Task"].format(since="2026-03-01T00:00:00Z"))
    assert [row["Id"] for row in rows] == [told]
