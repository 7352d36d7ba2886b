"""Where a problem is: the line of the mapping that causes it, else the name in the org.

Must not judge. Invariant: the same cause is always told at the same place.
"""

from dataclasses import dataclass

from connector.mapping.source import Location, Source


@dataclass(frozen=True, slots=True)
class Places:
    """Lines of one mapping, its presets included."""

    source: Source

    def of(self, location: Location | None, name: str) -> str:
        """``mappings/findock.yaml:37``, or ``name`` for what no line of the mapping causes."""
        return name if location is None else str(self.source.place(location))
