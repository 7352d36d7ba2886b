"""A Salesforce-compatible org on localhost, for the demo and the tests.

It never reaches beyond this machine and the connector never imports it; both meet over HTTP only. Its invariant: what a
client sees is what the platform documents, and every bad day it has was asked for.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypedDict, Unpack

from sandbox.faults import FaultSpec
from sandbox.options import Options
from sandbox.server import Box, Setup

__all__ = ["Box", "FaultSpec", "Options", "Setup", "Wanted", "serve"]


class Wanted(TypedDict, total=False):
    """What ``serve`` takes; the defaults are those of ``Setup``."""

    world: str
    payers: int
    seed: int
    now: datetime | None
    port: int
    admin_port: int
    store: Path | None
    options: Options
    faults: Sequence[FaultSpec]
    key_file: Path | None
    shape: Mapping[str, int]
    speed: float | None


def serve(**wanted: Unpack[Wanted]) -> Box:
    """An org that serves while its ``with`` (own thread) or ``async with`` (this loop) block lasts.

    ``now`` (aware) freezes the clock until it is moved; without it time is real. Port 0, the default, takes a free one.
    """
    return Box(Setup(**wanted))
