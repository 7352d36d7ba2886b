"""Many elements of a facts file assessed at once.

Must not let one element see another. Invariant: the Position of an element is the one it would have alone;
ids may repeat between elements, so each is given its own name space on the way in and loses it on the way out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from connector.core.facts import Facts
from connector.core.frames import snapshot
from connector.core.ledger import assess
from connector.core.lookup import Catalogue
from connector.core.model import Position
from connector.core.surroundings import runs_of

_JOINT = "\x1f"
_OWN_NAMES = frozenset({"payers", "installments", "payments", "holds"})
Rows = Mapping[str, Sequence[Mapping[str, object]]]


def positions(elements: Sequence[Facts], catalogue: Catalogue) -> list[Position]:
    """Position of each element, in their order; elements of one moment and time zone are assessed together."""
    together: dict[tuple[object, str], list[int]] = defaultdict(list)
    for at, one in enumerate(elements):
        together[one.now, one.time_zone].append(at)
    found: dict[int, Position] = {}
    for batch in together.values():
        first = elements[batch[0]]
        rows = _joined(_named(elements[at].rows, f"{at}{_JOINT}") for at in batch)
        assessed = assess(snapshot(rows), catalogue, first.now, first.time_zone)
        for at in batch:
            found[at] = _itself(assessed[f"{at}{_JOINT}{elements[at].payer}"], elements[at])
    return [found[at] for at in range(len(elements))]


def _named(rows: Rows, prefix: str) -> Rows:
    return {
        frame: [_renamed(row, prefix, ("id", "payer", "installment") if frame in _OWN_NAMES else ("payer", "installment")) for row in ones]
        for frame, ones in rows.items()
    }


def _renamed(row: Mapping[str, object], prefix: str, columns: Iterable[str]) -> Mapping[str, object]:
    return {**row, **{name: f"{prefix}{row[name]}" for name in columns if row.get(name) is not None}}


def _joined(parts: Iterable[Rows]) -> Rows:
    whole: dict[str, list[Mapping[str, object]]] = defaultdict(list)
    for part in parts:
        for frame, rows in part.items():
            whole[frame] += rows
    return whole


def _itself(position: Position, own: Facts) -> Position:
    """``position`` under the element's own names, with what is true of its world alone."""
    return replace(
        position,
        payer=replace(position.payer, id=own.payer),
        open_items=tuple(replace(one, id=_bare(one.id)) for one in position.open_items),
        settled=tuple(replace(one, id=_bare(one.id)) for one in position.settled),
        holds=tuple(
            replace(one, id=one.id and _bare(one.id), installments=tuple(_bare(name) for name in one.installments))
            for one in position.holds
        ),
        promises=tuple(replace(one, installment=one.installment and _bare(one.installment)) for one in position.promises),
        runs=runs_of(own.runs),
        return_ratio=MappingProxyType(dict(own.return_ratio)),
    )


def _bare(name: str) -> str:
    return name.split(_JOINT, 1)[1]
