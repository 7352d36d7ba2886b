"""The reference pages of what admins edit: every key with its meaning, its type, its default and an example.

Must not say anything of its own about a key: names, types, defaults and meanings come from the schemas, examples from the files that
are shipped; only keys that no shipped file uses have theirs here. Invariant: a page names every key that loading accepts, and no other;
``make schemas`` writes ``docs/<name>.md``.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import yaml

from connector.core.policy import FACTS
from connector.mapping import schemas
from connector.mapping.extending import EXTENDS, OWN
from connector.mapping.schemas import Schema
from connector.mapping.source import read

SHIPPED: Final = Path(__file__).resolve().parents[2] / "mappings"
EXAMPLES: Final[Mapping[tuple[str, str], object]] = MappingProxyType(
    {
        ("PayerFields", "phone_time_zone"): "Phone_Time_Zone__c",
        ("PayerFields", "vulnerable"): "Handle_With_Care__c",
        ("PayerFields", "value"): "Customer_Value__c",
        ("PayerFields", "risk"): "Risk_Class__c",
        ("PayerObject", "flag"): "Dunwell_Position__c",
        ("Installments", "statuses"): {"Open": "Outstanding", "Written off": "Cancelled"},
        ("Installments", "claim_kinds"): {"Donation": "gift"},
        ("Mapping", "stale_after_hours"): 120,
        ("Mapping", "history_months"): 36,
        ("Role", "username"): "credit.manager@example.com",
        ("PolicyFile", "country"): "NL",
        ("PolicyFile", "calls_per_day"): {"credit_manager": 40},
        ("PolicyFile", "notice_days"): {"sepa_core": 5},
        ("OutageFile", "least"): 500,
        ("OutageFile", "times_worst"): 3,
        ("TaskFile", "tone"): "gentle",
        ("HoldFile", "scope"): "payer",
        ("RetryFile", "max_age_days"): 60,
        ("RetryFile", "within_days"): 10,
        ("VariantFile", "policy"): "energy",
        ("VariantFile", "version"): "3",
        ("VariantFile", "description"): "Gentler where winter bills are high.",
        ("VariantFile", "extends"): "default",
        ("VariantFile", "applies"): {"product": ["Green electricity", "Gas"], "country": "not(DE)"},
    }
)
"""By model and key, for what no shipped file uses."""
_PATTERNS: Final = MappingProxyType({"^[A-Z]{2}$": "two capital letters", "^[A-Z]{3}$": "three capital letters"})
_API_NAME: Final = "^[A-Za-z][A-Za-z0-9_]*("
_COUNTED: Final = frozenset({"API name", "text", "number", "whole number"})
_WIDEST: Final = 70


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a file: where it stands, which schema it has, and what the shipped files hold there."""

    model: str
    schema: Schema
    paths: tuple[str, ...]
    held: tuple[object, ...]

    @property
    def title(self) -> str:
        """Its heading."""
        return " and ".join(f"`{path}`" for path in self.paths) or "The file"


def parts(model: str, schema: Schema, definitions: Schema, shipped: object) -> list[Part]:
    """Give every part of a file, the whole first, each once however many places hold it."""
    found: dict[str, Part] = {}

    def visit(name: str, one: Schema, path: str, held: tuple[object, ...]) -> None:
        known = found.get(name)
        paths = (*(known.paths if known else ()), *([path] if path else []))
        found[name] = Part(name, one, paths, (*(known.held if known else ()), *held))
        if known:
            return
        for key, value in one["properties"].items():
            below = tuple(each[key] for each in held if isinstance(each, dict) and each.get(key) is not None)
            for inner, suffix, inside in _objects(value, definitions, below):
                visit(inner, definitions[inner], f"{path}.{key}{suffix}".lstrip("."), inside)

    visit(model, schema, "", (shipped,))
    return list(found.values())


