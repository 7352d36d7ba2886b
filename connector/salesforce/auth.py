"""The access token: got once, shared by every thread, renewed when the org stops taking it.

Must not call the org's data. Invariant: however many threads find a token dead at once, one login is made; a login
that failed leaves nothing behind that would stop the next one.

Ways in: JWT bearer and client credentials (salesforce.md C.1), or an access token an admin made, which cannot be
renewed. Never SOAP login or the username-password grant, which Salesforce retires (C.2).
"""

import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import requests
from pydantic import BaseModel, ValidationError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential, wait_random

from connector import log
from connector.errors import ConfigError, DunwellError, TransientError
from connector.salesforce.addresses import audience, checked, is_this_machine
from connector.salesforce.failures import refusal_from
from connector.salesforce.login_refusals import login_failure
from connector.salesforce.signing import assertion, read_key
from connector.salesforce.wire import id_18, same_id

_ATTEMPTS = 3
_QUIET_SECONDS = {TransientError: 1.0, ConfigError: 60.0}
"""How long a failed login answers for everybody: threads waiting behind it do not each knock again."""
_LOGINS, _PER_SECONDS = 10, 300.0
"""More logins than this in five minutes: the org takes logins and refuses the tokens they give."""
_LOG = log.get("salesforce")
_IDENTITY = re.compile(r"/id/(00D\w{12,15})/(005\w{12,15})$")

