"""What forbids: holds, cases, promises, consent, caps. Guards are code; a policy cannot switch them off.

Must not plan anything. Invariant: a guard only ever forbids, names its reason from the closed list, and
says until when where that is known.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from connector.core.model import Case, Contact, Hold, OpenItem, Payer, Position, Promise, Representative
from connector.core.policy import CaseRules
from connector.core.records import quick
from connector.core.words import RELEASED_BY_PEOPLE, Channel, HoldCause, Withholding

CONVERSATION_DAYS = 7
"""No call within these days of a conversation (12 CFR 1006.14(b)(2)(i)(B): the day of the conversation is day one)."""
CALL_WINDOW = timedelta(days=7)
BARE = {HoldCause.PROMISE: Withholding.PROMISE, HoldCause.OPEN_CASE: Withholding.OPEN_CASE}
"""Causes withheld under their bare name (design section 4)."""


@quick
@dataclass(frozen=True, slots=True)
class Block:
    """One thing that forbids. ``until`` inclusive where a date; None = until it is over."""

    reason: str
    until: datetime | date | None = None


def merged(blocks: Iterable[Block]) -> tuple[tuple[str, ...], datetime | date | None]:
    """Give the reasons of ``blocks``, each once, and until when all of them last: None where one has no end."""
    found = list(blocks)
    reasons = tuple(dict.fromkeys(str(block.reason) for block in found))
    ends = [block.until for block in found]
    known = [end for end in ends if end is not None]
    return reasons, max(known, key=str) if len(known) == len(ends) and known else None


def in_force(hold: Hold, today: date) -> bool:
    """Tell whether a hold stands on ``today``; one that people release never ends by itself."""
    if hold.from_on is not None and hold.from_on > today:
        return False
    return hold.cause in RELEASED_BY_PEOPLE or hold.until is None or hold.until >= today


def covers(hold: Hold, item: OpenItem) -> bool:
    """Tell whether a hold is about ``item``; without a list it is about everything the payer owes.

    A breathing space is about the debts there were when it began: what fell due after goes on (reg. 5 and 6 of the 2020 Regulations).
    """
    if hold.installments:
        return item.id in hold.installments
    return hold.cause is not HoldCause.BREATHING_SPACE or hold.from_on is None or item.due_on <= hold.from_on


CRISIS_TAIL_DAYS = 30
"""A mental health crisis moratorium lasts these days longer than the treatment (reg. 32 of the 2020 Regulations)."""


def overran(hold: Hold, today: date, breathing_space_days: int | None) -> bool:
    """Tell whether a debt respite hold has stood longer than the law gives it, so that a person should say whether it still does.

    A breathing space without an end is measured from its begin; a crisis with an end (of the treatment) from thirty days after it.
    """
    if hold.cause is HoldCause.BREATHING_SPACE and hold.until is None:
        return hold.from_on is not None and breathing_space_days is not None and (today - hold.from_on).days > breathing_space_days
    return hold.cause is HoldCause.CRISIS and hold.until is not None and (today - hold.until).days > CRISIS_TAIL_DAYS


def hold_block(hold: Hold) -> Block:
    """Give what a hold forbids under its name of the closed list."""
    until = None if hold.cause in RELEASED_BY_PEOPLE else hold.until
    return Block(BARE.get(hold.cause, f"hold:{hold.cause}"), until)


def matters(case: Case, words: Sequence[str]) -> bool:
    """Tell whether an open case is of one of the types ``words``, by its type or its subject: a "Question" may well be a complaint."""
    text = f"{case.type or ''} {case.subject or ''}".casefold()
    return not case.is_closed and any(word in text for word in words)


def cases_for_contact(position: Position, rules: CaseRules) -> list[Case]:
    """Give the open cases that withhold contact, oldest first."""
    return [case for case in position.cases if matters(case, rules.contact)]


def case_is_old(case: Case, rules: CaseRules, now: datetime) -> bool:
    """Tell whether a case has been open so long that a person should decide whether it still stands in the way."""
    return case.opened_at is not None and now - case.opened_at > timedelta(days=rules.max_age_days)


def promise_of(position: Position, item: OpenItem, started_on: date) -> Promise | None:
    """Give the latest promise about ``item`` that belongs to its present episode."""
    about = [promise for promise in position.promises if promise.installment in (None, item.id) and promise.on >= started_on]
    return max(about, key=lambda promise: (promise.on, promise.id or ""), default=None)


def promise_state(position: Position, promise: Promise | None, today: date) -> str:
    """Give ``none``, ``open`` (until its day is over) or ``broken``; a part that was promised and has come breaks nothing."""
    if promise is None:
        return "none"
    return "open" if promise.on >= today else "none" if came(position, promise) else "broken"


def came(position: Position, promise: Promise) -> bool:
    """Tell whether the amount promised has been paid on what the promise is about."""
    if promise.amount_minor is None:
        return False
    about = [one for one in position.open_items if promise.installment in (None, one.id) and promise.currency in (None, one.currency)]
    paid = sum(one.paid_minor for one in about)
    if promise.installment is None:
        paid += sum(one.amount_minor for one in position.settled if one.by == "money" and promise.currency in (None, one.currency))
    return paid >= promise.amount_minor


def payer_blocks(position: Position) -> list[Block]:
    """Give what forbids both contact and retries for all of a payer's installments."""
    blocks = []
    if position.missing or position.stale:
        blocks.append(Block(Withholding.STALE_DATA))
    if position.payer.vulnerable:
        blocks.append(Block(f"hold:{HoldCause.VULNERABLE}"))
    if position.plan is not None and position.plan.state == "kept":
        blocks.append(Block(Withholding.PLAN))
    return blocks


