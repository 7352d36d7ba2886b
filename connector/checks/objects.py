"""Every object there is to be: that it exists, and that the integration user may see it.

Must not look at fields or records. Invariant: an object that is missing is told once, and none of its fields is.
"""

from connector.checks.advice import DEPLOY, assign, givers, is_ours
from connector.checks.needs import Wanted
from connector.checks.place import Places
from connector.checks.problems import Finding, Findings, meant
from connector.checks.said import Said


def missing(said: Said, wanted: list[Wanted]) -> list[str]:
    """Names of the objects that the org does not show."""
    return [one.sobject for one in wanted if said.objects.get(one.sobject) is None]


def objects(said: Said, wanted: list[Wanted], places: Places) -> Findings:
    """Tell of each object that is not there."""
    found = Finding()
    for one in wanted:
        if said.objects.get(one.sobject) is None:
            _missing(said, one, places, found)
    return found.done()


def _missing(said: Said, one: Wanted, places: Places, found: Finding) -> None:
    where, name = places.of(one.location, one.sobject), one.sobject
    close = meant(name, said.known_objects)
    if givers(said, name, "read"):
        found.wrong(where, f"{said.user()} may not read {name}", assign(said, name, "read", "Read"))
    elif is_ours(name):
        kind = "event" if name.endswith("__e") else "object"
        found.wrong(where, f"the org has no {kind} {name}, or {said.user()} may not read it", DEPLOY)
    elif close:
        found.wrong(where, f"the org has no object '{name}'", f"did you mean '{close}'?")
    else:
        advice = (
            "check its API name in Setup > Object Manager; if it is right, tick Read for it in a permission set of the integration user"
        )
        found.wrong(where, f"the org has no object '{name}', or {said.user()} may not read it", advice)
