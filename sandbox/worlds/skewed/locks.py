"""The package's nightly recount of the big Account, which holds its lock while it lasts.

Must not fail at any other time: further contention is asked for with the fault `row_lock`. Whoever writes the Account or
something that looks up to it meanwhile is refused; the recount's own user is not.
Source: Salesforce Developers, "Record-Level Locking" and the record locking cheat sheet: a write of a child locks its
parent, and who waits longer than ten seconds for a lock gets UNABLE_TO_LOCK_ROW.
Invariant: the hour decides, by the org's clock, so a test that sets the clock knows what it gets.
"""

from datetime import time

from sandbox.org import Change, errors
from sandbox.org.org import Org
from sandbox.worlds.findock.staff import PACKAGE
from sandbox.worlds.skewed.hub import HUB

RECOUNT = (time(2, 0), time(2, 15))
"""From when until when it runs every night, UTC."""


def automate(org: Org) -> None:
    """Let the recount run inside `org`."""
    hub, *_ = org.ids_where("Account", "Name", HUB)

    def refuse(change: Change) -> None:
        package = org.user_by_name(PACKAGE)
        own = package is not None and change.session.user_id == package.id
        begins, ends = RECOUNT
        if not own and begins <= org.clock.now().time() < ends and hub in change.record.values():
            raise errors.locked(hub)

    org.on_change.append(refuse)
