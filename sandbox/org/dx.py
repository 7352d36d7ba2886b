"""One metadata file of a Salesforce DX source tree → one schema value.

Must not walk directories or combine files: metadata.py does. Source: Metadata API Developer Guide, CustomObject,
CustomField, PermissionSet, PlatformEventChannelMember. Invariant: what is not understood is refused with its file's name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from sandbox.org.schema import Choice, Field, ObjectAccess, PermissionSet, Queue, RecordType, Rule, Summary

_NS = "{http://soap.sforce.com/2006/04/metadata}"
_TEXT_LENGTH = 255
_OPERATORS = {
    "equals": "=",
    "notEqual": "!=",
    "lessThan": "<",
    "greaterThan": ">",
    "lessOrEqual": "<=",
    "greaterOrEqual": ">=",
    "contains": "contains",
    "startsWith": "startsWith",
}
_TYPES = {
    "Text": "string",
    "TextArea": "textarea",
    "LongTextArea": "textarea",
    "Html": "textarea",
    "Number": "double",
    "Currency": "currency",
    "Percent": "percent",
    "Date": "date",
    "DateTime": "datetime",
    "Checkbox": "boolean",
    "Picklist": "picklist",
    "MultiselectPicklist": "multipicklist",
    "Email": "email",
    "Phone": "phone",
    "Url": "url",
    "Lookup": "reference",
    "MasterDetail": "reference",
    "Hierarchy": "reference",
    "AutoNumber": "string",
    "EncryptedText": "encryptedstring",
    "Time": "time",
}
_FIXED_LENGTH = {"email": 80, "phone": 40, "url": 255, "picklist": 255, "reference": 18}


@dataclass(frozen=True, slots=True)
class ObjectFile:
    """What an object-meta.xml says about its object (fields lie in files of their own)."""

    label: str
    label_plural: str
    activities: bool
    sharing: str
    publish_after_commit: bool
    name_field: Field | None


class Node:
    """An XML element read by the names of its children, whatever their namespace."""

    def __init__(self, element: ET.Element) -> None:
        self._element = element

    def text(self, name: str, default: str = "") -> str:
        """Give the text of the first child of that name."""
        found = self._element.find(_NS + name)
        return default if found is None or found.text is None else found.text.strip()

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Tell whether the child of that name says true."""
        given = self.text(name)
        return default if not given else given.lower() == "true"

    def number(self, name: str, default: int = 0) -> int:
        """Give the whole number in the child of that name."""
        given = self.text(name)
        return int(given) if given else default

    def child(self, name: str) -> "Node | None":
        """Give the first child of that name."""
        found = self._element.find(_NS + name)
        return None if found is None else Node(found)

    def each(self, name: str) -> "Iterator[Node]":
        """Go through the children of that name."""
        return (Node(found) for found in self._element.findall(_NS + name))


def read(path: Path) -> Node:
    """Parse a metadata file. Raises ValueError naming it when it is not XML."""
    try:
        return Node(ET.parse(path).getroot())  # noqa: S314 - the project's own source files
    except ET.ParseError as error:
        raise ValueError(f"{path}: not well-formed XML: {error}") from error


def read_object(path: Path, api_name: str) -> ObjectFile:
    """Read an object-meta.xml."""
    node = read(path)
    label = node.text("label", api_name)
    named = node.child("nameField")
    return ObjectFile(
        label=label,
        label_plural=node.text("pluralLabel", label),
        activities=node.flag("enableActivities"),
        sharing=node.text("sharingModel", "ReadWrite"),
        publish_after_commit=node.text("publishBehavior", "PublishAfterCommit") == "PublishAfterCommit",
        name_field=_name_field(named) if named else None,
    )


def _name_field(node: Node) -> Field:
    numbered = node.text("type") == "AutoNumber"
    return Field(
        "Name",
        node.text("label", "Name"),
        "string",
        length=80,
        nillable=True,
        createable=not numbered,
        updateable=not numbered,
        defaulted_on_create=True,
        auto_number=node.text("displayFormat", "{0}") if numbered else None,
        name_field=True,
    )


def read_field(path: Path, value_sets: dict[str, tuple[Choice, ...]]) -> Field:
    """Read a field-meta.xml. Raises ValueError for a type the sandbox does not know."""
    node = read(path)
    name, kind = node.text("fullName") or path.name.split(".", 1)[0], node.text("type")
    formula = node.text("formula") or None
    if kind == "Summary":
        return _summary(name, node)
    if kind not in _TYPES:
        raise ValueError(f"{path}: field type {kind or '(none)'} is not known to the sandbox")
    type_ = _TYPES[kind]
    required = node.flag("required") or kind == "MasterDetail"
    is_flag = type_ == "boolean"
    default = node.text("defaultValue") or ("false" if is_flag and formula is None else None)
    choices, restricted = _choices(node, value_sets, path)
    picked = next((each.value for each in choices if each.default), None)
    writable = formula is None and kind != "AutoNumber"
    return Field(
        name=name,
        label=node.text("label", name),
        type=type_,
        length=_length(kind, type_, node),
        precision=node.number("precision", 18 if type_ in ("double", "currency", "percent") else 0),
        scale=node.number("scale", 2 if type_ == "currency" else 0),
        nillable=not required and not is_flag,
        createable=writable,
        updateable=writable and not (kind == "MasterDetail" and not node.flag("reparentableMasterDetail")),
        default=None if formula else default if default is not None else picked,
        default_is_formula=default is not None and not is_flag,
        defaulted_on_create=is_flag or default is not None or picked is not None or kind == "AutoNumber",
        choices=choices,
        restricted=restricted,
        reference_to=(node.text("referenceTo") or "User",) if type_ == "reference" else (),
        relationship=name.removesuffix("__c") + "__r" if type_ == "reference" else None,
        child_relationship=f"{node.text('relationshipName')}__r" if node.text("relationshipName") else None,
        cascade_delete=kind == "MasterDetail" or node.text("deleteConstraint") == "Cascade",
        restricted_delete=node.text("deleteConstraint") == "Restrict",
        unique=node.flag("unique"),
        external_id=node.flag("externalId"),
        case_sensitive=node.flag("caseSensitive"),
        custom=True,
        formula=formula,
        blank_as_zero=node.text("formulaTreatBlanksAs", "BlankAsZero") == "BlankAsZero",
        auto_number=node.text("displayFormat", "{0}") if kind == "AutoNumber" else None,
        permissionable=not required,
        long_text=kind in ("LongTextArea", "Html"),
        help=node.text("inlineHelpText") or None,
    )


