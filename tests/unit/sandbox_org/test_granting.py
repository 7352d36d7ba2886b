"""Who was granted what, as clients read it: PermissionSet, ObjectPermissions, FieldPermissions, PermissionSetAssignment."""

import pytest

from sandbox.org.clock import Clock
from sandbox.org.errors import OrgError
from sandbox.org.metadata import load_schema
from sandbox.org.org import Org
from tests.unit.sandbox_org.conftest import NOW, grant, grant_field

API = "<userPermissions><enabled>true</enabled><name>ApiEnabled</name></userPermissions>"
MINE = "(SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = '{}')"


@pytest.fixture
def write(source):
    """Write one object, and sets, profiles or groups that grant something on it."""
    source.object("A__c", "A")
    source.field("A__c", "Note__c", "Text", length="20")
    source.field("A__c", "Sum__c", "Number", precision="8", scale="0")

    def one(kind, name, body):
        folder = {"PermissionSet": "permissionsets", "Profile": "profiles", "PermissionSetGroup": "permissionsetgroups"}[kind]
        source.write(f"{folder}/{name}.{kind.lower()}-meta.xml", kind, f"<label>{name} label</label>{body}")

    return one


@pytest.fixture
def opened(source, tmp_path_factory):
    """Open the org of the source, in the same file again and again."""
    file = tmp_path_factory.mktemp("store") / "org.db"
    orgs = []

    def org():
        orgs.append(Org(load_schema([source.root]), Clock(NOW), store=file))
        return orgs[-1]

    yield org
    for each in orgs:
        each.close()


def rows(org, soql, user_id=None):
    """Ask, and give tuples of the values in the order asked."""
    records = org.query(soql, user_id=user_id or org.admin.id).records
    return [tuple(value for key, value in each.items() if key != "attributes") for each in records]


def test_a_user_can_ask_what_they_were_granted(write, opened):
    """The query the Object Reference shows: objects and fields of the sets one holds, by API name, without what was not granted."""
    write(
        "PermissionSet",
        "Clerk",
        grant("A__c", allowEdit="false", viewAllRecords="true") + grant_field("A__c.Note__c", editable=False) + API,
    )
    write("PermissionSet", "Other", grant("Contact") + grant_field("A__c.Sum__c"))
    org = opened()
    clerk = org.add_user("clerk@example.com", last_name="Clerk", permission_sets=["Clerk"])
    mine = MINE.format(clerk.id)
    flags = ", ".join(f"Permissions{word}" for word in ("Read", "Create", "Edit", "Delete", "ViewAllRecords", "ModifyAllRecords"))
    soql = f"SELECT SobjectType, {flags} FROM ObjectPermissions WHERE ParentId IN {mine}"
    assert rows(org, soql, clerk.id) == [("A__c", True, True, False, False, True, False)]
    soql = f"SELECT SobjectType, Field, PermissionsRead, PermissionsEdit FROM FieldPermissions WHERE ParentId IN {mine}"
    assert rows(org, soql, clerk.id) == [("A__c", "A__c.Note__c", True, False)]
    soql = "SELECT Name, Label, PermissionsApiEnabled, PermissionsViewAllData FROM PermissionSet ORDER BY Name"
    assert rows(org, soql) == [("Clerk", "Clerk label", True, False), ("Other", "Other label", False, False)]


def test_a_profile_owns_a_set_and_a_group_has_one_that_adds_up(write, opened):
    """As on the platform; a user holds the profile's set and the group's like any other."""
    write("Profile", "Desk", grant("A__c", allowCreate="false"))
    write("PermissionSet", "Read", grant("A__c", allowCreate="false", allowEdit="false") + grant_field("A__c.Note__c", editable=False))
    write("PermissionSet", "Fill", grant("A__c", allowEdit="false") + grant_field("A__c.Note__c"))
    members = "".join(f"<permissionSets>{name}</permissionSets>" for name in ("Read", "Fill"))
    write("PermissionSetGroup", "Team", members)
    org = opened()
    user = org.add_user("clerk@example.com", last_name="Clerk", permission_sets=["Desk", "Team"])
    soql = (
        "SELECT PermissionSet.Type, PermissionSet.IsOwnedByProfile, PermissionSet.Profile.Name FROM PermissionSetAssignment "
        f"WHERE AssigneeId = '{user.id}' ORDER BY PermissionSet.Type"
    )
    found = [each["PermissionSet"] for each in org.query(soql, user_id=user.id).records]
    assert [(each["Type"], each["IsOwnedByProfile"], each["Profile"] and each["Profile"]["Name"]) for each in found] == [
        ("Group", False, None),
        ("Profile", True, "Desk"),
    ]
    soql = "SELECT PermissionsCreate, PermissionsEdit FROM ObjectPermissions WHERE Parent.Name = 'Team'"
    assert rows(org, soql) == [(True, False)]
    assert rows(org, "SELECT PermissionsEdit FROM FieldPermissions WHERE Parent.Name = 'Team'") == [(True,)]


