"""The REST wire format: one request and one reply as plain values, and the shapes of errors.

It holds no state and touches no socket, so that a composite subrequest is handled exactly as a request of its own.
Its invariant: every error body is a JSON array of ``{"message", "errorCode"[, "fields"]}``.

Source: the platform's REST API guide, error table and request headers (C.7, C.9). The words for a wrong method and a
wrong media type are recorded ones (salesforce.stackexchange.com 13294; kevinohara80/nforce issue 74).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import parse_qsl, unquote

import msgspec

from sandbox.org.errors import OrgError
from sandbox.org.types import Session

API_VERSION = "66.0"
OLDEST_SERVED = 31.0
NEWEST_SERVED = 67.0
_SEASONS = ("Summer", "Winter", "Spring")
VERSIONS = {f"{number}.0": f"{_SEASONS[(number - 31) % 3]} '{14 + (number - 29) // 3}" for number in range(31, 68)}
_DATA_PATH = re.compile(r"^/services/data/v(?P<version>\d+\.\d)(?:/(?P<rest>.*))?$")
_SLASHES = re.compile(r"/{2,}")
_BATCH_SIZE = re.compile(r"batchSize\s*=\s*(\d+)", re.IGNORECASE)

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

    def at(self, *parts: str, **changes: object) -> Self:
        """The same request at another path."""
        return replace(self, parts=parts, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Reply:
    """One REST reply. ``body`` None means no body at all; bytes are sent as they are (html, unless a header says else)."""

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


def only(call: Call, *methods: str) -> Reply | None:
    """The refusal of a method a resource does not have, or None; HEAD comes with GET."""
    if call.method in methods:
        return None
    allowed = ",".join(("HEAD", *methods) if "GET" in methods else methods)
    refusal = error(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{call.method}' not allowed. Allowed are {allowed}")
    return replace(refusal, headers={"Allow": allowed})


def split_path(raw_path: str) -> tuple[str, tuple[str, ...]] | None:
    """Version and unquoted segments of a raw (still percent-encoded) path; None when it is no data path.

    Doubled and trailing slashes are tolerated, as clients produce both.
    """
    found = _DATA_PATH.match(_SLASHES.sub("/", raw_path) if "//" in raw_path else raw_path)
    if found is None:
        return None
    rest = found["rest"] or ""
    return found["version"], tuple(unquote(part) for part in rest.split("/") if part)


def split_query(raw_query: str) -> dict[str, str]:
    """Query parameters, the last one winning."""
    return dict(parse_qsl(raw_query, keep_blank_values=True)) if raw_query else {}


def parse_json(raw: bytes) -> object:
    """The request body as JSON; None when empty. Raises OrgError JSON_PARSER_ERROR."""
    if not raw.strip():
        return None
    try:
        return json.loads(raw)
    except ValueError as problem:
        place = f" at [line:{problem.lineno}, column:{problem.colno}]" if isinstance(problem, json.JSONDecodeError) else ""
        raise OrgError(400, "JSON_PARSER_ERROR", f"Unexpected character or end of input{place}") from problem


def write_json(body: object, *, pretty: bool) -> bytes:
    """A reply's body as JSON; ``pretty`` as X-PrettyPrint: 1 gives it, with a space on both sides of a colon."""
    if pretty:
        return json.dumps(body, indent=2, ensure_ascii=False, separators=(",", " : ")).encode()
    return msgspec.json.encode(body)


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
    text = headers.get("sforce-call-options", "")
    pairs = (part.partition("=") for part in text.split(",")) if text else ()
    return {key.strip(): value.strip() for key, _, value in pairs if key.strip()}


def auto_assign(headers: Mapping[str, str]) -> bool:
    """Whether assignment rules run: TRUE when the header is absent (C.9)."""
    return headers.get("sforce-auto-assign", "TRUE").strip().upper() != "FALSE"


def updates_mru(call: Call) -> bool:
    """Whether a request puts its record among the recent ones: yes, unless ``Sforce-Mru: updateMru=false`` (60.0 and later)."""
    text = call.headers.get("sforce-mru")
    return text is None or float(call.version) < 60 or text.replace(" ", "").lower() != "updatemru=false"


def batch_size(headers: Mapping[str, str], largest: int = 2000) -> int:
    """``Sforce-Query-Options: batchSize=N`` held between 200 and 2,000; the default is 2,000."""
    found = _BATCH_SIZE.search(headers.get("sforce-query-options", ""))
    wanted = min(max(int(found[1]), 200), 2000) if found else 2000
    return min(wanted, largest)


def bearer(headers: Mapping[str, str]) -> str | None:
    """The access token of ``Authorization: Bearer x`` or ``OAuth x``; None when there is none."""
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    return token.strip() or None if scheme.lower() in {"bearer", "oauth"} else None


def takes_json(accept: str) -> bool:
    """Whether a client that sends this Accept header takes JSON; XML, the platform's other format, is not written here."""
    wanted = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return not accept or bool(wanted & {"", "*/*", "application/*", "application/json"})
