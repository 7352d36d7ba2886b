"""The describe calls: what a user may know about objects and fields.

Must not check anything. Source: REST API Developer Guide, "sObject Describe", and recorded describes (CumulusCI
cassettes) for the keys. Invariant: an object or field the user may not read is not in it.
"""

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
}
_MASTER = "012000000000000AAA"


def describe_field(one: ObjectType, field: Field, rights: Rights) -> Record:
    """Describe one field."""
    writable = rights.edits(one, field)
    return {
        "aggregatable": field.type != "boolean" and not field.long_text,
        "aiPredictionField": False,
        "autoNumber": field.auto_number is not None,
        "byteLength": 18 if field.type in ("id", "reference") else field.length * 3,
        "calculated": field.calculated,
        "calculatedFormula": field.formula if field.custom else None,
        "cascadeDelete": field.cascade_delete,
        "caseSensitive": field.case_sensitive,
        "compoundFieldName": None,
        "controllerName": None,
        "custom": field.custom,
        "defaultValue": _default_value(field),
        "defaultValueFormula": field.default if field.default_is_formula else None,
        "defaultedOnCreate": field.defaulted_on_create,
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": 10 if field.type == "int" else 0,
        "displayLocationInDecimal": False,
        "encrypted": field.type == "encryptedstring",
        "externalId": field.external_id,
        "extraTypeInfo": None,
        "filterable": not field.long_text,
        **_describe_values(field),
        "createable": field.createable and writable,
        "updateable": field.updateable and writable,
    }


def _describe_values(field: Field) -> Record:
    number = field.type in ("double", "currency", "percent")
    return {
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": field.formula is not None and field.blank_as_zero,
        "groupable": not (number or field.long_text or field.type in ("datetime", "multipicklist")),
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": field.external_id or field.name == "Id",
        "inlineHelpText": field.help,
        "label": field.label,
        "length": 18 if field.type in ("id", "reference") else field.length,
        "mask": None,
        "maskType": None,
        "name": field.name,
        "nameField": field.name_field,
        "namePointing": field.polymorphic,
        "nillable": field.nillable,
        "permissionable": field.permissionable,
        "picklistValues": [
            {"active": each.active, "defaultValue": each.default, "label": each.label, "validFor": None, "value": each.value}
            for each in field.choices
        ],
        "polymorphicForeignKey": field.polymorphic,
        "precision": field.precision if number else 0,
        "queryByDistance": False,
        "referenceTargetField": None,
        "referenceTo": list(field.reference_to),
        "relationshipName": field.relationship,
        "relationshipOrder": None,
        "restrictedDelete": field.restricted_delete,
        "restrictedPicklist": field.restricted,
        "scale": field.scale if number else 0,
        "searchPrefilterable": False,
        "soapType": _SOAP.get(field.type, "xsd:string"),
        "sortable": not field.long_text and field.type != "multipicklist",
        "type": field.type,
        "unique": field.unique,
        "writeRequiresMasterRead": False,
    }


def _default_value(field: Field) -> str | bool | None:
    if field.type == "boolean":
        return field.default == "true"
    return None if field.default_is_formula else field.default


def describe_summary(one: ObjectType, rights: Rights, version: str) -> Record:
    """Describe an object as the global describe lists it."""
    allowed = rights.on(one)
    path = f"/services/data/v{version}/sobjects/{one.name}"
    is_event = one.kind == "event"
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": one.createable and allowed.create,
        "custom": one.custom,
        "customSetting": False,
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
        "mergeable": one.name in ("Account", "Contact"),
        "mruEnabled": not is_event,
        "name": one.name,
        "queryable": not is_event,
        "replicateable": not is_event,
        "retrieveable": not is_event,
        "searchable": not is_event,
        "triggerable": True,
        "undeletable": one.deletable and not is_event,
        "updateable": one.updateable and allowed.edit,
        "urls": {"sobject": path, "describe": f"{path}/describe", "rowTemplate": f"{path}/{{ID}}"},
    }


def describe_object(schema: Schema, one: ObjectType, rights: Rights, version: str, record_types: list[Record]) -> Record:
    """Describe an object in full: its fields, child relationships and record types."""
    master: Record = {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": not record_types,
        "developerName": "Master",
        "master": True,
        "name": "Master",
        "recordTypeId": _MASTER,
    }
    return {
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
        "recordTypeInfos": [*record_types, master],
        "searchLayoutable": one.kind == "record",
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": "All", "name": "everything"}, {"label": "My", "name": "mine"}],
    }


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
