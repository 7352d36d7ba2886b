"""The daemon as an operator meets it: signals, exit codes, probes, and the org it belongs to."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.picture import made_twice
from tests.support.process import Program
from tests.support.scenario import MONDAY_TEN, NO_MONEY, outcomes_come_in
from tests.support.scenario import NEIGHBOURS as EVERYBODY
from tests.support.stage import Stage, staged
from tests.support.town import Neighbour, outcome

NEIGHBOURS = (Neighbour("Ada"),)
OTHER_ORG = "00D5e0000000002EAA"


def test_a_signal_ends_it_in_order_and_nothing_is_left_half_done(tmp_path: Path) -> None:
    """SIGTERM in the middle of a burst: what is in hand is finished, exit 0, and the next start does the rest."""
    with staged(tmp_path, EVERYBODY) as stage:
        stage.start()
        stage.rest()
        stage.together(lambda: (stage.at(MONDAY_TEN), outcomes_come_in(stage)))
        stage.until(lambda: stage.running().lines("event.received"), "no event came")
        assert stage.stop() == 0, stage.trouble()
        assert [line["event"] for line in stage.running().lines()][-1] == "daemon.stopped"
        assert stage.loud() == [] or {line["event"] for line in stage.loud()} == {"outcome.parked"}
        with stage.store() as store:
            assert store.due_counts(stage.now()).leased == 0
        stage.start()
        stage.rest(polled=True)
        assert len(stage.query("SELECT Id FROM Dunwell_Attempt__c")) == 7
        assert made_twice(stage) == []
        assert stage.reconcile()["changes"] == 0


def test_a_signal_that_comes_during_a_poll_is_not_forgotten(tmp_path: Path) -> None:
    """A poll that is under way is read to its end, and then nobody waits for the next one."""
    with staged(tmp_path, NEIGHBOURS) as stage:
        stage.start()
        stage.rest()
        seen = len(stage.watch.begun)
        stage.fault("latency", path="composite", seconds=1)
        stage.later()
        stage.until(lambda: any("composite" in one for one in stage.watch.begun[seen:]), "it did not poll")
        began = time.monotonic()
        assert stage.stop() == 0
        assert time.monotonic() - began < 8, "it waited for something until its time was over"
        assert [line["event"] for line in stage.running().lines()][-1] == "daemon.stopped"


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    """Whoever cannot wait sends SIGTERM twice."""
    with staged(tmp_path, NEIGHBOURS) as stage:
        stage.start()
        stage.rest()
        stage.fault("latency", path="composite", seconds=8, count=None)
        stage.publish(outcome(stage.town.bill("Ada"), "failed", stage.now(), "ada-1", **NO_MONEY))
        stage.until(lambda: stage.running().status()["inbox"], "no event came")
        daemon = stage.running()
        daemon.signal(signal.SIGTERM)
        stage.until(lambda: daemon.lines("daemon.stop_requested"), "the signal was not noticed")
        began = time.monotonic()
        daemon.signal(signal.SIGTERM)
        assert daemon.wait(5) == -signal.SIGTERM
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("words", [("run",), ("reconcile",), ("check",)])
def test_another_org_than_the_one_configured_is_refused(words: tuple[str, ...], tmp_path: Path) -> None:
    """A refreshed sandbox or a copied configuration never reaches customers: exit 2, both ids named, nothing written."""
    with staged(tmp_path, NEIGHBOURS, DUNWELL_ORG_ID=OTHER_ORG) as stage:
        done = stage.run(*words)
        assert done.exit_code == 2, done.errors()
        assert OTHER_ORG in done.errors()
        assert stage.box.org.org_id in done.errors()
        assert not any("/sobjects" in one for one in stage.watch.begun)


def test_the_first_org_seen_is_the_only_one_for_its_store(tmp_path: Path) -> None:
    """Without an org id in the settings the store remembers the org: pointed at another one, the daemon refuses."""
    with staged(tmp_path, NEIGHBOURS) as stage:
        stage.start()
        stage.rest()
        assert stage.stop() == 0
    with staged(tmp_path, NEIGHBOURS, org_id=OTHER_ORG) as stage:
        assert stage.box.org.org_id == OTHER_ORG
        done = stage.run("run")
        assert done.exit_code == 2, done.errors()
        assert "not 00D5e0000000001EAA" in done.errors()


def test_every_fault_of_the_settings_is_told_at_once(tmp_path: Path) -> None:
    """A misspelt name and an unusable value: one line each with what was probably meant, no value, exit 2."""
    environment = {"DUNWELL_LOGIN_URK": "https://secret.example.com", "DUNWELL_POLL_SECONDS": "sometimes", "DUNWELL_AUTH": "jwt"}
    program = Program(["run"], environment, tmp_path / "run.out")
    try:
        assert program.wait() == 2
    finally:
        program.end()
    told = program.errors()
    assert "did you mean DUNWELL_LOGIN_URL" in told
    assert "DUNWELL_POLL_SECONDS" in told
    assert "secret" not in told
    assert "sometimes" not in told


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Stage]:
    """A daemon that has treated somebody."""
    with staged(tmp_path, NEIGHBOURS) as stage:
        stage.start()
        stage.rest()
        stage.publish(outcome(stage.town.bill("Ada"), "failed", stage.now(), "ada-1", **NO_MONEY))
        stage.rest()
        yield stage


def test_probes_tell_how_it_is_and_of_nobody(busy: Stage) -> None:
    """Alive, ready, counted, and not a word of a payer."""
    daemon = busy.running()
    assert daemon.get("/healthz").status_code == 200
    assert daemon.get("/readyz").status_code == 200
    metrics = daemon.get("/metrics").text
    for name in (
        'dunwell_payers_total{result="treated"}',
        "dunwell_writes_total{",
        "dunwell_stream_connected 1.0",
        "dunwell_api_calls_total",
        "dunwell_events_total{",
    ):
        assert any(line.startswith(name) and not line.endswith(" 0.0") for line in metrics.splitlines()), f"{name}\n{metrics}"
    status = daemon.status()
    assert {"now", "mode", "ready", "api_calls", "stream", "received", "treated", "polled_at", "inbox", "due", "later", "parked"} <= set(
        status
    )
    assert status["ready"] is True
    told = metrics + str(status)
    assert [word for word in (*busy.town.payers.values(), "Voorbeeld", "Ada", busy.box.client_id) if word in told] == []
    assert daemon.get("/nothing").status_code == 404


def test_it_is_not_ready_before_the_stream_is_there(tmp_path: Path) -> None:
    """While events cannot flow it says so, stays alive, and becomes ready by itself."""
    with staged(tmp_path, NEIGHBOURS) as stage:
        stage.fault("bayeux_http", count=None, status=503)
        daemon = stage.start()
        stage.until(lambda: daemon.status()["polled_at"], "it did not poll")
        answer = daemon.get("/readyz")
        assert answer.status_code == 503
        assert "event stream" in answer.text
        assert daemon.get("/healthz").status_code == 200
        stage.admin("faults", method="DELETE")
        stage.rest()
        assert daemon.get("/readyz").status_code == 200


def test_probes_listen_on_loopback_alone(busy: Stage) -> None:
    """Nobody on the network can ask, unless told otherwise."""
    port = int(busy.running().url().rpartition(":")[2])
    listening = [
        line.split()[1] for line in Path(f"/proc/{busy.running().pid}/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"
    ]
    addresses = {one.partition(":")[0] for one in listening if int(one.partition(":")[2], 16) == port}
    assert addresses == {"0100007F"}


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """The private key is the way in: readable by others, it stops the daemon with what to do."""
    with staged(tmp_path, NEIGHBOURS) as stage:
        stage.box.key_file.chmod(0o644)
        done = stage.run("run")
        assert done.exit_code == 2
        assert "chmod 600" in done.errors()
        assert str(stage.box.key_file) not in done.errors()
