"""The judgement: one payer's Position, a Policy and a moment → a Decision with a reason for everything.

Must not read a clock, an org or a file. Invariant: deterministic and total: the same three inputs give the
same Decision, and every Position gives one.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from types import MappingProxyType

from connector.core import wording
from connector.core.contacts import leader, plan_contacts
from connector.core.flag import arrears_of, why_of
from connector.core.keys import key
from connector.core.ladder import progress, subject
from connector.core.limits import (
    Block,
    cases_for_contact,
    channel_for,
    hold_block,
    in_force,
    item_blocks,
    matters,
    outage_block,
    payer_blocks,
    promise_of,
    promise_state,
)
from connector.core.model import Arrears, Decision, FollowUp, Hold, Position
from connector.core.policy import NO_REASON, Policy, Row
from connector.core.retries import is_queued_by_us, plan_retries
from connector.core.sheet import Sheet, open_sheet
from connector.core.situation import Work, after_credits, category_of, episode_of, facts_of, scheme_of, tag_of
from connector.core.tasks import (
    ask_about_old_holds,
    holds_already,
    plan_tasks,
    tell_admin,
    tell_case_owners,
    tell_specialist,
    was_released,
    write_hold,
)
from connector.core.timing import day_after, local, wish
from connector.core.words import CONTACT_KINDS, SILENT_KINDS, ArrearsStatus, Kind, Tone, Withholding

SETTLED_BY: Mapping[str, str] = MappingProxyType(
    {"money": "is paid", "credit": "is covered by a credit", "written_off": "is no longer asked for"}
)
"""How an installment came to be settled, in words."""
QUIET: Mapping[str, int] = MappingProxyType({})


def decide(position: Position, policy: Policy, now: datetime) -> Decision:
    """Decide what is done about one payer.

    Args:
        position: what is known about the payer.
        policy: the decision tables, checked.
        now: aware instant.

    Returns:
        The next step of each course, what was withheld and until when, and what the flag will say.

    """
    asked = position.settled or position.missing or position.holds
    if not asked and not (position.open_items and any(item.overdue or item.failures for item in position.open_items)):
        return _nothing(position, policy)
    sheet, works = _plan(position, policy, now, frozenset())
    planned = {
        shown.key: shown.at
        for shown in position.shown.values()
        if shown.kind in CONTACT_KINDS and shown.at is not None and not shown.withheld and shown.key in sheet.used
    }
    if planned and not sheet.diary.stands(planned):
        sheet, works = _plan(position, policy, now, frozenset(planned))
    return _decision(sheet, works)


def _plan(position: Position, policy: Policy, now: datetime, kept: frozenset[str]) -> tuple[Sheet, list[Work]]:
    """Plan everything; the contacts named ``kept`` keep the time the org shows while it is lawful."""
    sheet = open_sheet(position, policy, now)
    works = _works(sheet)
    _rule(sheet, works)
    for shown in sorted((position.shown[one] for one in kept), key=lambda shown: (str(shown.at), shown.key)):
        if shown.at is not None and shown.kind is not Kind.NOTIFY:
            sheet.diary.keep(shown.key, shown.at)
    for work in works:
        write_hold(sheet, work)
    plan_contacts(sheet, works, first=True)
    plan_retries(sheet, works)
    plan_contacts(sheet, works, first=False)
    plan_tasks(sheet, works)
    tell_case_owners(sheet, [work for work in works if any(block.reason == Withholding.OPEN_CASE for block in work.contact_blocks)])
    tell_specialist(sheet, works)
    ask_about_old_holds(sheet, works)
    tell_admin(sheet)
    _settled(sheet, works)
    return sheet, works


def _nothing(position: Position, policy: Policy) -> Decision:
    arrears = _no_arrears(position.failures_12m)
    return Decision(position.payer.id, arrears, (), (), policy.name, policy.version, None, "Nothing is overdue.")


@lru_cache(maxsize=1024)
def _no_arrears(failures_12m: int | None) -> Arrears:
    """Give the arrears of nearly everybody, made once."""
    return Arrears(ArrearsStatus.CLEAR, QUIET, None, 0, 0, failures_12m)


def _works(sheet: Sheet) -> list[Work]:
    """Lay out every installment that needs judgement, oldest first, with what is done about it so far."""
    works = []
    for item, open_minor in after_credits(sheet.position):
        failure = item.last_failure
        failed_on = failure.at.astimezone(sheet.where).date() if failure else None
        episode = episode_of(item, sheet.now, sheet.where)
        done = progress(episode, None, sheet.done, sheet.position.contacts)
        failed_times = sum(one.at.astimezone(sheet.where).date() == failed_on for one in item.failures)
        works.append(
            Work(item, open_minor, category_of(failure), scheme_of(item), episode, failed_on, failed_times, tag_of(item, failed_on), done)
        )
    return works


def _rule(sheet: Sheet, works: list[Work]) -> None:
    """Give every installment its row, the hold that the row puts on, and what forbids acting on it."""
    position, general = sheet.position, payer_blocks(sheet.position)
    for work in works:
        began = work.episode.since.astimezone(sheet.where).date()
        promise = promise_of(position, work.item, began)
        work.facts = facts_of(position, work, sheet.today, promise_state(position, promise, sheet.today), len(works))
        work.row = _row(sheet, work)
        _count_people(sheet, work)
        blocks = [*general, *item_blocks(position, work.item, sheet.today, promise), *outage_block(position, work.item, sheet.now)]
        work.contact_blocks = tuple(block for block in blocks if not _is_own_first_retry(sheet, work, block))
        work.retry_blocks = tuple(blocks)
    _case_blocks(sheet, works)
    _small_amounts(sheet, works)
    _new_holds(sheet, works)


def _row(sheet: Sheet, work: Work) -> Row:
    """Give the row that is hit; one whose hold a person released is not hit again: the installment is simply unpaid."""
    row = sheet.policy.row(work.facts)
    if row.hold is None or not was_released(sheet, work, row.hold.cause):
        return row
    released = sheet.policy.row({**work.facts, "reason": NO_REASON, "retryable": "no", "outcome": None})
    return released if released.hold is None else row


def _is_own_first_retry(sheet: Sheet, work: Work, block: Block) -> bool:
    """Tell whether money is on its way only because we queued it ourselves: the first note goes out all the same."""
    return block.reason == Withholding.MONEY_IN_TRANSIT and work.progress.level == 0 and is_queued_by_us(sheet, work)


def _count_people(sheet: Sheet, work: Work) -> None:
    """Count what colleagues did themselves, which has no key, as steps of the row's ladder."""
    ladder = sheet.policy.ladders.get(work.ruling.ladder or "")
    if ladder is not None and any(contact.key is None for contact in sheet.position.contacts):
        work.progress = progress(work.episode, ladder, sheet.done, sheet.position.contacts)


