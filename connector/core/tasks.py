"""What a decision asks of colleagues and puts on record besides retries and the ladder: holds, reviews, case owners.

Must not plan contact or retries. Invariant: a hold is put on once per failure, and one that a person has
released is not put on again.
"""

from collections.abc import Sequence

from connector.core import wording
from connector.core.contacts import Ask, leader, write
from connector.core.keys import key
from connector.core.ladder import subject
from connector.core.limits import case_is_old, cases_for_contact, covers, in_force, overran
from connector.core.model import FollowUp
from connector.core.policy import NO_REASON, Row, Task
from connector.core.sheet import Sheet
from connector.core.situation import Work
from connector.core.words import CONTACT_KINDS, HoldCause, Kind

MOST_TAGS = 6
"""Installments one key names; more are answered by a second follow-up."""
ADMIN, SPECIALIST = "admin", "specialist"
OLD_HOLD = "Does this stop still stand? Do not contact the payer"


def hold_key(work: Work, cause: HoldCause) -> str:
    """Key of a hold: the installment, the failure it answers and the cause."""
    return key(Kind.HOLD, subject(work.item.id), work.failed_on or work.episode_on, cause)


def holds_already(sheet: Sheet, work: Work, cause: HoldCause) -> bool:
    """Tell whether a hold of this cause stands on the installment."""
    return any(hold.cause is cause and in_force(hold, sheet.today) and covers(hold, work.item) for hold in sheet.position.holds)


def was_released(sheet: Sheet, work: Work, cause: HoldCause) -> bool:
    """Tell whether a hold was put on and a person took it off again.

    Where its key is told of among the contacts alone, nobody can see whether it still stands: then it does.
    """
    own = hold_key(work, cause)
    told_alone = any(contact.key == own for contact in sheet.position.contacts)
    return sheet.is_done(own) and not told_alone and not holds_already(sheet, work, cause)


def write_hold(sheet: Sheet, work: Work) -> None:
    """Put down the hold that a row wants on ``work``."""
    hold = work.new_hold
    if hold is None:
        return
    own = hold_key(work, hold.cause)
    reasons = (wording.cause(work.category, work.open_minor, work.item.currency, work.item.due_on), work.ruling.because)
    at = sheet.kept(own, sheet.now).astimezone(sheet.where)
    sheet.write(FollowUp(Kind.HOLD, at, own, (work.item.id,), work.ruling.name, reasons, subject="Hold", hold=hold))


def plan_tasks(sheet: Sheet, works: Sequence[Work]) -> None:
    """Put down the tasks of every row that was hit: each once for all the installments it is about."""
    for row in dict.fromkeys(work.ruling for work in works if work.ruling.tasks):
        about = [work for work in works if work.ruling is row]
        for task in row.tasks:
            if task.kind in CONTACT_KINDS or task.kind is Kind.CALL:
                _to_payer(sheet, task, row, about)
            else:
                _to_colleagues(sheet, task, row, about)


def _to_payer(sheet: Sheet, task: Task, row: Row, about: Sequence[Work]) -> None:
    """A call, an apology or a plan on offer, once for the course; blocked as contact is."""
    anchor = min(about, key=lambda work: work.order)
    answers = anchor.failed_on or anchor.episode_on if task.per == "failure" else anchor.episode_on
    own = key(task.kind, subject(anchor.item.id), answers, "once")
    free = [work for work in about if not work.contact_blocks]
    if free:
        write(sheet, Ask(task, free, row, own, sheet.today))
    elif not (task.persons_only and sheet.position.payer.kind != "person"):
        sheet.withhold(
            task.kind, [block for work in about for block in work.contact_blocks], own, [work.item.id for work in about], row.name
        )


def _to_colleagues(sheet: Sheet, task: Task, row: Row, about: Sequence[Work]) -> None:
    """A review and the like: for the failures nobody has looked at yet, in as few Tasks as possible."""
    if task.per == "payer":
        own = key(task.kind, subject(sheet.position.payer.id), leader(about).category or NO_REASON)
        stops = row.hold is not None and row.hold.scope == "payer"
        coming = tuple(item for item in sheet.position.open_items if not item.overdue and not item.failures) if stops else ()
        write(sheet, Ask(task, about, row, own, sheet.today, coming=coming))
        return
    covered, shown = sheet.covered(task.kind), sheet.shown_for(task.kind)
    groups: dict[str, list[Work]] = {}
    fresh = []
    for work in sorted(about, key=lambda work: work.order):
        if work.tag in covered:
            continue
        if work.tag in shown:
            groups.setdefault(shown[work.tag], []).append(work)
        else:
            fresh.append(work)
    for start in range(0, len(fresh), MOST_TAGS):
        part = fresh[start : start + MOST_TAGS]
        groups[key(task.kind, subject(sheet.position.payer.id)[:20], *(work.tag for work in part))] = part
    for own, group in groups.items():
        write(sheet, Ask(task, group, row, own, sheet.today))


