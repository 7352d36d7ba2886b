"""The running org: engine, event log, front, admin port and clock put together in one asyncio loop.

Only wiring and lifetime. Its invariant: org state is touched on the loop only; another thread goes through ``Box.run``.
"""

import asyncio
import contextlib
import importlib
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TypeVar, cast

from aiohttp import web

from sandbox.admin import Admin, Parts
from sandbox.faults import FaultSpec
from sandbox.http.front import LARGEST_BODY, LONGEST_LINE, Front
from sandbox.http.oauth import OAuth
from sandbox.http.platform import Platform
from sandbox.http.wire import API_VERSION
from sandbox.options import Options
from sandbox.org.clock import Clock
from sandbox.org.metadata import load_schema
from sandbox.org.org import Org
from sandbox.org.types import Commit, User
from sandbox.streaming.bayeux import Broker
from sandbox.streaming.changes import change_events, channel_of, channels
from sandbox.streaming.cometd import Cometd
from sandbox.streaming.log import Event, EventLog
from sandbox.tokens import App, Tokens, make_app

INTEGRATION = "dunwell.integration@sandbox.example"
ADMIN = "admin@sandbox.example"
PACKAGE = "package@sandbox.example"
_START_SECONDS = 120.0
T = TypeVar("T")


class World(Protocol):
    """What a world module offers: its metadata, how to fill it, and what its package does by itself."""

    DX: Sequence[Path]

    def build(self, org: Org, *, payers: int, seed: int) -> None:
        """Fill an empty org."""
        ...

    def automate(self, org: Org) -> None:
        """Register the package's own triggers."""
        ...


def load_world(name: str) -> World:
    """The world of that name below ``sandbox.worlds``. Raises ModuleNotFoundError."""
    return cast(World, importlib.import_module(f"sandbox.worlds.{name}"))


@dataclass(frozen=True, slots=True)
class Setup:
    """How an org is to be started. ``now`` (aware) freezes its clock; port 0 takes a free one; ``store`` keeps it on disk."""

    world: str = "findock"
    payers: int = 300
    seed: int = 1
    now: datetime | None = None
    port: int = 0
    admin_port: int = 0
    store: Path | None = None
    options: Options = field(default_factory=Options)
    faults: Sequence[FaultSpec] = ()
    key_file: Path | None = None