def _objects(value: Schema, definitions: Schema, held: tuple[object, ...]) -> Iterator[tuple[str, str, tuple[object, ...]]]:
    """Give the models inside a key's value: name, how the path goes on, and what the shipped files hold there."""
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[1]
        if "properties" in definitions[name]:
            yield name, "", held
    for one in value.get("anyOf", ()):
        yield from _objects(one, definitions, held)
    if isinstance(value.get("items"), dict):
        items = tuple(one for each in held if isinstance(each, list) for one in each)
        yield from ((name, f"[]{suffix}", inside) for name, suffix, inside in _objects(value["items"], definitions, items))
    if isinstance(value.get("additionalProperties"), dict):
        named = tuple(one for each in held if isinstance(each, dict) for one in each.values())
        found = _objects(value["additionalProperties"], definitions, named)
        yield from ((name, f".<name>{suffix}", inside) for name, suffix, inside in found)


def kind(value: Schema, definitions: Schema, links: Mapping[str, str]) -> str:
    """Give the type of a value in plain words."""
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[1]
        return links[name] if name in links else kind(definitions[name], definitions, links)
    if "enum" in value or "const" in value:
        return "one of " + ", ".join(f"`{word}`" for word in value.get("enum", [value.get("const")]))
    if "anyOf" in value:
        words = [kind(one, definitions, links) for one in value["anyOf"] if one != {"type": "null"}]
        return "number" if words == ["number", "text"] else " or ".join(words)
    if value.get("type") == "array":
        of = kind(value["items"], definitions, links)
        return f"list of {of.removeprefix('one of ')}{'s' if of in _COUNTED else ''}"
    if value.get("type") == "object":
        return _of_object(value, definitions, links)
    return _plain(value)


def _of_object(value: Schema, definitions: Schema, links: Mapping[str, str]) -> str:
    if "properties" in value:
        return "[conditions by fact](#facts)"
    inside = value.get("additionalProperties")
    return f"name → {kind(inside, definitions, links)}" if isinstance(inside, dict) else "[conditions by fact](#facts)"


def _plain(value: Schema) -> str:
    """Give the type of a text, a number or a yes and no."""
    of = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true` or `false`"}[value["type"]]
    pattern = value.get("pattern", "")
    if pattern.startswith(_API_NAME):
        return "API name"
    low, high = value.get("minimum"), value.get("maximum")
    if low is None and high is None:
        return _PATTERNS.get(pattern, of)
    if low == high:
        return f"`{low}`"
    return f"{of}, {low} to {high}" if high is not None else f"{of}, from {low}"


def default(key: str, part: Part) -> str:
    """Give what holds where a key is left out."""
    if key in part.schema.get("required", ()):
        return "must be given"
    value = part.schema["properties"][key].get("default")
    if value is None or value in ("", [], {}):
        return "none"
    if isinstance(value, dict):
        given = {name: one for name, one in value.items() if one not in (None, [], {})}
        return _short(given) if given and len(_short(given)) <= _WIDEST and "…" not in _short(given) else "its own defaults"
    return _short(value)


def example(key: str, part: Part) -> object:
    """Give a value of this key: the first that is shipped, else one made for the page; None where there is none."""
    shipped = (one[key] for one in part.held if isinstance(one, dict) and one.get(key) not in (None, [], {}))
    return next(shipped, EXAMPLES.get((part.model, key)))


def _short(value: object) -> str:
    """Give a value as it is written in YAML on one line, the end of long ones left out."""
    cut = _cut(value)
    text = yaml.safe_dump(cut, default_flow_style=True, allow_unicode=True, width=10_000, sort_keys=False).strip().removesuffix("\n...")
    if cut != value:
        text = f"{text[:-1]}, …{text[-1]}"
    return f"`{text}`"


def _cut(value: Any) -> object:  # noqa: ANN401 - whatever YAML holds
    """Give as much of a list or of names as fits a line."""
    if isinstance(value, list):
        return next((value[:size] for size in range(len(value), 1, -1) if len(str(value[:size])) <= _WIDEST), value[:1])
    if isinstance(value, dict):
        names = list(value)
        sizes = range(len(names), 1, -1)
        kept = ({name: value[name] for name in names[:size]} for size in sizes)
        return next((one for one in kept if len(str(one)) <= _WIDEST), {name: value[name] for name in names[:1]})
    return value


def _slug(title: str) -> str:
    """Give a heading's anchor as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def links_to(found: Sequence[Part]) -> dict[str, str]:
    """Give a link to each part, by its model."""
    return {part.model: f"[part](#{_slug(part.title)})" for part in found if part.paths}


def tables(found: Sequence[Part], definitions: Schema, links: Mapping[str, str], level: str) -> Iterator[str]:
    """Give the lines of parts: a heading and a table each."""
    for part in found:
        if part.paths:
            yield from ("", f"{level} {part.title}", "", part.schema["description"])
        yield from ("", "| key | meaning | type | default | example |", "|---|---|---|---|---|")
        for key, value in part.schema["properties"].items():
            of = kind(value, definitions, links)
            given = example(key, part)
            shown = "" if given is None or "[part](" in of else _short(given)
            cells = (f"`{key}`", value["description"].replace("``", "`"), of, default(key, part), shown)
            yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _shipped(name: str) -> object:
    return read(SHIPPED / name).data


