"""Trying again: whether it is lawful, on which day, and the notice that must come before it.

Must not decide that a retry is wanted; the row did. Invariant: where the scheme wants notice a retry is
dated no earlier than the notice period after its ``notify``, names it in ``after``, and one that was
announced keeps exactly the announced date.
"""

import calendar
import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from connector.core import wording
from connector.core.calendars import business_day_from, is_business_day, plus_business_days
from connector.core.keys import key
from connector.core.ladder import subject
from connector.core.limits import Block, channel_for
from connector.core.model import FollowUp
from connector.core.policy import RetryPlan
from connector.core.rules import SchemeLimit
from connector.core.sheet import Sheet
from connector.core.situation import Work
from connector.core.timing import Wish, local, wish
from connector.core.words import CONTACT_KINDS, Category, Channel, InstallmentStatus, Kind, Tone, Withholding

RETRY_MINUTE = 10 * 60
"""Minute of the day, in the creditor's zone, a retry is dated at."""
NEAR_PAY_DAY = 3
"""Business days after a pay day that still count as near it."""
MOST_TAGS = 6
"""Installments that one announcement may cover; more are announced in a second one."""
NOTHING_DATED = date.max
ENDED = frozenset({Category.METHOD_INVALID, Category.MANDATE_INVALID, Category.BLOCKED_BY_PAYER})
"""Categories after which nothing more can be collected the same way."""


@dataclass(frozen=True, slots=True)
class Dated:
    """A retry with its day."""

    work: Work
    on: date


def retry_key(work: Work) -> str:
    """Key of a retry: the installment and the failure it answers; a second failure of one day is told apart."""
    return key(Kind.RETRY, subject(work.item.id), work.failed_on, work.failed_times if work.failed_times > 1 else None)


def notice_tag(work: Work) -> str:
    """Tag of an announcement: of the failure it answers, and of the amount where less than all is asked for; another amount needs another notice."""
    if work.open_minor == work.item.amount_minor:
        return work.tag
    return hashlib.sha256(f"{work.tag}|{work.open_minor}".encode()).hexdigest()[:8]


def is_stamped(work: Work) -> bool:
    """Tell whether our stamp on the installment is of this episode.

    For which day of failure it was made does not matter: a package's status and the event that follows may date one failure differently.
    """
    start = key(Kind.RETRY, subject(work.item.id), "")
    stamp = work.item.retry_stamp or ""
    return stamp.startswith(start) and stamp.removeprefix(start)[:8] >= f"{work.episode_on:%Y%m%d}"


def is_queued_by_us(sheet: Sheet, work: Work) -> bool:
    """Tell whether money is on its way because we set it for recollection.

    Our stamp on the installment says so too: the process may have ended before its follow-up became Done.
    """
    pending = work.item.status is InstallmentStatus.PENDING_RECOLLECTION and work.failed_on is not None
    return pending and (sheet.is_done(retry_key(work)) or is_stamped(work))


def plan_retries(sheet: Sheet, works: list[Work]) -> None:
    """Put down every retry that its row wants, with its notice, or what withholds it."""
    free = []
    for work in works:
        plan = work.ruling.retry
        if plan is None or not _wanted(sheet, work, plan) or any(_unusable(work, other) for other in works):
            continue
        blocks = _blocks(sheet, work)
        if blocks:
            sheet.withhold(Kind.RETRY, blocks, retry_key(work), (work.item.id,), work.ruling.name)
        else:
            free.append(work)
    noticed = [work for work in free if _limit(sheet, work).needs_notice]
    for work in free:
        if work not in noticed:
            _silent(sheet, work)
    _announced(sheet, noticed)


def _unusable(work: Work, other: Work) -> bool:
    """Tell whether a later failure of ``other`` says that what ``work`` would be collected with can no longer be used.

    The same card or account, the same mandate, or, where neither is known, the same scheme.
    """
    later, own = other.item.last_failure, work.item.last_failure
    if other is work or other.category not in ENDED or later is None or own is None or later.at < own.at:
        return False
    pairs = ((work.item.credential, other.item.credential), (work.item.mandate, other.item.mandate))
    known = [mine == theirs for mine, theirs in pairs if mine and theirs]
    return any(known) if known else work.scheme is not None and work.scheme is other.scheme


def _wanted(sheet: Sheet, work: Work, plan: RetryPlan) -> bool:
    """Tell whether a retry makes sense and is not under way."""
    failure = work.item.last_failure
    if failure is None or not _limit(sheet, work).collects:
        return False
    if len(work.item.failures) > plan.max_failures or sheet.now - failure.at > timedelta(days=plan.max_age_days):
        return False
    if work.item.status is InstallmentStatus.PENDING_RECOLLECTION or sheet.is_done(retry_key(work)):
        tagged = _announced_before(sheet, work)
        work.retry_on = _date_in(tagged) if tagged else None
        return False
    return True


