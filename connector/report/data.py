"""The report of a pass as JSON, for programs.

Must not round: amounts are text with the decimals of their currency. Invariant: keys stand in the same order in every report, and one
that has nothing to tell is empty, not missing.
"""

import json
from collections.abc import Mapping

from connector.core.money import text
from connector.core.reconciliation import Point, Reconciliation
from connector.core.tally import Age, Listed, Share, Tally
from connector.report import words

VERSION = 1


def render(one: Reconciliation, instance_url: str) -> str:
    """Give it."""
    before = one.before
    told = {
        "version": VERSION,
        "run": {
            "started_at": one.started_at.isoformat(), "ended_at": one.ended_at.isoformat(), "seconds": round(one.seconds, 1), "mode": one.mode,
            "scope": one.scope, "policy": one.policy, "instance_url": instance_url, **one.figures,
        },
        **_tally(one.tally),
        "needs_person": [{"kind": m.kind, "count": m.count, "words": m.words, "records": list(m.records)} for m in one.matters],
        "last_run": None if before is None or before.at is None else {"started_at": before.at.isoformat(), **_tally(before.last)},
        "trend": [_point(point) for point in one.trend],
    }  # fmt: skip
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _tally(tally: Tally) -> dict[str, object]:
    return {
        "payers": tally.payers,
        "in_arrears": tally.in_arrears,
        "overdue": _share(tally.overdue),
        "gifts": _share(tally.gifts),
        "by_status": {status.value: _share(tally.statuses.get(status, Share())) for status in words.STATUSES},
        "by_age": {age.value: _share(tally.ageing.get(age, Share())) for age in Age},
        "by_reason": {reason: _share(share) for reason, share in sorted(tally.reasons.items())},
        "next": dict(sorted(tally.planned.items())),
        "withheld": dict(sorted(tally.withheld.items())),
        "new_follow_ups": dict(sorted(tally.made.items())),
        "changes": tally.changes,
        "records_made": dict(sorted(tally.inserted.items())),
        "records_changed": dict(sorted(tally.updated.items())),
        "parked": {why: _listed(listed) for why, listed in sorted(tally.parked.items())},
        "missing": _listed(tally.missing),
        "unknown_codes": dict(sorted(tally.codes.items())),
    }


def _share(share: Share) -> dict[str, object]:
    return {"payers": share.payers, "installments": share.installments, "amounts": _amounts(share.amounts)}


def _amounts(found: Mapping[str, int]) -> dict[str, str]:
    return {currency: text(minor, currency) for currency, minor in sorted(found.items()) if minor}


def _listed(listed: Listed) -> dict[str, object]:
    return {"payers": listed.count, "first": list(listed.first)}


def _point(point: Point) -> dict[str, object]:
    return {
        "started_at": point.at.isoformat(), "payers": point.payers, "in_arrears": point.in_arrears, "needs_person": point.matters,
        "changes": point.changes, "overdue": _amounts(point.overdue),
    }  # fmt: skip
