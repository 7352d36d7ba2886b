"""Unique values: which rows about to be written have one that is taken.

Must not write. A key on Activity is unique over tasks and events. Rows are looked at together, with one query a field, for
that is what a chunk of rows can afford; a row counts as written for those after it. Invariant: a row that is not refused
has no unique value of a live record, nor of a row before it that is not refused.
"""

from collections.abc import Mapping, Sequence

from sandbox.org import errors
from sandbox.org.errors import OrgError
from sandbox.org.schema import Field, ObjectType, Schema
from sandbox.org.storage import Database, folded
from sandbox.org.values import Stored

Values = Mapping[str, Stored]


class Unique:
    """Watches over the unique fields of one org."""

    def __init__(self, schema: Schema, database: Database) -> None:
        self._schema = schema
        self._database = database
        self._fields: dict[str, tuple[Field, ...]] = {}

    def _of(self, one: ObjectType) -> tuple[Field, ...]:
        if one.name not in self._fields:
            self._fields[one.name] = tuple(each for each in one.fields.values() if each.unique and each.stored)
        return self._fields[one.name]

    def refusals(self, one: ObjectType, rows: Sequence[Values]) -> list[OrgError | None]:
        """Say of each new row, in order, why it may not be written; None of one that may."""
        found: list[OrgError | None] = [None] * len(rows)
        fields = self._of(one)
        if not fields:
            return found
        taken = [self._taken(one, each, [value for row in rows if (value := row.get(each.name)) is not None]) for each in fields]
        for place, row in enumerate(rows):
            keys = [folded(each, row.get(each.name)) for each in fields]
            clash = next((at for at, key in enumerate(keys) if key is not None and taken[at].get(key)), None)
            if clash is not None:
                found[place] = errors.duplicate(fields[clash].name, taken[clash][keys[clash]][0])
                continue
            for at, key in enumerate(keys):
                taken[at].setdefault(key, []).append(str(row["Id"]))
        return found

    def check(self, one: ObjectType, values: Values, record_id: str) -> None:
        """Refuse values of a record that another live record already has. Raises OrgError."""
        for each in self._of(one):
            value = values.get(each.name)
            if value is None:
                continue
            for holder in self._taken(one, each, [value]).get(folded(each, value), ()):
                if holder != record_id:
                    raise errors.duplicate(each.name, holder)

    def _taken(self, one: ObjectType, field: Field, values: Sequence[Stored]) -> dict[Stored, list[str]]:
        places = [self._schema.objects[each] for each in ("Task", "Event")] if field.activity else [one]
        found: dict[Stored, list[str]] = {}
        for place in places:
            for value, holders in self._database.having(place, field.name, values).items():
                found.setdefault(value, []).extend(holders)
        return found
