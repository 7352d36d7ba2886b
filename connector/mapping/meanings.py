"""What the keys of the files that admins edit mean: the sentences that stand below the fields of the models.

Must not be loaded by the daemon: it reads source code, which only the makers of schemas and pages need. Invariant: the models are the
only place where a meaning is written; editors and reference pages repeat it.
"""

import ast
import inspect
import textwrap
from collections.abc import Mapping
from itertools import pairwise
from typing import get_args

from pydantic import BaseModel

Model = type[BaseModel]


def models_of(root: Model) -> dict[str, Model]:
    """Give ``root`` and every model that its fields hold, by name."""
    found: dict[str, Model] = {}
    waiting: list[object] = [root]
    while waiting:
        one = waiting.pop()
        if isinstance(one, type) and issubclass(one, BaseModel):
            if one.__name__ not in found:
                found[one.__name__] = one
                waiting += [field.annotation for field in one.model_fields.values()]
        else:
            waiting += get_args(one)
    return found


def meanings(model: Model) -> Mapping[str, str]:
    """Give the sentence below each field of a model, inherited fields included; a field without one is left out."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, BaseModel) and one is not BaseModel:
            found |= _below(one)
    return {name: found[name] for name in model.model_fields if name in found}


def _below(model: Model) -> dict[str, str]:
    """Give the texts that stand below the fields of one class."""
    (parsed,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    body = parsed.body if isinstance(parsed, ast.ClassDef) else []
    found = {}
    for field, after in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(after, ast.Expr):
            text = ast.literal_eval(after.value) if isinstance(after.value, ast.Constant) else None
            if isinstance(text, str):
                found[field.target.id] = " ".join(text.split())
    return found
