"""Writes: create, update, upsert, delete, undelete, each whole or not at all.

Must not know HTTP. The steps of a write are those of the platform: values, defaults, derived fields, uniqueness, the row,
validation rules, then what listens. Invariant: after a refusal nothing of the write is left.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from sandbox.org import errors, ids
from sandbox.org.companions import Companions
from sandbox.org.conduct import Conduct
from sandbox.org.deletion import AUDIT, Deletion
from sandbox.org.derive import Surroundings, derive
from sandbox.org.errors import OrgError
from sandbox.org.expressions import Expressions
from sandbox.org.parts import Parts
from sandbox.org.prepare import Preparation
from sandbox.org.schema import Field, ObjectType
from sandbox.org.storage import Row
from sandbox.org.types import Change, ChangeKind, Json, Session
from sandbox.org.values import Shower, Stored, reader, shower, shower_of, stamp

_UNTOLD = AUDIT | {"Id", "IsDeleted"}
_AUTO_NUMBER_START = {"Case": 1000}


class MultipleMatchesError(OrgError):
    """An upsert whose external id several records have; `matches` are their ids."""

    def __init__(self, matches: list[str]) -> None:
        super().__init__(300, "MULTIPLE_CHOICES", "more than one record found with that external id")
        self.matches = matches


def auto_number(pattern: str, number: int, now: datetime) -> str:
    """Fill an auto-number format such as `INST-{000000}` or `{YYYY}{MM}-{0}`."""
    text = pattern
    for mark, form in (("{YYYY}", "%Y"), ("{YY}", "%y"), ("{MM}", "%m"), ("{DD}", "%d")):
        if mark in text:
            text = text.replace(mark, f"{now:{form}}")
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
        self._conduct = Conduct(parts)
        self._companions = Companions(parts, self)
        self._deletion = Deletion(parts, self._conduct, self._companions, self._prepare, self._changed)
        self._defaults: dict[str, tuple[Field, ...]] = {}
        self._shown: dict[str, list[tuple[str, Shower]]] = {}
        self._template: tuple[tuple[str, str, str], Row] = (("", "", ""), {})
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
        self.check_creatable(one, session)
        with self._transactions.scope():
            row = self.insert(one, self._prepare.values(one, fields, session, creating=True), session)
            record_id = str(row["Id"])
            self._rules(one, record_id, session)
            self.created(one, row, session)
        return record_id

    def check_creatable(self, one: ObjectType, session: Session) -> None:
        """Refuse records of an object that nobody, or not this user, may create."""
        if not one.createable:
            words = f"entity type cannot be inserted: {one.label}"
            raise OrgError(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", words)
        if not self._access.rights(session.user_id).on(one).create:
            raise errors.no_access()

    def insert(self, one: ObjectType, given: Row, session: Session) -> Row:
        """Write the row of a new record from prepared values; rules and what listens come after. Raises OrgError."""
        self._conduct.before(one, given, None, session, self.default_case_owner)
        self._companions.before(one, given, None, session)
        row = self.new_row(one, given, session)
        self._prepare.check_required(one, row)
        self._prepare.check_unique(one, row, None)
        self._database.insert(one, [row])
        self._companions.after(one, row, None, session)
        return row

    def created(self, one: ObjectType, row: Row, session: Session) -> None:
        """Tell what listens that a record was created."""
        filled = tuple([name for name, value in row.items() if value is not None and name not in _UNTOLD])
        self._changed(one, "CREATE", row, filled, session)

    def new_row(self, one: ObjectType, given: Row, session: Session) -> Row:
        """Complete the row of a new record: id, defaults, audit fields, derived fields."""
        now = self._clock.now()
        at = stamp(now)
        number = self._database.next_number(one)
        row = dict(self._empty(one, session, now, at))
        record_id = row["Id"] = str(given.get("Id") or ids.numbered(one.key_prefix, number))
        row.update({name: value for name, value in given.items() if value is not None or not one.fields[name].defaulted_on_create})
        for each in self.numbered(one):
            row[each.name] = row[each.name] or auto_number(each.auto_number or "", number + _AUTO_NUMBER_START.get(one.name, 0), now)
        if one.custom and row.get("Name") is None:
            row["Name"] = record_id[:15]
        derive(Surroundings(self._schema, self._database, at), one, row, None)
        return row

    def _empty(self, one: ObjectType, session: Session, now: datetime, at: str) -> Row:
        """Give the row of a new record of which nothing is given; the same for all of one moment unless a formula is asked."""
        key = (one.name, session.user_id, at)
        if self._template[0] != key or any(each.default_is_formula for each in self._defaults.get(one.name, ())):
            row: Row = dict.fromkeys(self._database.columns[one.name])
            row.update(self.defaults(one, {}, session, now))
            row.update(IsDeleted=0, CreatedDate=at, LastModifiedDate=at, SystemModstamp=at)
            row.update(CreatedById=session.user_id, LastModifiedById=session.user_id)
            if "OwnerId" in row:
                row["OwnerId"] = session.user_id
            if "CurrencyIsoCode" in row:
                row["CurrencyIsoCode"] = self._currency
            self._template = (key, row)
        return self._template[1]

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
            before = self.updatable(one, record_id, session)
            named = {name: value for name, value in fields.items() if name.lower() != "id"}
            after, changed = self.change(one, before, self._prepare.values(one, named, session, creating=False), session)
            self._rules(one, str(before["Id"]), session)
            self.updated(one, after, changed, session)

    def updatable(self, one: ObjectType, record_id: str, session: Session) -> Row:
        """Read a record that the user may change. Raises OrgError."""
        before = self._existing(one, record_id, session)
        if before["IsDeleted"]:
            raise errors.deleted()
        self._editable(one, before, session)
        return before

    def updated(self, one: ObjectType, after: Row, changed: tuple[str, ...], session: Session) -> None:
        """Tell what listens that a record was changed."""
        self._changed(one, "UPDATE", after, changed, session)

    def change(self, one: ObjectType, before: Row, given: Row, session: Session) -> tuple[Row, tuple[str, ...]]:
        """Write prepared values to a record; return its row and which fields changed. Rules and what listens come after."""
        self._conduct.before(one, given, before, session, self.default_case_owner)
        self._companions.before(one, given, before, session)
        at = stamp(self._clock.now())
        self._prepare.check_required(one, given, frozenset(given))
        after = {**before, **given}
        derive(Surroundings(self._schema, self._database, at), one, after, before)
        changed = {name: value for name, value in after.items() if value != before[name]}
        record_id = str(before["Id"])
        self._prepare.check_unique(one, changed, record_id)
        audit: Row = {"LastModifiedDate": at, "LastModifiedById": session.user_id, "SystemModstamp": at}
        self._database.update(one, record_id, {**changed, **audit})
        self._companions.after(one, {**after, **audit}, before, session)
        moved = () if before["LastModifiedById"] == session.user_id else ("LastModifiedById",)
        return {**after, **audit}, (*changed, *moved)

    def upsert(  # noqa: PLR0913 - the parameters of the call itself
        self, sobject: str, ext_field: str, value: str, fields: Mapping[str, object], session: Session, *, update_only: bool
    ) -> tuple[str, bool]:
        """Update the record with an external id, or create it; return its id and whether it was created."""
        one = self.object_type(sobject, session)
        field = one.field(ext_field)
        if (
            field is None
            or not (field.external_id or field.id_lookup or field.name == "Id")
            or not self._access.rights(session.user_id).reads(one, field)
        ):
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
            self._deletion.delete(one, row, session)

    def undelete(self, sobject: str, record_id: str, session: Session) -> None:
        """Take a record out of the recycle bin; its unique values must still be free."""
        one = self.object_type(sobject, session)
        with self._transactions.scope():
            row = self._existing(one, record_id, session)
            if not row["IsDeleted"]:
                raise OrgError(400, "UNDELETE_FAILED", "Entity is not in the recycle bin")
            self._deletion.undelete(row, session)

    def _rules(self, one: ObjectType, record_id: str, session: Session) -> None:
        if one.rules:
            self._expressions.check_rules(one, record_id, self._access.rights(session.user_id), self._clock.now())

    def _showers(self, one: ObjectType) -> list[tuple[str, Shower]]:
        """List the fields whose values events do not show as they are kept."""
        found = self._shown.get(one.name)
        if found is None:
            kept = (one.fields[name] for name in self._database.columns[one.name])
            found = self._shown[one.name] = [
                (each.name, shower(each)) for each in kept if each.type != "datetime" and shower(each) is not shower_of("string")
            ]
        return found

    def _changed(self, one: ObjectType, kind: ChangeKind, row: Row, changed: tuple[str, ...], session: Session) -> None:
        record: dict[str, Json] = dict(row)
        for name, show in self._showers(one):
            if (value := record[name]) is not None:
                record[name] = show(value)
        change = Change(one.name, str(row["Id"]), kind, changed, record, session)
        self._transactions.note(change)
        for listener in tuple(self.on_change):
            listener(change)
