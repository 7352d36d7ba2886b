"""DX source → metadata format: the files of a deployment and the manifest that names every component.

Must not talk to an org. Invariant: every ``-meta.xml`` file of the source ends up in exactly one file of the result, and every component
that may be named stands in the manifest; a kind of metadata that is not known here stops the whole. Objects, which source keeps one file a
part, are put together again, their parts in the order that the Metadata API's schema wants.

Source: Salesforce DX Developer Guide, "Salesforce DX Project Structure and Source Format"; Metadata API Developer Guide, "Metadata Types".
A converter of its own, because the kinds used here need a hundred lines, and the ``sf`` command line, which tests compare it with, is 292 MB
of Node that no admin should need for this.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from connector.errors import ConfigError

NAMESPACE: Final = "http://soap.sforce.com/2006/04/metadata"
_TAG: Final = f"{{{NAMESPACE}}}"
_FULL_NAME: Final = f"{_TAG}fullName"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of metadata: its name in a manifest, the folder of its files, and whether these lie in folders of their own."""

    name: str
    folder: str
    in_folders: bool = False


KINDS: Final = MappingProxyType(
    {
        "app": Kind("CustomApplication", "applications"),
        "compactLayout": Kind("CompactLayout", "objects"),
        "dashboard": Kind("Dashboard", "dashboards", in_folders=True),
        "dashboardFolder": Kind("Dashboard", "dashboards"),
        "eca": Kind("ExternalClientApplication", "externalClientApps"),
        "ecaGlblOauth": Kind("ExtlClntAppGlobalOauthSettings", "extlClntAppGlobalOauthSets"),
        "ecaOauth": Kind("ExtlClntAppOauthSettings", "extlClntAppOauthSettings"),
        "ecaOauthPlcy": Kind("ExtlClntAppOauthConfigurablePolicies", "extlClntAppOauthPolicies"),
        "ecaPlcy": Kind("ExtlClntAppConfigurablePolicies", "extlClntAppPolicies"),
        "field": Kind("CustomField", "objects"),
        "flexipage": Kind("FlexiPage", "flexipages"),
        "layout": Kind("Layout", "layouts"),
        "listView": Kind("ListView", "objects"),
        "object": Kind("CustomObject", "objects"),
        "objectTranslation": Kind("CustomObjectTranslation", "objectTranslations"),
        "pathAssistant": Kind("PathAssistant", "pathAssistants"),
        "permissionset": Kind("PermissionSet", "permissionsets"),
        "platformEventChannel": Kind("PlatformEventChannel", "platformEventChannels"),
        "platformEventChannelMember": Kind("PlatformEventChannelMember", "platformEventChannelMembers"),
        "queue": Kind("Queue", "queues"),
        "quickAction": Kind("QuickAction", "quickActions"),
        "report": Kind("Report", "reports", in_folders=True),
        "reportFolder": Kind("Report", "reports"),
        "reportType": Kind("ReportType", "reportTypes"),
        "settings": Kind("Settings", "settings"),
        "tab": Kind("CustomTab", "tabs"),
        "translation": Kind("Translations", "translations"),
    }
)
"""By what stands before ``-meta.xml`` in a file's name."""
_PARTS: Final = MappingProxyType({"field": "fields", "listView": "listViews", "compactLayout": "compactLayouts"})
"""Kinds that are part of an object, with their element in it."""
_FOLDERS: Final = frozenset({"reportFolder", "dashboardFolder"})


@dataclass(frozen=True, slots=True)
class Source:
    """One file of the source: the name and kind it says, and where it lies."""

    path: Path
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Package:
    """What is deployed: files by their path, and the members of the manifest by type."""

    files: Mapping[str, bytes]
    members: Mapping[str, Sequence[str]]
    origins: Mapping[str, Path]
    """Where each file comes from; for an object put together, its folder."""

    @property
    def components(self) -> int:
        """How many components the manifest names."""
        return sum(map(len, self.members.values()))


