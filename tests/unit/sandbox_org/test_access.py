"""Who sees and does what: permission sets, sharing, hidden rows."""

import pytest

from sandbox.org.errors import OrgError
from sandbox.org.types import Session


@pytest.fixture
def clerk(company):
    """A user with nothing but the permission set Clerk."""
    return company.org.add_user("clerk@example.com", first_name="Cleo", last_name="Clerk", permission_sets=["Clerk"])


def refusal(action, *arguments, **fields):
    """Give the refusal an action ends with."""
    with pytest.raises(OrgError) as caught:
        action(*arguments, **fields)
    return caught.value


def test_a_field_without_read_permission_does_not_exist(company, clerk):
    """It is refused in queries in the words used for unknown fields, and absent from describe and retrieve."""
    record_id = company.invoice(Ref__c="r", Key__c="k")
    error = refusal(company.query, "SELECT Ref__c FROM Invoice__c", user_id=clerk.id)
    assert "No such column 'Ref__c' on entity 'Invoice__c'" in error.message
    assert refusal(company.query, "SELECT Id FROM Invoice__c WHERE Ref__c = 'r'", user_id=clerk.id).code == "INVALID_FIELD"
    names = {each["name"] for each in company.org.describe("Invoice__c", clerk.id)["fields"]}
    assert "Key__c" in names
    assert "Ref__c" not in names
    assert "Amount__c" in names, "required fields are everybody's"
    found = company.org.retrieve("Invoice__c", record_id, session=Session(clerk.id))
    assert "Ref__c" not in found
    assert found["Key__c"] == "k"


def test_a_field_without_edit_permission_is_not_written(company, clerk):
    """A readable field that is not editable refuses the whole write and says so."""
    error = refusal(company.org.create, "Invoice__c", {"Amount__c": 1, "Status__c": "Late"}, session=Session(clerk.id))
    assert error.code == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert error.message.startswith("Unable to create/update fields: Status__c. Please check the security settings")
    company.org.create("Invoice__c", {"Amount__c": 1, "Key__c": "k"}, session=Session(clerk.id))


def test_an_object_without_permission_does_not_exist(company, clerk):
    """No read permission: INVALID_TYPE in queries, not found elsewhere, absent from the global describe."""
    assert refusal(company.query, "SELECT Id FROM Line__c", user_id=clerk.id).code == "INVALID_TYPE"
    assert refusal(company.org.describe, "Line__c", clerk.id).status == 404
    names = {each["name"] for each in company.org.describe_global(clerk.id)["sobjects"]}
    assert {"Invoice__c", "Contact", "User", "Task"} <= names
    assert "Line__c" not in names


def test_an_operation_without_permission_is_refused(company, clerk):
    """Reading does not mean writing, writing does not mean deleting."""
    payer = company.create("Contact", LastName="Vane")
    assert refusal(company.org.create, "Contact", {"LastName": "X"}, session=Session(clerk.id)).status == 403
    assert (
        refusal(company.org.update, "Contact", payer, {"LastName": "X"}, session=Session(clerk.id)).code
        == "INSUFFICIENT_ACCESS_OR_READONLY"
    )
    own = company.org.create("Invoice__c", {"Amount__c": 1}, session=Session(clerk.id))
    assert refusal(company.org.delete, "Invoice__c", own, session=Session(clerk.id)).status == 403


def test_tasks_are_governed_by_the_user_permission_to_edit_tasks(company, clerk):
    """Activities have no object permissions of their own."""
    company.org.create("Task", {"Status": "Completed"}, session=Session(clerk.id))
    company.org.set_access(clerk.id, permission_sets=[])
    assert refusal(company.org.create, "Task", {}, session=Session(clerk.id)).status == 403


def test_the_parts_of_an_address_share_its_permission(company, clerk):
    """Field permissions name the compound address, records its parts."""
    company.create("Contact", LastName="Vane", MailingCity="Utrecht", Phone="1")
    assert company.query("SELECT MailingCity FROM Contact", user_id=clerk.id).records[0]["MailingCity"] == "Utrecht"
    assert refusal(company.query, "SELECT Phone FROM Contact", user_id=clerk.id).code == "INVALID_FIELD"


