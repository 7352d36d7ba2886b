"""One call to the org, made good: allowance, token, time-outs, repetition, and an answer that can be trusted.

Must not know queries or records. Invariant: a write is sent a second time only if the org certainly did not carry out
the first; a lost answer to a write is an ``AmbiguousWrite``.

Safe for several threads: each talks through a session of its own; token, allowance and counter are shared.
"""

import ssl
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import requests
from simple_salesforce.api import Salesforce
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, stop_after_delay, wait_exponential, wait_random
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from connector import log
from connector.errors import ConfigError, TransientError
from connector.salesforce.auth import Token, TokenSource
from connector.salesforce.failures import AmbiguousWrite, RefusedError, is_total_limit, judge
from connector.salesforce.limits import ApiBudget
from connector.salesforce.transport import CONNECT_SECONDS, Manner, connect
from connector.salesforce.wire import encode

_ATTEMPTS = 4
_LONGEST_PAUSE = 10.0
"""Seconds. A longer Retry-After is the store's business, not a sleeping thread's."""
_TOKEN_PAUSE = 60.0
_LOG = log.get("salesforce")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Call:
    """One request below ``/services/data/vXX.0/``, or below ``/services/oauth2/`` when ``identity``."""

    path: str
    method: str = "GET"
    params: Mapping[str, str] | None = None
    body: object = None
    writes: bool = False
    identity: bool = False
    metered: bool = True
    """False for the calls that ask how much allowance is left."""
    raw: bool = False
    """CSV instead of JSON: ``body`` is bytes sent as they are, and the reply is handed over unread."""


class MalformedReplyError(ValueError):
    """A 2xx reply that does not have the shape it must have: cut short, or not from Salesforce at all."""


class _AgainError(Exception):
    def __init__(self, outcome: TransientError) -> None:
        self.outcome = outcome
        super().__init__(str(outcome))


class _Thread(threading.local):
    """What one thread talks through."""

    token: Token | None = None
    salesforce: Salesforce | None = None


