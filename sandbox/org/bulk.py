"""Filling an org: many rows at once, still typed, without events, triggers or validation rules.

Must not be reachable from requests. Rows may set what requests may not: ids, audit fields, derived fields, deletion.
Invariant: every value has passed its field's reader, ids have the right prefix, required fields are there.
"""

import re
import sqlite3
from collections.abc import Mapping, Sequence
from itertools import chain

from sandbox.org import errors, ids
from sandbox.org.derive import Surroundings, derive
from sandbox.org.dml import Writer, auto_number
from sandbox.org.errors import OrgError
from sandbox.org.parts import Parts
from sandbox.org.schema import ObjectType
from sandbox.org.storage import Row
from sandbox.org.types import Session
from sandbox.org.values import Reader, check_target, reader, stamp

_UNIQUE = re.compile(r"\.(\w+)(?:\.UNIQUE)?'?$")


class Loader:
    """Loads rows of one org."""

    def __init__(self, parts: Parts, writer: Writer, system: Session) -> None:
        self._schema = parts.schema
        self._database = parts.database
        self._clock = parts.clock
        self._currency = parts.currency
        self._writer = writer
        self._system = system

    def load(self, sobject: str, rows: Sequence[Mapping[str, object]]) -> list[str]:
        """Insert rows; return their ids in order. Raises OrgError, and then nothing was loaded."""
        one = self._schema.get(sobject)
        if one is None or one.kind != "record":
            raise errors.not_found()
        readers = self._readers(one, rows)
        required = [f.name for f in one.fields.values() if not f.nillable and f.stored and f.createable]
        template = self._template(one)
        around = Surroundings(self._schema, self._database, str(template["CreatedDate"]))
        found = [self._row(one, each, readers, template, around) for each in rows]
        for row in found:
            missing = [name for name in required if row.get(name) is None]
            if missing:
                raise errors.required_missing(missing)
        try:
            self._database.insert(one, found)
        except sqlite3.IntegrityError as error:
            match = _UNIQUE.search(str(error))
            raise OrgError(400, "DUPLICATE_VALUE", f"duplicate value found: {match[1] if match else 'unknown'}") from error
        return [str(row["Id"]) for row in found]

    def _readers(self, one: ObjectType, rows: Sequence[Mapping[str, object]]) -> dict[str, tuple[str, Reader, bool]]:
        found = {}
        for name in dict.fromkeys(chain.from_iterable(rows)):
            field = one.field(name)
            if field is None or not field.stored:
                raise errors.no_such_column(name, one.name)
            found[name] = (field.name, reader(field), field.type == "reference")
        return found

    def _template(self, one: ObjectType) -> Row:
        now = self._clock.now()
        at, user = stamp(now), self._system.user_id
        row: Row = dict.fromkeys(self._database.columns[one.name])
        row.update(self._writer.defaults(one, {}, self._system, now))
        row.update(IsDeleted=0, CreatedDate=at, LastModifiedDate=at, SystemModstamp=at, CreatedById=user, LastModifiedById=user)
        if "OwnerId" in row:
            row["OwnerId"] = user
        if "CurrencyIsoCode" in row:
            row["CurrencyIsoCode"] = self._currency
        return row

    def _row(
        self,
        one: ObjectType,
        given: Mapping[str, object],
        readers: Mapping[str, tuple[str, Reader, bool]],
        template: Row,
        around: Surroundings,
    ) -> Row:
        row = dict(template)
        for key, value in given.items():
            name, read, lookup = readers[key]
            kept = read(value)
            if kept is None and row[name] is not None:
                continue
            if lookup and kept is not None:
                check_target(self._schema.of_id(str(kept)), one.fields[name], str(kept))
            row[name] = kept
        number = self._database.next_number(one)
        if row["Id"] is None:
            row["Id"] = ids.numbered(one.key_prefix, number)
        for each in self._writer.numbered(one):
            row[each.name] = row[each.name] or auto_number(each.auto_number or "", number, self._clock.now())
        if "SystemModstamp" not in given:
            row["SystemModstamp"] = row["LastModifiedDate"] = row["LastModifiedDate" if "LastModifiedDate" in given else "CreatedDate"]
        if one.custom and row.get("Name") is None:
            row["Name"] = str(row["Id"])[:15]
        derive(around, one, row, None)
        return row
