"""``dunwell deploy``: what is packed, what is asked of whom, and what an admin is told."""

import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from connector.cli.deployed import tell
from connector.salesforce.deploying import Deployed, Fault

CONSUMER = "extlClntAppGlobalOauthSets/Dunwell_glbloauth.ecaGlblOauth"


@pytest.fixture(scope="module")
def pair():
    """A certificate and its key, as text."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dunwell")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    signed = made.not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
    return signed.public_bytes(Encoding.PEM).decode(), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_the_package_can_be_kept_in_a_file_without_an_org(dunwell, tmp_path):
    """An admin who deploys by other means gets the zip; no login is needed, no language is in it unless asked for."""
    done = dunwell("deploy", "--to-file", str(tmp_path / "org.zip"))
    assert (done.status, done.err) == (0, "")
    assert "components in" in done.out
    names = set(zipfile.ZipFile(tmp_path / "org.zip").namelist())
    assert {"package.xml", "objects/Dunwell_Hold__c.object", "objects/cpm__Installment__c.object"} <= names
    assert not any(name.startswith(("objectTranslations", "translations")) for name in names)
    assert CONSUMER not in names
    assert dunwell("deploy", "--languages", "--to-file", str(tmp_path / "more.zip")).status == 0
    assert "translations/de.translation" in zipfile.ZipFile(tmp_path / "more.zip").namelist()


def test_a_preset_is_chosen_by_name(dunwell, tmp_path):
    """A name that is none is told with those that are."""
    done = dunwell("deploy", "--preset", "nobody", "--to-file", str(tmp_path / "org.zip"))
    assert (done.status, "there is no metadata for 'nobody'; there is: findock" in done.err) == (2, True)


def test_the_certificate_goes_into_the_package_and_nowhere_else(dunwell, tmp_path, pair):
    """The app's consumer is made with it; the source stays without."""
    certificate, _ = pair
    (tmp_path / "dunwell.crt").write_text(certificate)
    done = dunwell("deploy", "--certificate", str(tmp_path / "dunwell.crt"), "--to-file", str(tmp_path / "org.zip"))
    assert done.status == 0
    with zipfile.ZipFile(tmp_path / "org.zip") as archive:
        assert "".join(certificate.splitlines()[1:-1]) in archive.read(CONSUMER).decode()
        assert "<members>Dunwell_glbloauth</members>" in archive.read("package.xml").decode()


def test_a_private_key_is_refused_before_anything_is_packed(dunwell, tmp_path, pair):
    """A file with a key in it, and a file with nothing in it, are told apart; neither is sent."""
    (tmp_path / "both.pem").write_text("".join(pair))
    (tmp_path / "none.pem").write_text("nothing")
    for name, told in (("both.pem", "holds a private key"), ("none.pem", "not a certificate in PEM form"), ("gone.pem", "cannot be read")):
        done = dunwell("deploy", "--certificate", str(tmp_path / name), "--to-file", str(tmp_path / "org.zip"))
        assert (done.status, f"{name}: " in done.err, told in done.err) == (2, True, True)
    assert not (tmp_path / "org.zip").exists()


def test_an_org_without_the_api_is_told_in_one_line(dunwell, connected):
    """The sandbox has no Metadata API: the command says so, changes nothing and prints no half JSON."""
    done = dunwell("deploy", "--check-only", "--json", **connected)
    assert (done.status in (1, 2), done.out) == (True, "")
    assert len(done.err.strip().splitlines()) == 1


def test_another_org_is_never_deployed_to(dunwell, connected):
    """The organization id of the settings holds here too."""
    done = dunwell("deploy", "--check-only", **{**connected, "DUNWELL_ORG_ID": "00D000000000001EAA"})
    assert (done.status, "not 00D000000000001EAA" in done.err) == (2, True)


def test_what_came_of_it_is_one_json_value_or_a_line_for_each_file(capsys):
    """Programs read the id, the state and each fault; people read ``file: what``."""
    faults = (Fault("objects/A.object", "bad formula"),)
    failed = Deployed("0Af000000000001AAA", "Failed", check_only=True, components=3, faults=faults)
    tell(failed, as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "id": "0Af000000000001AAA", "state": "Failed", "check_only": True, "components": 3, "ok": False,
        "faults": [{"file": "objects/A.object", "what": "bad formula"}],
    }  # fmt: skip
    tell(failed, as_json=False)
    told = capsys.readouterr()
    assert (told.out, told.err.splitlines()[0]) == ("", "objects/A.object: bad formula")
    tell(Deployed("0Af000000000001AAA", "Succeeded", check_only=False, components=3), as_json=False)
    assert capsys.readouterr().out == "Deployed: 3 components, deployment 0Af000000000001AAA\n"
