"""A policy's table as a decision model of GoRules (JDM), translated cell by cell, and the facts it asks about.

Must not judge. Invariant: hit policy first, the same rows in the same order, one column for each fact that any row tests; a
cell that has no translation is an error, never left out. In front stands one row for payers with nothing open, which
Dunwell does not bring to a table at all: so both can leave them early.
"""

import json
import re
from collections.abc import Iterable, Mapping
from enum import Enum

from connector.core.conditions import FactKind
from connector.core.policy import FACTS, Policy

NOTHING_OPEN = "nothing open"
_OPEN = "open_installments"
_COMPARISON = re.compile(r"^(<=|>=|<|>|!=|=) ?(-?[\d.]+)$")
_INTERVAL = re.compile(r"^\[(-?[\d.]+)\.\.(-?[\d.]+)\]$")
_NOT = re.compile(r"^not\((.+)\)$")


def columns(policy: Policy) -> tuple[str, ...]:
    """The facts that any row asks about."""
    return tuple(dict.fromkeys([_OPEN, *(name for row in policy.rows for name, _ in row.when)]))


def model(policy: Policy) -> str:
    """The table of ``policy`` as JDM. Raises ValueError for a policy with variants, or with a cell that has no translation."""
    if policy.variants:
        raise ValueError("a policy with variants is more than one table")
    rules = [{"_id": NOTHING_OPEN, _OPEN: "<= 0", "row": json.dumps(NOTHING_OPEN)}]
    for at, row in enumerate(policy.rows):
        cells = {name: _cell(condition.text, FACTS[name].kind) for name, condition in row.when}
        rules.append({"_id": f"{at}", **cells, "row": json.dumps(row.name)})
    inputs = [{"id": name, "name": name, "field": name} for name in columns(policy)]
    table = {"hitPolicy": "first", "inputs": inputs, "outputs": [{"id": "row", "name": "row", "field": "row"}], "rules": rules}
    nodes = [
        {"id": "in", "type": "inputNode", "name": "facts", "position": {"x": 0, "y": 0}},
        {"id": "table", "type": "decisionTableNode", "name": policy.name, "position": {"x": 1, "y": 0}, "content": table},
        {"id": "out", "type": "outputNode", "name": "row", "position": {"x": 2, "y": 0}},
    ]
    edges = [{"id": f"{a}-{b}", "sourceId": a, "targetId": b, "type": "edge"} for a, b in (("in", "table"), ("table", "out"))]
    return json.dumps({"contentType": "application/vnd.gorules.decision", "nodes": nodes, "edges": edges})


def context(facts: Mapping[str, object], wanted: Iterable[str]) -> dict[str, object]:
    """The facts the table asks about, as plain values."""
    return {name: value.value if isinstance(value, Enum) else value for name in wanted for value in (facts[name],)}


def _cell(text: str, kind: FactKind) -> str:
    negated = _NOT.match(text)
    if negated:
        return f"$ != null and not ($ in [{', '.join(_value(part, kind) for part in negated[1].split(','))}])"
    interval = _INTERVAL.match(text)
    if interval and kind is FactKind.NUMBER:
        return f"[{interval[1]}..{interval[2]}]"
    if kind is FactKind.NUMBER:
        comparison = _COMPARISON.match(text)
        if comparison is None:
            raise ValueError(f"no translation of '{text}'")
        return f"{comparison[1].replace('!=', '$ !=')} {comparison[2]}"
    return ", ".join(_value(part, kind) for part in text.split(","))


def _value(text: str, kind: FactKind) -> str:
    word = text.strip()
    if kind is FactKind.FLAG:
        return {"yes": "true", "no": "false"}[word]
    if kind is not FactKind.WORD or word in ("-", "null"):
        raise ValueError(f"no translation of '{word}'")
    return json.dumps(word)
