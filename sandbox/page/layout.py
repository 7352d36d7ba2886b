"""What the page of a world shows: the shape of its ``page.yaml``, checked while it is read.

Declarative: objects, field paths and SOQL conditions, no code. `include` names files that are put before it, so that worlds
share what they have in common. A world without the file gets an empty layout, which still
gives list views, records and the search. Invariant: a layout that was read names no member this module does not know.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import yaml
from pydantic import BaseModel, ConfigDict, Field

Tone: TypeAlias = Literal["plain", "good", "note", "wait", "bad"]
"""How a value is coloured; its words always say the same."""
FieldPath: TypeAlias = str
"""A field of an object, or one reached through lookups: ``Status__c``, ``Parent__r.Owner.Name``."""
FieldKey: TypeAlias = str
"""A field with its object: ``Task.Priority``."""


class Part(BaseModel):
    """A part of the file; what it does not know it refuses."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Part):
    """Which records of one object: a SOQL condition, an order and a limit.

    via: the lookups that may lead to a payer; a payer's page takes the one that points at its object.
    view: the list view that shows all of them.
    """

    of: str
    where: str = ""
    order: str = "Id DESC"
    limit: int = Field(default=8, ge=1, le=100)
    via: tuple[str, ...] = ()
    view: str = ""


class FirstOf(Part):
    """A column that shows the first of several fields that is filled."""

    label: str
    first: tuple[FieldPath, ...] = Field(min_length=1)


TableColumn: TypeAlias = FieldPath | FirstOf


class Table(Source):
    """Records in rows."""

    show: Literal["table"] = "table"
    title: str
    columns: tuple[TableColumn, ...] = Field(min_length=1)
    empty: str = "Nothing here."


class Counts(Part):
    """How many records there are of each kind, and optionally what they add up to: a grid of two fields.

    sums: a number or amount to add up in every cell. order: values of `rows` that come first, in this order.
    """

    show: Literal["counts"]
    title: str
    of: str
    where: str = ""
    rows: FieldPath
    columns: FieldPath
    sums: FieldPath | None = None
    order: tuple[str, ...] = ()
    view: str = ""
    empty: str = "Nothing here."


class Latest(Source):
    """One record, the first in order, with some of its fields."""

    show: Literal["latest"]
    title: str
    columns: tuple[FieldPath, ...] = Field(min_length=1)
    empty: str = "Nothing here."


Block: TypeAlias = Annotated[Table | Counts | Latest, Field(discriminator="show")]


class Card(Source):
    """Something that stands out on a payer's page: each record found is one card. Without `empty`, none found is not said.

    title and heading are texts with ``{FieldPath}`` in them.
    """

    title: str
    heading: str = ""
    amount: FieldPath | None = None
    facts: tuple[FieldPath, ...] = ()
    text: FieldPath | None = None
    tone: Tone = "plain"
    tone_of: FieldPath | None = None
    empty: str = ""


class Flag(Part):
    """A short warning in a payer's header, shown when a field has a value."""

    field: FieldPath
    when: bool | str
    say: str
    tone: Tone = "wait"


class Entry(Source):
    """Records that stand in a payer's timeline.

    at: the fields that say when, the first that is filled counts. title: a text with ``{FieldPath}`` in it.
    """

    label: str
    at: tuple[FieldPath, ...] = Field(min_length=1)
    title: str
    facts: tuple[FieldPath, ...] = ()
    text: FieldPath | None = None
    tone: Tone = "plain"
    tone_of: FieldPath | None = None
    limit: int = Field(default=40, ge=1, le=200)


class Payer(Part):
    """The header of a payer's page, one for each object whose records are payers."""

    facts: tuple[FieldPath, ...] = ()
    flags: tuple[Flag, ...] = ()


class Layout(Part):
    """A whole ``page.yaml``.

    tabs: objects in the navigation. order: how a list of an object is sorted at first. search: fields looked through.
    money: amounts whose currency lies in another field. words: what coded values mean. labels: shorter names of fields.
    """

    title: str = ""
    tabs: tuple[str, ...] = ()
    order: Mapping[str, str] = Field(default_factory=dict)
    search: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    money: Mapping[FieldKey, FieldPath] = Field(default_factory=dict)
    words: Mapping[FieldKey, Mapping[str, str]] = Field(default_factory=dict)
    tones: Mapping[FieldKey, Mapping[str, Tone]] = Field(default_factory=dict)
    labels: Mapping[FieldKey, str] = Field(default_factory=dict)
    home: tuple[Block, ...] = ()
    payers: Mapping[str, Payer] = Field(default_factory=dict)
    cards: tuple[Card, ...] = ()
    timeline: tuple[Entry, ...] = ()
    panels: tuple[Table, ...] = ()


def read_layout(path: Path) -> Layout:
    """Read a ``page.yaml``; a file that is not there is an empty layout. Raises ValueError naming the file."""
    if not path.is_file():
        return Layout()
    try:
        return Layout.model_validate(_raw(path, ()))
    except (ValueError, yaml.YAMLError) as problem:
        raise ValueError(f"{path}: {problem}") from problem


def _raw(path: Path, inside: tuple[Path, ...]) -> dict[str, object]:
    """Read a file with what it includes put before it: lists are joined, of two equal keys the later counts."""
    if path in inside:
        raise ValueError(f"{path} includes itself")
    if not path.is_file():
        raise ValueError(f"there is no file {path} to include")
    own = yaml.safe_load(path.read_text("utf-8")) or {}
    if not isinstance(own, dict):
        raise ValueError(f"{path} is no mapping")  # noqa: TRY004 - a mistake in a file, not in the program
    whole: dict[str, object] = {}
    for name in own.pop("include", []):
        whole = _joined(whole, _raw((path.parent / str(name)).resolve(), (*inside, path)))
    return _joined(whole, own)


def _joined(first: dict[str, object], then: dict[str, object]) -> dict[str, object]:
    whole = dict(first)
    for key, value in then.items():
        before = whole.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            whole[key] = {**before, **value}
        elif isinstance(before, list) and isinstance(value, list):
            whole[key] = [*before, *value]
        else:
            whole[key] = value
    return whole
