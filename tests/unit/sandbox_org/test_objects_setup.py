"""What an admin sets up beside objects is read from source and carried out."""

from datetime import UTC, datetime

import pytest

from sandbox.org.clock import Clock
from sandbox.org.describe import valid_for
from sandbox.org.errors import OrgError
from sandbox.org.metadata import load_schema
from sandbox.org.org import Org
from sandbox.org.types import Session

NOW = datetime(2026, 3, 2, 9, 30, 15, tzinfo=UTC)


def open_org(source):
    """Open an org on a source tree."""
    return Org(load_schema([source.root]), Clock(NOW))


def refusal(action, *arguments, **fields):
    """Give the refusal an action ends with."""
    with pytest.raises(OrgError) as caught:
        action(*arguments, **fields)
    return caught.value


def old_object(source, name, body):
    """Write an old-style object file, all in one."""
    path = source.root / "src" / "objects" / f"{name}.object"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata">{body}</CustomObject>', encoding="utf-8")


def test_list_views_and_compact_layouts_are_kept(source):
    """A view keeps its columns, filters, logic and scope; an object knows its compact layout."""
    source.object("A__c", "A", compactLayoutAssignment="Short")
    source.write(
        "objects/A__c/listViews/Open.listView-meta.xml",
        "ListView",
        "<fullName>Open</fullName><booleanFilter>1</booleanFilter><columns>NAME</columns><columns>B__c</columns>"
        "<filterScope>Mine</filterScope><filters><field>B__c</field><operation>equals</operation><value>x</value></filters>"
        "<label>Open ones</label>",
    )
    source.write(
        "objects/A__c/compactLayouts/Short.compactLayout-meta.xml",
        "CompactLayout",
        "<fullName>Short</fullName><fields>Name</fields><fields>B__c</fields><label>Short</label>",
    )
    schema = load_schema([source.root])
    view = schema.list_views[0]
    assert (view.object, view.name, view.label, view.columns, view.scope, view.logic) == (
        "A__c",
        "Open",
        "Open ones",
        ("NAME", "B__c"),
        "Mine",
        "1",
    )
    assert [(each.field, each.operation, each.value) for each in view.filters] == [("B__c", "equals", "x")]
    assert [(each.fields, each.primary) for each in schema.compact_layouts] == [(("Name", "B__c"), True)]


def test_an_old_object_file_holds_the_whole_object(source):
    """Fields, rules, record types and views inside one `.object` file count like files of their own."""
    old_object(
        source,
        "Old__c",
        "<label>Old</label><pluralLabel>Olds</pluralLabel><nameField><label>Old</label><type>Text</type></nameField>"
        "<fields><fullName>Kind__c</fullName><label>Kind</label><type>Picklist</type><picklist>"
        "<picklistValues><fullName>A</fullName><default>true</default></picklistValues><restrictedPicklist>true</restrictedPicklist>"
        "</picklist></fields>"
        "<validationRules><fullName>Never</fullName><active>true</active><errorConditionFormula>true</errorConditionFormula>"
        "<errorMessage>Never</errorMessage></validationRules>"
        "<recordTypes><fullName>T</fullName><active>true</active><label>T</label></recordTypes>"
        "<listViews><fullName>All</fullName><filterScope>Everything</filterScope><label>All</label></listViews>",
    )
    schema = load_schema([source.root])
    field = schema.objects["Old__c"].fields["Kind__c"]
    assert (field.default, field.restricted) == ("A", True)
    assert [each.name for each in schema.objects["Old__c"].rules] == ["Never"]
    assert [each.developer_name for each in schema.record_types] == ["T"]
    assert [each.name for each in schema.list_views] == ["All"]


def test_what_is_not_carried_out_is_listed(source):
    """Code and flows are named as missing behaviour, tabs as looks, and a README is no metadata."""
    source.write("flows/Chase.flow-meta.xml", "Flow", "<status>Active</status>")
    source.write("tabs/A__c.tab-meta.xml", "CustomTab", "<customObject>true</customObject>")
    (source.root / "README.md").write_text("x", encoding="utf-8")
    (source.root / "A.trigger").write_text("trigger", encoding="utf-8")
    found = {(each.kind, each.changes_behaviour) for each in load_schema([source.root]).ignored}
    assert found == {("flow", True), ("tab", False), ("trigger", True)}


