"""OAuth: who gets a token, and in what words others are refused."""

import base64
import stat
import time

import jwt
import pytest
import requests

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
    assert (identity["preferred_username"], identity["organization_id"]) == (box.username, box.org.org_id)


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


def test_password_logins_are_gone(grant):
    """The username-password grant is not offered."""
    assert grant(grant_type="password", username="a", password="b").json()["error"] == "unsupported_grant_type"


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
