"""A folder of policies: whole ones, and variants of them for a product, a segment or a country.

Must not judge payers. Invariant: a variant can add rows and ladders for the installments it is about, never loosen what
stops everything, and by segment or value only make a course milder.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from pydantic import Field

from connector.core.policy import ONLY_MILDER, Policy, Row, Step, Variant
from connector.core.rules import Rules
from connector.errors import ConfigError
from connector.mapping.policies import (
    build,
    check_ladder,
    check_rows,
    conditions_of,
    harsh,
    harsh_steps,
    in_order,
    ladders_of,
    rows_of,
    tests_of,
)
from connector.mapping.policy_file import RowFile, StepFile, Strict
from connector.mapping.source import Source, read, validate


class VariantFile(Strict):
    """A policy that extends another for some installments. Everything but rows and ladders is the other's."""

    policy: Annotated[str, Field(min_length=1, max_length=40)]
    """Name of the variant."""
    version: Annotated[str, Field(min_length=1, max_length=20)]
    """Its version, as follow-ups show it; raise it with every change."""
    description: str = ""
    """What it is for."""
    extends: str
    """Name of the policy it extends."""
    applies: Annotated[dict[str, object], Field(min_length=1)]
    """Conditions that say which installments it is about."""
    ladders: dict[str, list[StepFile]] = Field(default_factory=dict)
    """Name → steps; takes the place of the ladder of the same name."""
    rows: list[RowFile] = Field(default_factory=list)
    """Rows that come before the other policy's."""


def load_policy(path: Path, rules: Rules) -> Policy:
    """Read and check one whole policy.

    Raises:
        ConfigError: every fault at once, each ``file:line: what, did you mean``.

    """
    return build(read(path), rules)


def load_policies(folder: Path, rules: Rules) -> dict[str, Policy]:
    """Read every ``*.yaml`` of a folder: name of the policy → policy, its variants in it.

    Raises:
        ConfigError: every fault of every file, no file at all, or two policies of one name.

    """
    problems: list[str] = []
    found: dict[str, Policy] = {}
    variants: list[Source] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            source = read(path)
            if isinstance(source.data, Mapping) and "extends" in source.data:
                variants.append(source)
                continue
            policy = build(source, rules)
        except ConfigError as error:
            problems += error.problems
            continue
        if policy.name in found:
            problems.append(f"{folder.name}/{path.name}:1: there is already a policy '{policy.name}'")
        found[policy.name] = policy
    for source in variants:
        try:
            _join(source, found)
        except ConfigError as error:
            problems += error.problems
    if not found and not problems:
        problems.append(f"{folder.name}:1: no policy; at least default.yaml is needed")
    if problems:
        raise ConfigError(problems)
    return found


def _join(source: Source, found: dict[str, Policy]) -> None:
    """Add the variant in ``source`` to the policy it extends."""
    problems: list[str] = []
    conditions = conditions_of(source, problems)
    applies = tests_of(source, ("applies",), source.data.get("applies") if isinstance(source.data, Mapping) else None, problems)
    try:
        file = validate(source, VariantFile)
    except ConfigError as error:
        raise ConfigError(in_order([*error.problems, *problems])) from None
    base = found.get(file.extends)
    if base is None:
        close = get_close_matches(file.extends, found, n=1)
        meant = f"; did you mean '{close[0]}'?" if close else ""
        raise ConfigError(in_order([*problems, source.problem(("extends",), f"there is no policy '{file.extends}'{meant}")]))
    _check(source, file, base, problems)
    if problems:
        raise ConfigError(in_order(problems))
    label = f"{file.policy} {file.version}"
    own = {f"{file.policy}/{name}": replace(ladder, name=f"{file.policy}/{name}") for name, ladder in ladders_of(file.ladders).items()}
    names = {name: f"{file.policy}/{name}" for name in file.ladders}
    first = [row for row in base.rows if row.always]
    after = max((row.order for row in first), default=-1)
    added = [replace(_relabelled(row, label, names), order=after + 1 + at) for at, row in enumerate(rows_of(file.rows, conditions))]
    rest = [_relabelled(row, label, names) for row in base.rows if not row.always]
    variant = Variant(file.policy, applies, (*first, *added, *rest))
    found[base.name] = replace(base, ladders=MappingProxyType({**base.ladders, **own}), variants=(*base.variants, variant))


def _relabelled(row: Row, label: str, ladders: Mapping[str, str]) -> Row:
    return replace(row, name=f"{label}: {row.name}", ladder=ladders.get(row.ladder, row.ladder) if row.ladder else None)


def _check(source: Source, file: VariantFile, base: Policy, problems: list[str]) -> None:
    if any(variant.name == file.policy for variant in base.variants) or file.policy == base.name:
        problems.append(source.problem(("policy",), f"there is already a policy '{file.policy}'"))
    for name, steps in file.ladders.items():
        check_ladder(source, name, steps, problems)
    ladders: dict[str, Sequence[StepFile | Step]] = {name: ladder.steps for name, ladder in base.ladders.items()}
    check_rows(source, file.rows, {**ladders, **file.ladders}, problems)
    for at, row in enumerate(file.rows):
        if row.always:
            problems.append(source.problem(("rows", at, "always"), f"only '{base.name}' says what goes before everything"))
    if any(fact in file.applies for fact in ONLY_MILDER):
        _check_milder(source, file, base, problems)


def _check_milder(source: Source, file: VariantFile, base: Policy, problems: list[str]) -> None:
    """A variant for a segment or a value adds nothing firm, neither by itself nor through a ladder of the base."""
    words = "segment and value may only make a course milder, and this is firm or escalates"
    harsh_bases = {name for name, ladder in base.ladders.items() if harsh_steps(ladder.steps)}
    for at, row in enumerate(file.rows):
        if harsh(row, file.ladders) or (row.ladder in harsh_bases and row.ladder not in file.ladders):
            problems.append(source.problem(("rows", at), words))
    for name, steps in file.ladders.items():
        if harsh_steps(steps):
            problems.append(source.problem(("ladders", name), words))