def test_custom_metadata_is_read_only_and_comes_from_source(source):
    """Its records are there to be queried and cannot be written."""
    source.object("Rate__mdt", "Rate")
    source.field("Rate__mdt", "Percent__c", "Number", precision="5", scale="2")
    path = source.root / "customMetadata" / "Rate.NL.md-meta.xml"
    path.parent.mkdir()
    path.write_text(
        '<CustomMetadata xmlns="http://soap.sforce.com/2006/04/metadata" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        '<label>Netherlands</label><values><field>Percent__c</field><value xsi:type="xsd:double">21.0</value></values></CustomMetadata>',
        encoding="utf-8",
    )
    org = open_org(source)
    found = org.query("SELECT DeveloperName, MasterLabel, Percent__c FROM Rate__mdt", user_id=org.admin.id).records[0]
    assert (found["DeveloperName"], found["MasterLabel"], found["Percent__c"]) == ("NL", "Netherlands", 21.0)
    assert refusal(org.create, "Rate__mdt", {"DeveloperName": "DE"}, session=org.system).code == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"


def test_a_geolocation_is_two_numbers_and_a_whole(source):
    """The parts are written, the whole is read."""
    source.object("A__c", "A")
    source.field("A__c", "Place__c", "Location", scale="4", displayLocationInDecimal="true")
    org = open_org(source)
    made = org.create("A__c", {"Place__Latitude__s": 52.09, "Place__Longitude__s": 5.12}, session=org.system)
    found = org.retrieve("A__c", made, ["Place__c"], session=org.system)["Place__c"]
    assert found == {"latitude": 52.09, "longitude": 5.12}


def test_a_time_is_kept_in_the_platforms_form(source):
    """A time of day has milliseconds and a Z; what is no time is refused."""
    source.object("A__c", "A")
    source.field("A__c", "From__c", "Time")
    org = open_org(source)
    made = org.create("A__c", {"From__c": "09:30:00.000Z"}, session=org.system)
    assert org.retrieve("A__c", made, ["From__c"], session=org.system)["From__c"] == "09:30:00.000Z"
    assert refusal(org.create, "A__c", {"From__c": "25:00"}, session=org.system).code == "JSON_PARSER_ERROR"


def test_a_dependent_picklist_says_what_goes_with_what(source):
    """The key validFor has one bit for each controlling value, as in the platform's own describes."""
    assert valid_for(["a"], ["a", "b"]) == "gA=="
    assert valid_for(["b", "i"], list("abcdefghi")) == "QIA="
    source.object("A__c", "A")
    source.write(
        "objects/A__c/fields/Land__c.field-meta.xml",
        "CustomField",
        "<fullName>Land__c</fullName><label>Land</label><type>Picklist</type><valueSet><valueSetDefinition>"
        "<value><fullName>NL</fullName></value><value><fullName>DE</fullName></value></valueSetDefinition></valueSet>",
    )
    source.write(
        "objects/A__c/fields/Town__c.field-meta.xml",
        "CustomField",
        "<fullName>Town__c</fullName><label>Town</label><type>Picklist</type><valueSet><controllingField>Land__c</controllingField>"
        "<valueSetDefinition><value><fullName>Utrecht</fullName></value></valueSetDefinition>"
        "<valueSettings><controllingFieldValue>NL</controllingFieldValue><valueName>Utrecht</valueName></valueSettings></valueSet>",
    )
    org = open_org(source)
    town = next(each for each in org.describe("A__c", org.admin.id)["fields"] if each["name"] == "Town__c")
    assert (town["dependentPicklist"], town["controllerName"], town["picklistValues"][0]["validFor"]) == (True, "Land__c", "gA==")


RULES = """<assignmentRule><fullName>Desk</fullName><active>true</active>
<ruleEntry><assignedTo>Front_Desk</assignedTo><assignedToType>Queue</assignedToType><booleanFilter>1 AND (2 OR 3)</booleanFilter>
<criteriaItems><field>Case.Priority</field><operation>equals</operation><value>High</value></criteriaItems>
<criteriaItems><field>Case.Origin</field><operation>equals</operation><value>Web,Phone</value></criteriaItems>
<criteriaItems><field>Case.Subject</field><operation>contains</operation><value>urgent</value></criteriaItems></ruleEntry>
<ruleEntry><assignedTo>clerk@example.com</assignedTo><assignedToType>User</assignedToType></ruleEntry></assignmentRule>"""


