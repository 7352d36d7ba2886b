"""A small company's org: invoices with lines, written as DX source by builders."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.org.clock import Clock
from sandbox.org.metadata import load_schema
from sandbox.org.org import Org
from sandbox.org.schema import Schema
from sandbox.org.types import Change, Commit, QueryResult, Record

NOW = datetime(2026, 3, 2, 9, 30, 15, 250000, tzinfo=UTC)
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n<{tag} xmlns="http://soap.sforce.com/2006/04/metadata">{body}</{tag}>\n'


class Source:
    """Writes a DX source tree, one small file at a time."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, tag: str, body: str) -> None:
        """Write one metadata file."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_XML.format(tag=tag, body=body), encoding="utf-8")

    def object(self, name: str, label: str, **more: str) -> None:
        """Write an object."""
        body = "".join(f"<{key}>{value}</{key}>" for key, value in {"label": label, "pluralLabel": f"{label}s", **more}.items())
        self.write(f"objects/{name}/{name}.object-meta.xml", "CustomObject", body)

    def field(self, sobject: str, name: str, kind: str, **more: str) -> None:
        """Write a field."""
        given = {"fullName": name, "label": name.removesuffix("__c").replace("_", " "), "type": kind, **more}
        body = "".join(f"<{key}>{value}</{key}>" for key, value in given.items())
        self.write(f"objects/{sobject}/fields/{name}.field-meta.xml", "CustomField", body)


def values(*names: str, restricted: str = "true", default: str = "") -> str:
    """Write a picklist's value set."""
    each = "".join(
        f"<value><fullName>{name}</fullName><default>{str(name == default).lower()}</default><label>{name}</label></value>"
        for name in names
    )
    return f"<restricted>{restricted}</restricted><valueSetDefinition>{each}</valueSetDefinition>"


def grant(sobject: str, **flags: str) -> str:
    """Write one objectPermissions element; read, create and edit unless said otherwise."""
    given = {"allowRead": "true", "allowCreate": "true", "allowEdit": "true", "allowDelete": "false", **flags}
    return f"<objectPermissions>{''.join(f'<{k}>{v}</{k}>' for k, v in given.items())}<object>{sobject}</object></objectPermissions>"


def grant_field(name: str, *, editable: bool = True) -> str:
    """Write one fieldPermissions element."""
    return (
        f"<fieldPermissions><editable>{str(editable).lower()}</editable><field>{name}</field><readable>true</readable></fieldPermissions>"
    )


def write_invoices(source: Source) -> None:
    """Write the objects the tests speak of."""
    source.object(
        "Invoice__c",
        "Invoice",
        enableActivities="true",
        sharingModel="ReadWrite",
        nameField="<label>No</label><type>AutoNumber</type><displayFormat>INV-{0000}</displayFormat>",
    )
    source.field("Invoice__c", "Amount__c", "Currency", precision="16", scale="2", required="true")
    source.field("Invoice__c", "Paid__c", "Currency", precision="16", scale="2")
    source.field("Invoice__c", "Key__c", "Text", length="40", unique="true", externalId="true")
    source.field("Invoice__c", "Exact_Key__c", "Text", length="40", unique="true", externalId="true", caseSensitive="true")
    source.field("Invoice__c", "Ref__c", "Text", length="10", externalId="true")
    source.field("Invoice__c", "Due__c", "Date")
    source.field("Invoice__c", "Seen_At__c", "DateTime")
    source.field("Invoice__c", "Sent__c", "Checkbox", defaultValue="false")
    source.field("Invoice__c", "Count__c", "Number", precision="4", scale="0", defaultValue="3")
    source.field("Invoice__c", "Booked__c", "Date", defaultValue="TODAY() - 1")
    source.field("Invoice__c", "Status__c", "Picklist", valueSet=values("Open", "Late", "Paid", default="Open"))
    source.field("Invoice__c", "Topics__c", "MultiselectPicklist", valueSet=values("Gas", "Water", "Power"), visibleLines="3")
    source.field("Invoice__c", "Notes__c", "LongTextArea", length="2000", visibleLines="3")
    source.field("Invoice__c", "Mail__c", "Email")
    source.field("Invoice__c", "Discount__c", "Percent", precision="5", scale="2")
    source.field("Invoice__c", "Payer__c", "Lookup", referenceTo="Contact", relationshipName="Invoices")
    source.field("Invoice__c", "Account__c", "Lookup", referenceTo="Account", relationshipName="Invoices")
    source.field("Invoice__c", "Open_Amount__c", "Currency", precision="18", scale="2", formula="Amount__c - Paid__c")
    source.field("Invoice__c", "Days_Late__c", "Number", precision="18", scale="0", formula="IF(Due__c &lt; TODAY(), TODAY() - Due__c, 0)")
    source.field("Invoice__c", "Payer_Name__c", "Text", formula='Payer__r.FirstName &amp; " of " &amp; Payer__r.Account.Name')
    source.field("Invoice__c", "Is_Late__c", "Checkbox", formula='AND(Days_Late__c &gt; 0, NOT(ISPICKVAL(Status__c, "Paid")))')
    source.field(
        "Invoice__c",
        "Lines__c",
        "Summary",
        summaryForeignKey="Line__c.Invoice__c",
        summaryOperation="sum",
        summarizedField="Line__c.Price__c",
    )
    source.write(
        "objects/Invoice__c/validationRules/No_Refund.validationRule-meta.xml",
        "ValidationRule",
        "<fullName>No_Refund</fullName><active>true</active><errorConditionFormula>Paid__c &gt; Amount__c</errorConditionFormula>"
        "<errorDisplayField>Paid__c</errorDisplayField><errorMessage>More paid than owed</errorMessage>",
    )
    source.write(
        "objects/Invoice__c/recordTypes/Service.recordType-meta.xml",
        "RecordType",
        "<fullName>Service</fullName><active>true</active><label>Service</label>",
    )
    source.object("Line__c", "Line", sharingModel="ControlledByParent", nameField="<label>Line</label><type>Text</type>")
    source.field("Line__c", "Invoice__c", "MasterDetail", referenceTo="Invoice__c", relationshipName="Lines")
    source.field("Line__c", "Price__c", "Currency", precision="16", scale="2")
    source.object("Secret__c", "Secret", sharingModel="Private", nameField="<label>Secret</label><type>Text</type>")


