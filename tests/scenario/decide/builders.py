"""Builders: a Position in one readable line, and what a Decision says in one readable line."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from connector.core.decide import decide
from connector.core.model import Case, Contact, Decision, Failure, OpenItem, Payer, Position, Reason, SettledItem, Shown
from connector.core.policy import Policy
from connector.core.words import Category, Channel, Kind, Outcome, Scheme
from connector.mapping.policy_folder import load_policies
from connector.mapping.rules import load_rules

ROOT = Path(__file__).resolve().parents[3]
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=AMSTERDAM)
"""A Monday morning."""
RETRYABLE = {Category.INSUFFICIENT_FUNDS, Category.TECHNICAL, Category.REFUSED}


@cache
def default_policy() -> Policy:
    """The policy that ships."""
    return load_policies(ROOT / "mappings" / "policies", load_rules(ROOT / "mappings" / "rules"))["default"]


def at(text: str, zone: ZoneInfo = AMSTERDAM) -> datetime:
    """``2026-03-02 18:30`` in Amsterdam."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=zone)


def failure(category="insufficient_funds", when=None, *, retry=None, outcome="failed", wait_hours=None) -> Failure:
    """A failure of a category, on the first of March unless said otherwise."""
    category = Category(category)
    again = retry or ("yes" if category in RETRYABLE else "no")
    reason = Reason("iso20022_return", "XXXX", category, again, category is Category.DECEASED, "", "", wait_hours)
    return Failure(when or at("2026-03-01 08:00").astimezone(UTC), Outcome(outcome), reason)


def item(category="insufficient_funds", *, amount=4000, due="2026-03-01", scheme="sepa_core", failures=None, **more) -> OpenItem:
    """An installment of 40.00 EUR, due on the first of March and failed for lack of money, unless said otherwise."""
    if failures is None:
        failures = () if category is None else (failure(category),)
    base = OpenItem(
        id="a0X1", currency="EUR", amount_minor=amount, open_minor=amount, due_on=date.fromisoformat(due), overdue=True,
        failures=failures, scheme=Scheme(scheme) if scheme else None,
    )  # fmt: skip
    return replace(base, **more)


def payer(**more) -> Payer:
    """A person in Amsterdam who may be called."""
    return replace(Payer("003P1", country="NL", time_zone="Europe/Amsterdam", allow_call=True), **more)


def position(*items: OpenItem, **more) -> Position:
    """What is known about a payer of a year with these installments."""
    overdue: dict[str, int] = {}
    for one in items:
        if one.overdue:
            overdue[one.currency] = overdue.get(one.currency, 0) + one.open_minor - one.credit_minor
    base = Position(
        payer=payer(), time_zone="Europe/Amsterdam", open_items=items, overdue=overdue, since=min((one.due_on for one in items), default=None),
        failures_12m=1, tenure_days=400, clean_days=100, installments_seen=13,
    )  # fmt: skip
    return replace(base, **more)


def loyal(*items: OpenItem, **more) -> Position:
    """As ``position``, of a payer with twelve clean years."""
    return position(*items, **{"tenure_days": 4400, "clean_days": None, "installments_seen": 144, **more})


def complaint(**more) -> Case:
    """An open complaint."""
    return replace(
        Case("500C1", is_closed=False, type="Complaint", subject="Wrong sticker", opened_at=at("2026-02-20 10:00"), owner="005U1"), **more
    )


def contact(when: str, kind="remind", channel="email", key=None, *, conversation=False) -> Contact:
    """A contact that was made."""
    return Contact(at(when).astimezone(UTC), Channel(channel) if channel else None, kind, key, conversation)


def settled(by="money", when="2026-03-02 07:00", **more) -> SettledItem:
    """An installment that failed and was settled."""
    return replace(SettledItem("a0X1", "EUR", 4000, at(when).astimezone(UTC), at("2026-02-20 08:00").astimezone(UTC), by), **more)


def judge(facts: Position, now: datetime = NOW, policy: Policy | None = None) -> Decision:
    """The decision by the policy that ships."""
    return decide(facts, policy or default_policy(), now)


def kinds(decision: Decision) -> list[str]:
    """Kinds of the follow-ups, sorted."""
    return sorted(str(one.kind) for one in decision.follow_ups)


def only(decision: Decision, kind: str):
    """The one follow-up of a kind."""
    found = [one for one in decision.follow_ups if one.kind == kind]
    assert len(found) == 1, f"{len(found)} of {kind}: {kinds(decision)}"
    return found[0]


def withheld(decision: Decision) -> dict[str, tuple[str, ...]]:
    """Reasons by kind of what was withheld."""
    return {str(one.kind): one.reasons for one in decision.withheld}


def shown(decision: Decision, facts: Position, *, done: dict[str, datetime] | None = None) -> Position:
    """The Position after the org shows ``decision``; ``done``: keys that were made, with their time."""
    done = done or {}
    planned = {one.key: Shown(one.key, one.kind, one.at.astimezone(UTC)) for one in decision.follow_ups if one.key not in done}
    planned |= {one.key: Shown(one.key, one.kind, None, withheld=True) for one in decision.withheld}
    by_key = {one.key: one for one in decision.follow_ups}
    made = tuple(
        Contact(when.astimezone(UTC), by_key[key].channel, str(by_key[key].kind), key)
        for key, when in done.items()
        if by_key[key].channel is not None
    )
    return replace(facts, shown=planned, contacts=(*facts.contacts, *made), finished=facts.finished | set(done))


def days(count: float) -> timedelta:
    """So many days."""
    return timedelta(days=count)


CONTACTS = {Kind.NOTIFY, Kind.REMIND, Kind.REQUEST_METHOD, Kind.CONFIRM, Kind.APOLOGISE, Kind.OFFER_PLAN}
