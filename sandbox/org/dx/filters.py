"""Conditions on fields, as lookup filters and assignment rules write them.

Must not work them out: conditions.py does. Source: Metadata API Developer Guide, FilterItem and LookupFilter. Invariant: the
operations are those of the metadata, unchanged.
"""

from sandbox.org.dx.xml import Node
from sandbox.org.setup import Condition, Criteria


def criteria(nodes: Node, tag: str, sobject: str) -> Criteria:
    """Read the filter items under a node: `field operation value|valueField`, joined by `booleanFilter` or all of them."""
    found = tuple(
        Condition(_path(each.text("field"), sobject), each.text("operation"), each.text("value"), each.text("valueField") or None)
        for each in nodes.each(tag)
    )
    return Criteria(found, nodes.text("booleanFilter") or None)


def _path(name: str, sobject: str) -> str:
    """Drop the object's own name before a field."""
    first, dot, rest = name.partition(".")
    return rest if dot and first.lower() == sobject.lower() else name


def lookup_filter(node: Node, sobject: str) -> Criteria | None:
    """Read a lookup's filter where it is active and required; an optional one only narrows what people are offered."""
    given = node.child("lookupFilter")
    if given is None or not given.flag("active") or given.flag("isOptional"):
        return None
    found = criteria(given, "filterItems", node.text("referenceTo") or sobject)
    return Criteria(found.conditions, found.logic, given.text("errorMessage") or None)
