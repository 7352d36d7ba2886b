"""Reads: queries, single records, describes, all as one user sees them.

Must not write. Invariant: every read goes through the rights of a user, the system's own included.
"""

from base64 import b64decode
from collections.abc import Sequence

from sandbox.org import errors, ids
from sandbox.org.describe import describe_object, describe_summary
from sandbox.org.dml import MultipleMatchesError
from sandbox.org.parts import Parts, Viewer
from sandbox.org.recordtypes import RecordTypes
from sandbox.org.schema import ObjectType
from sandbox.org.soql.run import Queries, Reading
from sandbox.org.soql.stream import RowStream
from sandbox.org.types import QueryResult, Record
from sandbox.org.values import reader


class Reader:
    """Answers the reads of one org."""

    def __init__(self, parts: Parts) -> None:
        self._schema = parts.schema
        self._database = parts.database
        self._access = parts.access
        self._clock = parts.clock
        self._queries = Queries(parts.schema, parts.database, parts.time_zone, parts.currency)
        self._record_types = RecordTypes(parts.schema, parts.database, parts.access)

    def _reading(self, viewer: Viewer, *, all_rows: bool) -> Reading:
        return Reading(self._access.rights(viewer.user_id), self._clock.now(), viewer.api_version, all_rows)

    def query(self, soql: str, viewer: Viewer, *, all_rows: bool) -> QueryResult:
        """Answer a SOQL statement."""
        return self._queries.answer(soql, self._reading(viewer, all_rows=all_rows))

    def stream(self, soql: str, viewer: Viewer, *, all_rows: bool) -> RowStream:
        """Open a stream over the rows of a SOQL statement."""
        return self._queries.stream(soql, self._reading(viewer, all_rows=all_rows))

    def _object(self, name: str, user_id: str) -> ObjectType:
        one = self._schema.get(name)
        if one is None or not self._access.rights(user_id).on(one).read:
            raise errors.not_found()
        return one

    def _paths(self, one: ObjectType, names: Sequence[str] | None, user_id: str) -> tuple[str, ...]:
        rights = self._access.rights(user_id)
        if names is None:
            return tuple(each.name for each in one.fields.values() if rights.reads(one, each))
        found: dict[str, None] = {}
        for name in names:
            field = one.field(name)
            if "." not in name and (field is None or not rights.reads(one, field)):
                raise errors.no_such_column(name, one.name)
            found[field.name if field is not None else name] = None
        return tuple(found)

    def records(self, sobject: str, record_ids: Sequence[str], names: Sequence[str] | None, viewer: Viewer) -> list[Record | None]:
        """Read records by id, in the order of the ids; None for one that is not there or not to be seen."""
        one = self._object(sobject, viewer.user_id)
        known = [ids.normal(each) for each in record_ids]
        paths = self._paths(one, names, viewer.user_id) or ("Id",)
        reading = self._reading(viewer, all_rows=False)
        wanted = dict.fromkeys(each for each in known if each and each[:3] == one.key_prefix)
        found = {each: self._queries.record(one.name, each, paths, reading) for each in wanted}
        return [found.get(each) if each else None for each in known]

    def record(self, sobject: str, record_id: str, names: Sequence[str] | None, viewer: Viewer) -> Record:
        """Read one record. Raises OrgError NOT_FOUND or ENTITY_IS_DELETED."""
        one = self._object(sobject, viewer.user_id)
        found = self.records(sobject, [record_id], names, viewer)[0]
        if found is not None:
            return found
        known = ids.normal(record_id)
        row = self._database.get(one, known) if known and one.kind == "record" else None
        if row is not None and row["IsDeleted"] and self._access.sees(viewer.user_id, one, str(row["Id"])):
            raise errors.deleted()
        raise errors.not_found()

    def record_by(self, sobject: str, ext_field: str, value: str, names: Sequence[str] | None, viewer: Viewer) -> Record:
        """Read one record by an external id. Raises OrgError NOT_FOUND, or MultipleMatchesError."""
        one = self._object(sobject, viewer.user_id)
        field = one.field(ext_field)
        if field is None or not (field.external_id or field.id_lookup or field.name == "Id"):
            raise errors.no_external_id(ext_field)
        matches = self._database.live_ids(one, field.name, reader(field)(value))
        if len(matches) > 1:
            raise MultipleMatchesError(matches)
        if not matches:
            raise errors.not_found()
        return self.record(sobject, matches[0], names, viewer)

    def data(self, sobject: str, record_id: str, name: str, viewer: Viewer) -> bytes:
        """Read the bytes in a field of a record. Raises OrgError NOT_FOUND."""
        found = self.record(sobject, record_id, [name], viewer)
        if found[name] is None:
            raise errors.not_found()
        row = self._database.get(self._object(sobject, viewer.user_id), str(ids.normal(record_id)))
        return b64decode(str((row or {})[name]))

    def describe(self, sobject: str, viewer: Viewer) -> Record:
        """Describe an object in full. Raises OrgError NOT_FOUND."""
        one = self._object(sobject, viewer.user_id)
        kinds = self._record_types.infos(one.name, viewer.user_id)
        return describe_object(self._schema, one, self._access.rights(viewer.user_id), viewer.api_version, kinds)

    def describe_global(self, viewer: Viewer) -> Record:
        """List the objects a user may read."""
        rights = self._access.rights(viewer.user_id)
        listed = [describe_summary(one, rights, viewer.api_version) for one in self._schema.objects.values() if rights.on(one).read]
        return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": sorted(listed, key=lambda each: str(each["name"]))}
