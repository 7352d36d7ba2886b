"""``/composite/tree/{T}``: records and their children in one call, all saved or none.

It unfolds the trees; saving is the org's affair. Its invariant: a parent is saved before its children, and after any error
nothing is left.

Source: the REST API guide, sObject Tree: 200 records, five kinds, five levels, a ``referenceId`` for each record; levels are
saved one after the other, results come in that order; 201 with ids, or the errors alone. That an error answers 400 follows
from its place among the examples; the words of the limits' refusals are not documented.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sandbox.http import rows
from sandbox.http.platform import Platform
from sandbox.http.wire import Call, JsonObject, Reply, as_list, as_object, only
from sandbox.org.errors import OrgError, no_such_column, not_found
from sandbox.org.schema import ObjectType

MOST_RECORDS = 200
MOST_KINDS = 5
DEEPEST = 5


@dataclass(slots=True)
class _Node:
    """One record to be saved; ``parent`` and ``lookup`` say what it hangs on."""

    kind: ObjectType
    reference: str
    fields: JsonObject
    parent: "_Node | None" = None
    lookup: str = ""
    record_id: str = ""
    children: list["_Node"] = field(default_factory=list)


class _RolledBackError(Exception):
    """Leaves the transaction so that it is undone."""


def tree(platform: Platform, call: Call, sobject: str) -> Reply:
    """Answer ``POST /composite/tree/{T}``."""
    if refusal := only(call, "POST"):
        return refusal
    kind = platform.org.schema.get(sobject)
    if kind is None:
        raise not_found()
    roots = [_node(platform, kind, as_object(one), None, "") for one in as_list(as_object(call.body).get("records"), "records")]
    levels = [*_levels(roots)]
    nodes = [node for level in levels for node in level]
    if problems := _limits(levels, nodes):
        return _refused(problems)
    try:
        with platform.org.transaction():
            for level in levels:
                problems += [(node.reference, problem) for node in level if (problem := _save(platform, call, node))]
                _insist(not problems)
    except _RolledBackError:
        return _refused(problems)
    return Reply(201, {"hasErrors": False, "results": [{"referenceId": node.reference, "id": node.record_id} for node in nodes]})


def _insist(good: bool) -> None:
    if not good:
        raise _RolledBackError


def _refused(problems: list[tuple[str, OrgError]]) -> Reply:
    results = [{"referenceId": reference, "errors": [problem.as_saved()]} for reference, problem in problems]
    return Reply(400, {"hasErrors": True, "results": results})


def _node(platform: Platform, kind: ObjectType, body: JsonObject, parent: _Node | None, lookup: str) -> _Node:
    attributes = body.get("attributes")
    given = attributes if isinstance(attributes, dict) else {}
    if str(given.get("type", "")).lower() != kind.name.lower():
        raise OrgError(400, "INVALID_INPUT", f"The type of a record must be given, and be {kind.name} here")
    reference = str(given.get("referenceId", ""))
    if not reference[:1].isalnum():
        raise OrgError(400, "INVALID_INPUT", "Include a reference ID for each record in the request.")
    node = _Node(kind, reference, {}, parent, lookup)
    ends = {end.name.lower(): end for end in platform.org.schema.children.get(kind.name, ()) if end.name}
    for name, value in body.items():
        if isinstance(value, dict) and "records" in value:
            end = ends.get(name.lower())
            if end is None:
                raise no_such_column(name, kind.name)
            child = platform.org.schema.objects[end.child]
            inner = [as_object(one) for one in as_list(value["records"], name)]
            node.children += [_node(platform, child, one, node, end.field) for one in inner]
        elif name != "attributes":
            node.fields[name] = value
    return node


def _levels(roots: list[_Node]) -> Iterator[list[_Node]]:
    """The records level by level, those of one kind together, in their order."""
    level = roots
    while level:
        kinds = dict.fromkeys(node.kind.name for node in level)
        yield [node for name in kinds for node in level if node.kind.name == name]
        level = [child for node in level for child in node.children]


def _limits(levels: list[list[_Node]], nodes: list[_Node]) -> list[tuple[str, OrgError]]:
    for count, most, what in (
        (len(nodes), MOST_RECORDS, "records"),
        (len({node.kind.name for node in nodes}), MOST_KINDS, "types of records"),
        (len(levels), DEEPEST, "levels"),
    ):
        if count > most:
            return [(nodes[0].reference, OrgError(400, "LIMIT_EXCEEDED", f"The request can't contain more than {most} {what}."))]
    references = [node.reference for node in nodes]
    twice = [reference for reference in references if references.count(reference) > 1]
    return [
        (reference, OrgError(400, "INVALID_INPUT", f"Duplicate ReferenceId provided in the request: {reference}")) for reference in twice
    ]


def _save(platform: Platform, call: Call, node: _Node) -> OrgError | None:
    fields = {**node.fields, **({node.lookup: node.parent.record_id} if node.parent else {})}
    try:
        with platform.org.transaction():
            node.record_id = str(rows.create(platform, node.kind, fields, call.session)["id"])
    except OrgError as problem:
        return problem
    return None
