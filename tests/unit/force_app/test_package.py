"""The package that is deployed: every file of the source once, every component named, every file valid; and how a deployment is sent and told."""

import base64
import io
import re
import zipfile
from functools import cache
from pathlib import Path

import pytest
import requests
import responses
import simple_salesforce
from lxml import etree

from connector.errors import ConfigError, TransientError
from connector.salesforce.auth import Credentials, TokenSource
from connector.salesforce.deploying import Fault, deploy, zipped
from connector.salesforce.dx_source import KINDS, NAMESPACE, package
from connector.salesforce.transport import Manner
from tests.support.org_side import FORCE_APP, METADATA, texts

XSD = "http://www.w3.org/2001/XMLSchema"
EVERYTHING = [FORCE_APP / one for one in ("main", "findock", "languages")]
ORG = "https://example.my.salesforce.com"
SOAP = f"{ORG}/services/Soap/m/66.0/deployRequest"
ID = "0Af000000000001AAA"


@pytest.fixture(scope="module")
def packed():
    """All that is shipped, in metadata format."""
    return package(EVERYTHING, "66.0")


@cache
def schema(*types: str) -> etree.XMLSchema:
    """The Metadata API's schema as simple-salesforce ships it, with a root element for each of ``types``."""
    wsdl = etree.parse(Path(simple_salesforce.__file__).with_name("metadata.wsdl"))
    found = wsdl.find(f".//{{{XSD}}}schema")
    for name in types:
        etree.SubElement(found, f"{{{XSD}}}element", name=name, type=f"tns:{name}")
    return etree.XMLSchema(etree.fromstring(etree.tostring(found)))


def test_every_file_is_valid_in_metadata_format(packed):
    """Objects put together again too: what is sent is what the API's own schema allows."""
    roots = {path: etree.fromstring(content) for path, content in packed.files.items()}
    checked = schema(*sorted({str(etree.QName(root).localname) for root in roots.values()}))
    for path, root in roots.items():
        assert checked.validate(root), (path, checked.error_log)
    assert len(roots) > 120


def test_every_file_of_the_source_is_sent_once(packed):
    """Nothing is left behind: each source file is a file of the package, or a part of an object."""
    wanted = sorted(path for folder in EVERYTHING for path in folder.rglob("*-meta.xml"))
    whole = {path.removeprefix("objects/").removesuffix(".object") for path in packed.files if path.startswith("objects/")}
    sent = set(packed.origins.values())
    for path in wanted:
        assert path in sent or path.parent.name in whole or path.parents[1].name in whole, path
    parts = sum(
        len(etree.fromstring(content).findall(f"{METADATA}fields")) for path, content in packed.files.items() if path.endswith(".object")
    )
    assert parts == len(list(FORCE_APP.rglob("*.field-meta.xml")))


def test_the_manifest_names_every_component(packed):
    """What the manifest does not name is not deployed, and what it names must be there."""
    root = etree.fromstring(packed.files["package.xml"])
    told = {
        one.findtext(f"{METADATA}name"): {m.text for m in one.findall(f"{METADATA}members")} for one in root.findall(f"{METADATA}types")
    }
    assert {kind: set(names) for kind, names in packed.members.items()} == told
    assert root.findtext(f"{METADATA}version") == "66.0"
    kinds = {one.name: (kind, one) for kind, one in KINDS.items()}
    for name, members in told.items():
        for member in members:
            kind, one = kinds[name]
            if one.folder == "objects":
                sobject, _, part = member.partition(".")
                held = etree.fromstring(packed.files[f"objects/{sobject}.object"])
                assert not part or part in texts(held, "fullName")
            elif one.in_folders or name in ("Report", "Dashboard"):
                ending = {"Report": "report", "Dashboard": "dashboard"}[name]
                assert f"{one.folder}/{member}.{ending}" in packed.files or f"{one.folder}/{member}-meta.xml" in packed.files
            else:
                assert f"{one.folder}/{member}.{kind}" in packed.files
    assert packed.components == sum(map(len, told.values()))