def _case_blocks(sheet: Sheet, works: list[Work]) -> None:
    rules, cases = sheet.policy.cases, sheet.position.cases
    block = (Block(Withholding.OPEN_CASE),)
    if cases_for_contact(sheet.position, rules):
        for work in works:
            work.contact_blocks += block
    if any(matters(case, rules.retries) for case in cases):
        for work in works:
            work.retry_blocks += block


def _small_amounts(sheet: Sheet, works: list[Work]) -> None:
    """Trouble nobody about an amount below the threshold of its currency; a gift has none."""
    for currency in {work.item.currency for work in works}:
        debts = [work for work in works if work.item.currency == currency and not work.is_gift]
        least = sheet.policy.threshold.get(currency, wording.whole(sheet.policy.threshold_default, currency))
        if sum(work.open_minor for work in debts) < least:
            for work in debts:
                work.contact_blocks += (Block(Withholding.THRESHOLD),)


def _new_holds(sheet: Sheet, works: list[Work]) -> None:
    """Put on the holds that rows want; one for the whole payer stops everything at once."""
    for work in works:
        plan = work.ruling.hold
        if plan is None or holds_already(sheet, work, plan.cause):
            continue
        earlier = [other for other in works if other.new_hold is not None and other.new_hold.cause is plan.cause]
        if plan.scope == "payer" and earlier:
            continue
        installments = () if plan.scope == "payer" else (work.item.id,)
        work.new_hold = Hold(None, plan.cause, sheet.today, None, installments)
        block = (hold_block(work.new_hold),)
        for other in works if plan.scope == "payer" else [work]:
            other.contact_blocks += block
            other.retry_blocks += block


