"""JSON Schemas of the files that admins edit, for the completion and the red lines of their editors.

Must not read or check a file; loading does, more strictly. Invariant: the schemas come from the very models that loading
uses, so an editor never accepts a key that ``dunwell check`` refuses as unknown, and shows the meaning written there.
"""

import json
from typing import Any

from pydantic import BaseModel

from connector.core.policy import FACTS
from connector.mapping.extending import EXTENDS, OWN
from connector.mapping.meanings import meanings, models_of
from connector.mapping.org import Mapping
from connector.mapping.policy_file import PolicyFile
from connector.mapping.policy_folder import VariantFile
from connector.mapping.rules import CountriesFile, SchemesFile

Schema = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
_CELL = ["string", "number", "boolean", "null", "array"]


def _of(model: type[BaseModel], title: str) -> Schema:
    """Give a model's schema, every key with its meaning."""
    schema = model.model_json_schema(mode="validation")
    for name, one in models_of(model).items():
        part = schema if one is model else schema["$defs"][name]
        for key, meaning in meanings(one).items():
            part["properties"][key]["description"] = meaning
    return {"$schema": DRAFT, **schema, "title": title}


def _facts() -> Schema:
    """Conditions by fact: a cell is a text in the style of DMN, so only the names and their meaning can be told."""
    cells = {
        fact.name: {
            "description": fact.meaning + (f" ({', '.join(fact.words)})" if fact.words else f" ({fact.kind.value})"),
            "type": _CELL,
        }
        for fact in FACTS.values()
    }
    return {"type": "object", "additionalProperties": False, "properties": cells}


def _conditions(part: Schema, key: str, more: Schema) -> None:
    """Put conditions by fact in place of a key that may hold anything; its meaning stays."""
    part["properties"][key] = {"description": part["properties"][key]["description"], **_facts(), **more}


def policy() -> Schema:
    """Schema of ``policies/*.yaml``: a whole policy, or one that extends another."""
    whole, variant = _of(PolicyFile, "Policy"), _of(VariantFile, "Policy for some installments")
    definitions = {**whole.pop("$defs"), **variant.pop("$defs")}
    _conditions(definitions["RowFile"], "when", {"default": {}})
    _conditions(variant, "applies", {"minProperties": 1})
    for one in (whole, variant):
        one.pop("$schema")
    return {
        "$schema": DRAFT,
        "title": "Policy",
        "if": {"required": ["extends"]},
        "then": variant,
        "else": whole,
        "$defs": definitions,
    }


def mapping() -> Schema:
    """Schema of ``mappings/<name>.yaml``: a whole mapping, or one that extends another and says only what differs."""
    complete = _of(Mapping, "Mapping")
    definitions = complete.pop("$defs")
    parts: Schema = {}
    shared = {key: value for key, value in complete["properties"].items() if key not in OWN}
    variant = _part({**complete, "properties": shared}, definitions, parts) | {
        "required": [EXTENDS, *OWN],
        "title": "Mapping that extends another",
    }
    variant["properties"] = {
        EXTENDS: {
            "type": "string",
            "description": "The mapping whose lines count where this file says nothing: findock, plain or one of yours.",
        },
        **variant["properties"],
        **{key: complete["properties"][key] for key in OWN},
    }
    variant.pop("$schema")
    return {
        "$schema": complete.pop("$schema"),
        "title": "Mapping",
        "if": {"required": [EXTENDS]},
        "then": variant,
        "else": complete,
        "$defs": {**definitions, **parts},
    }


def _part(whole: Schema, definitions: Schema, parts: Schema) -> Schema:
    """Give the schema of something that is laid on a whole: every key may be left out, and null takes away. ``parts`` gets what it refers to."""
    name = str(whole.get("$ref", "")).rpartition("/")[2]
    if name and definitions[name].get("type") == "object":
        if f"{name}Part" not in parts:
            parts[f"{name}Part"] = {}
            parts[f"{name}Part"].update(_part(definitions[name], definitions, parts))
        return {"$ref": f"#/$defs/{name}Part"}
    found = {key: value for key, value in whole.items() if key not in ("required", "default", "minProperties")}
    if "properties" in whole:
        found["properties"] = {key: _or_none(_part(value, definitions, parts)) for key, value in whole["properties"].items()}
    if isinstance(whole.get("additionalProperties"), dict):
        found["additionalProperties"] = _or_none(_part(whole["additionalProperties"], definitions, parts))
    if "anyOf" in whole:
        found["anyOf"] = [_part(one, definitions, parts) for one in whole["anyOf"]]
    return found


def _or_none(schema: Schema) -> Schema:
    return schema if {"type": "null"} in schema.get("anyOf", ()) else {"anyOf": [schema, {"type": "null"}]}


def schemes() -> Schema:
    """Schema of ``rules/schemes.yaml``."""
    return _of(SchemesFile, "Scheme rules")


def countries() -> Schema:
    """Schema of ``rules/countries.yaml``."""
    return _of(CountriesFile, "Country rules")


SCHEMAS = {"policy": policy, "mapping": mapping, "schemes": schemes, "countries": countries}
"""Name → the function that makes it; ``mappings/schema/<name>.json`` is its text."""


def text(name: str) -> str:
    """Give one schema as the text of its file."""
    return json.dumps(SCHEMAS[name](), indent=1, ensure_ascii=False) + "\n"
