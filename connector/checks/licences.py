"""Licences of managed packages: without one a user sees none of the package's objects and fields, whatever its permissions.

Must not look at permissions. Invariant: a package whose licences the org does not tell is said to be so.

A package's objects carry its prefix (``cpm__Installment__c``). Source: Object Reference, PackageLicense and UserPackageLicense.
"""

import re
from collections.abc import Iterable

from connector.checks.problems import Finding, Findings
from connector.checks.said import Said

_PACKAGED = re.compile(r"^([A-Za-z][A-Za-z0-9]*)__\w+__\w+$")
_PAGE = "Setup > Installed Packages > Manage Licenses"


def packages(sobjects: Iterable[str]) -> list[str]:
    """Prefixes of the packages that these objects come from."""
    return list(dict.fromkeys(found[1] for name in sobjects if (found := _PACKAGED.match(name))))


def licences(said: Said, sobjects: Iterable[str]) -> Findings:
    """Tell of each package that the integration user may not use."""
    found = Finding()
    for prefix in packages(sobjects):
        one = said.licences.get(prefix) if said.licences is not None else None
        if one is None:
            found.looked_at.append(f"licences of the package {prefix}: the org does not tell")
        elif one.status == "Expired":
            found.wrong(f"package {prefix}", "its licence has expired", "renew it with its vendor (Setup > Installed Packages)")
        elif not one.site_wide and one.held is False:
            found.wrong(
                f"package {prefix}", f"{said.user()} has no licence of it", f"add the user in {_PAGE} beside the package > Add Users"
            )
        else:
            found.looked_at.append(f"licence of the package {prefix}: {one.status or 'there'}")
    return found.done()
