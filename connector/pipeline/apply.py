"""Apply: make the org show the decisions, with the smallest set of writes, each made once.

Must not decide. Invariant: every insert carries a unique key, so a crash or an unknown answer is mended by
loading and applying again; one refused record parks its payer and the rest go on.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connector.core.changes import Change, View
from connector.core.model import Decision
from connector.core.records import quick
from connector.log import get
from connector.mapping import own, write
from connector.pipeline.load import Loaded
from connector.pipeline.ports import Context, Edit, Row
from connector.pipeline.wording import task_words
from connector.salesforce.saved import Saved

log = get("dunwell.apply")
AGREEMENTS = {"promise": own.PROMISE, "plan": own.PLAN}
RECORDS = {"follow_up": own.FOLLOW_UP, "task": "Task", "position": own.POSITION, "hold": own.HOLD}


@dataclass(slots=True)
class Applied:
    """What was written for a batch, and what was refused."""

    inserted: dict[str, int] = field(default_factory=dict)
    """Object → records made."""
    updated: dict[str, int] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)
    """Kind → follow-ups newly planned or done."""
    withheld: Counter[str] = field(default_factory=Counter)
    """Reason → follow-ups newly withheld."""
    refused: dict[str, str] = field(default_factory=dict)
    """Payer → why one of their records was refused."""
    locked: set[str] = field(default_factory=set)
    """Payers of whom a record was locked for the moment; looked at again soon."""

    @property
    def changes(self) -> int:
        """Records made or changed."""
        return sum(self.inserted.values()) + sum(self.updated.values())


@quick
@dataclass(frozen=True, slots=True)
class Plan:
    """One payer's decision with what it changes."""

    decision: Decision
    changes: Sequence[Change]


