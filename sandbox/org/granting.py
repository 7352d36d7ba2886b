"""What the permission sets of the source grant, as records: PermissionSet, ObjectPermissions, FieldPermissions.

Must not decide what a user may do: access.py does, from the schema. Clients read these records and cannot write them: what is
granted is deployed. Source: Object Reference, PermissionSet (a profile owns one, a group has one that adds its members up),
ObjectPermissions and FieldPermissions (a record only where something is granted), PermissionSetAssignment.
Invariant: after `settle` the records say what the schema says; a set the source no longer has stays and grants nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sandbox.org.bulk import Loader
from sandbox.org.schema import ObjectType, Schema
from sandbox.org.setup import ObjectAccess, PermissionSet
from sandbox.org.storage import Database, Row

_WORD = "Permissions"


@dataclass(frozen=True, slots=True)
class _Granted:
    """One PermissionSet record: the names it goes by, and the sets whose grants it adds up."""

    name: str
    label: str
    kind: str
    members: tuple[PermissionSet, ...]
    profile_id: str | None = None

    def record(self, one: ObjectType) -> Row:
        """Give the values of the record, a flag for each user permission the object knows."""
        given = frozenset(each for member in self.members for each in member.user_permissions)
        flags: Row = {name: int(name.removeprefix(_WORD) in given) for name in one.fields if name.startswith(_WORD)}
        owned = self.kind == "Profile"
        return {"Label": self.label, "Type": self.kind, "IsOwnedByProfile": int(owned), "ProfileId": self.profile_id, **flags}


def settle(load: Loader, schema: Schema, database: Database) -> None:
    """Make the records say what the schema grants; does nothing where they do."""
    one = schema.objects["PermissionSet"]
    known = {str(name): str(set_id) for set_id, name in database.rows('SELECT "Id", "Name" FROM "PermissionSet" WHERE "IsDeleted" = 0')}
    objects: list[Row] = []
    fields: list[Row] = []
    for each in _granted(schema, database):
        record = each.record(one)
        set_id = known.get(each.name) or load.load("PermissionSet", [{"Name": each.name, "Label": each.label}])[0]
        if any((database.get(one, set_id) or {})[name] != value for name, value in record.items()):
            database.update(one, set_id, record)
        objects += [{"ParentId": set_id, **row} for row in _objects(schema, each.members)]
        fields += [{"ParentId": set_id, **row} for row in _fields(schema, each.members)]
    _replace(load, database, schema.objects["ObjectPermissions"], objects)
    _replace(load, database, schema.objects["FieldPermissions"], fields)


def assign(load: Loader, database: Database, user_id: str, names: Sequence[str]) -> None:
    """Make the PermissionSetAssignment records of a user be those of these sets, groups and profiles, and no others."""
    sql = 'SELECT "Id", "Name", "Label", "IsOwnedByProfile" FROM "PermissionSet" WHERE "IsDeleted" = 0'
    known = {str(label if owned else name): set_id for set_id, name, label, owned in database.rows(sql)}
    wanted = [{"PermissionSetId": known[name], "AssigneeId": user_id} for name in names if name in known]
    database.connection.execute('DELETE FROM "PermissionSetAssignment" WHERE "AssigneeId" = ?', (user_id,))
    load.load("PermissionSetAssignment", wanted)


def _granted(schema: Schema, database: Database) -> Iterator[_Granted]:
    sets = schema.permission_sets
    profiles = {str(name): str(row_id) for row_id, name in database.rows('SELECT "Id", "Name" FROM "Profile" WHERE "IsDeleted" = 0')}
    for name, each in sets.items():
        profile_id = profiles.get(name) if each.is_profile else None
        if profile_id is not None:
            yield _Granted(f"X{profile_id[:15]}", name, "Profile", (each,), profile_id)
        elif not each.is_profile:
            yield _Granted(name, each.label, "Regular", (each,))
    for name, group in schema.groups.items():
        yield _Granted(name, group.label, "Group", tuple(sets[member] for member in group.members if member in sets))


def _objects(schema: Schema, members: Sequence[PermissionSet]) -> Iterator[Row]:
    summed: dict[str, ObjectAccess] = {}
    for name, access in (pair for member in members for pair in member.objects.items()):
        had = summed.get(name, ObjectAccess())
        summed[name] = replace(had, **{flag: getattr(had, flag) or getattr(access, flag) for flag in ObjectAccess.__slots__})
    for name, access in sorted(summed.items()):
        one = schema.get(name)
        if one is not None and access != ObjectAccess():
            yield {
                "SobjectType": one.name,
                "PermissionsCreate": int(access.create),
                "PermissionsRead": int(access.read),
                "PermissionsEdit": int(access.edit),
                "PermissionsDelete": int(access.delete),
                "PermissionsViewAllRecords": int(access.view_all),
                "PermissionsModifyAllRecords": int(access.modify_all),
                "PermissionsViewAllFields": int(access.all_fields),
            }


def _fields(schema: Schema, members: Sequence[PermissionSet]) -> Iterator[Row]:
    editable = frozenset(each for member in members for each in member.editable)
    for name in sorted({each for member in members for each in member.readable}):
        sobject, _, field_name = name.partition(".")
        one = schema.get(sobject)
        field = one.field(field_name) if one is not None else None
        if one is not None and field is not None:
            read_edit = {"PermissionsRead": 1, "PermissionsEdit": int(name in editable)}
            yield {"SobjectType": one.name, "Field": f"{one.name}.{field.name}", **read_edit}


def _replace(load: Loader, database: Database, one: ObjectType, rows: Sequence[Mapping[str, object]]) -> None:
    """Put rows in the place of all there are, unless they are the same."""
    names = [name for name, each in one.fields.items() if each.createable]
    listed = ", ".join(f'"{name}"' for name in names)
    kept = {tuple(row) for row in database.rows(f'SELECT {listed} FROM "{one.name}"')}
    if kept != {tuple(row[name] for name in names) for row in rows}:
        database.connection.execute(f'DELETE FROM "{one.name}"')
        load.load(one.name, rows)
