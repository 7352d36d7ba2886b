"""Who works in this world: users, what they may do, and the queues they serve.

Must not know clients. Invariant: the integration user has exactly the permission sets an admin of such an org would give it.
"""

from collections.abc import Mapping

from sandbox.org import User
from sandbox.org.org import Org
from sandbox.worlds import hiring
from sandbox.worlds.hiring import ADMIN, INTEGRATION, PACKAGE, Colleague

PERMISSIONS = ("Dunwell_Integration", "Tidewater_Integration")
COLLEAGUES = (
    Colleague(
        "credit_manager",
        "Cora",
        "Testledger",
        ("Tidewater_Office", "Dunwell_Credit_Manager"),
        ("Dunwell_Credit_Managers", "Tidewater_Accounts"),
    ),
    Colleague("specialist", "Nell", "Samplecare", ("Tidewater_Office", "Dunwell_Specialist"), ("Dunwell_Specialists",)),
    Colleague("case_owner", "Saul", "Mockdesk", ("Tidewater_Office",), ("Tidewater_Front_Desk",)),
    Colleague("case_owner_2", "Thea", "Placedesk", ("Tidewater_Office",), ("Tidewater_Front_Desk",)),
)


def hire(org: Org) -> Mapping[str, User]:
    """Make the users and let them join their queues; gives users by role, `admin`, `integration` and `package` among them."""
    return hiring.hire(org, COLLEAGUES, integration=PERMISSIONS, package=("Ledger", "Upload"), admin_queues=("Dunwell_Admins",))


__all__ = ["ADMIN", "COLLEAGUES", "INTEGRATION", "PACKAGE", "PERMISSIONS", "Colleague", "hire"]
