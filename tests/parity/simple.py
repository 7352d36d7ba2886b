"""Pointing simple-salesforce, which writes every address as https, at an org on this machine."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce

from sandbox import Box

MY_DOMAIN = "emulator.my"
"""The ``domain`` to sign in at: the library makes https://emulator.my.salesforce.com of it."""


class Rewriting(HTTPAdapter):
    """Sends what was meant for https://any.host to one plain address, and nothing anywhere else; keeps what was asked and answered."""

    def __init__(self, target: str) -> None:
        super().__init__()
        self._target = urlsplit(target)
        self.statuses: list[int] = []

    def send(  # noqa: PLR0913, PLR0917 - requests' signature
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: object = None,  # noqa: ARG002 - one for every request
        verify: bool | str = True,
        cert: object = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """One request, one reply."""
        asked = urlsplit(str(request.url))
        request.url = str(asked._replace(scheme=self._target.scheme, netloc=self._target.netloc).geturl())
        reply = super().send(request, stream=stream, timeout=30, verify=verify, cert=cert, proxies=proxies)  # type: ignore[arg-type]
        self.statuses.append(reply.status_code)
        return reply


def session(box: Box) -> tuple[requests.Session, Rewriting]:
    """A session that reaches the box and nothing else, and what it saw."""
    made, adapter = requests.Session(), Rewriting(box.instance_url)
    made.trust_env = False
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made, adapter


def by_token(box: Box, token: str, version: str = "66.0") -> Salesforce:
    """A client with a token of its own, as one that has signed in elsewhere."""
    return Salesforce(session_id=token, instance_url=box.instance_url, version=version, session=session(box)[0])
