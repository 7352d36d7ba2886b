"""The two processes of the demo: a sandbox org and the daemon against it.

Must not know any story. Invariant: whatever happens, both processes end with the ``with`` block.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from connector.app import opened
from connector.demo.world import ROOT, World
from connector.errors import ConfigError, TransientError
from connector.pipeline.sweep import sweep
from connector.settings import load

START_SECONDS = 60.0
ORG_FILE = "org.db"
"""The org of a demo that is kept."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where everything is."""

    sandbox: Mapping[str, str]
    """The line the sandbox printed."""
    status_url: str
    settings: Mapping[str, str]
    """Environment of the daemon, for a second command beside it."""
    log: Path

    def status(self) -> dict[str, object]:
        """What the daemon says of itself."""
        answer = requests.get(self.status_url, timeout=10)
        answer.raise_for_status()
        found = answer.json()
        if not isinstance(found, dict):
            raise TransientError("the daemon's status is no object")
        return found

    def reconcile(self) -> list[dict[str, object]]:
        """Run the pass over everyone twice against the same org, as ``dunwell reconcile`` does; what each found."""
        with opened(load(self.settings, env_file=None)) as app:
            found = []
            for _ in range(2):
                before = app.org.calls
                found.append({**sweep(app.context, batch_payers=app.settings.batch_payers).summary(), "api_calls": app.org.calls - before})
            return found


@contextmanager
def staged(world: World, *, payers: int, seed: int, now: str, keep: Path | None) -> Iterator[Stage]:
    """Start the sandbox at ``now`` and the daemon against it; end both afterwards.

    Raises:
        ConfigError: there is no sandbox beside this installation.
        TransientError: one of them did not start.

    """
    if not world.stories.is_file():
        raise ConfigError("the demo needs the source tree: clone the repository and run `make demo` there")
    with TemporaryDirectory(prefix="dunwell-demo-") as scratch:
        folder = keep if keep is not None else Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for old in (*folder.glob("store.db*"), *folder.glob(f"{ORG_FILE}*")):
            old.unlink()
        kept = ["--store", str(folder / ORG_FILE)] if keep is not None else []
        with (
            _sandbox(["--world", world.name, "--payers", str(payers), "--seed", str(seed), "--now", now, *kept], folder) as line,
            _daemon(world, line, folder) as stage,
        ):
            yield stage


@contextmanager
def _sandbox(how: Sequence[str], folder: Path) -> Iterator[Mapping[str, str]]:
    words = [sys.executable, "-m", "sandbox", "--port", "0", "--admin-port", "0", *how]
    with (
        (folder / "sandbox.log").open("w") as errors,
        subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True) as process,  # noqa: S603 - our own program
    ):
        try:
            printed = process.stdout.readline() if process.stdout else ""
            if not printed.strip():
                raise TransientError(f"the sandbox did not start; see {errors.name if folder.exists() else 'its log'}")
            yield json.loads(printed)
        finally:
            _end(process)


@contextmanager
def _daemon(world: World, line: Mapping[str, str], folder: Path) -> Iterator[Stage]:
    settings = {
        "DUNWELL_LOGIN_URL": line["instance_url"], "DUNWELL_AUTH": "jwt", "DUNWELL_CLIENT_ID": line["client_id"], "DUNWELL_USERNAME": line["username"],
        "DUNWELL_KEY_FILE": line["key_file"], "DUNWELL_MAPPING": world.name, "DUNWELL_STORE_URL": f"sqlite:///{folder / 'store.db'}",
        "DUNWELL_CLOCK_URL": f"{line['admin_url']}/clock", "DUNWELL_HTTP_PORT": "0", "DUNWELL_POLL_SECONDS": "60", "DUNWELL_DEBOUNCE_SECONDS": "0.1",
        "DUNWELL_RECONCILE_CRON": "0 2 1 1 *", "DUNWELL_CATCH_UP_CRON": "20 2 1 1 *", "DUNWELL_API_VERSION": line["api_version"],
    }  # fmt: skip
    path = folder / "daemon.log"
    with (
        path.open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "connector", "run"], cwd=folder, env={**_clean(), **settings}, stdout=log, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            yield Stage(line, _status_url(path, process), settings, path)
        finally:
            _end(process)


def _clean() -> dict[str, str]:
    """Give the environment without any setting of a real org."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DUNWELL_")}
    return {**kept, "PYTHONPATH": str(ROOT)}


def _status_url(path: Path, process: subprocess.Popen[bytes]) -> str:
    """Wait until the daemon says which port it took, and is ready."""
    until = time.monotonic() + START_SECONDS
    url = ""
    while time.monotonic() < until and process.poll() is None:
        if not url:
            url = next(
                (
                    f"http://127.0.0.1:{found['position']}"
                    for line in path.read_text().splitlines()
                    if (found := _line(line)).get("event") == "daemon.started"
                ),
                "",
            )
        else:
            with suppress(requests.RequestException):
                if requests.get(f"{url}/readyz", timeout=5).status_code == 200:
                    return f"{url}/status"
        time.sleep(0.05)
    raise TransientError(f"the daemon did not get ready:\n{path.read_text()[-2000:]}")


def _line(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _end(process: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    if process.poll() is None:
        process.kill()