def package(directories: Sequence[Path], version: str, more: Mapping[str, bytes] = MappingProxyType({})) -> Package:
    """Put the source of ``directories`` into metadata format; ``more`` are further files of it, as path → content.

    Raises ConfigError, all problems at once, for files that are not well-formed or of a kind not known here.
    """
    sources, problems = _found(directories)
    files: dict[str, bytes] = {}
    members: dict[str, set[str]] = defaultdict(set)
    origins: dict[str, Path] = {}
    objects: dict[str, list[Source]] = defaultdict(list)
    for one in sources:
        kind = KINDS[one.kind]
        try:
            ET.parse(one.path)  # noqa: S314 - our own files, not somebody's
        except ET.ParseError as error:
            problems.append(f"{one.path.name}:{error.position[0]}: not well-formed: {error}")
            continue
        if one.kind == "object" or one.kind in _PARTS:
            folder = one.path.parent if one.kind == "object" else one.path.parents[1]
            objects[folder.name].append(one)
            continue
        inside = f"{one.path.parent.name}/" if kind.in_folders else ""
        path = f"{kind.folder}/{one.name}-meta.xml" if one.kind in _FOLDERS else f"{kind.folder}/{inside}{one.name}.{one.kind}"
        files[path], origins[path] = one.path.read_bytes(), one.path
        members[kind.name].add(f"{inside}{one.name}")
    if problems:
        raise ConfigError(problems)
    for name, parts in objects.items():
        path = f"objects/{name}.object"
        files[path], origins[path] = _whole(parts), _folder_of(parts)
        if any(one.kind == "object" for one in parts):
            members["CustomObject"].add(name)
        for one in parts:
            if one.kind in _PARTS:
                members[KINDS[one.kind].name].add(f"{name}.{one.name}")
    for path, content in more.items():
        name, _, kind_of = path.rpartition("/")[2].rpartition(".")
        files[path] = content
        members[KINDS[kind_of].name].add(name)
    files["package.xml"] = manifest(members, version)
    listed = {kind: tuple(sorted(names)) for kind, names in sorted(members.items())}
    return Package(dict(sorted(files.items())), listed, origins)


def manifest(members: Mapping[str, set[str]], version: str) -> bytes:
    """``package.xml``: every component by its type."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<Package xmlns="{NAMESPACE}">']
    for kind in sorted(members):
        names = [f"        <members>{escape(name)}</members>" for name in sorted(members[kind])]
        lines += ["    <types>", *names, f"        <name>{kind}</name>", "    </types>"]
    return "\n".join([*lines, f"    <version>{version}</version>", "</Package>", ""]).encode()


def _found(directories: Sequence[Path]) -> tuple[list[Source], list[str]]:
    sources, problems = [], []
    for directory in directories:
        if not directory.is_dir():
            problems.append(f"{directory.name}: no such directory of metadata")
        for path in sorted(directory.rglob("*-meta.xml")):
            name, _, kind = path.name.removesuffix("-meta.xml").rpartition(".")
            if kind in KINDS:
                sources.append(Source(path, name, kind))
            else:
                problems.append(f"{path.name}: metadata of a kind that is not known here")
    return sources, problems


def _folder_of(parts: Sequence[Source]) -> Path:
    one = parts[0]
    return one.path.parent if one.kind == "object" else one.path.parents[1]


def _whole(parts: Sequence[Source]) -> bytes:
    """Put an object together from its own file and its parts."""
    whole = ET.Element(f"{_TAG}CustomObject")
    for one in parts:
        root = ET.parse(one.path).getroot()  # noqa: S314 - our own files, not somebody's
        if one.kind == "object":
            whole.extend(root)
            continue
        root.tag = f"{_TAG}{_PARTS[one.kind]}"
        if root.find(_FULL_NAME) is None:
            ET.SubElement(root, _FULL_NAME).text = one.name
            root[:] = [root[-1], *root[:-1]]
        whole.append(root)
    whole[:] = sorted(whole, key=lambda element: (element.tag, element.findtext(_FULL_NAME) or ""))
    ET.indent(whole, space="    ")
    written: bytes = ET.tostring(whole, encoding="utf-8", xml_declaration=True, default_namespace=NAMESPACE)
    return written + b"\n"
