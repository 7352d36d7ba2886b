"""An org of a few objects, served in a thread, and a small client to speak to it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from sandbox.org.clock import Clock
from sandbox.org.metadata import load_schema
from sandbox.org.org import Org
from sandbox.server import Box, Setup
from sandbox.streaming.log import EventLog

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
XMLNS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'


def write_object(root: Path, name: str, body: str, fields: dict[str, str]) -> None:
    """Write one object and its fields as SFDX source."""
    folder = root / "objects" / name
    (folder / "fields").mkdir(parents=True)
    (folder / f"{name}.object-meta.xml").write_text(
        f"{HEAD}<CustomObject {XMLNS}><label>{name}</label><pluralLabel>{name}s</pluralLabel>{body}</CustomObject>"
    )
    for field_name, text in fields.items():
        xml = f"{HEAD}<CustomField {XMLNS}><fullName>{field_name}</fullName><label>{field_name}</label>{text}</CustomField>"
        (folder / "fields" / f"{field_name}.field-meta.xml").write_text(xml)


def write_dx(root: Path) -> Path:
    """A package of one keyed object, two events, and channels with and without additions."""
    deployed = "<deploymentStatus>Deployed</deploymentStatus>"
    name_field = "<nameField><label>Name</label><type>Text</type></nameField><sharingModel>ReadWrite</sharingModel>"
    key = "<caseSensitive>true</caseSensitive><externalId>true</externalId><length>80</length><type>Text</type><unique>true</unique>"
    amount = "<precision>18</precision><scale>2</scale><type>Currency</type>"
    write_object(
        root, "Thing__c", deployed + name_field, {"Key__c": key, "Ref__c": key.replace("<unique>true</unique>", ""), "Amount__c": amount}
    )
    event = f"{deployed}<eventType>HighVolume</eventType><publishBehavior>PublishAfterCommit</publishBehavior>"
    write_object(root, "Outcome__e", event, {"Reference__c": "<length>80</length><type>Text</type>", "Amount__c": amount})
    at_once = event.replace("PublishAfterCommit", "PublishImmediately")
    write_object(root, "Alarm__e", at_once, {"Text__c": "<length>5</length><required>true</required><type>Text</type>"})
    allowed = "<allowCreate>true</allowCreate><allowDelete>false</allowDelete><allowEdit>false</allowEdit><allowRead>true</allowRead>"
    rows = "".join(
        f"<objectPermissions>{allowed}<modifyAllRecords>false</modifyAllRecords><object>{name}</object><viewAllRecords>{all_rows}</viewAllRecords></objectPermissions>"
        for name, all_rows in (("Case", "true"), ("Outcome__e", "false"))
    )
    (root / "permissionsets").mkdir()
    (root / "permissionsets" / "Listener.permissionset-meta.xml").write_text(
        f"{HEAD}<PermissionSet {XMLNS}><label>Listener</label>{rows}</PermissionSet>"
    )
    members = root / "platformEventChannelMembers"
    members.mkdir()
    more = "<enrichedFields><name>Key__c</name></enrichedFields>"
    for channel, entity, enriched in (
        ("ChangeEvents", "CaseChangeEvent", ""),
        ("ChangeEvents", "Thing__ChangeEvent", ""),
        ("Sales__chn", "Thing__ChangeEvent", more),
        ("Both__chn", "Outcome__e", ""),
        ("Both__chn", "Alarm__e", ""),
    ):
        xml = f"{HEAD}<PlatformEventChannelMember {XMLNS}>{enriched}<eventChannel>{channel}</eventChannel><selectedEntity>{entity}</selectedEntity></PlatformEventChannelMember>"
        (members / f"{channel}_{entity}.platformEventChannelMember-meta.xml").write_text(xml)
    return root


@dataclass
class Caller:
    """A REST client with one user's token."""

    box: Box
    username: str
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.headers["Authorization"] = f"Bearer {self.box.token(self.username)}"

    def __call__(self, method: str, path: str, **rest: object) -> requests.Response:
        """One request below ``/services/data/v66.0/``; an absolute path is taken as it is."""
        url = path if path.startswith("/") else f"/services/data/v66.0/{path}"
        return self.session.request(method, self.box.instance_url + url, timeout=10, **rest)  # type: ignore[arg-type]

    def create(self, sobject: str, **fields: object) -> str:
        """Create a record and return its id."""
        reply = self("POST", f"sobjects/{sobject}", json=fields)
        assert reply.status_code == 201, reply.text
        return str(reply.json()["id"])


def admin(box: Box, path: str, body: object = None, method: str | None = None) -> object:
    """One request to the admin port, refused or not."""
    reply = requests.request(method or ("GET" if body is None else "POST"), box.admin_url + path, json=body, timeout=10)
    assert reply.status_code == 200, reply.text
    return reply.json()


@pytest.fixture(scope="session")
def dx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test package's source, written once."""
    return write_dx(tmp_path_factory.mktemp("dx"))


@pytest.fixture(scope="session")
def make_org(dx: Path) -> Callable[[Setup, EventLog], Org]:
    """Builds an org of standard objects and the test package."""
    return lambda setup, log: Org(load_schema([dx]), Clock(setup.now), events=log)


@pytest.fixture
def box(make_org: Callable[[Setup, EventLog], Org]) -> Iterator[Box]:
    """A served org whose clock is frozen."""
    with Box(Setup(now=NOW), make_org) as served:
        yield served


@pytest.fixture
def call(box: Box) -> Iterator[Caller]:
    """A REST client of an administrator."""
    caller = Caller(box, "admin@sandbox.example")
    with caller.session:
        yield caller


@pytest.fixture(name="admin")
def admin_fixture(box: Box) -> Callable[..., object]:
    """Requests to the admin port: ``admin(path[, body][, method])``."""
    return lambda path, body=None, method=None: admin(box, path, body, method)
