"""YAML that an admin edits, kept together with the line each value stands on.

Must not know what the YAML means. Invariant: every fault in a file becomes one line
``file:line: what, and what was probably meant``, and all faults of a file are told at once.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from connector.errors import ConfigError

Location = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written; ``line`` is 1-based. Its text is ``file:line``."""

    file: str
    line: int

    def __str__(self) -> str:
        """``mappings/findock.yaml:37``."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Source:
    """One parsed file, or several laid on each other: ``data`` as plain Python, ``places`` by path within it."""

    name: str
    data: object
    places: Mapping[Location, Place]

    def place(self, location: Sequence[str | int]) -> Place:
        """Give the place of ``location`` or of its nearest parent that has one."""
        path = tuple(location)
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(self.name, 1))

    def problem(self, location: Sequence[str | int], what: str) -> str:
        """One fault as a person reads it."""
        return f"{self.place(location)}: {what}"


def read(path: Path, *, name: str | None = None) -> Source:
    """Parse ``path``. The name in messages is the file's own and its folder's, never the machine's path.

    Raises:
        ConfigError: no such file, or not YAML, with the line.

    """
    name = name or f"{path.parent.name}/{path.name}"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        known = sorted(one.stem for one in path.parent.glob(f"*{path.suffix}")) if path.parent.is_dir() else []
        raise ConfigError(f"{name}:1: no such file{meant(path.stem, known)}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}:1: not UTF-8 text (byte {error.start}); save the file as UTF-8") from None
    return parse(name, text)


def parse(name: str, text: str) -> Source:
    """Parse YAML ``text``; a key given twice in one mapping is a fault."""
    places: dict[Location, Place] = {}
    problems: list[str] = []
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = _plain(name, node, (), places, problems) if node is not None else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{name}:{line}: not YAML: {error.problem}") from None
    except yaml.YAMLError:
        raise ConfigError(f"{name}:1: not YAML: it holds a character YAML does not allow") from None
    if problems:
        raise ConfigError(problems)
    return Source(name, data, places)


def _plain(name: str, node: yaml.Node, path: Location, places: dict[Location, Place], problems: list[str]) -> object:
    places[path] = Place(name, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        found: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = str(yaml.SafeLoader("").construct_object(key_node)) if not isinstance(key_node, yaml.ScalarNode) else key_node.value
            if key in found:
                problems.append(f"{name}:{key_node.start_mark.line + 1}: '{key}' is given twice")
            found[key] = _plain(name, value_node, (*path, key), places, problems)
            places[(*path, key)] = Place(name, key_node.start_mark.line + 1)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(name, one, (*path, at), places, problems) for at, one in enumerate(node.value)]
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node)
    finally:
        loader.dispose()


def validate(source: Source, model: type[Model]) -> Model:
    """Hold a file against its strict model.

    Raises:
        ConfigError: every fault, each ``file:line: what, did you mean``.

    """
    try:
        return model.model_validate(source.data)
    except ValidationError as error:
        problems = []
        for fault in error.errors():
            location = tuple(part for part in fault["loc"] if not (isinstance(part, str) and part.startswith("function-")))
            where = ".".join(str(part) for part in location)
            if fault["type"] == "extra_forbidden":
                problems.append(
                    source.problem(
                        location, f"'{location[-1]}' is not known here{meant(str(location[-1]), _siblings(model, location[:-1]))}"
                    )
                )
            else:
                problems.append(source.problem(location, f"{where}: {fault['msg']}"))
        raise ConfigError(sorted(problems)) from None


def _siblings(model: type[BaseModel], location: Location) -> list[str]:
    """Names allowed at ``location`` of ``model``, for "did you mean"."""
    current: object = model
    for part in location:
        if isinstance(current, type) and issubclass(current, BaseModel) and part in current.model_fields:
            current = _inner(current.model_fields[str(part)].annotation)
        elif not (isinstance(current, type) and issubclass(current, BaseModel)):
            break
    return list(current.model_fields) if isinstance(current, type) and issubclass(current, BaseModel) else []


def _inner(annotation: object) -> object:
    """Give the model inside ``list[M]``, ``tuple[M, ...]``, ``dict[str, M]`` or ``M | None``."""
    if isinstance(annotation, type) and not hasattr(annotation, "__args__"):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _inner(argument)
        if isinstance(found, type) and issubclass(found, BaseModel):
            return found
    return annotation


def meant(word: str, known: Sequence[str]) -> str:
    """Give the end of a message that says what was probably meant; nothing where nothing is near."""
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else ""
