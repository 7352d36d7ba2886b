"""What an admin does about it, in the words of Setup.

Must not find problems. Invariant: each piece of advice names the page in Setup, the permission set or the command.
"""

from connector.checks.said import Said

INTEGRATION_SET = "Dunwell Integration"
"""Label of the permission set that ``force-app/`` ships for the integration user."""
DEPLOY = f"deploy Dunwell's part of the org (`dunwell deploy`) and assign the permission set '{INTEGRATION_SET}'"


def is_ours(name: str) -> bool:
    """Whether ``force-app/`` brings an object or field of this name."""
    return name.startswith(("Dunwell_", "Payment_Outcome__", "Follow_Up_Decided__"))


def field_page(sobject: str, field: str) -> str:
    """Where a field is changed."""
    return f"Setup > Object Manager > {sobject_page(sobject)} > Fields & Relationships > {field}"


def sobject_page(sobject: str) -> str:
    """Where an object is found in Object Manager; fields of Tasks stand at Activity."""
    return "Activity" if sobject == "Task" else sobject


def givers(said: Said, what: str, needed: str) -> list[str]:
    """Labels of permission sets that give ``needed`` (read, create, edit, view_all) on an object or a field."""
    return list(dict.fromkeys(one.label for one in said.givers if one.what == what and getattr(one.grant, needed)))


def assign(said: Said, what: str, needed: str, tick: str) -> str:
    """Assign Dunwell's own set that gives it; else tick it in a set that the user holds, or assign another that gives it."""
    held = said.access.sets if said.access is not None else ()
    labels = [label for label in givers(said, what, needed) if label not in held and label not in _FOR_PEOPLE]
    if labels and labels[0].startswith("Dunwell"):
        return f"assign the permission set '{labels[0]}' to {said.user()} (Setup > Permission Sets > {labels[0]} > Manage Assignments)"
    sobject = what.partition(".")[0]
    here = f"tick {tick} in Setup > Permission Sets > {_own_set(said, what)} > Object Settings > {sobject}"
    return f"{here}, or assign a set that gives it, such as '{labels[0]}'" if labels else here


_FOR_PEOPLE = frozenset({"Dunwell Credit Manager", "Dunwell Specialist", "Dunwell Read Only"})
"""Sets that ``force-app/`` ships for people: never for the integration user."""


def _own_set(said: Said, what: str) -> str:
    """The permission set of the user's in which to tick.

    For an object one that speaks of it already. For a field of the org's own never one that ``force-app/`` ships: the next deployment
    would take it away.
    """
    held = said.access.sets if said.access is not None else ()
    theirs = [label for label in held if not label.startswith("Dunwell")]
    sobject, dot, field = what.partition(".")
    if dot and not is_ours(sobject) and not is_ours(field):
        return theirs[0] if theirs else "a set of its own"
    speaks = [one.label for one in said.givers if one.what == sobject and one.label in held]
    return (speaks or theirs or [INTEGRATION_SET])[0]


def compound(field: str) -> str:
    """The name under which field security knows a part of an address (``MailingCountry`` → ``MailingAddress``)."""
    for part in _ADDRESS_PARTS:
        if field.endswith(part) and field[: -len(part)] in _ADDRESSES:
            return f"{field[: -len(part)]}Address"
    return field


_ADDRESSES = frozenset({"Mailing", "Billing", "Shipping", "Other", "PersonMailing", "PersonOther"})
_ADDRESS_PARTS = (
    "Street",
    "City",
    "StateCode",
    "State",
    "PostalCode",
    "CountryCode",
    "Country",
    "Latitude",
    "Longitude",
    "GeocodeAccuracy",
)
