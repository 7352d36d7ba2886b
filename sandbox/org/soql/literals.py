"""Plain string literals lifted out of a statement, so that statements that differ in them alone share one plan.

Must not parse. Only literals whose compilation cannot depend on them are lifted: not empty, plain ASCII, no escapes, no unit of
distance, not in INCLUDES and EXCLUDES; a list of them counts as one. The rest stays in the key.
Invariant: statements of one key have the same tree but for the lifted texts.
"""

import re
from dataclasses import dataclass

_PLAIN = r"'(?!(?i:km|mi)')[ !#-&(-\[\]-~]+'"
_ANY = r"'(?:[^'\\]|\\.)*'"
_KEPT = rf"(?i:in|ex)(?i:cludes)\s*\((?:[^()']|{_ANY})*\)"
_LITERAL = re.compile(rf"{_KEPT}|\(\s*{_PLAIN}(?:\s*,\s*{_PLAIN})*\s*\)|{_ANY}", re.DOTALL)
_ONE = re.compile(_PLAIN)
_MARK = "\0"


@dataclass(frozen=True, slots=True)
class Lifted:
    """A statement without its plain literals: `texts` hold them in order, `slots` say which begins where."""

    key: str
    texts: tuple[tuple[str, ...], ...]
    slots: tuple[int, ...]

    def slot(self, at: int) -> int | None:
        """Tell which lifted literal, or list of them, begins at a place of the statement."""
        return self.slots.index(at) if at in self.slots else None


def lift(soql: str) -> Lifted:
    """Lift the plain literals out of a statement. One that holds the mark itself is left as it is."""
    if _MARK in soql:
        return Lifted(f"{_MARK}{soql}", (), ())
    texts: list[tuple[str, ...]] = []
    slots: list[int] = []

    def one(match: re.Match[str]) -> str:
        found = match.group()
        if found[0] == "(":
            texts.append(tuple(each[1:-1] for each in _ONE.findall(found)))
            mark = f"({_MARK})"
        elif _ONE.fullmatch(found):
            texts.append((found[1:-1],))
            mark = _MARK
        else:
            return found
        slots.append(match.start())
        return mark

    return Lifted(_LITERAL.sub(one, soql), tuple(texts), tuple(slots))
