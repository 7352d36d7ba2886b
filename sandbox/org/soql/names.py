"""Field paths of a SOQL statement → columns, as far as the reader may see them.

Must not build conditions or lists. Wordings: recorded REST answers for INVALID_FIELD and INVALID_TYPE.
Invariant: a field the user may not read is refused in the same words as one that does not exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sandbox.org.errors import OrgError
from sandbox.org.schema import Field, ObjectType
from sandbox.org.soql.refusal import malformed, refuse
from sandbox.org.soql.syntax import Path
from sandbox.org.sql.scope import Column, Scope, Statement

_REFERENCE = "Please reference your WSDL or the describe call for the appropriate names."
MAX_LEVELS = 5
MAX_PARENTS = 55
NAME_FIELDS = frozenset(
    (
        "alias",
        "email",
        "firstname",
        "id",
        "isactive",
        "lastname",
        "middlename",
        "name",
        "phone",
        "profileid",
        "recordtypeid",
        "suffix",
        "title",
        "type",
        "username",
        "userroleid",
    )
)


@dataclass(frozen=True, slots=True)
class Found:
    """Where a path leads: the lookups on the way (canonical relationship names) and the column.

    lookups: the names of their fields. `scopes` are the tables passed, one a step; a polymorphic step has none.
    """

    steps: tuple[str, ...]
    name: str
    column: Column
    scopes: tuple[Scope, ...]
    polymorphic: "Polymorphic | None" = None
    lookups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Polymorphic:
    """A lookup to several objects: where its id stands, and one joined table for each target."""

    lookup: Field
    owner: Scope
    targets: tuple[Scope, ...]


class Names:
    """Finds what the paths of one query mean."""

    def __init__(self, statement: Statement, soql: str, aliases: Sequence[tuple[str, Path]] = ()) -> None:
        self.statement = statement
        self.soql = soql
        self._aliases = {name.lower(): path.steps for name, path in aliases}
        self._parents: set[str] = set()

    def object(self, path: Path) -> ObjectType:
        """Find the FROM object. Raises OrgError INVALID_TYPE."""
        name = path.steps[-1]
        found = self.statement.schema.get(name) if len(path.steps) == 1 else None
        if found is None or found.kind != "record" or not self.statement.rights.on(found).read:
            message = (
                f"sObject type '{'.'.join(path.steps)}' is not supported. If you are attempting to use a custom object, be sure to "
                f"append the '__c' after the entity name. {_REFERENCE}"
            )
            raise refuse(self.soql, path.at, message, "INVALID_TYPE")
        return found

    def child(self, parent: ObjectType, path: Path) -> tuple[ObjectType, Field]:
        """Find the child object and its lookup for a subquery's FROM. Raises OrgError INVALID_TYPE."""
        steps = path.steps[1:] if len(path.steps) == 2 and path.steps[0].lower() == parent.name.lower() else path.steps
        for end in self.statement.schema.children[parent.name]:
            if len(steps) == 1 and end.name and end.name.lower() == steps[0].lower():
                child = self.statement.schema.objects[end.child]
                if self.statement.rights.on(child).read and self.statement.rights.reads(child, child.fields[end.field]):
                    return child, child.fields[end.field]
        message = (
            f"Didn't understand relationship '{'.'.join(path.steps)}' in FROM part of query call. If you are attempting to use a custom "
            f"relationship, be sure to append the '__r' after the custom relationship name. {_REFERENCE}"
        )
        raise refuse(self.soql, path.at, message, "INVALID_TYPE")

    def no_column(self, name: str, one: str, at: int) -> OrgError:
        """Make the error for a field that is not there or not to be seen."""
        message = (
            f"No such column '{name}' on entity '{one}'. If you are attempting to use a custom field, be sure to append the '__c' after "
            f"the custom field name. {_REFERENCE}"
        )
        return refuse(self.soql, at, message, "INVALID_FIELD")

    def find(self, scope: Scope, path: Path, alias: str | None = None) -> Found:
        """Find a field path from a table. Raises OrgError INVALID_FIELD, or MALFORMED_QUERY for one that leads too far."""
        steps = self._steps(scope.object, path, alias)
        if len(steps) > MAX_LEVELS + 1:
            words = (
                f"SOQL statements cannot query foreign key relationships more than {MAX_LEVELS} levels away from the root entity object."
            )
            raise malformed(words)
        names: list[str] = []
        lookups: list[str] = []
        scopes: list[Scope] = []
        for place, step in enumerate(steps[:-1]):
            lookup = self._lookup(scope.object, step, path)
            names.append(lookup.relationship or step)
            lookups.append(lookup.name)
            self._count(names)
            targets = [self.statement.schema.objects[each] for each in lookup.reference_to if each in self.statement.schema.objects]
            if len(targets) != 1:
                way = Found(tuple(names), "", _NO_COLUMN, tuple(scopes), lookups=tuple(lookups))
                return self._polymorphic(scope, lookup, way, Path(steps[place + 1 :], path.at))
            if not self.statement.rights.on(targets[0]).read:
                raise self._no_relationship(step, path)
            scope = scope.parent(lookup, targets[0])
            scopes.append(scope)
        field = scope.object.field(steps[-1])
        if field is None or not self.statement.rights.reads(scope.object, field):
            raise self.no_column(steps[-1], scope.object.name, path.at)
        return Found(tuple(names), field.name, scope.column(field), tuple(scopes), lookups=tuple(lookups))

    def _steps(self, one: ObjectType, path: Path, alias: str | None) -> tuple[str, ...]:
        steps = path.steps
        if steps[0].lower() in self._aliases and len(steps) > 1:
            steps = (*self._aliases[steps[0].lower()], *steps[1:])
        return steps[1:] if len(steps) > 1 and self._is_self(one, steps[0], alias) else steps

    def _count(self, names: list[str]) -> None:
        self._parents.add(".".join(names))
        if len(self._parents) > MAX_PARENTS:
            raise malformed(f"SOQL statements cannot query more than {MAX_PARENTS} foreign key relationships.")

    def _is_self(self, one: ObjectType, step: str, alias: str | None) -> bool:
        word = step.lower()
        return (alias is not None and word == alias.lower()) or (word == one.name.lower() and one.lookup(step) is None)

    def _lookup(self, one: ObjectType, step: str, path: Path) -> Field:
        lookup = one.lookup(step)
        if lookup is None or not self.statement.rights.reads(one, lookup):
            raise self._no_relationship(step, path)
        return lookup

    def _no_relationship(self, step: str, path: Path) -> OrgError:
        message = (
            f"Didn't understand relationship '{step}' in field path. If you are attempting to use a custom relationship, be sure to append "
            f"the '__r' after the custom relationship name. {_REFERENCE}"
        )
        return refuse(self.soql, path.at, message, "INVALID_FIELD")

    def _polymorphic(self, scope: Scope, lookup: Field, way: Found, path: Path) -> Found:
        rest = path.steps
        targets = [self.statement.schema.objects[each] for each in lookup.reference_to if each in self.statement.schema.objects]
        if len(rest) != 1:
            raise self._no_relationship(rest[0], path)
        name = rest[0].lower()
        if name not in NAME_FIELDS:
            raise self.no_column(rest[0], "Name", path.at)
        key = scope.plain(lookup.name)
        tables = self.parents(scope, lookup, targets)
        joined = Polymorphic(lookup, scope, tables)
        if name == "type":
            arms = " ".join(f"WHEN '{one.key_prefix}' THEN '{one.name}'" for one in targets)
            return replace(way, name="Type", column=Column(f"(CASE substr({key}, 1, 3) {arms} END)", "picklist"), polymorphic=joined)
        found = [(table, _named(table.object, name)) for table in tables]
        given = [table.column(field) for table, field in found if field is not None]
        if not given:
            raise self.no_column(rest[0], "Name", path.at)
        sql = given[0].sql if len(given) == 1 else f"COALESCE({', '.join(each.sql for each in given)})"
        canonical = next(field.name for _, field in found if field is not None) if name != "name" else "Name"
        return replace(way, name=canonical, column=Column(sql, given[0].kind), polymorphic=joined)

    def parents(self, scope: Scope, lookup: Field, targets: list[ObjectType]) -> tuple[Scope, ...]:
        """Join every object a polymorphic lookup may point at and the user may read."""
        return tuple(scope.parent(lookup, each) for each in targets if self.statement.rights.on(each).read)


_NO_COLUMN = Column("NULL", "string")


def _named(one: ObjectType, name: str) -> Field | None:
    return one.name_field if name == "name" else one.field(name)
