"""Capacity: how many calls a team can make in a day, which come first, and which are carried over.

Must not judge a payer. Invariant: a call that people have on their list already stays there; of the others never more are
given out in a day than the team has left, the most pressing first, and the rest is withheld as ``capacity`` until the next
working day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from connector.core.calendars import business_day_from
from connector.core.model import Decision, FollowUp, Withheld
from connector.core.timing import local
from connector.core.words import Kind, Withholding

OPENING_MINUTE = 9 * 60
"""Minute of the creditor's day from which carried-over calls are looked at again."""
_PRIORITIES = {"High": 0, "Normal": 1, "Low": 2}


@dataclass(frozen=True, slots=True)
class Desk:
    """The teams today: calls each may still be given (by role), keys of calls on their lists already, and where they work."""

    left: Mapping[str, int]
    listed: frozenset[str]
    now: datetime
    where: ZoneInfo
    country: str | None = None


def ration(decisions: Sequence[Decision], desk: Desk) -> list[Decision]:
    """Give ``decisions`` in their order, with the calls beyond today's capacity withheld.

    A team without a number has no limit. Ranked by priority, then days past due, then amount in minor units whatever the
    currency, then key: the same decisions are rationed alike in any order.
    """
    left = dict(desk.left)
    today = _today(desk)
    asked = [
        (one, call)
        for one in decisions
        for call in one.follow_ups
        if call.kind is Kind.CALL
        and call.assignee in left
        and call.key not in desk.listed
        and call.at.astimezone(desk.where).date() <= today
    ]
    over: set[str] = set()
    for _, call in sorted(asked, key=lambda pair: _rank(*pair)):
        role = str(call.assignee)
        if left[role] > 0:
            left[role] -= 1
        else:
            over.add(call.key)
    return [carry_over(one, frozenset(over), desk) for one in decisions]


def _today(desk: Desk) -> date:
    return desk.now.astimezone(desk.where).date()


def _rank(decision: Decision, call: FollowUp) -> tuple[int, int, int, str]:
    return _PRIORITIES.get(call.priority, 1), -decision.arrears.days_past_due, -(call.amount_minor or 0), call.key


def carry_over(decision: Decision, over: frozenset[str], desk: Desk) -> Decision:
    """Give ``decision`` with the calls under the keys ``over`` withheld until the next working day."""
    carried = [one for one in decision.follow_ups if one.key in over]
    if not carried:
        return decision
    again_on = business_day_from(None, desk.country, date.fromordinal(_today(desk).toordinal() + 1))
    again_at = local(again_on, OPENING_MINUTE, desk.where)
    withheld = [Withheld(one.kind, (Withholding.CAPACITY,), again_at, one.key, one.installments, one.rule) for one in carried]
    look = again_at if decision.look_again_at is None else min(decision.look_again_at, again_at)
    return replace(
        decision,
        follow_ups=tuple(one for one in decision.follow_ups if one.key not in over),
        withheld=(*decision.withheld, *withheld),
        look_again_at=look,
    )
