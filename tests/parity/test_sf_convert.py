"""``sf project convert source`` and our own converter make the same of our source."""

import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from connector.salesforce.dx_source import NAMESPACE, package
from tests.parity.cli import Cli
from tests.parity.nodes import sf_command

ROOT = Path(__file__).resolve().parents[2]
TAG = f"{{{NAMESPACE}}}"


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """What the command line makes of the whole source: no org, a home of its own."""
    folder = tmp_path_factory.mktemp("convert")
    shutil.copytree(ROOT / "force-app", folder / "force-app")
    shutil.copy(ROOT / "sfdx-project.json", folder)
    done = Cli(sf_command(), folder)("project", "convert", "source", "--root-dir", "force-app", "--output-dir", "out", "--json")
    assert done.status == 0, done.out[-2000:] + done.err[-2000:]
    return folder / "out"


@pytest.fixture(scope="module")
def ours():
    """What we send."""
    return package([one for one in sorted((ROOT / "force-app").iterdir()) if one.is_dir()], "66.0")


def plain(element: ET.Element) -> tuple[object, ...]:
    """An element without its layout."""
    return (element.tag, (element.text or "").strip(), tuple(plain(one) for one in element))


def test_the_same_files_with_the_same_content(converted, ours):
    """Every file under the same path; the parts of an object may stand in another order."""
    theirs = {path.relative_to(converted).as_posix() for path in converted.rglob("*") if path.is_file()}
    assert theirs == set(ours.files)
    for path in theirs - {"package.xml"}:
        root = ET.fromstring(ours.files[path])  # noqa: S314 - our own file
        other = ET.parse(converted / path).getroot()  # noqa: S314 - made of our own file
        assert root.tag == other.tag
        assert sorted(map(repr, map(plain, root))) == sorted(map(repr, map(plain, other))), path


def test_the_same_components_in_the_manifest(converted, ours):
    """Type by type; a folder is written with a slash by the one and without by the other, and both are taken."""
    root = ET.parse(converted / "package.xml").getroot()  # noqa: S314 - made of our own source
    theirs = {
        str(one.findtext(f"{TAG}name")): sorted(str(member.text).rstrip("/") for member in one.findall(f"{TAG}members"))
        for one in root.findall(f"{TAG}types")
    }
    assert theirs == {kind: sorted(members) for kind, members in ours.members.items()}
