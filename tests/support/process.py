"""The real program in a process of its own, forked from a parent that has imported everything: there in a moment, and may be killed.

Must not know the org. Invariant: whatever a test does, no process outlives its ``with`` block.
"""

import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

import requests

from tests.support.wounds import StoreWound

START_SECONDS = 60.0
END_SECONDS = 30.0
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["connector.cli", "tests.support.wounds", "tests.support.process"])


class DiedError(Exception):
    """The daemon is gone, as was planned."""


def be_dunwell(words: Sequence[str], environment: Mapping[str, str], out: Path, err: Path, wound: StoreWound | None) -> None:
    """Become ``dunwell WORDS`` in this process, with nothing of the parent's environment that is a setting."""
    from connector.cli import main

    for name in [name for name in os.environ if name.startswith("DUNWELL_")]:
        del os.environ[name]
    os.environ.update(environment)
    os.chdir(out.parent)
    for stream, path in ((1, out), (2, err)):
        handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        os.dup2(handle, stream)
        os.close(handle)
    sys.argv = ["dunwell", *words]
    if wound is not None:
        wound.arm()
    main()


class Program:
    """One run of a dunwell command. Its log is what it wrote to stdout."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], out: Path, *, wound: StoreWound | None = None) -> None:
        self.out, self.err = out, out.with_suffix(".err")
        out.touch(mode=0o600)
        self._read_from = out.stat().st_size
        self._process: BaseProcess = _forks.Process(target=be_dunwell, args=(words, environment, out, self.err, wound), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return int(self._process.pid or 0)

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative = ended by that signal."""
        return self._process.exitcode

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it is gone."""
        if self._process.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self, seconds: float = END_SECONDS) -> int:
        """Wait for its end; its exit code. Raises TimeoutError."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise TimeoutError("the program did not end")
        return self._process.exitcode

    def end(self) -> None:
        """See to it that it is gone."""
        self.signal(signal.SIGKILL)
        self._process.join(END_SECONDS)

    def text(self) -> str:
        """Everything this run wrote to stdout."""
        with self.out.open("rb") as file:
            file.seek(self._read_from)
            return file.read().decode()

    def errors(self) -> str:
        """Everything written to stderr."""
        return self.err.read_text() if self.err.exists() else ""

    def lines(self, event: str | None = None) -> list[dict[str, object]]:
        """Its log lines, all or those of one event; what is no JSON comes under ``text``."""
        found = [_line(text) for text in self.text().splitlines()]
        return [one for one in found if event is None or one.get("event") == event]


class DaemonProcess(Program):
    """``dunwell run``, with its probes."""

    def __init__(self, environment: Mapping[str, str], out: Path, *, wound: StoreWound | None = None) -> None:
        super().__init__(["run"], environment, out, wound=wound)
        self._http = requests.Session()
        self._url = ""

    def url(self) -> str:
        """Where its probes answer. Raises DiedError, TimeoutError."""
        until = time.monotonic() + START_SECONDS
        while not self._url:
            if self.exit_code is not None:
                raise DiedError(f"exit {self.exit_code}: {self.errors()[-2000:]}")
            self._url = next((f"http://127.0.0.1:{one['position']}" for one in self.lines("daemon.started")), "")
            if not self._url and time.monotonic() > until:
                raise TimeoutError(f"the daemon did not start: {self.text()[-2000:]}{self.errors()[-2000:]}")
            if not self._url:
                time.sleep(0.01)
        return self._url

    def get(self, path: str) -> requests.Response:
        """Ask its probes. Raises DiedError when it is gone."""
        try:
            return self._http.get(f"{self.url()}{path}", timeout=30)
        except requests.RequestException as error:
            self._process.join(END_SECONDS)
            if self.exit_code is not None:
                raise DiedError(f"exit {self.exit_code}") from error
            raise

    def status(self) -> dict[str, object]:
        """Answer of ``/status``."""
        found = self.get("/status").json()
        if not isinstance(found, dict):
            raise TypeError("the status is no object")
        return found

    def end(self) -> None:
        """See to it that it is gone, connections included."""
        super().end()
        self._http.close()


def _line(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        return {"text": text}
    return found if isinstance(found, dict) else {"text": text}
