"""Whether this is the right org, spoken to in a version it knows, by a machine whose clock is right.

Must not ask the org. Invariant: in a wrong org, or in a version it does not speak, nothing else is worth looking at.
"""

from datetime import datetime, timedelta

from connector.checks.problems import Finding, Findings
from connector.salesforce.greeting import Greeting
from connector.salesforce.wire import same_id

SKEW = timedelta(minutes=1)
"""An assertion to log in with is good for three minutes, and due moments are told by this clock."""
SOON = timedelta(days=30)


def clocks(greeting: Greeting) -> Findings:
    """Tell of a clock that is wrong."""
    found, ahead = Finding(), greeting.ahead_seconds
    if ahead is None:
        return found.done()
    if abs(ahead) > SKEW.total_seconds():
        direction = "behind" if ahead > 0 else "ahead of"
        what = f"it is {abs(ahead):,.0f} seconds {direction} the org's, which makes logins fail and follow-ups come at wrong times"
        found.wrong("this machine's clock", what, "let it be set by a time server (NTP)")
    else:
        found.looked_at.append(f"clocks: within {max(1.0, abs(ahead)):.0f} s of each other")
    return found.done()


def versions(greeting: Greeting, api_version: str) -> Findings:
    """Tell of an API version that the org does not speak."""
    found = Finding()
    if greeting.versions and api_version not in greeting.versions:
        newest = max(greeting.versions, key=float)
        what = f"the org does not speak version {api_version} of the API"
        found.wrong("DUNWELL_API_VERSION", what, f"set one it speaks, at most {newest}")
    return found.done()


def right_org(reached: str, wanted: str, *, pinned: bool) -> Findings:
    """Tell of another org than the one this configuration belongs to; ``pinned``: told by the settings, else by the store."""
    found = Finding()
    if wanted and not same_id(reached, wanted):
        what = f"this is the org {reached}, and Dunwell is set up for {wanted}"
        advice = "check DUNWELL_LOGIN_URL and the credentials; if the org was refreshed or copied on purpose, "
        advice += "set DUNWELL_ORG_ID to the new one" if pinned else "begin with an empty store"
        found.wrong("DUNWELL_ORG_ID" if pinned else "DUNWELL_STORE_URL", what, advice)
    return found.done()


def certificate(ends_at: datetime | None, now: datetime) -> Findings:
    """Tell of the certificate beside the private key, where there is one."""
    found = Finding()
    if ends_at is None:
        return found.done()
    advice = "make a new key and certificate, and upload the certificate in Setup > External Client App Manager > the app > OAuth Settings"
    if ends_at <= now:
        found.wrong("DUNWELL_KEY_FILE", f"the certificate beside the key expired on {ends_at:%Y-%m-%d}", advice)
    elif ends_at - now < SOON:
        found.doubt("DUNWELL_KEY_FILE", f"the certificate beside the key expires on {ends_at:%Y-%m-%d}", advice)
    return found.done()
