"""A served org that clients which are not ours work with, and a way to run the scripts of those written for Node."""

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox import Box, Options, serve
from tests.parity.cli import Cli
from tests.parity.nodes import HERE, node, package, sf_command

ADMIN = "admin@sandbox.example"
PATIENCE_SECONDS = 120
EVENT = {
    "Provider__c": "Northwind Pay", "Installment_Reference__c": "parity", "Outcome__c": "failed",
    "Occurred_At__c": "2026-03-02T08:00:00Z", "Version__c": "1",
}  # fmt: skip
Seen = Any
"""What a script saw: JSON."""


@pytest.fixture(scope="session")
def org() -> Iterator[Box]:
    """A small world with short query pages, on real time; tests share it, each with records of its own."""
    with serve(world="findock", payers=40, options=Options(query_batch=200)) as box:
        yield box


@pytest.fixture(scope="session")
def jsforce(org: Box) -> Callable[[str], Seen]:
    """Run a script of ``tests/parity/jsforce`` against the org; what it printed."""
    package("jsforce")
    told = json.dumps({**org.credentials(), "admin": ADMIN, "event": EVENT})

    def run(script: str) -> Seen:
        command = [str(node()), str(HERE / "jsforce" / f"{script}.mjs"), told]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)  # noqa: S603 - our own script
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def sf(org: Box, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """The ``sf`` command line, logged in as the administrator by key."""
    cli = Cli(sf_command(), tmp_path_factory.mktemp("sf"))
    words = ("-o", ADMIN, "-f", str(org.key_file), "-i", org.client_id, "-r", org.instance_url, "--set-default", "--json")
    assert cli("org", "login", "jwt", *words).result["username"] == ADMIN
    return cli
