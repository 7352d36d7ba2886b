"""Decision vs what the org shows → the smallest set of record changes, each made once.

Must not know field names of an org. Invariant: inserts carry a unique key; updates name the record's id and
only what differs; what a person completed, deleted or cancelled is never undone; with rows missing nothing
is cleared and nothing is superseded. The same decision on an org that shows its result gives no change.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from types import MappingProxyType

from connector.core.keys import key as make_key
from connector.core.model import Decision, FollowUp, Hold, Withheld
from connector.core.plans import ShownPlan
from connector.core.records import quick
from connector.core.words import (
    CONTACT_KINDS,
    SENSITIVE_CATEGORIES,
    SENSITIVE_HOLDS,
    STAFF_KINDS,
    ArrearsStatus,
    FollowUpStatus,
    InstallmentStatus,
    Kind,
)

Value = str | int | bool | date | datetime | None
Values = Mapping[str, Value]

RETRYABLE = frozenset({None, InstallmentStatus.FAILED, InstallmentStatus.REVERSED, InstallmentStatus.REJECTED})
"""A recollection is set only from these (design section 3); None = the org keeps no status."""
VISIBLE_KINDS = CONTACT_KINDS | STAFF_KINDS
"""Kinds that show themselves to people as a Task."""


@quick
@dataclass(frozen=True, slots=True)
class ShownTask:
    """A Task of ours as the org has it, deleted ones included."""

    id: str
    is_closed: bool
    is_deleted: bool
    status: str
    completed_at: datetime | None


@quick
@dataclass(frozen=True, slots=True)
class ShownFollowUp:
    """A follow-up record of ours as the org has it."""

    id: str
    key: str
    kind: Kind
    status: FollowUpStatus
    at: datetime | None
    task_id: str | None
    withheld: str | None = None
    withheld_until: datetime | None = None


@quick
@dataclass(frozen=True, slots=True)
class ShownPosition:
    """An Arrears Position as the org has it: ``values`` in the words of ``position_values``."""

    id: str
    currency: str
    values: Values


@quick
@dataclass(frozen=True, slots=True)
class View:
    """What the org shows of ours for one payer."""

    payer: str
    follow_ups: Mapping[str, ShownFollowUp] = field(default_factory=lambda: MappingProxyType({}))
    tasks: Mapping[str, ShownTask] = field(default_factory=lambda: MappingProxyType({}))
    """Tasks of ours by key, deleted and archived ones included."""
    positions: Mapping[str, ShownPosition] = field(default_factory=lambda: MappingProxyType({}))
    holds: frozenset[str] = frozenset()
    """Keys of holds that exist, released ones included."""
    flag: str | None = None
    """Position that the payer record's lookup points at."""
    retry_stamps: Mapping[str, str | None] = field(default_factory=lambda: MappingProxyType({}))
    """Installment → the retry key stamped on it."""
    statuses: Mapping[str, str | None] = field(default_factory=lambda: MappingProxyType({}))
    """Installment → its status, in the model's words."""
    promises: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Promise → its state, in lower case."""
    plans: Mapping[str, ShownPlan] = field(default_factory=lambda: MappingProxyType({}))
    """Plans by id, ended ones left out."""


@quick
@dataclass(frozen=True, slots=True)
class Change:
    """One record change, in the model's words. ``subject``: follow_up, task, position, hold, installment, payer, promise, plan."""

    op: str
    """``insert`` or ``update``."""
    subject: str
    payer: str
    values: Values
    key: str | None = None
    id: str | None = None
    follow_up: FollowUp | None = None
    """What a new Task is the visible form of: its words are rendered from it. On a link that is made late: what is announced."""


@quick
@dataclass(frozen=True, slots=True)
class Basis:
    """What a flag rests on."""

    currency: str
    """The creditor's or the first open item's, for a Position that has no amount."""
    installments: tuple[str, ...] = ()
    """Ids of the open installments."""
    missing: bool = False
    """Rows our flags rest on could not be read: nothing is cleared or superseded."""


