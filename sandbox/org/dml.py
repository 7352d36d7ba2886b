"""Writes: create, update, upsert, delete, undelete, each whole or not at all.

Must not know HTTP. The steps of a write are those of the platform: values, defaults, derived fields, uniqueness, the row,
validation rules, then what listens. Invariant: after a refusal nothing of the write is left.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from sandbox.org import errors, ids
from sandbox.org.derive import Surroundings, derive
from sandbox.org.errors import OrgError
from sandbox.org.expressions import Expressions
from sandbox.org.parts import Parts
from sandbox.org.prepare import Preparation
from sandbox.org.schema import ChildRelationship, Field, ObjectType
from sandbox.org.storage import Row
from sandbox.org.types import Change, ChangeKind, Session
from sandbox.org.values import Stored, event_value, reader, stamp

AUDIT = frozenset({"CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp"})
_AUTO_NUMBER_START = {"Case": 1000}


class MultipleMatchesError(OrgError):
    """An upsert whose external id several records have; `matches` are their ids."""

    def __init__(self, matches: list[str]) -> None:
        super().__init__(300, "MULTIPLE_CHOICES", "more than one record found with that external id")
        self.matches = matches


def auto_number(pattern: str, number: int, now: datetime) -> str:
    """Fill an auto-number format such as `INST-{000000}` or `{YYYY}{MM}-{0}`."""
    text = pattern
    for mark, part in (("{YYYY}", f"{now:%Y}"), ("{YY}", f"{now:%y}"), ("{MM}", f"{now:%m}"), ("{DD}", f"{now:%d}")):
        text = text.replace(mark, part)
    start, end = text.find("{0"), text.find("}")
    if start < 0 or end < start:
        return text
    return text[:start] + str(number).rjust(end - start - 1, "0") + text[end + 1 :]


class Writer:
    """Carries out the writes of one org."""

    def __init__(self, parts: Parts, expressions: Expressions) -> None:
        self._schema = parts.schema
        self._database = parts.database
        self._access = parts.access
        self._clock = parts.clock
        self._transactions = parts.transactions
        self._expressions = expressions
        self._currency = parts.currency
        self._prepare = Preparation(parts.schema, parts.database, parts.access)
        self._defaults: dict[str, tuple[Field, ...]] = {}
        self.on_change: list[Callable[[Change], None]] = []
        self.default_case_owner: str | None = None

    def object_type(self, name: str, session: Session) -> ObjectType:
        """Find an object with records the user may see. Raises OrgError NOT_FOUND."""
        one = self._schema.get(name)
        if one is None or one.kind != "record" or not self._access.rights(session.user_id).on(one).read:
            raise errors.not_found()
        return one

    def create(self, sobject: str, fields: Mapping[str, object], session: Session) -> str:
        """Insert a record; return its id of 18 characters."""
        one = self.object_type(sobject, session)
        if not one.createable:
            words = f"entity type cannot be inserted: {one.label}"
            raise OrgError(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", words)
        if not self._access.rights(session.user_id).on(one).create:
            raise errors.no_access()
        with self._transactions.scope():
            given = self._prepare.values(one, fields, session, creating=True)
            if one.name == "Case" and session.auto_assign and self.default_case_owner:
                given["OwnerId"] = self.default_case_owner
            row = self.new_row(one, given, session)
            self._prepare.check_required(one, row)
            self._prepare.check_unique(one, row, None)
            self._database.insert(one, [row])
            record_id = str(row["Id"])
            self._rules(one, record_id, session)
            filled = tuple(
                name for name, value in row.items() if value is not None and name not in AUDIT and name not in ("Id", "IsDeleted")
            )
            self._changed(one, "CREATE", row, filled, session)
        return record_id

    def new_row(self, one: ObjectType, given: Row, session: Session) -> Row:
        """Complete the row of a new record: id, defaults, audit fields, derived fields."""
        now = self._clock.now()
        at = stamp(now)
        number = self._database.next_number(one)
        row: Row = dict.fromkeys(self._database.columns[one.name])
        row.update(self.defaults(one, given, session, now))
        record_id = str(given.get("Id") or ids.numbered(one.key_prefix, number))
        row.update(Id=record_id, IsDeleted=0, CreatedDate=at, LastModifiedDate=at, SystemModstamp=at)
        row.update(CreatedById=session.user_id, LastModifiedById=session.user_id)
        if "OwnerId" in row:
            row["OwnerId"] = session.user_id
        if "CurrencyIsoCode" in row:
            row["CurrencyIsoCode"] = self._currency
        row.update({name: value for name, value in given.items() if value is not None or not one.fields[name].defaulted_on_create})
        for each in self.numbered(one):
            row[each.name] = row[each.name] or auto_number(each.auto_number or "", number + _AUTO_NUMBER_START.get(one.name, 0), now)
        if one.custom and row.get("Name") is None:
            row["Name"] = record_id[:15]
        derive(Surroundings(self._schema, self._database, at), one, row, None)
        return row

    def numbered(self, one: ObjectType) -> tuple[Field, ...]:
        """List the auto-number fields of an object."""
        key = f"{one.name}#"
        if key not in self._defaults:
            self._defaults[key] = tuple(each for each in one.fields.values() if each.auto_number)
        return self._defaults[key]

    def defaults(self, one: ObjectType, given: Mapping[str, Stored], session: Session, now: datetime) -> Row:
        """Work out the default values of the fields not given."""
        if one.name not in self._defaults:
            self._defaults[one.name] = tuple(each for each in one.fields.values() if each.default is not None and each.stored)
        rights = self._access.rights(session.user_id)
        return {
            each.name: reader(each)(self._expressions.default(one, each, rights, now))
            for each in self._defaults[one.name]
            if given.get(each.name) is None
        }

    def _existing(self, one: ObjectType, record_id: str, session: Session) -> Row:
        known = ids.normal(record_id)
        if known is None or known[:3] != one.key_prefix:
            raise errors.not_found()
        row = self._database.get(one, known)
        if row is None:
            raise errors.not_found()
        if not self._access.sees(session.user_id, one, known):
            raise errors.no_access()
        return row

    def _editable(self, one: ObjectType, row: Row, session: Session) -> None:
        rights = self._access.rights(session.user_id)
        allowed = rights.on(one)
        owns = row.get("OwnerId") in (None, session.user_id)
        if not allowed.edit or (one.sharing == "Read" and not owns and not (allowed.modify_all or rights.modify_all)):
            raise errors.no_access()

    def update(self, sobject: str, record_id: str, fields: Mapping[str, object], session: Session) -> None:
        """Change fields of a record."""
        one = self.object_type(sobject, session)
        with self._transactions.scope():
            before = self._existing(one, record_id, session)
            if before["IsDeleted"]:
                raise errors.deleted()
            self._editable(one, before, session)
            named = {name: value for name, value in fields.items() if name.lower() != "id"}
            given = self._prepare.values(one, named, session, creating=False)
            if one.name == "Case" and session.auto_assign and self.default_case_owner:
                given["OwnerId"] = self.default_case_owner
            self._write(one, before, given, session)

    def _write(self, one: ObjectType, before: Row, given: Row, session: Session) -> None:
        at = stamp(self._clock.now())
        self._prepare.check_required(one, given, frozenset(given))
        after = {**before, **given}
        derive(Surroundings(self._schema, self._database, at), one, after, before)
        changed = {name: value for name, value in after.items() if value != before[name]}
        record_id = str(before["Id"])
        self._prepare.check_unique(one, changed, record_id)
        audit: Row = {"LastModifiedDate": at, "LastModifiedById": session.user_id, "SystemModstamp": at}
        self._database.update(one, record_id, {**changed, **audit})
        self._rules(one, record_id, session)
        self._changed(one, "UPDATE", {**after, **audit}, tuple(changed), session)

    def upsert(  # noqa: PLR0913 - the parameters of the call itself
        self, sobject: str, ext_field: str, value: str, fields: Mapping[str, object], session: Session, *, update_only: bool
    ) -> tuple[str, bool]:
        """Update the record with an external id, or create it; return its id and whether it was created."""
        one = self.object_type(sobject, session)
        field = one.field(ext_field)
        if field is None or not (field.external_id or field.name == "Id") or not self._access.rights(session.user_id).reads(one, field):
            raise errors.no_external_id(ext_field)
        if any(name.lower() == field.name.lower() for name in fields):
            words = f"The {field.name} field should not be specified in the sobject data."
            raise OrgError(400, "INVALID_FIELD", words, [field.name])
        with self._transactions.scope():
            kept = reader(field)(value)
            if kept is None:
                raise OrgError(400, "MISSING_ARGUMENT", f"{field.name} not specified", [field.name])
            matches = self._database.live_ids(one, field.name, kept)
            if len(matches) > 1:
                raise MultipleMatchesError(matches)
            if matches:
                self.update(one.name, matches[0], fields, session)
                return matches[0], False
            if update_only or field.name == "Id":
                raise errors.not_found()
            return self.create(one.name, {**fields, field.name: value}, session), True

    def delete(self, sobject: str, record_id: str, session: Session) -> None:
        """Put a record into the recycle bin: details go with it, lookups to it are cleared."""
        one = self.object_type(sobject, session)
        with self._transactions.scope():
            row = self._existing(one, record_id, session)
            if row["IsDeleted"]:
                raise errors.deleted()
            if not one.deletable or not self._access.rights(session.user_id).on(one).delete:
                raise errors.no_access()
            self._delete(one, row, session)

    def _delete(self, one: ObjectType, row: Row, session: Session) -> None:
        record_id = str(row["Id"])
        for end in self._schema.children[one.name]:
            self._let_go(one, record_id, end, session)
        at = stamp(self._clock.now())
        audit: Row = {"IsDeleted": 1, "LastModifiedDate": at, "LastModifiedById": session.user_id, "SystemModstamp": at}
        self._database.update(one, record_id, audit)
        self._changed(one, "DELETE", {**row, **audit}, (), session)

    def _let_go(self, one: ObjectType, record_id: str, end: ChildRelationship, session: Session) -> None:
        child = self._schema.objects[end.child]
        if child.fields[end.field].formula is not None:
            return
        for child_id in self._database.live_ids(child, end.field, record_id):
            if end.restricted_delete:
                words = f"Your attempt to delete {one.label} could not be completed because it is associated with the following {child.label_plural}."
                raise OrgError(400, "DELETE_FAILED", words)
            row = self._database.get(child, child_id)
            if end.cascade_delete and row is not None:
                self._delete(child, row, session)
            elif row is not None:
                self._database.update(child, child_id, {end.field: None, "SystemModstamp": stamp(self._clock.now())})

    def undelete(self, sobject: str, record_id: str, session: Session) -> None:
        """Take a record out of the recycle bin; its unique values must still be free."""
        one = self.object_type(sobject, session)
        with self._transactions.scope():
            row = self._existing(one, record_id, session)
            if not row["IsDeleted"]:
                raise OrgError(400, "UNDELETE_FAILED", "Entity is not in the recycle bin")
            self._prepare.check_unique(one, row, str(row["Id"]))
            at = stamp(self._clock.now())
            audit: Row = {"IsDeleted": 0, "LastModifiedDate": at, "LastModifiedById": session.user_id, "SystemModstamp": at}
            self._database.update(one, str(row["Id"]), audit)
            filled = tuple(
                name for name, value in row.items() if value is not None and name not in AUDIT and name not in ("Id", "IsDeleted")
            )
            self._changed(one, "UNDELETE", {**row, **audit}, filled, session)

    def _rules(self, one: ObjectType, record_id: str, session: Session) -> None:
        if one.rules:
            self._expressions.check_rules(one, record_id, self._access.rights(session.user_id), self._clock.now())

    def _changed(self, one: ObjectType, kind: ChangeKind, row: Row, changed: tuple[str, ...], session: Session) -> None:
        record = {name: event_value(one.fields[name], value) for name, value in row.items()}
        change = Change(one.name, str(row["Id"]), kind, changed, record, session)
        self._transactions.note(change)
        for listener in tuple(self.on_change):
            listener(change)
