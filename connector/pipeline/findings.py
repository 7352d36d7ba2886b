"""What stands still in the org beside the payers' debts: found by a few queries, and told to the team whose work it is.

Must not mend anything: which of two figures is right, and what is to be done, is a person's decision. Invariants: one Task for a kind, keyed,
so that a crash and a second pass make it once; a question that the org refuses hides no other answer, and closes no Task.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connector.core.alerts import alerts
from connector.core.findings import Finding, FindingKind, Found, counter, gathered
from connector.core.reconciliation import Matter
from connector.errors import ConfigError, PermanentError
from connector.log import get
from connector.mapping import findings as asking
from connector.mapping.queries import Query
from connector.pipeline.ports import Context, Edit, OrgAccess, Record, Row

log = get("dunwell.findings")
AGAIN = 200
"""Installments whose counters are read again before anything is said about them; where there are more it is no coincidence."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a pass found standing still."""

    found: tuple[Found, ...] = ()
    """Kinds of which there are any."""
    unseen: dict[str, str] = field(default_factory=dict)
    """Kind → why the org could not be asked about it."""
    stale: bool = False
    """Payment data is older than allowed: nothing became harsher."""
    inserted: Mapping[str, int] = field(default_factory=dict)
    """Object → records made to tell of it."""
    updated: Mapping[str, int] = field(default_factory=dict)
    """Object → records closed, because nothing of their kind is left."""

    @property
    def matters(self) -> list[Matter]:
        """The same as a report tells it."""
        told = [Matter(str(one.kind), one.count, one.words, one.records) for one in self.found]
        told += [Matter("unseen", 1, f"The org cannot be asked about {kind}: {why}") for kind, why in sorted(self.unseen.items())]
        if self.stale:
            told.append(
                Matter("stale", 1, "No payment was heard of for longer than allowed: nothing becomes harsher. Check what books payments.")
            )
        return told


def look(context: Context, now: datetime, uneven: Sequence[str] | None, *, counters: bool, dry: bool) -> Findings:
    """Find what stands still and tell whom it concerns; ``dry`` and shadow mode tell nobody.

    Raises:
        TransientError: the org does not answer; run again.

    """
    found, unseen = find(context, now, uneven, counters=counters)
    inserted, updated = ({}, {}) if dry or context.shadow else _tell(context, found, now)
    there = tuple(one for one in found if one.count)
    log.info("findings.gathered", count=sum(one.count for one in there), kinds=[str(one.kind) for one in there])
    return Findings(there, unseen, context.stale(now), inserted, updated)


def find(context: Context, now: datetime, uneven: Sequence[str] | None, *, counters: bool) -> tuple[list[Found], dict[str, str]]:
    """Give all of each kind that was looked at, none included, and the kinds that could not be.

    Args:
        context: what a pass works with.
        now: aware instant.
        uneven: installments whose counters may differ from their payments; None = not looked for yet.
        counters: whether counters are looked at.

    """
    mapping, unseen = context.mapping, dict[str, str]()
    asked = asking.questions(mapping, now)
    answers = _answers(context.org, [(str(one.kind), [one.count, one.newest]) for one in asked], unseen)
    counted: dict[FindingKind, int] = {}
    amounts: dict[str, int] = {}
    said: dict[FindingKind, list[Finding]] = {}
    for one, rows in zip(asked, answers, strict=True):
        if str(one.kind) in unseen or rows is None:
            continue
        number, money = asking.counts(mapping, rows[0])
        counted[one.kind] = counted.get(one.kind, 0) + number
        said.setdefault(one.kind, []).extend(asking.findings(mapping, one, rows[1], now))
        amounts |= money
    found = [gathered(kind, number, said[kind], amounts if kind is FindingKind.PAYMENT else None) for kind, number in counted.items()]
    if counters and mapping.findings.open_amount:
        found += _counters(context, now, uneven, unseen)
    return found, unseen


def _answers(org: OrgAccess, asked: Sequence[tuple[str, Sequence[Query]]], unseen: dict[str, str]) -> list[list[list[Record]] | None]:
    """The answers to each set of queries; None where the org refuses them, which is noted in ``unseen``."""
    try:
        rows = iter(org.query_many([query.soql for _, queries in asked for query in queries]))
        return [[next(rows) for _ in queries] for _, queries in asked]
    except (ConfigError, PermanentError) as error:
        if len(asked) == 1:
            kind = asked[0][0]
            unseen[kind] = str(error)
            log.error("findings.unseen", kind=kind, error=error)  # noqa: TRY400 - the sentence says it all, a trace may hold values
            return [None]
    return [answer for one in asked for answer in _answers(org, [one], unseen)]


def _counters(context: Context, now: datetime, uneven: Sequence[str] | None, unseen: dict[str, str]) -> list[Found]:
    """Installments whose open amount is not what their payments say, read again at one moment."""
    named = len(uneven or ())
    if uneven is not None and not uneven:
        return [gathered(FindingKind.COUNTER, 0, ())]
    again = None if uneven is None else list(uneven[:AGAIN])
    wanted = asking.counters(context.mapping, now, again)
    (rows,) = _answers(context.org, [(str(FindingKind.COUNTER), wanted)], unseen)
    if rows is None:
        return []
    differing = [one for each in asking.counted(context.mapping, *rows) if (one := counter(each)) is not None]
    beyond = named - len(again or ())
    return [gathered(FindingKind.COUNTER, len(differing) + beyond, differing)] if differing or not beyond else []


def _tell(context: Context, found: Sequence[Found], now: datetime) -> tuple[dict[str, int], dict[str, int]]:
    """Make and close Tasks. Gives how many of each, by object."""
    (rows,) = context.org.query_many([(query := asking.alerts_shown()).soql], all_rows=[query.all_rows])
    wanted, answered = alerts(found, [asking.shown_alert(one) for one in rows], now)
    roles = context.roles()
    inserts: list[Row] = [
        ("Task", asking.alert_fields(context.mapping, one, roles.get(one.role) or roles.get("credit_manager"))) for one in wanted
    ]
    edits: list[Edit] = [("Task", task, {"Status": "Completed"}) for task in answered]
    if not inserts and not edits:
        return {}, {}
    saved, changed = context.org.write(inserts, edits, serial=True)
    for one in (*saved, *changed):
        if not one.ok and one.code != "DUPLICATE_VALUE":
            log.error("write.refused", sobject="Task", code=one.code or "")
    made, closed = (sum(one.ok for one in each) for each in (saved, changed))
    return ({"Task": made} if made else {}), ({"Task": closed} if closed else {})
