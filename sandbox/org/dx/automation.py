"""Assignment rules and custom metadata records.

Must not carry anything out. Source: Metadata API Developer Guide, AssignmentRules, CustomMetadata. Invariant: rule entries
keep their order, because the first that fits decides.
"""

from sandbox.org.dx.filters import criteria
from sandbox.org.dx.xml import Node
from sandbox.org.setup import AssignmentEntry, AssignmentRule, MetadataRecord


def assignment_rules(node: Node) -> tuple[AssignmentRule, ...]:
    """Read the assignment rules of an object, active or not."""
    sobject = node.stem
    return tuple(
        AssignmentRule(
            sobject,
            each.text("fullName"),
            active=each.flag("active"),
            entries=tuple(
                AssignmentEntry(
                    criteria(entry, "criteriaItems", sobject),
                    entry.text("formula") or None,
                    entry.text("assignedTo") or None,
                    entry.text("assignedToType", "User"),
                )
                for entry in each.each("ruleEntry")
            ),
        )
        for each in node.each("assignmentRule")
    )


def metadata_record(node: Node) -> MetadataRecord:
    """Read a custom metadata record: `Type.Record.md-meta.xml`."""
    kind, name = node.path.name.split(".", 2)[:2]
    values = {}
    for each in node.each("values"):
        given = each.child("value")
        nil = given is None or given.attribute("nil") == "true"
        values[each.text("field")] = None if nil or given is None else given.content
    return MetadataRecord(f"{kind}__mdt", name, node.text("label", name), values)
