"""The fields of a request → the values to keep: names, permissions, types, lookups.

Must not write. Invariant: what comes out fits its columns, and every lookup in it points at a live record the user may see.
"""

from collections.abc import Mapping

from sandbox.org import errors
from sandbox.org.access import Access, Rights
from sandbox.org.criteria import holds, own_fields_only
from sandbox.org.errors import OrgError
from sandbox.org.schema import Field, ObjectType, Schema
from sandbox.org.storage import Database, Row
from sandbox.org.types import Session
from sandbox.org.values import Stored, check_target, reader

_SETTABLE = frozenset({"CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById"})
"""What the user permission "Set Audit Fields upon Record Creation" lets a create set."""


class Preparation:
    """Reads the fields of requests against the schema and the rows."""

    def __init__(self, schema: Schema, database: Database, access: Access) -> None:
        self._schema = schema
        self._database = database
        self._access = access

    def values(self, one: ObjectType, given: Mapping[str, object], session: Session, *, creating: bool) -> Row:
        """Check the given fields and return what to keep. Raises OrgError."""
        rights = self._access.rights(session.user_id)
        found: Row = {}
        refused: list[str] = []
        for name, value in given.items():
            if name.lower() == "attributes":
                continue
            field = one.field(name)
            if field is None or not field.stored:
                field, value = self._by_relationship(one, name, value, field)  # noqa: PLW2901 - the value behind the name
            if field.name == "Id" and creating:
                words = "cannot specify Id in an insert call"
                raise OrgError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", words, ["Id"])
            if not self.writable(one, field, rights, creating=creating):
                refused.append(field.name)
                continue
            found[field.name] = reader(field)(value)
        if refused:
            raise errors.not_writable(refused)
        self.check_lookups(one, found, session)
        return found

    def check_lookups(self, one: ObjectType, found: Mapping[str, Stored], session: Session) -> None:
        """Refuse references to what is not there, may not be seen or does not fit. Raises OrgError."""
        for name, kept in found.items():
            field = one.fields[name]
            if field.type == "reference" and kept is not None:
                self._check_lookup(field, str(kept), session)
                if name == "OwnerId":
                    self._check_owner(one, str(kept))

    def parent(self, one: ObjectType, relationship: str, keys: Mapping[str, object]) -> tuple[Field, object]:
        """Find the record a relationship names by a key; return the lookup field and the id. Raises OrgError."""
        return self._by_relationship(one, relationship, keys, None)

    @staticmethod
    def writable(one: ObjectType, field: Field, rights: Rights, *, creating: bool) -> bool:
        """Tell whether a request of this user may fill a field."""
        nature = field.createable if creating else field.updateable
        if creating and field.name in _SETTABLE and rights.granted("CreateAuditFields"):
            return True
        return nature and rights.edits(one, field)

    def _by_relationship(self, one: ObjectType, name: str, value: object, field: Field | None) -> tuple[Field, object]:
        if field is not None:
            raise errors.not_writable([field.name])
        lookup = one.lookup(name)
        if lookup is None or not isinstance(value, Mapping):
            raise errors.no_such_column(name, one.name)
        keys = {key: each for key, each in value.items() if key.lower() != "attributes"}
        kind = value.get("attributes", {}).get("type") if isinstance(value.get("attributes"), Mapping) else None
        target = self._schema.get(str(kind or lookup.reference_to[0]))
        if target is None or target.name not in lookup.reference_to or len(keys) != 1:
            raise errors.no_such_column(name, one.name)
        key_name, key = next(iter(keys.items()))
        key_field = target.field(key_name)
        if key_field is None or not (key_field.external_id or key_field.unique or key_field.name == "Id"):
            raise errors.no_such_column(key_name, target.name)
        matches = self._database.live_ids(target, key_field.name, reader(key_field)(key), at_most=2)
        if len(matches) != 1:
            words = f"Foreign key external ID: {key} not found for field {key_field.name} in entity {target.name}"
            raise OrgError(400, "INVALID_FIELD", words, [lookup.name])
        return lookup, matches[0]

    def _check_lookup(self, field: Field, value: str, session: Session) -> None:
        target = self._schema.of_id(value)
        check_target(target, field, value)
        if target is None:
            raise errors.wrong_id_type(field.label, field.name, value)
        rows = self._database.rows(f'SELECT "IsDeleted" FROM "{target.name}" WHERE "Id" = ?', (value,))
        if not rows:
            raise errors.bad_cross_reference(field.name)
        if rows[0][0]:
            raise OrgError(400, "ENTITY_IS_DELETED", "entity is deleted", [field.name])
        if not self._access.sees(session.user_id, target, value):
            raise errors.no_access_to_reference(value)
        self._check_filter(field, target, value)

    def _check_filter(self, field: Field, target: ObjectType, value: str) -> None:
        """Refuse a record that a lookup's filter leaves out; filters that look further are not carried out (Schema.ignored)."""
        wanted = field.lookup_filter
        if wanted is None or not own_fields_only(wanted):
            return
        if not holds(target, wanted, self._database.get(target, value) or {}):
            words = wanted.message or "Value does not exist or does not match filter criteria."
            raise OrgError(400, "FIELD_FILTER_VALIDATION_EXCEPTION", words, [field.name])

    def _check_owner(self, one: ObjectType, owner_id: str) -> None:
        """Refuse an inactive user, and a queue that does not serve the object."""
        rows = self._database.rows
        user = rows('SELECT "IsActive" FROM "User" WHERE "Id" = ?', (owner_id,))
        if user and not user[0][0]:
            words = f"operation performed with inactive user [{owner_id[:15]}] as owner of {one.label.lower()}"
            raise OrgError(400, "INACTIVE_OWNER_OR_USER", words)
        serves = 'SELECT 1 FROM "QueueSobject" WHERE "QueueId" = ? AND "SobjectType" = ? AND "IsDeleted" = 0'
        if not user and not rows(serves, (owner_id, one.name)):
            raise OrgError(400, "INVALID_OPERATION", "Queue not associated with this SObject type", ["OwnerId"])

    def check_required(self, one: ObjectType, given: Mapping[str, Stored]) -> None:
        """Refuse values that take from a record what it must have."""
        missing = {name for name, value in given.items() if value is None and not one.fields[name].nillable}
        if missing:
            raise errors.required_missing([name for name in one.fields if name in missing])
