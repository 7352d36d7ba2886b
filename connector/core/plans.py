"""What becomes of a payment plan: in force it is missed when a part is late, and it is over when all that it covers is settled.

People agree, correct and end plans; only what follows from money and dates is told here. Must not say what is done about it (``decide``
does), and must not be asked on stale data or with rows missing. Invariant: nothing is over because something cannot be seen.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date

from connector.core.model import OpenItem, Plan

KEPT, MISSED, ENDED = "kept", "missed", "ended"


@dataclass(frozen=True, slots=True)
class ShownPlan:
    """A payment plan as the org has it."""

    state: str
    """In lower case."""
    installments: tuple[str, ...] = ()
    """What it lists."""


def plan_as_of(plan: Plan, items: Collection[OpenItem], seen: Collection[str], today: date) -> Plan | None:
    """Give a plan in the state it has on ``today``; None = it is over.

    A part is a listed installment that fell due while the plan ran; where parts are no installments, its last day tells.

    Args:
        plan: as people left it.
        items: what is open.
        seen: every installment of the payer that can be seen, settled ones included.
        today: the creditor's day.

    """
    if is_over(plan.installments, items, seen):
        return None
    if plan.state != KEPT:
        return plan
    open_parts = [item for item in items if _covers(plan, item) and item.overdue and not item.in_transit]
    late = any(plan.starts_on is not None and plan.starts_on <= item.due_on < today for item in open_parts)
    past = plan.ends_on is not None and plan.ends_on < today and bool(open_parts)
    return replace(plan, state=MISSED) if late or past else plan


def is_over(listed: Collection[str], items: Collection[OpenItem], seen: Collection[str]) -> bool:
    """Tell whether every installment that a plan lists can be seen and is settled; one that lists nothing is ended by people."""
    still_open = {item.id for item in items}
    return bool(listed) and all(one in seen and one not in still_open for one in listed)


def _covers(plan: Plan, item: OpenItem) -> bool:
    """Tell whether a plan is about ``item``; without a list it is about what was due by its begin."""
    if plan.installments:
        return item.id in plan.installments
    return plan.starts_on is not None and item.due_on <= plan.starts_on
