"""``/composite/graph``: several composites in one call, each all or nothing by itself.

It counts and rolls back; ``subrequests`` carries out. Its invariant: a graph leaves either all its records or none, whatever
becomes of the other graphs.

Source: the REST API guide, Composite Graph and Using Composite Graphs (75 graphs, 500 nodes together, depth 15, 15 kinds of
node, sObject rows alone, 50.0 and later, no references between graphs, processing halts when more than 14 graphs failed). The
words of the limits' refusals are not documented. Nodes run in their order; a node that uses a later one is halted.
"""

import re

from sandbox.http.platform import Platform
from sandbox.http.references import References, named
from sandbox.http.subrequests import Handle, RolledBackError, Subrequest, carry_out, fine, halted, read, target
from sandbox.http.wire import Call, JsonObject, Reply, as_list, as_object, error, only
from sandbox.org.errors import OrgError

MOST_GRAPHS = 75
MOST_NODES = 500
MOST_KINDS = 15
MOST_FAILED = 14
DEEPEST = 15
FIRST_VERSION = 50.0
_GRAPH_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_]*$")
_METHODS = {3: ("DELETE", "GET", "PATCH"), 4: ("DELETE", "GET", "PATCH", "POST"), 2: ("POST", "GET")}


def graph(platform: Platform, call: Call, handle: Handle) -> Reply:
    """Answer ``POST /composite/graph``; ``handle`` carries out one node."""
    if refusal := only(call, "POST"):
        return refusal
    graphs = _read(call)
    failed = 0
    answers: list[JsonObject] = []
    for graph_id, nodes in graphs:
        platform.usage.counts["subrequests"] += len(nodes)
        results = [halted(node.reference) for node in nodes] if failed > MOST_FAILED else _one(platform, call, nodes, handle)
        good = all(fine(one) for one in results)
        failed += not good
        answers.append({"graphId": graph_id, "graphResponse": {"compositeResponse": results}, "isSuccessful": good})
    return Reply(200, {"graphs": answers})


def _one(platform: Platform, call: Call, nodes: list[Subrequest], handle: Handle) -> list[JsonObject]:
    results: list[JsonObject] = []
    references = References(call.version)
    try:
        with platform.org.transaction():
            for node in nodes:
                results.append(carry_out(call, node, references, lambda inner: _within(inner, handle)))
                _insist(fine(results[-1]))
    except RolledBackError:
        culprit = results[-1]
        return [culprit if node.reference == culprit["referenceId"] else halted(node.reference) for node in nodes]
    return results


def _insist(good: bool) -> None:
    if not good:
        raise RolledBackError


def _within(inner: Call, handle: Handle) -> Reply:
    allowed = _METHODS.get(len(inner.parts), ())
    if inner.parts[:1] != ("sobjects",) or float(inner.version) < FIRST_VERSION:
        return error(400, "INVALID_INPUT", f"The resource /{'/'.join(inner.parts)} is not supported in a composite graph")
    return only(inner, *allowed) or handle(inner)


def _read(call: Call) -> list[tuple[str, list[Subrequest]]]:
    if float(call.version) < FIRST_VERSION:
        raise OrgError(404, "NOT_FOUND", "The requested resource does not exist")
    entries = [as_object(entry) for entry in as_list(as_object(call.body).get("graphs"), "graphs")]
    graphs = [(str(entry.get("graphId", "")), read(entry.get("compositeRequest"), "compositeRequest")) for entry in entries]
    ids = [graph_id for graph_id, _ in graphs]
    if not all(map(_GRAPH_ID.match, ids)) or len({*ids}) < len(ids):
        raise OrgError(400, "INVALID_INPUT", "Each graph must have a graphId of its own, of letters, numbers and underscores")
    nodes = [node for _, graph_nodes in graphs for node in graph_nodes]
    kinds = {(found[0], found[1][1].lower()) for found in (target(node.url) for node in nodes) if found and len(found[1]) > 1}
    for count, most, what in (
        (len(graphs), MOST_GRAPHS, "graphs"),
        (len(nodes), MOST_NODES, "nodes"),
        (len(kinds), MOST_KINDS, "different nodes"),
        (max((_depth(one) for _, one in graphs), default=0), DEEPEST, "levels"),
    ):
        if count > most:
            raise OrgError(400, "LIMIT_EXCEEDED", f"The request can't contain more than {most} {what}.")
    return graphs


def _depth(nodes: list[Subrequest]) -> int:
    depths: dict[str, int] = {}
    for node in nodes:
        depths[node.reference] = 1 + max((depths.get(ref, 0) for ref in named([node.url, node.body])), default=0)
    return max(depths.values(), default=0)
