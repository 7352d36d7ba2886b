"""OAuth: who gets a token, and in what words others are refused."""

import base64
import stat
import time
from datetime import UTC, datetime

import jwt
import pytest
import requests

from sandbox.tokens import Tokens

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@pytest.fixture
def grant(box):
    """Post a form to the token endpoint."""
    return lambda headers=None, **form: requests.post(f"{box.instance_url}/services/oauth2/token", data=form, headers=headers, timeout=10)


@pytest.fixture
def assertion(box):
    """A signed assertion; claims may be replaced."""

    def make(**claims):
        facts = {"iss": box.client_id, "sub": box.username, "aud": "https://login.salesforce.com", "exp": int(time.time()) + 180}
        return jwt.encode(facts | claims, box.key_file.read_text(), algorithm="RS256")

    return make


def test_a_signed_assertion_gets_a_token_that_works(box, grant, assertion):
    """JWT bearer answers token, instance URL without slash, identity and type, and the token opens the API."""
    body = grant(grant_type=JWT_BEARER, assertion=assertion()).json()
    assert (body["token_type"], body["instance_url"], "refresh_token" in body) == ("Bearer", box.instance_url, False)
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    assert requests.get(f"{box.instance_url}/services/data/v66.0/limits", headers=headers, timeout=10).status_code == 200
    identity = requests.get(body["id"], headers=headers, timeout=10).json()
    assert (identity["username"], identity["organization_id"]) == (box.username, box.org.org_id)


@pytest.mark.parametrize("scale", [lambda now: str(int(now + 180)), lambda now: int((now + 180) * 1000)], ids=["text", "milliseconds"])
def test_expiry_may_be_text_or_milliseconds(grant, assertion, scale):
    """simple-salesforce sends seconds as a string, the sf command line sends milliseconds (E.6)."""
    assert grant(grant_type=JWT_BEARER, assertion=assertion(exp=scale(time.time()))).status_code == 200


@pytest.mark.parametrize(
    "audience", ["https://test.salesforce.com", "https://login.salesforce.com/", "http://127.0.0.1:9/", "http://localhost:1"]
)
def test_the_audience_may_be_a_login_host_or_the_org_itself(grant, assertion, audience):
    """Trailing slashes and ports do not matter."""
    assert grant(grant_type=JWT_BEARER, assertion=assertion(aud=audience)).status_code == 200


@pytest.mark.parametrize(
    ("claims", "error", "text"),
    [
        ({"aud": "https://example.com"}, "invalid_grant", "audience is invalid"),
        ({"iss": "somebody"}, "invalid_client_id", "client identifier invalid"),
        ({"sub": "stranger@sandbox.example"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"exp": 1}, "invalid_grant", "expired authorization code"),
    ],
)
def test_a_wrong_assertion_is_refused_in_the_platforms_words(grant, assertion, claims, error, text):
    """400 with error and error_description."""
    reply = grant(grant_type=JWT_BEARER, assertion=assertion(**claims))
    assert (reply.status_code, reply.json()) == (400, {"error": error, "error_description": text})


def test_another_key_is_refused(grant, assertion):
    """A signature that does not fit is no assertion."""
    assert grant(grant_type=JWT_BEARER, assertion=assertion()[:-8] + "AAAAAAAA").json()["error"] == "invalid_grant"


def test_client_credentials_run_as_the_integration_user(box, grant):
    """Identity and secret may come in the form or in a Basic header."""
    form = grant(grant_type="client_credentials", client_id=box.client_id, client_secret=box.client_secret).json()
    basic = base64.b64encode(f"{box.client_id}:{box.client_secret}".encode()).decode()
    header = grant({"Authorization": f"Basic {basic}"}, grant_type="client_credentials").json()
    assert form["id"] == header["id"] == f"{box.instance_url}/id/{box.org.org_id}/{box.integration.id}"
    assert {"issued_at", "signature"} <= form.keys()
    assert grant(grant_type="client_credentials", client_id=box.client_id, client_secret="x").json()["error"] == "invalid_client"


def test_a_refresh_token_works_until_revoked(box, grant, admin):
    """Expiry leaves the refresh token, revocation ends it."""
    issued = admin("/tokens/issue", {"username": "admin@sandbox.example"})
    form = {
        "grant_type": "refresh_token",
        "client_id": box.client_id,
        "client_secret": box.client_secret,
        "refresh_token": issued["refresh_token"],
    }
    admin("/tokens/expire", {})
    assert grant(**form).status_code == 200
    admin("/tokens/revoke", {"username": "admin@sandbox.example"})
    assert grant(**form).json() == {"error": "invalid_grant", "error_description": "expired access/refresh token"}


