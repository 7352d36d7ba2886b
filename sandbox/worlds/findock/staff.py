"""Who works in this world: users, what they may do, and the queues they serve.

Must not know payers. Invariant: the queues are exactly those of force-app, and Dunwell's own user has exactly
the permission sets that an admin of such an org would give it.
"""

from collections.abc import Mapping

from sandbox.org import User
from sandbox.org.org import Org
from sandbox.worlds import hiring
from sandbox.worlds.hiring import ADMIN, INTEGRATION, PACKAGE, Colleague

PERMISSIONS = ("Dunwell_Integration", "Dunwell_FinDock", "Northwind_Payer_Facts")
COLLEAGUES = (
    Colleague("credit_manager", "Carla", "Testkredit", ("Northwind_Staff", "Dunwell_Credit_Manager"), ("Dunwell_Credit_Managers",)),
    Colleague("credit_manager_2", "Cees", "Proefbeheer", ("Northwind_Staff", "Dunwell_Credit_Manager"), ("Dunwell_Credit_Managers",)),
    Colleague("specialist", "Noor", "Voorbeeldzorg", ("Northwind_Staff", "Dunwell_Specialist"), ("Dunwell_Specialists",)),
    Colleague("case_owner", "Sam", "Sampledesk", ("Northwind_Staff",)),
    Colleague("case_owner_2", "Tess", "Musterdienst", ("Northwind_Staff",)),
)


def hire(org: Org) -> Mapping[str, User]:
    """Make the users and let them join their queues; gives users by role, `admin`, `integration` and `package` among them."""
    return hiring.hire(org, COLLEAGUES, integration=PERMISSIONS, package=("FinDock", "Package"), admin_queues=("Dunwell_Admins",))


__all__ = ["ADMIN", "COLLEAGUES", "INTEGRATION", "PACKAGE", "PERMISSIONS", "Colleague", "hire"]
