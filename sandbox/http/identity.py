"""Who a token belongs to: userinfo, the identity URL and introspection, as values.

No socket. Its invariant: nothing is told without a token that works, and refusals are a bare word with status 403.
Source: C.1 of the platform notes; Salesforce Help, "Identity URLs", "UserInfo Endpoint" and "OpenID Connect Token Introspection";
the members are those of answers that several public repositories quote (Salesforce's mobile SDK among them).
"""

from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

from sandbox.http.platform import Platform
from sandbox.http.wire import JsonObject, Reply
from sandbox.org.types import Record, User
from sandbox.tokens import App, Tokens

SCOPE = "api refresh_token offline_access"
_NO_LIFETIME = 7200.0
_ADDRESS = {"addr_street": "Street", "addr_city": "City", "addr_state": "State", "addr_country": "Country", "addr_zip": "PostalCode"}
_FIELDS = (
    *("FirstName", "LastName", "Email", "CommunityNickname", "MobilePhone", "LastModifiedDate"),
    *("TimeZoneSidKey", "LanguageLocaleKey", "LocaleSidKey", *_ADDRESS.values()),
)
_CHATTER = ("feeds", "groups", "users", "feed_items", "feed_elements")


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

    def _shared(self, user: User, record: Record) -> JsonObject:
        at = self._platform.org.clock.now().astimezone(ZoneInfo(str(record["TimeZoneSidKey"])))
        offset = (at.utcoffset() or timedelta()) - (at.dst() or timedelta())
        photo = f"{self._platform.instance_url}/profilephoto/005/"
        return {
            "user_id": user.id,
            "organization_id": self._platform.org.org_id,
            "email": record["Email"],
            "email_verified": True,
            "photos": {"picture": f"{photo}F", "thumbnail": f"{photo}T"},
            "urls": self._urls(user),
            "active": True,
            "user_type": "STANDARD",
            "language": record["LanguageLocaleKey"],
            "locale": record["LocaleSidKey"],
            "utcOffset": int(offset.total_seconds() * 1000),
            "is_app_installed": True,
        }

    def _userinfo(self, user: User) -> JsonObject:
        record = self._record(user)
        own = {
            "sub": self.url(user),
            "preferred_username": user.username,
            "nickname": record["CommunityNickname"],
            "name": user.name,
            "given_name": record["FirstName"],
            "family_name": record["LastName"],
            "zoneinfo": record["TimeZoneSidKey"],
            "profile": f"{self._platform.instance_url}/{user.id}",
            "picture": f"{self._platform.instance_url}/profilephoto/005/F",
            "address": {},
            "is_salesforce_integration_user": False,
            "updated_at": _moment(record),
        }
        return self._shared(user, record) | own

    def _identity(self, user: User) -> JsonObject:
        record = self._record(user)
        own = {
            "id": self.url(user),
            "asserted_user": True,
            "username": user.username,
            "nick_name": record["CommunityNickname"],
            "display_name": user.name,
            "first_name": record["FirstName"],
            "last_name": record["LastName"],
            "timezone": record["TimeZoneSidKey"],
            "mobile_phone": record["MobilePhone"],
            "mobile_phone_verified": False,
            "is_lightning_login_user": False,
            "status": {"created_date": None, "body": None},
            "last_modified_date": _moment(record),
        }
        return self._shared(user, record) | own | {name: record[field] for name, field in _ADDRESS.items()}

    def _record(self, user: User) -> Record:
        org = self._platform.org
        return org.retrieve("User", user.id, _FIELDS, session=org.system)

    def _urls(self, user: User) -> JsonObject:
        root = self._platform.instance_url
        data, soap = f"{root}/services/data/v{{version}}/", f"{root}/services/Soap/"
        org = f"{{version}}/{self._platform.org.org_id[:15]}"
        return {
            "enterprise": f"{soap}c/{org}",
            "metadata": f"{soap}m/{org}",
            "partner": f"{soap}u/{org}",
            "rest": data,
            "sobjects": f"{data}sobjects/",
            "search": f"{data}search/",
            "query": f"{data}query/",
            "recent": f"{data}recent/",
            "tooling_soap": f"{soap}T/{org}",
            "tooling_rest": f"{data}tooling/",
            "profile": f"{root}/{user.id}",
            **{name: f"{data}chatter/{name.replace('_', '-')}" for name in _CHATTER},
            "custom_domain": root,
        }


def _moment(record: Record) -> str:
    """Write when the user was last changed, without the milliseconds that REST shows."""
    return str(record["LastModifiedDate"]).replace(".000+0000", "Z")
