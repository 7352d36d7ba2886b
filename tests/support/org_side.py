"""What the DX source says, read as a deployment would: files, fields and permission sets by name.

Must not judge. Invariant: a file is named as the Metadata API names its component, and a name stands for one file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lxml import etree

ROOT = Path(__file__).resolve().parents[2]
FORCE_APP = ROOT / "force-app"
METADATA = "{http://soap.sforce.com/2006/04/metadata}"


@dataclass(frozen=True, slots=True)
class Grants:
    """A permission set: fields with whether they may be edited, objects with what may be done."""

    fields: Mapping[str, bool]
    objects: Mapping[str, frozenset[str]]
    users: frozenset[str]


def of_kind(kind: str, *, under: Path = FORCE_APP) -> dict[str, etree._Element]:
    """Every file that ends in ``.kind-meta.xml``, as its name → root element."""
    return {path.name.removesuffix(f".{kind}-meta.xml"): read(path) for path in sorted(under.rglob(f"*.{kind}-meta.xml"))}


@cache
def read(path: Path) -> etree._Element:
    """Root element of a file."""
    return etree.parse(path).getroot()


def text(element: etree._Element, name: str) -> str | None:
    """Text of a child; the path may have several steps; None where there is none."""
    found = element.find("/".join(METADATA + one for one in name.split("/")))
    return None if found is None else (found.text or "")


def texts(element: etree._Element, name: str) -> list[str]:
    """Texts of every element of that name, however deep."""
    return [one.text or "" for one in element.iter(METADATA + name)]


def each(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """Every element of that name, however deep."""
    return element.iter(METADATA + name)


@cache
def fields(*, packages: bool = True) -> Mapping[str, frozenset[str]]:
    """Custom fields by object; with ``packages`` those of the FinDock world too. Fields of Activity are Task's as well."""
    found: dict[str, set[str]] = {}
    roots = [FORCE_APP, *([ROOT / "sandbox" / "worlds" / "findock" / "dx"] if packages else [])]
    for root in roots:
        for path in root.rglob("objects/*/fields/*.field-meta.xml"):
            found.setdefault(path.parents[1].name, set()).add(path.name.removesuffix(".field-meta.xml"))
    found["Task"] = found["Activity"]
    return {name: frozenset(names) for name, names in found.items()}


def formulas(sobject: str) -> set[str]:
    """Fields of an object of ours that the org works out."""
    folder = FORCE_APP / "main" / "default" / "objects" / sobject / "fields"
    return {path.name.removesuffix(".field-meta.xml") for path in folder.glob("*") if text(read(path), "formula") is not None}


def grants(name: str) -> Grants:
    """One permission set."""
    root = of_kind("permissionset", under=ROOT)[name]
    allowed = {
        text(one, "object"): frozenset(
            child.tag.removeprefix(METADATA) for child in one if child.text == "true" and child.tag != METADATA + "object"
        )
        for one in each(root, "objectPermissions")
    }
    return Grants(
        {str(text(one, "field")): text(one, "editable") == "true" for one in each(root, "fieldPermissions")},
        {str(sobject): rights for sobject, rights in allowed.items()},
        frozenset(str(text(one, "name")) for one in each(root, "userPermissions")),
    )
