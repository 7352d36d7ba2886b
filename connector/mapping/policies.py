"""One policy: YAML that a credit manager edits → a checked ``Policy``.

Must not judge payers. Invariant: a policy that loads has a catch-all row, knows every ladder it names, and
uses segment and value only towards milder courses; every fault is told at once as ``file:line: what``.
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType

from connector.core import money
from connector.core.breaker import Breaker
from connector.core.conditions import ConditionError, parse
from connector.core.policy import (
    FACTS,
    FORBIDDEN_FACTS,
    ONLY_MILDER,
    ORDER_STEP,
    CaseRules,
    HoldPlan,
    Ladder,
    Policy,
    RetryPlan,
    Row,
    Step,
    Task,
    Tests,
)
from connector.core.rules import Rules
from connector.core.words import CONTACT_KINDS, Kind, Tone
from connector.errors import ConfigError
from connector.mapping.policy_file import PolicyFile, RowFile, StepFile, TaskFile
from connector.mapping.source import Location, Source, validate

HARSH = frozenset({Tone.FIRM, Tone.FINAL})
ESCALATING = frozenset({Kind.ESCALATE, Kind.PROPOSE_REFERRAL, Kind.PROPOSE_WRITE_OFF})


def build(source: Source, rules: Rules) -> Policy:
    """Check one parsed file and give its policy."""
    problems: list[str] = []
    conditions = conditions_of(source, problems)
    try:
        file = validate(source, PolicyFile)
    except ConfigError as error:
        raise ConfigError(in_order([*error.problems, *problems])) from None
    _check(source, file, problems)
    if problems:
        raise ConfigError(in_order(problems))
    return _policy(file, conditions, rules)


def in_order(problems: Sequence[str]) -> list[str]:
    """Give problems of one file by their line, each once."""
    return sorted(dict.fromkeys(problems), key=lambda line: (int(line.split(":", 2)[1]), line))


def conditions_of(source: Source, problems: list[str]) -> list[Tests]:
    """Read the conditions of every row, as far as the file has the shape for it."""
    rows = source.data.get("rows") if isinstance(source.data, Mapping) else None
    whens = [row.get("when") if isinstance(row, Mapping) else None for row in (rows if isinstance(rows, list) else [])]
    return [tests_of(source, ("rows", at, "when"), when, problems) for at, when in enumerate(whens)]


def tests_of(source: Source, where: Location, when: object, problems: list[str]) -> Tests:
    """Read the conditions that stand at ``where``."""
    tests = []
    for name, raw in when.items() if isinstance(when, Mapping) else ():
        fact = FACTS.get(name)
        if fact is None:
            problems.append(source.problem((*where, name), _unknown(name)))
            continue
        try:
            tests.append((name, parse(raw, fact, _digits)))
        except ConditionError as error:
            problems.append(source.problem((*where, name), f"{name}: {error}"))
    return tuple(tests)


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


def check_rows(source: Source, rows: Sequence[RowFile], ladders: Mapping[str, Sequence[StepFile | Step]], problems: list[str]) -> None:
    """Check rows against the ladders there are: names, and segment and value used only towards milder courses."""
    names: dict[str, int] = {}
    for at, row in enumerate(rows):
        if row.row in names:
            problems.append(source.problem(("rows", at, "row"), f"there is already a row '{row.row}'"))
        names[row.row] = at
        if row.ladder is not None and row.ladder not in ladders:
            close = get_close_matches(row.ladder, ladders, n=1)
            meant = f"; did you mean '{close[0]}'?" if close else ""
            problems.append(source.problem(("rows", at, "ladder"), f"there is no ladder '{row.ladder}'{meant}"))
        if any(fact in row.when for fact in ONLY_MILDER) and harsh(row, ladders):
            problems.append(
                source.problem(("rows", at, "when"), "segment and value may only make a course milder, and this row is firm or escalates")
            )


def _check(source: Source, file: PolicyFile, problems: list[str]) -> None:
    """Check what spans several places of the file."""
    for name, steps in file.ladders.items():
        check_ladder(source, name, steps, problems)
    check_rows(source, file.rows, file.ladders, problems)
    if file.rows[-1].when:
        problems.append(
            source.problem(("rows", len(file.rows) - 1), "the last row must have no 'when', so that no situation goes without an answer")
        )
    for currency in file.threshold:
        try:
            money.to_minor(file.threshold[currency], currency)
        except ValueError as error:
            problems.append(source.problem(("threshold", currency), str(error)))


def check_ladder(source: Source, name: str, steps: Sequence[StepFile], problems: list[str]) -> None:
    """Check one ladder: levels and days rise, contacts have words, and a plan comes before escalation."""
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


def harsh(row: RowFile, ladders: Mapping[str, Sequence[StepFile | Step]]) -> bool:
    """Tell whether a row is firm, escalates or puts on a hold."""
    tones, kinds = {row.tone, *(task.tone for task in row.tasks)}, {task.kind for task in row.tasks}
    return bool(tones & HARSH or kinds & ESCALATING or row.hold or harsh_steps(ladders.get(row.ladder or "", [])))


def harsh_steps(steps: Iterable[StepFile | Step]) -> bool:
    """Tell whether a ladder grows firm or escalates."""
    return any(step.tone in HARSH or step.kind in ESCALATING for step in steps)


def rows_of(rows: Sequence[RowFile], conditions: Sequence[Tests]) -> tuple[Row, ...]:
    """Give rows as the core reads them, in their order."""
    return tuple(
        Row(
            row.row, conditions[at], row.because, row.ladder,
            RetryPlan(**row.retry.model_dump()) if row.retry else None, tuple(_task(task) for task in row.tasks),
            HoldPlan(row.hold.cause, row.hold.scope) if row.hold else None, row.tone, row.watch, row.always, at * ORDER_STEP,
        )
        for at, row in enumerate(rows)
    )  # fmt: skip


def ladders_of(ladders: Mapping[str, Sequence[StepFile]]) -> dict[str, Ladder]:
    """Give ladders as the core reads them."""
    return {name: Ladder(name, tuple(_step(step) for step in steps)) for name, steps in ladders.items()}


def _policy(file: PolicyFile, conditions: Sequence[Tests], rules: Rules) -> Policy:
    rows = rows_of(file.rows, conditions)
    ladders = ladders_of(file.ladders)
    cases = CaseRules(
        tuple(word.casefold() for word in file.cases.withhold_contact),
        tuple(word.casefold() for word in file.cases.withhold_retries),
        file.cases.max_age_days,
    )
    threshold = {currency: money.to_minor(amount, currency) for currency, amount in file.threshold.items()}
    return Policy(
        name=file.policy,
        version=file.version,
        rows=rows,
        ladders=MappingProxyType(ladders),
        cases=cases,
        pay_day=file.pay_day,
        country=file.country,
        threshold=MappingProxyType(threshold),
        threshold_default=file.threshold_default,
        contacts_per_day=file.contacts_per_day,
        contacts_per_week=file.contacts_per_week,
        calls_per_week=file.calls_per_week,
        calls_per_day=MappingProxyType(dict(file.calls_per_day)),
        notice_days=MappingProxyType({str(scheme): days for scheme, days in file.notice_days.items()}),
        channels=tuple(file.channels),
        grace_days=file.grace_days,
        confirm_within_days=file.confirm_within_days,
        retry_patience_days=file.retry_patience_days,
        partial_patience_days=file.partial_patience_days,
        breaker=Breaker(file.outage.least, file.outage.times_worst),
        rules=rules,
    )


def _task(task: TaskFile) -> Task:
    return Task(task.kind, task.assignee, task.priority, task.subject, task.template, task.tone, task.persons_only, task.per)


def _step(step: StepFile) -> Step:
    also = tuple(_task(task) for task in step.also)
    return Step(
        step.level, step.kind, step.after_days, step.gap_days, step.tone, step.template, step.assignee, step.priority, step.subject,
        step.at_once, also,
    )  # fmt: skip