OUTAGE = timedelta(hours=48)
"""How long a failure at a processor that is out is taken for the processor's."""
LOOK_AGAIN = timedelta(hours=6)
"""When it is looked again whether the outage is over."""


def outage_block(position: Position, item: OpenItem, now: datetime) -> list[Block]:
    """Give what forbids contact and retry because the processor, and not the payer, is to blame."""
    failure = item.last_failure
    out = item.processor in position.outages and failure is not None and now - failure.at < OUTAGE
    return [Block(Withholding.SWITCHED_OFF, now + LOOK_AGAIN)] if out else []


def item_blocks(position: Position, item: OpenItem, today: date, promise: Promise | None) -> list[Block]:
    """Give what forbids both contact and retry for one installment."""
    blocks = [hold_block(hold) for hold in position.holds if in_force(hold, today) and covers(hold, item)]
    if promise is not None and promise.on >= today:
        blocks.append(Block(Withholding.PROMISE, promise.on))
    if item.in_transit:
        blocks.append(Block(Withholding.MONEY_IN_TRANSIT))
    return blocks


def channel_for(payer: Payer | Representative, preferred: Sequence[Channel]) -> tuple[Channel | None, Withholding | None]:
    """Give the channel an automatic contact may take, or why there is none.

    E-mail may be used unless refused, a text only when allowed; letter and portal only when the payer prefers them.
    """
    wanted = [channel for channel in (payer.preferred_channel, *preferred) if channel not in (None, Channel.CALL)]
    for channel in wanted:
        if channel is Channel.EMAIL and payer.allow_email is not False:
            return channel, None
        if channel is Channel.SMS and payer.allow_sms is True:
            return channel, None
        if channel in (Channel.LETTER, Channel.PORTAL) and channel is payer.preferred_channel:
            return channel, None
    return None, Withholding.NO_CONSENT if wanted else Withholding.NO_CHANNEL


def call_block(payer: Payer | Representative, contacts: Sequence[Contact], at: datetime, per_week: int) -> Block | None:
    """Give what forbids a call at ``at``: no consent, a conversation within seven days, seven calls in seven days."""
    if payer.allow_call is not True:
        return Block(Withholding.NO_CONSENT)
    calls = [contact.at for contact in contacts if contact.channel is Channel.CALL and contact.at <= at]
    spoken = max((contact.at for contact in contacts if contact.conversation and contact.at <= at), default=None)
    free = [] if spoken is None or spoken + CALL_WINDOW <= at else [spoken + CALL_WINDOW]
    recent = sorted(call for call in calls if call > at - CALL_WINDOW)
    if len(recent) >= per_week:
        free.append(recent[-per_week] + CALL_WINDOW)
    return Block(Withholding.CALL_CAP, max(free)) if free else None
