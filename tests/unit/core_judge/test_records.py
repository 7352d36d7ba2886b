"""Records that are quick to make are the frozen dataclasses they say they are."""

import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from inspect import signature

import pytest

from connector.core import changes, course, model
from connector.core.plain import from_json, to_json
from connector.core.records import changed, quick


@dataclass(frozen=True, slots=True)
class Slow:
    """As the standard library makes it."""

    name: str
    count: int = 0
    words: list[str] = field(default_factory=list)


@quick
@dataclass(frozen=True, slots=True)
class Quick:
    """The same, marked."""

    name: str
    count: int = 0
    words: list[str] = field(default_factory=list)


def test_a_quick_record_takes_the_same_arguments():
    """By place, by name and by default, and a default that is made is made anew each time."""
    for values, named in ((("a",), {}), (("a", 2), {"words": ["x"]}), ((), {"name": "b", "count": 3})):
        slow, one = Slow(*values, **named), Quick(*values, **named)
        assert [getattr(one, cell.name) for cell in fields(one)] == [getattr(slow, cell.name) for cell in fields(slow)]
    assert Quick("a").words is not Quick("a").words
    assert signature(Quick).parameters.keys() == signature(Slow).parameters.keys()
    for wrong in ((), ("a", 1, [], "more")):
        with pytest.raises(TypeError):
            Quick(*wrong)


def test_a_quick_record_cannot_be_changed():
    """No field, whether it was ever set or not, and none that there is not."""
    one = Quick("a")
    assert type(one) is Quick
    with pytest.raises(FrozenInstanceError):
        one.name = "b"
    with pytest.raises(FrozenInstanceError):
        del one.count
    with pytest.raises((FrozenInstanceError, TypeError)):
        one.other = 1


def test_quick_records_are_compared_copied_and_kept_as_ever():
    """Equality, hash, text, ``replace``, a pickle and JSON."""
    one = model.Habit(600, 2, 5)
    assert one == model.Habit(600, weekday=2, count=5) != replace(one, count=6)
    assert hash(one) == hash(model.Habit(600, 2, 5))
    assert repr(one) == "Habit(minute_of_day=600, weekday=2, count=5)"
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301 - our own
    assert from_json(model.Habit, to_json(one)) == one


def test_a_changed_record_is_as_replace_gives_it():
    """Other fields stay the very objects they were; a field that is not there is refused."""
    one = Quick("a", 1, ["x"])
    other = changed(one, name="b", count=2)
    assert other == replace(one, name="b", count=2)
    assert other.words is one.words
    assert (one.name, one.count) == ("a", 1)
    assert changed(one) == one
    with pytest.raises(KeyError):
        changed(one, other=1)


@pytest.mark.parametrize("kind", [model.Position, model.OpenItem, model.Decision, course.Movement, changes.View])
def test_what_a_pass_makes_most_of_is_quick(kind):
    """A pass makes hundreds of thousands of these."""
    assert kind.__init__.__code__ is Quick.__init__.__code__
