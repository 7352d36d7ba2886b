"""Builders for the tests of the client: an org that answers as told, on an address nobody owns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import responses
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connector.salesforce.auth import Credentials, TokenSource
from connector.salesforce.client import Org
from connector.salesforce.limits import ApiBudget

LOGIN = "https://login.salesforce.com"
INSTANCE = "https://example.my.salesforce.com"
TOKEN_URL = f"{LOGIN}/services/oauth2/token"
DATA = f"{INSTANCE}/services/data/v66.0"
ORG_ID = "00D000000000001EAA"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC_PEM = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
PRIVATE_PEM = KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


@dataclass
class Time:
    """Time that passes only when somebody sleeps."""

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.slept.append(seconds)
        self.seconds += seconds

    def monotonic(self) -> float:
        """The seconds so far."""
        return self.seconds


def credentials(**changed: str) -> Credentials:
    """Client credentials of an app that does not exist."""
    given = {"login_url": LOGIN, "method": "client_credentials", "client_id": "consumer", "client_secret": "not-a-secret"}
    return Credentials(**{**given, **changed})


def token_source(time: Time | None = None, **changed: str) -> TokenSource:
    """A token source whose pauses take no time."""
    time = time or Time()
    return TokenSource(credentials(**changed), now=lambda: NOW, monotonic=time.monotonic, sleep=time.sleep)


def org(time: Time | None = None, tokens: TokenSource | None = None, budget: ApiBudget | None = None) -> Org:
    """An org whose pauses take no time."""
    time = time or Time()
    return Org(
        tokens or token_source(time), api_version="66.0", budget=budget or ApiBudget(now=lambda: NOW), timeout=30.0, sleep=time.sleep
    )


def issue(*names: str, instance_url: str = INSTANCE, org_id: str = ORG_ID) -> None:
    """The token endpoint gives these tokens one after the other, the last one for ever."""
    for name in names or ("one",):
        responses.post(
            TOKEN_URL,
            json={
                "access_token": f"{org_id[:15]}!{name}",
                "instance_url": instance_url,
                "id": f"{LOGIN}/id/{org_id}/005000000000001AAA",
                "issued_at": "1772442000000",
                "token_type": "Bearer",
            },
        )


def refuse(status: int, code: str, message: str = "") -> dict[str, object]:
    """The keywords of a reply with the platform's error array."""
    return {"status": status, "json": [{"errorCode": code, "message": message}]}


EXPIRED = refuse(401, "INVALID_SESSION_ID", "Session expired or invalid")


def page(rows: Sequence[dict[str, object]], *, total: int | None = None, more: str | None = None) -> dict[str, object]:
    """One page of a query's result."""
    body: dict[str, object] = {"totalSize": len(rows) if total is None else total, "done": more is None, "records": list(rows)}
    return body if more is None else {**body, "nextRecordsUrl": f"/services/data/v66.0/query/{more}"}


def record(sobject: str, **fields: object) -> dict[str, object]:
    """A row as the org sends it."""
    return {"attributes": {"type": sobject, "url": f"/services/data/v66.0/sobjects/{sobject}/x"}, **fields}


def made(number: int = 1) -> dict[str, object]:
    """The outcome of a row that was written."""
    return {"id": f"a00{number:012d}AAA", "success": True, "errors": []}


def failed(code: str, message: str = "") -> dict[str, object]:
    """The outcome of a row that was not."""
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": []}]}


def sent(path: str) -> list[responses.Call]:
    """The calls made below the version whose path begins so."""
    return [call for call in responses.calls if urlsplit(call.request.url or "").path.startswith(f"/services/data/v66.0/{path}")]


def form(call: responses.Call) -> dict[str, str]:
    """The form a login posted."""
    return {name: values[0] for name, values in parse_qs(str(call.request.body)).items()}


def composite(
    *bodies: object, status: int = 200, order: Callable[[list[dict[str, object]]], list[dict[str, object]]] = lambda entries: entries
) -> dict[str, object]:
    """The reply of POST /composite: one body a subrequest, in ``order``."""
    entries: list[dict[str, object]] = [
        {"body": body, "httpHeaders": {}, "httpStatusCode": status, "referenceId": f"r{place}"} for place, body in enumerate(bodies)
    ]
    return {"compositeResponse": order(entries)}
