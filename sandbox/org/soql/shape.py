"""The shape of an answer: which SQL column goes where in a record, parents nested, attributes added.

Must not build SQL. Source: REST API Developer Guide, "Query"; polymorphic parents carry the type "Name", as recorded.
Invariant: a parent that is empty or hidden is null, never an object of nulls.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.org.schema import Schema
from sandbox.org.types import Record
from sandbox.org.values import Shower, Stored


def record_url(api_version: str, sobject: str, record_id: str) -> str:
    """Give the path of a record in the REST API."""
    return f"/services/data/v{api_version}/sobjects/{sobject}/{record_id}"


@dataclass(slots=True)
class Node:
    """One record of the answer: the columns it shows and its parents. `sobject` None = any object, told by the id."""

    sobject: str | None
    id_index: int
    leaves: list[tuple[str, int, Shower]] = field(default_factory=list)
    parents: dict[str, "Node"] = field(default_factory=dict)
    arms: dict[str, list[tuple[str, int, Shower]]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)


class Shaper:
    """Turns rows into records."""

    def __init__(self, schema: Schema, api_version: str) -> None:
        self._schema = schema
        self._version = api_version

    def record(self, node: Node, row: Sequence[Stored]) -> Record | None:
        """Build a record from a row; None when the row has none at this place."""
        record_id = row[node.id_index]
        if record_id is None:
            return None
        sobject = node.sobject or self._object_of(str(record_id))
        shown = "Name" if node.sobject is None and not node.arms else sobject
        found: Record = {"attributes": {"type": shown, "url": record_url(self._version, sobject, str(record_id))}}
        for key, index, show in node.arms.get(sobject, node.leaves) if node.arms else node.leaves:
            found[key] = show(row[index])
        for key, parent in node.parents.items():
            found[key] = self.record(parent, row)
        return found

    def _object_of(self, record_id: str) -> str:
        one = self._schema.of_id(record_id)
        return one.name if one else "Name"
