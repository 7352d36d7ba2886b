"""The commands as a person runs them: real processes, their two streams and their exit status, with or without a local org."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

import sandbox
from sandbox.org import Session
from sandbox.org.types import Commit
from tests.support.process import Program

MONDAY = datetime.fromisoformat("2026-03-02T09:00:00+01:00")


@dataclass(frozen=True)
class Done:
    """What a person sees of one command."""

    status: int
    out: str
    err: str


Dunwell = Callable[..., Done]


@pytest.fixture
def dunwell(tmp_path: Path) -> Iterator[Dunwell]:
    """Runs a command to its end in an empty folder, with only these settings: ``dunwell("check", **settings)``."""
    runs: list[Program] = []

    def run(*words: str, **settings: str) -> Done:
        runs.append(Program(words, {"COLUMNS": "200", **settings}, tmp_path / f"run-{len(runs)}.out"))
        status = runs[-1].wait(60)
        done = Done(status, runs[-1].text(), runs[-1].errors())
        assert "Traceback" not in done.err, done.err
        return done

    yield run
    for one in runs:
        one.end()


class LocalOrg:
    """A believable org of forty payers on a Monday morning, and what is committed to it."""

    def __init__(self, box: sandbox.Box) -> None:
        self.box = box
        self.commits: list[Commit] = []
        box.run(lambda: box.org.on_commit.append(self.commits.append))

    def settings(self, folder: Path) -> dict[str, str]:
        """Settings of a daemon with its store in ``folder``."""
        return {
            "DUNWELL_LOGIN_URL": self.box.instance_url, "DUNWELL_CLIENT_ID": self.box.client_id, "DUNWELL_USERNAME": self.box.username,
            "DUNWELL_KEY_FILE": str(self.box.key_file), "DUNWELL_STORE_URL": f"sqlite:///{folder / 'store.db'}",
            "DUNWELL_CLOCK_URL": f"{self.box.admin_url}/clock",
        }  # fmt: skip

    def fail(self, story: str) -> str:
        """The payment a payer owes this month fails for want of money; the payer's id."""

        def work() -> str:
            org = self.box.org
            soql = f"SELECT Id, cpm__Contact__c FROM cpm__Installment__c WHERE cpm__External_ID__c = '{story}:2026-03'"
            (bill,) = org.query(soql, user_id=org.admin.id).records
            failed = {"cpm__Status__c": "Failed", "cpm__Last_ReasonCode_Received__c": "AM04"}
            org.update("cpm__Installment__c", str(bill["Id"]), failed, session=Session(org.admin.id))
            return str(bill["cpm__Contact__c"])

        return self.box.run(work)

    def touched(self, since: int) -> set[str]:
        """Objects changed by everything committed after the first ``since`` commits."""
        return {change.sobject for commit in self.commits[since:] for change in commit.changes}


@pytest.fixture(scope="module")
def local_org() -> Iterator[LocalOrg]:
    """One org for all tests of a module; each test fails payments of its own payers."""
    with sandbox.serve(world="findock", payers=40, seed=1, now=MONDAY) as box:
        yield LocalOrg(box)


@pytest.fixture
def connected(local_org: LocalOrg, tmp_path: Path) -> Mapping[str, str]:
    """Settings that lead to the local org, with a store of the test's own."""
    return local_org.settings(tmp_path)