def test_cases_find_their_owner_by_the_active_assignment_rule(source):
    """The first line that fits decides, its logic included, unless the request says otherwise."""
    source.write("assignmentRules/Case.assignmentRules-meta.xml", "AssignmentRules", RULES)
    source.write(
        "queues/Front_Desk.queue-meta.xml", "Queue", "<name>Front</name><queueSobject><sobjectType>Case</sobjectType></queueSobject>"
    )
    org = open_org(source)
    clerk = org.add_user("clerk@example.com", last_name="Clerk").id
    queue = org.query("SELECT Id FROM Group WHERE Type = 'Queue'", user_id=org.admin.id).records[0]["Id"]

    def owner(session=org.system, **fields):
        made = org.create("Case", fields, session=session)
        return org.retrieve("Case", made, ["OwnerId"], session=org.system)["OwnerId"]

    assert owner(Priority="High", Origin="Phone") == queue
    assert owner(Priority="High", Subject="Very URGENT") == queue
    assert owner(Priority="High", Origin="Email") == clerk
    assert owner(Session(org.admin.id, auto_assign=False), Priority="High", Origin="Phone") == org.admin.id


def test_a_record_type_gives_defaults_and_limits_values(source):
    """A user's default record type is taken, its picklist defaults too, and a value it does not offer is refused."""
    source.object("A__c", "A")
    source.write(
        "objects/A__c/fields/Kind__c.field-meta.xml",
        "CustomField",
        "<fullName>Kind__c</fullName><label>Kind</label><type>Picklist</type><valueSet><restricted>true</restricted>"
        "<valueSetDefinition><value><fullName>X</fullName></value><value><fullName>Y</fullName></value></valueSetDefinition></valueSet>",
    )
    for name, value in (("One", "X"), ("Two", "Y")):
        source.write(
            f"objects/A__c/recordTypes/{name}.recordType-meta.xml",
            "RecordType",
            f"<fullName>{name}</fullName><active>true</active><label>{name}</label><picklistValues><picklist>Kind__c</picklist>"
            f"<values><fullName>{value}</fullName><default>true</default></values></picklistValues>",
        )
    source.write(
        "profiles/Clerk.profile-meta.xml",
        "Profile",
        "<fieldPermissions><editable>true</editable><field>A__c.Kind__c</field><readable>true</readable></fieldPermissions>"
        "<objectPermissions><allowCreate>true</allowCreate><allowEdit>true</allowEdit><allowRead>true</allowRead><object>A__c</object>"
        "</objectPermissions><recordTypeVisibilities><default>true</default><recordType>A__c.One</recordType><visible>true</visible>"
        "</recordTypeVisibilities>",
    )
    org = open_org(source)
    clerk = Session(org.add_user("clerk@example.com", last_name="Clerk", permission_sets=["Clerk"]).id)
    made = org.create("A__c", {}, session=clerk)
    found = org.retrieve("A__c", made, ["Kind__c", "RecordTypeId"], session=org.system)
    assert found["Kind__c"] == "X"
    assert refusal(org.create, "A__c", {"Kind__c": "Y"}, session=clerk).code == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    infos = {each["developerName"]: each for each in org.describe("A__c", clerk.user_id)["recordTypeInfos"]}
    assert infos["One"]["recordTypeId"] == found["RecordTypeId"]
    assert {name: (each["available"], each["defaultRecordTypeMapping"]) for name, each in infos.items()} == {
        "One": (True, True),
        "Two": (False, False),
        "Master": (True, False),
    }
    error = refusal(org.create, "A__c", {"RecordTypeId": infos["Two"]["recordTypeId"]}, session=clerk)
    assert error.message.startswith("Record Type ID: this ID value isn't valid for the user: ")


def test_groups_of_permission_sets_give_what_their_members_give(source):
    """A group unfolds into its members; one that mutes is refused, because nothing is muted here."""
    source.object("A__c", "A")
    source.write(
        "permissionsets/Read.permissionset-meta.xml",
        "PermissionSet",
        "<label>Read</label><objectPermissions><allowRead>true</allowRead><object>A__c</object></objectPermissions>",
    )
    path = "permissionsetgroups/Team.permissionsetgroup-meta.xml"
    source.write(path, "PermissionSetGroup", "<label>Team</label><permissionSets>Read</permissionSets>")
    org = open_org(source)
    user = org.add_user("clerk@example.com", last_name="Clerk", permission_sets=["Team"])
    assert org.query("SELECT Id FROM A__c", user_id=user.id).records == []
    source.write(path, "PermissionSetGroup", "<label>Team</label><mutingPermissionSets>M</mutingPermissionSets>")
    with pytest.raises(ValueError, match="does not carry out muting"):
        load_schema([source.root])