class Box:
    """One org on two ports. Start it with ``async with``, or in a thread of its own with ``with``."""

    def __init__(self, setup: Setup, make_org: Callable[[Setup, EventLog], Org] | None = None) -> None:
        self._setup = setup
        self._make_org = make_org or world_org
        self._cleanup = contextlib.AsyncExitStack()
        self._thread: threading.Thread | None = None
        self._stop: asyncio.Event | None = None
        self.admin_url = ""
        self.app: App = make_app()
        self.key_file = Path()

    # what tests and the demo look at

    @property
    def instance_url(self) -> str:
        """``http://localhost:PORT``, no trailing slash."""
        return self.platform.instance_url

    @property
    def client_id(self) -> str:
        """The consumer key of the app."""
        return self.app.client_id

    @property
    def client_secret(self) -> str:
        """The consumer secret of the app."""
        return self.app.client_secret

    @property
    def username(self) -> str:
        """The integration user's name."""
        return self.integration.username

    def credentials(self) -> dict[str, str]:
        """The line printed once the org serves."""
        return {
            "instance_url": self.instance_url,
            "admin_url": self.admin_url,
            "api_version": API_VERSION,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "username": self.username,
            "key_file": str(self.key_file),
            "page": f"{self.instance_url}/",
        }

    def token(self, username: str | None = None) -> str:
        """A fresh access token for a user (default: the integration user)."""
        return self.run(lambda: self.oauth.issue(username or self.username)["access_token"])

    def run(self, work: Callable[[], T]) -> T:
        """Do something with the org on its own thread and return the result; how other threads touch ``org``."""
        if self._thread is None or threading.current_thread() is self._thread:
            return work()

        async def on_loop() -> T:
            return work()

        return asyncio.run_coroutine_threadsafe(on_loop(), self._loop).result()

    # lifetime

    async def start(self) -> None:
        """Build the org and open both ports."""
        self._loop = asyncio.get_running_loop()
        self.log = EventLog() if self._setup.store is None else EventLog(int(time.time()) * 1000)  # ids of an earlier run stay invalid
        self.org = self._make_org(self._setup, self.log)
        self._cleanup.callback(self.org.close)
        self.integration, *_ = [_person(self.org, name) for name in (INTEGRATION, ADMIN, PACKAGE)]
        self.platform = Platform(self.org, self._setup.options)
        for spec in self._setup.faults:
            self.platform.faults.arm(spec)
        self.tokens = Tokens(self.org.org_id, time.monotonic)
        self.oauth = OAuth(self.platform, self.tokens, self.app, self.username, time.time)
        carried = channels(self.org.schema)
        for channel, members in carried.items():
            self.log.group(channel, [channel_of(name) for name in members])
        self.broker = Broker(self.platform, self.log, carried, self._loop.time)
        self.log.on_append.append(self._appended)
        captured = frozenset(name for members in carried.values() for name in members)
        self.org.on_commit.append(lambda commit: self._committed(commit, captured))
        self._write_key()
        front = Front(self.platform, self.tokens, self.oauth, Cometd(self.platform, self.tokens, self.broker))
        admin = Admin(Parts(self.platform, self.tokens, self.oauth, self.broker, self.log, self.integration))
        self.platform.instance_url = f"http://localhost:{await self._open(front.routes, self._setup.port)}"
        self.admin_url = f"http://localhost:{await self._open(admin.routes, self._setup.admin_port)}"

    async def stop(self) -> None:
        """Close the ports, answer the polls still held, remove the key file."""
        self.broker.drop()
        await self._cleanup.aclose()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self._cleanup.aclose()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()

    def __enter__(self) -> Self:
        ready = threading.Event()
        failed: list[BaseException] = []
        self._thread = threading.Thread(target=self._in_thread, args=(ready, failed), name="sandbox", daemon=True)
        self._thread.start()
        if not ready.wait(_START_SECONDS):
            raise TimeoutError("the sandbox did not start")
        if failed:
            self._thread.join()
            raise failed[0]
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        if self._thread is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
            self._thread = None

    def _in_thread(self, ready: threading.Event, failed: list[BaseException]) -> None:
        async def serve_until_stopped() -> None:
            self._stop = asyncio.Event()
            async with self:
                ready.set()
                await self._stop.wait()

        try:
            asyncio.run(serve_until_stopped())
        except BaseException as problem:  # handed to the thread that waits for us
            if ready.is_set():
                raise
            failed.append(problem)
            ready.set()

    async def _open(self, register: Callable[[web.Application], None], port: int) -> int:
        app = web.Application(client_max_size=LARGEST_BODY)
        register(app)
        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.5, max_line_size=LONGEST_LINE, max_field_size=LONGEST_LINE, keepalive_timeout=3600
        )
        await runner.setup()
        self._cleanup.push_async_callback(runner.cleanup)
        listener = socket.create_server(("127.0.0.1", port), backlog=256)
        await web.SockSite(runner, listener).start()
        return int(listener.getsockname()[1])

    def _write_key(self) -> None:
        if self._setup.key_file is None:
            folder = Path(tempfile.mkdtemp(prefix="dunwell-sandbox-"))
            self._cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
            self.key_file = folder / "integration.key"
        else:
            self.key_file = self._setup.key_file
            self.key_file.unlink(missing_ok=True)
        self._cleanup.callback(self.key_file.unlink, missing_ok=True)
        handle = os.open(self.key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(self.app.key_pem)

    def _appended(self, event: Event) -> None:
        try:
            on_loop = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            on_loop = False
        if on_loop:
            self.broker.deliver(event)
        else:
            self._loop.call_soon_threadsafe(self.broker.deliver, event)

    def _committed(self, commit: Commit, captured: frozenset[str]) -> None:
        for event in change_events(commit, captured):
            self.log.append(event.channel, event.payload, event_uuid=event.event_uuid, at=commit.at)


def _person(org: Org, username: str) -> User:
    """One of the three users every world has; made here unless the world made it."""
    known = org.user_by_name(username)
    if known is not None:
        return known
    if username == INTEGRATION:
        return org.add_user(username, first_name="Dunwell", last_name="Integration", permission_sets=[*org.schema.permission_sets])
    if username == ADMIN:
        return org.add_user(username, first_name="Alex", last_name="Admin", is_admin=True, view_all=True)
    return org.add_user(username, first_name="Package", last_name="Automation", is_admin=True, view_all=True)


def world_org(setup: Setup, log: EventLog) -> Org:
    """The org of a world: filled when new, as it was left when its store exists."""
    world = load_world(setup.world)
    known = setup.store is not None and setup.store.exists() and setup.store.stat().st_size > 0
    org = Org(load_schema(world.DX), Clock(setup.now), store=setup.store, events=log)
    if not known:
        world.build(org, payers=setup.payers, seed=setup.seed)
    world.automate(org)
    return org