Method = Literal["jwt", "client_credentials", "token"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """How the daemon proves itself. Secrets are left out of ``repr``."""

    login_url: str
    method: Method
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    username: str = ""
    key_file: Path | str | None = field(default=None, repr=False)
    access_token: str = field(default="", repr=False)
    instance_url: str = ""
    """Only for method ``token``; the others are told by the login server."""


@dataclass(frozen=True, slots=True)
class Token:
    """A working access token. ``instance_url`` has no trailing slash; ids have 18 characters, empty where unknown."""

    access_token: str = field(repr=False)
    instance_url: str
    org_id: str
    user_id: str
    issued_at: datetime


class _TokenReply(BaseModel):
    """The token endpoint's success body: strings all (salesforce.md C.1)."""

    access_token: str
    instance_url: str
    id: str = ""
    issued_at: str = ""


class TokenSource:
    """Safe for use by several threads. ``now`` dates the assertion; ``monotonic`` and ``sleep`` pace retries."""

    def __init__(  # noqa: PLR0913 - the last three are for tests and a moved clock, by name only
        self,
        credentials: Credentials,
        http: requests.Session | None = None,
        timeout: float = 30.0,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._credentials = credentials
        self._http = http or requests.Session()
        self._timeout = timeout
        self._now, self._monotonic, self._sleep = now, monotonic, sleep
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._failure: tuple[float, DunwellError] | None = None
        self._logins: deque[float] = deque(maxlen=_LOGINS)
        self._pinned_org = ""
        self._check()

    def current(self) -> Token:
        """The token in use; the first call logs in. Raises ConfigError, TransientError."""
        with self._lock:
            return self._token or self._login()

    def renew(self, stale: str) -> Token:
        """A token other than ``stale``: the one another thread has just got, or a new one. Raises ConfigError, TransientError."""
        with self._lock:
            if self._token is not None and self._token.access_token != stale:
                return self._token
            if self._credentials.method == "token":
                raise ConfigError(
                    "the org no longer accepts the access token: set a new one, or use jwt or client_credentials, which renew themselves"
                )
            return self._login()

    def pin(self, org_id: str) -> None:
        """From now on a token of any other org is refused, also after a renewal: a refreshed sandbox is another org."""
        with self._lock:
            if self._token is not None:
                _refuse_other_org(self._token, org_id)
            self._pinned_org = org_id

    def _check(self) -> None:
        given = self._credentials
        by_method: dict[str, dict[str, object]] = {
            "jwt": {"client_id": given.client_id, "username": given.username, "key_file": given.key_file},
            "client_credentials": {"client_id": given.client_id, "client_secret": given.client_secret},
            "token": {"access_token": given.access_token, "instance_url": given.instance_url},
        }
        problems = [f"login method {given.method} needs {name}" for name, value in by_method[given.method].items() if not value]
        address = ("instance_url", given.instance_url) if given.method == "token" else ("login_url", given.login_url)
        try:
            self._address = checked(address[1], address[0])
        except ConfigError as error:
            problems.extend(error.problems)
        if problems:
            raise ConfigError(problems)
        if is_this_machine(self._address):
            self._http.trust_env = False

    def _login(self) -> Token:
        self._recall_failure()
        try:
            token = self._attempts()
            _refuse_other_org(token, self._pinned_org)
        except (TransientError, ConfigError) as error:
            self._failure = (self._monotonic(), error)
            if isinstance(error, ConfigError):
                _LOG.error("token.refused", detail=str(error))
            raise
        self._failure = None
        self._token = token
        self._logins.append(self._monotonic())
        _LOG.info("token.renewed", method=self._credentials.method, org=token.org_id)
        return token

    def _recall_failure(self) -> None:
        since = self._monotonic()
        if len(self._logins) == _LOGINS and since - self._logins[0] < _PER_SECONDS:
            raise TransientError("the org refuses tokens as soon as it has issued them", _PER_SECONDS - (since - self._logins[0]))
        if self._failure is None:
            return
        failed_at, error = self._failure
        if isinstance(error, ConfigError) and since - failed_at < _QUIET_SECONDS[ConfigError]:
            raise ConfigError(error.problems)
        if isinstance(error, TransientError) and since - failed_at < max(_QUIET_SECONDS[TransientError], error.retry_after or 0.0):
            raise TransientError(str(error), error.retry_after)

    def _attempts(self) -> Token:
        if self._credentials.method == "token":
            token = self._credentials.access_token
            return Token(token, self._address, _org_of(token), "", self._now())
        retrying = Retrying(
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_exponential(multiplier=0.2, max=2.0) + wait_random(0.0, 0.2),
            retry=retry_if_exception_type(TransientError),
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(self._ask)

    def _ask(self) -> Token:
        try:
            reply = self._http.post(
                f"{self._address}/services/oauth2/token",
                data=self._form(),
                timeout=(min(10.0, self._timeout), self._timeout),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise TransientError(f"the login server cannot be reached ({type(error).__name__})") from error
        if reply.status_code != 200:
            raise login_failure(refusal_from(reply.status_code, reply.text, reply.headers.get("Retry-After")))
        try:
            found = _TokenReply.model_validate_json(reply.content)
        except ValidationError:
            # The cause is left out on purpose: it quotes the reply, which may hold a token.
            raise TransientError("the login server gave no readable answer (status 200)") from None
        identity = _IDENTITY.search(found.id)
        return Token(
            access_token=found.access_token,
            instance_url=checked(found.instance_url, "the instance URL the login server gave"),
            org_id=id_18(identity[1]) if identity else _org_of(found.access_token),
            user_id=id_18(identity[2]) if identity else "",
            issued_at=datetime.fromtimestamp(int(found.issued_at) / 1000, UTC) if found.issued_at.isdigit() else self._now(),
        )

    def _form(self) -> dict[str, str]:
        given = self._credentials
        if given.method == "client_credentials":
            return {"grant_type": "client_credentials", "client_id": given.client_id, "client_secret": given.client_secret}
        signed = assertion(
            client_id=given.client_id,
            username=given.username,
            audience=audience(self._address),
            key=read_key(given.key_file or ""),
            now=self._now(),
        )
        return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": signed}


def _org_of(access_token: str) -> str:
    """Access tokens read ``00D<12 more>!<opaque>`` (salesforce.md C.1)."""
    org, bang, _ = access_token.partition("!")
    return id_18(org) if bang and org.startswith("00D") else ""


def _refuse_other_org(token: Token, pinned: str) -> None:
    if pinned and not same_id(token.org_id, pinned):
        raise ConfigError(
            f"this is the org {token.org_id or 'of unknown id'}, not {pinned} for which Dunwell is set up: "
            "check the login URL, or set the new organization id if the org was copied or refreshed on purpose"
        )
