"""Writes: what the org keeps, what it refuses and in which words."""

import pytest

from sandbox.org.errors import OrgError
from sandbox.org.types import Session


def refusal(action, *arguments, **fields):
    """Give the refusal an action ends with."""
    with pytest.raises(OrgError) as caught:
        action(*arguments, **fields)
    return caught.value


def test_a_new_record_gets_id_defaults_owner_currency_and_audit_fields(company):
    """A record that says little is complete all the same."""
    record_id = company.invoice()
    found = company.read("Invoice__c", record_id)
    assert record_id[:3] == "a00"
    assert len(record_id) == 18
    assert found["Name"] == "INV-0001"
    assert found["OwnerId"] == found["CreatedById"] == company.session.user_id
    assert (found["CurrencyIsoCode"], found["Status__c"], found["Sent__c"], found["Count__c"]) == ("EUR", "Open", False, 3.0)
    assert found["Booked__c"] == "2026-03-01"
    assert found["CreatedDate"] == found["SystemModstamp"] == "2026-03-02T09:30:15.000+0000"


def test_required_fields_are_named_when_they_are_missing(company):
    """A required field left out, or emptied later, is refused by name."""
    error = refusal(company.create, "Invoice__c")
    assert (error.status, error.code, error.message, error.fields) == (
        400,
        "REQUIRED_FIELD_MISSING",
        "Required fields are missing: [Amount__c]",
        ["Amount__c"],
    )
    assert refusal(company.update, "Invoice__c", company.invoice(), Amount__c=None).code == "REQUIRED_FIELD_MISSING"


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"Ref__c": "x" * 11}, "STRING_TOO_LONG", "Ref: data value too large: xxxxxxxxxxx (max length=10)"),
        ({"Status__c": "Lost"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Status: bad value for restricted picklist field: Lost"),
        ({"Topics__c": "Gas;Coal"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Topics: bad value for restricted picklist field: Gas;Coal"),
        ({"Count__c": 10000}, "NUMBER_OUTSIDE_VALID_RANGE", "Count: value outside of valid range on numeric field: 10000"),
        ({"Amount__c": "much"}, "JSON_PARSER_ERROR", "Cannot deserialize instance of currency from VALUE_STRING value much"),
        ({"Due__c": "2026-02-30"}, "JSON_PARSER_ERROR", "Cannot deserialize instance of date from VALUE_STRING value 2026-02-30"),
        ({"Mail__c": "nobody"}, "INVALID_EMAIL_ADDRESS", "Mail: invalid email address: nobody"),
        ({"Payer__c": "001000000000001"}, "MALFORMED_ID", "Payer: id value of incorrect type: 001000000000001AAA"),
        ({"Payer__c": "nonsense"}, "MALFORMED_ID", "Payer: id value of incorrect type: nonsense"),
        ({"Payer__c": "003000000000001AAA"}, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"),
        ({"Foo__c": 1}, "INVALID_FIELD", "No such column 'Foo__c' on sobject of type Invoice__c"),
        ({"Days_Late__c": 1}, "INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: Days_Late__c."),
        ({"CreatedDate": "2020-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: CreatedDate."),
        ({"Id": "a00000000000001AAA"}, "INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call"),
        ({"Paid__c": 101}, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "More paid than owed"),
    ],
)
def test_a_bad_value_is_refused_in_the_platforms_words(company, fields, code, words):
    """Each kind of bad value has its own code and wording, and nothing is kept of the record."""
    error = refusal(company.invoice, **fields)
    assert error.code == code
    assert error.message.startswith(words)
    assert company.query("SELECT COUNT() FROM Invoice__c").total_size == 0


def test_numbers_are_rounded_half_up_to_their_scale(company):
    """Money never keeps more digits than its field shows."""
    assert company.read("Invoice__c", company.invoice(Amount__c="10.005"), "Amount__c") == {"Amount__c": 10.01}


def test_datetimes_are_kept_in_whole_seconds_of_utc(company):
    """A datetime with an offset and fractions comes back as the same moment, in the platform's form."""
    record_id = company.invoice(Seen_At__c="2026-03-02T10:00:00.999+01:00", Due__c="2026-03-02")
    assert company.read("Invoice__c", record_id, "Seen_At__c", "Due__c") == {
        "Seen_At__c": "2026-03-02T09:00:00.000+0000",
        "Due__c": "2026-03-02",
    }


def test_a_unique_value_is_refused_without_regard_to_case_and_names_the_other_record(company):
    """DUPLICATE_VALUE carries the fifteen character id of the record that has the value."""
    first = company.invoice(Key__c="abc")
    error = refusal(company.invoice, Key__c="ABC")
    assert (error.code, error.status) == ("DUPLICATE_VALUE", 400)
    assert error.message == f"duplicate value found: Key__c duplicates value on record with id: {first[:15]}"
    second = company.invoice(Key__c="def")
    assert refusal(company.update, "Invoice__c", second, Key__c="abc").code == "DUPLICATE_VALUE"
    company.update("Invoice__c", first, Key__c="abc")


def test_a_case_sensitive_unique_field_tells_cases_apart(company):
    """`a` and `A` are two values where the field says so, for writes and for queries."""
    company.invoice(Exact_Key__c="a")
    company.invoice(Exact_Key__c="A")
    assert company.query("SELECT Id FROM Invoice__c WHERE Exact_Key__c = 'a'").total_size == 1


def test_a_unique_value_is_free_again_once_its_record_is_in_the_bin(company):
    """The bin holds no keys; taking the record out again then fails."""
    first = company.invoice(Key__c="abc")
    company.delete("Invoice__c", first)
    company.invoice(Key__c="abc")
    error = refusal(company.org.undelete, "Invoice__c", first, session=company.session)
    assert error.code == "DUPLICATE_VALUE"


def test_a_key_on_activity_is_unique_over_tasks_and_events(company):
    """A custom field of Activity belongs to tasks and events together."""
    company.create("Task", Subject="Call", Key__c="k1")
    assert refusal(company.create, "Event", Subject="Visit", Key__c="k1").code == "DUPLICATE_VALUE"


def test_a_lookup_can_be_set_by_the_external_id_of_its_target(company):
    """A relationship name with one external id stands for the record that has it."""
    invoice = company.invoice(Key__c="abc")
    line = company.create("Line__c", Invoice__r={"attributes": {"type": "Invoice__c"}, "Key__c": "abc"}, Price__c=5)
    assert company.read("Line__c", line, "Invoice__c") == {"Invoice__c": invoice}
    error = refusal(company.create, "Line__c", Invoice__r={"Key__c": "nope"})
    assert error.message == "Foreign key external ID: nope not found for field Key__c in entity Invoice__c"


def test_upsert_inserts_once_and_updates_after_that(company):
    """The same upsert twice makes one record."""

    def put(amount):
        return company.org.upsert("Invoice__c", "Key__c", "abc", {"Amount__c": amount}, session=company.session)

    first, created = put(1)
    again, created_again = put(2)
    assert (first, created, created_again) == (again, True, False)
    assert company.column("SELECT Amount__c FROM Invoice__c") == [2.0]


def test_upsert_refuses_what_the_platform_refuses(company):
    """No external id, several matches, the key repeated in the body, and updateOnly without a match each have their answer."""
    upsert, session = company.org.upsert, company.session
    assert refusal(upsert, "Invoice__c", "Amount__c", "1", {}, session=session).message.endswith("not accessible: Amount__c")
    company.invoice(Ref__c="r")
    company.invoice(Ref__c="r")
    several = refusal(upsert, "Invoice__c", "Ref__c", "r", {}, session=session)
    assert (several.status, len(several.matches)) == (300, 2)
    assert refusal(upsert, "Invoice__c", "Key__c", "k", {"Key__c": "k"}, session=session).code == "INVALID_FIELD"
    assert refusal(upsert, "Invoice__c", "Key__c", "k", {}, session=session, update_only=True).status == 404


def test_deleting_clears_lookups_and_takes_details_along(company):
    """After a delete nothing live points at the record."""
    payer = company.create("Contact", LastName="Vane")
    invoice = company.invoice(Payer__c=payer)
    line = company.create("Line__c", Invoice__c=invoice)
    company.delete("Contact", payer)
    assert company.read("Invoice__c", invoice, "Payer__c") == {"Payer__c": None}
    company.delete("Invoice__c", invoice)
    assert company.column("SELECT IsDeleted FROM Line__c", all_rows=True) == [True]
    assert refusal(company.read, "Line__c", line).code == "ENTITY_IS_DELETED"


def test_a_deleted_record_is_only_seen_with_all_rows_and_can_come_back(company):
    """A query leaves the recycle bin out, queryAll counts it in, undelete empties it."""
    record_id = company.invoice()
    company.delete("Invoice__c", record_id)
    assert company.query("SELECT Id FROM Invoice__c").total_size == 0
    assert company.column("SELECT IsDeleted FROM Invoice__c", all_rows=True) == [True]
    assert refusal(company.update, "Invoice__c", record_id, Amount__c=1).code == "ENTITY_IS_DELETED"
    company.org.undelete("Invoice__c", record_id, session=company.session)
    assert company.query("SELECT Id FROM Invoice__c").total_size == 1


def test_an_update_moves_the_change_stamps_and_nothing_else(company):
    """SystemModstamp follows each write; creation stays."""
    record_id = company.invoice()
    company.clock.advance(3600)
    company.update("Invoice__c", record_id, Sent__c=True)
    found = company.read("Invoice__c", record_id, "CreatedDate", "SystemModstamp", "LastModifiedDate", "Sent__c", "Amount__c")
    assert found == {
        "CreatedDate": "2026-03-02T09:30:15.000+0000",
        "SystemModstamp": "2026-03-02T10:30:15.000+0000",
        "LastModifiedDate": "2026-03-02T10:30:15.000+0000",
        "Sent__c": True,
        "Amount__c": 100.0,
    }


def test_a_task_follows_its_status_and_its_relations(company):
    """IsClosed, IsHighPriority, CompletedDateTime and AccountId are derived and read only."""
    account = company.create("Account", Name="Ford Mill")
    payer = company.create("Contact", LastName="Vane", AccountId=account)
    task = company.create("Task", Subject="Call", WhoId=payer, Priority="High")
    fields = ("Status", "IsClosed", "IsHighPriority", "CompletedDateTime", "AccountId", "TaskSubtype")
    assert list(company.read("Task", task, *fields).values()) == ["Not Started", False, True, None, account, "Task"]
    company.update("Task", task, Status="Completed")
    assert company.read("Task", task, "IsClosed", "CompletedDateTime") == {
        "IsClosed": True,
        "CompletedDateTime": "2026-03-02T09:30:15.000+0000",
    }
    company.update("Task", task, Status="In Progress")
    assert company.read("Task", task, "CompletedDateTime") == {"CompletedDateTime": None}
    assert refusal(company.update, "Task", task, IsClosed=True).code == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_a_task_relates_only_to_objects_with_activities(company):
    """WhatId takes an invoice, which has activities, and refuses a line, which has none."""
    invoice = company.invoice()
    line = company.create("Line__c", Invoice__c=invoice)
    company.create("Task", Subject="Look", WhatId=invoice)
    error = refusal(company.create, "Task", Subject="Look", WhatId=line)
    assert error.message == f"Related To ID: id value of incorrect type: {line}"


def test_a_case_knows_whether_it_is_closed_and_whose_it_is(company):
    """IsClosed and ClosedDate follow Status, the account follows the contact, numbers are padded."""
    account = company.create("Account", Name="Ford Mill")
    payer = company.create("Contact", LastName="Vane", AccountId=account, Email="vane@example.com")
    case = company.create("Case", ContactId=payer, Subject="Wrong bill")
    assert company.read("Case", case, "CaseNumber", "AccountId", "IsClosed", "ContactEmail") == {
        "CaseNumber": "00001001",
        "AccountId": account,
        "IsClosed": False,
        "ContactEmail": "vane@example.com",
    }
    company.update("Case", case, Status="Closed")
    assert company.read("Case", case, "IsClosed", "ClosedDate")["ClosedDate"] == "2026-03-02T09:30:15.000+0000"


def test_cases_go_to_the_default_owner_unless_assignment_is_switched_off(company):
    """Sforce-Auto-Assign decides whether a case keeps the owner it was given."""
    queue = company.column("SELECT Id FROM Group WHERE Type = 'Queue'")[0]
    company.org.default_case_owner = queue
    taken = company.create("Case", Subject="One")
    kept = company.org.create("Case", {"Subject": "Two"}, session=Session(company.session.user_id, auto_assign=False))
    assert company.read("Case", taken, "OwnerId") == {"OwnerId": queue}
    assert company.read("Case", kept, "OwnerId") == {"OwnerId": company.session.user_id}


def test_unknown_objects_and_records_are_not_found(company):
    """What is not there has one answer, whatever is asked of it."""
    assert refusal(company.create, "Nothing__c").status == 404
    assert refusal(company.update, "Invoice__c", "a00000000000009AAA", Amount__c=1).code == "NOT_FOUND"
    assert refusal(company.read, "Invoice__c", "junk").code == "NOT_FOUND"
    assert refusal(company.read, "Invoice__c", company.invoice(), "Foo").code == "INVALID_FIELD"
