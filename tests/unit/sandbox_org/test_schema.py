"""Metadata, describe, loading and storing: what an org is made of."""

from datetime import UTC, datetime

import pytest

from sandbox.org import ids
from sandbox.org.clock import Clock
from sandbox.org.errors import OrgError
from sandbox.org.metadata import load_schema
from sandbox.org.newrow import auto_number
from sandbox.org.standard import standard_objects

NAMELESS = {
    *("GroupMember", "QueueSobject", "PermissionSetAssignment", "ObjectPermissions", "FieldPermissions"),
    *("CampaignMember", "CaseComment", "ContentDocumentLink"),
}
NAMELESS |= {"OpportunityContactRole"}


def test_the_shipped_standard_objects_stand_on_their_own():
    """Every fact file loads, and each polymorphic lookup points at objects that exist."""
    schema = load_schema([])
    assert {"Account", "Contact", "User", "Group", "Case", "Task", "Event", "Organization", "RecordType", "PermissionSet"} <= set(
        schema.objects
    )
    assert schema.objects["Task"].fields["WhatId"].reference_to == (
        "Account",
        "Campaign",
        "Case",
        "Contract",
        "Opportunity",
        "Order",
        "Product2",
    )
    prefixes = [one.key_prefix for one in schema.objects.values()]
    assert len(prefixes) == len(set(prefixes))
    assert all(one.name_field or one.name in NAMELESS for one in standard_objects().values())


def test_custom_objects_get_prefixes_system_fields_and_relationships(schema):
    """A custom object has what every object has, and its lookups can be followed both ways."""
    invoice = schema.objects["Invoice__c"]
    assert (invoice.key_prefix, schema.objects["Line__c"].key_prefix, schema.objects["Paid__e"].key_prefix) == ("a00", "a01", "e00")
    assert {"Id", "OwnerId", "CurrencyIsoCode", "SystemModstamp", "RecordTypeId"} <= set(invoice.fields)
    assert "OwnerId" not in schema.objects["Line__c"].fields
    assert invoice.lookup("payer__R") is invoice.field("PAYER__C")
    assert ("Line__c", "Lines__r") in {(end.child, end.name) for end in schema.children["Invoice__c"]}


def test_activity_fields_channels_queues_and_record_types_are_read(schema, company):
    """What lies beside objects in the source is not lost."""
    assert schema.objects["Task"].fields["Key__c"].unique
    assert schema.objects["Event"].fields["Key__c"].activity
    assert schema.change_entities == {"ChangeEvents": ("CaseChangeEvent",)}
    assert company.column("SELECT Name FROM Group WHERE Type = 'Queue'") == ["Front Desk"]
    assert company.column("SELECT DeveloperName FROM RecordType WHERE SobjectType = 'Invoice__c'") == ["Service"]
    kinds = company.org.describe("Invoice__c", company.session.user_id)["recordTypeInfos"]
    assert [each["developerName"] for each in kinds] == ["Service", "Master"]


def test_metadata_that_cannot_be_used_is_refused_by_file(source):
    """The message names the file to open."""
    source.object("A__c", "A")
    source.field("A__c", "B__c", "Hologram")
    with pytest.raises(ValueError, match=r"B__c\.field-meta\.xml: field type Hologram is not known"):
        load_schema([source.root])


def test_value_sets_are_shared_and_standard_ones_replaced(source):
    """Global value sets serve fields; a standard value set gives a standard field other values."""
    source.write(
        "globalValueSets/Colours.globalValueSet-meta.xml",
        "GlobalValueSet",
        "<customValue><fullName>Red</fullName><default>true</default><label>Red</label></customValue>",
    )
    source.write(
        "standardValueSets/CaseStatus.standardValueSet-meta.xml",
        "StandardValueSet",
        "<standardValue><fullName>Fresh</fullName><default>true</default><label>Fresh</label></standardValue>"
        "<standardValue><fullName>Done</fullName><default>false</default><label>Done</label><closed>true</closed></standardValue>",
    )
    source.object("A__c", "A")
    source.field("A__c", "Colour__c", "Picklist", valueSet="<valueSetName>Colours</valueSetName>")
    schema = load_schema([source.root])
    assert schema.objects["A__c"].fields["Colour__c"].default == "Red"
    assert schema.objects["Case"].fields["Status"].default == "Fresh"
    assert [each.value for each in schema.objects["Case"].fields["Status"].choices if each.closed] == ["Done"]


def test_describe_says_what_a_client_must_know(company):
    """Types, limits, requiredness, keys and targets are there under the platform's names."""
    described = company.org.describe("invoice__c", company.session.user_id)
    fields = {each["name"]: each for each in described["fields"]}
    required = [name for name, f in fields.items() if f["createable"] and not f["nillable"] and not f["defaultedOnCreate"]]
    assert required == ["Amount__c"]
    assert (fields["Amount__c"]["precision"], fields["Amount__c"]["scale"], fields["Amount__c"]["type"]) == (16, 2, "currency")
    assert fields["Key__c"]["unique"]
    assert fields["Key__c"]["idLookup"]
    assert not fields["Days_Late__c"]["createable"]
    assert fields["Days_Late__c"]["calculated"]
    assert fields["Payer__c"]["referenceTo"] == ["Contact"]
    assert [each["value"] for each in fields["Status__c"]["picklistValues"] if each["defaultValue"]] == ["Open"]
    assert len(fields["Amount__c"]) == 57
    assert (described["keyPrefix"], described["queryable"], described["urls"]["sobject"]) == (
        "a00",
        True,
        "/services/data/v66.0/sobjects/Invoice__c",
    )


