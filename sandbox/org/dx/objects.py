"""A CustomObject and what hangs on it besides fields: validation rules and record types.

Must not combine files. Source: Metadata API Developer Guide, CustomObject, ValidationRule, RecordType. Invariant: a rule or
record type keeps its active flag.
"""

from dataclasses import dataclass
from urllib.parse import unquote

from sandbox.org.dx.xml import Node
from sandbox.org.schema import Field, Rule
from sandbox.org.setup import RecordType


@dataclass(frozen=True, slots=True)
class ObjectFile:
    """What a CustomObject says about itself (its parts are read one by one)."""

    label: str
    label_plural: str
    activities: bool
    sharing: str
    publish_after_commit: bool
    name_field: Field | None
    compact_layout: str | None
    setting: str | None
    history: bool


def object_file(node: Node, api_name: str) -> ObjectFile:
    """Read the facts of an object."""
    label = node.text("label", api_name)
    named = node.child("nameField")
    compact = node.text("compactLayoutAssignment")
    return ObjectFile(
        label=label,
        label_plural=node.text("pluralLabel", label),
        activities=node.flag("enableActivities"),
        sharing=node.text("sharingModel"),
        publish_after_commit=node.text("publishBehavior", "PublishAfterCommit") == "PublishAfterCommit",
        name_field=_name_field(named) if named else None,
        compact_layout=compact if compact != "SYSTEM" else None,
        setting=node.text("customSettingsType") or None,
        history=node.flag("enableHistory"),
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


def rule(node: Node) -> Rule | None:
    """Read a validation rule; None when it is not active."""
    if not node.flag("active"):
        return None
    name = node.text("fullName") or node.stem
    return Rule(name, node.text("errorConditionFormula"), node.text("errorMessage"), node.text("errorDisplayField") or None)


def record_type(node: Node, sobject: str) -> RecordType:
    """Read a record type with the picklist values it offers."""
    name = node.text("fullName") or node.stem
    return RecordType(
        sobject,
        name,
        node.text("label", name),
        active=node.flag("active", default=True),
        description=node.text("description") or None,
        values={
            each.text("picklist"): tuple(value.text("fullName") for value in each.each("values")) for each in node.each("picklistValues")
        },
        defaults={
            each.text("picklist"): unquote(value.text("fullName"))
            for each in node.each("picklistValues")
            for value in each.each("values")
            if value.flag("default")
        },
    )
