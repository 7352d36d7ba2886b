"""Several requests in one call: what goes into POST /composite and what comes out.

Must not send. Invariant: answers are matched by reference, never by position, because the platform may reorder
(salesforce.md C.6); at most five queries or collections in one call.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from connector.salesforce.calls import MalformedReplyError
from connector.salesforce.transport import Manner

PER_CALL = 5
"""Queries and collections in one composite call; of other requests there may be 25."""
OTHERS_PER_CALL = 25


@dataclass(frozen=True, slots=True)
class Part:
    """One subrequest. ``path`` is below the version: ``query?q=...``."""

    path: str
    method: str = "GET"
    body: object = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to one subrequest."""

    status: int
    body: object


def composite_body(parts: Sequence[Part], manner: Manner, *, in_order: bool) -> dict[str, object]:
    """The standing headers are in each write, too: a subrequest inherits only Authorization, Accept and Content-Type.

    ``in_order`` keeps the platform from collating subrequests, so that each ends its transaction before the next begins.
    """
    requests: list[dict[str, object]] = []
    for place, part in enumerate(parts):
        one: dict[str, object] = {
            "method": part.method,
            "url": f"/services/data/v{manner.api_version}/{part.path}",
            "referenceId": f"r{place}",
        }
        if part.body is not None:
            one["body"] = part.body
        if part.method != "GET":
            one["httpHeaders"] = manner.headers
        requests.append(one)
    return {"allOrNone": False, "collateSubrequests": not in_order, "compositeRequest": requests}


def answers_in(reply: object, count: int) -> list[Answer]:
    """One Answer per Part, in the order of the Parts. Raises MalformedReplyError."""
    entries = reply.get("compositeResponse") if isinstance(reply, Mapping) else None
    if not isinstance(entries, list):
        raise MalformedReplyError("no compositeResponse")
    found: dict[str, Answer] = {}
    for entry in entries:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("httpStatusCode"), int):
            raise MalformedReplyError("a subresponse without a status")
        found[str(entry.get("referenceId"))] = Answer(entry["httpStatusCode"], entry.get("body"))
    try:
        return [found[f"r{place}"] for place in range(count)]
    except KeyError:
        raise MalformedReplyError("a subresponse is missing") from None


def query_path(soql: str, *, all_rows: bool) -> str:
    """``query?q=...``, or ``queryAll`` which sees deleted and archived rows as well."""
    return f"{'queryAll' if all_rows else 'query'}?q={quote(soql, safe='')}"
