"""What time it is, and waiting for a time, so that nobody else reads the machine's clock.

Must not decide anything. Its one invariant: ``now()`` is aware, in UTC, and every wait of the daemon goes
through a ``Clock``, so that a sandbox that moves its time moves the daemon with it.
"""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

import requests

from connector.errors import ConfigError, TransientError

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_SLICE_SECONDS = 30.0
_POLL_SECONDS = 0.05
_GRACE_SECONDS = 30.0


class Clock(Protocol):
    """Time and waiting. Both waits return True when ``wake`` was set, False when the time came."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...

    def wait(self, seconds: float, wake: threading.Event) -> bool:
        """Wait ``seconds`` of this clock."""
        ...

    def wait_until(self, at: datetime, wake: threading.Event) -> bool:
        """Wait for an instant of this clock."""
        ...


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC)

    def wait(self, seconds: float, wake: threading.Event) -> bool:
        """Wait ``seconds``; True as soon as ``wake`` is set, False when the time came."""
        return self.wait_until(self.now() + timedelta(seconds=seconds), wake)

    def wait_until(self, at: datetime, wake: threading.Event) -> bool:
        """Wait for the instant ``at``, in slices, so that a corrected or resumed machine clock is noticed."""
        while not wake.is_set():
            left = (at - self.now()).total_seconds()
            if left <= 0:
                return False
            wake.wait(min(left, _SLICE_SECONDS))
        return True


class LoopbackClock:
    """Time told by a program on this machine: ``GET url`` answers ``{"now": "2026-03-02T08:00:00+00:00"}``.

    Answers are kept for 50 ms and shared by all threads. While the other side is silent the last time told
    is repeated for 30 s, then ``now`` raises TransientError; waits go on until the time comes or they are woken.

    Raises ConfigError when the URL is not http on a loopback host: time from elsewhere would decide what is
    sent to customers.
    """

    def __init__(self, url: str, *, timeout_seconds: float = 5.0) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname not in LOOPBACK_HOSTS:
            raise ConfigError(
                f"the clock URL must be http on {', '.join(sorted(LOOPBACK_HOSTS))}: a clock elsewhere is refused. "
                "Leave DUNWELL_CLOCK_URL empty outside a sandbox"
            )
        self._timeout_seconds = timeout_seconds
        self._http = requests.Session()
        self._http.trust_env = False
        self._request = self._http.prepare_request(requests.Request("GET", url))  # asked twenty times a second: made once
        self._lock = threading.Lock()
        self._told: datetime | None = None
        self._asked = 0.0
        self._answered = 0.0

    def now(self) -> datetime:
        """Aware, UTC; at most 50 ms old. Raises TransientError when the clock was not readable for too long."""
        with self._lock:
            if self._told is not None and time.monotonic() - self._asked < _POLL_SECONDS:
                return self._told
            try:
                self._told = self._ask()
            except (requests.RequestException, ValueError, KeyError, TypeError) as error:
                if self._told is None or time.monotonic() - self._answered > _GRACE_SECONDS:
                    raise TransientError("the loopback clock gives no usable time", retry_after=1.0) from error
            else:
                self._answered = time.monotonic()
            self._asked = time.monotonic()
            return self._told

    def wait(self, seconds: float, wake: threading.Event) -> bool:
        """Wait until the told time is ``seconds`` further; True as soon as ``wake`` is set."""
        start = self._reading()
        while start is None:
            if wake.wait(_POLL_SECONDS):
                return True
            start = self._reading()
        return self.wait_until(start + timedelta(seconds=seconds), wake)

    def wait_until(self, at: datetime, wake: threading.Event) -> bool:
        """Wait until the told time is ``at`` or later; True as soon as ``wake`` is set."""
        while not wake.is_set():
            now = self._reading()
            if now is not None and now >= at:
                return False
            wake.wait(_POLL_SECONDS)
        return True

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def _ask(self) -> datetime:
        answer = self._http.send(self._request, timeout=self._timeout_seconds, allow_redirects=False)
        answer.raise_for_status()
        told = datetime.fromisoformat(answer.json()["now"])
        if told.tzinfo is None:
            raise ValueError("the time told has no offset")
        return told.astimezone(UTC)

    def _reading(self) -> datetime | None:
        try:
            return self.now()
        except TransientError:
            return None
