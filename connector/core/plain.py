"""Frozen dataclasses as canonical JSON, and back: for the decision log and for hashes of content.

Must not know which dataclasses there are. Invariant: equal values give the same text whatever order their sets and mappings
are in, and a value read back equals the one written (an instant keeps its offset, not the name of its zone).

Fields that have their default are left out, and so are those that take no part in comparison.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import lru_cache
from types import MappingProxyType, NoneType, UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

Value = TypeVar("Value")
Plain = Callable[[Any], object]
"""From a value to what JSON knows, or back."""
_PLAIN_ALREADY = frozenset({NoneType, bool, int, float, str})


def to_json(value: object) -> str:
    """Give ``value`` as JSON with sorted keys and without blanks. Raises TypeError for what has no plain form."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"))


def from_json(kind: type[Value], text: str) -> Value:
    """Give the ``kind`` that ``text`` holds.

    Raises:
        ValueError: it holds none.

    """
    try:
        return cast("Value", _reader(cast("Any", kind))(json.loads(text)))
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"no {kind.__name__} as this version knows it") from error


def _same(value: object) -> object:
    return value


def _plain(value: object) -> object:
    kind: Any = type(value)
    return value if kind in _PLAIN_ALREADY else _writer(kind)(value)


@lru_cache(maxsize=256)
def _writer(kind: type) -> Plain:
    """Give what turns values of ``kind`` into plain ones."""
    if issubclass(kind, str):  # a word of a closed list
        return _same
    if issubclass(kind, date):
        return kind.isoformat
    if issubclass(kind, tuple | list):
        return lambda value: [_plain(one) for one in value]
    if issubclass(kind, frozenset):
        return lambda value: sorted(str(_plain(one)) for one in value)
    if issubclass(kind, Mapping):
        return lambda value: {name: _plain(one) for name, one in value.items()}
    if is_dataclass(kind):
        return _fields_of(kind)
    raise TypeError(f"{kind.__name__} has no plain form")


def _fields_of(kind: type) -> Plain:
    defaults = [
        (one.name, one.default_factory() if one.default_factory is not MISSING else one.default) for one in fields(kind) if one.compare
    ]

    def write(value: object) -> object:
        found = {}
        for name, default in defaults:
            one = getattr(value, name)
            if one is not default and one != default:
                found[name] = one if type(one) in _PLAIN_ALREADY else _plain(one)
        return found

    return write


@lru_cache(maxsize=256)
def _reader(kind: Any) -> Plain:  # noqa: ANN401 - an annotation
    """Give what turns plain values into what the annotation ``kind`` says."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return _maybe(_reader(next(one for one in inner if one is not NoneType)))
    if origin in (tuple, frozenset):
        read = _reader(inner[0])
        return lambda value: origin(read(one) for one in value)
    if origin is Mapping:
        of_value = _reader(inner[1])
        return lambda value: MappingProxyType({name: of_value(one) for name, one in value.items()})
    if kind in (date, datetime):
        return cast("Plain", kind.fromisoformat)
    if is_dataclass(kind):
        return _made(cast("type", kind))
    return cast("Plain", kind) if isinstance(kind, type) and issubclass(kind, Enum) else _same


def _maybe(read: Plain) -> Plain:
    return lambda value: None if value is None else read(value)


def _made(kind: type) -> Plain:
    hints = get_type_hints(kind)
    readers = {one.name: _reader(hints[one.name]) for one in fields(kind)}
    return lambda value: kind(**{name: readers[name](one) for name, one in value.items()})
