"""Writes: create, update, upsert, delete, undelete, each whole or not at all.

Must not know HTTP. The steps of a write are those of the platform: values, defaults, derived fields, uniqueness, the row,
validation rules, then what listens. Invariant: after a refusal nothing of the write is left.
"""

from collections.abc import Callable, Mapping, Sequence

from sandbox.org import errors, ids
from sandbox.org.companions import Companions
from sandbox.org.conduct import Conduct
from sandbox.org.deletion import Deletion
from sandbox.org.derive import Surroundings, derive, has_derived
from sandbox.org.errors import OrgError
from sandbox.org.expressions import Expressions
from sandbox.org.newrow import NewRow, NewRows, told
from sandbox.org.parts import Parts
from sandbox.org.prepare import Preparation
from sandbox.org.schema import ObjectType
from sandbox.org.shown import Shown
from sandbox.org.storage import Row, filled
from sandbox.org.types import Change, ChangeKind, Session
from sandbox.org.unique import Unique
from sandbox.org.values import Shower, reader, shower, shower_of, stamp


class MultipleMatchesError(OrgError):
    """An upsert whose external id several records have; `matches` are their ids."""

    def __init__(self, matches: list[str]) -> None:
        super().__init__(300, "MULTIPLE_CHOICES", "more than one record found with that external id")
        self.matches = matches


class Writer:
    """Carries out the writes of one org."""

    def __init__(self, parts: Parts, expressions: Expressions) -> None:
        self._schema = parts.schema
        self._database = parts.database
        self._access = parts.access
        self._clock = parts.clock
        self._transactions = parts.transactions
        self._expressions = expressions
        self._prepare = Preparation(parts.schema, parts.database, parts.access)
        self._conduct = Conduct(parts)
        self._companions = Companions(parts, self)
        self._unique = Unique(parts.schema, parts.database)
        self._deletion = Deletion(parts, self._conduct, self._companions, self._unique, self._changed)
        self._shown: dict[str, Mapping[str, Shower]] = {}
        self.fresh = NewRows(parts, expressions)
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
        refused = self.uncreatable(one, session)
        if refused is not None:
            raise refused
        with self._transactions.scope():
            row = self.insert(one, self._prepare.values(one, fields, session, creating=True), session)
            record_id = str(row["Id"])
            self._rules(one, record_id, session)
            self.created(one, row, session)
        return record_id

    def uncreatable(self, one: ObjectType, session: Session) -> OrgError | None:
        """Say why nobody, or not this user, may create records of an object; None if nothing speaks against it."""
        if not one.createable:
            words = f"entity type cannot be inserted: {one.label}"
            return OrgError(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", words)
        return None if self._access.rights(session.user_id).on(one).create else errors.no_access()

    def insert(self, one: ObjectType, given: Row, session: Session) -> Row:
        """Write the row of a new record from prepared values; rules and what listens come after. Raises OrgError."""
        new = self.ready(one, given, session)
        (refused,) = self.write(one, [new], session)
        if refused is not None:
            raise refused
        return new.values

    def ready(self, one: ObjectType, given: Row, session: Session) -> NewRow:
        """Complete and check the row of a new record from prepared values, all but its unique values. Raises OrgError."""
        self._conduct.before(one, given, None, session, self.default_case_owner)
        self._companions.before(one, given, None, session)
        new = self.fresh.row(one, given, session)
        if new.shape.missing:
            raise errors.required_missing(new.shape.missing)
        return new

    def write(self, one: ObjectType, rows: Sequence[NewRow], session: Session) -> list[OrgError | None]:
        """Write rows that are ready; return, in their order, the refusals of those with a value that is taken."""
        refusals = self._unique.refusals(one, [each.values for each in rows])
        passed = [each for each, refused in zip(rows, refusals, strict=True) if refused is None]
        self._database.insert_shaped(one, ((each.shape.filled, each.values) for each in passed))
        for each in passed:
            self._companions.after(one, each.values, None, session)
        return refusals

    def accompanied(self, one: ObjectType) -> bool:
        """Tell whether writes of an object's rows write to other records too."""
        return self._companions.has(one)

    def created(self, one: ObjectType, row: Row, session: Session, changed: tuple[str, ...] | None = None) -> None:
        """Tell what listens that a record was created; `changed` are its changed fields, if they are known."""
        self._changed(one, "CREATE", row, told(filled(row)) if changed is None else changed, session)

    def _existing(self, one: ObjectType, record_id: str, session: Session) -> Row:
        known = ids.normal(record_id)
        if known is None or known[:3] != one.key_prefix:
            raise errors.not_found()
        return self._seen(one, self._database.get(one, known), session)

    def _seen(self, one: ObjectType, row: Row | None, session: Session) -> Row:
        if row is None:
            raise errors.not_found()
        if not self._access.sees(session.user_id, one, str(row["Id"])):
            raise errors.no_access()
        return row

    def _editable(self, one: ObjectType, row: Row, session: Session) -> None:
        if row["IsDeleted"]:
            raise errors.deleted()
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
        self._editable(one, before, session)
        return before

    def checked(self, one: ObjectType, row: Row | None, session: Session) -> Row:
        """Refuse to change a record, as it was read, that is not there or that the user may not change. Raises OrgError."""
        before = self._seen(one, row, session)
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
        self._prepare.check_required(one, given)
        after = {**before, **given}
        if has_derived(one):
            derive(Surroundings(self._schema, self._database, at), one, after, before)
            changed = {name: value for name, value in after.items() if value != before[name]}
        else:
            changed = self._database.in_order(one, {name: value for name, value in given.items() if value != before[name]})
        record_id = str(before["Id"])
        self._unique.check(one, changed, record_id)
        audit: Row = {"LastModifiedDate": at, "LastModifiedById": session.user_id, "SystemModstamp": at}
        after.update(audit)
        self._database.update(one, record_id, {**changed, **audit})
        self._companions.after(one, after, before, session)
        moved = () if before["LastModifiedById"] == session.user_id else ("LastModifiedById",)
        return after, (*changed, *moved)

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

    def _showers(self, one: ObjectType) -> Mapping[str, Shower]:
        """Give the fields whose values events do not show as they are kept, with what shows them."""
        found = self._shown.get(one.name)
        if found is None:
            kept = (one.fields[name] for name in self._database.columns[one.name])
            found = self._shown[one.name] = {
                each.name: shower(each) for each in kept if each.type != "datetime" and shower(each) is not shower_of("string")
            }
        return found

    def _changed(self, one: ObjectType, kind: ChangeKind, row: Row, changed: tuple[str, ...], session: Session) -> None:
        change = Change(one.name, str(row["Id"]), kind, changed, Shown(row, self._showers(one)), session)
        self._transactions.note(change)
        for listener in tuple(self.on_change):
            listener(change)
