"""The business's files as they are now: a changed mapping, policy, template or table is taken up without a restart.

Must not know what the files say. Invariants: what is in force was read whole and without a fault; a wrong change keeps what was, and is
told once; files that are still being written are left alone until they have been still for a moment.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Generic, TypeVar

from connector import log
from connector.clock import Clock
from connector.errors import ConfigError

EVERY = timedelta(seconds=5)
"""How often the files are looked at."""
SUFFIXES = frozenset({".yaml", ".csv", ".txt"})
Stamp = frozenset[tuple[str, int, int]]
_log = log.get("dunwell.reloading")
_Kept = TypeVar("_Kept")


class Reloading(Generic[_Kept]):
    """Gives what ``read`` made of the files below ``directory`` when they were last right. Safe for many threads.

    Args:
        directory: where the files are.
        kept: what is in force.
        read: reads everything anew, from what is in force to what will be; raises ConfigError naming every fault.
        clock: tells when to look again.

    """

    def __init__(self, directory: Path, kept: _Kept, read: Callable[[_Kept], _Kept], clock: Clock) -> None:
        self._directory, self._read, self._clock = directory, read, clock
        self._kept = kept
        self._lock = threading.Lock()
        self._in_force = self._met = stamp_of(directory)
        self._looked_at: datetime | None = None

    def __call__(self) -> _Kept:
        """Give what is in force, after a look at the files where it is time for one."""
        now = self._clock.now()
        with self._lock:
            if self._looked_at is None or not timedelta() <= now - self._looked_at < EVERY:
                self._looked_at = now
                self._look()
            return self._kept

    def _look(self) -> None:
        found = stamp_of(self._directory)
        still, self._met = found == self._met, found
        if found == self._in_force or not still:
            return
        self._in_force = found
        try:
            self._kept = self._read(self._kept)
        except ConfigError as error:
            _log.error("config.refused", count=len(error.problems), **log.fault(error))
        else:
            _log.info("config.loaded", count=len(found))


def stamp_of(directory: Path) -> Stamp:
    """Tell the files apart by path, time and size; one that goes away meanwhile is not there."""
    found = set()
    for path in directory.rglob("*"):
        if path.suffix in SUFFIXES:
            try:
                seen = path.stat()
            except OSError:
                continue
            found.add((path.relative_to(directory).as_posix(), seen.st_mtime_ns, seen.st_size))
    return frozenset(found)