def _announced_before(sheet: Sheet, work: Work) -> str | None:
    """Give the notice of a retry that is under way, whatever was paid since."""
    covered = sheet.covered(Kind.NOTIFY)
    return covered.get(notice_tag(work)) or covered.get(work.tag)


def _blocks(sheet: Sheet, work: Work) -> list[Block]:
    blocks = list(work.retry_blocks)
    if work.item.retried_elsewhere or _left_to_the_bank(work):
        blocks.append(Block(Withholding.OTHER_SYSTEM))
    if _over_limit(sheet, work) or sheet.policy.rules.over_ratio(work.scheme, sheet.position.return_ratio):
        blocks.append(Block(Withholding.SCHEME_LIMIT))
    if _limit(sheet, work).needs_notice and not blocks:
        channel, refused = channel_for(sheet.position.addressee, sheet.policy.channels)
        hindered = [*work.contact_blocks, *([Block(refused)] if refused and channel is None else [])]
        if hindered:
            blocks += [*hindered, Block(Withholding.NOTICE_PERIOD)]
    return blocks


def _left_to_the_bank(work: Work) -> bool:
    """Tell whether the scheme itself tries again: nobody has to act."""
    failure = work.item.last_failure
    return failure is not None and failure.reason.retry == "no" and failure.reason.act == "nobody"


def _over_limit(sheet: Sheet, work: Work) -> bool:
    """Tell whether the scheme allows no further attempt: too many, too late, advised against, or for another amount than presented."""
    limit, item, failure = _limit(sheet, work), work.item, work.item.last_failure
    if failure is not None and failure.reason.retry != "yes" and not _left_to_the_bank(work):
        return True
    presented = failure.amount_minor if failure is not None and failure.amount_minor else item.amount_minor
    return (
        (limit.attempts_30d is not None and item.attempts_30d >= limit.attempts_30d)
        or (limit.presentments_180d is not None and item.attempts_180d >= limit.presentments_180d)
        or (limit.same_amount and presented != work.open_minor)
        or _lapsed(limit, work, sheet.today)
        or _last_day(sheet, work) <= sheet.today
    )


def _limit(sheet: Sheet, work: Work) -> SchemeLimit:
    return sheet.policy.rules.scheme(work.scheme)


def _lapsed(limit: SchemeLimit, work: Work, today: date) -> bool:
    """Tell whether the mandate has not been used for so long that the scheme takes it for gone."""
    last = work.failed_on
    if limit.mandate_lapse_months is None or last is None:
        return False
    return (today.year - last.year) * 12 + today.month - last.month - (today.day < last.day) >= limit.mandate_lapse_months


