"""Field paths of a SOQL statement → columns, as far as the reader may see them.

Must not build conditions or lists. Wordings: recorded REST answers for INVALID_FIELD and INVALID_TYPE.
Invariant: a field the user may not read is refused in the same words as one that does not exist.
"""

from dataclasses import dataclass

from sandbox.org.errors import OrgError
from sandbox.org.schema import Field, ObjectType
from sandbox.org.soql.parse import refuse
from sandbox.org.soql.syntax import Path
from sandbox.org.sql.scope import Column, Scope, Statement

_REFERENCE = "Please reference your WSDL or the describe call for the appropriate names."
NAME_FIELDS = frozenset({"id", "name", "type", "firstname", "lastname", "email", "phone", "title", "alias", "username", "isactive"})


@dataclass(frozen=True, slots=True)
class Found:
    """Where a path leads: the lookups on the way (canonical relationship names) and the column.

    `owners` are the scopes passed, one a step; a polymorphic step has none.
    """

    steps: tuple[str, ...]
    name: str
    column: Column
    scopes: tuple[Scope, ...]
    polymorphic: "Polymorphic | None" = None


@dataclass(frozen=True, slots=True)
class Polymorphic:
    """A lookup to several objects: where its id stands, and one joined table for each target."""

    lookup: Field
    owner: Scope
    targets: tuple[Scope, ...]


class Names:
    """Finds what the paths of one query mean."""

    def __init__(self, statement: Statement, soql: str) -> None:
        self.statement = statement
        self.soql = soql

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
        """Find a field path from a table. Raises OrgError INVALID_FIELD."""
        steps = path.steps
        if len(steps) > 1 and self._is_self(scope.object, steps[0], alias):
            steps = steps[1:]
        names: list[str] = []
        scopes: list[Scope] = []
        for place, step in enumerate(steps[:-1]):
            lookup = self._lookup(scope.object, step, path)
            names.append(lookup.relationship or step)
            targets = [self.statement.schema.objects[each] for each in lookup.reference_to if each in self.statement.schema.objects]
            if len(targets) != 1:
                return self._polymorphic(scope, lookup, tuple(names), Path(steps[place + 1 :], path.at))
            if not self.statement.rights.on(targets[0]).read:
                raise self._no_relationship(step, path)
            scope = scope.parent(lookup, targets[0])
            scopes.append(scope)
        field = scope.object.field(steps[-1])
        if field is None or not self.statement.rights.reads(scope.object, field):
            raise self.no_column(steps[-1], scope.object.name, path.at)
        return Found(tuple(names), field.name, scope.column(field), tuple(scopes))

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

    def _polymorphic(self, scope: Scope, lookup: Field, names: tuple[str, ...], path: Path) -> Found:
        rest = path.steps
        targets = [self.statement.schema.objects[each] for each in lookup.reference_to if each in self.statement.schema.objects]
        if len(rest) != 1 or rest[0].lower() not in NAME_FIELDS:
            raise self.no_column(rest[0], "Name", path.at)
        name = rest[0].lower()
        key = scope.plain(lookup.name)
        if name == "type":
            arms = " ".join(f"WHEN '{one.key_prefix}' THEN '{one.name}'" for one in targets)
            column = Column(f"(CASE substr({key}, 1, 3) {arms} END)", "picklist")
            return Found(names, "Type", column, (), Polymorphic(lookup, scope, self.parents(scope, lookup, targets)))
        tables = self.parents(scope, lookup, targets)
        found = [(table, _named(table.object, name)) for table in tables]
        given = [table.column(field) for table, field in found if field is not None]
        if not given:
            raise self.no_column(rest[0], "Name", path.at)
        sql = given[0].sql if len(given) == 1 else f"COALESCE({', '.join(each.sql for each in given)})"
        canonical = next(field.name for _, field in found if field is not None) if name != "name" else "Name"
        return Found(names, canonical, Column(sql, given[0].kind), (), Polymorphic(lookup, scope, tables))

    def parents(self, scope: Scope, lookup: Field, targets: list[ObjectType]) -> tuple[Scope, ...]:
        """Join every object a polymorphic lookup may point at and the user may read."""
        return tuple(scope.parent(lookup, each) for each in targets if self.statement.rights.on(each).read)


def _named(one: ObjectType, name: str) -> Field | None:
    return one.name_field if name == "name" else one.field(name)
