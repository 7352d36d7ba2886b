"""Refusals that point at a place of a statement, as the platform words them.

Must not know the grammar. The platform echoes thirty characters before and after the place, widened to whole words (white space
and commas end a word), a caret below it, and the one-based row and column. Source: answers recorded in public issue trackers
(salesforcecli, soql-tooling, restforce) all agree on that window. Invariant: the caret stands under the place.
"""

from sandbox.org.errors import OrgError

_AROUND = 30
_WORD_ENDS = frozenset(" \t\r\n,")


def refuse(soql: str, at: int, message: str, code: str = "MALFORMED_QUERY") -> OrgError:
    """Make the error for a place in a statement, with the line, a caret, row and column."""
    first = soql.rfind("\n", 0, at) + 1
    end_of_line = soql.find("\n", at)
    last = end_of_line if end_of_line >= 0 else len(soql)
    start = max(first, at - _AROUND)
    while start > first and soql[start - 1] not in _WORD_ENDS:
        start -= 1
    end = min(last, at + 1 + _AROUND)
    while end < last and soql[end] not in _WORD_ENDS:
        end += 1
    row = soql.count("\n", 0, at) + 1
    return OrgError(400, code, f"\n{soql[start:end]}\n{' ' * (at - start)}^\nERROR at Row:{row}:Column:{at - first + 1}\n{message}")


def malformed(message: str) -> OrgError:
    """Make the error for a statement as a whole, which shows no place."""
    return OrgError(400, "MALFORMED_QUERY", message)
