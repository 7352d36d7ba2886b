"""What surrounds the ledger of a payer: who they are, holds, cases, contacts, promises, follow-ups already shown.

Must not weigh any of it. Invariant: rows become the model's dataclasses one to one (a hold's rows, one per
installment, become one Hold), oldest first; a word outside a closed list is a ValueError, never dropped.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from connector.core.cells import counts, dates, flags, instants, texts, word
from connector.core.frames import Run, Snapshot
from connector.core.model import Case, CollectionRun, Contact, Hold, Payer, Plan, Promise, Representative, Shown
from connector.core.words import Channel, FollowUpStatus, HoldCause, Kind, Scheme

SHADOW = "shadow-"
"""Keys of shadow mode begin so; no decision reads them (design section 3)."""


@dataclass(slots=True)
class Surroundings:
    """Everything by payer id."""

    holds: dict[str, list[Hold]] = field(default_factory=lambda: defaultdict(list))
    cases: dict[str, list[Case]] = field(default_factory=lambda: defaultdict(list))
    contacts: dict[str, list[Contact]] = field(default_factory=lambda: defaultdict(list))
    promises: dict[str, list[Promise]] = field(default_factory=lambda: defaultdict(list))
    representatives: dict[str, Representative] = field(default_factory=dict)
    shown: dict[str, dict[str, Shown]] = field(default_factory=lambda: defaultdict(dict))
    finished: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def surroundings(snapshot: Snapshot) -> Surroundings:
    """All that surrounds the payers of ``snapshot``; ValueError for a word outside a closed list."""
    found = Surroundings()
    _holds(snapshot, found)
    _cases(snapshot, found)
    _contacts(snapshot, found)
    _promises(snapshot, found)
    _representatives(snapshot, found)
    _follow_ups(snapshot, found)
    return found


def payers_of(snapshot: Snapshot) -> list[tuple[Payer, Plan | None, tuple[str, ...]]]:
    """Each payer with their plan and the installments that could not be read, in the frame's order."""
    table = snapshot.payers.drop_duplicates("id", keep="last")
    words = ("id", "kind", "country", "time_zone", "phone_time_zone", "language", "preferred_channel", "segment", "value", "risk", "region")
    plans = zip(
        *(texts(table, name) for name in ("plan_state", "plan_id", "plan_installments", "missing")),
        *(dates(table, name) for name in ("plan_starts_on", "plan_ends_on")),
        strict=True,
    )
    facts = zip(
        dates(table, "customer_since"),
        *(flags(table, name) for name in ("allow_email", "allow_sms", "allow_call", "vulnerable")),
        strict=True,
    )
    found = []
    for one, (since, email, sms, call, vulnerable), (state, plan_id, covered, missing, starts_on, ends_on) in zip(
        zip(*(texts(table, name) for name in words), strict=True), facts, plans, strict=True
    ):
        payer = Payer(
            id=str(one[0]),
            kind=one[1] or "person",
            customer_since=since,
            country=one[2],
            time_zone=one[3],
            phone_time_zone=one[4],
            language=one[5],
            preferred_channel=word(Channel, one[6]),
            allow_email=email,
            allow_sms=sms,
            allow_call=call,
            vulnerable=bool(vulnerable),
            segment=one[7],
            value=one[8],
            risk=one[9],
            region=one[10],
        )
        plan = None if state is None else Plan(state, plan_id, starts_on, ends_on, tuple((covered or "").split()))
        found.append((payer, plan, tuple((missing or "").split())))
    return found


def runs_of(runs: Iterable[Run] | None) -> tuple[CollectionRun, ...] | None:
    """The coming collection runs, soonest first; None where the org does not collect by schedule."""
    if runs is None:
        return None
    return tuple(sorted((CollectionRun(word(Scheme, one.scheme), one.on) for one in runs), key=lambda run: (run.on, run.scheme or "")))