def test_audit_fields_are_set_by_who_may(source):
    """`CreateAuditFields` lets a create say when and by whom, and nothing else does."""
    source.object("A__c", "A")
    source.write(
        "permissionsets/Import.permissionset-meta.xml",
        "PermissionSet",
        "<label>Import</label><objectPermissions><allowCreate>true</allowCreate><allowRead>true</allowRead><object>A__c</object>"
        "</objectPermissions><userPermissions><enabled>true</enabled><name>CreateAuditFields</name></userPermissions>",
    )
    org = open_org(source)
    loader = Session(org.add_user("load@example.com", last_name="Load", permission_sets=["Import"]).id)
    made = org.create("A__c", {"CreatedDate": "2020-01-01T00:00:00Z"}, session=loader)
    assert org.retrieve("A__c", made, ["CreatedDate"], session=loader)["CreatedDate"] == "2020-01-01T00:00:00.000+0000"
    assert refusal(org.create, "A__c", {"CreatedDate": "2020-01-01T00:00:00Z"}, session=org.system).status == 400


def test_who_stands_above_sees_what_those_below_own(source):
    """A private record is seen by its owner and by the roles above, not by those beside."""
    source.object("A__c", "A", sharingModel="Private")
    source.write("roles/Head.role-meta.xml", "Role", "<name>Head</name>")
    source.write("roles/Desk.role-meta.xml", "Role", "<name>Desk</name><parentRole>Head</parentRole>")
    source.write(
        "permissionsets/Work.permissionset-meta.xml",
        "PermissionSet",
        "<label>W</label><objectPermissions><allowCreate>true</allowCreate><allowRead>true</allowRead><object>A__c</object>"
        "</objectPermissions>",
    )
    org = open_org(source)
    roles = {
        each["DeveloperName"]: each["Id"] for each in org.query("SELECT Id, DeveloperName FROM UserRole", user_id=org.admin.id).records
    }

    def user(name, role):
        return org.add_user(f"{name}@example.com", last_name=name, permission_sets=["Work"], UserRoleId=roles[role]).id

    head, desk, other = user("head", "Head"), user("desk", "Desk"), user("other", "Desk")
    org.create("A__c", {}, session=Session(desk))
    seen = {each: org.query("SELECT COUNT() FROM A__c", user_id=each).total_size for each in (head, desk, other)}
    assert seen == {head: 1, desk: 1, other: 0}


FILTER = """<referenceTo>B__c</referenceTo><relationshipName>As</relationshipName><lookupFilter><active>true</active>
<errorMessage>Only open ones</errorMessage><filterItems><field>{field}</field><operation>equals</operation><value>x</value></filterItems>
<isOptional>false</isOptional></lookupFilter>"""


def test_a_lookup_filter_leaves_records_out(source):
    """A filter on the record chosen is carried out in its own words; one that looks further is listed as ignored."""
    source.object("A__c", "A")
    source.object("B__c", "B")
    source.field("B__c", "Kind__c", "Text", length="5")
    for name, field in (("B__c", "B__c.Kind__c"), ("Far__c", "B__c.Owner.Name")):
        body = f"<fullName>{name}</fullName><label>B</label><type>Lookup</type>" + FILTER.format(field=field).replace(
            "As<", f"{name[:3]}s<"
        )
        source.write(f"objects/A__c/fields/{name}.field-meta.xml", "CustomField", body)
    org = open_org(source)
    good = org.create("B__c", {"Kind__c": "x"}, session=org.system)
    bad = org.create("B__c", {"Kind__c": "y"}, session=org.system)
    org.create("A__c", {"B__c": good, "Far__c": bad}, session=org.system)
    error = refusal(org.create, "A__c", {"B__c": bad}, session=org.system)
    assert (error.code, error.message, error.fields) == ("FIELD_FILTER_VALIDATION_EXCEPTION", "Only open ones", ["B__c"])
    assert [each.kind for each in org.schema.ignored] == ["A__c.Far__c"]
