"""The course of contact: one next step per currency, covering everything open in it, from the row's ladder.

Must not plan retries or the row's other tasks. Invariant: the step is the one after the last that was made
for the oldest installment; an automatic contact has a channel the payer allows and a lawful time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from connector.core import wording
from connector.core.calendars import business_day_from, is_business_day
from connector.core.keys import key
from connector.core.ladder import due_on, next_step, step_key, subject
from connector.core.limits import Block, call_block, channel_for
from connector.core.model import FollowUp, OpenItem
from connector.core.policy import Ladder, Row, Step, Task
from connector.core.records import quick
from connector.core.retries import NOTHING_DATED
from connector.core.sheet import Sheet
from connector.core.situation import Work
from connector.core.timing import Slot, Wish, local, wish
from connector.core.words import CONTACT_KINDS, Channel, Kind, Tone, Withholding

SOFTER = {Tone.FINAL: Tone.FIRM, Tone.FIRM: Tone.NEUTRAL, Tone.NEUTRAL: Tone.GENTLE}
"""A case of another kind softens every tone by one."""
PARTIAL_GAP_DAYS = 7
"""Days between the last contact and the note that answers a partial payment."""
CALL_MINUTE = 10 * 60
"""Minute of the payer's day at which a call planned for a later day is due."""
UNREACHABLE = "Decide how to reach a payer who has allowed no way of writing"
UNCALLED = "Decide how to reach a payer who has not agreed to be called"
LATE = timedelta(days=2)
"""A contact that its caps would delay by more than this is withheld, and planned when they allow it."""


def plan_contacts(sheet: Sheet, works: Sequence[Work], *, first: bool) -> None:
    """Put down the next step of each course, or what withholds it.

    ``first`` plans the courses nobody has been contacted about; the others wait for what a retry brings, and
    are planned when retries are.
    """
    courses: dict[tuple[str, bool], list[Work]] = {}
    for work in works:
        if work.ruling.ladder is not None and not _partly_given(work):
            courses.setdefault((work.item.currency, work.is_gift), []).append(work)
    for _, course in sorted(courses.items()):
        if first != (min(course, key=lambda work: work.order).progress.level == 0):
            continue
        free = [work for work in course if not work.contact_blocks]
        held = [work for work in course if work.contact_blocks]
        if held:
            _withhold(sheet, held)
        if free:
            _step(sheet, free)


def _partly_given(work: Work) -> bool:
    """Tell whether part of a gift has come: nothing of it is owed, so nobody asks for the rest."""
    return work.is_gift and work.item.paid_minor > 0


def leader(course: Sequence[Work]) -> Work:
    """Give the installment whose row speaks for the course: the first row of the table, then the oldest."""
    return min(course, key=lambda work: (work.ruling.order, work.order))


def _ladder(sheet: Sheet, row: Row) -> Ladder:
    return sheet.policy.ladders[row.ladder or ""]


def _withhold(sheet: Sheet, held: Sequence[Work]) -> None:
    """Say which step is withheld; several installments are one contact, so one entry."""
    lead, anchor = leader(held), min(held, key=lambda work: work.order)
    step = next_step(_ladder(sheet, lead.ruling), anchor.progress.level)
    if step is not None:
        own = step_key(step.kind, anchor.item.id, anchor.episode_on, step.level)
        blocks = [block for work in held for block in work.contact_blocks]
        sheet.withhold(step.kind, blocks, own, [work.item.id for work in held], lead.ruling.name)


