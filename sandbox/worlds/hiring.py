"""Who works in a world's org: the three users every org needs, and colleagues at their desks.

Must not know payers. Invariant: nobody has a permission set or a queue that the world did not name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox.org import User
from sandbox.org.org import Org

INTEGRATION = "dunwell.integration@sandbox.example"
"""Username of the user that the integration under test signs in as."""
PACKAGE = "package@sandbox.example"
"""Username under which the payment package, or the org's own automation, books."""
ADMIN = "admin@sandbox.example"
"""Username of the person who looks after the org."""


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person at a desk."""

    role: str
    first_name: str
    last_name: str
    permission_sets: tuple[str, ...]
    queues: tuple[str, ...] = ()

    @property
    def username(self) -> str:
        """What they sign in with."""
        return f"{self.role}@sandbox.example"


def hire(
    org: Org,
    colleagues: Sequence[Colleague],
    *,
    integration: Sequence[str],
    package: tuple[str, str],
    admin_queues: Sequence[str] = (),
) -> Mapping[str, User]:
    """Make the users and let them join their queues; gives users by role, `admin`, `integration` and `package` among them.

    integration: permission sets of the integration user; package: first and last name of the user that books.
    """
    users = {
        "admin": _administrator(org, ADMIN, "Alex", "Admin"),
        "integration": _integration(org, integration),
        "package": _administrator(org, PACKAGE, *package),
    }
    members = [(queue, users["admin"].id) for queue in admin_queues]
    for one in colleagues:
        user = org.add_user(
            one.username, first_name=one.first_name, last_name=one.last_name, email=one.username, permission_sets=one.permission_sets
        )
        users[one.role] = user
        members += [(queue, user.id) for queue in one.queues]
    rows = [{"GroupId": org.ids_where("Group", "DeveloperName", queue)[0], "UserOrGroupId": user} for queue, user in members]
    org.bulk_load("GroupMember", rows)
    return users


def staffed(org: Org) -> User:
    """Give the integration user of an org; it and the two administrators are made here where the world made none.

    The one made here has every permission set of the source, and no profile beside its own.
    """
    sets = [name for name, each in org.schema.permission_sets.items() if not each.is_profile]
    integration = org.user_by_name(INTEGRATION) or _integration(org, sets)
    if org.user_by_name(ADMIN) is None:
        _administrator(org, ADMIN, "Alex", "Admin")
    if org.user_by_name(PACKAGE) is None:
        _administrator(org, PACKAGE, "Package", "Automation")
    return integration


def _administrator(org: Org, username: str, first_name: str, last_name: str) -> User:
    return org.add_user(username, first_name=first_name, last_name=last_name, is_admin=True, view_all=True)


def _integration(org: Org, permission_sets: Sequence[str]) -> User:
    return org.add_user(INTEGRATION, first_name="Dunwell", last_name="Integration", permission_sets=permission_sets)
