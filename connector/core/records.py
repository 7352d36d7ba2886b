"""Frozen dataclasses that are quick to make: a pass makes a million of them, and setting each field past the lock took a fifth of its judging.

Must not change what a dataclass is: fields, equality, hash, ``replace`` and the refusal to be changed are the standard library's. Invariant: a
class marked ``quick`` takes the same arguments and gives the same object as without the mark.

How: a frozen dataclass sets each field by a call of ``object.__setattr__``. A *draft*, the same dataclass without the lock, sets it
by an ordinary assignment, several times as fast; both have the same slots, so that an object may change from one to the other.
"""

from collections.abc import Callable
from dataclasses import field, fields, make_dataclass
from functools import cache, wraps
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Kind = TypeVar("Kind", bound="type[DataclassInstance]")
One = TypeVar("One", bound="DataclassInstance")


def quick(kind: Kind) -> Kind:
    """Make objects of ``kind``, a frozen dataclass with slots and no ``__post_init__``, as drafts that are locked when they are filled."""
    cells = [(one.name, one.type, field(default=one.default, default_factory=one.default_factory)) for one in fields(kind)]
    draft = make_dataclass(kind.__name__, cells, slots=True, eq=False, repr=False)
    fill, put = draft.__dict__["__init__"], object.__setattr__

    @wraps(fill)
    def __init__(self: object, *values: object, **named: object) -> None:  # noqa: N807 - it becomes the class's own
        put(self, "__class__", draft)
        fill(self, *values, **named)
        self.__class__ = kind

    kind.__init__ = __init__  # type: ignore[method-assign]
    return kind


def changed(one: One, **values: Any) -> One:  # noqa: ANN401 - of whatever type the field is
    """Give ``one`` with other ``values``, as ``dataclasses.replace`` does, for all fields at once. Raises KeyError for a field it does not have."""
    kind = type(one)
    read, places = _reading(kind)
    cells = [*read(one)]
    for name, value in values.items():
        cells[places[name]] = value
    return kind(*cells)


@cache
def _reading(kind: type["DataclassInstance"]) -> tuple[Callable[[object], tuple[Any, ...]], dict[str, int]]:
    """How to read all fields at once (of two at least), and the place of each among them."""
    names = [one.name for one in fields(kind)]
    return attrgetter(*names), {name: place for place, name in enumerate(names)}