def test_loading_in_bulk_is_typed_and_silent(company):
    """Worlds may set what requests may not, but not what the types forbid; nobody is told."""
    payer = company.org.bulk_load("Contact", [{"LastName": "Vane", "CreatedDate": datetime(2024, 1, 1, tzinfo=UTC)}])[0]
    found = company.read("Contact", payer, "Name", "CreatedDate", "SystemModstamp")
    assert set(found.values()) == {"Vane", "2024-01-01T00:00:00.000+0000"}
    first, second = company.org.bulk_load("Invoice__c", [{"Amount__c": 1, "Payer__c": payer}, {"Amount__c": "2.50", "Key__c": "k"}])
    assert company.read("Invoice__c", second, "Name", "Status__c", "Amount__c") == {
        "Name": "INV-0002",
        "Status__c": "Open",
        "Amount__c": 2.5,
    }
    assert first < second
    assert (company.changes, company.commits) == ([], [])
    for row, code in (
        ({}, "REQUIRED_FIELD_MISSING"),
        ({"Amount__c": 1, "Key__c": "K"}, "DUPLICATE_VALUE"),
        ({"Amount__c": 1, "Payer__c": first}, "MALFORMED_ID"),
        ({"Amount__c": 1, "Foo": 1}, "INVALID_FIELD"),
    ):
        with pytest.raises(OrgError) as caught:
            company.org.bulk_load("Invoice__c", [{"Amount__c": 9}, row])
        assert caught.value.code == code
    assert company.query("SELECT COUNT() FROM Invoice__c").total_size == 2


def test_a_file_store_keeps_records_users_and_numbering(open_company, tmp_path):
    """Opened again, the org goes on where it stopped."""
    first = open_company(tmp_path / "org.db")
    record_id = first.invoice(Key__c="k")
    first.org.add_user("clerk@example.com", last_name="Clerk", permission_sets=["Clerk"])
    first.org.close()
    again = open_company(tmp_path / "org.db")
    assert again.org.admin.id == first.org.admin.id
    assert again.org.user_by_name("clerk@example.com").permission_sets == ("Clerk",)
    other = again.invoice()
    assert again.column("SELECT Name FROM Invoice__c ORDER BY Name") == ["INV-0001", "INV-0002"]
    assert other > record_id
    assert again.query("SELECT COUNT() FROM Organization").total_size == 1
    again.org.close()


def test_emptying_the_bin_forgets_its_records(company):
    """After that not even all_rows sees them."""
    company.delete("Invoice__c", company.invoice())
    assert company.org.empty_bin() == 1
    assert company.query("SELECT Id FROM Invoice__c", all_rows=True).total_size == 0


def test_many_records_are_read_in_the_order_asked_for(company):
    """What is not there is null in its place."""
    first, second = company.invoice(Key__c="a"), company.invoice(Key__c="b")
    found = company.org.retrieve_many("Invoice__c", [second, "a00000000000099AAA", first], ["Key__c"], session=company.session)
    assert [each and each["Key__c"] for each in found] == ["b", None, "a"]
    assert company.org.retrieve_by("Invoice__c", "Key__c", "A", session=company.session)["Id"] == first


@pytest.mark.parametrize(("short", "full"), [("001000000000001", "001000000000001AAA"), ("00D5e00000AbCdE", "00D5e00000AbCdEEAV")])
def test_ids_have_two_forms_of_one_meaning(short, full):
    """The last three characters say which letters are capitals."""
    assert ids.long_id(short) == full
    assert ids.normal(short) == ids.normal(full) == full
    assert ids.normal(full[:-1] + "x") is None
    assert ids.normal("0010000000000-1") is None


def test_auto_numbers_follow_their_format():
    """Digits are padded, dates filled in."""
    now = datetime(2026, 3, 2, tzinfo=UTC)
    assert [auto_number(each, 7, now) for each in ("INV-{0000}", "{YYYY}{MM}-{0}", "{000}/A")] == ["INV-0007", "202603-7", "007/A"]


def test_the_clock_stands_still_until_it_is_moved():
    """A set clock is frozen, takes aware times only, and an unset one runs."""
    clock = Clock(datetime(2026, 3, 2, tzinfo=UTC))
    clock.advance(90)
    assert clock.frozen
    assert clock.now() == datetime(2026, 3, 2, 0, 1, 30, tzinfo=UTC)
    with pytest.raises(ValueError, match="aware"):
        clock.set(datetime(2026, 3, 2))  # noqa: DTZ001 - the mistake being tested
    assert not Clock().frozen