def test_an_object_is_put_together_with_all_its_parts(packed):
    """The object's own words, its fields, list views and highlights stand in one file; a standard object is not claimed."""
    hold = etree.fromstring(packed.files["objects/Dunwell_Hold__c.object"])
    assert hold.findtext(f"{METADATA}label") == "Hold"
    assert len(hold.findall(f"{METADATA}listViews")) == 3
    formula = hold.find(f"{METADATA}fields[{METADATA}fullName='Active__c']/{METADATA}formula").text
    assert "TODAY()" in formula
    assert "Account" not in packed.members["CustomObject"]
    assert "Account.Dunwell_Position__c" in packed.members["CustomField"]


def test_the_same_source_gives_the_same_zip(packed):
    """Two packings differ in nothing, so that a difference means a change."""
    assert zipped(packed) == zipped(package(EVERYTHING, "66.0"))
    with zipfile.ZipFile(io.BytesIO(zipped(packed))) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == set(packed.files)


def test_every_problem_of_the_source_is_told_at_once(tmp_path):
    """A file cut short, a kind nobody knows and a folder that is none are three lines, and nothing is sent."""
    (tmp_path / "tabs").mkdir()
    (tmp_path / "tabs" / "A__c.tab-meta.xml").write_text(f'<CustomTab xmlns="{NAMESPACE}"><motif>x')
    (tmp_path / "tabs" / "B.wave-meta.xml").write_text("<x/>")
    with pytest.raises(ConfigError) as told:
        package([tmp_path, tmp_path / "none"], "66.0")
    assert [problem.split(":")[0] for problem in told.value.problems] == ["B.wave-meta.xml", "none", "A__c.tab-meta.xml"]
    assert "A__c.tab-meta.xml:1: not well-formed" in told.value.problems[2]