class Writer:
    """Carries out the plans of one batch in three steps: records, then Tasks, then what refers to them: events, links, the payer's flag."""

    def __init__(self, context: Context, loaded: Loaded, now: datetime) -> None:
        self._context, self._loaded, self._now = context, loaded, now
        self._ids: dict[tuple[str, str], str] = {}
        self._positions: dict[str, str] = {}
        self._decisions: dict[str, Decision] = {}
        self.applied = Applied()

    def apply(self, plans: Sequence[Plan]) -> Applied:
        """Write everything.

        Raises:
            TransientError: the org took an unknown part; load and apply again.

        """
        self._decisions = {plan.decision.payer: plan.decision for plan in plans}
        everything = [change for plan in plans for change in plan.changes]
        if self._context.shadow:
            return self._shadow(everything)
        late = [one for one in everything if _is_late(one)]
        tasks = [one for one in everything if _is_task(one)]
        first = [one for one in everything if not (_is_late(one) or _is_task(one))]
        self._write([one for one in first if one.op == "insert"], [one for one in first if one.op == "update"])
        self._write(tasks, [], serial=True)
        linked = [
            Change("update", "follow_up", one.payer, {"task_id": task}, key=one.key)
            for one in tasks
            if (task := self._ids.get(("task", one.key or "")))
        ]
        self._write(
            [],
            [*(one for one in late if self._took(one)), *linked, *self._flags([plan.decision.payer for plan in plans])],
            events=self._announcements([*tasks, *(one for one in late if one.follow_up is not None)]),
            serial=True,
        )
        return self.applied

    def _shadow(self, everything: Sequence[Change]) -> Applied:
        """Write only follow-ups marked so, once each."""
        self._write([one for one in everything if one.op == "insert" and one.subject == "follow_up"], [])
        return self.applied

    def _write(self, inserts: Sequence[Change], updates: Sequence[Change], *, serial: bool = False, events: Sequence[Row] = ()) -> None:
        """Write it in as few calls as possible; ``serial``: in order, inserts and events before updates."""
        rows: list[tuple[Change, Row]] = [(one, row) for one in inserts if (row := self._insert(one)) is not None]
        edits: list[tuple[Change, Edit]] = [(one, edit) for one in self._merged(updates) if (edit := self._update(one)) is not None]
        if not rows and not edits and not events:
            return
        made, changed = self._context.org.write([*(row for _, row in rows), *events], [edit for _, edit in edits], serial=serial)
        for (one, row), saved in zip(rows, made[: len(rows)], strict=True):
            self._settle(one, row[0], saved, self.applied.inserted)
        unsaid = [one for one in made[len(rows) :] if not one.ok]
        if unsaid:
            log.error("write.refused", sobject=own.DECIDED_EVENT, code=unsaid[0].code or "", count=len(unsaid))
        for (one, edit), saved in zip(edits, changed, strict=True):
            self._settle(one, edit[0], saved, self.applied.updated)

    def _settle(self, one: Change, sobject: str, saved: Saved, counts: dict[str, int]) -> None:
        if saved.ok:
            counts[sobject] = counts.get(sobject, 0) + 1
            self._tally(one)
        if saved.ok or saved.code == "DUPLICATE_VALUE":
            record_id = saved.id or saved.duplicate_of
            if one.key and record_id:
                self._ids[one.subject, one.key] = record_id
                if one.subject == "position":
                    self._positions[one.payer] = record_id
        elif saved.transient:
            self.applied.locked.add(one.payer)
        else:
            self.applied.refused[one.payer] = f"the org refused a {sobject} with {saved.code}"
            log.error("write.refused", payer=one.payer, sobject=sobject, code=saved.code or "")

    def _tally(self, one: Change) -> None:
        if one.subject != "follow_up" or one.op != "insert":
            return
        if one.values.get("withheld"):
            self.applied.withheld.update(str(one.values["withheld"]).split(";"))
        else:
            self.applied.made[str(one.values["kind"])] += 1

    def _insert(self, one: Change) -> Row | None:
        context = self._context
        match one.subject:
            case "follow_up":
                return own.FOLLOW_UP, write.follow_up(context.mapping, one, shadow=context.shadow)
            case "position":
                return own.POSITION, write.position(context.mapping, one, str(one.values["currency"]))
            case "hold":
                return own.HOLD, write.hold(context.mapping, one)
            case "task" if one.follow_up is not None:
                words = task_words(context, self._loaded, one.follow_up, one.payer, self._decisions[one.payer])
                return "Task", write.task(context.mapping, one.follow_up, one.payer, context.roles(), words)
        return None

    def _update(self, one: Change) -> Edit | None:
        context = self._context
        record_id = one.id or self._ids.get((one.subject, one.key or "")) or self._shown_id(one)
        if record_id is None:
            return None
        match one.subject:
            case "follow_up":
                return own.FOLLOW_UP, record_id, write.follow_up(context.mapping, one)
            case "position":
                return own.POSITION, record_id, write.position(context.mapping, one, self._currency(one))
            case "task":
                return "Task", record_id, write.task_status(one)
            case "installment":
                fields = write.recollection(context.mapping, one)
                return None if fields is None else (context.mapping.installments.object, record_id, fields)
            case "promise" | "plan":
                return AGREEMENTS[one.subject], record_id, write.agreement(one)
            case "payer":
                payer = context.mapping.payer_of(one.payer)
                return None if payer.flag is None else (payer.object, one.payer, {payer.flag: one.values["position"]})
        return None

    def _merged(self, updates: Sequence[Change]) -> list[Change]:
        """Merge several updates of one record into one: a collection may name a record only once."""
        merged: dict[tuple[str, str], Change] = {}
        for one in updates:
            where = (one.subject, one.id or one.key or "")
            before = merged.get(where)
            merged[where] = (
                one if before is None else Change(one.op, one.subject, one.payer, {**before.values, **one.values}, key=one.key, id=one.id)
            )
        return list(merged.values())

    def _shown_id(self, one: Change) -> str | None:
        shown = self._view(one.payer).follow_ups.get(one.key or "") if one.subject == "follow_up" else None
        return shown.id if shown else None

    def _currency(self, one: Change) -> str:
        shown = self._view(one.payer).positions
        return next((currency for currency, position in shown.items() if position.id == one.id), self._context.mapping.creditor.currency)

    def _view(self, payer: str) -> View:
        return self._loaded.views[payer]

    def _took(self, one: Change) -> bool:
        """Tell whether what a follow-up's completion rests on was written (a refused hold leaves it Planned)."""
        return one.payer not in self.applied.refused and one.payer not in self.applied.locked

    def _announcements(self, surfaced: Sequence[Change]) -> list[Row]:
        """Give ``Follow_Up_Decided__e`` for what has become visible, to be published before the link says so: at least once, whatever crashes."""
        rows: list[Row] = []
        for one in surfaced:
            task = self._ids.get(("task", one.key or "")) or one.values.get("task_id")
            if one.follow_up is None or task is None:
                continue
            shown = self._view(one.payer).follow_ups.get(one.key or "")
            follow_up_id = self._ids.get(("follow_up", one.key or "")) or (shown.id if shown else None)
            rows.append((own.DECIDED_EVENT, write.decided_event(one.follow_up, one.payer, follow_up_id, str(task))))
        return rows

    def _flags(self, payers: Sequence[str]) -> list[Change]:
        """Point the payer record's lookup at a Position, once."""
        found = []
        for payer in payers:
            view = self._view(payer)
            if view.flag is not None or self._context.mapping.payer_of(payer).flag is None:
                continue
            position = next((one.id for one in view.positions.values()), None) or self._new_position(payer)
            if position:
                found.append(Change("update", "payer", payer, {"position": position}, id=payer))
        return found

    def _new_position(self, payer: str) -> str | None:
        return self._positions.get(payer)


def _is_late(one: Change) -> bool:
    """Tell whether it names its follow-up by key alone: the record may only come to be in this pass."""
    return one.op == "update" and one.subject == "follow_up" and one.id is None


def _is_task(one: Change) -> bool:
    return one.op == "insert" and one.subject == "task"
