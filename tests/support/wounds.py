"""Where the daemon is killed: at a request the org sees, or at a write to its own store. Nothing of the daemon is changed.

Must not judge what comes of it. Invariant: a wound kills once, by SIGKILL, exactly where it says.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident
from typing import Literal

from sqlalchemy import Engine, event

from sandbox.faults import Faults, FaultSpec, Kind

_WRITES = ("INSERT", "UPDATE", "DELETE", "CREATE")


@dataclass(frozen=True, slots=True)
class RequestWound:
    """At the ``number``-th request the org sees from now on: before it is executed, or after it is and before the answer."""

    when: Literal["before", "after"]
    number: int


@dataclass(frozen=True, slots=True)
class StoreWound:
    """At the ``number``-th moment of writing to the store: before a statement, or before its commit. 0 only counts, into ``count``."""

    number: int
    count: Path | None = None

    def arm(self) -> None:
        """Let it happen in this very process."""
        seen = 0

        def moment() -> None:
            nonlocal seen
            seen += 1
            if self.count is not None:
                fresh = self.count.with_suffix(f".{get_ident()}")
                fresh.write_text(str(seen))
                fresh.replace(self.count)  # a reader never meets a file that is half written
            if seen == self.number:
                os.kill(os.getpid(), signal.SIGKILL)

        @event.listens_for(Engine, "before_cursor_execute")
        def statement(_connection: object, _cursor: object, text: str, *_: object) -> None:
            if text.lstrip().upper().startswith(_WRITES):
                moment()

        @event.listens_for(Engine, "commit")
        def commit(_connection: object) -> None:
            moment()


class Deathwatch(Faults):
    """The org's faults, and one more: it watches each request and at one of them the client dies."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[str] = []
        """Method and path of each request, in order of arrival."""
        self.answered: list[str] = []
        self.killed_at: str | None = None
        self._wound: RequestWound | None = None
        self._kill: Callable[[], None] = lambda: None
        self._left = 0

    def expect(self, wound: RequestWound, kill: Callable[[], None]) -> None:
        """Kill at that request, counted from now."""
        self._wound, self._kill, self._left = wound, kill, wound.number

    def spare(self) -> None:
        """Kill nobody any more."""
        self._wound = None

    def take(self, kind: Kind, *, method: str = "", path: str = "", target: str = "", named: bool = False) -> FaultSpec | None:
        """As ``Faults.take``; the front asks for ``latency`` when a request comes, for ``timeout_after_commit`` when it is done."""
        if kind == "latency":
            self.begun.append(f"{method} {path}")
        if kind == "timeout_after_commit":
            self.answered.append(f"{method} {path}")
        if kind == "drop" and self._strikes("before", method, path):
            return FaultSpec(kind="drop")
        if kind == "timeout_after_commit" and self._strikes("after", method, path):
            return FaultSpec(kind="timeout_after_commit")
        return super().take(kind, method=method, path=path, target=target, named=named)

    def _strikes(self, when: str, method: str, path: str) -> bool:
        if self._wound is None or self._wound.when != when:
            return False
        self._left -= 1
        if self._left:
            return False
        self._wound, self.killed_at = None, f"{when} {method} {path}"
        self._kill()
        return True
