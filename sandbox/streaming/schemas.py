"""The Avro schemas of events, and the ids that messages name them by.

Pure. Its invariant: an id stands for one definition; it is the same in every run and another one as soon as a field changes.
Source: REST API Developer Guide, "Platform Event Schema by Schema ID" (COMPACT is Avro, EXPANDED describes the JSON message);
the header of change events as the Pub/Sub API's schemas have it.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping

from sandbox.org.schema import Field, ObjectType, Schema
from sandbox.org.types import Json, Record
from sandbox.streaming.changes import GAP_KINDS, HEADER
from sandbox.streaming.channels import event_name, supports_changes
from sandbox.streaming.compound import place

NAMESPACE = "com.sforce.eventbus"
_AVRO = {"boolean": "boolean", "int": "int", "datetime": "long", "date": "int", "time": "int"}
_WORDS = {
    "string": "Text",
    "textarea": "Text",
    "picklist": "DynamicEnum",
    "reference": "EntityId",
    "boolean": "Boolean",
    "datetime": "DateTime",
    "date": "DateOnly",
    "double": "Double",
    "currency": "Currency",
    "percent": "Percent",
    "int": "Integer",
    "email": "Email",
    "phone": "Phone",
    "url": "Url",
}
_EVENT_SYSTEM = frozenset({"ReplayId", "EventUuid"})
_CHANGE_SYSTEM = frozenset({"Id", "IsDeleted", "SystemModstamp"})
_KINDS = ["CREATE", "UPDATE", "DELETE", "UNDELETE", *sorted(GAP_KINDS)]


class Schemas:
    """The schemas of all events of an org, worked out when first asked for. ``recall`` knows those of earlier runs."""

    def __init__(self, schema: Schema, recall: Callable[[str], Record | None]) -> None:
        self._recall = recall
        self._kinds: dict[str, ObjectType] = {one.name: one for one in schema.events()}
        self._kinds |= {event_name(one.name): one for one in schema.records() if supports_changes(one)}
        self._known: dict[str, Record] = {}

    def named(self, event: str) -> Record | None:
        """The definition of a platform event or change event, or None."""
        if event not in self._known and event in self._kinds:
            one = self._kinds[event]
            self._known[event] = _platform_event(one) if one.kind == "event" else _change_event(one)
        return self._known.get(event)

    def by_id(self, schema_id: str) -> Record | None:
        """The definition an id stands for, or None."""
        return self._recall(schema_id) or next(
            (one for name in self._kinds if (one := self.named(name)) and one["uuid"] == schema_id), None
        )


def expanded(definition: Mapping[str, Json]) -> Record:
    """The EXPANDED form: the whole message around the fields, with dates as texts."""
    system = {"CreatedDate": "string", "LastModifiedDate": "string"}
    fields = [{**field, "type": system.get(field["name"], field["type"])} for field in definition["fields"]]
    payload = {"type": "record", "name": "Payload", "doc": "", "fields": fields}
    event = {"type": "record", "name": "Event", "fields": [{"name": "EventUuid", "type": "string"}, {"name": "replayId", "type": "long"}]}
    inner = [{"name": "schema", "type": "string"}, {"name": "payload", "type": payload}, {"name": "event", "type": event}]
    data = {"type": "record", "name": "Data", "namespace": "", "fields": inner}
    outer = [{"name": "data", "type": data}, {"name": "channel", "type": "string"}]
    head = {"name": definition["name"], "namespace": NAMESPACE, "type": "expanded-record"}
    return head | {"fields": outer, "uuid": definition["uuid"]}


def _platform_event(one: ObjectType) -> Record:
    created: list[Record] = [
        {"name": "CreatedDate", "type": "long", "doc": "CreatedDate:DateTime"},
        {"name": "CreatedById", "type": "string", "doc": "CreatedBy:EntityId"},
    ]
    own = [
        _optional(field.name, field) for field in one.fields.values() if field.name not in {"CreatedDate", "CreatedById"} | _EVENT_SYSTEM
    ]
    return _record(one.name, created + own)


def _change_event(one: ObjectType) -> Record:
    fields: list[Record] = [{"name": HEADER, "type": _header()}]
    compounds: dict[str, Record] = {}
    for field in one.fields.values():
        path = place(one, field.name, {})
        if path is None or field.name in _CHANGE_SYSTEM or not field.stored:
            continue
        if len(path) == 1:
            fields.append(_optional(field.name, field))
            continue
        if path[0] not in compounds:
            compounds[path[0]] = {"type": "record", "name": path[0], "namespace": f"{NAMESPACE}.{one.name}", "fields": []}
            fields.append({"name": path[0], "type": ["null", compounds[path[0]]], "default": None})
        compounds[path[0]]["fields"].append(_optional(path[1], field))
    return _record(event_name(one.name), fields)


def _header() -> Record:
    def texts(name: str) -> Record:
        return {"name": name, "type": {"type": "array", "items": "string"}}

    kinds = {"type": "enum", "name": "ChangeType", "symbols": _KINDS}
    fields = [
        {"name": "entityName", "type": "string"},
        texts("recordIds"),
        {"name": "changeType", "type": kinds},
        {"name": "changeOrigin", "type": "string"},
        {"name": "transactionKey", "type": "string"},
        {"name": "sequenceNumber", "type": "int"},
        {"name": "commitTimestamp", "type": "long"},
        {"name": "commitNumber", "type": "long"},
        {"name": "commitUser", "type": "string"},
        texts("nulledFields"),
        texts("diffFields"),
        texts("changedFields"),
    ]
    return {"type": "record", "name": HEADER, "fields": fields}


def _optional(name: str, field: Field) -> Record:
    kind = "double" if field.is_number and field.type != "int" else _AVRO.get(field.type, "string")
    return {"name": name, "type": ["null", kind], "doc": f"Data:{_WORDS.get(field.type, 'Text')}", "default": None}


def _record(name: str, fields: list[Record]) -> Record:
    definition: Record = {"name": name, "namespace": NAMESPACE, "type": "record", "fields": fields}
    digest = hashlib.md5(json.dumps(definition, sort_keys=True).encode(), usedforsecurity=False).digest()
    return definition | {"uuid": base64.urlsafe_b64encode(digest).decode().rstrip("=")}
