"""The state of agreements as the org should show it: promises kept or broken, plans kept, missed or over.

People make agreements and may correct or end them. Must not say what is done about them (``decide`` does). Invariants: a promise is judged
once and never taken back; nothing is called broken or missed on stale data, with rows missing or with money under way; what cannot be
seen proves nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from connector.core.changes import Change, View
from connector.core.limits import came
from connector.core.model import OpenItem, Position, Promise
from connector.core.plans import ENDED, is_over
from connector.core.situation import episode_of
from connector.core.timing import creditor_zone
from connector.core.words import InstallmentStatus

OPEN, KEPT, BROKEN = "open", "kept", "broken"
Statuses = Mapping[str, str | None]
"""Installments of a payer that can be seen, settled ones included, with their status."""


def agreed(position: Position, view: View, now: datetime) -> list[Change]:
    """Give every change that makes the org show the state of the payer's agreements at ``now`` (aware)."""
    payer = position.payer.id
    waiting = [(one.id, one) for one in position.promises if one.id and view.promises.get(one.id) == OPEN]
    states = {name: promise_came_to(position, one, view.statuses, now) for name, one in waiting}
    found = [Change("update", "promise", payer, {"state": state}, id=one) for one, state in states.items() if state != OPEN]
    return found if position.missing or position.stale else found + _plans(position, view)


def _plans(position: Position, view: View) -> list[Change]:
    """A plan of which a part is late is missed, one whose parts are all settled is over; of an older one only the latter is asked."""
    found = []
    for name, shown in view.plans.items():
        plan = position.plan
        state = plan.state if plan is not None and plan.id == name else shown.state
        if is_over(shown.installments, position.open_items, view.statuses):
            state = ENDED
        if state != shown.state:
            found.append(Change("update", "plan", position.payer.id, {"state": state}, id=name))
    return found


def promise_came_to(position: Position, promise: Promise, statuses: Statuses, now: datetime) -> str:
    """Give ``open`` until the day of a promise is over or its money has come, then ``kept`` or ``broken``."""
    zone = creditor_zone(position.time_zone)
    about = [item for item in position.open_items if _is_about(promise, item, now, zone)]
    if position.missing:
        return OPEN
    if not about:
        return KEPT if _settled(promise, position, statuses) else OPEN
    if promise.on >= now.astimezone(zone).date():  # what was agreed stands until its day, though a part has come
        return OPEN
    if came(position, promise):
        return KEPT
    return OPEN if position.stale or any(item.in_transit for item in about) else BROKEN


def _is_about(promise: Promise, item: OpenItem, now: datetime, zone: ZoneInfo) -> bool:
    """Tell whether a promise is about what is open on ``item`` now: what failed after its day is another matter."""
    if promise.installment not in (None, item.id) or not item.overdue or item.due_on > promise.on:
        return False
    return episode_of(item, now, zone).since.astimezone(zone).date() <= promise.on


def _settled(promise: Promise, position: Position, statuses: Statuses) -> bool:
    """Tell whether what was promised can be seen and nothing of it is open; something cancelled kept no promise."""
    if promise.installment is None:
        return any(status != InstallmentStatus.CANCELLED for status in statuses.values())
    if any(item.id == promise.installment for item in position.open_items):
        return False
    return promise.installment in statuses and statuses[promise.installment] != InstallmentStatus.CANCELLED
