"""Whether a table makes sense as a whole: rows that can never be hit, and situations only the last row answers.

Must not load or change a policy. Invariant: a row is called dead only if an earlier row meets every value
around which the table's own conditions turn; a warning is never a guess.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from connector.core.conditions import FactKind
from connector.core.policy import FACTS, NO_REASON, ORDER_STEP, Policy, Row
from connector.core.words import Category, ClaimKind


def dead_rows(policy: Policy) -> list[tuple[str, str]]:
    """Give rows that can never be hit, each with the earlier row that always comes first.

    A row of the base is not called dead because a variant's row comes before it: that is what variants are for.
    """
    found = _dead(policy.rows, policy.rows)
    for variant in policy.variants:
        own = [row for row in variant.rows if row.order % ORDER_STEP]
        found += _dead(variant.rows, own)
    return found


def _dead(rows: Sequence[Row], asked: Sequence[Row]) -> list[tuple[str, str]]:
    samples = _samples(rows)
    found = []
    for row in asked:
        first = next((earlier for earlier in rows[: rows.index(row)] if _swallows(earlier, row, samples)), None)
        if first is not None:
            found.append((row.name, first.name))
    return found


def unanswered(policy: Policy) -> list[dict[str, object]]:
    """Give situations that no row but the last answers, as the facts that make them up."""
    last = policy.rows[-1]
    seen: dict[object, dict[str, object]] = {}
    for facts in _situations():
        if policy.row(facts) is last:
            key = (facts["reason"], facts["claim_kind"], facts["retryable"])
            seen.setdefault(key, {"reason": key[0], "claim_kind": key[1], "retryable": key[2]})
    return list(seen.values())


def _samples(rows: Sequence[Row]) -> dict[str, list[object]]:
    """Give the values of each fact around which some condition of the table turns, and one beyond them all."""
    samples: dict[str, list[object]] = {
        name: [None, *fact.words, *((True, False) if fact.kind is FactKind.FLAG else ())] for name, fact in FACTS.items()
    }
    for row in rows:
        for name, condition in row.when:
            samples[name] += condition.samples
    return samples


def _swallows(earlier: Row, later: Row, samples: Mapping[str, list[object]]) -> bool:
    """Tell whether every situation of ``later`` is one of ``earlier``."""
    wanted = dict(later.when)
    for name, condition in earlier.when:
        own = wanted.get(name)
        for value in samples[name]:
            if (own is None or own.holds(value)) and not condition.holds(value):
                return False
    return True


def _situations() -> Iterator[dict[str, object]]:
    """Give the situations a table must answer: every reason and claim, often and seldom failing, first and not."""
    quiet: dict[str, object] = dict.fromkeys(FACTS)
    quiet |= {"promise": "none", "plan": "none", "open_amount": {"EUR": 4000}, "open_cases": 0, "open_installments": 1, "level": 0}
    turns = product(
        [*Category, NO_REASON],
        ("yes", "no", "ask"),
        ClaimKind,
        ("card", "direct_debit", "payer", "unknown"),
        (1, 2, 5),
        (None, 1, 5),
        (True, False),
    )
    for reason, retryable, claim, rail, in_a_row, failures, first in turns:
        yield {
            **quiet, "reason": reason, "retryable": None if reason == NO_REASON else retryable, "claim_kind": claim, "rail": rail,
            "item_failures": in_a_row, "failures_12m": failures, "first_installment": first, "money_moved": False, "reached": False,
            "clean_history": False, "tenure_days": 400, "payer_kind": "person",
        }  # fmt: skip
