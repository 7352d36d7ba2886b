"""What the integration user sees: every record of everything that is counted, now and after any change of sharing.

Must not look at fields or at writing, which describe tells. Invariant: invisible is not paid; where the org does not say that every
record is visible, that is a problem and not a doubt.

View All Records, Modify All Records, View All Data or Modify All Data count (Object Reference, ObjectPermissions, PermissionSet).
Org-wide defaults do not: they may change on any day, and Change Data Capture asks for View All as well.
"""

from connector.checks.advice import INTEGRATION_SET, assign
from connector.checks.problems import Finding, Findings
from connector.checks.said import Said

VIEW_SETUP = "View Setup and Configuration"


def hidden(said: Said, ledger: list[str]) -> list[str]:
    """Objects of which some records may be hidden."""
    access = said.access
    return [] if access is None else [name for name in ledger if said.objects.get(name) is not None and not access.sees_all(name)]


def rights(said: Said, ledger: list[str]) -> Findings:
    """Tell of each object whose records may be hidden."""
    found = Finding()
    if said.access is None:
        found.wrong(
            "permissions",
            f"the org does not tell what {said.user()} may see, so records could be hidden and taken for paid",
            f"tick {VIEW_SETUP} in Setup > Permission Sets > {INTEGRATION_SET} > System Permissions, and assign that set",
        )
        return found.done()
    for name in hidden(said, ledger):
        what = f"{said.user()} does not see every record of {name}, and what it does not see it takes for paid"
        found.wrong(name, what, assign(said, name, "view_all", "View All Records"))
    found.looked_at.append(f"permissions of {said.user()}: {', '.join(said.access.sets) or 'its profile alone'}")
    return found.done()
