"""The header row of an upload: which column fills which field.

Pure. Source: Bulk API 2.0 and Bulk API Developer Guide, "Relationship Fields in a Header Row" (`Relationship.Key`, and
`Object:Relationship.Key` for and only for polymorphic lookups); error texts as clients report them (`InvalidBatch : ...`); a
field the user may not see is a field that is not there. Invariant: every column has a field, or the job fails before any row.
"""

from collections.abc import Sequence

from sandbox.bulk.dialect import DialectError
from sandbox.org.access import Rights
from sandbox.org.schema import ObjectType, Schema
from sandbox.org.task import Column


def columns(schema: Schema, one: ObjectType, names: Sequence[str], rights: Rights) -> tuple[Column, ...]:
    """Find the field of each column. Raises DialectError."""
    found = tuple(_column(schema, one, name, rights) for name in names)
    taken = [each.field.name for each in found]
    for name in taken:
        if taken.count(name) > 1:
            raise DialectError(f"InvalidBatch : Duplicate column name : {name}")
    return found


def _column(schema: Schema, one: ObjectType, name: str, rights: Rights) -> Column:
    if "." in name:
        return _relationship(schema, one, name, rights)
    field = one.field(name)
    if field is None or not field.stored or not rights.reads(one, field):
        raise _unknown(name)
    return Column(field)


def _relationship(schema: Schema, one: ObjectType, name: str, rights: Rights) -> Column:
    path, _, key_name = name.partition(".")
    kind, _, relationship = path.rpartition(":")
    lookup = one.lookup(relationship)
    if lookup is None or not rights.reads(one, lookup):
        raise DialectError(f"InvalidBatch : Unable to find relationship: {relationship}")
    if kind and not lookup.polymorphic:
        raise DialectError(f"InvalidBatch : type is not needed for non polymorphic foreign key references: {relationship}")
    if lookup.polymorphic and not kind:
        raise DialectError(f"InvalidBatch : type is needed for polymorphic foreign key references: {relationship}")
    parent = schema.get(kind or lookup.reference_to[0])
    key = parent.field(key_name) if parent is not None and parent.name in lookup.reference_to else None
    if parent is None or key is None or not (key.external_id or key.unique or key.name == "Id"):
        raise _unknown(name)
    return Column(lookup, parent, key)


def _unknown(name: str) -> DialectError:
    return DialectError(f"InvalidBatch : Field name not found : {name}")
