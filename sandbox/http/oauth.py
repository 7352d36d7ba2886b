"""The OAuth endpoints as values: token grants, userinfo, identity, revocation, introspection.

Form fields in, status and JSON out; no socket. Its invariant: a refused grant is ``{"error", "error_description"}``
with status 400, never an error array. Source: C.1 of the platform notes.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping

from sandbox.http.platform import Platform
from sandbox.http.wire import Reply
from sandbox.org.types import User
from sandbox.tokens import App, GrantError, Tokens, claims, signature

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "api refresh_token offline_access"


class OAuth:
    """The token endpoint and its neighbours for one app; ``run_as`` is the app's integration user."""

    def __init__(self, platform: Platform, tokens: Tokens, app: App, run_as: str, now: Callable[[], float]) -> None:
        self._platform = platform
        self._tokens = tokens
        self._app = app
        self._run_as = run_as
        self._now = now

    def grant(self, form: Mapping[str, str], authorization: str, host: str) -> Reply:
        """Answer ``POST /services/oauth2/token``. ``host`` is the host name the request was sent to."""
        kind = form.get("grant_type", "")
        try:
            user = self._entitled(kind, form, authorization, host)
        except GrantError as problem:
            return Reply(problem.status, {"error": problem.code, "error_description": str(problem)})
        return Reply(200, self._granted(user, dated=kind != JWT_BEARER), {"Cache-Control": "no-store"})

    def userinfo(self, token: str | None) -> Reply:
        """Answer ``/services/oauth2/userinfo`` and the identity URL."""
        user_id = self._tokens.owner(token)
        if user_id is None:
            return Reply(403, b"Bad_OAuth_Token")
        user = self._platform.org.users[user_id]
        root = self._platform.instance_url
        data = f"{root}/services/data/v{{version}}/"
        return Reply(
            200,
            {
                "sub": self._identity(user),
                "id": self._identity(user),
                "asserted_user": True,
                "user_id": user.id,
                "organization_id": self._platform.org.org_id,
                "preferred_username": user.username,
                "username": user.username,
                "nick_name": user.username.partition("@")[0],
                "display_name": user.name,
                "name": user.name,
                "email": user.username,
                "email_verified": True,
                "zoneinfo": "Europe/Amsterdam",
                "urls": {
                    "rest": data,
                    "query": f"{data}query/",
                    "sobjects": f"{data}sobjects/",
                    "recent": f"{data}recent/",
                    "profile": f"{root}/{user.id}",
                    "custom_domain": root,
                },
                "active": True,
                "is_app_installed": True,
                "user_type": "STANDARD",
                "language": "en_US",
                "locale": "en_IE",
                "utcOffset": 3600000,
            },
        )

    def revoke(self, token: str) -> Reply:
        """Answer ``/services/oauth2/revoke``."""
        known = self._tokens.owner(token) is not None or self._tokens.refresh_owner(token) is not None
        self._tokens.end(value=token, refresh=True)
        return (
            Reply(200)
            if known
            else Reply(400, {"error": "unsupported_token_type", "error_description": "this token type is not supported"})
        )

    def introspect(self, token: str) -> Reply:
        """Answer ``/services/oauth2/introspect``."""
        user_id = self._tokens.owner(token)
        if user_id is None:
            return Reply(200, {"active": False})
        user = self._platform.org.users[user_id]
        facts = {"active": True, "scope": SCOPE, "client_id": self._app.client_id, "username": user.username, "sub": self._identity(user)}
        return Reply(200, {**facts, "token_type": "access_token"})

    def issue(self, username: str) -> dict[str, str]:
        """An access and a refresh token for any user, without a grant (admin port only). Raises GrantError."""
        user = self._user(username)
        return {**self._granted(user), "refresh_token": self._tokens.issue_refresh(user.id), "user_id": user.id, "username": user.username}

    def _entitled(self, kind: str, form: Mapping[str, str], authorization: str, host: str) -> User:
        if kind == JWT_BEARER:
            return self._by_assertion(form.get("assertion", ""), host)
        if kind == "client_credentials":
            self._check_client(form, authorization)
            return self._user(self._run_as)
        if kind == "refresh_token":
            self._check_client(form, authorization)
            return self._refreshed(form.get("refresh_token", ""))
        raise GrantError("unsupported_grant_type", "grant type not supported")

    def _by_assertion(self, assertion: str, host: str) -> User:
        subject = claims(assertion, self._app, self._now(), frozenset({host}))
        user = self._platform.org.user_by_name(subject)
        if user is None:
            raise GrantError("invalid_grant", "user hasn't approved this consumer")
        return user

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

    def _identity(self, user: User) -> str:
        return f"{self._platform.instance_url}/id/{self._platform.org.org_id}/{user.id}"

    def _granted(self, user: User, *, dated: bool = True) -> dict[str, str]:
        token = self._tokens.issue(user.id, self._platform.options.token_seconds)
        identity = self._identity(user)
        body = {
            "access_token": token.value,
            "scope": SCOPE,
            "instance_url": self._platform.instance_url,
            "id": identity,
            "token_type": "Bearer",
        }
        if dated:
            issued_at = str(int(self._now() * 1000))
            body |= {"issued_at": issued_at, "signature": signature(self._app, identity, issued_at)}
        return body
