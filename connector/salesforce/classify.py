"""What a failure of the event stream means: from an answer of the org, or an exception, to one of a few causes.

Must not act on it. Invariant: total; whatever comes in, one ``StreamError`` comes out, and its text holds no
token, URL or payload.

Texts and codes: salesforce.md A.4 (library behaviour) and D.3 (error catalogue, "code:args:text").
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from json import JSONDecodeError

import aiohttp
from aiocometd_ng.exceptions import AiocometdException, ServerError

from connector.errors import ConfigError, DunwellError, TransientError


class Cause(StrEnum):
    """Why events do not flow."""

    UNREACHABLE = "unreachable"
    """No answer: dropped connection, time-out, name not found."""
    SERVER_BUSY = "server_busy"
    """The org says that it cannot serve now."""
    SILENT = "silent"
    """The long poll gave no sign of life for too long."""
    SESSION_LOST = "session_lost"
    """The org has forgotten this CometD client."""
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a word, not a secret
    """The org does not take this access token any more."""
    LOGIN_REFUSED = "login_refused"
    """No token can be had with these credentials."""
    REPLAY_REFUSED = "replay_refused"
    """The stored cursor is outside what the org keeps."""
    LIMIT_REACHED = "limit_reached"
    """Event deliveries of the day, concurrent clients or API calls are used up."""
    NOT_ALLOWED = "not_allowed"
    """A channel does not exist, or this user may not read it."""
    CLOSED_BY_ORG = "closed_by_org"
    """The org ended the connection and advised not to come back on it."""
    UNREADABLE = "unreadable"
    """Something answered that does not speak CometD."""
    NOT_STORED = "not_stored"
    """The sink could not keep what came."""
    INTERNAL = "internal"
    """A fault in Dunwell or in a library."""


NEEDS_A_PERSON = frozenset({Cause.LOGIN_REFUSED, Cause.LIMIT_REACHED, Cause.NOT_ALLOWED})
"""Causes that waiting a moment does not change."""

_OF_ONE_CHANNEL = frozenset({Cause.REPLAY_REFUSED, Cause.NOT_ALLOWED})
_HTTP_STATUS = re.compile(r"^(\d{3}),")
_BAYEUX_CODE = re.compile(r"^(\d{3})\b")
_PHRASES: tuple[tuple[str, Cause], ...] = (
    ("replayid", Cause.REPLAY_REFUSED),
    ("unknown client", Cause.SESSION_LOST),
    ("not completed handshake", Cause.SESSION_LOST),
    ("cookie present", Cause.SESSION_LOST),
    ("limit exceeded for this topic", Cause.NOT_ALLOWED),
    ("limit exceeded", Cause.LIMIT_REACHED),
    ("authentication", Cause.TOKEN_EXPIRED),
    ("handshake denied", Cause.TOKEN_EXPIRED),
    ("create_denied", Cause.TOKEN_EXPIRED),
    ("too busy", Cause.SERVER_BUSY),
)
_REST_CODES = {
    "INVALID_SESSION_ID": Cause.TOKEN_EXPIRED,
    "INVALID_AUTH_HEADER": Cause.TOKEN_EXPIRED,
    "REQUEST_LIMIT_EXCEEDED": Cause.LIMIT_REACHED,
    "SERVER_UNAVAILABLE": Cause.SERVER_BUSY,
    "API_DISABLED_FOR_ORG": Cause.NOT_ALLOWED,
    "API_CURRENTLY_DISABLED": Cause.NOT_ALLOWED,
}


class StreamError(TransientError):
    """The stream cannot go on as it is. ``channel`` is set when only one subscription is concerned."""

    def __init__(self, cause: Cause, detail: str = "", *, channel: str | None = None, retry_after: float | None = None) -> None:
        self.cause = cause
        self.detail = detail
        self.channel = channel
        super().__init__(f"{cause.value}: {detail}" if detail else cause.value, retry_after)


def cause_of_text(error: str) -> Cause:
    """Return the cause in a Bayeux ``error`` field or ``failureReason``, e.g. ``403::Unknown client``."""
    lowered = error.lower()
    for phrase, cause in _PHRASES:
        if phrase in lowered:
            return cause
    code = _BAYEUX_CODE.match(error.strip())
    return _cause_of_code(int(code[1])) if code else Cause.SESSION_LOST


def fault_of_message(message: Mapping[str, object]) -> StreamError:
    """Return the fault in a ``/meta/*`` answer that was not successful.

    The failure reason in ``ext.sfdc`` says more than the error beside it. Without either, the advice counts:
    ``reconnect: none`` means closed by the org, all else a lost session.
    """
    error = _reason(message) or message.get("error")
    channel = message.get("subscription") if message.get("channel") == "/meta/subscribe" else None
    if not isinstance(error, str) or not error:
        advice = message.get("advice")
        closed = isinstance(advice, Mapping) and advice.get("reconnect") == "none"
        return StreamError(Cause.CLOSED_BY_ORG if closed else Cause.SESSION_LOST)
    cause = cause_of_text(error)
    return StreamError(cause, error[:200], channel=channel if isinstance(channel, str) and cause in _OF_ONE_CHANNEL else None)


def fault_of_body(body: object) -> StreamError | None:
    """Return None when ``body`` is a list of Bayeux messages, else what kind of other answer it is.

    A REST error array (``[{"message", "errorCode"}]``) comes with HTTP 401 when the token is dead, a bare ``error`` without
    a channel when the request did not get as far as CometD.
    """
    if not isinstance(body, list):
        return StreamError(Cause.UNREADABLE, "the answer is no list of messages")
    for item in body:
        if not isinstance(item, Mapping):
            return StreamError(Cause.UNREADABLE, "the answer holds something that is no message")
        if not isinstance(item.get("channel"), str):
            return _fault_of_refusal(item)
    return None


def fault_of_error(error: BaseException) -> StreamError:
    """Return the fault behind an exception of the library, the token source or the network."""
    match error:
        case StreamError():
            return error
        case ConfigError():
            return StreamError(Cause.LOGIN_REFUSED, str(error))
        case TransientError():
            return StreamError(Cause.UNREACHABLE, str(error), retry_after=error.retry_after)
        case DunwellError():
            return StreamError(Cause.INTERNAL, str(error))
        case ServerError() if isinstance(error.response, Mapping):
            return fault_of_message(error.response)
        case AiocometdException() | aiohttp.ClientError():
            status = _HTTP_STATUS.match(str(error))
            return StreamError(_cause_of_code(int(status[1])), f"HTTP {status[1]}") if status else StreamError(Cause.UNREACHABLE)
        case JSONDecodeError():
            return StreamError(Cause.UNREADABLE, "the answer is no JSON")
        case OSError():
            return StreamError(Cause.UNREACHABLE, type(error).__name__)
        case _:
            return StreamError(Cause.INTERNAL, type(error).__name__)


def _fault_of_refusal(item: Mapping[str, object]) -> StreamError:
    code, error = item.get("errorCode"), item.get("error")
    if isinstance(code, str):
        return StreamError(_REST_CODES.get(code, Cause.UNREADABLE), code[:80])
    if isinstance(error, str):
        return StreamError(cause_of_text(error), error[:200])
    return StreamError(Cause.UNREADABLE, "a message has no channel")


def _cause_of_code(code: int) -> Cause:
    """Return what a status says when no text does; 402 is the CometD project's own "unknown client"."""
    if code == 401:
        return Cause.TOKEN_EXPIRED
    if code == 402:
        return Cause.SESSION_LOST
    if code in (200, 408, 420, 429):
        return Cause.UNREACHABLE
    return Cause.SERVER_BUSY if code >= 500 else Cause.NOT_ALLOWED


def _reason(message: Mapping[str, object]) -> str | None:
    ext = message.get("ext")
    sfdc = ext.get("sfdc") if isinstance(ext, Mapping) else None
    reason = sfdc.get("failureReason") if isinstance(sfdc, Mapping) else None
    return reason if isinstance(reason, str) else None
