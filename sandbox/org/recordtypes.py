"""Record types: which a user may use, which a new record gets, and the picklist values each offers.

Must not write. A user whose permission sets and profile name no record type of an object may use all of them. Source:
Salesforce Help, "Assign Record Types"; Metadata API Developer Guide, RecordType. Invariant: the master record type is null.
"""

from sandbox.org import errors
from sandbox.org.access import Access
from sandbox.org.errors import OrgError
from sandbox.org.schema import ObjectType, Schema
from sandbox.org.setup import RecordType
from sandbox.org.storage import Database, Row
from sandbox.org.types import Record, Session


class RecordTypes:
    """The record types of one org."""

    def __init__(self, schema: Schema, database: Database, access: Access) -> None:
        self._database = database
        self._access = access
        self._of = {name: [each for each in schema.record_types if each.sobject == name] for name in schema.objects}

    def _ids(self, sobject: str) -> dict[str, tuple[str, str, bool]]:
        sql = 'SELECT "Id", "DeveloperName", "Name", "IsActive" FROM "RecordType" WHERE "SobjectType" = ? AND "IsDeleted" = 0 ORDER BY "Id"'
        return {str(row[0]): (str(row[1]), str(row[2]), bool(row[3])) for row in self._database.rows(sql, (sobject,))}

    def _usable(self, sobject: str, user_id: str) -> tuple[frozenset[str] | None, str | None]:
        """Give the names a user may use (None = all) and the one new records get."""
        rights = self._access.rights(user_id)
        named = [each.partition(".") for each in rights.record_types]
        allowed = frozenset(name for place, _, name in named if place == sobject)
        default = next((name for place, _, name in (each.partition(".") for each in rights.default_record_types) if place == sobject), None)
        return (None if rights.user.is_admin or not allowed else allowed), default

    def infos(self, sobject: str, user_id: str) -> list[Record]:
        """Describe an object's record types as a user may use them; the master is not among them."""
        allowed, default = self._usable(sobject, user_id)
        return [
            {
                "active": active,
                "available": active and (allowed is None or name in allowed),
                "defaultRecordTypeMapping": name == default,
                "developerName": name,
                "master": False,
                "name": label,
                "recordTypeId": record_id,
            }
            for record_id, (name, label, active) in self._ids(sobject).items()
        ]

    def complete(self, one: ObjectType, given: Row, before: Row | None, session: Session) -> None:
        """Give a new record its record type and that type's defaults, and refuse what the type does not offer. Raises OrgError."""
        kinds = self._of.get(one.name)
        if not kinds or "RecordTypeId" not in one.fields:
            return
        known = self._ids(one.name)
        allowed, default = self._usable(one.name, session.user_id)
        if before is None and given.get("RecordTypeId") is None and default is not None:
            given["RecordTypeId"] = next((key for key, (name, _, active) in known.items() if name == default and active), None)
        chosen = given.get("RecordTypeId")
        if chosen is not None and (str(chosen) not in known or (allowed is not None and known[str(chosen)][0] not in allowed)):
            words = f"Record Type ID: this ID value isn't valid for the user: {chosen}"
            raise OrgError(400, "INVALID_CROSS_REFERENCE_KEY", words, ["RecordTypeId"])
        current = chosen if "RecordTypeId" in given else (before or {}).get("RecordTypeId")
        name = known[str(current)][0] if current is not None and str(current) in known else None
        found = next((each for each in kinds if each.developer_name == name), None)
        if found is not None:
            self._offer(one, found, given, creating=before is None)

    @staticmethod
    def _offer(one: ObjectType, kind: RecordType, given: Row, *, creating: bool) -> None:
        for field_name, value in kind.defaults.items():
            field = one.field(field_name)
            if creating and field is not None and given.get(field.name) is None:
                given[field.name] = value
        for field_name, values in kind.values.items():
            field = one.field(field_name)
            chosen = given.get(field.name) if field is not None else None
            if field is None or not field.restricted or chosen is None:
                continue
            wanted = str(chosen).split(";") if field.type == "multipicklist" else [str(chosen)]
            if any(each not in values for each in wanted):
                raise errors.bad_picklist(field.label, field.name, str(chosen))
