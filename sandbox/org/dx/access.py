"""Permission sets, profiles, permission set groups, roles and queues.

Must not add up what a user may do: access.py of the org does. Source: Metadata API Developer Guide, PermissionSet, Profile,
PermissionSetGroup, Role, Queue. Invariant: names of objects and fields are kept in lower case.
"""

from urllib.parse import unquote

from sandbox.org.dx.xml import Node
from sandbox.org.setup import ObjectAccess, PermissionSet, PermissionSetGroup, Queue, Role


def permission_set(node: Node) -> PermissionSet:
    """Read a permission set or a profile: they grant in the same words."""
    name = unquote(node.stem)
    fields = [(each.text("field").lower(), each.flag("readable"), each.flag("editable")) for each in node.each("fieldPermissions")]
    shown = [each for each in node.each("recordTypeVisibilities") if each.flag("visible")]
    return PermissionSet(
        name=name,
        label=node.text("label", name),
        objects={each.text("object").lower(): _access(each) for each in node.each("objectPermissions")},
        readable=frozenset(field for field, readable, editable in fields if readable or editable),
        editable=frozenset(field for field, _, editable in fields if editable),
        user_permissions=frozenset(each.text("name") for each in node.each("userPermissions") if each.flag("enabled")),
        record_types=frozenset(each.text("recordType") for each in shown),
        default_record_types=frozenset(each.text("recordType") for each in shown if each.flag("default")),
        is_profile=node.tag == "Profile",
    )


def _access(node: Node) -> ObjectAccess:
    return ObjectAccess(
        read=node.flag("allowRead"),
        create=node.flag("allowCreate"),
        edit=node.flag("allowEdit"),
        delete=node.flag("allowDelete"),
        view_all=node.flag("viewAllRecords"),
        modify_all=node.flag("modifyAllRecords"),
        all_fields=node.flag("viewAllFields"),
    )


def permission_set_group(node: Node) -> PermissionSetGroup:
    """Read a permission set group. Raises ValueError for one that mutes permissions."""
    if node.texts("mutingPermissionSets"):
        raise ValueError(f"{node.path}: the sandbox does not carry out muting permission sets")
    return PermissionSetGroup(node.stem, node.text("label", node.stem), node.texts("permissionSets"))


def role(node: Node) -> Role:
    """Read a role."""
    return Role(node.stem, node.text("name", node.stem), node.text("parentRole") or None)


def queue(node: Node) -> Queue:
    """Read a queue."""
    objects = tuple(each.text("sobjectType") for each in node.each("queueSobject"))
    return Queue(node.stem, node.text("name", node.stem), objects)
