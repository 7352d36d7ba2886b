"""SQL with a formula type, and what functions and operators share.

Must not know the functions or the compiler: both build on this. Blank texts are empty; `raw` keeps nulls for ISBLANK.
Source: Salesforce Help, "How Blanks are Handled in Formulas". Invariant: every piece of a compiled formula is one of these.
"""

from dataclasses import dataclass
from typing import Protocol

from sandbox.org.formula.syntax import Node
from sandbox.org.sql.scope import Scope


@dataclass(frozen=True, slots=True)
class Typed:
    """SQL and what it is: text, number, boolean, date, datetime or blank. `raw` keeps nulls for ISBLANK."""

    sql: str
    kind: str
    raw: str = ""

    @property
    def unblanked(self) -> str:
        """The SQL before blanks were replaced."""
        return self.raw or self.sql


class Compiles(Protocol):
    """What a function needs of the compiler: the table it compiles over, and the SQL of an argument."""

    scope: Scope

    def compile(self, node: Node) -> Typed:
        """Give the SQL of a node."""
        ...


def is_blank(value: Typed) -> str:
    """Give the SQL that tells whether a value is blank."""
    if value.kind == "blank":
        return "1"
    return f"(COALESCE({value.unblanked}, '') = '')" if value.kind == "text" else f"({value.unblanked} IS NULL)"


def as_text(value: Typed) -> str:
    """Give the SQL of a value as text: numbers without trailing zeros, blanks empty."""
    if value.kind == "text":
        return value.sql
    if value.kind == "number":
        return f"COALESCE(number_text({value.unblanked}), '')"
    if value.kind == "boolean":
        return f"CASE WHEN {value.sql} THEN 'true' ELSE 'false' END"
    if value.kind == "datetime":
        return f"COALESCE(replace(substr({value.sql}, 1, 19), 'T', ' ') || 'Z', '')"
    return f"COALESCE({value.sql}, '')"
