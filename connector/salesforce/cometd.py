"""aiosfstream-ng, fitted to one connection: our API version, our token, our cursors, and a close that always ends.

Must not retry, classify or store. Invariant: after ``abandon`` no task and no socket of the client is left,
however far opening it had come.
"""

import asyncio
import json
import logging
from decimal import Decimal
from functools import partial
from typing import cast

from aiocometd_ng.typing import JsonLoader, JsonObject
from aiosfstream_ng.auth import AuthenticatorBase
from aiosfstream_ng.client import Client, ReplayMarkerStoragePolicy
from aiosfstream_ng.replay import ReplayMarker, ReplayMarkerStorage

from connector.salesforce.addresses import checked
from connector.salesforce.watchdog import Watchdog

_LOADS = cast(JsonLoader, partial(json.loads, parse_float=Decimal))


class FixedToken(AuthenticatorBase):
    """A token that was fetched before; a new one means a new client, so this never asks for another."""

    def __init__(self, access_token: str, instance_url: str) -> None:
        super().__init__()
        self._given: JsonObject = {"access_token": access_token, "token_type": "Bearer", "instance_url": instance_url}

    async def _authenticate(self) -> tuple[int, JsonObject]:
        return 200, self._given


class Replay(ReplayMarkerStorage):
    """Where each subscription begins; set by the supervisor from the sink's cursors, moved by nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.start: dict[str, int] = {}

    async def get_replay_id(self, subscription: str) -> int | None:
        """-1 new events only, -2 all that the org keeps, else all after that id."""
        return self.start.get(subscription)

    async def get_replay_marker(self, subscription: str) -> ReplayMarker | None:  # noqa: ARG002 - the library's signature
        """Never used: ids alone decide."""
        return None

    async def set_replay_marker(self, subscription: str, replay_marker: ReplayMarker) -> None:
        """Never used: the sink moves the cursor."""


class OrgClient(Client):
    """One CometD connection to one org.

    No connection time-out (it fails on Python 3.10 and later, salesforce.md A.3) and no bound on queued messages (a full
    queue blocks ``subscribe``, A.4): the watchdog takes events out before they reach the library's queue.
    """

    _HTTP_SESSION_CLOSE_TIMEOUT = 0.0

    def __init__(self, access_token: str, instance_url: str, api_version: str, watchdog: Watchdog) -> None:
        self.replay = Replay()
        self._api_version = api_version
        super().__init__(
            FixedToken(access_token, checked(instance_url, "the org's instance URL")),
            replay=self.replay,
            replay_storage_policy=ReplayMarkerStoragePolicy.MANUAL,
            connection_timeout=0,
            max_pending_count=0,
            json_loads=_LOADS,
        )
        self.extensions = [self.replay, watchdog]
        self._watchdog = watchdog

    def get_cometd_url(self, instance_url: str) -> str:  # type: ignore[override] # static there, called on the instance
        """Return the endpoint: its version decides which fields events have (EventUuid from 52.0)."""
        return f"{instance_url}/cometd/{self._api_version}"

    async def abandon(self, seconds: float) -> None:
        """Disconnect if the connection is sound, waiting at most ``seconds``, and free everything; never raises."""
        self._watchdog.closing = True
        try:
            if self._transport is not None:
                goodbye = asyncio.create_task(self._transport.disconnect())
                await asyncio.wait({goodbye}, timeout=seconds)
                if not goodbye.done():
                    goodbye.cancel()
                await asyncio.wait({goodbye})
                if not goodbye.cancelled():
                    goodbye.exception()
        finally:
            await self._close_http_session()


def quieten() -> None:
    """Keep the libraries' own log lines out: what they report, the supervisor reports once per change of state."""
    for name in ("aiocometd_ng", "aiosfstream_ng"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
