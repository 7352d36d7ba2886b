"""Frozen dataclasses as canonical JSON, and back: for the decision log and for hashes of content.

Must not know which dataclasses there are. Invariant: equal values give the same text whatever order their sets and mappings
are in, and a value read back equals the one written (an instant keeps its offset, not the name of its zone).

A field that the text does not have gets its default; one that this version does not know is passed over.
"""

from collections.abc import Mapping
from types import FunctionType, MappingProxyType
from typing import TypeVar

import msgspec

Value = TypeVar("Value")


def to_json(value: object) -> bytes:
    """Give ``value`` as JSON without blanks; a function in it is null. Raises TypeError for what has no plain form."""
    return _ENCODER.encode(value)


def from_json(kind: type[Value], text: bytes) -> Value:
    """Give the ``kind`` that ``text`` holds.

    Raises:
        ValueError: it holds none.

    """
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.MsgspecError as error:
        raise ValueError(f"no {kind.__name__} as this version knows it") from error


def _plain(value: object) -> object:
    if isinstance(value, (MappingProxyType, Mapping)):  # the former first: it is what there is, and an abstract class takes long to ask
        return dict(value)
    if isinstance(value, FunctionType):  # the test that the text beside it stands for
        return None
    raise TypeError(f"{type(value).__name__} has no plain form")


_ENCODER = msgspec.json.Encoder(enc_hook=_plain, order="deterministic")
