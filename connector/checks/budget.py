"""What is left of the org's daily allowances: API calls, and deliveries of events.

Must not wait. Invariant: an allowance that stops the daemon now is a problem, one that will soon is a doubt.

Names of limits and what may be asked: salesforce.md C.8.
"""

from connector.checks.problems import Finding, Findings
from connector.checks.rights import VIEW_SETUP
from connector.checks.said import Said
from connector.salesforce.client import Limit

API, DELIVERIES = "DailyApiRequests", "DailyDeliveredPlatformEvents"
_SOON_PERCENT = 20
_PAGE = "Setup > Company Information"


def undeliverable(said: Said) -> bool:
    """Whether today's deliveries are used up."""
    deliveries = (said.limits or {}).get(DELIVERIES)
    return deliveries is not None and deliveries.remaining <= 0


def budget(said: Said, *, reserve_percent: int, listens: bool) -> Findings:
    """Tell of each allowance that is used up, or nearly."""
    found = Finding()
    if said.limits is None:
        what = f"the org does not tell {said.user()} what is left of its API calls and event deliveries"
        found.doubt("limits", what, f"tick {VIEW_SETUP} in a permission set of the integration user")
        return found.done()
    calls, deliveries = said.limits.get(API), said.limits.get(DELIVERIES)
    if calls is not None:
        found.looked_at.append(f"API calls: {_left(calls)}")
        if _percent(calls) < reserve_percent:
            advice = f"see in {_PAGE} what uses them, wait, or lower DUNWELL_API_RESERVE_PERCENT"
            found.wrong("API calls", f"{_left(calls)}, and {reserve_percent} percent are kept for others: Dunwell would wait", advice)
    if deliveries is not None and listens:
        found.looked_at.append(f"event deliveries: {_left(deliveries)}")
        advice = "wait, take objects out of Setup > Change Data Capture, or set DUNWELL_TRANSPORT=poll"
        if undeliverable(said):
            found.wrong("event deliveries", f"{_left(deliveries)}: no event would come", advice)
        elif _percent(deliveries) < _SOON_PERCENT:
            found.doubt("event deliveries", _left(deliveries), advice)
    return found.done()


def _percent(one: Limit) -> float:
    return 100 * one.remaining / one.max if one.max else 100.0


def _left(one: Limit) -> str:
    return f"{one.remaining:,} of {one.max:,} of today's are left"
