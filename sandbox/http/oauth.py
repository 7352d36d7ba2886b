"""The token endpoint as values: which grants there are, who gets a token, how it is taken back.

Form fields in, status and JSON out; no socket. Its invariant: a refused grant is ``{"error", "error_description"}``
with status 400, never an error array. Source: C.1 of the platform notes. Grants that need a browser are refused: there is
nobody to log in; the username-password grant is refused unless ``user_password`` is set, as in new orgs.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping

from sandbox.http.identity import SCOPE, Identity
from sandbox.http.platform import Platform
from sandbox.http.wire import Reply
from sandbox.org.types import User
from sandbox.tokens import LOGIN_HOSTS, App, GrantError, Tokens, claims, signature

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_FAULTY_WORDS = "expired access/refresh token"


class OAuth:
    """The token endpoint for one app; ``run_as`` is the app's integration user."""

    def __init__(self, platform: Platform, tokens: Tokens, app: App, run_as: str, now: Callable[[], float]) -> None:
        self._platform = platform
        self._tokens = tokens
        self._app = app
        self._run_as = run_as
        self._now = now
        self.identity = Identity(platform, tokens, app)

    def grant(self, form: Mapping[str, str], authorization: str, host: str) -> Reply:
        """Answer ``POST /services/oauth2/token``. ``host`` is the host name the request was sent to."""
        kind = form.get("grant_type", "")
        try:
            self._broken()
            user = self._entitled(kind, form, authorization, host)
        except GrantError as problem:
            return Reply(problem.status, {"error": problem.code, "error_description": str(problem)}, {"Cache-Control": "no-store"})
        return Reply(200, self._granted(user, dated=kind != JWT_BEARER), {"Cache-Control": "no-store"})

    def revoke(self, token: str) -> Reply:
        """Answer ``/services/oauth2/revoke``."""
        known = self._tokens.owner(token) is not None or self._tokens.refresh_owner(token) is not None
        if not token or not known:
            return Reply(400, {"error": "unsupported_token_type", "error_description": "this token type is not supported"})
        self._tokens.revoke(value=token)
        return Reply(200)

    def authorize(self) -> Reply:
        """Answer ``/services/oauth2/authorize``: there is no login page to send a browser to."""
        return Reply(400, {"error": "unsupported_response_type", "error_description": "response type not supported"})

    def issue(self, username: str) -> dict[str, str]:
        """An access and a refresh token for any user, without a grant (admin port only). Raises GrantError."""
        user = self._user(username)
        return {**self._granted(user), "refresh_token": self._tokens.issue_refresh(user.id), "user_id": user.id, "username": user.username}

    def _broken(self) -> None:
        """Refuse when a fault says so."""
        fault = self._platform.faults.take("token_refused", method="POST", path="/services/oauth2/token")
        if fault is not None:
            given = fault.model_fields_set
            error = fault.error if "error" in given else "invalid_grant"
            raise GrantError(error, fault.reason or _FAULTY_WORDS, fault.status if "status" in given else 400)

    def _entitled(self, kind: str, form: Mapping[str, str], authorization: str, host: str) -> User:
        if kind == JWT_BEARER:
            return self._by_assertion(form.get("assertion", ""), host)
        match kind:
            case "client_credentials":
                return self._as_app(form, authorization, host)
            case "refresh_token":
                self._check_client(form, authorization)
                return self._refreshed(form.get("refresh_token", ""))
            case "password":
                return self._by_password(form, authorization)
            case "authorization_code":
                raise GrantError("invalid_grant", "invalid authorization code")
        raise GrantError("unsupported_grant_type", "grant type not supported")

    def _by_assertion(self, assertion: str, host: str) -> User:
        clocks = (self._now(), self._platform.org.clock.now().timestamp())
        subject = claims(assertion, self._app, clocks, frozenset({host}))
        user = self._platform.org.user_by_name(subject)
        approved = self._platform.options.preauthorized
        if user is None or (approved is not None and user.username not in approved):
            raise GrantError("invalid_grant", "user hasn't approved this consumer")
        return user

    def _as_app(self, form: Mapping[str, str], authorization: str, host: str) -> User:
        if host in LOGIN_HOSTS:
            raise GrantError("invalid_grant", "request not supported on this domain")
        self._check_client(form, authorization)
        if not self._platform.options.client_credentials_user:
            raise GrantError("invalid_grant", "no client credentials user enabled")
        return self._user(self._run_as)

    def _by_password(self, form: Mapping[str, str], authorization: str) -> User:
        known = self._platform.options.user_password
        if known is None:
            raise GrantError("invalid_grant", "authentication failure")
        self._check_client(form, authorization)
        if not hmac.compare_digest(form.get("password", "").encode(), known.encode()):
            raise GrantError("invalid_grant", "authentication failure")
        return self._user(form.get("username", ""))

    def _check_client(self, form: Mapping[str, str], authorization: str) -> None:
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, encoded = authorization.partition(" ")
        if scheme.lower() == "basic":
            try:
                client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError) as problem:
                raise GrantError("invalid_client", "invalid client credentials") from problem
        if client_id != self._app.client_id:
            raise GrantError("invalid_client_id", "client identifier invalid")
        if not hmac.compare_digest(secret.encode(), self._app.client_secret.encode()):
            raise GrantError("invalid_client", "invalid client credentials")

    def _refreshed(self, refresh_token: str) -> User:
        user_id = self._tokens.refresh_owner(refresh_token)
        if user_id is None:
            raise GrantError("invalid_grant", "expired access/refresh token")
        return self._platform.org.users[user_id]

    def _user(self, username: str) -> User:
        user = self._platform.org.user_by_name(username)
        if user is None:
            raise GrantError("invalid_grant", "authentication failure")
        return user

    def _granted(self, user: User, *, dated: bool = True) -> dict[str, str]:
        token = self._tokens.issue(user.id, self._platform.options.token_seconds)
        identity = self.identity.url(user)
        body = {
            "access_token": token.value,
            "scope": SCOPE,
            "instance_url": self._platform.instance_url,
            "id": identity,
            "token_type": "Bearer",
        }
        if dated:
            issued_at = str(int(self._platform.org.clock.now().timestamp() * 1000))
            body |= {"issued_at": issued_at, "signature": signature(self._app, identity, issued_at)}
        return body
