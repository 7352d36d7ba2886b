"""Logging in: whatever the login server does, threads share one token and an admin learns what to do."""

import threading
from pathlib import Path

import jwt
import pytest
import requests
import responses

from connector.errors import ConfigError, TransientError
from connector.salesforce.addresses import audience
from connector.salesforce.auth import TokenSource
from tests.unit.salesforce.build import INSTANCE, NOW, ORG_ID, PUBLIC_PEM, TOKEN_URL, Time, credentials, form, issue, token_source


def test_jwt_proves_the_user_with_a_short_lived_assertion_whose_expiry_is_an_integer(key_file: Path):
    """The assertion names app, user and audience, ends three minutes after our own clock, and ``exp`` is a number."""
    issue()
    token = token_source(method="jwt", username="daemon@example.com", key_file=str(key_file)).current()
    posted = form(responses.calls[0])
    claims = jwt.decode(posted["assertion"], PUBLIC_PEM, algorithms=["RS256"], options={"verify_aud": False, "verify_exp": False})
    assert posted["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert claims == {
        "iss": "consumer",
        "sub": "daemon@example.com",
        "aud": "https://login.salesforce.com",
        "exp": int(NOW.timestamp()) + 180,
    }
    assert (token.org_id, token.user_id, token.instance_url) == (ORG_ID, "005000000000001AAA", INSTANCE)


@pytest.mark.parametrize(
    ("login_url", "expected"),
    [
        ("https://login.salesforce.com", "https://login.salesforce.com"),
        ("https://example.my.salesforce.com", "https://login.salesforce.com"),
        ("https://example--uat.sandbox.my.salesforce.com", "https://test.salesforce.com"),
        ("https://test.salesforce.com", "https://test.salesforce.com"),
        ("http://localhost:8800", "http://localhost:8800"),
    ],
)
def test_the_audience_is_the_login_host_of_that_kind_of_org(login_url: str, expected: str):
    """A My Domain login still needs the login or test host as audience, or the org answers 'audience is invalid'."""
    assert audience(login_url) == expected


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o777])
def test_a_private_key_that_others_can_read_is_refused_with_the_command_that_mends_it(key_file: Path, mode: int):
    """A key readable by group or others is a configuration error, found before anything is sent."""
    key_file.chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        token_source(method="jwt", username="daemon@example.com", key_file=str(key_file)).current()
    assert len(responses.calls) == 0


def test_a_key_file_that_is_absent_or_holds_no_key_is_a_configuration_error_without_its_path(key_file: Path):
    """Neither a missing file nor a wrong one crashes, and the message does not say where files lie."""
    key_file.write_text("-----BEGIN NOTHING-----\n")
    for path in (str(key_file), str(key_file.with_name("absent.pem"))):
        with pytest.raises(ConfigError) as caught:
            token_source(method="jwt", username="daemon@example.com", key_file=path).current()
        assert str(key_file.parent) not in str(caught.value)


def test_everything_missing_from_the_credentials_is_said_at_once():
    """An admin sees all that a login method lacks in one go."""
    with pytest.raises(ConfigError) as caught:
        TokenSource(credentials(method="jwt", client_id="", login_url="http://example.com"))
    assert len(caught.value.problems) == 4
    assert "https://" in caught.value.problems[3]


@pytest.mark.parametrize("url", ["http://example.my.salesforce.com", "http://localhost.example.com", "ftp://localhost", "example.com", ""])
def test_no_secret_is_sent_unencrypted_to_another_machine(url: str):
    """Plain http is for localhost and 127.0.0.1 alone."""
    with pytest.raises(ConfigError):
        token_source(login_url=url)


def test_a_login_answer_that_points_to_an_unencrypted_address_is_refused():
    """The org's address comes from the login server and is held to the same rule."""
    issue(instance_url="http://example.my.salesforce.com")
    with pytest.raises(ConfigError, match="https"):
        token_source().current()


@pytest.mark.parametrize(
    ("description", "advice"),
    [
        ("user hasn't approved this consumer", "permission set"),
        ("audience is invalid", "login URL"),
        ("invalid client credentials", "consumer key and secret"),
        ("expired authorization code", "clock"),
        ("invalid assertion", "certificate"),
        ("something new", "something new"),
    ],
)
def test_a_refused_login_tells_an_admin_what_to_do(description: str, advice: str):
    """Every refusal is a configuration error with advice; one we do not know is quoted."""
    responses.post(TOKEN_URL, status=400, json={"error": "invalid_grant", "error_description": description})
    with pytest.raises(ConfigError, match=advice):
        token_source().current()


