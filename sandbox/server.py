"""The running org: engine, event log, front, admin port and clock put together in one asyncio loop.

Only wiring and lifetime. Its invariant: org state is touched on the loop only; another thread goes through ``Box.run``.
"""

import asyncio
import contextlib
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from aiohttp import web

from sandbox.admin import Admin, Parts
from sandbox.faults import FaultSpec
from sandbox.http.bulk import Bulk
from sandbox.http.front import LARGEST_BODY, LONGEST_LINE, Front
from sandbox.http.oauth import OAuth
from sandbox.http.platform import Platform
from sandbox.http.wire import API_VERSION
from sandbox.options import Options
from sandbox.org.org import Org
from sandbox.page.layout import Layout, read_layout
from sandbox.page.site import Site
from sandbox.streaming.bus import EventBus
from sandbox.streaming.cometd import Cometd
from sandbox.streaming.log import EventLog
from sandbox.tokens import App, Tokens, make_app
from sandbox.worlds.hiring import staffed
from sandbox.worlds.opening import Wish, load_world, open_org

_START_SECONDS = 300.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Setup:
    """How an org is to be started. ``now`` (aware) freezes its clock; port 0 takes a free one; ``store`` keeps it on disk.

    ``shape`` holds parameters of the world's own, such as findock's months of history; ``page`` says what the page to look at
    shows (default: the world's own ``page.yaml``). With ``speed`` the clock runs from ``now`` on, so many seconds in one.
    """

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
    shape: Mapping[str, int] = field(default_factory=dict)
    page: Path | None = None
    speed: float | None = None


class Box:
    """One org on two ports. Start it with ``async with``, or in a thread of its own with ``with``."""

    def __init__(self, setup: Setup, make_org: Callable[[Setup, EventLog], Org] | None = None) -> None:
        self._setup = setup
        self._make_org = make_org or world_org
        self._cleanup = contextlib.AsyncExitStack()
        self._thread: threading.Thread | None = None
        self._stop: asyncio.Event | None = None
        self._had_events = False
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
        self._had_events = self._setup.store is not None and _events_of(self._setup.store).exists()
        self.log = _event_log(self._setup.store)
        self._cleanup.callback(self.log.close)
        self.org = self._make_org(self._setup, self.log)
        self._cleanup.callback(self.org.close)
        if self._setup.speed is not None:
            self.org.clock.run(self._setup.speed)
        self.integration = staffed(self.org)
        self.platform = Platform(self.org, self._setup.options)
        for spec in self._setup.faults:
            self.platform.faults.arm(spec)
        self.tokens = Tokens(self.org.org_id, time.monotonic)
        self.oauth = OAuth(self.platform, self.tokens, self.app, self.username, time.time)
        bus = EventBus(self.platform, self.log, self._loop)
        self.broker = bus.broker
        self.tokens.on_revoke.append(self.broker.revoke)
        self._write_key()
        front = Front(self.platform, self.tokens, self.oauth, Cometd(self.platform, self.tokens, self.broker))
        bulk = Bulk(self.platform, front.limit_info)
        self._cleanup.push_async_callback(bulk.close)
        front.streamed["jobs"] = bulk.answer
        admin = Admin(Parts(self.platform, self.tokens, self.oauth, bus, self.log, self.integration))
        site = Site(self.org, self._layout(), self.org.admin.id)
        self.platform.instance_url = f"http://localhost:{await self._open(front.routes, self._setup.port, site.routes)}"
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
            _forget_events(self._setup.store, self._had_events)
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

    def _layout(self) -> Layout:
        """What the page to look at shows: as set up, else as the world says, else nothing in particular."""
        if self._setup.page is not None:
            return read_layout(self._setup.page)
        return world_layout(self._setup.world) if self._make_org is world_org else Layout()

    async def _open(
        self, register: Callable[[web.Application], None], port: int, more: Callable[[web.Application], None] | None = None
    ) -> int:
        app = web.Application(client_max_size=LARGEST_BODY)
        register(app)
        if more is not None:
            more(app)
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
            folder = Path(tempfile.mkdtemp(prefix="sandbox-key-"))
            self._cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
            self.key_file = folder / "integration.key"
        else:
            self.key_file = self._setup.key_file
            self.key_file.unlink(missing_ok=True)
        self._cleanup.callback(self.key_file.unlink, missing_ok=True)
        handle = os.open(self.key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(self.app.key_pem)


def _events_of(store: Path) -> Path:
    return store.with_name(f"{store.name}.events")


def _forget_events(store: Path | None, had_events: bool) -> None:
    """Remove the log made for a store that did not come to be."""
    if store is not None and not store.exists() and not had_events:
        for ending in ("", "-wal", "-shm"):
            _events_of(store).with_name(f"{_events_of(store).name}{ending}").unlink(missing_ok=True)


def _event_log(store: Path | None) -> EventLog:
    """The log of an org: in memory, or in a file beside its store; a new store begins with an empty one."""
    if store is None:
        return EventLog()
    log = EventLog(_events_of(store))
    if not store.exists() or not store.stat().st_size:
        log.expire_before(log.last_replay_id() + 1)
    return log


def world_org(setup: Setup, log: EventLog) -> Org:
    """The org of a world: filled when new, as it was left when its store exists. Raises WorldError."""
    return open_org(Wish(setup.world, setup.payers, setup.seed, setup.now, setup.store, setup.shape), log)


def world_layout(name: str) -> Layout:
    """What a world wants its page to look at to show: the ``page.yaml`` in its package. Raises WorldError or ValueError."""
    beside = getattr(load_world(name), "__file__", None)
    return read_layout(Path(beside).parent / "page.yaml") if beside else Layout()
