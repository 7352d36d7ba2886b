"""What the flag says: the arrears of a payer, their status, and one plain sentence.

Must not plan anything. Invariant: with rows missing it never says Clear; a gift is never owed; the sentence,
which everybody sees, names no sensitive cause.
"""

from collections.abc import Sequence
from types import MappingProxyType

from connector.core import wording
from connector.core.contacts import leader
from connector.core.ladder import step_key
from connector.core.limits import in_force
from connector.core.model import Arrears
from connector.core.retries import is_queued_by_us
from connector.core.sheet import Sheet
from connector.core.situation import Work
from connector.core.words import CONTACT_KINDS, ArrearsStatus, HoldCause, Kind, Withholding

END_OF_LADDER = frozenset({Kind.ESCALATE, Kind.PROPOSE_REFERRAL})
ENDS = tuple(f"{kind}-" for kind in END_OF_LADDER)
"""How the keys of the last steps begin."""
SENSITIVE_HOLDS = frozenset({HoldCause.DECEASED, HoldCause.LEGAL, HoldCause.FRAUD, HoldCause.VULNERABLE, HoldCause.CRISIS})
STANDSTILLS = frozenset({Withholding.OPEN_CASE, Withholding.PROMISE, f"hold:{HoldCause.VULNERABLE}"})


def arrears_of(sheet: Sheet, works: Sequence[Work]) -> Arrears:
    """Say what the flag will say. Gifts are not owed; what is not yet due is not overdue."""
    position = sheet.position
    owed = [work for work in works if work.item.overdue and not work.is_gift]
    amount: dict[str, int] = {}
    for work in owed:
        amount[work.item.currency] = amount.get(work.item.currency, 0) + work.open_minor
    since = min((work.item.due_on for work in owed), default=None)
    past_due = max((sheet.today - since).days, 0) if since else 0
    level = max((work.progress.level for work in works if not work.is_gift), default=0)
    return Arrears(_status(sheet, works, owed), MappingProxyType(amount), since, past_due, level, position.failures_12m)


def _status(sheet: Sheet, works: Sequence[Work], owed: Sequence[Work]) -> ArrearsStatus:
    position = sheet.position
    stopped = any(in_force(hold, sheet.today) for hold in position.holds) or any(work.new_hold is not None for work in works)
    if stopped or (owed and _stands_still(owed)):
        return ArrearsStatus.ON_HOLD
    debts = [work for work in works if not work.is_gift]
    if not debts:
        return ArrearsStatus.IN_ARREARS if position.missing else ArrearsStatus.CLEAR
    if position.plan is not None and position.plan.state == "kept":
        return ArrearsStatus.PAYMENT_PLAN
    if any(_escalated(sheet, work) for work in debts):
        return ArrearsStatus.ESCALATED
    due = any(_contact_due(sheet, work) for work in debts) and (owed or position.missing)
    return ArrearsStatus.IN_ARREARS if due else ArrearsStatus.WATCH


def _stands_still(owed: Sequence[Work]) -> bool:
    """Tell whether an open case, a promise or special care stands in the way of something that is owed."""
    return any(block.reason in STANDSTILLS for work in owed for block in work.contact_blocks)


def _escalated(sheet: Sheet, work: Work) -> bool:
    if not any(one.startswith(ENDS) for one in sheet.done):
        return False
    keys = (step_key(kind, work.item.id, work.episode_on, level) for kind in END_OF_LADDER for level in range(1, work.progress.level + 1))
    return any(sheet.is_done(one) for one in keys)


def _contact_due(sheet: Sheet, work: Work) -> bool:
    """Tell whether a contact was made or its day has come; before that the payer is only watched."""
    if work.progress.level > 0 or sheet.position.missing:
        return True
    ladder = sheet.policy.ladders.get(work.ruling.ladder or "")
    if work.ruling.watch or any(block.reason in (Withholding.MONEY_IN_TRANSIT, Withholding.THRESHOLD) for block in work.contact_blocks):
        return False
    if ladder is None:
        return True
    least = ladder.steps[0].after_days if work.item.failures else max(ladder.steps[0].after_days, sheet.policy.grace_days)
    return (sheet.today - work.episode.since.astimezone(sheet.where).date()).days >= least


def why_of(sheet: Sheet, works: Sequence[Work], status: ArrearsStatus) -> str:
    """One plain sentence for the flag, seen by everybody: no sensitive cause stands in it."""
    position = sheet.position
    if position.missing:
        return "Some installments cannot be read; nothing is changed until they can."
    if not works:
        return "Everything is settled." if position.settled else "Nothing is overdue."
    lead = leader([work for work in works if not work.is_gift or work.ruling.hold is not None] or works)
    if (
        lead.category in wording.SENSITIVE
        or position.payer.vulnerable
        or any(in_force(hold, sheet.today) and hold.cause in SENSITIVE_HOLDS for hold in position.holds)
    ):
        return wording.DO_NOT_CONTACT
    what = wording.cause(lead.category, lead.open_minor, lead.item.currency, lead.item.due_on)
    if len(works) > 1:
        what = f"{what} {len(works)} installments are open."
    coming = any(is_queued_by_us(sheet, work) for work in works)
    return f"{what} {_then(sheet, lead, status, coming=coming)}".strip()


def _then(sheet: Sheet, lead: Work, status: ArrearsStatus, *, coming: bool) -> str:
    """What comes next, or why nothing does. ``coming``: a retry of ours is under way, which is the same as one about to be set."""
    acts = coming or any(one.kind in CONTACT_KINDS or one.kind in (Kind.RETRY, Kind.CALL) for one in sheet.follow_ups)
    if sheet.withheld and not acts:
        reasons = [reason for one in sheet.withheld for reason in one.reasons]
        return f"Withheld: {wording.because_withheld(reasons)}."
    return lead.ruling.because if status is not ArrearsStatus.CLEAR else ""
