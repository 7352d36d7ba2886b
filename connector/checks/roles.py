"""Who gets the Tasks: that each queue and user of the mapping exists, is active and may own a Task.

Must not decide who gets what. Invariant: a Task that nobody would find is a problem: the queue is missing, may own none, or nobody
active serves it.

Salesforce has no inactive queues; a queue of which no active user is a member is what an admin calls so. A queue without any member is a
doubt, because a list view may show it to people who are no members.
"""

from connector.checks.place import Places
from connector.checks.problems import Finding, Findings, meant
from connector.checks.said import Said
from connector.mapping.org import Mapping

_QUEUES = "Setup > Queues"


def roles(said: Said, mapping: Mapping, places: Places) -> Findings:
    """Tell of each role whose Tasks nobody would get."""
    found = Finding()
    for role, one in mapping.roles.items():
        where = places.of(("roles", role), f"roles.{role}")
        if one.queue is not None:
            _queue(said, one.queue, where, found)
        elif one.username is not None:
            _user(said, one.username, where, found)
    if "credit_manager" not in mapping.roles:
        what = "no role 'credit_manager', so Tasks for it belong to the integration user"
        found.doubt(places.of(("roles",), "roles"), what, "name a queue for it under roles")
    found.looked_at.append(f"Tasks go to {', '.join(sorted({one.queue or one.username or '' for one in mapping.roles.values()}))}")
    return found.done()


def _queue(said: Said, name: str, where: str, found: Finding) -> None:
    if said.queues is None:
        found.doubt(where, f"the org does not tell whether it has the queue {name}", f"see in {_QUEUES}")
        return
    queue = said.queues.get(name)
    if queue is None:
        close = meant(name, said.queues)
        advice = f"did you mean '{close}'?" if close else f"make it in {_QUEUES} > New, with Task among its Supported Objects"
        found.wrong(where, f"the org has no queue '{name}'", advice)
    elif queue.owns_tasks is False:
        found.wrong(where, f"the queue {name} may not own Tasks", f"add Task to its Supported Objects in {_QUEUES} > {name} > Edit")
    elif queue.idle:
        found.wrong(
            where,
            f"the queue {name} is inactive: none of its members is an active user",
            f"add active members in {_QUEUES} > {name} > Edit",
        )
    elif queue.empty:
        found.doubt(where, f"the queue {name} has no members", f"add those who do its Tasks in {_QUEUES} > {name} > Edit")


def _user(said: Said, name: str, where: str, found: Finding) -> None:
    if said.users is None:
        found.doubt(where, f"the org does not tell whether it has the user {name}", "see in Setup > Users")
    elif name not in said.users:
        found.wrong(
            where, f"the org has no user '{name}'", "check the username in Setup > Users; in a sandbox it ends with the sandbox's name"
        )
    elif not said.users[name]:
        found.wrong(where, f"the user {name} is inactive", "activate the user in Setup > Users, or name another user or a queue")
