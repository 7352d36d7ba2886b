"""Conditional requests: whether a request still applies to what is there.

Pure: it compares headers with a moment and a tag. Its invariant: a request whose condition fails is not carried out.

Source: the REST API guide, conditional request headers, sObject Rows and sObject Describe: dates on every record and
describe, ETags on Account alone; 304 where a read finds nothing newer, 412 where anything else must not happen.
The body of a 412 is not documented.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from sandbox.http.wire import Call, Reply, error
from sandbox.org.errors import OrgError

_NAMES = frozenset({"if-match", "if-none-match", "if-modified-since", "if-unmodified-since"})


@dataclass(frozen=True, slots=True)
class State:
    """What the conditions are held against; ``etag`` None where the platform gives none."""

    modified: datetime
    etag: str | None = None

    def headers(self) -> dict[str, str]:
        """The reply headers that tell it."""
        told = {"Last-Modified": format_datetime(self.modified.astimezone(UTC), usegmt=True)}
        return told if self.etag is None else {"ETag": self.etag, **told}


def conditional(headers: Mapping[str, str]) -> bool:
    """Whether a request sets any condition."""
    return not _NAMES.isdisjoint(headers)


def unmet(call: Call, state: State) -> Reply | None:
    """The reply to a request whose condition fails, or None. Raises OrgError for a date that is none."""
    modified = state.modified.astimezone(UTC).replace(microsecond=0)
    reading = call.method == "GET"
    if state.etag is not None and not _among(call.headers.get("if-match"), state.etag, absent=True):
        return _failed()
    limit = _date(call.headers, "if-unmodified-since")
    if limit is not None and modified > limit:
        return _failed()
    if state.etag is not None and _among(call.headers.get("if-none-match"), state.etag, absent=False):
        return Reply(304, None, state.headers()) if reading else _failed()
    limit = _date(call.headers, "if-modified-since")
    if limit is not None and modified <= limit:
        return Reply(304, None, state.headers()) if reading else _failed()
    return None


def _failed() -> Reply:
    return error(412, "PRECONDITION_FAILED", "The precondition in one or more of the request headers was not met")


def _among(header: str | None, etag: str, *, absent: bool) -> bool:
    if header is None:
        return absent
    return _bare(etag) in {_bare(tag) for tag in header.split(",")} or header.strip() == "*"


def _bare(tag: str) -> str:
    """A tag without quotes, weakness and the mark of packing, which a proxy may add."""
    return tag.strip().removeprefix("W/").strip('"').removesuffix("--gzip")


def _date(headers: Mapping[str, str], name: str) -> datetime | None:
    text = headers.get(name)
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError as problem:
        raise OrgError(400, "INVALID_HTTP_HEADER", f"{name.title()} is no HTTP date") from problem
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
