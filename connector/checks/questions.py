"""The questions put to an org about itself, as SOQL.

Must not ask them. Invariants: every value is quoted by ``format_soql``; each answer fits one page of 2,000 rows in any org Dunwell is
meant for, and a longer one loses only hints.

What a user may ask: PermissionSetAssignment, PermissionSet and their object and field permissions want View Setup and Configuration
(Object Reference and Tooling API, "Special Access Rules", as of Summer '20).
"""

from collections.abc import Sequence

from simple_salesforce.format import format_soql

_PERMISSIONS = ("ViewAllData", "ModifyAllData", "EditTask", "ActivitiesAccess", "ApiEnabled", "ViewSetup")
ORGANIZATION = "SELECT Id, Name, IsSandbox FROM Organization"
QUEUES = "SELECT Id, DeveloperName FROM Group WHERE Type = 'Queue' ORDER BY DeveloperName LIMIT 2000"
OWN_TASKS = "SELECT QueueId FROM QueueSobject WHERE SobjectType = 'Task' LIMIT 2000"


def sets(user: str) -> str:
    """Permission sets of a user, its profile's included."""
    flags = ", ".join(f"PermissionSet.Permissions{one}" for one in _PERMISSIONS)
    return format_soql(
        f"SELECT PermissionSet.Name, PermissionSet.Label, PermissionSet.IsOwnedByProfile, {flags} "
        "FROM PermissionSetAssignment WHERE AssigneeId = {}",
        user,
    )


_OBJECT_RIGHTS = "PermissionsRead, PermissionsCreate, PermissionsEdit, PermissionsViewAllRecords, PermissionsModifyAllRecords"
_PARENT = "Parent.Label, Parent.IsOwnedByProfile"


def objects(user: str, sobjects: Sequence[str]) -> str:
    """What a user's permission sets grant on some objects."""
    return format_soql(
        f"SELECT SobjectType, {_OBJECT_RIGHTS} FROM ObjectPermissions WHERE SobjectType IN {{}} "
        "AND ParentId IN (SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = {})",
        list(sobjects),
        user,
    )


def giving_objects(sobjects: Sequence[str]) -> str:
    """Permission sets that grant anything on some objects."""
    return format_soql(f"SELECT SobjectType, {_OBJECT_RIGHTS}, {_PARENT} FROM ObjectPermissions WHERE SobjectType IN {{}}", list(sobjects))


def giving_fields(fields: Sequence[tuple[str, str]]) -> str:
    """Permission sets that show some fields; each field as object and name."""
    sobjects = list(dict.fromkeys(sobject for sobject, _ in fields))
    return format_soql(
        f"SELECT Field, PermissionsRead, PermissionsEdit, {_PARENT} FROM FieldPermissions WHERE SobjectType IN {{}} AND Field IN {{}}",
        sobjects,
        [f"{sobject}.{name}" for sobject, name in fields],
    )


def members(queues: Sequence[str]) -> str:
    """Who serves some queues."""
    return format_soql("SELECT GroupId, UserOrGroupId FROM GroupMember WHERE Group.DeveloperName IN {}", _some(queues))


def active_members(queues: Sequence[str]) -> str:
    """Which of them are active users."""
    return format_soql(
        "SELECT Id FROM User WHERE IsActive = true AND Id IN (SELECT UserOrGroupId FROM GroupMember WHERE Group.DeveloperName IN {})",
        _some(queues),
    )


def users(user: str, usernames: Sequence[str]) -> str:
    """The integration user and some others."""
    return format_soql("SELECT Id, Username, IsActive FROM User WHERE Id = {} OR Username IN {}", user, _some(usernames))


def packages(prefixes: Sequence[str]) -> str:
    """Licences of some packages."""
    return format_soql(
        "SELECT Id, NamespacePrefix, Status, AllowedLicenses FROM PackageLicense WHERE NamespacePrefix IN {}", _some(prefixes)
    )


def package_users(user: str) -> str:
    """Licences that a user holds."""
    return format_soql("SELECT PackageLicenseId FROM UserPackageLicense WHERE UserId = {}", user)


def rules(sobjects: Sequence[str]) -> str:
    """Active validation rules of some objects, of the Tooling API."""
    return format_soql(
        "SELECT ValidationName, EntityDefinition.QualifiedApiName FROM ValidationRule "
        "WHERE Active = true AND EntityDefinition.QualifiedApiName IN {} LIMIT 200",
        list(sobjects),
    )


def _some(names: Sequence[str]) -> list[str]:
    """Names for IN, which may not be empty."""
    return list(names) or [""]
