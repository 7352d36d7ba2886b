"""What others may ask a running daemon over HTTP: alive, ready, metrics, status.

Must not change anything or tell of a single payer. Its one invariant: it listens on the loopback address
unless told otherwise, answers GET only, and an answer holds counts, times and words of Dunwell's own.

    /healthz   200 while the process is worth keeping, 503 when it should be restarted
    /readyz    200 when it takes work, 503 with the reasons when not
    /metrics   Prometheus text format
    /status    JSON for ``dunwell status``
"""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from connector.clock import LOOPBACK_HOSTS
from connector.errors import ConfigError, DunwellError

_BATCH_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_TEXT = "text/plain; charset=utf-8"


class Metrics:
    """Every number that Dunwell publishes, in a registry of its own; all names begin with ``dunwell_``.

    Counters are moved as things happen; gauges are set by ``Probed.refresh`` just before they are read.
    """

    def __init__(self) -> None:
        own = self.registry = CollectorRegistry()
        self.events = Counter("dunwell_events", "Events written down, by channel.", ["channel"], registry=own)
        self.payers = Counter("dunwell_payers", "Payers handled, by result: treated, postponed, parked.", ["result"], registry=own)
        self.follow_ups = Counter("dunwell_follow_ups", "Follow-ups decided, by kind.", ["kind"], registry=own)
        self.withheld = Counter("dunwell_withheld", "Follow-ups withheld, by reason.", ["reason"], registry=own)
        self.writes = Counter("dunwell_writes", "Records written, by object and how: inserted, updated.", ["object", "how"], registry=own)
        self.api_calls = Counter("dunwell_api_calls", "Calls to the org's API.", registry=own)
        self.batch_seconds = Histogram("dunwell_batch_seconds", "Time to treat a batch.", buckets=_BATCH_SECONDS, registry=own)
        self.stream_connected = Gauge("dunwell_stream_connected", "1 while events flow.", registry=own)
        self.due_payers = Gauge("dunwell_due_payers", "Payers by state: due, later, leased, parked.", ["state"], registry=own)
        self.inbox_events = Gauge("dunwell_inbox_events", "Events by state: waiting, parked.", ["state"], registry=own)
        self.oldest_due_seconds = Gauge("dunwell_oldest_due_seconds", "For how long the oldest due payer waits.", registry=own)

    def text(self) -> bytes:
        """Return all of them in the Prometheus text format."""
        return generate_latest(self.registry)


@dataclass(frozen=True, slots=True)
class Probed:
    """What the probes ask. Each is called on a thread of the server and must be quick.

    ``alive`` False = restart me. ``not_ready`` gives the reasons, none = ready. ``status`` gives JSON values
    (aware datetimes and Decimals are written as text). ``refresh`` sets gauges before metrics are read.
    """

    alive: Callable[[], bool]
    not_ready: Callable[[], Sequence[str]]
    status: Callable[[], Mapping[str, object]]
    metrics: Metrics
    refresh: Callable[[], None] = lambda: None


class Probes:
    """The server. Port 0 takes a free one, ``port`` tells which. Raises ConfigError when the port is taken."""

    def __init__(self, probed: Probed, *, port: int, host: str = "127.0.0.1") -> None:
        handler = type("Answer", (_Answer,), {"probed": probed, "local_only": host in LOOPBACK_HOSTS})
        try:
            self._server = ThreadingHTTPServer((host, port), handler)
        except OSError as error:
            raise ConfigError(f"the probes cannot listen on port {port}: choose another one, or 0 for any") from error
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="probes", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Answer, in threads of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and give the port back."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Answer(BaseHTTPRequestHandler):
    probed: Probed
    local_only: bool
    server_version = "dunwell"
    sys_version = ""
    timeout = 10

    def do_GET(self) -> None:
        answers: dict[str, Callable[[], None]] = {
            "/healthz": self._healthz,
            "/readyz": self._readyz,
            "/metrics": self._metrics,
            "/status": self._status,
        }
        if self.local_only and urlsplit(f"//{self.headers.get('Host', 'localhost')}").hostname not in LOOPBACK_HOSTS:
            # a web page that got its name to point here could read the answers otherwise
            self._send(403, _TEXT, b"loopback only\n")
            return
        answer = answers.get(self.path.split("?", 1)[0])
        if answer is None:
            self._send(404, _TEXT, b"ask /healthz, /readyz, /metrics or /status\n")
            return
        try:
            answer()
        except DunwellError as error:
            self._send(503, _TEXT, f"{type(error).__name__}\n".encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the name is the standard library's
        """Say nothing: a probe a second is no event."""

    def _healthz(self) -> None:
        alive = self.probed.alive()
        self._send(200 if alive else 503, _TEXT, b"alive\n" if alive else b"stuck\n")

    def _readyz(self) -> None:
        reasons = list(self.probed.not_ready())
        self._json(503 if reasons else 200, {"ready": not reasons, "reasons": reasons})

    def _metrics(self) -> None:
        self.probed.refresh()
        self._send(200, CONTENT_TYPE_LATEST, self.probed.metrics.text())

    def _status(self) -> None:
        self._json(200, self.probed.status())

    def _json(self, status: int, body: Mapping[str, object]) -> None:
        self._send(status, "application/json", json.dumps(body, default=_plain).encode() + b"\n")

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value).__name__)
