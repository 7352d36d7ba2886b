"""Metadata files as trees of named elements.

Must not know what any element means. Source: Metadata API Developer Guide, the one namespace of all its types.
Invariant: a node knows the file it came from, so that whoever refuses it can name that file.
"""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"


class Node:
    """An XML element read by the names of its children."""

    def __init__(self, element: ET.Element, path: Path) -> None:
        self._element = element
        self.path = path

    @property
    def tag(self) -> str:
        """The element's own name."""
        return self._element.tag.removeprefix(NAMESPACE)

    def tags(self) -> list[str]:
        """List the names of the children, each once, in order."""
        return list(dict.fromkeys(each.tag.removeprefix(NAMESPACE) for each in self._element))

    def text(self, name: str, default: str = "") -> str:
        """Give the text of the first child of that name."""
        found = self._element.find(NAMESPACE + name)
        return default if found is None or found.text is None else found.text.strip()

    def texts(self, name: str) -> tuple[str, ...]:
        """Give the texts of all children of that name."""
        return tuple((found.text or "").strip() for found in self._element.findall(NAMESPACE + name))

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Tell whether the child of that name says true."""
        given = self.text(name)
        return default if not given else given.lower() == "true"

    def number(self, name: str, default: int = 0) -> int:
        """Give the whole number in the child of that name."""
        given = self.text(name)
        return int(given) if given else default

    def child(self, name: str) -> "Node | None":
        """Give the first child of that name."""
        found = self._element.find(NAMESPACE + name)
        return None if found is None else Node(found, self.path)

    def each(self, name: str) -> "Iterator[Node]":
        """Go through the children of that name."""
        return (Node(found, self.path) for found in self._element.findall(NAMESPACE + name))

    def attribute(self, name: str) -> str:
        """Give an attribute, with or without a namespace (`type` of `xsi:type`)."""
        return next((value for key, value in self._element.attrib.items() if key.rpartition("}")[2] == name), "")

    @property
    def content(self) -> str:
        """The element's own text."""
        return (self._element.text or "").strip()

    @property
    def stem(self) -> str:
        """The name of the file up to its first dot."""
        return self.path.name.split(".", 1)[0]


def read(path: Path) -> Node:
    """Parse a metadata file. Raises ValueError naming it when it is not XML."""
    try:
        return Node(ET.parse(path).getroot(), path)  # noqa: S314 - the project's own source files
    except ET.ParseError as error:
        raise ValueError(f"{path}: not well-formed XML: {error}") from error
