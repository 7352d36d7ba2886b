"""The describe calls: what a user may know about objects and fields.

Must not check anything. Source: REST API Developer Guide, "sObject Describe", and recorded describes (CumulusCI
cassettes) for the keys. Invariant: an object or field the user may not read is not in it.
"""

from base64 import b64encode
from collections.abc import Sequence

from sandbox.org.access import Rights
from sandbox.org.schema import ChildRelationship, Field, ObjectType, Schema
from sandbox.org.types import Record

_SOAP = {
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "time": "xsd:time",
    "id": "tns:ID",
    "reference": "tns:ID",
    "address": "urn:address",
    "location": "urn:location",
    "base64": "xsd:base64Binary",
}
_WHOLE = frozenset({"address", "location", "base64"})
_GROUPED = frozenset({"id", "boolean", "reference", "string", "picklist", "textarea", "phone", "url", "int", "date", "email"})
MASTER = "012000000000000AAA"


def describe_field(one: ObjectType, field: Field, rights: Rights) -> Record:
    """Describe one field: what follows from its type, then what its facts say otherwise, then what the user may do."""
    writable = rights.edits(one, field)
    found = {**_general(one, field), **_of_values(one, field), **dict(field.traits)}
    found["createable"] = field.createable and writable
    found["updateable"] = field.updateable and writable
    return dict(sorted(found.items()))


def _general(one: ObjectType, field: Field) -> Record:
    return {
        "aggregatable": not (field.type in _WHOLE or field.type == "boolean" or field.long_text),
        "aiPredictionField": False,
        "autoNumber": field.auto_number is not None,
        "byteLength": 18 if field.type in ("id", "reference") else 0 if field.type in _WHOLE else field.length * 3,
        "calculated": field.calculated,
        "calculatedFormula": field.formula if field.custom else None,
        "cascadeDelete": field.cascade_delete,
        "caseSensitive": field.case_sensitive,
        "compoundFieldName": field.compound,
        "controllerName": field.controller,
        "custom": field.custom,
        "defaultValue": _default_value(field),
        "defaultValueFormula": field.default if field.default_is_formula else None,
        "defaultedOnCreate": field.defaulted_on_create,
        "dependentPicklist": field.controller is not None,
        "deprecatedAndHidden": False,
        "digits": 8 if field.type == "int" else 0,
        "displayLocationInDecimal": field.type == "location",
        "encrypted": field.type == "encryptedstring",
        "externalId": field.external_id,
        "extraTypeInfo": "plaintextarea" if field.type == "textarea" else None,
        "filterable": not (field.long_text or field.type in ("base64", "encryptedstring")),
        "filteredLookupInfo": _filtered(field),
        "formulaTreatNullNumberAsZero": field.formula is not None and field.custom and field.is_number and field.blank_as_zero,
        "groupable": field.type in _GROUPED and not field.long_text and not (field.calculated and field.custom),
        "nameField": one.name_field is field,
    }


def _filtered(field: Field) -> Record | None:
    if field.lookup_filter is None:
        return None
    return {"controllingFields": [], "dependent": False, "optionalFilter": False}


def _of_values(one: ObjectType, field: Field) -> Record:
    number = field.type in ("double", "currency", "percent")
    return {
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": field.external_id or field.id_lookup or field.name == "Id" or (field.name_field and one.custom),
        "inlineHelpText": field.help,
        "label": field.label,
        "length": 18 if field.type in ("id", "reference") else field.length,
        "mask": None,
        "maskType": None,
        "name": field.name,
        "namePointing": field.polymorphic,
        "nillable": field.nillable,
        "permissionable": field.permissionable,
        "picklistValues": _choices(one, field),
        "polymorphicForeignKey": field.polymorphic,
        "precision": field.precision if number else 0,
        "queryByDistance": field.type in ("address", "location"),
        "referenceTargetField": None,
        "referenceTo": list(field.reference_to),
        "relationshipName": field.relationship,
        "relationshipOrder": None,
        "restrictedDelete": field.restricted_delete,
        "restrictedPicklist": field.restricted,
        "scale": field.scale if number else 0,
        "searchPrefilterable": False,
        "soapType": _SOAP.get(field.type, "xsd:string"),
        "sortable": not (field.long_text or field.type in _WHOLE or field.type in ("multipicklist", "encryptedstring")),
        "type": field.type,
        "unique": field.unique,
        "writeRequiresMasterRead": False,
    }