def _step(sheet: Sheet, course: Sequence[Work]) -> None:
    lead, anchor = leader(course), min(course, key=lambda work: work.order)
    ladder = _ladder(sheet, lead.ruling)
    step = next_step(ladder, anchor.progress.level)
    _beside_the_last(sheet, course, lead, ladder)
    last_at = anchor.progress.last_at
    if anchor.item.paid_minor > 0 and anchor.progress.level > 0:
        noted = key(Kind.REMIND, subject(anchor.item.id), anchor.episode_on, f"P{anchor.item.paid_minor}")
        if not sheet.is_done(noted):
            _write_partial(sheet, course, ladder, noted)
            return
        noted_at = sheet.done[noted]
        if noted_at is not None:
            patience = timedelta(days=sheet.policy.partial_patience_days - (step.gap_days if step else 0))
            last_at = max(last_at or noted_at, noted_at + patience)
    if step is None:
        return
    began = anchor.episode.since.astimezone(sheet.where).date()
    day = due_on(_lawfully_spaced(sheet, step), began, last_at)
    if not anchor.item.failures:
        day = max(day, began + timedelta(days=sheet.policy.grace_days))
    awaited = _awaited(sheet, course) if step.level > 1 else []
    note = wording.waits_for(max(awaited) - timedelta(days=sheet.policy.retry_patience_days)) if awaited and max(awaited) > day else ""
    day = max([day, *awaited])
    _write_step(sheet, course, lead, step, (step_key(step.kind, anchor.item.id, anchor.episode_on, step.level), day, note))


def _beside_the_last(sheet: Sheet, course: Sequence[Work], lead: Work, ladder: Ladder) -> None:
    """Keep what goes with the step made last (a call that had to wait for a working day or for the caps) until the next is made."""
    anchor = min(course, key=lambda work: work.order)
    for step in ladder.steps:
        if step.level != anchor.progress.level or not step.also:
            continue
        own = step_key(step.kind, anchor.item.id, anchor.episode_on, step.level)
        if sheet.is_done(own):
            for task in step.also:
                write(sheet, Ask(task, course, lead.ruling, f"{own}-with", sheet.today))


def _awaited(sheet: Sheet, course: Sequence[Work]) -> list[date]:
    """Give the days until which the result of a retry that is coming, or just was, is waited for."""
    patience = timedelta(days=sheet.policy.retry_patience_days)
    retries = [work.retry_on for work in course if work.retry_on is not None and work.retry_on < NOTHING_DATED]
    return [on + patience for on in retries if on >= sheet.today - patience]


def _lawfully_spaced(sheet: Sheet, step: Step) -> Step:
    """Widen the gap before a reminder to what the payer's country asks; the strictest where it is unknown."""
    least = sheet.country_rules.reminder_gap_days
    if step.kind is not Kind.REMIND or step.tone not in (Tone.FIRM, Tone.FINAL) or step.gap_days >= least:
        return step
    return replace(step, gap_days=least)


def _write_partial(sheet: Sheet, course: Sequence[Work], ladder: Ladder, noted: str) -> None:
    """Answer a partial payment at the level reached: no step up."""
    lead, anchor = leader(course), min(course, key=lambda work: work.order)
    reached = [step for step in ladder.steps if step.level <= anchor.progress.level and step.tone is not None]
    tone = SOFTER.get(reached[-1].tone or Tone.GENTLE, Tone.GENTLE) if reached else Tone.GENTLE
    last = anchor.progress.last_at
    day = sheet.today if last is None else last.astimezone(sheet.where).date() + timedelta(days=PARTIAL_GAP_DAYS)
    task = Task(Kind.REMIND, template="partial_payment", tone=tone)
    write(sheet, Ask(task, course, lead.ruling, noted, day, anchor.progress.level))


def _write_step(sheet: Sheet, course: Sequence[Work], lead: Work, step: Step, ask: tuple[str, date, str]) -> None:
    """Put one step down: a contact, a call, or work for colleagues. ``ask``: its key, its day, and what it waits for."""
    own, day, note = ask
    tone = lead.ruling.tone if step.level == 1 and lead.ruling.tone is not None else step.tone
    template = "partial_payment" if _thanks_first(course, step) else step.template
    task = Task(step.kind, step.assignee, step.priority, step.subject, template, tone)
    write(sheet, Ask(task, course, lead.ruling, own, day, step.level, step.at_once, note=note))
    for task in step.also:
        write(sheet, Ask(task, course, lead.ruling, f"{own}-with", day))


