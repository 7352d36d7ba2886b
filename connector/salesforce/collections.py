"""Many records in one write: how rows are cut into collections, and which outcome belongs to which row.

Must not send. Invariants: no collection has more than 200 rows or 10 runs of one type (salesforce.md C.6); outcomes
come back in the order in which the rows were given.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connector.salesforce.calls import MalformedReplyError
from connector.salesforce.composite import Answer, Part
from connector.salesforce.failures import problems_in
from connector.salesforce.saved import Saved, refused, saved_from

ROWS = 200
TYPES = 10


@dataclass(frozen=True, slots=True)
class Row:
    """One record to write; ``place`` is where its outcome belongs, ``id`` is None for an insert."""

    place: int
    sobject: str
    id: str | None
    values: Mapping[str, object]

    @property
    def body(self) -> dict[str, object]:
        """As a collection wants it."""
        named = {"attributes": {"type": self.sobject}}
        return {**named, **self.values} if self.id is None else {**named, "id": self.id, **self.values}


@dataclass(frozen=True, slots=True)
class Collection:
    """Rows that travel together: all inserts, or all updates."""

    rows: tuple[Row, ...]

    @property
    def part(self) -> Part:
        """The request that writes them; each row stands or falls alone."""
        method = "POST" if self.rows[0].id is None else "PATCH"
        return Part("composite/sobjects", method, {"allOrNone": False, "records": [row.body for row in self.rows]})


def collections_of(rows: Sequence[Row]) -> list[Collection]:
    """Inserts before updates; types in the order they first appear, the rows of a type in the order given."""
    return [Collection(chunk) for kind in (False, True) for chunk in _chunks([row for row in rows if (row.id is not None) is kind])]


def _chunks(rows: Sequence[Row]) -> Iterator[tuple[Row, ...]]:
    by_type: dict[str, list[Row]] = {}
    for row in rows:
        by_type.setdefault(row.sobject, []).append(row)
    chunk: list[Row] = []
    for row in (row for same in by_type.values() for row in same):
        if len(chunk) == ROWS or (row.sobject != (chunk[-1].sobject if chunk else None) and len({held.sobject for held in chunk}) == TYPES):
            yield tuple(chunk)
            chunk = []
        chunk.append(row)
    if chunk:
        yield tuple(chunk)


def outcomes(collection: Collection, answer: Answer) -> list[Saved | None]:
    """One per row, in their order; None where the org itself failed and the outcome is unknown. Raises MalformedReplyError.

    A collection refused whole gives each of its rows that refusal.
    """
    if 200 <= answer.status < 300:
        return list(read_items(answer.body, len(collection.rows)))
    if answer.status in {500, 502, 504}:
        return [None] * len(collection.rows)
    problems = problems_in(answer.body)
    code, message = (
        (problems[0].code, problems[0].message) if problems else ("SERVER_UNAVAILABLE" if answer.status >= 420 else "UNKNOWN_EXCEPTION", "")
    )
    return [refused(code, message) for _ in collection.rows]


def read_items(body: object, count: int) -> list[Saved]:
    """The outcomes in a collections reply of ``count`` rows. Raises MalformedReplyError."""
    if not isinstance(body, list) or len(body) != count:
        raise MalformedReplyError("the outcomes do not match the rows sent")
    try:
        return [saved_from(item) for item in body]
    except (KeyError, TypeError, AttributeError) as error:
        raise MalformedReplyError("an outcome has no verdict") from error