def test_an_administrator_has_the_profile_of_one(opened):
    """Whoever may do everything says so; the others have what their sets give and nothing of a profile."""
    org = opened()
    org.add_user("admin@example.com", last_name="Admin", is_admin=True)
    org.add_user("clerk@example.com", last_name="Clerk")
    found = org.query("SELECT LastName, Profile.Name FROM User ORDER BY LastName", user_id=org.admin.id).records
    assert [(each["LastName"], each["Profile"]["Name"]) for each in found] == [
        ("Admin", "System Administrator"),
        ("Administrator", "System Administrator"),
        ("Clerk", "Minimum Access - Salesforce"),
    ]


def test_grants_follow_the_source_when_a_store_is_opened_again(write, opened):
    """What was deployed since is there, what was taken away is not, and nothing moves where nothing changed."""
    write("PermissionSet", "Clerk", grant("A__c") + grant_field("A__c.Note__c"))
    org = opened()
    user = org.add_user("clerk@example.com", last_name="Clerk", permission_sets=["Clerk"])
    first = rows(org, "SELECT Id, ParentId FROM ObjectPermissions")
    org.close()
    org = opened()
    assert rows(org, "SELECT Id, ParentId FROM ObjectPermissions") == first
    org.close()
    write("PermissionSet", "Clerk", grant("A__c", allowDelete="true") + grant_field("A__c.Sum__c") + API)
    write("PermissionSet", "New", grant("Contact"))
    org = opened()
    mine = MINE.format(user.id)
    assert rows(org, f"SELECT PermissionsDelete FROM ObjectPermissions WHERE ParentId IN {mine}") == [(True,)]
    assert rows(org, f"SELECT Field FROM FieldPermissions WHERE ParentId IN {mine}") == [("A__c.Sum__c",)]
    assert rows(org, "SELECT Name, PermissionsApiEnabled FROM PermissionSet ORDER BY Name") == [("Clerk", True), ("New", False)]


def test_assignments_follow_what_a_user_is_given(write, opened):
    """Sets taken from a user are no longer among the user's own."""
    write("PermissionSet", "Clerk", grant("A__c"))
    org = opened()
    user = org.add_user("clerk@example.com", last_name="Clerk", permission_sets=["Clerk"])
    assert len(rows(org, "SELECT Id FROM PermissionSetAssignment")) == 1
    org.set_access(user.id, permission_sets=[])
    assert rows(org, "SELECT Id FROM PermissionSetAssignment") == []


def test_grants_are_deployed_and_not_written(write, opened):
    """A write that would change nothing of what a user may do is refused, not half done."""
    write("PermissionSet", "Clerk", grant("A__c"))
    org = opened()
    user = org.add_user("clerk@example.com", last_name="Clerk")
    (set_id,) = rows(org, "SELECT Id FROM PermissionSet")[0]
    with pytest.raises(OrgError) as refused:
        org.create("PermissionSetAssignment", {"PermissionSetId": set_id, "AssigneeId": user.id}, session=org.system)
    assert refused.value.status in {400, 403}
    with pytest.raises(OrgError):
        org.update("PermissionSet", set_id, {"Label": "x"}, session=org.system)


def test_a_set_may_open_all_fields_of_an_object(write, opened):
    """`viewAllFields` lets its holder read every field, and edit none."""
    write("PermissionSet", "Audit", grant("A__c", allowEdit="true", viewAllFields="true"))
    org = opened()
    user = org.add_user("audit@example.com", last_name="Audit", permission_sets=["Audit"])
    fields = {each["name"]: each["updateable"] for each in org.describe("A__c", user.id)["fields"]}
    assert (fields["Note__c"], "Sum__c" in fields) == (False, True)
    assert rows(org, "SELECT PermissionsViewAllFields FROM ObjectPermissions") == [(True,)]