def changes(decision: Decision, view: View, now: datetime, basis: Basis) -> list[Change]:
    """Give every change that makes the org show ``decision``.

    Args:
        decision: what was decided.
        view: what the org shows now.
        now: aware instant; a follow-up whose time has come becomes visible.
        basis: what the flag rests on.

    """
    found = [change for one in decision.follow_ups for change in _follow_up(decision, one, view, now)]
    found += [change for one in decision.withheld for change in _withheld(decision, one, view)]
    found += _finished(decision, view)
    if not basis.missing:
        found += _superseded(decision, view, now)
        set_now = {one.key for one in found if one.subject == "follow_up" and one.values.get("status") is FollowUpStatus.DONE}
        done = frozenset(one.key for one in decision.follow_ups if one.kind is Kind.RETRY and one.key in set_now)
        found += _positions(decision, view, basis, done)
    return found


def position_key(payer: str, currency: str) -> str:
    """Key of the Arrears Position of ``payer`` in ``currency``."""
    return make_key("position", payer, currency)


def _follow_up(decision: Decision, one: FollowUp, view: View, now: datetime) -> list[Change]:
    shown, task = view.follow_ups.get(one.key), view.tasks.get(one.key)
    if shown is None:
        done = one.kind is Kind.CLEAR and one.at <= now
        values = {
            **_described(decision, one),
            "status": FollowUpStatus.DONE if done else FollowUpStatus.PLANNED,
            "done_at": now if done else None,
        }
        return [Change("insert", "follow_up", decision.payer, values, key=one.key), *_surface(decision, one, view, now)]
    if shown.status in (FollowUpStatus.DONE, FollowUpStatus.CANCELLED) or _over(view, shown):
        return []
    found = []
    renewed: dict[str, Value] = {}
    if shown.status is not FollowUpStatus.PLANNED:
        renewed = {"status": FollowUpStatus.PLANNED, "withheld": None, "withheld_until": None, "planned_at": one.at}
        if task is not None:
            found.append(Change("update", "task", decision.payer, {"status": "open"}, id=task.id))
    elif task is None and shown.at != one.at:
        renewed = {"planned_at": one.at}
    if renewed:
        found.append(Change("update", "follow_up", decision.payer, renewed, id=shown.id, key=one.key))
    return found + _surface(decision, one, view, now)


def _surface(decision: Decision, one: FollowUp, view: View, now: datetime) -> list[Change]:
    """Make a follow-up visible once its time has come: a Task, a hold, an installment set for recollection."""
    if one.kind is Kind.RETRY:
        return _retry(decision, one, view, now)
    if one.at > now:
        return []
    if one.kind is Kind.HOLD and one.hold is not None:
        made = [_hold(decision, one, one.hold)] if one.key not in view.holds else []
        return [*made, _becomes(decision, one.key, {"status": FollowUpStatus.DONE, "done_at": now})]
    if one.kind not in VISIBLE_KINDS:
        return []
    task, shown = view.tasks.get(one.key), view.follow_ups.get(one.key)
    if task is None and (shown is None or shown.task_id is None):
        return [Change("insert", "task", decision.payer, {}, key=one.key, follow_up=one)]
    if task is not None and (shown is None or shown.task_id is None):
        return [replace(_becomes(decision, one.key, {"task_id": task.id}), follow_up=one)]
    return []


def _hold(decision: Decision, one: FollowUp, hold: Hold) -> Change:
    values: Values = {
        "cause": hold.cause,
        "from_on": hold.from_on,
        "until": hold.until,
        "installments": " ".join(hold.installments),
        "evidence": " ".join(one.reasons),
    }
    return Change("insert", "hold", decision.payer, values, key=one.key)


def _becomes(decision: Decision, key: str, values: Values) -> Change:
    """Update a follow-up by its key: it may have been inserted in this very pass."""
    return Change("update", "follow_up", decision.payer, values, key=key)


def _retry(decision: Decision, one: FollowUp, view: View, now: datetime) -> list[Change]:
    """Set an installment for recollection once its notice was given.

    Our stamp on it says that it was set already: a person may have reset it since, and that stays so.
    """
    if one.after is not None and not _done(view, one.after):
        return []
    unset = [installment for installment in one.installments if view.retry_stamps.get(installment) != one.key]
    if any(view.statuses.get(installment) not in RETRYABLE for installment in unset):
        return []
    found = [
        Change("update", "installment", decision.payer, {"retry_on": one.at, "stamp": one.key}, id=installment, key=one.key)
        for installment in unset
    ]
    return [*found, _becomes(decision, one.key, {"status": FollowUpStatus.DONE, "done_at": now})]