def _thanks_first(course: Sequence[Work], step: Step) -> bool:
    """Tell whether the first reminder answers a part that was paid: it thanks for it, instead of saying that nothing came."""
    anchor = min(course, key=lambda work: work.order)
    return step.level == 1 and step.kind is Kind.REMIND and anchor.item.paid_minor > 0


@quick
@dataclass(frozen=True, slots=True)
class Ask:
    """One follow-up to put down about ``course``: what, under which key, and not before which day."""

    task: Task
    course: Sequence[Work]
    row: Row
    key: str
    day: date
    level: int | None = None
    at_once: bool = False
    note: str = ""
    """A sentence more that explains it."""
    coming: tuple[OpenItem, ...] = ()
    """Installments still to come that are to be stopped as well."""

    @property
    def installments(self) -> tuple[str, ...]:
        """Ids of what it covers."""
        return (*(work.item.id for work in self.course), *(item.id for item in self.coming))


def write(sheet: Sheet, ask: Ask) -> None:
    """Put a follow-up down with its time, or what withholds it; nothing where its key is done."""
    if sheet.is_done(ask.key) or (ask.task.persons_only and sheet.position.payer.kind != "person"):
        return
    if ask.task.kind in CONTACT_KINDS:
        _write_contact(sheet, ask)
    elif ask.task.kind is Kind.CALL:
        _write_call(sheet, ask)
    else:
        _put(sheet, ask, sheet.kept(ask.key, sheet.desk_time(ask.day)))


def _withheld(sheet: Sheet, ask: Ask, block: Block) -> None:
    sheet.withhold(ask.task.kind, [block], ask.key, ask.installments, ask.row.name)


def _write_contact(sheet: Sheet, ask: Ask) -> None:
    channel, refused = channel_for(sheet.position.addressee, sheet.policy.channels)
    if channel is None:
        _withheld(sheet, ask, Block(refused or Withholding.NO_CHANNEL))
        if ask.level is not None and not ask.course[0].is_gift:
            _ask_a_person(sheet, ask)
        return
    not_before = max(sheet.now, local(ask.day, 0, sheet.diary.zones[0]))
    wanted = wish(sheet.habit, channel)
    slot = sheet.diary.place(ask.key, not_before, Wish(wanted.minute, None, at_once=True) if ask.at_once else wanted)
    shown = sheet.position.shown.get(ask.key)
    if slot is None:
        _withheld(sheet, ask, Block(Withholding.QUIET_HOURS))
        return
    if Withholding.CONTACT_CAP in slot.moved_by and shown is None and slot.at - not_before > LATE:
        _withheld(sheet, ask, Block(Withholding.CONTACT_CAP, slot.at))
        return
    kept = shown.at if shown is not None and shown.at is not None and slot.at == max(shown.at, sheet.now) else slot.at
    _put(sheet, ask, kept, channel, _why_then(sheet, kept, slot, habit=not ask.at_once))


def _ask_a_person(sheet: Sheet, ask: Ask) -> None:
    """Have a person decide where the payer has not allowed the way they were to be reached: silence would leave them alone with it.

    Who may be neither written to nor called is one question, not two.
    """
    own, what, priority = f"{Kind.REVIEW}-{ask.key.partition('-')[2]}", UNCALLED, ask.task.priority
    if channel_for(sheet.position.addressee, sheet.policy.channels)[0] is None:
        anchor = min(ask.course, key=lambda work: work.order)
        own, what = key(Kind.REVIEW, subject(anchor.item.id), anchor.episode_on, "reach"), UNREACHABLE
        priority = "High" if any(task.priority == "High" for task in ask.row.tasks) else priority
    task = Task(Kind.REVIEW, ask.task.assignee or "credit_manager", priority, what)
    write(sheet, replace(ask, task=task, key=own, day=max(ask.day, sheet.today)))


