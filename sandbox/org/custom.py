"""Custom objects, platform events, custom metadata types and custom settings from their own source.

Must not read files. Source: Metadata API Developer Guide, CustomObject; Object Reference, "Custom Objects", "Custom Metadata
Types", "Custom Settings". Invariant: every one has the system fields of its kind before its own.
"""

from collections.abc import Sequence
from dataclasses import replace

from sandbox.org.dx.objects import ObjectFile
from sandbox.org.schema import Field, ObjectType
from sandbox.org.standard import system_fields


def custom_object(name: str, file: ObjectFile, fields: Sequence[Field], prefix: str, *, currency: bool) -> ObjectType:
    """Build the object a source file declares."""
    if name.endswith("__e"):
        return _event(name, file, fields, prefix)
    if name.endswith("__mdt"):
        return _metadata_type(name, file, fields, prefix)
    detail = any(each.cascade_delete and not each.nillable for each in fields)
    own = [*system_fields(owner=not detail and not file.setting, currency=currency)]
    own.append(file.name_field or Field("Name", f"{file.label} Name", "string", length=80, defaulted_on_create=True, name_field=True))
    if file.setting:
        own.append(_setup_owner())
    return ObjectType(
        name=name,
        label=file.label,
        label_plural=file.label_plural,
        key_prefix=prefix,
        fields={each.name: each for each in (*own, *fields)},
        custom=True,
        activities=file.activities,
        sharing="ControlledByParent" if detail else file.sharing or "ReadWrite",
        setting=file.setting,
    )


def _setup_owner() -> Field:
    targets = ("Organization", "Profile", "User")
    return Field("SetupOwnerId", "Location", "reference", length=18, reference_to=targets, relationship="SetupOwner")


def _metadata_type(name: str, file: ObjectFile, fields: Sequence[Field], prefix: str) -> ObjectType:
    """Build a custom metadata type: records come from source only and can only be read."""
    names = [
        Field("DeveloperName", "Custom Metadata Record Name", "string", length=40, nillable=False),
        Field("MasterLabel", "Label", "string", length=40, nillable=False, name_field=True),
        Field("Language", "Master Language", "picklist", length=40, nillable=False, default="en_US", defaulted_on_create=True),
        Field("NamespacePrefix", "Namespace Prefix", "string", length=15),
        Field("Label", "Label", "string", length=40),
        Field("QualifiedApiName", "Qualified API Name", "string", length=70),
    ]
    own = [*system_fields(owner=False, currency=False), *names, *(replace(each, permissionable=False) for each in fields)]
    return ObjectType(
        name=name,
        label=file.label,
        label_plural=file.label_plural,
        key_prefix=prefix,
        fields={each.name: replace(each, createable=False, updateable=False) for each in own},
        custom=True,
        createable=False,
        updateable=False,
        deletable=False,
        permissionable=False,
        sharing="Read",
    )


def _event(name: str, file: ObjectFile, fields: Sequence[Field], prefix: str) -> ObjectType:
    system = [
        Field("ReplayId", "Replay ID", "string", length=1000, createable=False, updateable=False),
        Field("EventUuid", "Event UUID", "string", length=36, createable=False, updateable=False),
        Field("CreatedDate", "Created Date", "datetime", createable=False, updateable=False, nillable=False),
        Field(
            "CreatedById",
            "Created By ID",
            "reference",
            length=18,
            createable=False,
            updateable=False,
            nillable=False,
            reference_to=("User",),
            relationship="CreatedBy",
        ),
    ]
    own = [*system, *(replace(each, updateable=False, permissionable=False) for each in fields)]
    return ObjectType(
        name=name,
        label=file.label,
        label_plural=file.label_plural,
        key_prefix=prefix,
        fields={each.name: each for each in own},
        kind="event",
        custom=True,
        publish_after_commit=file.publish_after_commit,
        updateable=False,
        deletable=False,
    )
