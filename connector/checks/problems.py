"""One problem as an admin reads it: where, what is wrong, what to do.

Must not find any. Invariant: one line; no secret, no record's content.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_CLOSE = 0.75
"""How alike two names must be (difflib's ratio) for one to be offered in place of the other."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something that an admin mends. ``where`` is a line of a file, a setting, or a name in the org."""

    where: str
    what: str
    do: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.do}"


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything a check has to say."""

    problems: tuple[Problem, ...] = ()
    doubts: tuple[Problem, ...] = ()
    """What may be right, and what the org does not tell."""
    looked_at: tuple[str, ...] = ()

    def __add__(self, other: "Findings") -> "Findings":
        return Findings(self.problems + other.problems, self.doubts + other.doubts, self.looked_at + other.looked_at)


@dataclass(slots=True)
class Finding:
    """Gathers findings while a rule runs."""

    problems: list[Problem] = field(default_factory=list)
    doubts: list[Problem] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)

    def wrong(self, where: str, what: str, do: str) -> None:
        """Take down a problem."""
        self.problems.append(Problem(where, what, do))

    def doubt(self, where: str, what: str, do: str) -> None:
        """Take down a doubt."""
        self.doubts.append(Problem(where, what, do))

    def done(self) -> Findings:
        """All that was found, each once, in the order it was found."""
        return Findings(tuple(dict.fromkeys(self.problems)), tuple(dict.fromkeys(self.doubts)), tuple(self.looked_at))


def meant(word: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant; endings and prefixes that all names share do not make two alike."""
    bare = {_bare(one): one for one in sorted(known) if one != word}
    close = difflib.get_close_matches(_bare(word), bare, n=1, cutoff=_CLOSE)
    return bare[close[0]] if close else None


def _bare(name: str) -> str:
    """A name in lower case, without its package's prefix and without ``__c``."""
    parts = [part for part in name.lower().split("__") if part not in {"c", "r", "e"}]
    return parts[-1] if parts else name.lower()


def listed(names: Sequence[str], most: int = 8) -> str:
    """Names for a sentence, the rest counted."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
