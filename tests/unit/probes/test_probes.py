"""The probes answer four questions on the loopback address, and nothing else."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import requests

from connector.errors import ConfigError, TransientError
from connector.probes import Metrics, Probed, Probes


class Daemon:
    """What a test wants to be asked."""

    def __init__(self):
        self.is_alive = True
        self.reasons = []
        self.metrics = Metrics()
        self.report = {"due": 3, "ready": True, "mode": "live", "now": datetime(2026, 3, 2, 8, 0, tzinfo=UTC), "amount": Decimal("40.00")}

    def status(self):
        """Say it, or fail as told."""
        if isinstance(self.report, Exception):
            raise self.report
        return self.report

    def refresh(self):
        """Bring the gauges up to date."""
        self.metrics.due_payers.labels("due").set(3)

    def probes(self, port=0):
        """Make a server that asks this daemon."""
        return Probes(Probed(lambda: self.is_alive, lambda: self.reasons, self.status, self.metrics, self.refresh), port=port)


@pytest.fixture
def daemon():
    """A daemon that is well."""
    return Daemon()


@pytest.fixture
def probes(daemon):
    """Its probes, serving."""
    serving = daemon.probes()
    serving.start()
    yield serving
    serving.stop()


def get(probes, path, **headers):
    """Ask as a monitor does."""
    with requests.Session() as http:
        http.trust_env = False
        return http.get(f"http://127.0.0.1:{probes.port}{path}", timeout=30, headers=headers)


def test_alive_is_200_and_stuck_is_503(daemon, probes):
    """A supervisor restarts on 503, never because the org is away."""
    assert get(probes, "/healthz").status_code == 200
    daemon.is_alive = False
    assert get(probes, "/healthz").status_code == 503


def test_not_ready_is_503_and_says_why(daemon, probes):
    """A daemon that waits for its org is not ready, but alive."""
    assert get(probes, "/readyz").json() == {"ready": True, "reasons": []}
    daemon.reasons = ["the org does not answer"]
    answer = get(probes, "/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "reasons": ["the org does not answer"]}
    assert get(probes, "/healthz").status_code == 200


def test_metrics_are_prometheus_text_and_gauges_are_fresh(daemon, probes):
    """Gauges are set when they are asked for, counters when things happen."""
    daemon.metrics.follow_ups.labels("remind").inc()
    answer = get(probes, "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert 'dunwell_follow_ups_total{kind="remind"} 1.0' in answer.text
    assert 'dunwell_due_payers{state="due"} 3.0' in answer.text


def test_every_metric_is_ours_by_name(daemon):
    """One prefix, so that a dashboard finds them all."""
    names = [line.split()[2] for line in daemon.metrics.text().decode().splitlines() if line.startswith("# TYPE")]
    assert len(names) > 7
    assert all(name.startswith("dunwell_") for name in names)


def test_two_daemons_in_one_process_do_not_share_numbers():
    """Each has a registry of its own."""
    one, two = Metrics(), Metrics()
    one.api_calls.inc()
    assert "dunwell_api_calls_total 1.0" in one.text().decode()
    assert "dunwell_api_calls_total 0.0" in two.text().decode()


def test_status_is_json_with_times_and_amounts_as_text(probes):
    """``dunwell status`` reads it as it is."""
    assert get(probes, "/status").json() == {"due": 3, "ready": True, "mode": "live", "now": "2026-03-02T08:00:00+00:00", "amount": "40.00"}


def test_a_passing_trouble_is_503_without_its_text(daemon, probes):
    """A busy store makes no stack trace."""
    daemon.report = TransientError("the store did not take it")
    answer = get(probes, "/status")
    assert (answer.status_code, answer.text) == (503, "TransientError\n")


def test_anything_else_is_404_and_only_get_is_answered(probes):
    """There is nothing to change here."""
    assert get(probes, "/").status_code == 404
    with requests.Session() as http:
        http.trust_env = False
        assert http.post(f"http://127.0.0.1:{probes.port}/status", timeout=30).status_code == 501


def test_a_name_that_points_here_from_elsewhere_is_refused(probes):
    """A web page cannot read the status through a visitor's browser."""
    assert get(probes, "/status", Host="dunwell.example.com").status_code == 403
    assert get(probes, "/status", Host=f"localhost:{probes.port}").status_code == 200


def test_a_taken_port_is_the_admins(probes, daemon):
    """The message says what to choose."""
    with pytest.raises(ConfigError, match="port"):
        daemon.probes(probes.port)


def test_stopping_gives_the_port_back(daemon):
    """A restart in the same second finds it free; one that was never started can be stopped."""
    first = daemon.probes()
    first.start()
    port = first.port
    first.stop()
    daemon.probes(port).stop()