def _choices(one: ObjectType, field: Field) -> list[Record]:
    controller = one.field(field.controller) if field.controller else None
    order = [each.value for each in controller.choices] if controller is not None else []
    if controller is not None and controller.type == "boolean":
        order = ["unchecked", "checked"]
    return [
        {
            "active": each.active,
            "defaultValue": each.default,
            "label": each.label,
            "validFor": valid_for(each.valid_for, order) if controller is not None else None,
            "value": each.value,
        }
        for each in field.choices
    ]


def valid_for(allowed: Sequence[str], order: Sequence[str]) -> str:
    """Write which controlling values a value goes with: one bit each from the left, in base 64."""
    bits = bytearray((len(order) + 7) // 8)
    for place, value in enumerate(order):
        if value in allowed:
            bits[place >> 3] |= 0x80 >> (place % 8)
    return b64encode(bytes(bits)).decode()


def _default_value(field: Field) -> str | bool | None:
    if field.type == "boolean":
        return field.default == "true"
    return None if field.default_is_formula else field.default


def describe_summary(one: ObjectType, rights: Rights, version: str) -> Record:
    """Describe an object as the global describe lists it."""
    allowed = rights.on(one)
    path = f"/services/data/v{version}/sobjects/{one.name}"
    is_event = one.kind == "event"
    known: Record = {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": one.createable and allowed.create,
        "custom": one.custom,
        "customSetting": one.setting is not None,
        "deepCloneable": False,
        "deletable": one.deletable and allowed.delete,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": one.key_prefix,
        "label": one.label,
        "labelPlural": one.label_plural,
        "layoutable": not is_event,
        "mergeable": False,
        "mruEnabled": not is_event,
        "name": one.name,
        "queryable": not is_event,
        "replicateable": not is_event,
        "retrieveable": not is_event,
        "searchable": not is_event,
        "triggerable": True,
        "undeletable": one.deletable and not is_event,
        "updateable": one.updateable and allowed.edit,
    }
    return {**known, **{key: value for key, value in one.traits.items() if key in known}, "urls": _urls(path, layouts=not is_event)}


def _urls(path: str, *, layouts: bool) -> Record:
    found = {"sobject": path, "describe": f"{path}/describe", "rowTemplate": f"{path}/{{ID}}"}
    if layouts:
        found |= {name: f"{path}/describe/{name}" for name in ("compactLayouts", "approvalLayouts", "layouts")}
        found |= {"quickActions": f"{path}/quickActions", "listviews": f"{path}/listviews"}
    return found


def describe_object(schema: Schema, one: ObjectType, rights: Rights, version: str, record_types: list[Record]) -> Record:
    """Describe an object in full: its fields, child relationships and record types."""
    known: Record = {
        **describe_summary(one, rights, version),
        "actionOverrides": [],
        "childRelationships": [_child(end) for end in schema.children.get(one.name, ()) if rights.on(schema.objects[end.child]).read],
        "compactLayoutable": one.kind == "record",
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "implementedBy": None,
        "implementsInterfaces": None,
        "fields": [describe_field(one, each, rights) for each in one.fields.values() if rights.reads(one, each)],
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [_with_layout(each, one, version) for each in (*record_types, _master(record_types))],
        "searchLayoutable": one.kind == "record",
        "sobjectDescribeOption": "FULL",
        "supportedScopes": one.traits.get("supportedScopes", _scopes(one)),
    }
    return dict(sorted(known.items()))


def _master(others: Sequence[Record]) -> Record:
    return {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": not any(each["defaultRecordTypeMapping"] for each in others),
        "developerName": "Master",
        "master": True,
        "name": "Master",
        "recordTypeId": MASTER,
    }


def _with_layout(info: Record, one: ObjectType, version: str) -> Record:
    return {**info, "urls": {"layout": f"/services/data/v{version}/sobjects/{one.name}/describe/layouts/{info['recordTypeId']}"}}


def _scopes(one: ObjectType) -> list[Record]:
    plural = one.label_plural.lower()
    return [{"label": f"All {plural}", "name": "everything"}, {"label": f"My {plural}", "name": "mine"}]


def _child(end: ChildRelationship) -> Record:
    return {
        "cascadeDelete": end.cascade_delete,
        "childSObject": end.child,
        "deprecatedAndHidden": False,
        "field": end.field,
        "junctionIdListNames": [],
        "junctionReferenceTo": [],
        "relationshipName": end.name,
        "restrictedDelete": end.restricted_delete,
    }
