"""One SELECT in the making: tables, their joins, its parameters, and the SQL of any field path.

Must not know SOQL's syntax. Lookups become LEFT JOINs, each path joined once. Formula and roll-up fields become
expressions. Invariant: a join used for what the user asked hides what the user may not see; a join inside a formula does
not, because formulas see everything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from zoneinfo import ZoneInfo

from sandbox.org.access import Rights
from sandbox.org.schema import COMPOUND_TYPES, Field, ObjectType, Schema
from sandbox.org.sql.compound import compound_sql
from sandbox.org.storage import quoted
from sandbox.org.values import stamp

Calculate = Callable[["Scope", Field], "Column"]
Deferred = Callable[[Sequence[tuple[str, ...]]], object]
NOW = "now"


@dataclass(slots=True)
class Statement:
    """What all tables of one statement share: schema, the reader's rights, the time, and the parameters so far.

    calculate: gives the SQL of formula and roll-up fields. The SQL holds for a day; the moment is the parameter NOW.
    root: what the REST addresses of records begin with; bytes are shown as the address where they can be had.
    deferred: parameters known only when the statement is run, each made from the texts lifted out of it.
    """

    schema: Schema
    rights: Rights
    now: datetime
    time_zone: str
    calculate: Calculate
    root: str = ""
    parameters: dict[str, object] = field(default_factory=dict)
    deferred: dict[str, Deferred] = field(default_factory=dict)
    numbers: "count[int]" = field(default_factory=count)

    def parameter(self, value: object) -> str:
        """Pass a value in; return its place holder."""
        name = f"p{next(self.numbers)}"
        self.parameters[name] = value
        return f":{name}"

    def later(self, make: Deferred) -> str:
        """Pass in a value that is made when the statement is run; return its place holder."""
        name = f"p{next(self.numbers)}"
        self.deferred[name] = make
        return f":{name}"

    @property
    def today(self) -> str:
        """The date in the org's time zone."""
        return self.now.astimezone(ZoneInfo(self.time_zone)).date().isoformat()

    @property
    def moment(self) -> str:
        """The place holder of the present moment in the kept form."""
        self.parameters[NOW] = stamp(self.now)
        return f":{NOW}"


@dataclass(frozen=True, slots=True)
class Column:
    """The SQL of a value: `field` where it is a field's, `kind` its describe type, `plain` for a bare table column."""

    sql: str
    kind: str
    field: Field | None = None
    plain: bool = False
    scale: int = 2


class Scope:
    """One table of a statement: the FROM object, or a parent reached through a lookup."""

    def __init__(self, statement: Statement, one: ObjectType, root: "Scope | None" = None) -> None:
        self.statement = statement
        self.object = one
        self.alias = f"t{next(statement.numbers)}"
        self.root: Scope = root or self
        self.joins: list[str] = []
        self._parents: dict[tuple[str, str, bool], Scope] = {}
        self._compiling: tuple[str, ...] = ()

    def plain(self, name: str) -> str:
        """Give the SQL of a stored column of this table."""
        return f"{self.alias}.{quoted(name)}"

    def parent(self, lookup: Field, target: ObjectType, *, open_: bool = False) -> "Scope":
        """Join the record a lookup points at. `open_`: see it whatever the user's rights (formulas)."""
        key = (lookup.name, target.name, open_)
        found = self._parents.get(key)
        if found is None:
            found = self._parents[key] = Scope(self.statement, target, self.root)
            found._compiling = self._compiling
            on = f"{found.plain('Id')} = {self.plain(lookup.name)}"
            hidden = "" if open_ else self.statement.rights.row_filter(target, found.alias)
            self.root.joins.append(f" LEFT JOIN {quoted(target.name)} {found.alias} ON {on}{' AND ' + hidden if hidden else ''}")
        return found

    def column(self, one: Field) -> Column:
        """Give the SQL of a field of this table, calculated ones included."""
        if one.calculated:
            return self.statement.calculate(self, one)
        if one.type in COMPOUND_TYPES:
            return Column(compound_sql(self.alias, self.object, one), one.type, one)
        if one.type == "base64":
            address = f"'{self.statement.root}/sobjects/{self.object.name}/' || {self.plain('Id')} || '/{one.name}'"
            return Column(f"CASE WHEN {self.plain(one.name)} IS NOT NULL THEN {address} END", one.type, one)
        return Column(self.plain(one.name), one.type, one, plain=True, scale=one.scale)

    def entering(self, one: Field) -> bool:
        """Note that a formula is being compiled; False when it already is, further up."""
        name = f"{self.object.name}.{one.name}"
        if name in self._compiling or len(self._compiling) > 10:
            return False
        self._compiling = (*self._compiling, name)
        return True

    def leaving(self) -> None:
        """Note that the formula entered last is done."""
        self._compiling = self._compiling[:-1]

    def source(self) -> str:
        """Give the FROM clause with all joins made so far."""
        return f"{quoted(self.object.name)} {self.alias}{''.join(self.joins)}"
