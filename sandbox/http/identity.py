"""Who a token belongs to: userinfo, the identity URL and introspection, as values.

No socket. Its invariant: nothing is told without a token that works, and refusals are a bare word with status 403.
Source: C.1 of the platform notes; Salesforce Help, "Identity URLs", "UserInfo Endpoint" and "OpenID Connect Token Introspection".
"""

from collections.abc import Callable

from sandbox.http.platform import Platform
from sandbox.http.wire import JsonObject, Reply
from sandbox.org.types import User
from sandbox.tokens import App, Tokens

SCOPE = "api refresh_token offline_access"
_NO_LIFETIME = 7200.0
_HOUR_MS = 3_600_000


class Identity:
    """Answers who somebody is, for one org and its app."""

    def __init__(self, platform: Platform, tokens: Tokens, app: App) -> None:
        self._platform = platform
        self._tokens = tokens
        self._app = app

    def url(self, user: User) -> str:
        """The identity URL of a user."""
        return f"{self._platform.instance_url}/id/{self._platform.org.org_id}/{user.id}"

    def userinfo(self, token: str | None) -> Reply:
        """Answer ``/services/oauth2/userinfo``."""
        return self._about(token, self._userinfo)

    def identity(self, token: str | None, org_id: str, user_id: str) -> Reply:
        """Answer ``/id/{org}/{user}``: only to the user it is about."""
        if org_id[:15] != self._platform.org.org_id[:15]:
            return Reply(403, b"Wrong_Org")
        owner = self._tokens.owner(token)
        if owner is not None and owner[:15] != user_id[:15]:
            return Reply(403, b"No_Access")
        return self._about(token, self._identity)

    def introspect(self, token: str) -> Reply:
        """Answer ``/services/oauth2/introspect``."""
        user_id = self._tokens.owner(token)
        if user_id is None:
            return Reply(200, {"active": False})
        user = self._platform.org.users[user_id]
        now = int(self._platform.org.clock.now().timestamp())
        left = self._tokens.seconds_left(token)
        facts = {"active": True, "scope": SCOPE, "client_id": self._app.client_id, "username": user.username, "sub": self.url(user)}
        times = {"exp": now + int(_NO_LIFETIME if left is None else left), "iat": now, "nbf": now}
        return Reply(200, {**facts, "token_type": "access_token", **times})

    def _about(self, token: str | None, tell: Callable[[User], JsonObject]) -> Reply:
        if not token:
            return Reply(403, b"Missing_OAuth_Token")
        user_id = self._tokens.owner(token)
        if user_id is None:
            return Reply(403, b"Bad_OAuth_Token")
        return Reply(200, tell(self._platform.org.users[user_id]))

    def _shared(self, user: User) -> JsonObject:
        return {
            "asserted_user": True,
            "user_id": user.id,
            "organization_id": self._platform.org.org_id,
            "username": user.username,
            "nick_name": user.username.partition("@")[0],
            "display_name": user.name,
            "email": user.username,
            "email_verified": True,
            "urls": self._urls(user),
            "active": True,
            "user_type": "STANDARD",
            "language": "en_US",
            "locale": "en_IE",
            "utcOffset": _HOUR_MS,
            "is_app_installed": True,
        }

    def _userinfo(self, user: User) -> JsonObject:
        zone = self._platform.org.time_zone
        own = {"sub": self.url(user), "id": self.url(user), "preferred_username": user.username, "name": user.name, "zoneinfo": zone}
        return self._shared(user) | own

    def _identity(self, user: User) -> JsonObject:
        zone = self._platform.org.time_zone
        first, _, last = user.name.rpartition(" ")
        status = {"created_date": None, "body": None}
        return {"id": self.url(user)} | self._shared(user) | {"first_name": first, "last_name": last, "timezone": zone, "status": status}

    def _urls(self, user: User) -> JsonObject:
        root = self._platform.instance_url
        data = f"{root}/services/data/v{{version}}/"
        return {
            "enterprise": f"{root}/services/Soap/c/{{version}}/{self._platform.org.org_id[:15]}",
            "metadata": f"{root}/services/Soap/m/{{version}}/{self._platform.org.org_id[:15]}",
            "partner": f"{root}/services/Soap/u/{{version}}/{self._platform.org.org_id[:15]}",
            "rest": data,
            "sobjects": f"{data}sobjects/",
            "query": f"{data}query/",
            "search": f"{data}search/",
            "recent": f"{data}recent/",
            "profile": f"{root}/{user.id}",
            "custom_domain": root,
        }
