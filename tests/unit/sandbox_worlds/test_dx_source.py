"""The committed DX source is what a real org would accept, as far as that can be told without one."""

from functools import cache
from pathlib import Path

import pytest
import simple_salesforce
from lxml import etree

ROOT = Path(__file__).resolve().parents[3]
METADATA = "http://soap.sforce.com/2006/04/metadata"
XSD = "http://www.w3.org/2001/XMLSchema"
SOURCES = [ROOT / "force-app", *(ROOT / "sandbox" / "worlds" / world / "dx" for world in ("findock", "plain"))]
FILES = sorted(path for source in SOURCES for path in source.rglob("*-meta.xml"))


def root_type(path: Path) -> str:
    """The metadata type that a file says it holds."""
    return str(etree.QName(etree.parse(path).getroot()).localname)


@cache
def metadata_schema() -> etree.XMLSchema:
    """The Metadata API's own schema, with one global element for each type that our files use.

    Source: the xsd:schema inside simple_salesforce/metadata.wsdl.
    """
    wsdl = etree.parse(Path(simple_salesforce.__file__).with_name("metadata.wsdl"))
    schema = wsdl.find(f".//{{{XSD}}}schema")
    assert schema is not None
    for name in sorted({root_type(path) for path in FILES}):
        etree.SubElement(schema, f"{{{XSD}}}element", name=name, type=f"tns:{name}")
    return etree.XMLSchema(etree.fromstring(etree.tostring(schema)))


def fields_of(source: Path) -> dict[str, etree._Element]:
    """Every custom field under a directory, as ``Object.Field`` → its root element."""
    found = {}
    for path in source.rglob("*.field-meta.xml"):
        found[f"{path.parents[1].name}.{path.name.removesuffix('.field-meta.xml')}"] = etree.parse(path).getroot()
    return found


def text(element: etree._Element, name: str) -> str | None:
    """Text of a direct child, None where there is none."""
    found = element.find(f"{{{METADATA}}}{name}")
    return None if found is None else str(found.text)


def test_there_is_source_to_check() -> None:
    """A moved directory must not make every other check here pass by checking nothing."""
    assert len(FILES) > 150


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_is_valid_by_the_metadata_schema(path: Path) -> None:
    """Every metadata file is valid by the schema that Salesforce publishes for it."""
    schema = metadata_schema()
    assert schema.validate(etree.parse(path)), schema.error_log


def test_the_schema_check_can_fail() -> None:
    """A misspelt element is caught, so that a pass means something."""
    wrong = f'<CustomField xmlns="{METADATA}"><fullName>A__c</fullName><lenght>3</lenght></CustomField>'
    assert not metadata_schema().validate(etree.fromstring(wrong))


def test_a_field_is_named_like_its_file() -> None:
    """A field's fullName equals its file name; a deploy refuses anything else."""
    for source in SOURCES:
        for name, element in fields_of(source).items():
            assert text(element, "fullName") == name.split(".", 1)[1]


def test_every_own_object_has_a_unique_case_sensitive_key() -> None:
    """No record of Dunwell's can be made twice: the org itself refuses a second one of the same key."""
    fields = fields_of(ROOT / "force-app")
    owners = {name.split(".")[0] for name in fields if name.startswith("Dunwell_")} | {"Activity", "cpm__Payment__c"}
    assert len(owners) == 9
    for owner in owners:
        key = fields[f"{owner}.Dunwell_Key__c"]
        assert (text(key, "externalId"), text(key, "unique"), text(key, "caseSensitive"), text(key, "length")) == (
            "true",
            "true",
            "true",
            "100",
        )


def test_people_are_told_what_each_field_means() -> None:
    """Every field that Dunwell adds explains itself where people meet it."""
    for name, element in fields_of(ROOT / "force-app").items():
        shown = "description" if "__e." in name else "inlineHelpText"
        assert text(element, shown), name


def test_permission_sets_name_only_what_exists() -> None:
    """A permission set never grants a custom field or object that this source does not define."""
    fields = {name for source in SOURCES for name in fields_of(source)}
    objects = {path.parent.name for source in SOURCES for path in source.rglob("*.object-meta.xml")}
    fields |= {f"Task.{name.split('.')[1]}" for name in fields if name.startswith("Activity.")}
    for source in SOURCES:
        for path in source.rglob("*.permissionset-meta.xml"):
            root = etree.parse(path).getroot()
            granted = [str(e.text) for e in root.iter(f"{{{METADATA}}}field")]
            assert [name for name in granted if name.endswith("__c") and name not in fields] == []
            assert [str(e.text) for e in root.iter(f"{{{METADATA}}}object") if "__" in str(e.text) and e.text not in objects] == []
            assert len(granted) == len(set(granted))


def permissions(name: str) -> etree._Element:
    """Root element of one of Dunwell's permission sets."""
    return etree.parse(next((ROOT / "force-app").rglob(f"{name}.permissionset-meta.xml"))).getroot()


def test_the_daemon_can_delete_nothing() -> None:
    """What Dunwell cannot delete it cannot lose for anyone."""
    for name in ("Dunwell_Integration", "Dunwell_FinDock"):
        root = permissions(name)
        assert {e.text for e in root.iter(f"{{{METADATA}}}allowDelete")} == {"false"}
        assert {e.text for e in root.iter(f"{{{METADATA}}}modifyAllRecords")} == {"false"}


def test_only_specialists_read_sensitive_causes_and_evidence() -> None:
    """A credit manager sees that nobody is to be contacted, never why."""

    def readable(name: str) -> set[str]:
        return {str(e.text) for e in permissions(name).iter(f"{{{METADATA}}}field")}

    sensitive = {"Dunwell_Follow_Up__c.Cause__c", "Dunwell_Hold__c.Evidence__c"}
    assert not sensitive & readable("Dunwell_Credit_Manager")
    assert sensitive <= readable("Dunwell_Specialist")