def test_a_refused_login_is_not_repeated_for_a_minute_so_that_no_user_gets_locked():
    """Threads that ask again get the same answer without a login; after a minute it is tried anew."""
    responses.post(TOKEN_URL, status=400, json={"error": "invalid_grant", "error_description": "user is locked"})
    time = Time()
    tokens = token_source(time)
    for _ in range(3):
        with pytest.raises(ConfigError, match="unlock"):
            tokens.current()
    assert len(responses.calls) == 1
    time.sleep(60)
    responses.reset()
    issue()
    assert tokens.current().access_token.endswith("!one")


def test_a_token_endpoint_that_fails_twice_and_then_recovers_is_not_noticed():
    """Two failures in a row are ridden out within one renewal."""
    responses.post(TOKEN_URL, status=503, body="<html>maintenance</html>")
    responses.post(TOKEN_URL, body=requests.ConnectionError("refused"))
    issue()
    assert token_source().current().access_token.endswith("!one")
    assert len(responses.calls) == 3


def test_a_token_endpoint_that_stays_down_leaves_nothing_dead_behind():
    """After a failed renewal the next one, a moment later, logs in again: no failure is for ever."""
    issue("old")
    time = Time()
    tokens = token_source(time)
    old = tokens.current()
    responses.reset()
    responses.post(TOKEN_URL, status=503, body="<html>maintenance</html>")
    with pytest.raises(TransientError):
        tokens.renew(old.access_token)
    time.sleep(5)
    responses.reset()
    issue("new")
    assert tokens.renew(old.access_token).access_token.endswith("!new")


def test_an_unreadable_success_is_transient_and_its_text_appears_nowhere():
    """A 200 that is no token reply, a captive portal for instance, is retried and never quoted."""
    responses.post(TOKEN_URL, status=200, body='{"access_token": "00D!leak"}')
    with pytest.raises(TransientError) as caught:
        token_source().current()
    assert "leak" not in f"{caught.value!r}{caught.value.__cause__!r}{caught.value.__context__!r}" or caught.value.__suppress_context__


def test_many_threads_with_the_same_dead_token_make_one_login():
    """Renewal is single flight: whoever comes second gets the token that the first one brought."""
    issue("old", "new", "newer")
    tokens = token_source()
    old = tokens.current().access_token
    gate = threading.Barrier(8)
    seen: list[str] = []

    def renew() -> None:
        gate.wait()
        seen.append(tokens.renew(old).access_token)

    threads = [threading.Thread(target=renew) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {token.rpartition("!")[2] for token in seen} == {"new"}
    assert len(responses.calls) == 2


def test_tokens_that_are_refused_as_soon_as_they_are_issued_do_not_cause_a_storm_of_logins():
    """Ten logins in five minutes are the most an org gets from us."""
    issue(*(str(number) for number in range(12)))
    tokens = token_source()
    for _ in range(9):
        tokens.renew(tokens.current().access_token)
    with pytest.raises(TransientError, match="as soon as"):
        tokens.renew(tokens.current().access_token)
    assert len(responses.calls) == 10


def test_a_token_given_by_an_admin_cannot_be_renewed_and_says_so():
    """The access-token method has no refresh: a dead token is a configuration error, not a retry."""
    tokens = token_source(method="token", access_token="00D000000000001!abc", instance_url=INSTANCE)
    token = tokens.current()
    assert token.org_id == ORG_ID
    with pytest.raises(ConfigError, match="set a new one"):
        tokens.renew(token.access_token)
    assert len(responses.calls) == 0


def test_after_pinning_a_renewal_that_leads_to_another_org_is_refused():
    """A refreshed sandbox keeps its address and gets a new id: its token must never be used."""
    issue("one")
    tokens = token_source()
    old = tokens.current()
    tokens.pin(ORG_ID[:15])
    responses.reset()
    issue("two", org_id="00D000000000002EAA")
    with pytest.raises(ConfigError, match="00D000000000002EAA"):
        tokens.renew(old.access_token)
    given = token_source(method="token", access_token="00D000000000001!abc", instance_url=INSTANCE)
    given.pin("00D000000000002EAA")
    with pytest.raises(ConfigError, match="00D000000000001EAA"):
        given.current()


def test_secrets_are_not_shown():
    """Neither credentials nor tokens show their secret when printed."""
    issue("hidden")
    given = credentials(client_secret="hidden", access_token="hidden")
    assert "hidden" not in f"{given!r}{token_source().current()!r}"