def tell_case_owners(sheet: Sheet, works: Sequence[Work]) -> None:
    """Tell the owner of each case that withholds contact; ask a person about one that has been open too long.

    Where all stops for a payer (a death, a legal cause, fraud), the specialist alone is told.
    """
    if not works or any(work.ruling.hold is not None and work.ruling.hold.scope == "payer" for work in works):
        return
    oldest = min(works, key=lambda work: work.order)
    ids = tuple(work.item.id for work in works)
    for case in cases_for_contact(sheet.position, sheet.policy.cases):
        total = wording.amount(sum(work.open_minor for work in works if work.item.currency == oldest.item.currency), oldest.item.currency)
        reasons = (
            wording.cause(oldest.category, oldest.open_minor, oldest.item.currency, oldest.item.due_on),
            "Nobody writes to the payer while this case is open; its owner should know about the payment.",
        )
        own = key(Kind.INFORM, subject(case.id), subject(oldest.item.id)[:30], oldest.episode_on)
        sheet.write(
            FollowUp(
                Kind.INFORM, sheet.kept(own, sheet.now).astimezone(sheet.where), own, ids, "open case", reasons,
                assignee=f"case_owner:{case.owner or case.id}", subject=f"For your case: {total} open, we keep quiet until it is closed",
            )
        )  # fmt: skip
        if case_is_old(case, sheet.policy.cases, sheet.now):
            own = key(Kind.REVIEW, subject(case.id), "open_case")
            why = (f"The case has been open for more than {sheet.policy.cases.max_age_days} days and still withholds contact.",)
            at = sheet.kept(own, sheet.now).astimezone(sheet.where)
            sheet.write(
                FollowUp(
                    Kind.REVIEW,
                    at,
                    own,
                    ids,
                    "open case",
                    why,
                    assignee="credit_manager",
                    subject="Does this old case still stand in the way?",
                )
            )


def tell_specialist(sheet: Sheet, works: Sequence[Work]) -> None:
    """A payer marked as vulnerable who owes: one discreet Task, nothing else."""
    if not works or not sheet.position.payer.vulnerable:
        return
    oldest = min(works, key=lambda work: work.order)
    own = key(Kind.REVIEW, subject(oldest.item.id), oldest.episode_on, "care")
    reasons = (wording.cause(oldest.category, oldest.open_minor, oldest.item.currency, oldest.item.due_on), "Marked for special care.")
    at = sheet.kept(own, sheet.now).astimezone(sheet.where)
    ids = tuple(work.item.id for work in works)
    sheet.write(FollowUp(Kind.REVIEW, at, own, ids, "special care", reasons, assignee=SPECIALIST, subject="Do not contact"))


def ask_about_old_holds(sheet: Sheet, works: Sequence[Work]) -> None:
    """Ask a person about a breathing space or crisis that has stood longer than the law gives it; until they answer it stands."""
    for hold in sheet.position.holds:
        about = [work for work in works if covers(hold, work.item)]
        if not about or not in_force(hold, sheet.today) or not overran(hold, sheet.today, sheet.country_rules.breathing_space_days):
            continue
        own = key(Kind.REVIEW, subject(hold.id or sheet.position.payer.id), hold.cause, hold.from_on or hold.until)
        why = ("The stop on this payer has stood longer than the law provides for. It stands until a person says that it has ended.",)
        at = sheet.kept(own, sheet.now).astimezone(sheet.where)
        ids = tuple(work.item.id for work in about)
        sheet.write(FollowUp(Kind.REVIEW, at, own, ids, "old hold", why, assignee=SPECIALIST, subject=OLD_HOLD))


def tell_admin(sheet: Sheet) -> None:
    """Rows our flags rest on cannot be read: the admin is told once, nothing is cleared."""
    missing = sheet.position.missing
    if not missing:
        return
    own = key(Kind.ALERT_TEAM, subject(sheet.position.payer.id), "missing", subject(min(missing))[:30])
    reasons = (
        f"{len(missing)} installments that the flag rests on can no longer be read; sharing or field security may hide them.",
        "Nothing is cleared, and nobody is contacted, until they can be read again.",
    )
    at = sheet.kept(own, sheet.now).astimezone(sheet.where)
    sheet.write(
        FollowUp(
            Kind.ALERT_TEAM, at, own, tuple(sorted(missing)), "missing rows", reasons,
            assignee=ADMIN, priority="High", subject="Installments can no longer be read: check sharing and field security",
        )
    )  # fmt: skip
