"""What is wrong with a facts file, in the words of who wrote it: path, problem, and what was probably meant.

Must not show a value that can be personal: only keys, words of closed lists and currencies are repeated.
Invariant: one line per problem, each beginning with its path.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import EnumMeta
from typing import get_args

from pydantic import BaseModel, ValidationError

_PLAIN = {
    "missing": "is needed",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}


def explain(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Problems of ``error``, raised by ``model``, one line each."""
    lines = []
    for one in error.errors(include_url=False):
        kind, place = one["type"], _steps(one["loc"])
        if kind == "extra_forbidden":
            known = _keys(_model_at(model, place[:-1]))
            lines.append(f"{path(place)}: no such key{meant(str(place[-1]), known)}")
        elif kind in ("enum", "literal_error"):
            lines.append(f"{path(place)}: {_word(one['input'])} is not one of its words{meant(str(one['input']), _words(model, place))}")
        elif kind == "value_error":
            lines.append(f"{path(place)}: {str(one['msg']).removeprefix('Value error, ')}")
        else:
            lines.append(f"{path(place)}: {_PLAIN.get(kind, str(one['msg']).lower())}")
    return list(dict.fromkeys(lines))


def path(steps: Iterable[str | int]) -> str:
    """``("payments", 2, "outcome")`` as ``payments[2].outcome``."""
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text or "the element"


def meant(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?``, or nothing where nothing is near."""
    by_lower = {one.lower(): one for one in known}
    near = get_close_matches(word.lower(), list(by_lower), n=1, cutoff=0.6)
    return f"; did you mean '{by_lower[near[0]]}'?" if near else ""


def _steps(place: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The path without the steps pydantic adds for the members of a union or a validator."""
    return tuple(step for step in place if isinstance(step, int) or not ("[" in step or step in ("decimal", "dict")))


def _word(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) and len(value) <= 40 and value.isprintable() else "this"


def _fields(model: type[BaseModel]) -> Mapping[str, object]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _keys(model: type[BaseModel] | None) -> list[str]:
    return [] if model is None else list(_fields(model))


def _parts(annotation: object) -> list[object]:
    found = [annotation]
    for one in get_args(annotation):
        found += _parts(one)
    return found


def _model_at(model: type[BaseModel], steps: Iterable[str | int]) -> type[BaseModel] | None:
    at: type[BaseModel] | None = model
    for step in steps:
        if isinstance(step, str) and at is not None:
            at = next((one for one in _parts(_fields(at).get(step)) if isinstance(one, type) and issubclass(one, BaseModel)), None)
    return at


def _words(model: type[BaseModel], place: tuple[str | int, ...]) -> list[str]:
    at = _model_at(model, place[:-1])
    found: list[str] = []
    for one in [] if at is None else _parts(_fields(at).get(str(place[-1]))):
        if isinstance(one, EnumMeta):
            found += [str(member.value) for member in one]  # type: ignore[var-annotated]
        elif isinstance(one, str):
            found.append(one)
    return found
