"""A Dask cluster of the tests' own: scheduler and workers are processes as an admin starts them, gone with the block that asked for them.

Must not know what is worked on. Invariants: it listens on this machine alone, on ports nobody chose; no process outlives its ``with`` block.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

_START_SECONDS = 60.0
_READY = "Registered to:"


class Dask:
    """A scheduler, and workers of one thread each. ``words`` go to each command (certificates), ``environment`` is theirs beside our own."""

    def __init__(
        self, folder: Path, workers: int = 0, words: Sequence[str] = (), environment: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._folder, self._words, self._environment = folder, words, {**os.environ, **environment}
        self._known = folder / "scheduler.json"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-jupyter", "--scheduler-file", str(self._known)
        )
        try:
            self._until("scheduler", self._known.exists)
            self.address: str = json.loads(self._known.read_text())["address"]
            self.join(workers)
        except BaseException:
            self.end()
            raise

    def join(self, count: int) -> None:
        """Let so many workers more join, and wait until they have."""
        started = len(self.workers)
        for number in range(started, started + count):
            where = ("--host", "127.0.0.1", "--local-directory", str(self._folder / f"worker{number}"))
            self.workers.append(
                self._start(f"worker{number}", self.address, "--nthreads", "1", "--no-nanny", "--memory-limit", "0", *where)
            )
        for number in range(started, started + count):
            self._until(f"worker{number}", lambda number=number: _READY in self._log(f"worker{number}").read_text())

    def end(self) -> None:
        """See to it that all are gone."""
        for one in (*self.workers, self.scheduler):
            one.kill()
            one.wait(_START_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end()

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _start(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{name.rstrip('0123456789')}", *words, "--no-dashboard", *self._words]
        with self._log(name).open("wb") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder, env=self._environment)  # noqa: S603 - our own command

    def _until(self, name: str, ready: Callable[[], bool]) -> None:
        until = time.monotonic() + _START_SECONDS
        while not ready():
            if time.monotonic() > until or (self.workers and name != "scheduler" and self.workers[-1].poll() is not None):
                raise TimeoutError(f"the {name} did not start: {self._log(name).read_text()[-2000:]}")
            time.sleep(0.01)