def _done(view: View, key: str) -> bool:
    shown, task = view.follow_ups.get(key), view.tasks.get(key)
    return shown is not None and (shown.status is FollowUpStatus.DONE or (task is not None and task.is_closed and not task.is_deleted))


def _over(view: View, shown: ShownFollowUp) -> bool:
    """Tell whether a person finished it: completed or deleted its Task."""
    task = view.tasks.get(shown.key)
    return shown.status is FollowUpStatus.PLANNED and task is not None and (task.is_closed or task.is_deleted)


def _withheld(decision: Decision, one: Withheld, view: View) -> list[Change]:
    shown, task = view.follow_ups.get(one.key), view.tasks.get(one.key)
    reasons = _reasons(one)
    if shown is None:
        values: Values = {
            "kind": one.kind,
            "status": FollowUpStatus.WITHHELD,
            "withheld": reasons,
            "withheld_until": one.until,
            "rule": DISCREET if is_discreet(decision) else one.rule,
            "installments": " ".join(one.installments),
            "policy": decision.policy,
            "policy_version": decision.policy_version,
            "cause": decision.category,
            "reasons": DISCREET if is_discreet(decision) else decision.why,
        }
        return [Change("insert", "follow_up", decision.payer, values, key=one.key)]
    if shown.status in (FollowUpStatus.DONE, FollowUpStatus.CANCELLED) or _over(view, shown):
        return []
    renewed: dict[str, Value] = {}
    if shown.status is not FollowUpStatus.WITHHELD:
        renewed["status"] = FollowUpStatus.WITHHELD
    if shown.withheld != reasons:
        renewed["withheld"] = reasons
    if _differs(shown.withheld_until, one.until):
        renewed["withheld_until"] = one.until
    found = [Change("update", "follow_up", decision.payer, renewed, id=shown.id, key=one.key)] if renewed else []
    if "status" in renewed and task is not None and not task.is_closed and not task.is_deleted:
        found.append(Change("update", "task", decision.payer, {"status": "deferred"}, id=task.id))
    return found


def _differs(shown: datetime | None, wanted: datetime | date | None) -> bool:
    """Compare an instant in the org with what is wanted: a date there is noon UTC of that date."""
    return shown != as_instant(wanted)


def as_instant(wanted: datetime | date | None) -> datetime | None:
    """An instant as it is; a date as noon UTC of it, so that it reads as the same date in every time zone of a creditor."""
    if wanted is None or isinstance(wanted, datetime):
        return wanted
    return datetime.combine(wanted, time(12), UTC)


def _finished(decision: Decision, view: View) -> list[Change]:
    """Close what is finished: its Task was completed (Done) or deleted (Cancelled), its hold or recollection is set (Done)."""
    found = []
    wanted = {one.key for one in decision.follow_ups}
    for shown in view.follow_ups.values():
        task = view.tasks.get(shown.key)
        if _over(view, shown) and task is not None:
            status = FollowUpStatus.CANCELLED if task.is_deleted else FollowUpStatus.DONE
            values: Values = {"status": status, "done_at": task.completed_at, "task_id": task.id}
        elif shown.status is FollowUpStatus.PLANNED and shown.key not in wanted and _took_effect(view, shown):
            values = {"status": FollowUpStatus.DONE, "done_at": shown.at}
        else:
            continue
        found.append(Change("update", "follow_up", decision.payer, values, id=shown.id, key=shown.key))
    return found


def _took_effect(view: View, shown: ShownFollowUp) -> bool:
    """Tell whether a hold exists, or a recollection is stamped, that was made just before we stopped."""
    return shown.key in view.holds or shown.key in view.retry_stamps.values()


