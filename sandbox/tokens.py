"""Who may come in: the connected app's key pair and secret, access tokens, refresh tokens.

Pure state; the OAuth endpoints in ``http/oauth.py`` speak for it. Its invariant: a token works until it expires or is
revoked, and every token belongs to one user. Source: C.1 and E.6 of the platform notes; lifetimes run in real time.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.types import Options

LOGIN_HOSTS = frozenset({"login.salesforce.com", "test.salesforce.com"})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
LONGEST_ASSERTION = 24 * 3600.0


_SIGNATURE_ONLY: Options = {"verify_signature": True, "verify_exp": False, "verify_aud": False, "verify_iat": False, "verify_nbf": False}


class GrantError(Exception):
    """The token endpoint refuses; ``code`` and the message become ``error`` and ``error_description``."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        self.code = code
        self.status = status
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class App:
    """The External Client App of this org. The private key leaves only through ``key_pem``."""

    client_id: str
    client_secret: str
    key_pem: str
    public_pem: str


@dataclass(frozen=True, slots=True)
class Token:
    """One access token: whose it is, how long it lives and until when (monotonic seconds; None = until told)."""

    value: str
    user_id: str
    lifetime: float | None
    ends: float | None


def make_app() -> App:
    """A new app with a fresh RSA key pair."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return App(f"3MVG9{secrets.token_urlsafe(36)}", secrets.token_hex(32).upper(), private.decode(), public.decode())


class Tokens:
    """Access and refresh tokens of one org. ``monotonic`` gives real seconds for lifetimes.

    ``on_revoke`` is called with the access tokens that were revoked (not with those that merely expired).
    """

    def __init__(self, org_id: str, monotonic: Callable[[], float]) -> None:
        self._org_id = org_id
        self._monotonic = monotonic
        self._access: dict[str, Token] = {}
        self._refresh: dict[str, str] = {}
        self.on_revoke: list[Callable[[frozenset[str]], None]] = []

    def issue(self, user_id: str, lifetime: float | None) -> Token:
        """A new access token for a user, good for ``lifetime`` seconds."""
        ends = None if lifetime is None else self._monotonic() + lifetime
        token = Token(f"{self._org_id[:15]}!{secrets.token_urlsafe(60)}", user_id, lifetime, ends)
        self._access[token.value] = token
        return token

    def issue_refresh(self, user_id: str) -> str:
        """A new refresh token for a user."""
        value = f"5Aep{secrets.token_urlsafe(48)}"
        self._refresh[value] = user_id
        return value

    def owner(self, value: str | None) -> str | None:
        """The id of the user an access token belongs to; None when it is unknown, expired or revoked."""
        token = self._access.get(value or "")
        if token is None or (token.ends is not None and self._monotonic() >= token.ends):
            return None
        return token.user_id

    def seconds_left(self, value: str) -> float | None:
        """How long a token that works will work on; None = until told."""
        ends = self._access[value].ends
        return None if ends is None else ends - self._monotonic()

    def prolong(self, value: str | None) -> None:
        """Begin the lifetime of a token that still works anew: a session never expires under a streaming client (D.3)."""
        token = self._access.get(value or "")
        if token is not None and token.lifetime is not None and self.owner(value) is not None:
            self._access[token.value] = replace(token, ends=self._monotonic() + token.lifetime)

    def refresh_owner(self, value: str) -> str | None:
        """The id of the user a refresh token belongs to, or None."""
        return self._refresh.get(value)

    def expire(self, user_id: str | None = None, value: str | None = None) -> frozenset[str]:
        """End the access tokens of a user, one token, or all; refreshing works. Returns those ended."""
        gone = [key for key, token in self._access.items() if (value is None or key == value) and user_id in {None, token.user_id}]
        for key in gone:
            del self._access[key]
        return frozenset(gone)

    def revoke(self, user_id: str | None = None, value: str | None = None) -> frozenset[str]:
        """End access tokens as ``expire`` does, the refresh tokens of that user or of that value too, and tell who listens."""
        gone = self.expire(user_id, value)
        named = (
            None if user_id is None and value is None else {key for key, owner in self._refresh.items() if key == value or owner == user_id}
        )
        self._refresh = {key: owner for key, owner in self._refresh.items() if named is not None and key not in named}
        for listener in tuple(self.on_revoke):
            listener(gone)
        return gone


def claims(assertion: str, app: App, clocks: Collection[float], own_hosts: frozenset[str]) -> str:
    """Check a JWT bearer assertion; returns its subject. Raises GrantError in the platform's words.

    ``exp`` may be a number or a string, in seconds or milliseconds; ``aud`` may end in a slash (E.6). It has to be good by one of
    the ``clocks`` (epoch seconds): a client may live by the machine's time or by the org's.
    """
    try:
        found: Mapping[str, object] = jwt.decode(assertion, app.public_pem, algorithms=["RS256"], options=_SIGNATURE_ONLY)
    except jwt.PyJWTError as problem:
        raise GrantError("invalid_grant", "invalid assertion") from problem
    if found.get("iss") != app.client_id:
        raise GrantError("invalid_client_id", "client identifier invalid")
    audiences = found.get("aud")
    if not any(_known_audience(str(one), own_hosts) for one in (audiences if isinstance(audiences, list) else [audiences])):
        raise GrantError("invalid_grant", "audience is invalid")
    ends = _seconds(found.get("exp"))
    if ends is None or not any(now < ends <= now + LONGEST_ASSERTION for now in clocks):
        raise GrantError("invalid_grant", "expired authorization code")
    return str(found.get("sub", ""))


def signature(app: App, identity_url: str, issued_at: str) -> str:
    """The base64 HMAC over identity URL and time of issue that token replies carry."""
    digest = hmac.new(app.client_secret.encode(), f"{identity_url}{issued_at}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _known_audience(audience: str, own_hosts: frozenset[str]) -> bool:
    host = urlsplit(audience.rstrip("/")).hostname or ""
    return host in LOGIN_HOSTS or host in LOOPBACK or host in own_hosts or host.endswith(".my.salesforce.com")


def _seconds(value: object) -> float | None:
    try:
        number = float(value) if isinstance(value, int | float | str) else None
    except ValueError:
        return None
    if number is None:
        return None
    return number / 1000 if number > 1e11 else number
