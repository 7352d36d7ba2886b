"""A CustomField, in a file of its own or inside an old `.object` file → the fields it makes.

Must not know other fields. A geolocation makes three fields, everything else one. Source: Metadata API Developer Guide,
CustomField. Invariant: a type the sandbox cannot carry is refused with the file's name.
"""

from sandbox.org.dx.filters import lookup_filter
from sandbox.org.dx.values import choices_of
from sandbox.org.dx.xml import Node
from sandbox.org.schema import Choice, Field, Summary

_TEXT_LENGTH = 255
_LONG_LENGTH = 32768
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
    "MetadataRelationship": "reference",
}
_FIXED_LENGTH = {"email": 80, "phone": 40, "url": 255, "picklist": 255, "reference": 18}


def fields_of(node: Node, sobject: str, value_sets: dict[str, tuple[Choice, ...]]) -> list[Field]:
    """Read a field. Raises ValueError for a type the sandbox does not know."""
    name, kind = node.text("fullName") or node.stem, node.text("type")
    if kind == "Summary":
        return [_summary(name, node)]
    if kind == "Location":
        return _location(name, node)
    if kind not in _TYPES:
        raise ValueError(f"{node.path}: field type {kind or '(none)'} is not known to the sandbox")
    return [_plain(name, kind, node, sobject, value_sets)]


def _plain(name: str, kind: str, node: Node, sobject: str, value_sets: dict[str, tuple[Choice, ...]]) -> Field:
    type_ = _TYPES[kind]
    formula = node.text("formula") or None
    required = node.flag("required") or kind == "MasterDetail"
    is_flag = type_ == "boolean"
    default = node.text("defaultValue") or ("false" if is_flag and formula is None else None)
    choices, restricted, controller = choices_of(node, value_sets)
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
        controller=controller,
        reference_to=_targets(kind, node, sobject) if type_ == "reference" else (),
        relationship=_relationship(name) if type_ == "reference" else None,
        child_relationship=_children(name, node.text("relationshipName")),
        cascade_delete=kind == "MasterDetail" or node.text("deleteConstraint") == "Cascade",
        restricted_delete=node.text("deleteConstraint") == "Restrict",
        lookup_filter=lookup_filter(node, sobject),
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
        traits=_traits(kind, node),
    )


def _targets(kind: str, node: Node, sobject: str) -> tuple[str, ...]:
    given = node.text("referenceTo")
    if kind == "Hierarchy":
        return (given or "User",)
    return (given or ("User" if sobject == "User" else sobject),)


def _relationship(name: str) -> str:
    return name.removesuffix("__c") + "__r"


def _children(name: str, given: str) -> str | None:
    """Name the other end: managed fields put their namespace before it."""
    if not given:
        return None
    parts = name.split("__")
    prefix = f"{parts[0]}__" if len(parts) == 3 and not given.startswith(f"{parts[0]}__") else ""
    return f"{prefix}{given}__r"


def _traits(kind: str, node: Node) -> tuple[tuple[str, str | bool | int | None], ...]:
    found: dict[str, str | bool | int | None] = {}
    if kind == "Html":
        found |= {"htmlFormatted": True, "extraTypeInfo": "richtextarea"}
    elif kind == "LongTextArea":
        found["extraTypeInfo"] = "plaintextarea"
    elif kind == "EncryptedText":
        found |= {"mask": node.text("maskChar", "asterisk"), "maskType": node.text("maskType", "all")}
    elif kind == "MasterDetail":
        found |= {"relationshipOrder": node.number("relationshipOrder"), "writeRequiresMasterRead": node.flag("writeRequiresMasterRead")}
    return tuple(found.items())


def _length(kind: str, type_: str, node: Node) -> int:
    if kind == "AutoNumber":
        return 30
    if type_ == "multipicklist":
        return 4099
    if type_ in _FIXED_LENGTH:
        return _FIXED_LENGTH[type_]
    if node.text("formula") and type_ == "string":
        return 1300
    if type_ in ("string", "textarea", "encryptedstring"):
        return node.number("length", _LONG_LENGTH if kind in ("LongTextArea", "Html") else _TEXT_LENGTH)
    return 0


def _location(name: str, node: Node) -> list[Field]:
    stem, label = name.removesuffix("__c"), node.text("label", name)
    scale = node.number("scale", 0)

    def part(ending: str, bound: int) -> Field:
        title = f"{label} ({ending})"
        return Field(
            f"{stem}__{ending}__s", title, "double", precision=bound + scale, scale=scale, custom=True, compound=name, permissionable=True
        )

    whole = Field(name, label, "location", createable=False, updateable=False, custom=True, permissionable=True)
    return [part("Latitude", 2), part("Longitude", 3), whole]


def _summary(name: str, node: Node) -> Field:
    child, _, key = node.text("summaryForeignKey").partition(".")
    summarized = node.text("summarizedField").partition(".")[2] or None
    filters = []
    for each in node.each("summaryFilterItems"):
        operation = each.text("operation")
        if operation not in _OPERATORS:
            raise ValueError(f"{node.path}: the sandbox does not know the roll-up filter operation {operation or '(none)'}")
        filters.append((each.text("field").partition(".")[2], _OPERATORS[operation], each.text("value")))
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
        summary=Summary(child, key, operation, summarized, tuple(filters)),
    )
