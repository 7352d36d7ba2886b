"""Transactions, changes and events: all or nothing, told once."""

import pytest

from sandbox.org.errors import OrgError


def test_one_write_is_one_commit_with_what_changed(company):
    """A change names the fields that differ, without the audit fields, and shows the record afterwards."""
    record_id = company.invoice()
    company.update("Invoice__c", record_id, Status__c="Late", Amount__c=100)
    create, update = company.commits
    assert [each.kind for each in (*create.changes, *update.changes)] == ["CREATE", "UPDATE"]
    assert update.changes[0].changed_fields == ("Status__c",)
    assert update.changes[0].record["Status__c"] == "Late"
    assert update.changes[0].record["SystemModstamp"] == "2026-03-02T09:30:15.000Z"
    assert "Amount__c" in create.changes[0].changed_fields
    assert create.key != update.key


def test_a_transaction_is_one_commit(company):
    """Several writes together are told together."""
    with company.org.transaction():
        company.invoice()
        company.invoice()
        assert company.commits == []
    assert [len(each.changes) for each in company.commits] == [2]


def test_a_refusal_caught_inside_loses_only_its_own_record(company):
    """Collections without allOrNone keep their good records."""
    with company.org.transaction():
        company.invoice(Key__c="a")
        with pytest.raises(OrgError):
            company.invoice(Key__c="a")
        company.invoice(Key__c="b")
    assert company.column("SELECT Key__c FROM Invoice__c ORDER BY Key__c") == ["a", "b"]
    assert len(company.commits[0].changes) == 2


def test_a_refusal_let_out_undoes_everything(company):
    """With allOrNone nothing is kept and nothing is told, events included."""
    with pytest.raises(OrgError), company.org.transaction():  # noqa: PT012 - the steps belong together
        company.invoice(Key__c="a")
        company.org.publish("Paid__e", {"Reference__c": "r"}, session=company.session)
        company.invoice(Key__c="a")
    assert company.query("SELECT Id FROM Invoice__c", all_rows=True).total_size == 0
    assert (company.commits, company.log.seen) == ([], [])


def test_an_automation_writes_in_the_same_transaction(company):
    """What listens to changes belongs to the write that set it off."""

    def task_for_invoice(change):
        if change.sobject == "Invoice__c" and change.kind == "CREATE":
            company.create("Task", Subject="Check", WhatId=change.id)

    company.org.on_change.append(task_for_invoice)
    company.invoice()
    assert [change.sobject for change in company.commits[0].changes] == ["Invoice__c", "Task"]


def test_an_automation_may_refuse_the_write(company):
    """A listener that raises undoes the write it was told of."""

    def refuse(change):
        raise OrgError(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", f"not {change.sobject}")

    company.org.on_change.append(refuse)
    with pytest.raises(OrgError, match="not Invoice__c"):
        company.invoice()
    assert company.query("SELECT Id FROM Invoice__c").total_size == 0


def test_an_event_is_checked_and_carries_all_its_fields(company):
    """A payload has every field of the definition, and its time in milliseconds."""
    uuid, replay_id = company.org.publish("Paid__e", {"Reference__c": "r1"}, session=company.session)
    assert (len(uuid), replay_id) == (36, 101)
    channel, payload = company.log.seen[0]
    assert channel == "/event/Paid__e"
    assert payload == {
        "CreatedDate": "2026-03-02T09:30:15.250Z",
        "CreatedById": company.session.user_id,
        "Reference__c": "r1",
        "Amount__c": None,
    }


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "REQUIRED_FIELD_MISSING"),
        ({"Reference__c": "r", "Foo__c": 1}, "INVALID_FIELD"),
        ({"Reference__c": "r" * 21}, "STRING_TOO_LONG"),
    ],
)
def test_a_wrong_event_is_refused(company, fields, code):
    """Events are typed like records."""
    with pytest.raises(OrgError) as caught:
        company.org.publish("Paid__e", fields, session=company.session)
    assert caught.value.code == code
    assert company.log.seen == []


def test_an_event_of_a_transaction_waits_for_its_end(company):
    """PublishAfterCommit means that whoever hears of it can read the records."""
    with company.org.transaction():
        _, replay_id = company.org.publish("Paid__e", {"Reference__c": "r"}, session=company.session)
        assert (replay_id, company.log.seen) == (None, [])
    assert len(company.log.seen) == 1


def test_two_runs_of_an_org_never_give_the_same_event_id(company, open_company, tmp_path):
    """A client that remembers event ids over a restart of the org drops nothing new."""
    again = open_company(tmp_path / "org.db")
    first, second = (one.org.publish("Paid__e", {"Reference__c": "r1"}, session=one.session)[0] for one in (company, again))
    assert first != second
