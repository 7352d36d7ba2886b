"""Facts in a file: FACTS.json (design section 5) → the same rows an org gives, and a Decision → the printed JSON.

Must not decide or read files; text comes in, dictionaries go out. Invariant: an amount is never a float on
its way; every problem of an element is reported at once, each naming its path (``payments[2].outcome: ...``).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pydantic import ValidationError

from connector.core import money
from connector.core.facts_errors import explain
from connector.core.facts_model import FactsFile
from connector.core.facts_rows import rows_of
from connector.core.frames import Run
from connector.core.model import Decision, FollowUp, Withheld
from connector.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Facts:
    """One element of a facts file: one payer at one moment, a world of its own."""

    payer: str
    now: datetime
    time_zone: str
    """The creditor's, as handed to ``parse``: the file does not tell it."""
    policy: str | None
    rows: Mapping[str, Sequence[Mapping[str, object]]]
    """Rows of the Snapshot's frames, by frame."""
    runs: tuple[Run, ...] | None = None
    return_ratio: tuple[tuple[str, float], ...] = ()


def read(text: str) -> tuple[list[object], bool]:
    """The elements of a facts file, not yet checked, and whether it was an array. Numbers with a point are Decimals.

    Raises:
        ConfigError: it is not JSON.

    """
    try:
        found: object = json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"not JSON: {error}") from error
    return (found, True) if isinstance(found, list) else ([found], False)


def parse(element: object, time_zone: str) -> Facts:
    """One element as Facts. ``time_zone`` is the creditor's: a time without an offset, or a day alone, is read in it.

    Raises:
        ConfigError: with every problem of the element, each naming its path and, where one is near, what was meant.

    """
    if not isinstance(element, Mapping):
        raise ConfigError("the element: must be an object with now, payer and installments")
    try:
        file = FactsFile.model_validate(element)
    except ValidationError as error:
        raise ConfigError(explain(error, FactsFile)) from error
    runs = None if file.runs is None else tuple(Run(one.scheme, one.on) for one in file.runs)
    return Facts(file.payer.id, file.now, time_zone, file.policy, rows_of(file, time_zone), runs, tuple(sorted(file.ratios().items())))


def render(decision: Decision) -> dict[str, object]:
    """``decision`` as design section 5 prints it: amounts as text with their currency's decimals, times with an offset."""
    arrears = decision.arrears
    return {
        "payer": decision.payer,
        "arrears": {
            "status": arrears.status.value,
            "amount": {currency: money.text(minor, currency) for currency, minor in sorted(arrears.amount.items()) if minor},
            "since": None if arrears.since is None else arrears.since.isoformat(),
            "days_past_due": arrears.days_past_due,
            "level": arrears.level,
            "failures_12m": arrears.failures_12m,
        },
        "follow_ups": [_follow_up(one) for one in decision.follow_ups],
        "withheld": [_withheld(one) for one in decision.withheld],
        "policy": {"name": decision.policy, "version": decision.policy_version},
    }


def _follow_up(one: FollowUp) -> dict[str, object]:
    return {
        "kind": one.kind.value,
        "at": one.at.isoformat(),
        "channel": None if one.channel is None else one.channel.value,
        "tone": None if one.tone is None else one.tone.value,
        "template": one.template,
        "installments": list(one.installments),
        "assignee": one.assignee,
        "priority": one.priority,
        "subject": one.subject,
        "rule": one.rule,
        "reasons": list(one.reasons),
        "key": one.key,
        **({"to": one.to} if one.to is not None else {}),
    }


def _withheld(one: Withheld) -> dict[str, object]:
    return {"kind": one.kind.value, "reasons": list(one.reasons), "until": None if one.until is None else one.until.isoformat()}


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is no number")
