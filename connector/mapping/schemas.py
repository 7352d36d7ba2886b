"""JSON Schemas of the files that admins edit, for the completion and the red lines of their editors.

Must not read or check a file; loading does, more strictly. Invariant: the schemas come from the very models that loading
uses, so an editor never accepts a key that ``dunwell check`` refuses as unknown.
"""

import json
from typing import Any

from pydantic import BaseModel

from connector.core.policy import FACTS
from connector.mapping.org import Mapping
from connector.mapping.policies import PolicyFile
from connector.mapping.policy_folder import VariantFile
from connector.mapping.rules import CountriesFile, SchemesFile

Schema = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
_CELL = ["string", "number", "boolean", "null", "array"]


def _of(model: type[BaseModel], title: str) -> Schema:
    return {"$schema": DRAFT, **model.model_json_schema(mode="validation"), "title": title}


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


def policy() -> Schema:
    """Schema of ``policies/*.yaml``: a whole policy, or one that extends another."""
    whole, variant = _of(PolicyFile, "Policy"), _of(VariantFile, "Policy for some installments")
    definitions = {**whole.pop("$defs"), **variant.pop("$defs")}
    definitions["RowFile"]["properties"]["when"] = _facts() | {"default": {}}
    variant["properties"]["applies"] = _facts() | {"minProperties": 1}
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
    """Schema of ``mappings/<name>.yaml``."""
    return _of(Mapping, "Mapping")


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
