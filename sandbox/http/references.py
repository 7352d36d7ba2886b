"""``@{ref.path}``: values of earlier replies put into later requests of one composite or graph.

Pure. Its invariant: what names a reply or a value that is not there is never sent on half filled in.

Source: the REST API guide, Composite Subrequest: ``.`` names a member, ``[n]`` an element, both as deep as one likes and in
the case of the reply; up to 51.0 a null value does not count as one, from 52.0 it does. The refusal's words are the guide's,
which calls what is missing by its path.
"""

import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

NULL_COUNTS_SINCE = 52.0
_REFERENCE = re.compile(r"@\{(?P<ref>[A-Za-z0-9_]+)(?P<path>(?:\.[A-Za-z0-9_]+|\[\d+\])*)\}")
_STEP = re.compile(r"\.(?P<name>[A-Za-z0-9_]+)|\[(?P<place>\d+)\]")


class UnresolvedError(Exception):
    """A reference to something that is not there; its text is the platform's."""

    def __init__(self, ref: str, path: str) -> None:
        super().__init__(f"Invalid reference specified. No value for {ref}{path} found in {ref}.")


class References:
    """The bodies of the replies so far, by reference id."""

    def __init__(self, version: str) -> None:
        self._null_counts = float(version) >= NULL_COUNTS_SINCE
        self._bodies: dict[str, object] = {}

    def keep(self, reference: str, body: object) -> None:
        """Keep a reply for later requests."""
        self._bodies[reference] = body

    def value(self, value: object) -> object:
        """A JSON value with every reference in it resolved. Raises UnresolvedError."""
        if isinstance(value, str):
            whole = _REFERENCE.fullmatch(value)
            return self._lookup(whole) if whole else self._text(value, in_url=False)
        if isinstance(value, Mapping):
            return {name: self.value(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self.value(one) for one in value]
        return value

    def url(self, url: str) -> str:
        """A URL with every reference in it resolved and quoted. Raises UnresolvedError."""
        return self._text(url, in_url=True)

    def _text(self, text: str, *, in_url: bool) -> str:
        if "@{" not in text:
            return text

        def put(found: re.Match[str]) -> str:
            value = self._lookup(found)
            plain = "" if value is None else value if isinstance(value, str) else json.dumps(value)
            return quote(plain, safe="") if in_url else plain

        return _REFERENCE.sub(put, text)

    def _lookup(self, found: re.Match[str]) -> object:
        ref, path = found["ref"], found["path"]
        if ref not in self._bodies:
            raise UnresolvedError(ref, path)
        value = self._bodies[ref]
        for step in _STEP.finditer(path):
            name, place = step["name"], step["place"]
            if name is not None and isinstance(value, dict) and name in value:
                value = value[name]
            elif place is not None and isinstance(value, list) and int(place) < len(value):
                value = value[int(place)]
            else:
                raise UnresolvedError(ref, path)
        if value is None and not self._null_counts:
            raise UnresolvedError(ref, path)
        return value


def named(value: object) -> Iterator[str]:
    """The reference ids a JSON value names."""
    if isinstance(value, str):
        yield from (found["ref"] for found in _REFERENCE.finditer(value))
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from named(one)
    elif isinstance(value, list):
        for one in value:
            yield from named(one)