def _page(lines: Iterator[str]) -> str:
    """Give the text of a page, never with two empty lines."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


_MADE = "Made from the models that read the file, by `make schemas`; not edited by hand."


def mapping_page() -> str:
    """Give ``docs/mapping-reference.md``."""

    def lines() -> Iterator[str]:
        yield "# The mapping: every key"
        yield ""
        yield "`mappings/<name>.yaml` says which objects and fields of the org hold what Dunwell works with. Copy the folder `mappings/`, point"
        yield "`DUNWELL_MAPPINGS_DIR` at the copy, name the mapping in `DUNWELL_MAPPING`. `dunwell check --offline` tells every unknown key and"
        yield "impossible value with its line; `dunwell check` compares the names with the org. An *API name* is the name of a field or object as"
        yield f"Setup shows it, `__c` included, or a path such as `Owner.Name`. {_MADE}"
        schema = schemas.mapping()
        definitions = schema["$defs"]
        yield from ("", f"A file may extend another: `{EXTENDS}: findock`. {schema['then']['properties'][EXTENDS]['description']}")
        yield f"`null` takes away what the other says; {' and '.join(f'`{key}`' for key in OWN)} are each file's own."
        found = parts("Mapping", schema["else"], definitions, _shipped("findock.yaml"))
        yield from tables(found, definitions, links_to(found), "##")

    return _page(lines())


def policy_page() -> str:
    """Give ``docs/policy-reference.md``."""

    def lines() -> Iterator[str]:
        yield "# The policy: every key"
        yield ""
        yield "`mappings/policies/<name>.yaml` says what follows from what. [policies.md](policies.md) explains it by example; `dunwell check"
        yield f"--offline` tells every fault with its line. {_MADE}"
        schema = schemas.policy()
        definitions = schema["$defs"]
        yield from ("", "## A whole policy")
        whole = parts("PolicyFile", schema["else"], definitions, _shipped("policies/default.yaml"))
        links = links_to(whole)
        yield from tables(whole, definitions, links, "###")
        yield from ("", "## A variant", "", schema["then"]["description"])
        yield from tables(parts("VariantFile", schema["then"], definitions, None)[:1], definitions, links, "###")
        yield from _facts()

    return _page(lines())


def _facts() -> Iterator[str]:
    """Give what conditions may ask about, and how they are written."""
    yield from (
        "",
        "## Facts",
        "",
        "A condition names a fact and what it must be: a word or a list of words (`disputed`, `[refused, none]`), a",
    )
    yield 'comparison (`">= 4"`), an interval (`"[1..3]"`), `not(...)`, `null` (not known) or `-` (anything). All conditions of a row must hold.'
    yield "What is not known meets no comparison and no `not(...)`."
    yield from ("", "| fact | meaning | kind |", "|---|---|---|")
    for fact in FACTS.values():
        words = ", ".join(f"`{word}`" for word in fact.words) if fact.words else str(fact.kind.value)
        yield f"| `{fact.name}` | {fact.meaning} | {words} |"


PAGES: Final[Mapping[str, Callable[[], str]]] = MappingProxyType({"mapping-reference": mapping_page, "policy-reference": policy_page})
"""Name → the function that makes it; ``docs/<name>.md`` is its text."""