def test_password_logins_are_off_unless_switched_on(box, grant, admin):
    """New orgs block the username-password grant; with a password set it works, for that password only."""
    app = {"client_id": box.client_id, "client_secret": box.client_secret}
    form = {"grant_type": "password", "username": box.username, "password": "s3cret", **app}
    refused = {"error": "invalid_grant", "error_description": "authentication failure"}
    assert grant(**form).json() == refused
    admin("/settings", {"user_password": "s3cret"})
    assert grant(**form).status_code == 200
    assert grant(**form | {"password": "wrong"}).json() == refused
    assert grant(**form | {"client_secret": "wrong"}).json()["error"] == "invalid_client"


def test_the_key_file_is_private_and_goes_with_the_org(box):
    """Nobody else may read the private key."""
    assert stat.S_IMODE(box.key_file.stat().st_mode) == 0o600


def test_an_expired_token_is_refused_everywhere(call, admin, box):
    """Expiry under admin control: 401 for REST, 403 for userinfo, inactive for introspection."""
    token = call.session.headers["Authorization"].split()[1]
    url = f"{box.instance_url}/services/oauth2"
    assert call("POST", "/services/oauth2/introspect", data={"token": token}).json()["active"] is True
    admin("/tokens/expire", {"access_token": token})
    assert call("GET", "limits").status_code == 401
    assert requests.get(f"{url}/userinfo", headers=call.session.headers, timeout=10).status_code == 403
    assert call("POST", "/services/oauth2/introspect", data={"token": token}).json() == {"active": False}


def test_a_client_can_give_its_token_back(call, box):
    """Revoking through OAuth ends the token."""
    token = box.token()
    assert call("POST", "/services/oauth2/revoke", data={"token": token}).status_code == 200
    call.session.headers["Authorization"] = f"Bearer {token}"
    assert call("GET", "limits").status_code == 401


def test_a_user_the_app_is_not_approved_for_is_refused(box, grant, assertion, admin):
    """Pre-authorised apps take their own users only."""
    admin("/settings", {"preauthorized": ["somebody@sandbox.example"]})
    assert grant(grant_type=JWT_BEARER, assertion=assertion()).json() == {
        "error": "invalid_grant",
        "error_description": "user hasn't approved this consumer",
    }
    admin("/settings", {"preauthorized": [box.username]})
    assert grant(grant_type=JWT_BEARER, assertion=assertion()).status_code == 200


def test_an_assertion_may_live_by_the_orgs_clock(grant, assertion, admin):
    """A client whose time is the org's is let in as well."""
    admin("/clock", {"now": "2031-01-01T00:00:00+00:00"})
    ends = datetime(2031, 1, 1, 0, 3, tzinfo=UTC).timestamp()
    assert grant(grant_type=JWT_BEARER, assertion=assertion(exp=int(ends))).status_code == 200
    assert grant(grant_type=JWT_BEARER, assertion=assertion(exp=int(ends) - 10 * 365 * 86_400)).status_code == 400


def test_an_app_without_a_user_has_no_client_credentials(box, grant, admin):
    """Nor are they given on the common login hosts."""
    form = {"grant_type": "client_credentials", "client_id": box.client_id, "client_secret": box.client_secret}
    elsewhere = grant({"Host": "login.salesforce.com"}, **form)
    assert elsewhere.json()["error_description"] == "request not supported on this domain"
    admin("/settings", {"client_credentials_user": False})
    assert grant(**form).json() == {"error": "invalid_grant", "error_description": "no client credentials user enabled"}


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "authorization_code", "code": "x"}, "invalid_grant"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:device_code"}, "unsupported_grant_type"),
        ({}, "unsupported_grant_type"),
    ],
)
def test_grants_that_need_a_browser_are_refused(grant, form, error):
    """There is nobody to log in."""
    reply = grant(**form)
    assert (reply.status_code, reply.json()["error"], reply.headers["Cache-Control"]) == (400, error, "no-store")


def test_there_is_no_login_page(box):
    """The authorization endpoint says so."""
    reply = requests.get(f"{box.instance_url}/services/oauth2/authorize?response_type=code", timeout=10)
    assert (reply.status_code, reply.json()["error"]) == (400, "unsupported_response_type")


