"""The session: one org only, encrypted except on this machine."""

import pytest
import requests
import responses

from connector.salesforce.auth import Token
from connector.salesforce.transport import Manner, connect
from connector.salesforce.wire import id_18, same_id
from tests.unit.salesforce.build import INSTANCE, NOW, ORG_ID


def session(instance_url: str) -> requests.Session:
    """The session of a token for this org."""
    token = Token("00D!x", instance_url, ORG_ID, "", NOW)
    found = connect(token, Manner("66.0", 5.0, "dunwell"), on_sent=lambda: None, on_reply=lambda _: None)
    return found.session


@pytest.mark.parametrize("host", ["localhost:8800", "127.0.0.1:8800"])
def test_a_sandbox_on_this_machine_is_spoken_to_in_plain_http(host: str):
    """simple-salesforce always says https; for a loopback org the last step says http."""
    responses.get(f"http://{host}/services/data/v66.0/limits", json={})
    reply = session(f"http://{host}").get(f"https://{host}/services/data/v66.0/limits")
    assert reply.status_code == 200


def test_an_org_elsewhere_is_spoken_to_encrypted_only():
    """Nothing turns https into http for any other host."""
    responses.get(f"{INSTANCE}/services/data/v66.0/limits", json={})
    assert session(INSTANCE).get(f"{INSTANCE}/services/data/v66.0/limits").request.url == f"{INSTANCE}/services/data/v66.0/limits"


@pytest.mark.parametrize("url", ["https://example.com/", "http://169.254.169.254/", "https://example.my.salesforce.com.example.com/"])
def test_a_request_to_any_other_host_is_stopped(url: str):
    """The session carries a token, so it goes to the org or nowhere."""
    with pytest.raises(requests.exceptions.InvalidURL):
        session(INSTANCE).get(url)
    assert len(responses.calls) == 0


def test_a_local_org_ignores_the_proxy_and_netrc_of_the_machine():
    """Local traffic stays local."""
    assert session("http://localhost:8800").trust_env is False
    assert session(INSTANCE).trust_env is True


def test_short_and_long_ids_name_the_same_record():
    """The last three characters are computed from the case of the others, as the platform does."""
    assert id_18("001A0000006Vm9u") == "001A0000006Vm9uIAC"
    assert same_id("001A0000006Vm9u", "001A0000006Vm9uIAC")
    assert not same_id("", "")
