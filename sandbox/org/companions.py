"""Records that come and go with others: the contact of a person account, the document behind a file's versions.

Must not check values: the record it accompanies has passed. Source: Salesforce Help, "Considerations for Using Person
Accounts"; Object Reference, ContentVersion. Invariant: a person account has one contact with the same values, a document one
latest version.
"""

from pathlib import PurePosixPath
from typing import Protocol

from sandbox.org import persons
from sandbox.org.errors import OrgError
from sandbox.org.parts import Parts
from sandbox.org.schema import ObjectType
from sandbox.org.setup import RecordType
from sandbox.org.storage import Row
from sandbox.org.types import Session


class Maker(Protocol):
    """Writes the rows of companions: the org's Writer."""

    def insert(self, one: ObjectType, given: Row, session: Session) -> Row:
        """Write a new row."""
        ...

    def created(self, one: ObjectType, row: Row, session: Session) -> None:
        """Tell what listens of a new row."""
        ...

    def change(self, one: ObjectType, before: Row, given: Row, session: Session) -> tuple[Row, tuple[str, ...]]:
        """Write to a row."""
        ...

    def updated(self, one: ObjectType, after: Row, changed: tuple[str, ...], session: Session) -> None:
        """Tell what listens of a changed row."""
        ...


class Companions:
    """Keeps companions together in one org."""

    def __init__(self, parts: Parts, maker: Maker) -> None:
        self._database = parts.database
        self._objects = parts.schema.objects
        self._maker = maker
        self._person = "PersonAccounts" in parts.schema.features
        self._kinds: dict[str, RecordType] = {
            each.developer_name: each
            for each in parts.schema.record_types
            if each.sobject == "Account" and (each.is_person or each.developer_name == "PersonAccount")
        }
        self._mirrors = persons.mirrors(self._objects["Account"], self._objects["Contact"]) if self._person else {}

    def has(self, one: ObjectType) -> bool:
        """Tell whether records of an object may have companions: then each is written before the next one is looked at."""
        return one.name == "ContentVersion" or (self._person and one.name in ("Account", "Contact"))

    def before(self, one: ObjectType, given: Row, before: Row | None, session: Session) -> None:
        """Settle what kind of account is written, and a file's document, before the row is. Raises OrgError."""
        if one.name == "Account" and self._person:
            person = self._is_person(given, before)
            persons.check(given, person=person)
            if person and before is None:
                given["IsPersonAccount"] = 1
                if given.get("RecordTypeId") is None:
                    given["RecordTypeId"] = self._person_type()
            if before is None and not person and given.get("Name") is None:
                raise OrgError(400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", ["Name"])
        elif one.name == "ContentVersion" and before is None:
            self._document(given, session)

    def _is_person(self, given: Row, before: Row | None) -> bool:
        if before is not None:
            return bool(before["IsPersonAccount"])
        if given.get("RecordTypeId") is not None:
            rows = self._database.rows('SELECT "DeveloperName" FROM "RecordType" WHERE "Id" = ?', (str(given["RecordTypeId"]),))
            return bool(rows) and str(rows[0][0]) in self._kinds
        return given.get("LastName") is not None

    def _person_type(self) -> str | None:
        name = next(iter(self._kinds), None)
        sql = 'SELECT "Id" FROM "RecordType" WHERE "SobjectType" = \'Account\' AND "DeveloperName" = ? AND "IsDeleted" = 0'
        rows = self._database.rows(sql, (name,))
        return str(rows[0][0]) if rows else None

    def after(self, one: ObjectType, row: Row, before: Row | None, session: Session) -> None:
        """Write to the companions of a row just written."""
        if one.name == "Account" and row.get("IsPersonAccount"):
            self._to_contact(row, before, session)
        elif one.name == "Contact" and self._person and before is not None and row.get("AccountId"):
            self._to_account(row, session)
        elif one.name == "ContentVersion" and before is None:
            self._links(row, session)

    def _to_contact(self, row: Row, before: Row | None, session: Session) -> None:
        contact = self._objects["Contact"]
        if before is None:
            given: Row = {there: row[here] for here, there in self._mirrors.items() if row[here] is not None}
            made = self._maker.insert(contact, {**given, "AccountId": row["Id"]}, session)
            row["PersonContactId"] = made["Id"]
            self._database.update(self._objects["Account"], str(row["Id"]), {"PersonContactId": made["Id"]})
            self._maker.created(contact, made, session)
            return
        known = self._database.get(contact, str(row["PersonContactId"]))
        given = {there: row[here] for here, there in self._mirrors.items() if known is not None and row[here] != known[there]}
        if known is not None and given:
            after, changed = self._maker.change(contact, known, given, session)
            self._maker.updated(contact, after, changed, session)

    def _to_account(self, row: Row, session: Session) -> None:
        account = self._objects["Account"]
        known = self._database.get(account, str(row["AccountId"]))
        if known is None or known["PersonContactId"] != row["Id"]:
            return
        given = {here: row[there] for here, there in self._mirrors.items() if known[here] != row[there]}
        if given:
            after, changed = self._maker.change(account, known, given, session)
            self._maker.updated(account, after, changed, session)

    def account_of(self, one: ObjectType, row: Row) -> str | None:
        """Give the person account that a contact is, or None."""
        if one.name != "Contact" or not self._person or not row.get("AccountId"):
            return None
        known = self._database.get(self._objects["Account"], str(row["AccountId"]))
        return str(known["Id"]) if known is not None and known["PersonContactId"] == row["Id"] and not known["IsDeleted"] else None

    def _document(self, given: Row, session: Session) -> None:
        """Make the document of a file's first version, or retire the version before."""
        if given.get("PathOnClient") is None and given.get("ContentUrl") is None:
            raise OrgError(400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [PathOnClient]", ["PathOnClient"])
        path = PurePosixPath(str(given.get("PathOnClient") or given.get("Title") or "link"))
        given["Title"] = given.get("Title") or path.stem
        given["FileExtension"] = path.suffix.removeprefix(".") or None
        given["FileType"] = (path.suffix.removeprefix(".") or "UNKNOWN").upper()[:20]
        data = str(given.get("VersionData") or "")
        given["ContentSize"] = len(data) * 3 // 4 - data[-2:].count("=")
        document = self._objects["ContentDocument"]
        if given.get("ContentDocumentId") is None:
            shown = {name: given[name] for name in ("Title", "FileExtension", "FileType", "ContentSize")}
            made = self._maker.insert(document, {**shown, "PublishStatus": "P"}, session)
            given |= {"ContentDocumentId": made["Id"], "VersionNumber": "1"}
            self._maker.created(document, made, session)
            return
        version = self._objects["ContentVersion"]
        earlier = self._database.live_ids(version, "ContentDocumentId", given["ContentDocumentId"])
        for each in earlier:
            self._database.update(version, each, {"IsLatest": 0})
        given["VersionNumber"] = str(len(earlier) + 1)

    def _links(self, row: Row, session: Session) -> None:
        document, link = self._objects["ContentDocument"], self._objects["ContentDocumentLink"]
        self._database.update(document, str(row["ContentDocumentId"]), {"LatestPublishedVersionId": row["Id"]})
        if row["VersionNumber"] != "1":
            return
        places = {str(row["OwnerId"]): "I"}
        if row.get("FirstPublishLocationId"):
            places[str(row["FirstPublishLocationId"])] = "V"
        for place, share in places.items():
            given: Row = {"LinkedEntityId": place, "ContentDocumentId": row["ContentDocumentId"], "ShareType": share}
            made = self._maker.insert(link, given, session)
            self._maker.created(link, made, session)
