"""Policies: YAML that a credit manager edits → a checked ``Policy``.

Must not judge payers. Invariant: a policy that loads has a catch-all row, knows every ladder it names, and
uses segment and value only towards milder courses; every fault is told at once as ``file:line: what``.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from connector.core import money
from connector.core.conditions import Condition, ConditionError, parse
from connector.core.policy import FACTS, FORBIDDEN_FACTS, ONLY_MILDER, CaseRules, HoldPlan, Ladder, Policy, RetryPlan, Row, Step, Task
from connector.core.rules import Rules
from connector.core.words import CONTACT_KINDS, Channel, HoldCause, Kind, Scheme, Tone
from connector.errors import ConfigError
from connector.mapping.source import Source, read, validate

HARSH = frozenset({Tone.FIRM, Tone.FINAL})
Days = Annotated[int, Field(ge=0, le=400)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TaskFile(_Strict):
    """A task besides the ladder."""

    kind: Kind
    assignee: str | None = None
    priority: Literal["High", "Normal", "Low"] = "Normal"
    subject: str = ""
    template: str | None = None
    tone: Tone | None = None
    persons_only: bool = False
    per: Literal["failure", "course", "payer"] = "failure"


class StepFile(_Strict):
    """One level of a ladder."""

    level: Annotated[int, Field(ge=1, le=99)]
    kind: Kind
    after_days: Days
    gap_days: Days = 7
    tone: Tone | None = None
    template: str | None = None
    assignee: str | None = None
    priority: Literal["High", "Normal", "Low"] = "Normal"
    subject: str = ""
    at_once: bool = False
    also: list[TaskFile] = []


class RetryFile(_Strict):
    """When to try again."""

    on: Literal["pay_day", "soon"]
    after_days: Days = 1
    within_days: Days = 30
    max_failures: Annotated[int, Field(ge=1, le=15)] = 3
    max_age_days: Days = 120


class HoldFile(_Strict):
    """A hold to put on."""

    cause: HoldCause
    scope: Literal["installment", "payer"] = "installment"


class RowFile(_Strict):
    """One row of the table."""

    row: Annotated[str, Field(min_length=1, max_length=80)]
    when: dict[str, object] = {}
    because: Annotated[str, Field(min_length=1, max_length=300)]
    ladder: str | None = None
    retry: RetryFile | None = None
    tasks: list[TaskFile] = []
    hold: HoldFile | None = None
    tone: Tone | None = None
    watch: bool = False


class CasesFile(_Strict):
    """Which open cases matter."""

    withhold_contact: list[str] = []
    withhold_retries: list[str] = []
    max_age_days: Days = 90


class PolicyFile(_Strict):
    """A policy file."""

    policy: Annotated[str, Field(min_length=1, max_length=80)]
    version: Annotated[str, Field(min_length=1, max_length=40)]
    description: str = ""
    pay_day: Annotated[int, Field(ge=1, le=31)] = 26
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None
    threshold: dict[str, Decimal] = {}
    threshold_default: Annotated[int, Field(ge=0, le=1000)] = 5
    contacts_per_day: Annotated[int, Field(ge=1, le=1)] = 1
    contacts_per_week: Annotated[int, Field(ge=1, le=3)] = 3
    calls_per_week: Annotated[int, Field(ge=1, le=7)] = 7
    notice_days: dict[Scheme, Annotated[int, Field(ge=1, le=60)]] = {}
    channels: list[Channel] = [Channel.EMAIL, Channel.SMS]
    grace_days: Days = 3
    confirm_within_days: Days = 7
    retry_patience_days: Days = 5
    partial_patience_days: Days = 14
    cases: CasesFile = CasesFile()
    ladders: dict[str, list[StepFile]] = {}
    rows: Annotated[list[RowFile], Field(min_length=1)]


def load_policy(path: Path, rules: Rules) -> Policy:
    """Read and check one policy file.

    Raises:
        ConfigError: every fault at once, each ``file:line: what, did you mean``.

    """
    return build(read(path), rules)


def load_policies(folder: Path, rules: Rules) -> dict[str, Policy]:
    """Read every ``*.yaml`` of a folder: name of the policy → policy.

    Raises:
        ConfigError: every fault of every file, no file at all, or two policies of one name.

    """
    problems: list[str] = []
    found: dict[str, Policy] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            policy = load_policy(path, rules)
        except ConfigError as error:
            problems += error.problems
            continue
        if policy.name in found:
            problems.append(f"{folder.name}/{path.name}:1: there is already a policy '{policy.name}'")
        found[policy.name] = policy
    if not found and not problems:
        problems.append(f"{folder.name}:1: no policy; at least default.yaml is needed")
    if problems:
        raise ConfigError(problems)
    return found


def build(source: Source, rules: Rules) -> Policy:
    """Check one parsed file and give its policy."""
    problems: list[str] = []
    conditions = _conditions(source, problems)
    try:
        file = validate(source, PolicyFile)
    except ConfigError as error:
        raise ConfigError(_in_order([*error.problems, *problems])) from None
    _check(source, file, problems)
    if problems:
        raise ConfigError(_in_order(problems))
    return _policy(file, conditions, rules)


def _in_order(problems: Sequence[str]) -> list[str]:
    return sorted(dict.fromkeys(problems), key=lambda line: (int(line.split(":", 2)[1]), line))


def _conditions(source: Source, problems: list[str]) -> list[tuple[tuple[str, Condition], ...]]:
    """Read the conditions of every row, as far as the file has the shape for it."""
    rows = source.data.get("rows") if isinstance(source.data, Mapping) else None
    found = []
    for at, row in enumerate(rows if isinstance(rows, list) else []):
        when = row.get("when") if isinstance(row, Mapping) else None
        tests = []
        for name, raw in when.items() if isinstance(when, Mapping) else ():
            where = ("rows", at, "when", name)
            fact = FACTS.get(name)
            if fact is None:
                problems.append(source.problem(where, _unknown(name)))
                continue
            try:
                tests.append((name, parse(raw, fact, _digits)))
            except ConditionError as error:
                problems.append(source.problem(where, f"{name}: {error}"))
        found.append(tuple(tests))
    return found


def _digits(currency: str) -> int:
    try:
        return money.digits(currency)
    except ValueError as error:
        raise ConditionError(str(error)) from None


def _unknown(name: str) -> str:
    if any(word in name.casefold() for word in FORBIDDEN_FACTS if word != "age") or name.casefold() == "age":
        return f"'{name}': nobody is treated by their health, origin, belief, age or gender; a hold is the way to protect somebody"
    close = get_close_matches(name, FACTS, n=1)
    meant = f"did you mean '{close[0]}'?" if close else f"facts are {', '.join(FACTS)}"
    return f"'{name}' is no fact; {meant}"


def _check(source: Source, file: PolicyFile, problems: list[str]) -> None:
    """Check what spans several places of the file."""
    for name, steps in file.ladders.items():
        _check_ladder(source, name, steps, problems)
    names: dict[str, int] = {}
    for at, row in enumerate(file.rows):
        if row.row in names:
            problems.append(source.problem(("rows", at, "row"), f"there is already a row '{row.row}'"))
        names[row.row] = at
        if row.ladder is not None and row.ladder not in file.ladders:
            close = get_close_matches(row.ladder, file.ladders, n=1)
            meant = f"; did you mean '{close[0]}'?" if close else ""
            problems.append(source.problem(("rows", at, "ladder"), f"there is no ladder '{row.ladder}'{meant}"))
        if any(fact in row.when for fact in ONLY_MILDER) and _harsh(row, file):
            problems.append(
                source.problem(("rows", at, "when"), "segment and value may only make a course milder, and this row is firm or escalates")
            )
    if file.rows[-1].when:
        problems.append(
            source.problem(("rows", len(file.rows) - 1), "the last row must have no 'when', so that no situation goes without an answer")
        )
    for currency in file.threshold:
        try:
            money.to_minor(file.threshold[currency], currency)
        except ValueError as error:
            problems.append(source.problem(("threshold", currency), str(error)))


def _check_ladder(source: Source, name: str, steps: Sequence[StepFile], problems: list[str]) -> None:
    if not steps:
        problems.append(source.problem(("ladders", name), f"ladder '{name}' has no steps"))
    offered = False
    for at, step in enumerate(steps):
        where = ("ladders", name, at)
        if at and step.level <= steps[at - 1].level:
            problems.append(source.problem(where, f"level {step.level} does not rise above {steps[at - 1].level}"))
        if at and step.after_days < steps[at - 1].after_days:
            problems.append(source.problem(where, f"after_days {step.after_days} is sooner than the step before it"))
        if step.kind in CONTACT_KINDS and step.template is None:
            problems.append(source.problem(where, f"a {step.kind} needs a template"))
        offered = offered or step.kind is Kind.OFFER_PLAN
        if step.kind in (Kind.ESCALATE, Kind.PROPOSE_REFERRAL) and not offered:
            problems.append(source.problem(where, f"a plan must be offered before {step.kind}"))


def _harsh(row: RowFile, file: PolicyFile) -> bool:
    steps = file.ladders.get(row.ladder or "", [])
    tones = {row.tone, *(step.tone for step in steps), *(task.tone for task in row.tasks)}
    kinds = {*(step.kind for step in steps), *(task.kind for task in row.tasks)}
    return bool(tones & HARSH or kinds & {Kind.ESCALATE, Kind.PROPOSE_REFERRAL, Kind.PROPOSE_WRITE_OFF} or row.hold)


def _policy(file: PolicyFile, conditions: Sequence[tuple[tuple[str, Condition], ...]], rules: Rules) -> Policy:
    rows = tuple(
        Row(
            row.row, conditions[at], row.because, row.ladder,
            RetryPlan(**row.retry.model_dump()) if row.retry else None, tuple(_task(task) for task in row.tasks),
            HoldPlan(row.hold.cause, row.hold.scope) if row.hold else None, row.tone, row.watch, at,
        )
        for at, row in enumerate(file.rows)
    )  # fmt: skip
    ladders = {name: Ladder(name, tuple(_step(step) for step in steps)) for name, steps in file.ladders.items()}
    cases = CaseRules(
        tuple(word.casefold() for word in file.cases.withhold_contact),
        tuple(word.casefold() for word in file.cases.withhold_retries),
        file.cases.max_age_days,
    )
    return Policy(
        file.policy, file.version, rows, MappingProxyType(ladders), cases, file.pay_day, file.country,
        MappingProxyType({currency: money.to_minor(amount, currency) for currency, amount in file.threshold.items()}),
        file.threshold_default, file.contacts_per_day, file.contacts_per_week, file.calls_per_week,
        MappingProxyType({str(scheme): days for scheme, days in file.notice_days.items()}), tuple(file.channels), file.grace_days, file.confirm_within_days,
        file.retry_patience_days, file.partial_patience_days, rules,
    )  # fmt: skip


def _task(task: TaskFile) -> Task:
    return Task(task.kind, task.assignee, task.priority, task.subject, task.template, task.tone, task.persons_only, task.per)


def _step(step: StepFile) -> Step:
    also = tuple(_task(task) for task in step.also)
    return Step(
        step.level, step.kind, step.after_days, step.gap_days, step.tone, step.template, step.assignee, step.priority, step.subject,
        step.at_once, also,
    )  # fmt: skip