def write_rest(source: Source) -> None:
    """Write events, permissions and what else an org has."""
    source.object("Paid__e", "Paid", eventType="HighVolume", publishBehavior="PublishAfterCommit")
    source.field("Paid__e", "Reference__c", "Text", length="20", required="true")
    source.field("Paid__e", "Amount__c", "Number", precision="16", scale="2")
    source.field("Activity", "Key__c", "Text", length="80", unique="true", externalId="true", caseSensitive="true")
    source.write(
        "platformEventChannelMembers/Case.platformEventChannelMember-meta.xml",
        "PlatformEventChannelMember",
        "<eventChannel>ChangeEvents</eventChannel><selectedEntity>CaseChangeEvent</selectedEntity>",
    )
    source.write(
        "queues/Desk.queue-meta.xml",
        "Queue",
        "<name>Front Desk</name><queueSobject><sobjectType>Case</sobjectType></queueSobject>"
        "<queueSobject><sobjectType>Secret__c</sobjectType></queueSobject>",
    )
    source.write(
        "permissionsets/Clerk.permissionset-meta.xml",
        "PermissionSet",
        grant_field("Invoice__c.Key__c")
        + grant_field("Invoice__c.Status__c", editable=False)
        + grant_field("Contact.MailingAddress")
        + grant("Contact", allowCreate="false", allowEdit="false")
        + grant("Invoice__c")
        + grant("Secret__c")
        + "<userPermissions><enabled>true</enabled><name>EditTask</name></userPermissions>",
    )


@pytest.fixture(scope="session")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Schema:
    """Give the schema of the company."""
    source = Source(tmp_path_factory.mktemp("dx"))
    write_invoices(source)
    write_rest(source)
    return load_schema([source.root])


@dataclass(slots=True)
class Log:
    """An event log that only remembers."""

    seen: list[tuple[str, Record]] = field(default_factory=list)

    def append(self, channel: str, payload: Record, *, event_uuid: str, at: datetime) -> int:
        """Keep an event."""
        assert event_uuid
        assert at.tzinfo is not None
        self.seen.append((channel, payload))
        return 100 + len(self.seen)


class Company:
    """An org with short words for what the tests do with it, as its administrator."""

    def __init__(self, schema: Schema, store: Path | None = None) -> None:
        self.clock = Clock(NOW)
        self.log = Log()
        self.org = Org(schema, self.clock, store=store, events=self.log)
        self.session = self.org.system
        self.changes: list[Change] = []
        self.commits: list[Commit] = []
        self.org.on_change.append(self.changes.append)
        self.org.on_commit.append(self.commits.append)

    def create(self, sobject: str, **fields: object) -> str:
        """Insert a record."""
        return self.org.create(sobject, fields, session=self.session)

    def update(self, sobject: str, record_id: str, **fields: object) -> None:
        """Change a record."""
        self.org.update(sobject, record_id, fields, session=self.session)

    def delete(self, sobject: str, record_id: str) -> None:
        """Delete a record."""
        self.org.delete(sobject, record_id, session=self.session)

    def invoice(self, **fields: object) -> str:
        """Insert an invoice over 100, unless said otherwise."""
        return self.create("Invoice__c", **{"Amount__c": 100, **fields})

    def query(self, soql: str, *, all_rows: bool = False, user_id: str | None = None) -> QueryResult:
        """Ask as the administrator, or as somebody else."""
        return self.org.query(soql, user_id=user_id or self.session.user_id, all_rows=all_rows)

    def column(self, soql: str, **more: bool) -> list[object]:
        """Give the values of the first column asked for."""
        return [next(value for key, value in each.items() if key != "attributes") for each in self.query(soql, **more).records]

    def read(self, sobject: str, record_id: str, *fields: str) -> Mapping[str, object]:
        """Read a record, without its attributes."""
        found = self.org.retrieve(sobject, record_id, fields or None, session=self.session)
        return {key: value for key, value in found.items() if key != "attributes"}


@pytest.fixture
def company(schema: Schema) -> Company:
    """Give a fresh org of the company."""
    return Company(schema)


@pytest.fixture
def open_company(schema: Schema) -> Callable[[Path], Company]:
    """Give the way to open the company's org on a file."""
    return lambda path: Company(schema, path)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """Give an empty DX source tree to write into."""
    return Source(tmp_path)