def test_an_identity_is_told_to_its_owner_only(box):
    """Missing and bad tokens, other users and other orgs have words of their own."""
    headers = {"Authorization": f"Bearer {box.token()}"}
    mine = f"{box.instance_url}/id/{box.org.org_id}/{box.integration.id}"
    assert requests.get(mine, headers=headers, timeout=10).json()["urls"]["rest"].endswith("/services/data/v{version}/")
    refusals = [
        (mine, {}, "Missing_OAuth_Token"),
        (mine, {"Authorization": "Bearer x"}, "Bad_OAuth_Token"),
        (f"{box.instance_url}/id/{box.org.org_id}/{box.org.admin.id}", headers, "No_Access"),
        (f"{box.instance_url}/id/00D000000000009AAA/{box.integration.id}", headers, "Wrong_Org"),
    ]
    for url, sent, word in refusals:
        reply = requests.get(url, headers=sent, timeout=10)
        assert (reply.status_code, reply.text) == (403, word)


def test_an_identity_tells_what_the_user_record_holds(box):
    """Identity and userinfo have the members of recorded answers, each in its own words, and follow the record."""
    headers = {"Authorization": f"Bearer {box.token()}"}
    here = {"TimeZoneSidKey": "Europe/London", "City": "Leith", "MobilePhone": "+44 7700 900123"}
    box.run(lambda: box.org.update("User", box.integration.id, here, session=box.org.system))
    identity = requests.get(f"{box.instance_url}/id/{box.org.org_id}/{box.integration.id}", headers=headers, timeout=10).json()
    info = requests.get(f"{box.instance_url}/services/oauth2/userinfo", headers=headers, timeout=10).json()
    photos = {"picture": f"{box.instance_url}/profilephoto/005/F", "thumbnail": f"{box.instance_url}/profilephoto/005/T"}
    shared = {"photos": photos, "utcOffset": 0, "locale": "en_IE_EURO", "active": True, "email": box.username}
    assert shared.items() <= identity.items()
    assert shared.items() <= info.items()
    own = {"timezone": "Europe/London", "addr_city": "Leith", "addr_street": None, "mobile_phone": "+44 7700 900123"}
    assert (own | {"last_modified_date": "2026-03-02T08:00:00Z"}).items() <= identity.items()
    assert (info["zoneinfo"], info["given_name"], info["nickname"]) == ("Europe/London", identity["first_name"], identity["nick_name"])
    assert ("display_name" in info, "sub" in identity) == (False, False)
    assert identity["urls"]["feed_items"] == f"{box.instance_url}/services/data/v{{version}}/chatter/feed-items"


def test_tokens_end_when_their_time_is_over(box, admin):
    """A lifetime in real seconds; introspection tells what is left."""
    admin("/settings", {"token_seconds": 3600})
    token = box.token()
    told = requests.post(f"{box.instance_url}/services/oauth2/introspect", data={"token": token}, timeout=10).json()
    assert (told["active"], 3500 < told["exp"] - told["iat"] <= 3600) == (True, True)
    now = [0.0]
    tokens = Tokens("00D000000000001AAA", lambda: now[0])
    value = tokens.issue("005A", 10.0).value
    now[0] = 9.0
    assert tokens.owner(value) == "005A"
    tokens.prolong(value)
    now[0] = 18.9
    assert tokens.owner(value) == "005A"
    now[0] = 19.0
    assert tokens.owner(value) is None


@pytest.mark.parametrize(
    ("path", "operation", "code"),
    [
        ("u/64.0", "login", "sf:INVALID_OPERATION"),
        ("c/45.0/00D000000000001", "login", "sf:INVALID_OPERATION"),
        ("u/65.0", "login", "soapenv:Client"),
        ("u/66.0", "query", "soapenv:Client"),
        ("u/30.0", "login", "sf:UNSUPPORTED_API_VERSION"),
    ],
)
def test_soap_is_refused_with_a_fault(box, path, operation, code):
    """login() is gone since 65.0, switched off before, and versions up to 30.0 are retired."""
    envelope = f"""<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Body><n1:{operation}
        xmlns:n1="urn:partner.soap.sforce.com"/></env:Body></env:Envelope>"""
    reply = requests.post(f"{box.instance_url}/services/Soap/{path}", data=envelope, headers={"Content-Type": "text/xml"}, timeout=10)
    assert reply.status_code == 500
    assert f"<faultcode>{code}</faultcode>" in reply.text