def _write_call(sheet: Sheet, ask: Ask) -> None:
    """A call has no diary of messages; it has lawful hours, people's working days, and caps of its own."""
    shown = sheet.position.shown.get(ask.key)
    planned = shown.at if shown is not None else None
    wanted = local(ask.day, CALL_MINUTE, sheet.diary.zones[0]) if ask.day > sheet.today else sheet.now
    at = _working_hour(sheet, max(sheet.now, planned or sheet.now, wanted))
    if at is None:
        _withheld(sheet, ask, Block(Withholding.QUIET_HOURS))
        return
    block = call_block(sheet.position.addressee, sheet.position.contacts, at, sheet.calls_per_week)
    if block is not None:
        _withheld(sheet, ask, block)
        if block.reason == Withholding.NO_CONSENT:
            _ask_a_person(sheet, ask)
        return
    _put(sheet, ask, planned if planned is not None and planned <= sheet.now == at else at)


def _working_hour(sheet: Sheet, begin: datetime) -> datetime | None:
    """Give ``begin`` if the payer may be called then and people work that day, else ten in the morning of the next such day."""
    where, at = sheet.diary.zones[0], sheet.diary.next_lawful(begin)
    while at is not None and not (at == begin and is_business_day(None, sheet.country, at.astimezone(where).date())):
        day = business_day_from(None, sheet.country, at.astimezone(where).date())
        begin = max(at, local(day, CALL_MINUTE, where))
        at = sheet.diary.next_lawful(begin)
    return at


def _put(sheet: Sheet, ask: Ask, at: datetime, channel: Channel | None = None, when: str = "") -> None:
    task, course = ask.task, ask.course
    calls, writes = task.kind is Kind.CALL, task.kind in CONTACT_KINDS
    total, currency = sum(work.open_minor for work in course), course[0].item.currency
    oldest = min(course, key=lambda work: work.order)
    reasons = (
        wording.cause(oldest.category, oldest.open_minor, oldest.item.currency, oldest.item.due_on), oldest.reported,
        wording.and_others(len(course)), ask.row.because, ask.note, when, sheet.in_place if calls or writes else "", wording.still_to_come([item.due_on for item in ask.coming]),
    )  # fmt: skip
    sheet.write(
        FollowUp(
            task.kind, at.astimezone(sheet.diary.zones[0] if calls or writes else sheet.where), ask.key, ask.installments, ask.row.name,
            tuple(filter(None, reasons)), level=ask.level, channel=Channel.CALL if calls else channel,
            tone=_tone(sheet, task) if writes else None, template=task.template, assignee=task.assignee, priority=task.priority,
            subject=task.subject or wording.subject(task.kind, task.template, total, currency, gift=oldest.is_gift), amount_minor=total, currency=currency,
            to=sheet.to if calls or writes else None,
        )
    )  # fmt: skip


def _tone(sheet: Sheet, task: Task) -> Tone:
    """Give the tone of a contact; an open case of any kind softens it by one."""
    tone = task.tone or Tone.NEUTRAL
    return SOFTER.get(tone, tone) if any(not case.is_closed for case in sheet.position.cases) else tone


def _why_then(sheet: Sheet, at: datetime, slot: Slot, *, habit: bool) -> str:
    """Say when, and what moved it."""
    usual, when = sheet.habit, wording.moment(at, sheet.diary.zones[0])
    if slot.moved_by:
        return f"Planned for {when}: earlier, {wording.because_withheld(sorted(slot.moved_by))}."
    if slot.spaced:
        return f"Planned for {when}, a day apart from another message."
    if habit and usual is not None:
        return f"Planned for {when}, a little before the hour at which they usually pay."
    return f"Planned for {when}."