def _last_day(sheet: Sheet, work: Work) -> date:
    """Give the last day on which the scheme accepts this installment again."""
    limit, first = _limit(sheet, work), min(work.item.due_on, sheet.today)
    if limit.within_one_month:
        year, month = (first.year + first.month // 12, first.month % 12 + 1)
        last = date(year, month, min(first.day, _days_in(year, month)))
        return last if limit.within_days is None else min(last, first + timedelta(days=limit.within_days))
    return first + timedelta(days=limit.within_days) if limit.within_days is not None else NOTHING_DATED


def _silent(sheet: Sheet, work: Work) -> None:
    shown = sheet.position.shown.get(retry_key(work))
    kept = shown.at.astimezone(sheet.where).date() if shown is not None and shown.at is not None else None
    on = kept if kept is not None and kept >= sheet.today and _possible(sheet, work, kept) else _day_for(sheet, work, sheet.today)
    if on is None:
        sheet.withhold(Kind.RETRY, [_no_day(sheet)], retry_key(work), (work.item.id,), work.ruling.name)
        return
    _write_retry(sheet, Dated(work, on), None)


def _no_day(sheet: Sheet) -> Block:
    return Block(Withholding.SCHEME_LIMIT if sheet.position.runs is None else Withholding.NO_RUN)


def _write_retry(sheet: Sheet, dated: Dated, after: str | None) -> None:
    work, item = dated.work, dated.work.item
    work.retry_on = dated.on
    reasons = (
        wording.cause(work.category, work.open_minor, item.currency, item.due_on),
        work.reported,
        f"It is tried again on {wording.day(dated.on)}: {_why_then(sheet, dated)}.",
        work.ruling.because,
    )
    sheet.write(
        FollowUp(
            Kind.RETRY, local(dated.on, RETRY_MINUTE, sheet.where).astimezone(sheet.where), retry_key(work), (item.id,), work.ruling.name, tuple(filter(None, reasons)),
            after=after, amount_minor=work.open_minor, currency=item.currency, subject=f"Collect {wording.amount(work.open_minor, item.currency)} again",
        )
    )  # fmt: skip


def _why_then(sheet: Sheet, dated: Dated) -> str:
    plan = dated.work.ruling.retry
    if sheet.position.runs is not None:
        return "the next collection run that leaves time for what must come before"
    if plan is not None and plan.on == "pay_day":
        whose = "their own pay day" if sheet.position.pay_day else "the usual pay day"
        return f"the first business day near {whose} that the scheme allows"
    return "the first business day that the scheme allows"


def _day_for(sheet: Sheet, work: Work, not_before: date) -> date | None:
    """Give the day for a retry that may not fall before ``not_before``; None where there is none."""
    plan, failure = work.ruling.retry, work.item.last_failure
    if plan is None or failure is None:  # pragma: no cover - plan_retries() asks only where a row wants a retry of a failure
        return None
    ready = min(failure.at, sheet.now) + timedelta(days=plan.after_days, hours=failure.reason.wait_hours or 0)
    most_a_day = _limit(sheet, work).attempts_24h
    if most_a_day is not None and work.item.attempts_24h >= most_a_day:
        ready = max(ready, sheet.now + timedelta(hours=24))
    earliest = max(
        not_before, sheet.today + timedelta(days=1), _told_on(sheet, work) + timedelta(days=1), ready.astimezone(sheet.where).date()
    )
    if failure.reason.wait_hours and local(earliest, RETRY_MINUTE, sheet.where) < ready:
        earliest += timedelta(days=1)
    latest = min(_last_day(sheet, work), max(sheet.today, earliest) + timedelta(days=plan.within_days))
    wanted = business_day_from(work.scheme, sheet.country, earliest)
    if plan.on == "pay_day":
        wanted = _near_pay_day(sheet, work, earliest, latest)
    if sheet.position.runs is None:
        return wanted if wanted <= latest else None
    runs = sorted({run.on for run in sheet.position.runs if run.scheme in (None, work.scheme) and earliest <= run.on <= latest})
    return next((run for run in runs if run >= wanted), runs[-1] if runs else None)


def _told_on(sheet: Sheet, work: Work) -> date:
    """Give the day on which this decision writes to the payer about ``work``: a try comes after the word about it, never with it."""
    told = [one.at for one in sheet.follow_ups if one.kind in CONTACT_KINDS and work.item.id in one.installments]
    return max((at.astimezone(sheet.where).date() for at in told), default=sheet.today)


def _near_pay_day(sheet: Sheet, work: Work, earliest: date, latest: date) -> date:
    """Give the business day on or next after the pay day; the earliest possible one where no pay day lies in between."""
    of_month = sheet.position.pay_day or sheet.policy.pay_day
    soonest = business_day_from(work.scheme, sheet.country, earliest)
    for back in range(NEAR_PAY_DAY + 1):
        before = earliest - timedelta(days=back)
        if before.day == min(of_month, _days_in(before.year, before.month)):
            return soonest
    day = earliest
    while day.day != min(of_month, _days_in(day.year, day.month)):
        day += timedelta(days=1)
    wanted = business_day_from(work.scheme, sheet.country, day)
    return wanted if wanted <= latest else soonest


@lru_cache(maxsize=1024)
def _days_in(year: int, month: int) -> int:
    """How many days a month has."""
    return calendar.monthrange(year, month)[1]


def _possible(sheet: Sheet, work: Work, on: date) -> bool:
    """Tell whether a day planned before can still be kept."""
    if sheet.position.runs is not None:
        return any(run.on == on and run.scheme in (None, work.scheme) for run in sheet.position.runs)
    return on <= _last_day(sheet, work) and is_business_day(work.scheme, sheet.country, on)


def _after_notice(sheet: Sheet, work: Work, told_on: date) -> date:
    """Give the first day on which a debit announced on ``told_on`` may fall."""
    limit = _limit(sheet, work)
    agreed = sheet.policy.notice_days.get(work.scheme or "")
    if agreed is None and limit.notice_business_days:
        return plus_business_days(work.scheme, sheet.country, told_on, limit.notice_business_days)
    return told_on + timedelta(days=limit.notice_days if agreed is None else agreed)


def _announced(sheet: Sheet, works: list[Work]) -> None:
    """Plan retries that want notice: announced ones as announced, planned ones as planned, the rest anew."""
    if not works:
        return
    covered, shown = sheet.covered(Kind.NOTIFY), sheet.shown_for(Kind.NOTIFY)
    anew, kept = [], dict[str, list[Work]]()
    for work in works:
        announced = covered.get(notice_tag(work))
        if announced and _stands(sheet, work, announced):
            _write_retry(sheet, Dated(work, _date_in(announced)), announced)
        elif notice_tag(work) in shown:
            kept.setdefault(shown[notice_tag(work)], []).append(work)
        else:
            anew.append(work)
    for notice, group in sorted(kept.items()):
        if not _keep(sheet, notice, group):
            anew += group
    _anew(sheet, sorted(anew, key=lambda work: work.order))


def _date_in(notice: str) -> date:
    """Give the retry date that a notify key names; far away where it names none."""
    part = notice.split("-")[2] if notice.count("-") > 2 else ""
    try:
        return date.fromisoformat(part) if part.isdecimal() else NOTHING_DATED
    except ValueError:
        return NOTHING_DATED


def _stands(sheet: Sheet, work: Work, notice: str) -> bool:
    """Tell whether an announced date was announced in time and is still to come."""
    on, told = _date_in(notice), sheet.done[notice]
    if not sheet.today <= on < NOTHING_DATED:
        return False
    return told is None or _after_notice(sheet, work, told.astimezone(sheet.where).date()) <= on


def _keep(sheet: Sheet, notice: str, group: list[Work]) -> bool:
    """Keep an announcement that is planned, while it can be made lawfully and in time."""
    at, on = sheet.position.shown[notice].at, _date_in(notice)
    if at is None or notice in sheet.done or on == NOTHING_DATED:
        return False
    told_on = max(at, sheet.now).astimezone(sheet.where).date()
    if any(_after_notice(sheet, work, told_on) > on or not _possible(sheet, work, on) for work in group):
        return False
    tags = set(notice.split("-")[3:])
    if tags != {notice_tag(work) for work in group} or sheet.diary.keep(notice, at) is None:
        return False
    _write_notice(sheet, notice, at, [Dated(work, on) for work in group])
    return True


def _anew(sheet: Sheet, works: list[Work]) -> None:
    while works:
        channel, _ = channel_for(sheet.position.addressee, sheet.policy.channels)
        wanted = wish(None, channel or Channel.EMAIL)
        slot = sheet.diary.place("notify", sheet.now, Wish(wanted.minute))
        sheet.diary.booked.pop("notify", None)
        told_on = slot.at.astimezone(sheet.where).date() if slot else sheet.today
        dated = [Dated(work, on) for work in works if slot and (on := _day_for(sheet, work, _after_notice(sheet, work, told_on)))]
        for work in works:
            if slot is None or all(one.work is not work for one in dated):
                reason = Withholding.NOTICE_PERIOD if slot is None or sheet.position.runs is None else Withholding.NO_RUN
                sheet.withhold(Kind.RETRY, [Block(reason)], retry_key(work), (work.item.id,), work.ruling.name)
        if slot is None or not dated:
            return
        first = min(dated, key=lambda one: (one.on, one.work.order))
        group = [one for one in dated if one.on == first.on and one.work.item.currency == first.work.item.currency][:MOST_TAGS]
        notice = key(Kind.NOTIFY, subject(sheet.position.payer.id)[:20], first.on, *(notice_tag(one.work) for one in group))
        sheet.diary.booked[notice] = slot.at
        _write_notice(sheet, notice, slot.at, group)
        works = [one.work for one in dated if one not in group]


def _write_notice(sheet: Sheet, notice: str, at: datetime, group: list[Dated]) -> None:
    first, total = group[0], sum(one.work.open_minor for one in group)
    currency = first.work.item.currency
    channel, _ = channel_for(sheet.position.addressee, sheet.policy.channels)
    where = sheet.diary.zones[0]
    reasons = (
        f"{wording.amount(total, currency)} will be collected on {wording.day(first.on)}; the scheme wants the payer told in good time.",
        f"They are told at {wording.moment(at, where)}.",
        first.work.ruling.because,
    )
    sheet.write(
        FollowUp(
            Kind.NOTIFY, at.astimezone(where), notice, tuple(one.work.item.id for one in group), first.work.ruling.name, reasons,
            channel=channel, tone=first.work.ruling.tone or Tone.NEUTRAL, template="coming_debit",
            subject=f"Announce the collection of {wording.amount(total, currency)} on {wording.day(first.on)}",
            amount_minor=total, currency=currency, to=sheet.to,
        )
    )  # fmt: skip
    for one in group:
        _write_retry(sheet, one, notice)
