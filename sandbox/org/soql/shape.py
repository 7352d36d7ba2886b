"""The shape of an answer: which SQL column goes where in a record, parents nested, attributes added.

Must not build SQL. A node is compiled once into a function from a row to a record. Source: REST API Developer Guide, "Query";
polymorphic parents carry the type "Name", as recorded. Invariant: a parent that is empty or hidden is null, never an object
of nulls, and the keys come in the order of the SELECT list.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sandbox.org.schema import Schema
from sandbox.org.types import Json, Record
from sandbox.org.values import Shower, Stored

Row = Sequence[Stored]
MakeRecord = Callable[[Row], Record | None]


def record_url(api_version: str, sobject: str, record_id: str) -> str:
    """Give the path of a record in the REST API."""
    return f"/services/data/v{api_version}/sobjects/{sobject}/{record_id}"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A column shown: where it stands in the row, and what turns the kept value into the shown one (None = nothing to do)."""

    index: int
    show: Shower | None


@dataclass(slots=True)
class Node:
    """One record of the answer. `sobject` None = any object, told by the id at `id_index`.

    shown: what stands under each key, in order. arms: for TYPEOF, the nodes of the objects named; `other` False = without ELSE.
    """

    sobject: str | None
    id_index: int
    shown: dict[str, "Leaf | Node"] = field(default_factory=dict)
    arms: dict[str, "Node"] = field(default_factory=dict)
    other: bool = True


class Shaper:
    """Makes the functions that turn rows into records, for one schema and API version."""

    def __init__(self, schema: Schema, api_version: str) -> None:
        self._schema = schema
        self._version = api_version

    def maker(self, node: Node) -> MakeRecord:
        """Compile a node. The function gives None for a row that has no record at this place."""
        if node.arms:
            return self._by_type(node)
        if node.sobject is None:
            return self._by_id(node)
        return self._plain(node, node.sobject)

    def _plain(self, node: Node, sobject: str) -> MakeRecord:
        id_index, prefix = node.id_index, record_url(self._version, sobject, "")
        keys = ("attributes", *node.shown)
        places = tuple(each.index if isinstance(each, Leaf) else each.id_index for each in node.shown.values())
        shows = [(key, each.show) for key, each in node.shown.items() if isinstance(each, Leaf) and each.show is not None]
        parents = [(key, self.maker(each)) for key, each in node.shown.items() if isinstance(each, Node)]

        def make(row: Row) -> Record | None:
            record_id = row[id_index]
            if record_id is None:
                return None
            attributes = {"type": sobject, "url": f"{prefix}{record_id}"}
            record: Record = dict(zip(keys, (attributes, *[row[place] for place in places]), strict=True))
            for key, show in shows:
                record[key] = show(record[key])
            for key, parent in parents:
                record[key] = parent(row)
            return record

        return make

    def _by_id(self, node: Node) -> MakeRecord:
        leaves = [(key, self._value(each)) for key, each in node.shown.items()]

        def make(row: Row) -> Record | None:
            record_id = row[node.id_index]
            if record_id is None:
                return None
            url = record_url(self._version, self._object_of(str(record_id)), str(record_id))
            return {"attributes": {"type": "Name", "url": url}, **{key: value(row) for key, value in leaves}}

        return make

    def _value(self, given: "Leaf | Node") -> Callable[[Row], Json]:
        if isinstance(given, Node):
            return self.maker(given)
        index, show = given.index, given.show
        return (lambda row: row[index]) if show is None else (lambda row: show(row[index]))

    def _by_type(self, node: Node) -> MakeRecord:
        arms = {name: self._plain(arm, name) for name, arm in node.arms.items()}
        rest = Node(None, node.id_index, node.shown)

        def make(row: Row) -> Record | None:
            record_id = row[node.id_index]
            sobject = self._object_of(str(record_id)) if record_id is not None else ""
            arm = arms.get(sobject)
            if arm is not None:
                return arm(row)
            return self._plain(rest, sobject)(row) if record_id is not None and node.other else None

        return make

    def _object_of(self, record_id: str) -> str:
        one = self._schema.of_id(record_id)
        return one.name if one else "Name"
