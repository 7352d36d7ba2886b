"""List views and compact layouts: what a page shows of an object, not how the org behaves.

Must not resolve the names in them: they may be those of the user interface (`NAME`, `CORE.USERS.ALIAS`). Source: Metadata
API Developer Guide, ListView and CompactLayout. Invariant: what a file lists is kept in its order.
"""

from sandbox.org.dx.xml import Node
from sandbox.org.setup import CompactLayout, ListFilter, ListView


def list_view(node: Node, sobject: str) -> ListView:
    """Read a listView."""
    name = node.text("fullName") or node.stem
    filters = tuple(ListFilter(each.text("field"), each.text("operation"), each.text("value")) for each in node.each("filters"))
    return ListView(
        name=name,
        label=node.text("label", name),
        object=sobject,
        columns=node.texts("columns"),
        filters=filters,
        scope=node.text("filterScope", "Everything"),
        logic=node.text("booleanFilter") or None,
        queue=node.text("queue") or None,
    )


def compact_layout(node: Node, sobject: str) -> CompactLayout:
    """Read a compactLayout."""
    name = node.text("fullName") or node.stem
    return CompactLayout(name=name, label=node.text("label", name), object=sobject, fields=node.texts("fields"))