def _settled(sheet: Sheet, works: list[Work]) -> None:
    """Everything owed is settled, whatever gifts are open: clear the flag, and thank once for money that came."""
    settled, debts = sheet.position.settled, [work for work in works if not work.is_gift]
    if sheet.position.missing and not works:
        _withhold_clear(sheet)
    if debts or not settled or sheet.position.missing:
        return
    newest = max(settled, key=lambda item: (item.settled_at, item.id))
    answers = newest.settled_at.astimezone(UTC).date()
    ids = tuple(item.id for item in settled)
    own = key(Kind.CLEAR, subject(newest.id), answers)
    together = [item for item in settled if item.by == newest.by and item.settled_at.astimezone(UTC).date() == answers]
    sums = {item.currency: sum(one.amount_minor for one in together if one.currency == item.currency) for item in together}
    total = " and ".join(wording.amount(minor, currency) for currency, minor in sorted(sums.items()))
    reasons = (f"{total} that had failed {SETTLED_BY[newest.by]}; nothing is overdue.",)
    sheet.write(
        FollowUp(
            Kind.CLEAR, sheet.kept(own, sheet.now).astimezone(sheet.where), own, ids, "settled", reasons, subject="Clear the arrears flag"
        )
    )
    noticed = any(one.at >= newest.failed_at and one.kind not in SILENT_KINDS for one in sheet.position.contacts)
    recent = (sheet.now - newest.settled_at).days < sheet.policy.confirm_within_days
    if recent and newest.by == "money" and (noticed or not newest.silent) and not any(item.discreet for item in settled):
        _confirm(sheet, ids, key(Kind.CONFIRM, subject(newest.id), answers), total)


def _withhold_clear(sheet: Sheet) -> None:
    own = key(Kind.CLEAR, subject(sheet.position.payer.id), "missing")
    sheet.withhold(Kind.CLEAR, [Block(Withholding.STALE_DATA)], own, sheet.position.missing, "missing rows")


def _confirm(sheet: Sheet, ids: tuple[str, ...], own: str, total: str) -> None:
    """Thank for money that was seen, once, unless something stands in the way of any contact."""
    position = sheet.position
    blocks = [
        *payer_blocks(position),
        *(hold_block(hold) for hold in position.holds if in_force(hold, sheet.today) and not hold.installments),
    ]
    if cases_for_contact(position, sheet.policy.cases):
        blocks.append(Block(Withholding.OPEN_CASE))
    channel, refused = channel_for(position.addressee, sheet.policy.channels)
    if refused is not None:
        blocks.append(Block(refused))
    slot = None if blocks or channel is None or sheet.is_done(own) else sheet.diary.place(own, sheet.now, wish(None, channel))
    if slot is None:
        sheet.withhold(Kind.CONFIRM, blocks or [Block(Withholding.QUIET_HOURS)], own, ids, "settled")
        return
    where = sheet.diary.zones[0]
    reasons = (f"{total} has arrived; a short thank-you closes the matter.", f"Planned for {wording.moment(slot.at, where)}.")
    shown = position.shown.get(own)
    at = shown.at if shown is not None and shown.at is not None and max(shown.at, sheet.now) == slot.at else slot.at
    sheet.write(
        FollowUp(
            Kind.CONFIRM, at.astimezone(where), own, ids, "settled", reasons,
            channel=channel, tone=Tone.GENTLE, template="confirm", subject=f"Thank for the payment of {total}", to=sheet.to,
        )
    )  # fmt: skip


def _decision(sheet: Sheet, works: list[Work]) -> Decision:
    position, policy = sheet.position, sheet.policy
    arrears = arrears_of(sheet, works)
    lead = leader(works) if works else None
    return Decision(
        position.payer.id, arrears, tuple(sheet.follow_ups), tuple(sheet.withheld), policy.name, policy.version,
        lead.category if lead else None, why_of(sheet, works, arrears.status), _look_again_at(sheet),
    )  # fmt: skip


def _look_again_at(sheet: Sheet) -> datetime | None:
    """Give when this payer is due again though nothing happens: a follow-up comes due, a hold or a stop ends.

    A retry is no reason to look: it is set at once or when its notice was given, and what comes of it is reported.
    """
    moments = [one.at for one in sheet.follow_ups if one.kind is not Kind.RETRY]
    for one in sheet.withheld:
        moments += _end(sheet, one.until)
    for hold in sheet.position.holds:
        if in_force(hold, sheet.today):
            moments += _end(sheet, hold_block(hold).until)
    return min((moment for moment in moments if moment > sheet.now), default=None)


def _end(sheet: Sheet, until: datetime | date | None) -> list[datetime]:
    """Give when a stop is over: the instant, or the midnight after its last day in the creditor's zone."""
    if until is None or isinstance(until, datetime):
        return [] if until is None else [until]
    day = day_after(until)
    return [] if day is None else [local(day, 0, sheet.where)]
