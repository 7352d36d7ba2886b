"""The processes of the burst benchmark, and what can be seen of them from outside without disturbing them.

Must not judge. Invariant: every process started here ends with its ``with`` block; CPU is read from the kernel,
progress of the daemon from its store's file, never by asking it.
"""

import json
import os
import queue
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[1]
TICK = os.sysconf("SC_CLK_TCK")
START_SECONDS = 300.0


@dataclass(slots=True)
class Talker:
    """A process that says JSON lines on its standard output."""

    process: "subprocess.Popen[str]"
    lines: "queue.Queue[dict[str, Any]]" = field(default_factory=queue.Queue)

    def listen(self) -> None:
        """Take every line as it comes, in a thread."""
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self.process.stdout or ():
            self.lines.put(json.loads(line))

    def say(self, value: object) -> None:
        """Send it a JSON line."""
        if self.process.stdin is not None:
            self.process.stdin.write(json.dumps(value) + "\n")
            self.process.stdin.flush()

    def next(self, key: str, seconds: float) -> dict[str, Any]:
        """The next line that has ``key``; others are dropped. Raises TimeoutError."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with suppress(queue.Empty):
                found = self.lines.get(timeout=0.2)
                if key in found:
                    return found
            if self.process.poll() is not None and self.lines.empty():
                raise RuntimeError(f"a process of the benchmark ended (exit {self.process.returncode})")
        raise TimeoutError(f"nothing said '{key}' in {seconds:.0f} seconds")

    def taken(self) -> list[dict[str, Any]]:
        """All lines said since the last look."""
        found = []
        with suppress(queue.Empty):
            while True:
                found.append(self.lines.get_nowait())
        return found

    @property
    def cpu(self) -> float:
        """User and system seconds of all threads so far."""
        return cpu_of(self.process.pid)


def cpu_of(pid: int) -> float:
    """CPU seconds of a process (proc(5): utime and stime of /proc/PID/stat, in clock ticks)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def machine() -> dict[str, object]:
    """What it runs on."""
    models = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "cores": os.cpu_count(), "cpu": models[0] if models else "unknown", "python": sys.version.split()[0],
        "load": [round(one, 2) for one in os.getloadavg()],
    }  # fmt: skip


@contextmanager
def talking(words: list[str]) -> Iterator[Talker]:
    """Run a Python program of ours that says JSON lines."""
    environment = {**_clean(), "PYTHONUNBUFFERED": "1"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, *words], cwd=ROOT, env=environment, text=True, **pipes)  # noqa: S603 - our own program
    with process:
        talker = Talker(process)
        talker.listen()
        try:
            yield talker
        finally:
            end(process)


@dataclass(slots=True)
class Running:
    """The daemon as it runs."""

    process: "subprocess.Popen[bytes]"
    store: Path
    status_url: str

    @property
    def cpu(self) -> float:
        """User and system seconds of all threads so far."""
        return cpu_of(self.process.pid)

    def status(self) -> dict[str, Any]:
        """What it says of itself; asked outside the measured time only."""
        return dict(requests.get(self.status_url, timeout=10).json())

    def wait(self, events: int, seconds: float) -> float:
        """Wait until ``events`` events in all are settled and nobody is due or in hand; when that was seen (monotonic)."""
        until = time.monotonic() + seconds
        with sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, isolation_level=None) as store:
            while time.monotonic() < until:
                done = store.execute(
                    "SELECT count(*) FROM inbox WHERE state = 'done' AND channel = '/event/Payment_Outcome__e'"
                ).fetchone()[0]
                seen = time.monotonic()
                if done >= events:
                    open_ = store.execute(
                        "SELECT count(*) FROM due WHERE lease_until IS NOT NULL OR due_at <= ?", (time.time_ns() // 1000,)
                    ).fetchone()[0]
                    if not open_:
                        return seen
                if self.process.poll() is not None:
                    raise RuntimeError(f"the daemon ended (exit {self.process.returncode})")
                time.sleep(0.004)
        raise TimeoutError(f"the daemon did not finish in {seconds:.0f} seconds: {self.status()}")


@contextmanager
def daemon(line: Mapping[str, str], folder: Path, profile: Path | None) -> Iterator[Running]:
    """Run the daemon against the sandbox, under cProfile where asked for; settings are the demo's but for the time, which is real.

    It does not poll meanwhile: the package's own word that the installments failed would tell it before the events do.
    """
    settings = {
        "DUNWELL_LOGIN_URL": line["instance_url"], "DUNWELL_AUTH": "jwt", "DUNWELL_CLIENT_ID": line["client_id"], "DUNWELL_USERNAME": line["username"],
        "DUNWELL_KEY_FILE": line["key_file"], "DUNWELL_MAPPING": "findock", "DUNWELL_STORE_URL": f"sqlite:///{folder / 'store.db'}",
        "DUNWELL_HTTP_PORT": "0", "DUNWELL_POLL_SECONDS": "3600",
        "DUNWELL_RECONCILE_CRON": "0 2 1 1 *", "DUNWELL_CATCH_UP_CRON": "20 2 1 1 *", "DUNWELL_API_VERSION": line["api_version"],
    }  # fmt: skip
    words = [sys.executable, *(["-m", "cProfile", "-o", str(profile)] if profile else []), "-m", "connector", "run"]
    log = folder / "daemon.log"
    with (
        log.open("w") as file,
        subprocess.Popen(words, cwd=folder, env={**_clean(), **settings}, stdout=file, stderr=subprocess.STDOUT) as process,  # noqa: S603
    ):
        try:
            yield Running(process, folder / "store.db", _ready(log, process))
        finally:
            end(process)


def _clean() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DUNWELL_")}
    return {**kept, "PYTHONPATH": str(ROOT)}


def _ready(log: Path, process: "subprocess.Popen[bytes]") -> str:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        for line in log.read_text().splitlines():
            found = json.loads(line) if line.startswith("{") else {}
            if found.get("event") == "daemon.started":
                url = f"http://127.0.0.1:{found['position']}"
                with suppress(requests.RequestException):
                    if requests.get(f"{url}/readyz", timeout=5).status_code == 200:
                        return f"{url}/status"
        time.sleep(0.1)
    raise RuntimeError(f"the daemon did not get ready:\n{log.read_text()[-2000:]}")


def end(process: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> None:
    """End a process; by force if it will not."""
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(20)
    if process.poll() is None:
        process.kill()