def _holds(snapshot: Snapshot, found: Surroundings) -> None:
    table = snapshot.holds
    if table.empty:
        return
    named: dict[tuple[str, str], list[str]] = defaultdict(list)
    holds: dict[tuple[str, str], tuple[str, Hold]] = {}
    words = zip(texts(table, "id"), texts(table, "payer"), texts(table, "cause"), texts(table, "installment"), strict=True)
    days = zip(dates(table, "from_on"), dates(table, "until"), strict=True)
    for number, ((identifier, payer, cause, installment), (from_on, until)) in enumerate(zip(words, days, strict=True)):
        key: tuple[str, str] = (str(payer), identifier or f"row {number}")
        holds[key] = (str(payer), Hold(identifier, HoldCause(str(cause)), from_on, until))
        if installment is not None:
            named[key].append(installment)
    for key, (whose, hold) in holds.items():
        found.holds[whose].append(replace(hold, installments=tuple(sorted(set(named[key])))))
    for ones in found.holds.values():
        ones.sort(key=lambda one: (str(one.from_on or ""), one.cause, one.id or ""))


def _cases(snapshot: Snapshot, found: Surroundings) -> None:
    if snapshot.cases.empty:
        return
    table = snapshot.cases.sort_values(["opened_at", "id"], kind="stable")
    columns = zip(*(texts(table, name) for name in ("payer", "id", "type", "subject", "status", "owner")), strict=True)
    facts = zip(flags(table, "is_closed"), instants(table, "opened_at"), instants(table, "closed_at"), strict=True)
    for (payer, identifier, kind, subject, status, owner), (is_closed, opened_at, closed_at) in zip(columns, facts, strict=True):
        found.cases[str(payer)].append(Case(str(identifier), bool(is_closed), kind, subject, status, opened_at, closed_at, owner))


def _contacts(snapshot: Snapshot, found: Surroundings) -> None:
    if snapshot.contacts.empty:
        return
    table = snapshot.contacts.sort_values(["at", "key", "channel", "kind"], kind="stable")
    columns = zip(*(texts(table, name) for name in ("payer", "channel", "kind", "key")), strict=True)
    for (payer, channel, kind, key), at, spoke in zip(columns, instants(table, "at"), flags(table, "conversation"), strict=True):
        if at is None or (key or "").startswith(SHADOW):
            continue
        found.contacts[str(payer)].append(Contact(at, word(Channel, channel), kind, key, bool(spoke)))
        if key:
            found.finished[str(payer)].add(key)


def _promises(snapshot: Snapshot, found: Surroundings) -> None:
    if snapshot.promises.empty:
        return
    table = snapshot.promises.sort_values(["on", "id", "installment"], kind="stable")
    columns = zip(*(texts(table, name) for name in ("payer", "id", "installment", "currency")), strict=True)
    for (payer, identifier, installment, currency), on, amount in zip(
        columns, dates(table, "on"), counts(table, "amount_minor"), strict=True
    ):
        if on is not None:
            found.promises[str(payer)].append(Promise(on, installment, amount, currency, identifier))


def _representatives(snapshot: Snapshot, found: Surroundings) -> None:
    """One a payer: the last by id where several are named."""
    if snapshot.representatives.empty:
        return
    table = snapshot.representatives.sort_values("id", kind="stable")
    words = ("payer", "id", "role", "country", "time_zone", "phone_time_zone", "preferred_channel")
    allowed = zip(*(flags(table, name) for name in ("allow_email", "allow_sms", "allow_call")), strict=True)
    for (payer, identifier, role, country, where, phone, channel), consent in zip(
        zip(*(texts(table, name) for name in words), strict=True), allowed, strict=True
    ):
        found.representatives[str(payer)] = Representative(
            str(identifier), role or "representative", country, where, phone, word(Channel, channel), *consent
        )


def _follow_ups(snapshot: Snapshot, found: Surroundings) -> None:
    table = snapshot.follow_ups
    if table.empty:
        return
    columns = zip(*(texts(table, name) for name in ("payer", "key", "kind", "status")), strict=True)
    for (payer, key, kind, status), at, surfaced in zip(columns, instants(table, "at"), flags(table, "surfaced"), strict=True):
        if key is None or key.startswith(SHADOW):
            continue
        state = FollowUpStatus(str(status))
        if state in (FollowUpStatus.PLANNED, FollowUpStatus.WITHHELD):
            withheld = state is FollowUpStatus.WITHHELD
            found.shown[str(payer)][key] = Shown(key, Kind(str(kind)), at, withheld=withheld, surfaced=bool(surfaced))
        elif state in (FollowUpStatus.DONE, FollowUpStatus.CANCELLED):
            found.finished[str(payer)].add(key)
