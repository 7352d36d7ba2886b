"""Picklist values: of a field, of a global or a standard value set.

Must not know fields. Source: Metadata API Developer Guide, ValueSet, GlobalValueSet, StandardValueSet. Invariant: values
keep their order, and a value set that is named exists.
"""

from sandbox.org.dx.xml import Node
from sandbox.org.schema import Choice


def choices_of(node: Node, value_sets: dict[str, tuple[Choice, ...]]) -> tuple[tuple[Choice, ...], bool, str | None]:
    """Give a field's values, whether it takes no others, and the field that controls it."""
    old = node.child("picklist")
    if old is not None:
        listed = [_choice(each) for each in old.each("picklistValues")]
        return tuple(listed), old.flag("restrictedPicklist"), old.text("controllingField") or None
    given = node.child("valueSet")
    if given is None:
        return (), False, None
    controller = given.text("controllingField") or None
    allowed: dict[str, tuple[str, ...]] = {}
    for each in given.each("valueSettings"):
        name = each.text("valueName")
        allowed[name] = (*allowed.get(name, ()), *each.texts("controllingFieldValue"))
    named = given.text("valueSetName")
    if named:
        if named not in value_sets:
            raise ValueError(f"{node.path}: there is no global value set {named}")
        values, restricted = value_sets[named], given.flag("restricted", default=True)
    else:
        definition = given.child("valueSetDefinition")
        values = () if definition is None else tuple(_choice(each) for each in definition.each("value"))
        restricted = given.flag("restricted")
    if controller:
        values = tuple(_controlled(each, allowed.get(each.value, ())) for each in values)
    return values, restricted, controller


def _controlled(one: Choice, by: tuple[str, ...]) -> Choice:
    return Choice(one.value, one.label, one.default, one.active, one.closed, by)


def _choice(node: Node) -> Choice:
    value = node.text("fullName")
    return Choice(
        value,
        node.text("label", value),
        default=node.flag("default"),
        active=node.flag("isActive", default=True),
        closed=node.flag("closed"),
        won=node.flag("won"),
        probability=node.number("probability") if node.text("probability") else None,
        forecast=node.text("forecastCategory") or None,
    )


def value_set(node: Node) -> tuple[Choice, ...]:
    """Read a GlobalValueSet or StandardValueSet."""
    return tuple(_choice(each) for tag in ("customValue", "standardValue") for each in node.each(tag))
