"""An org with a parent and its lines, served in a thread, and a small client of Bulk API 2.0."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from sandbox.options import Options
from sandbox.org.clock import Clock
from sandbox.org.metadata import load_schema
from sandbox.org.org import Org
from sandbox.server import Box, Setup
from sandbox.streaming.log import EventLog
from sandbox.worlds.hiring import ADMIN

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
XMLNS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
KEY = "<caseSensitive>true</caseSensitive><externalId>true</externalId><length>40</length><type>Text</type><unique>true</unique>"
NUMBER = "<precision>5</precision><scale>1</scale><type>Number</type>"
PAYER_FIELDS = {
    "Key__c": KEY,
    "Code__c": KEY.replace("true</caseSensitive>", "false</caseSensitive>"),
    "Parent__c": "<referenceTo>Payer__c</referenceTo><relationshipName>Children</relationshipName><type>Lookup</type>",
}
LINE_FIELDS = {
    "Key__c": KEY,
    "Ref__c": KEY.replace("<unique>true</unique>", ""),
    "Payer__c": "<referenceTo>Payer__c</referenceTo><relationshipLabel>Lines</relationshipLabel><relationshipName>Lines</relationshipName>"
    "<relationshipOrder>0</relationshipOrder><type>MasterDetail</type>",
    "Account__c": "<referenceTo>Account</referenceTo><relationshipName>Lines</relationshipName><type>Lookup</type>",
    "Amount__c": "<precision>18</precision><scale>2</scale><type>Currency</type>",
    "Day__c": "<type>Date</type>",
    "At__c": "<type>DateTime</type>",
    "Done__c": "<defaultValue>false</defaultValue><type>Checkbox</type>",
    "Text__c": "<length>1000</length><type>LongTextArea</type><visibleLines>3</visibleLines>",
}


def write_object(root: Path, name: str, sharing: str, fields: dict[str, str], rule: str = "") -> None:
    """Write one object and its fields as SFDX source."""
    folder = root / "objects" / name
    (folder / "fields").mkdir(parents=True)
    named = "<nameField><label>Name</label><type>Text</type></nameField>"
    body = f"<label>{name[:-3]}</label><pluralLabel>{name[:-3]}s</pluralLabel><deploymentStatus>Deployed</deploymentStatus>{named}"
    text = f"{HEAD}<CustomObject {XMLNS}>{body}<sharingModel>{sharing}</sharingModel></CustomObject>"
    (folder / f"{name}.object-meta.xml").write_text(text)
    for field_name, more in fields.items():
        text = f"{HEAD}<CustomField {XMLNS}><fullName>{field_name}</fullName><label>{field_name[:-3]}</label>{more}</CustomField>"
        (folder / "fields" / f"{field_name}.field-meta.xml").write_text(text)
    if rule:
        (folder / "validationRules").mkdir()
        parts = f"<fullName>Rule</fullName><active>true</active><errorConditionFormula>{rule}</errorConditionFormula>"
        text = f"{HEAD}<ValidationRule {XMLNS}>{parts}<errorDisplayField>Amount__c</errorDisplayField><errorMessage>Too low</errorMessage></ValidationRule>"
        (folder / "validationRules" / "Rule.validationRule-meta.xml").write_text(text)


def write_event(root: Path, name: str, fields: dict[str, str]) -> None:
    """Write one platform event as SFDX source."""
    write_object(root, name, "ReadWrite", fields)
    body = f"<label>{name[:-3]}</label><pluralLabel>{name[:-3]}s</pluralLabel><deploymentStatus>Deployed</deploymentStatus>"
    more = "<eventType>HighVolume</eventType><publishBehavior>PublishAfterCommit</publishBehavior>"
    (root / "objects" / name / f"{name}.object-meta.xml").write_text(f"{HEAD}<CustomObject {XMLNS}>{body}{more}</CustomObject>")


@pytest.fixture(scope="session")
def dx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test package's source, written once."""
    root = tmp_path_factory.mktemp("bulk-dx")
    write_object(root, "Payer__c", "ReadWrite", PAYER_FIELDS)
    write_object(root, "Line__c", "ControlledByParent", LINE_FIELDS, "Amount__c &lt; 0")
    write_event(root, "Signal__e", {"Note__c": "<length>10</length><required>true</required><type>Text</type>", "Weight__c": NUMBER})
    members = root / "platformEventChannelMembers"
    members.mkdir()
    selected = "<eventChannel>ChangeEvents</eventChannel><selectedEntity>Line__ChangeEvent</selectedEntity>"
    text = f"{HEAD}<PlatformEventChannelMember {XMLNS}>{selected}</PlatformEventChannelMember>"
    (members / "ChangeEvents_Line.platformEventChannelMember-meta.xml").write_text(text)
    return root