def _length(kind: str, type_: str, node: Node) -> int:
    if kind == "AutoNumber":
        return 30
    if type_ == "multipicklist":
        return 4099
    if type_ in _FIXED_LENGTH:
        return _FIXED_LENGTH[type_]
    if type_ in ("string", "textarea", "encryptedstring"):
        return node.number("length", 32768 if kind in ("LongTextArea", "Html") else _TEXT_LENGTH)
    return 0


def _choices(node: Node, value_sets: dict[str, tuple[Choice, ...]], path: Path) -> tuple[tuple[Choice, ...], bool]:
    given = node.child("valueSet")
    if given is None:
        return (), False
    named = given.text("valueSetName")
    if named:
        if named not in value_sets:
            raise ValueError(f"{path}: there is no global value set {named}")
        return value_sets[named], given.flag("restricted", default=True)
    definition = given.child("valueSetDefinition")
    values = () if definition is None else tuple(_choice(each) for each in definition.each("value"))
    return values, given.flag("restricted")


def _choice(node: Node) -> Choice:
    value = node.text("fullName")
    return Choice(
        value,
        node.text("label", value),
        default=node.flag("default"),
        active=node.flag("isActive", default=True),
        closed=node.flag("closed"),
    )


def read_value_set(path: Path) -> tuple[Choice, ...]:
    """Read a globalValueSet-meta.xml or standardValueSet-meta.xml."""
    node = read(path)
    return tuple(_choice(each) for tag in ("customValue", "standardValue") for each in node.each(tag))


def _summary(name: str, node: Node) -> Field:
    child, _, key = node.text("summaryForeignKey").partition(".")
    summarized = node.text("summarizedField").partition(".")[2] or None
    filters = tuple(
        (each.text("field").partition(".")[2], _OPERATORS.get(each.text("operation"), "="), each.text("value"))
        for each in node.each("summaryFilterItems")
    )
    operation = node.text("summaryOperation")
    return Field(
        name,
        node.text("label", name),
        "double" if operation == "count" else "currency",
        precision=18,
        scale=0 if operation == "count" else 2,
        createable=False,
        updateable=False,
        custom=True,
        permissionable=True,
        summary=Summary(child, key, operation, summarized, filters),
    )


def read_rule(path: Path) -> Rule | None:
    """Read a validationRule-meta.xml; None when it is not active."""
    node = read(path)
    if not node.flag("active"):
        return None
    name = node.text("fullName") or path.name.split(".", 1)[0]
    return Rule(name, node.text("errorConditionFormula"), node.text("errorMessage"), node.text("errorDisplayField") or None)


def read_record_type(path: Path, sobject: str) -> RecordType:
    """Read a recordType-meta.xml."""
    node = read(path)
    name = node.text("fullName") or path.name.split(".", 1)[0]
    return RecordType(sobject, name, node.text("label", name), active=node.flag("active", default=True))


def read_queue(path: Path) -> Queue:
    """Read a queue-meta.xml."""
    node = read(path)
    developer_name = path.name.split(".", 1)[0]
    objects = tuple(each.text("sobjectType") for each in node.each("queueSobject"))
    return Queue(developer_name, node.text("name", developer_name), objects)


def read_permission_set(path: Path) -> PermissionSet:
    """Read a permissionset-meta.xml."""
    node = read(path)
    name = path.name.split(".", 1)[0]
    fields = [(each.text("field").lower(), each.flag("readable"), each.flag("editable")) for each in node.each("fieldPermissions")]
    return PermissionSet(
        name=name,
        label=node.text("label", name),
        objects={each.text("object").lower(): _access(each) for each in node.each("objectPermissions")},
        readable=frozenset(field for field, readable, editable in fields if readable or editable),
        editable=frozenset(field for field, _, editable in fields if editable),
        user_permissions=frozenset(each.text("name") for each in node.each("userPermissions") if each.flag("enabled")),
    )


def _access(node: Node) -> ObjectAccess:
    return ObjectAccess(
        read=node.flag("allowRead"),
        create=node.flag("allowCreate"),
        edit=node.flag("allowEdit"),
        delete=node.flag("allowDelete"),
        view_all=node.flag("viewAllRecords"),
        modify_all=node.flag("modifyAllRecords"),
    )
