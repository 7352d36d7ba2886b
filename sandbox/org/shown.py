"""A row as events show it, each value worked out when it is looked at.

Must not change the row. Most rows written are looked at by nobody, or for one field; a trigger or a change event that wants
all of them gets them. Invariant: it has the names of the row in the row's order, and a null stays a null.
"""

from collections.abc import Iterator, Mapping

from sandbox.org.types import Json
from sandbox.org.values import Shower, Stored


class Shown(Mapping[str, Json]):
    """A row behind the functions that show its values; fields without one are shown as they are kept."""

    __slots__ = ("_row", "_showers")

    def __init__(self, row: Mapping[str, Stored], showers: Mapping[str, Shower]) -> None:
        self._row = row
        self._showers = showers

    def __getitem__(self, name: str) -> Json:
        value = self._row[name]
        return value if value is None or name not in self._showers else self._showers[name](value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._row)

    def __len__(self) -> int:
        return len(self._row)
