"""Avro schemas of events: what they say, and what their ids stand for."""

from dataclasses import replace

from sandbox.streaming.schemas import Schemas, expanded


def test_a_definition_is_avro_and_names_every_field(schema):
    """System fields first, then the event's own, each nullable."""
    definition = Schemas(schema, lambda _: None).named("Outcome__e")
    assert (definition["name"], definition["namespace"], definition["type"]) == ("Outcome__e", "com.sforce.eventbus", "record")
    kinds = {field["name"]: field["type"] for field in definition["fields"]}
    assert list(kinds)[:2] == ["CreatedDate", "CreatedById"]
    assert (kinds["CreatedDate"], kinds["Amount__c"], kinds["Reference__c"]) == ("long", ["null", "double"], ["null", "string"])
    assert len(definition["uuid"]) == 22


def test_a_change_event_has_a_header_and_nested_names(schema):
    """The header is that of the Pub/Sub API, compound fields are records of their own."""
    fields = {field["name"]: field["type"] for field in Schemas(schema, lambda _: None).named("ContactChangeEvent")["fields"]}
    header = [field["name"] for field in fields["ChangeEventHeader"]["fields"]]
    assert header[:3] == ["entityName", "recordIds", "changeType"]
    assert header[-1] == "changedFields"
    assert {"FirstName", "LastName"} <= {field["name"] for field in fields["Name"][1]["fields"]}
    assert not {"FirstName", "MailingStreet", "SystemModstamp"} & fields.keys()


def test_an_id_stands_for_one_definition(schema):
    """The same in every run, another as soon as a field is added."""
    first, again = (Schemas(schema, lambda _: None) for _ in range(2))
    assert first.named("Outcome__e")["uuid"] == again.named("Outcome__e")["uuid"]
    outcome = schema.objects["Outcome__e"]
    wider = replace(outcome, fields={**outcome.fields, "New__c": replace(outcome.fields["Reference__c"], name="New__c")})
    changed = Schemas(replace(schema, objects={**schema.objects, "Outcome__e": wider}), lambda _: None)
    assert changed.named("Outcome__e")["uuid"] != first.named("Outcome__e")["uuid"]


def test_an_id_of_an_earlier_run_is_recalled(schema):
    """Events kept from before a definition changed still name a schema that can be read."""
    schemas = Schemas(schema, {"old": {"name": "Outcome__e"}}.get)
    assert schemas.by_id("old") == {"name": "Outcome__e"}
    assert schemas.by_id(schemas.named("CaseChangeEvent")["uuid"])["name"] == "CaseChangeEvent"
    assert schemas.by_id("nobody's") is None


def test_the_expanded_form_is_the_whole_message(schema):
    """Data, payload, event and channel; dates are texts there."""
    full = expanded(Schemas(schema, lambda _: None).named("Outcome__e"))
    assert full["type"] == "expanded-record"
    data, channel = full["fields"]
    assert channel == {"name": "channel", "type": "string"}
    parts = {field["name"]: field["type"] for field in data["type"]["fields"]}
    assert list(parts) == ["schema", "payload", "event"]
    assert {"name": "CreatedDate", "type": "string", "doc": "CreatedDate:DateTime"} in parts["payload"]["fields"]