class Calls:
    """Makes calls. ``made`` counts requests sent, repeated ones included, as Salesforce does."""

    def __init__(
        self, token_source: TokenSource, manner: Manner, budget: ApiBudget, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.tokens = token_source
        self.manner = manner
        self.budget = budget
        self._sleep = sleep
        self._thread = _Thread()
        self._sessions: weakref.WeakSet[requests.Session] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._made = 0
        self._repeated = 0

    @property
    def made(self) -> int:
        """Requests sent to the org so far, logins not counted."""
        with self._lock:
            return self._made

    @property
    def repeated(self) -> int:
        """How many calls had to be made again so far."""
        with self._lock:
            return self._repeated

    @property
    def longest_seconds(self) -> float:
        """What one call may take with its repetitions, a login aside: no attempt begins after ``timeout`` and a last pause."""
        return 2 * self.manner.timeout + CONNECT_SECONDS + _LONGEST_PAUSE

    def close(self) -> None:
        """Let go of every connection."""
        for session in list(self._sessions):
            session.close()

    def send(self, call: Call, read: Callable[[object], _T]) -> _T:
        """What ``read`` makes of the reply's JSON (None for an empty body).

        ``read`` raises MalformedReplyError for a shape it cannot trust, or RefusedError for a refusal found inside the reply; both are
        judged as if the org had answered so. Raises ConfigError, TransientError, AmbiguousWrite, ConflictError, PermanentError.
        """
        retrying = Retrying(
            stop=stop_after_attempt(_ATTEMPTS) | stop_after_delay(self.manner.timeout),
            wait=_pause,
            retry=retry_if_exception_type(_AgainError),
            sleep=self._sleep,
            before_sleep=self._count_repeat,
            reraise=True,
        )
        try:
            return retrying(lambda: self._attempt(call, read))
        except _AgainError as again:
            raise again.outcome from again.__cause__

    def fetch(self, call: Call, read: Callable[[requests.Response], _T]) -> _T:
        """What ``read`` makes of the unread reply to a ``raw`` call; it may be called again with another reply. Raises as ``send`` does."""

        def whole(reply: object) -> _T:
            if not isinstance(reply, requests.Response):
                raise TypeError("only a raw call has a reply to be read")
            with reply:
                return read(reply)

        return self.send(call, whole)

    def _attempt(self, call: Call, read: Callable[[object], _T]) -> _T:
        if call.metered:
            self.budget.allow()
        token = self.tokens.current()
        try:
            return self._exchange(token, call, read)
        except RefusedError as refusal:
            if refusal.status != 401:
                raise self._verdict(call, refusal) from refusal
        fresh = self.tokens.renew(token.access_token)
        try:
            return self._exchange(fresh, call, read)
        except RefusedError as refusal:
            if refusal.status == 401:
                raise TransientError("the org does not accept the access token it has just issued", _TOKEN_PAUSE) from refusal
            raise self._verdict(call, refusal) from refusal

    def _exchange(self, token: Token, call: Call, read: Callable[[object], _T]) -> _T:
        try:
            salesforce = self._salesforce(token)
            if call.identity:
                return read(salesforce.oauth2(call.path))
            if call.raw:
                return read(_csv(salesforce, call))
            data = None if call.body is None else encode(call.body).encode()
            return read(salesforce.restful(call.path, params=dict(call.params or {}), method=call.method, data=data))
        except (MalformedReplyError, requests.exceptions.JSONDecodeError) as error:
            raise _lost(call, "the org's answer could not be read") from error
        except requests.exceptions.InvalidURL as error:
            raise ConfigError("the org's address is not usable: check the login URL") from error
        except requests.RequestException as error:
            if isinstance(_reason(error), ssl.SSLCertVerificationError):
                raise ConfigError(
                    "the org's certificate is not trusted: check the login URL, and the proxy's certificate if there is one"
                ) from error
            if _never_sent(error):
                raise _AgainError(TransientError("the org cannot be reached")) from error
            raise _lost(call, f"the connection to the org broke ({type(error).__name__})") from error

    def _salesforce(self, token: Token) -> Salesforce:
        """The client of the calling thread; a new one after a renewal, because the instance may have moved."""
        mine = self._thread
        if mine.salesforce is None or mine.token != token:
            if mine.salesforce is not None:
                mine.salesforce.session.close()
            mine.salesforce = connect(
                token,
                self.manner,
                on_sent=self._count,
                on_reply=lambda headers: self.budget.note(headers.get("Sforce-Limit-Info")),
            )
            mine.token = token
            self._sessions.add(mine.salesforce.session)
        return mine.salesforce

    def _verdict(self, call: Call, refusal: RefusedError) -> Exception:
        if is_total_limit(refusal):
            self.budget.exhausted()
        verdict = judge(refusal, writes=call.writes)
        if verdict.again and isinstance(verdict.error, TransientError) and (verdict.error.retry_after or 0.0) <= _LONGEST_PAUSE:
            return _AgainError(verdict.error)
        if isinstance(verdict.error, AmbiguousWrite):
            _LOG.warning("write.ambiguous", kind=_kind(call), http_status=refusal.status)
        return verdict.error

    def _count_repeat(self, _: RetryCallState) -> None:
        with self._lock:
            self._repeated += 1

    def _count(self) -> None:
        with self._lock:
            self._made += 1


def _csv(salesforce: Salesforce, call: Call) -> requests.Response:
    """simple-salesforce reads every reply as JSON, so CSV goes through its session (and so our adapter) directly."""
    headers = {} if call.body is None else {"Content-Type": "text/csv"}
    url, params = f"{salesforce.base_url}{call.path}", dict(call.params or {})
    data = call.body if isinstance(call.body, bytes) else None
    reply: requests.Response = salesforce.session.request(call.method, url, params=params, data=data, headers=headers, stream=True)
    return reply


def _lost(call: Call, message: str) -> Exception:
    if not call.writes:
        return _AgainError(TransientError(message))
    _LOG.warning("write.ambiguous", kind=_kind(call))
    return AmbiguousWrite(f"{message} after a write was sent: read back before writing again")


_backoff = wait_exponential(multiplier=0.3, max=5.0) + wait_random(0.0, 0.5)


def _pause(state: RetryCallState) -> float:
    """Grows with jitter; never less than the org asked for."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.outcome.retry_after if isinstance(error, _AgainError) else None
    return max(_backoff(state), asked or 0.0)


def _reason(error: requests.RequestException) -> object:
    """What lies at the bottom of requests' and urllib3's wrappings."""
    found: object = error
    for _ in range(4):
        inner = getattr(found, "reason", None) or (found.args[0] if isinstance(found, Exception) and found.args else None)
        if not isinstance(inner, Exception):
            break
        found = inner
    return found


def _never_sent(error: requests.RequestException) -> bool:
    """Whether it failed before a byte of the request left: no connection, no name, no proxy."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    inner: object = error.args[0] if error.args else None
    return isinstance(getattr(inner, "reason", inner), NewConnectionError | ConnectTimeoutError)


def _kind(call: Call) -> str:
    """The path's first words: no ids, no cursors, no query."""
    return "/".join(call.path.split("/")[:2]) if call.path.startswith("composite") else call.path.split("/")[0]
