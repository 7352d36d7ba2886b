"""Looking: what is asked, in how many calls, and what is made of answers that do not come."""

from connector.checks import questions
from connector.checks.look import look
from connector.checks.said import Grant, Queue, access_of, givers_of, licences_of, queues_of
from connector.checks.whole import findings
from connector.salesforce.client import Limit
from tests.unit.checks.orgs import MAPPING, SOURCE, orderly

ME = "005000000000001AAA"


class Silent:
    """An org that describes everything and refuses every question; counts calls as the platform does."""

    def __init__(self, described):
        self.described, self.calls, self.asked = dict(described), 0, []

    def describe_many(self, sobjects):
        """25 to a call."""
        self.calls += -(-len(sobjects) // 25)
        return {name: self.described.get(name) for name in sobjects}

    def rows(self, soqls):
        """Five to a call."""
        self.calls += -(-len(soqls) // 5)
        self.asked += soqls
        return [None for _ in soqls]

    def names(self):
        """One call."""
        self.calls += 1
        return tuple(self.described)

    def tooling(self, soql):
        """One call."""
        self.calls += 1
        self.asked.append(soql)

    def limits(self):
        """One call."""
        self.calls += 1
        return {"DailyApiRequests": Limit(100, 100)}


def test_an_org_that_tells_nothing_is_one_problem_and_some_doubts():
    """Only what must be known stops a check; the rest is said to be unknown."""
    org = Silent(orderly().objects)
    said = look(org, MAPPING, lambda: ME)
    found = findings(said, MAPPING, SOURCE, channels=(), reserve_percent=20)
    assert [one.where for one in found.problems] == ["permissions"]
    assert len(found.doubts) == len(MAPPING.roles)
    assert said.user() == "the integration user"
    assert org.calls == 6


def test_the_most_calls_there_can_be():
    """Below ten, with everything wrong at once."""
    described = {name: one for name, one in orderly().objects.items() if name != "cpm__Payment_Schedule__c"}
    installment = described["cpm__Installment__c"]
    fields = {name: one for name, one in installment.fields.items() if name != "cpm__Amount__c"}
    described["cpm__Installment__c"] = installment.model_copy(update={"fields": fields, "updateable": False})
    org = Silent(described)
    look(org, MAPPING, lambda: ME)
    assert org.calls == 8
    assert sum("FieldPermissions" in soql for soql in org.asked) == 1


def test_no_question_has_an_empty_list():
    """``IN ()`` is refused as malformed."""
    asked = [questions.members([]), questions.active_members([]), questions.users(ME, []), questions.packages([])]
    assert not any("()" in one for one in asked)


def test_values_are_quoted():
    """A queue's name from a mapping can end no statement."""
    assert questions.members(["O'Brien"]).endswith("IN ('O\\'Brien')")


def test_grants_of_several_sets_add_up():
    """What any set gives, the user has; a profile's set counts and is not named."""
    rows = [
        {"PermissionSet": {"Name": "A", "Label": "Set A", "IsOwnedByProfile": False, "PermissionsViewAllData": False}},
        {"PermissionSet": {"Name": "X00e", "Label": "X00e", "IsOwnedByProfile": True, "PermissionsViewAllData": True}},
    ]
    objects = [
        {"SobjectType": "Case", "PermissionsRead": True, "PermissionsEdit": False},
        {"SobjectType": "Case", "PermissionsRead": False, "PermissionsModifyAllRecords": True},
    ]
    access = access_of(rows, objects)
    assert access is not None
    assert (access.sets, access.permissions) == (("Set A",), frozenset({"ViewAllData"}))
    assert access.objects == {"Case": Grant(read=True, view_all=True)}


def test_no_permission_set_at_all_means_that_none_are_told():
    """Every user has one, its profile's: an empty answer is a hidden one."""
    assert access_of([], []) is None
    assert access_of(None, []) is None
    assert access_of([{"PermissionSet": {"Name": "A", "Label": "A"}}], None) is None


def test_profiles_are_not_offered_as_givers():
    """A profile cannot be assigned beside another."""
    rows = [
        {"Field": "Case.Type", "PermissionsRead": True, "Parent": {"Label": "Profile", "IsOwnedByProfile": True}},
        {"Field": "Case.Type", "PermissionsRead": True, "Parent": {"Label": "Zeta", "IsOwnedByProfile": False}},
        {"Field": "Case.Type", "PermissionsRead": True, "Parent": {"Label": "Dunwell X", "IsOwnedByProfile": False}},
    ]
    assert [one.label for one in givers_of([rows, None])] == ["Dunwell X", "Zeta"]


def test_a_group_in_a_queue_serves_it():
    """Whether people of a group are active is not asked; a queue of inactive users is idle, one without members empty."""
    queues = [{"Id": f"00G{at}", "DeveloperName": name} for at, name in enumerate(("Group", "Left", "Empty", "Busy"))]
    members = [
        {"GroupId": "00G0", "UserOrGroupId": "00G9"}, {"GroupId": "00G1", "UserOrGroupId": "0051"}, {"GroupId": "00G3", "UserOrGroupId": "0052"},
    ]  # fmt: skip
    found = queues_of(queues, [{"QueueId": "00G3"}], members, [{"Id": "0052"}])
    assert found == {
        "Group": Queue(owns_tasks=False),
        "Left": Queue(owns_tasks=False, idle=True),
        "Empty": Queue(owns_tasks=False, empty=True),
        "Busy": Queue(owns_tasks=True),
    }
    assert queues_of(None, None, None, None) is None
    assert queues_of(queues[:1], None, None, None) == {"Group": Queue()}


def test_licences_of_a_whole_org_need_no_user():
    """-1 allowed licences are one for everybody (Object Reference, PackageLicense)."""
    rows = [
        {"Id": "1", "NamespacePrefix": "cpm", "Status": "Active", "AllowedLicenses": -1},
        {"Id": "2", "NamespacePrefix": "npsp", "Status": "Active", "AllowedLicenses": 5},
    ]
    found = licences_of(rows, [{"PackageLicenseId": "2"}])
    assert found is not None
    assert (found["cpm"].site_wide, found["cpm"].held, found["npsp"].site_wide, found["npsp"].held) == (True, False, False, True)
    assert licences_of(None, None) is None
