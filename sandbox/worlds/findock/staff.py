"""Who works in this world: users, what they may do, and the queues they serve.

Must not know payers. Invariant: the queues are exactly those of force-app, and Dunwell's own user has exactly
the permission sets that an admin of such an org would give it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.org import User
from sandbox.org.org import Org

INTEGRATION = "dunwell.integration@sandbox.example"
"""Username of the user that Dunwell signs in as."""
PACKAGE = "package@sandbox.example"
"""Username under which the payment package books."""
ADMIN = "admin@sandbox.example"
"""Username of the person who looks after the org."""
PERMISSIONS = ("Dunwell_Integration", "Dunwell_FinDock", "Northwind_Payer_Facts")


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person at a desk."""

    role: str
    first_name: str
    last_name: str
    permission_sets: tuple[str, ...]
    queue: str | None = None

    @property
    def username(self) -> str:
        """What they sign in with."""
        return f"{self.role}@sandbox.example"


COLLEAGUES = (
    Colleague("credit_manager", "Carla", "Testkredit", ("Northwind_Staff", "Dunwell_Credit_Manager"), "Dunwell_Credit_Managers"),
    Colleague("credit_manager_2", "Cees", "Proefbeheer", ("Northwind_Staff", "Dunwell_Credit_Manager"), "Dunwell_Credit_Managers"),
    Colleague("specialist", "Noor", "Voorbeeldzorg", ("Northwind_Staff", "Dunwell_Specialist"), "Dunwell_Specialists"),
    Colleague("case_owner", "Sam", "Sampledesk", ("Northwind_Staff",)),
    Colleague("case_owner_2", "Tess", "Musterdienst", ("Northwind_Staff",)),
)


def hire(org: Org) -> Mapping[str, User]:
    """Make the users and let them join their queues; gives users by role, `admin`, `integration` and `package` among them."""
    users = {
        "admin": org.add_user(ADMIN, first_name="Alex", last_name="Admin", email=ADMIN, is_admin=True, view_all=True),
        "integration": org.add_user(
            INTEGRATION, first_name="Dunwell", last_name="Integration", email=INTEGRATION, permission_sets=PERMISSIONS
        ),
        "package": org.add_user(PACKAGE, first_name="FinDock", last_name="Package", email=PACKAGE, is_admin=True, view_all=True),
    }
    members = [("Dunwell_Admins", users["admin"].id)]
    for one in COLLEAGUES:
        user = org.add_user(
            one.username, first_name=one.first_name, last_name=one.last_name, email=one.username, permission_sets=one.permission_sets
        )
        users[one.role] = user
        if one.queue:
            members.append((one.queue, user.id))
    found = org.query("SELECT Id, DeveloperName FROM Group WHERE Type = 'Queue'", user_id=org.admin.id).records
    queue = {str(one["DeveloperName"]): str(one["Id"]) for one in found}
    org.bulk_load("GroupMember", [{"GroupId": queue[name], "UserOrGroupId": user} for name, user in members])
    return users
