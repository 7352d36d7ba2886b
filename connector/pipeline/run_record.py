"""The end of a pass: told as a whole, compared with the last one, recorded in the org, kept for the next.

Must not judge, and must not fail a pass for want of an earlier one. Invariant: the record in the org is written before anything is kept,
so that a pass that is run again compares itself with the last one that came to its end.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from connector.core.keys import key
from connector.core.reconciliation import Matter, Reconciliation, kept, read
from connector.core.tally import Tally
from connector.errors import TransientError
from connector.mapping import own
from connector.pipeline.ports import Context
from connector.report.lines import compared, lines, matter
from connector.report.words import amounts

EVERYONE: Final = "everyone"
TOUCHED: Final = "touched payers"
"""Only those whose records changed since the last pass, or whose day has come."""
PART: Final = "part of everyone"
"""Hours or calls were used up before everyone was looked at."""
REFUSED: Final = "nobody"
"""A safety stop refused the pass."""
_KEPT = "run:"
"""Under this, by kind of pass, the store keeps what the next is compared with."""
_LONGEST = 32_000
"""Characters of a long text in the org."""


def conclude(  # noqa: PLR0913 - what a pass is told by, by name
    context: Context, tally: Tally, started_at: datetime, *, scope: str, dry: bool, calls: int, findings: Iterable[Matter] = ()
) -> Reconciliation:
    """Tell of a pass, and write its record unless it was dry or in shadow mode.

    Raises:
        TransientError: the org does not take the record; run again.
        PermanentError: the report cannot be written; the pass itself is done and recorded.

    """
    zone = context.mapping.creditor.zone
    mode = "dry run" if dry else "shadow" if context.shadow else "live"
    compares = f"{_KEPT}{'shadow' if context.shadow else 'live'}"
    one = Reconciliation(
        started_at.astimezone(zone), context.clock.now().astimezone(zone), tally, mode, scope,
        policy=f"{context.policy.name} {context.policy.version}", findings=tuple(findings),
        before=read(context.store.get_value(compares)) if scope == EVERYONE else None, figures={"api_calls": calls},
    )  # fmt: skip
    if mode == "live" and (scope != TOUCHED or tally.changes or one.matters):
        _record(context, one)
    if not dry and scope == EVERYONE:
        context.store.set_value(compares, kept(one))
        context.report(one)
    return one


def refuse(context: Context, started_at: datetime, why: str) -> None:
    """Record in the org that a safety stop refused a pass, and what a person is to do. Raises TransientError where the org does not take it."""
    if not context.shadow:
        fields = {"Started_At__c": started_at, "Ended_At__c": context.clock.now(), "Mode__c": "live", "Scope__c": REFUSED}
        _write(
            context,
            {own.KEY: _key(started_at), **fields, "For_A_Person__c": 1, "Needs_Person__c": why[:_LONGEST], "Report__c": why[:_LONGEST]},
        )


def _key(started_at: datetime) -> str:
    return key("run", "reconcile", started_at.astimezone(UTC).strftime("%Y%m%dT%H%M%S%f"))


def _record(context: Context, one: Reconciliation) -> None:
    """Write the Reconciliation Run: what a person reads in a minute."""
    tally = one.tally
    fields: dict[str, object] = {
        own.KEY: _key(one.started_at),
        "Started_At__c": one.started_at, "Ended_At__c": one.ended_at, "Duration_Seconds__c": round(one.seconds, 1), "Mode__c": one.mode,
        "Scope__c": one.scope, "Payers__c": tally.payers, "In_Arrears__c": tally.in_arrears, "Changes__c": tally.changes,
        "Follow_Ups__c": tally.follow_ups, "Withheld__c": tally.withheld_in_all, "Parked__c": sum(listed.count for listed in tally.parked.values()),
        "Missing__c": tally.missing.count, "For_A_Person__c": one.point.matters, "Amounts__c": ", ".join(amounts(tally.overdue.amounts)) or "nothing overdue",
        "Needs_Person__c": "\n".join(map(matter, one.matters))[:_LONGEST] or None, "Compared__c": compared(one) or None,
        "Report__c": "\n".join(lines(one))[:_LONGEST],
    }  # fmt: skip
    _write(context, {name: value for name, value in fields.items() if value is not None})


def _write(context: Context, fields: Mapping[str, object]) -> None:
    ((saved,), _) = context.org.write([(own.RUN, fields)], [])
    if not saved.ok and saved.code != "DUPLICATE_VALUE":
        raise TransientError(f"the run record was refused with {saved.code}")