def test_hidden_rows_are_silently_absent(company):
    """Neither rows, counts, parents, children nor lookups betray a hidden record."""
    account = company.create("Account", Name="Ford Mill")
    payer = company.create("Contact", LastName="Vane", AccountId=account)
    invoice = company.invoice(Payer__c=payer)
    other = company.org.add_user("other@example.com", last_name="Other", is_admin=True)
    company.org.hide("Contact", [payer], other.id)
    company.org.hide("Invoice__c", [invoice[:15]], other.id)

    def seen(soql):
        return company.query(soql, user_id=other.id)

    assert seen("SELECT COUNT() FROM Contact").total_size == 0
    assert seen("SELECT Id FROM Invoice__c").records == []
    assert seen("SELECT Id, (SELECT Id FROM Contacts) FROM Account").records[0]["Contacts"] is None
    assert refusal(company.org.retrieve, "Contact", payer, session=Session(other.id)).code == "NOT_FOUND"
    error = refusal(company.org.create, "Case", {"ContactId": payer}, session=Session(other.id))
    assert error.message == f"insufficient access rights on cross-reference id: {payer[:15]}"
    assert refusal(company.org.update, "Invoice__c", invoice, {"Amount__c": 1}, session=Session(other.id)).status == 403
    company.org.unhide("Contact", None, other.id)
    assert seen("SELECT COUNT() FROM Contact").total_size == 1
    assert seen("SELECT COUNT() FROM Invoice__c").total_size == 0


def test_rows_of_a_private_object_are_seen_by_their_owner_their_queue_and_who_sees_all(company, clerk):
    """Sharing follows ownership unless the user may view all."""
    company.create("Secret__c", Name="admin's")
    queue = company.column("SELECT Id FROM Group WHERE Type = 'Queue'")[0]
    company.create("Secret__c", Name="queue's", OwnerId=queue)
    company.org.create("Secret__c", {"Name": "clerk's"}, session=Session(clerk.id))
    soql = "SELECT Name FROM Secret__c ORDER BY Name"

    def names():
        return [each["Name"] for each in company.query(soql, user_id=clerk.id).records]

    assert names() == ["clerk's"]
    company.org.bulk_load("GroupMember", [{"GroupId": queue, "UserOrGroupId": clerk.id}])
    assert names() == ["clerk's", "queue's"]
    company.org.set_access(clerk.id, view_all=True)
    assert len(names()) == 3


def test_scope_mine_means_the_records_one_owns(company, clerk):
    """USING SCOPE mine asks for one's own."""
    company.invoice()
    assert company.query("SELECT Id FROM Invoice__c USING SCOPE mine", user_id=clerk.id).total_size == 0
    assert company.query("SELECT Id FROM Invoice__c USING SCOPE mine").total_size == 1


def test_users_are_found_by_name_and_known_as_records(company, clerk):
    """A user of the org is a row of User too, with the permission sets given."""
    assert company.org.user_by_name("CLERK@example.com") == clerk
    assert company.column("SELECT Name FROM User WHERE Username = 'clerk@example.com'") == ["Cleo Clerk"]
    assert company.column("SELECT PermissionSet.Name FROM PermissionSetAssignment")[0]["Name"] == "Clerk"
    with pytest.raises(KeyError, match="Nope"):
        company.org.set_access(clerk.id, permission_sets=["Nope"])


def test_details_are_seen_with_their_master(company):
    """A line of a hidden invoice is hidden with it."""
    invoice = company.invoice()
    company.create("Line__c", Invoice__c=invoice, Price__c=1)
    other = company.org.add_user("other@example.com", last_name="Other", is_admin=True)
    assert company.query("SELECT Id FROM Line__c", user_id=other.id).total_size == 1
    company.org.hide("Invoice__c", [invoice], other.id)
    assert company.query("SELECT Id FROM Line__c", user_id=other.id).total_size == 0


def test_owners_are_active_users_or_queues_that_serve_the_object(company, clerk):
    """A queue owns only what it serves, a leaver owns nothing new."""
    queue = company.column("SELECT Id FROM Group WHERE Type = 'Queue'")[0]
    company.create("Case", Subject="x", OwnerId=queue)
    assert refusal(company.create, "Task", Subject="x", OwnerId=queue).message == "Queue not associated with this SObject type"
    company.update("User", clerk.id, IsActive=False)
    assert refusal(company.create, "Task", Subject="x", OwnerId=clerk.id).code == "INACTIVE_OWNER_OR_USER"
