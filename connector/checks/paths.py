"""From a field's name to what the org says of it, along relationships (``Mandate__r.Active__c``).

Must not judge. Invariant: a path through a lookup to several objects, or to an object nobody described, is not followed: nothing is
said of what was not seen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connector.checks.needs import Need
from connector.salesforce.describe import FieldDescription, ObjectDescription

Described = Mapping[str, ObjectDescription | None]


@dataclass(frozen=True, slots=True)
class Reached:
    """Where a path led. ``field`` None: ``sobject`` has no ``missing``, or hides it; both None: it could not be followed."""

    sobject: ObjectDescription | None
    field: FieldDescription | None
    missing: str = ""
    is_relation: bool = False


def reach(objects: Described, sobject: str, path: str) -> Reached:
    """Follow ``path`` from ``sobject``."""
    here = objects.get(sobject)
    *relations, last = path.split(".")
    for name in relations:
        if here is None:
            return Reached(None, None)
        lookup = lookup_named(here, name)
        if lookup is None:
            return Reached(here, None, name, is_relation=True)
        here = objects.get(lookup.reference_to[0]) if len(lookup.reference_to) == 1 else None
    if here is None:
        return Reached(None, None)
    return Reached(here, here.fields.get(last), last)


def lookup_named(sobject: ObjectDescription, relation: str) -> FieldDescription | None:
    """The lookup whose parent is read as ``relation``."""
    return next((one for one in sobject.fields.values() if one.relationship_name == relation), None)


def parents(objects: Described, needs: Iterable[Need]) -> list[str]:
    """Objects that paths lead to and that are not described yet."""
    found: dict[str, None] = {}
    for one in needs:
        here = objects.get(one.sobject)
        head, dot, _ = one.field.partition(".")
        lookup = lookup_named(here, head) if here is not None and dot else None
        if lookup is not None and len(lookup.reference_to) == 1 and lookup.reference_to[0] not in objects:
            found[lookup.reference_to[0]] = None
    return list(found)
