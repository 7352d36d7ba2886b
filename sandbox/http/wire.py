"""The REST wire format: one request and one reply as plain values, and the shapes of errors.

It holds no state and touches no socket, so that a composite subrequest is handled exactly as a request of its own.
Its invariant: every error body is a JSON array of ``{"message", "errorCode"[, "fields"]}``.

Source: the platform's REST API guide, error table and request headers (C.7, C.9).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from sandbox.org.errors import OrgError
from sandbox.org.types import Session

API_VERSION = "66.0"
VERSIONS = {
    "60.0": "Spring '24",
    "61.0": "Summer '24",
    "62.0": "Winter '25",
    "63.0": "Spring '25",
    "64.0": "Summer '25",
    "65.0": "Winter '26",
    "66.0": "Spring '26",
    "67.0": "Summer '26",
}
OLDEST_SERVED = 31.0
RETIRED_BEFORE = 31.0
_DATA_PATH = re.compile(r"^/services/data/v(?P<version>\d+\.\d)(?:/(?P<rest>.*))?$")

JsonObject = dict[str, object]


@dataclass(frozen=True, slots=True)
class Call:
    """One REST request below ``/services/data/vXX.0/``. ``parts`` are the unquoted path segments after the version."""

    method: str
    version: str
    parts: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: object
    session: Session

    @property
    def root(self) -> str:
        """The path every URL of this version starts with."""
        return f"/services/data/v{self.version}"


@dataclass(frozen=True, slots=True)
class Reply:
    """One REST reply. ``body`` None means no body at all; bytes are sent as they are (html)."""

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """True for 2xx."""
        return 200 <= self.status < 300


def error(status: int, code: str, message: str, fields: list[str] | None = None) -> Reply:
    """A reply with the platform's error array. ``fields`` None leaves the key out, as on errors that concern no record."""
    entry: JsonObject = {"message": message, "errorCode": code}
    if fields is not None:
        entry["fields"] = fields
    return Reply(status, [entry])


def refused(problem: OrgError, *, writing: bool) -> Reply:
    """The reply for an error raised by the org. Errors of writes always carry ``fields``, those of reads only when filled."""
    fields = list(problem.fields)
    return error(problem.status, problem.code, problem.message, fields if fields or (writing and problem.status == 400) else None)


def split_path(raw_path: str) -> tuple[str, tuple[str, ...]] | None:
    """Version and unquoted segments of a raw (still percent-encoded) path; None when it is no data path.

    Doubled and trailing slashes are tolerated, as clients produce both.
    """
    found = _DATA_PATH.match(re.sub(r"/{2,}", "/", raw_path))
    if found is None:
        return None
    rest = found["rest"] or ""
    return found["version"], tuple(unquote(part) for part in rest.split("/") if part)


def split_query(raw_query: str) -> dict[str, str]:
    """Query parameters, the last one winning."""
    return dict(parse_qsl(raw_query, keep_blank_values=True))


def parse_json(raw: bytes) -> object:
    """The request body as JSON; None when empty. Raises OrgError JSON_PARSER_ERROR."""
    if not raw.strip():
        return None
    try:
        return json.loads(raw)
    except ValueError as problem:
        place = f" at [line:{problem.lineno}, column:{problem.colno}]" if isinstance(problem, json.JSONDecodeError) else ""
        raise OrgError(400, "JSON_PARSER_ERROR", f"Unexpected character or end of input{place}") from problem


def as_object(body: object) -> JsonObject:
    """The body as a JSON object. Raises OrgError JSON_PARSER_ERROR."""
    if not isinstance(body, dict):
        raise OrgError(400, "JSON_PARSER_ERROR", "Can not deserialize the request body: a JSON object is expected at [line:1, column:1]")
    return body


def as_list(value: object, name: str) -> list[object]:
    """A member that must be a JSON array. Raises OrgError JSON_PARSER_ERROR."""
    if not isinstance(value, list):
        raise OrgError(400, "JSON_PARSER_ERROR", f"Can not deserialize '{name}': a JSON array is expected at [line:1, column:1]")
    return value


def call_options(headers: Mapping[str, str]) -> dict[str, str]:
    """``Sforce-Call-Options: client=x, defaultNamespace=y`` as a mapping."""
    pairs = (part.partition("=") for part in headers.get("sforce-call-options", "").split(","))
    return {key.strip(): value.strip() for key, _, value in pairs if key.strip()}


def auto_assign(headers: Mapping[str, str]) -> bool:
    """Whether assignment rules run: TRUE when the header is absent (C.9)."""
    return headers.get("sforce-auto-assign", "TRUE").strip().upper() != "FALSE"


def batch_size(headers: Mapping[str, str], largest: int = 2000) -> int:
    """``Sforce-Query-Options: batchSize=N`` held between 200 and 2,000; the default is 2,000."""
    found = re.search(r"batchSize\s*=\s*(\d+)", headers.get("sforce-query-options", ""), re.IGNORECASE)
    wanted = min(max(int(found[1]), 200), 2000) if found else 2000
    return min(wanted, largest)


def bearer(headers: Mapping[str, str]) -> str | None:
    """The access token of ``Authorization: Bearer x`` or ``OAuth x``; None when there is none."""
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    return token.strip() or None if scheme.lower() in {"bearer", "oauth"} else None