@dataclass
class Client:
    """A client of Bulk API 2.0 with one user's token."""

    box: Box
    username: str = ADMIN
    version: str = "66.0"
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.headers["Authorization"] = f"Bearer {self.box.token(self.username)}"

    def __call__(self, method: str, path: str, **rest: object) -> requests.Response:
        """One request below ``/services/data/vXX.0/``; an absolute path is taken as it is."""
        url = path if path.startswith("/") else f"/services/data/v{self.version}/{path}"
        return self.session.request(method, self.box.instance_url + url, timeout=20, **rest)  # type: ignore[arg-type]

    def make(self, kind: str = "ingest", **asked: str) -> dict[str, object]:
        """Create a job that must be accepted."""
        reply = self("POST", f"jobs/{kind}", json=asked)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def put(self, job_id: object, text: str | bytes) -> requests.Response:
        """Upload CSV."""
        data = text.encode() if isinstance(text, str) else text
        return self("PUT", f"jobs/ingest/{job_id}/batches", data=data, headers={"Content-Type": "text/csv"})

    def ended(self, job_id: object, kind: str = "ingest") -> dict[str, object]:
        """Poll a job until it has ended."""
        for _ in range(5000):
            job = self("GET", f"jobs/{kind}/{job_id}").json()
            if job["state"] in ("JobComplete", "Failed", "Aborted"):
                return job
        raise AssertionError(f"the job stayed {job['state']}")

    def load(self, text: str | bytes, operation: str = "insert", sobject: str = "Line__c", **asked: str) -> dict[str, object]:
        """Run an ingest job to its end."""
        job_id = self.make(operation=operation, object=sobject, **asked)["id"]
        assert self.put(job_id, text).status_code == 201
        assert self("PATCH", f"jobs/ingest/{job_id}", json={"state": "UploadComplete"}).status_code == 200
        return self.ended(job_id)

    def rows(self, job: dict[str, object], what: str = "successfulResults", delimiter: str = ",") -> list[dict[str, str]]:
        """Results of an ingest job."""
        reply = self("GET", f"jobs/ingest/{job['id']}/{what}")
        assert reply.status_code == 200, reply.text
        return list(csv.DictReader(io.StringIO(reply.content.decode(), newline=""), delimiter=delimiter))

    def ask(self, soql: str, **asked: str) -> dict[str, object]:
        """Run a query job to its end."""
        return self.ended(self.make("query", **{"operation": "query", "query": soql, **asked})["id"], "query")

    def page(self, job: dict[str, object], **params: object) -> requests.Response:
        """A page of the results of a query job."""
        return self("GET", f"jobs/query/{job['id']}/results", params=params)

    def records(self, soql: str) -> list[dict[str, object]]:
        """The rows of a REST query."""
        reply = self("GET", "query", params={"q": soql})
        assert reply.status_code == 200, reply.text
        return [{key: value for key, value in one.items() if key != "attributes"} for one in reply.json()["records"]]

    def payers(self, count: int) -> list[str]:
        """Make parents P0, P1 ... and return their ids."""
        made = self.load("Name,Key__c\n" + "".join(f"P{n},P{n}\n" for n in range(count)), sobject="Payer__c")
        return [row["sf__Id"] for row in self.rows(made)]

    def option(self, **changed: object) -> None:
        """Turn a knob of the org."""
        self.box.run(lambda: [setattr(self.box.platform.options, name, value) for name, value in changed.items()])


@pytest.fixture
def make_box(dx: Path) -> Iterator[Callable[..., Box]]:
    """Starts served orgs with the options given."""
    started = []

    def start(**options: object) -> Box:
        def make_org(setup: Setup, log: EventLog) -> Org:
            return Org(load_schema([dx]), Clock(setup.now), events=log)

        box = Box(Setup(now=NOW, options=Options(**options)), make_org)  # type: ignore[arg-type]
        box.__enter__()
        started.append(box)
        return box

    yield start
    for box in started:
        box.__exit__(None, None, None)


@pytest.fixture
def box(make_box: Callable[..., Box]) -> Box:
    """A served org whose clock is frozen."""
    return make_box()


@pytest.fixture
def make_client() -> Iterator[Callable[..., Client]]:
    """Makes clients whose connections are closed in the end."""
    made = []

    def make(box: Box, *more: str) -> Client:
        made.append(Client(box, *more))
        return made[-1]

    yield make
    for one in made:
        one.session.close()


@pytest.fixture
def bulk(box: Box, make_client: Callable[..., Client]) -> Client:
    """An administrator's client."""
    return make_client(box)