def _superseded(decision: Decision, view: View, now: datetime) -> list[Change]:
    """Unfinished follow-ups that are no longer wanted step back, and their open Tasks with them."""
    wanted = {one.key for one in decision.follow_ups} | {one.key for one in decision.withheld}
    found = []
    for shown in view.follow_ups.values():
        if shown.key in wanted or shown.status not in (FollowUpStatus.PLANNED, FollowUpStatus.WITHHELD):
            continue
        if _over(view, shown) or (shown.status is FollowUpStatus.PLANNED and _took_effect(view, shown)):
            continue
        found.append(
            Change("update", "follow_up", decision.payer, {"status": FollowUpStatus.SUPERSEDED, "done_at": now}, id=shown.id, key=shown.key)
        )
        task = view.tasks.get(shown.key)
        if task is not None and not task.is_closed and not task.is_deleted:
            found.append(Change("update", "task", decision.payer, {"status": "completed"}, id=task.id))
    return found


DISCREET = "do_not_contact"
"""What stands where others look when the cause is for specialists alone; the cause itself is in restricted fields."""


def is_discreet(decision: Decision) -> bool:
    """Tell whether the cause of a decision must not be read by everyone who sees its records."""
    return decision.category in SENSITIVE_CATEGORIES or any(
        reason in _SENSITIVE_REASONS for one in decision.withheld for reason in one.reasons
    )


_SENSITIVE_REASONS = frozenset(f"hold:{cause}" for cause in SENSITIVE_HOLDS)


def _reasons(one: Withheld) -> str:
    return ";".join(dict.fromkeys(DISCREET if reason in _SENSITIVE_REASONS else reason for reason in one.reasons))


def _described(decision: Decision, one: FollowUp) -> dict[str, Value]:
    return {
        "kind": one.kind,
        "level": one.level,
        "planned_at": one.at,
        "channel": one.channel,
        "tone": one.tone,
        "template": one.template,
        "rule": DISCREET if is_discreet(decision) else one.rule,
        "reasons": DISCREET if is_discreet(decision) else " ".join(one.reasons),
        "subject": one.subject,
        "policy": decision.policy,
        "policy_version": decision.policy_version,
        "installments": " ".join(one.installments),
        "amount_minor": one.amount_minor,
        "currency": one.currency,
        "assignee": one.assignee,
        "priority": one.priority,
        "after": one.after,
        "cause": decision.category,
    }


def position_values(decision: Decision, currency: str, installments: Iterable[str], done: frozenset[str] = frozenset()) -> dict[str, Value]:
    """What the flag says, in comparable words; nothing in it changes from day to day by itself.

    ``done`` are keys of retries that are set in this very pass: they are not coming any more.
    """
    arrears = decision.arrears
    visible = [one for one in decision.follow_ups if (one.kind in VISIBLE_KINDS or one.kind is Kind.RETRY) and one.key not in done]
    coming = min(visible, key=lambda one: (one.at, one.key), default=None)
    return {
        "status": arrears.status,
        "amount_minor": arrears.amount.get(currency, 0),
        "since": arrears.since,
        "level": arrears.level,
        "failures_12m": arrears.failures_12m,
        "last_key": coming.key if coming else None,
        "next_follow_up": coming.at if coming else None,
        "next_kind": coming.kind if coming else None,
        "look_again": decision.look_again_at,
        "why": DISCREET if is_discreet(decision) else decision.why,
        "installments": " ".join(sorted(installments)),
    }


def _positions(decision: Decision, view: View, basis: Basis, done: frozenset[str]) -> list[Change]:
    currencies = list(dict.fromkeys([*decision.arrears.amount, *view.positions]))
    if not currencies and decision.arrears.status is not ArrearsStatus.CLEAR:
        currencies = [basis.currency]
    found = []
    for one in currencies:
        wanted = position_values(decision, one, basis.installments, done)
        shown = view.positions.get(one)
        if shown is None:
            found.append(Change("insert", "position", decision.payer, {**wanted, "currency": one}, key=position_key(decision.payer, one)))
            continue
        renewed = {name: value for name, value in wanted.items() if shown.values.get(name) != value}
        if renewed:
            found.append(Change("update", "position", decision.payer, renewed, id=shown.id, key=position_key(decision.payer, one)))
    return found