def soap(operation: str, inner: str) -> str:
    """A reply as the Metadata API words it."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        f'xmlns="http://soap.sforce.com/2006/04/metadata"><soapenv:Body><{operation}Response><result>{inner}</result></{operation}Response>'
        "</soapenv:Body></soapenv:Envelope>"
    )


def status(state: str, done: int, *failures: tuple[str, str, str], of: int = 3) -> str:
    """A reply to ``checkDeployStatus``."""
    listed = "".join(
        f"<componentFailures><componentType>CustomField</componentType><fileName>{file}</fileName><problem>{problem}</problem>"
        f"<problemType>{kind}</problemType></componentFailures>"
        for file, problem, kind in failures
    )
    errors = sum(kind == "Error" for _, _, kind in failures)
    return soap(
        "checkDeployStatus",
        f"<details>{listed}</details><done>{str(state != 'InProgress').lower()}</done><id>{ID}</id><numberComponentErrors>{errors}</numberComponentErrors>"
        f"<numberComponentsDeployed>{done}</numberComponentsDeployed><numberComponentsTotal>{of}</numberComponentsTotal>"
        f"<numberTestErrors>0</numberTestErrors><numberTestsCompleted>0</numberTestsCompleted><numberTestsTotal>0</numberTestsTotal><status>{state}</status>",
    )


FAULT = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:sf="http://soap.sforce.com/2006/04/metadata"><soapenv:Body><soapenv:Fault><faultcode>sf:{code}</faultcode>'
    "<faultstring>{code}: {words}</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>"
)


class Deployment:
    """An org's Metadata API, answering in its own words, and a login."""

    def __init__(self, mocked: responses.RequestsMock, packed) -> None:
        self.mocked, self.packed = mocked, packed
        self.moves: list[tuple[str, int, int]] = []
        self.pauses: list[float] = []

    def sends(self, **more: object):
        """Begin and watch a deployment."""
        tokens = TokenSource(Credentials(login_url=ORG, method="token", access_token="00D000000000001!x", instance_url=ORG))
        manner = Manner("66.0", 5.0, "dunwell")
        moved = lambda at: self.moves.append((at.state, at.done, at.of))  # noqa: E731 - one line says it
        return deploy(tokens, manner, self.packed, on_progress=moved, sleep=self.pauses.append, **more)

    def takes(self) -> None:
        """It takes the zip and gives an id."""
        self.mocked.post(SOAP, body=soap("deploy", f"<done>false</done><id>{ID}</id><state>Queued</state>"), content_type="text/xml")

    def tells(self, *replies: str) -> None:
        """It is asked how far it is, again and again."""
        for one in replies:
            self.mocked.post(f"{SOAP}/{ID}", body=one, content_type="text/xml")

    @property
    def request(self) -> str:
        """What was sent first."""
        return str(self.mocked.calls[0].request.body)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A package of one tab: what is sent does not matter to how it is sent."""
    folder = tmp_path_factory.mktemp("source") / "tabs"
    folder.mkdir()
    (folder / "A__c.tab-meta.xml").write_text(f'<CustomTab xmlns="{NAMESPACE}"><customObject>true</customObject></CustomTab>')
    return package([folder.parent], "66.0")


@pytest.fixture
def org(small):
    """The org, strictly mocked: an address that is not expected is an error."""
    with responses.RequestsMock() as mocked:
        yield Deployment(mocked, small)


def test_a_deployment_is_sent_whole_and_watched_to_its_end(org):
    """All or nothing, no tests, the zip as it is; progress is told as the org tells it, with pauses that grow."""
    org.takes()
    org.tells(status("Pending", 0, of=0), status("InProgress", 1), status("Succeeded", 3))
    done = org.sends()
    assert (done.ok, done.id, done.components, done.check_only) == (True, ID, 3, False)
    assert org.moves == [("Pending", 0, 1), ("InProgress", 1, 3), ("Succeeded", 3, 3)]
    assert org.pauses == [1.0, 1.5]
    said = dict(re.findall(r"<met:(\w+)>([^<]*)</met:\1>", org.request))
    assert base64.b64decode(said.pop("ZipFile")) == zipped(org.packed)
    assert said == {
        "client": "dunwell", "sessionId": "00D000000000001!x", "checkOnly": "false", "rollbackOnError": "true", "testLevel": "NoTestRun",
        "allowMissingFiles": "false", "autoUpdatePackage": "false", "ignoreWarnings": "false", "performRetrieve": "false", "purgeOnDelete": "false",
        "singlePackage": "True",
    }  # fmt: skip
    assert "None" not in org.request


def test_a_check_changes_nothing(org):
    """``--check-only`` is asked of the org itself."""
    org.takes()
    org.tells(status("Succeeded", 3))
    assert org.sends(check_only=True).check_only
    assert "<met:checkOnly>true</met:checkOnly>" in org.request


def test_errors_are_told_file_by_file_and_warnings_are_none(org):
    """Each file with what is wrong with it, in an order that stays."""
    org.takes()
    failures = [
        ("objects/B.object", "no such field", "Error"),
        ("objects/A.object", "bad formula", "Error"),
        ("tabs/C.tab", "beware", "Warning"),
    ]
    org.tells(status("Failed", 0, *failures))
    done = org.sends()
    assert (done.ok, [str(one) for one in done.faults]) == (False, ["objects/A.object: bad formula", "objects/B.object: no such field"])


def test_an_end_without_a_reason_is_a_fault_too(org):
    """Canceled in Setup is not success."""
    org.takes()
    org.tells(status("Canceled", 1))
    assert org.sends().faults == (Fault("package.xml", "the deployment ended as Canceled; Setup > Deployment Status says why"),)


def test_a_moment_of_silence_while_watching_is_borne(org):
    """The org is busy with the deployment: three unanswered questions do not end the watch."""
    org.takes()
    org.mocked.post(f"{SOAP}/{ID}", status=503, body="busy")
    org.tells(status("Succeeded", 3))
    assert org.sends().ok


def test_patience_has_an_end(org):
    """A deployment that goes on is left to the org, and its id is told."""
    org.takes()
    org.tells(status("InProgress", 1))
    with pytest.raises(TransientError, match=f"deployment {ID} goes on in the org"):
        org.sends(patience=5.0)


@pytest.mark.parametrize(
    ("code", "words", "told"),
    [
        (
            "INSUFFICIENT_ACCESS",
            "use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions",
            "requires a user with",
        ),
        ("INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader", "log in anew"),
    ],
)
def test_a_refusal_is_for_an_admin(org, code, words, told):
    """Who may not deploy is told what is missing."""
    org.mocked.post(SOAP, status=500, body=FAULT.format(code=code, words=words), content_type="text/xml")
    with pytest.raises(ConfigError, match=told):
        org.sends()


def test_a_lost_answer_is_not_sent_again(org):
    """Whether it began is not known: a person looks, nothing is sent twice."""
    org.mocked.post(SOAP, body=requests.ConnectionError("reset"))
    with pytest.raises(TransientError, match="whether the deployment began is not known"):
        org.sends()
    assert len(org.mocked.calls) == 1
