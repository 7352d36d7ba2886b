"""What a refusal by the org means: who must act, and whether the same call may be made again.

Must not send, wait or log. Invariant: a write is repeated only where the org certainly did not carry it out;
where that is unknown the verdict is ``AmbiguousWrite`` and the caller reads back by key.

Codes and statuses are those of salesforce.md C.7. No message quotes a query, a value or an address.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.errors import ConfigError, ConflictError, DunwellError, PermanentError, TransientError
from connector.salesforce.saved import LOCKED, Saved

TOTAL_LIMIT_SECONDS = 900.0
"""The daily allowance is a rolling 24 hours: some of it comes back within minutes, all of it within a day."""
_CONCURRENT_SECONDS = 30.0
_NOT_CARRIED_OUT = frozenset({420, 429, 503})
"""Turned away at the door: edge routing, too many requests, server unavailable."""
_UNKNOWN_OUTCOME = frozenset({500, 502, 504})
_UNKNOWN_COLUMN = re.compile(r"No such column '([\w.]{1,80})' on (?:entity|sobject of type) '?(\w{1,80})")
_UNKNOWN_OBJECT = re.compile(r"sObject type '(\w{1,80})'")
_SOAP_FAULT = re.compile(r"<faultcode>(?:\w+:)?(\w{1,80})</faultcode>\s*<faultstring>([^<]{0,500})</faultstring>")


class AmbiguousWrite(TransientError):  # noqa: N818 - the state of a write, not a fault of ours
    """A write was sent and its answer is not known. Never sent again blindly: read back by key first.

    ``saved`` answers to the rows in the order given: None where the outcome is unknown or the row was not sent.
    """

    def __init__(self, message: str, retry_after: float | None = None, saved: Sequence[Saved | None] = ()) -> None:
        self.saved: tuple[Saved | None, ...] = tuple(saved)
        super().__init__(message, retry_after)


class StaleLocator(TransientError):  # noqa: N818 - the state of a result, not a fault of ours
    """The org does not keep this result any more, or not under this name: ask anew."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of the platform's error array."""

    code: str
    message: str


class RefusedError(Exception):
    """A reply outside 2xx, as the transport saw it; never leaves this package."""

    def __init__(self, status: int, problems: Sequence[Problem], retry_after: float | None = None) -> None:
        self.status = status
        self.problems = tuple(problems)
        self.retry_after = retry_after
        super().__init__(f"status {status} {self.code or 'without a code'}")

    @property
    def code(self) -> str:
        """The first error code, or an empty string (html, no body)."""
        return self.problems[0].code if self.problems else ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The error to raise; ``again`` when the same call may first be repeated after a moment."""

    error: DunwellError
    again: bool = False


def problems_in(body: object) -> tuple[Problem, ...]:
    """The error array of REST, or the one object of the token endpoint; anything else is no problem we can name."""
    entries = body if isinstance(body, list) else [body]
    found: list[Problem] = []
    for entry in entries:
        if isinstance(entry, Mapping):
            code = entry.get("errorCode") or entry.get("statusCode") or entry.get("error")
            message = entry.get("message") or entry.get("error_description")
            if isinstance(code, str):
                found.append(Problem(code, message if isinstance(message, str) else ""))
    return tuple(found)


def refusal_from(status: int, text: str, retry_after: str | None) -> RefusedError:
    """The refusal in a raw reply; a body that is neither JSON nor a SOAP fault (a maintenance page) leaves it without a code."""
    try:
        body: object = json.loads(text)
    except ValueError:
        fault = _SOAP_FAULT.search(text)
        body = None if fault is None else {"errorCode": fault[1], "message": fault[2].removeprefix(f"{fault[1]}: ")}
    return RefusedError(status, problems_in(body), _seconds(retry_after))


def judge(refusal: RefusedError, *, writes: bool) -> Verdict:
    """What a refusal means. 401 is not judged here: the caller renews its token first."""
    status, code = refusal.status, refusal.code
    if code == "REQUEST_LIMIT_EXCEEDED":
        return _limit(refusal)
    if code == LOCKED:
        return Verdict(TransientError("the org holds the record locked", refusal.retry_after), again=True)
    if status in _NOT_CARRIED_OUT:
        return Verdict(TransientError(f"the org is not available (status {status})", refusal.retry_after), again=True)
    if status in _UNKNOWN_OUTCOME:
        if writes:
            return Verdict(
                AmbiguousWrite(f"the org answered a write with status {status}: read back before writing again", refusal.retry_after)
            )
        return Verdict(TransientError(f"the org failed to answer (status {status})", refusal.retry_after), again=True)
    if 300 <= status < 400:
        return Verdict(ConfigError("the org answers from another address now: set the login URL to its My Domain"))
    return Verdict(_client_error(refusal))


def _client_error(refusal: RefusedError) -> DunwellError:
    status, code = refusal.status, refusal.code
    named = f"{code} (status {status})" if code else f"status {status}"
    if status == 401:
        return TransientError("the org does not accept the access token", 60.0)
    if code in {"QUERY_TIMEOUT", "INVALID_QUERY_LOCATOR", "REQUEST_RUNNING_TOO_LONG"}:
        kind = StaleLocator if code == "INVALID_QUERY_LOCATOR" else TransientError
        return kind(f"the query was not finished: {code}", refusal.retry_after)
    if code in {"INVALID_FIELD", "INVALID_TYPE"}:
        return ConfigError(f"the org does not know something asked for, or the integration user may not see it: {code}{_what(refusal)}")
    if code in {"API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED", "FUNCTIONALITY_NOT_ENABLED", "INSUFFICIENT_ACCESS"}:
        return ConfigError(f"the integration user may not use the API for this ({code}): assign Dunwell's permission set to it")
    if status == 403:
        return (
            PermanentError(f"the org refuses this to the integration user: {named}")
            if code
            else TransientError("the org's edge refused the call", 60.0)
        )
    if status == 404:
        return ConfigError(
            "the org has no such resource: check the API version, and that the object exists and is visible to the integration user"
        )
    if status == 410:
        return ConfigError("the org has retired this API version: set a newer one")
    if status == 412:
        return ConflictError("the record changed since it was read")
    if status in {414, 431}:
        return PermanentError("the query is longer than one call may carry")
    return PermanentError(f"the org refused the call: {named}")


def _limit(refusal: RefusedError) -> Verdict:
    """TotalRequests frees up over hours, concurrent requests over seconds."""
    text = refusal.problems[0].message
    if text.startswith("Concurrent"):
        return Verdict(TransientError("the org is handling too many long requests", refusal.retry_after or _CONCURRENT_SECONDS), again=True)
    return Verdict(TransientError("the org's daily API allowance is used up", refusal.retry_after or TOTAL_LIMIT_SECONDS))


def is_total_limit(refusal: RefusedError) -> bool:
    """Whether the daily allowance, not concurrency, is what ran out."""
    return refusal.code == "REQUEST_LIMIT_EXCEEDED" and not refusal.problems[0].message.startswith("Concurrent")


def _what(refusal: RefusedError) -> str:
    """The name the org did not know. The rest of its text echoes the query and is left out."""
    message = refusal.problems[0].message
    if column := _UNKNOWN_COLUMN.search(message):
        return f": no field {column[1]} on {column[2]}"
    if kind := _UNKNOWN_OBJECT.search(message):
        return f": no object {kind[1]}"
    return ""


def _seconds(header: str | None) -> float | None:
    """Retry-After in seconds; Salesforce documents none, so it is honoured if sent and never relied on."""
    return float(header) if header is not None and header.strip().isdigit() else None
