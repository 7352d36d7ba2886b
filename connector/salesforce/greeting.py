"""A first word with an org, before and without any login: which API versions it speaks, and what time it thinks it is.

Must not send a token. Invariant: an org that does not answer is no error here; logging in says so better.

Source: salesforce.md C.3: GET /services/data needs no token and is not counted. Every HTTP answer is dated (RFC 9110, Date).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests

from connector.salesforce.addresses import is_this_machine


@dataclass(frozen=True, slots=True)
class Greeting:
    """What came back. ``ahead_seconds``: by how much the org's clock is ahead of ours (negative: behind); None = not told."""

    versions: tuple[str, ...] = ()
    ahead_seconds: float | None = None


def greet(address: str, now: Callable[[], datetime], *, timeout: float = 10.0) -> Greeting:
    """Ask the org at ``address``; an empty Greeting when there is no answer, or not that of an org."""
    with requests.Session() as http:
        http.trust_env = not is_this_machine(address)
        try:
            before = now()
            reply = http.get(f"{address}/services/data", timeout=timeout, allow_redirects=False)
            middle = before + (now() - before) / 2
        except requests.RequestException:
            return Greeting()
    versions = _versions(reply)
    return Greeting(versions, _ahead(reply.headers.get("Date"), middle)) if versions else Greeting()


def _versions(reply: requests.Response) -> tuple[str, ...]:
    try:
        body = reply.json()
    except ValueError:
        return ()
    if reply.status_code != 200 or not isinstance(body, list):
        return ()
    return tuple(str(one["version"]) for one in body if isinstance(one, dict) and "version" in one)


def _ahead(header: str | None, now: datetime) -> float | None:
    try:
        theirs = parsedate_to_datetime(header or "")
    except ValueError:
        return None
    return (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)).timestamp() - now.timestamp()
