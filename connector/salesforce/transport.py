"""The requests session simple-salesforce talks through, one per thread, and what must hold for every request on it.

Must not judge a reply beyond its status. Invariants: every request has a timeout, the headers of salesforce.md C.9
and today's token; none goes to another host than the org's; a reply outside 2xx becomes a ``RefusedError``.

Why here: simple-salesforce builds every address as https, has no timeouts, drops headers on its own refresh,
recurses on 401 and loses the reply headers of errors (salesforce.md B.2, B.4). An adapter sees the request last and the
reply first, so none of that can happen behind it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from simple_salesforce.api import Salesforce

from connector.salesforce.addresses import is_this_machine
from connector.salesforce.auth import Token
from connector.salesforce.failures import refusal_from

CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Manner:
    """How all calls are made. ``timeout`` is the longest silence of the org in seconds; connecting gets at most ten of them."""

    api_version: str
    timeout: float
    client_name: str

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return standing_headers(self.client_name)


def standing_headers(client_name: str) -> dict[str, str]:
    """What every request carries (salesforce.md C.9).

    No assignment rules (they can change owners), our name in ``changeOrigin`` (so that our own changes are known
    again), duplicate rules that only warn, and no entries in anyone's recent items.
    """
    return {
        "Sforce-Auto-Assign": "FALSE",
        "Sforce-Call-Options": f"client={client_name}",
        "Sforce-Duplicate-Rule-Header": "allowSave=true",
        "Sforce-Mru": "updateMru=false",
    }


class Bearer(AuthBase):
    """Puts the token on each request, so that a ``.netrc`` entry for the host never can."""

    def __init__(self, access_token: str) -> None:
        self._value = f"Bearer {access_token}"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """The request, with its Authorization header."""
        request.headers["Authorization"] = self._value
        return request


class OrgAdapter(HTTPAdapter):
    """Speaks to one org only; over plain http when that org is a sandbox on this machine."""

    def __init__(
        self,
        instance_url: str,
        manner: Manner,
        *,
        on_sent: Callable[[], None],
        on_reply: Callable[[Mapping[str, str]], None],
    ) -> None:
        self._netloc = urlsplit(instance_url).netloc
        self._plain = instance_url.startswith("http://") and is_this_machine(instance_url)
        self._timeout = (min(CONNECT_SECONDS, manner.timeout), manner.timeout)
        self._headers = manner.headers
        self._on_sent, self._on_reply = on_sent, on_reply
        super().__init__(pool_connections=1, pool_maxsize=2)

    def send(  # noqa: PLR0913, PLR0917 - requests' signature
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: object = None,  # noqa: ARG002 - ours holds for every request
        verify: bool | str = True,
        cert: object = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """One request, one reply. Raises RefusedError outside 2xx, requests' own errors when there is no reply."""
        parts = urlsplit(request.url or "")
        if str(parts.netloc) != self._netloc:
            raise requests.exceptions.InvalidURL("a request to another host than the org's was stopped")
        if self._plain:
            request.url = str(parts._replace(scheme="http").geturl())
        request.headers.pop("X-PrettyPrint", None)
        for name, value in self._headers.items():
            request.headers.setdefault(name, value)
        self._on_sent()
        reply = super().send(request, stream=stream, timeout=self._timeout, verify=verify, cert=cert, proxies=proxies)  # type: ignore[arg-type]
        self._on_reply(reply.headers)
        if not 200 <= reply.status_code < 300:
            raise refusal_from(reply.status_code, reply.text, reply.headers.get("Retry-After"))
        return reply


def connect(
    token: Token,
    manner: Manner,
    *,
    on_sent: Callable[[], None],
    on_reply: Callable[[Mapping[str, str]], None],
) -> Salesforce:
    """A simple-salesforce client of this token, for one thread; numbers with a fraction are read as Decimal."""
    session = requests.Session()
    session.trust_env = not is_this_machine(token.instance_url)
    session.auth = Bearer(token.access_token)
    adapter = OrgAdapter(token.instance_url, manner, on_sent=on_sent, on_reply=on_reply)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return Salesforce(
        session_id=token.access_token,
        instance_url=token.instance_url,
        version=manner.api_version,
        session=session,
        parse_float=Decimal,
        object_pairs_hook=None,  # plain dicts, and the parser's fast path
    )
