"""Trying to subscribe: whether the org lets this user listen to its channels, without taking an event in.

Must not store or keep anything. Invariant: whatever happens, the connection is closed and no channel stays subscribed; only new events
are asked for, so that no cursor of a daemon that runs at the same time is touched.

Each trial is one streaming client for a moment; events published in that moment count as delivered (salesforce.md D.2).
"""

import asyncio
from collections.abc import Mapping, Sequence

from aiocometd_ng.exceptions import AiocometdException

from connector.salesforce.auth import Token
from connector.salesforce.classify import StreamError, fault_of_error
from connector.salesforce.cometd import OrgClient, quieten
from connector.salesforce.pending import Pending
from connector.salesforce.stream import ignore_cancelled
from connector.salesforce.watchdog import Pulse, Watchdog

ONLY_NEW = -1
_CLOSE_SECONDS = 3.0


def refusals(token: Token, api_version: str, channels: Sequence[str], *, seconds: float = 30.0) -> Mapping[str, str]:
    """Channel → the org's own words, for those it refuses. Raises StreamError when there is no connection at all."""
    quieten()
    with asyncio.Runner() as runner:
        runner.get_loop().set_exception_handler(ignore_cancelled)
        return runner.run(_tried(token, api_version, channels, seconds))


async def _tried(token: Token, api_version: str, channels: Sequence[str], seconds: float) -> Mapping[str, str]:
    clock = asyncio.get_running_loop().time
    pending = Pending("")
    watchdog = Watchdog(pending, Pulse(seconds, 1.5, clock()), clock, lambda: None)
    client = OrgClient(token.access_token, token.instance_url, api_version, watchdog)
    refused: dict[str, str] = {}
    try:
        async with asyncio.timeout(seconds):
            await client.open()
            for channel in channels:
                client.replay.start[channel] = ONLY_NEW
                pending.begin(channel, None)
                try:
                    await client.subscribe(channel)
                except StreamError as fault:
                    if fault.channel is None:
                        raise
                    refused[channel] = fault.detail
    except (AiocometdException, TimeoutError, OSError) as error:
        raise (watchdog.fault or fault_of_error(error)) from error
    finally:
        await client.abandon(_CLOSE_SECONDS)
    return refused
