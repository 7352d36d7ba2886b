"""The syntax tree of a SOQL statement.

Must not hold behaviour. `at` is the offset of a piece in the statement, for error texts.
Invariant: a tree says exactly what was written, without knowing whether the names exist.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Path:
    """A field path: `Account.Owner.Name`."""

    steps: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function of fields and literals; the name in upper case."""

    name: str
    arguments: tuple["Operand | Value", ...]
    at: int


Operand = Path | Call


@dataclass(frozen=True, slots=True)
class Value:
    """A literal. `kind`: string, number, money (with a currency's code), date, datetime, boolean, null or range (LAST_N_DAYS:3).

    pattern: a string as LIKE reads it, where it differs from the text: with a backslash before what stands for itself.
    """

    kind: str
    text: str
    at: int
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A column of the SELECT list, with its alias if it has one."""

    operand: Operand
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class TypeOf:
    """TYPEOF: the fields to read for each type a polymorphic lookup may point at; `other` None = no ELSE."""

    lookup: Path
    arms: tuple[tuple[Path, tuple[Path, ...]], ...]
    other: tuple[Path, ...] | None


@dataclass(frozen=True, slots=True)
class ChildQuery:
    """A subquery over child records in the SELECT list."""

    query: "Query"


@dataclass(frozen=True, slots=True)
class Compare:
    """`operand operator value`; the operator may be LIKE."""

    operand: Operand
    operator: str
    value: Value
    at: int


@dataclass(frozen=True, slots=True)
class InList:
    """`operand IN (values)`; operator IN, NOT IN, INCLUDES or EXCLUDES. `at` is where the list begins."""

    operand: Operand
    operator: str
    values: tuple[Value, ...]
    at: int


@dataclass(frozen=True, slots=True)
class InQuery:
    """`operand IN (SELECT ...)`; operator IN or NOT IN, or one that takes no query."""

    operand: Operand
    operator: str
    query: "Query"


@dataclass(frozen=True, slots=True)
class Not:
    """A negated condition."""

    condition: "Condition"


@dataclass(frozen=True, slots=True)
class Joined:
    """Conditions joined by AND or OR."""

    word: str
    conditions: tuple["Condition", ...]


Condition = Compare | InList | InQuery | Not | Joined


@dataclass(frozen=True, slots=True)
class Order:
    """One ORDER BY column. `nulls_last` None = the default (first)."""

    operand: Operand
    descending: bool
    nulls_last: bool | None


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT statement. aliases: further names the FROM clause gives, each to a path; refused: what is read but not done.

    viewed: FOR VIEW or FOR REFERENCE, the rows are to be remembered as looked at.
    """

    items: tuple[Item | ChildQuery | TypeOf, ...]
    source: Path
    alias: str | None = None
    aliases: tuple[tuple[str, Path], ...] = ()
    scope: str | None = None
    where: Condition | None = None
    group: tuple[Operand, ...] = ()
    having: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int | None = None
    refused: tuple[tuple[str, int], ...] = ()
    all_rows: bool = False
    viewed: bool = False
