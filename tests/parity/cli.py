"""The ``sf`` command line with a home of its own, logged in to one org.

Must not touch the home of whoever runs the tests. Invariant: no telemetry, no update, and every project file it writes stays in its folder.
"""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 180
AT_A_TIME = 3
_QUIET = {
    "SF_DISABLE_TELEMETRY": "true", "SF_AUTOUPDATE_DISABLE": "true", "SF_USE_GENERIC_UNIX_KEYCHAIN": "true", "SF_HIDE_RELEASE_NOTES": "true",
    "SF_SKIP_NEW_VERSION_CHECK": "true", "SF_DISABLE_DNS_CHECK": "true", "NO_COLOR": "1", "FORCE_COLOR": "0", "COLUMNS": "200",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command wrote, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it wrote as JSON: ``status`` and ``result``, or what went wrong."""
        return json.loads(self.out)

    @property
    def result(self) -> Any:
        """The result of a command that went well."""
        assert self.status == 0, self.out[-2000:] + self.err[-2000:]
        return self.json["result"]


@dataclass(frozen=True, slots=True)
class Cli:
    """The command line in a folder."""

    command: Sequence[str]
    folder: Path

    def __call__(self, *words: str) -> Answer:
        """Run one command to its end."""
        environment = {
            **{name: value for name, value in os.environ.items() if name != "CI" and not name.startswith(("SF_", "SFDX_"))},
            **_QUIET,
        }
        done = subprocess.run(  # noqa: S603 - the command under test
            [*self.command, *words],
            cwd=self.folder,
            env={**environment, "HOME": str(self.folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def all(self, commands: Mapping[str, Sequence[str]]) -> dict[str, Answer]:
        """Run commands that do not depend on each other, a few at a time; their answers by name."""
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            running = {name: pool.submit(self, *words) for name, words in commands.items()}
            return {name: future.result() for name, future in running.items()}
