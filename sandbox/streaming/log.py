"""The event log: every platform event and change event of the org, kept for replay.

It knows nothing of HTTP, sessions or who listens, so that any front (CometD today, gRPC some day) stands on the same three
calls: append, read on from an id, look up a schema. One SQLite table, in memory or in a file: an append is one small commit
without an fsync (write-ahead log), so that killing the process loses nothing that was appended.
Its invariant: replay ids only rise, restarts included, and are never contiguous by promise, so that nobody can compute the next.

Source of the rules (D.1, D.2 of the platform notes): -1 means new events only, -2 everything retained, an id means the
events after it; an id outside what is retained, or never issued on the channel, is refused.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock

NEW_ONLY = -1
ALL_RETAINED = -2
FIRST_REPLAY_ID = 1000
MOST_EVENTS = 500_000
_PRUNE_EVERY = 1000
_TABLES = """
CREATE TABLE IF NOT EXISTS event (
    replay_id INTEGER PRIMARY KEY, channel TEXT NOT NULL, event_uuid TEXT NOT NULL, schema_id TEXT NOT NULL,
    at REAL NOT NULL, payload TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS event_channel ON event (channel, replay_id);
CREATE TABLE IF NOT EXISTS schema (id TEXT PRIMARY KEY, definition TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS last (one INTEGER PRIMARY KEY CHECK (one = 1), replay_id INTEGER NOT NULL, issued INTEGER NOT NULL);
"""


class InvalidReplayIdError(LookupError):
    """The replay id is past retention, or was never issued on this channel."""

    def __init__(self, channel: str, replay_id: int) -> None:
        self.channel = channel
        self.replay_id = replay_id
        super().__init__(f"replay id {replay_id} was never issued on {channel} or is no longer retained")


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it was published. ``payload`` is ready for JSON; ``at`` is the org's time of publication."""

    channel: str
    replay_id: int
    event_uuid: str
    payload: Mapping[str, object]
    at: datetime
    schema_id: str = ""


class EventLog:
    """Events in order of publication, at most ``most`` of them, in a file or (without ``path``) in memory.

    ``on_append`` is called with every event right after it is stored; listeners must not publish from inside it.
    """

    def __init__(self, path: Path | None = None, *, most: int = MOST_EVENTS) -> None:
        self.on_append: list[Callable[[Event], None]] = []
        self._most = most
        self._lock = RLock()
        self._schema_ids: dict[str, str] = {}
        self._groups: dict[str, tuple[str, ...]] = {}
        self._database = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        if path is not None:
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_TABLES)
        self._database.execute("INSERT OR IGNORE INTO last VALUES (1, ?, 0)", (FIRST_REPLAY_ID,))
        last: tuple[int, int] = self._database.execute("SELECT replay_id, issued FROM last").fetchone()
        self._last, self._issued = last

    def append(self, channel: str, payload: Mapping[str, object], *, event_uuid: str, at: datetime) -> int:
        """Store one event and return its replay id, higher than every one before it."""
        with self._lock:
            self._issued += 1
            self._last += 1 + (self._issued * 7 % 4)
            event = Event(channel, self._last, event_uuid, payload, at, self._schema_ids.get(channel, ""))
            run = self._database.execute
            run("BEGIN")
            text = json.dumps(payload, separators=(",", ":"))
            run("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)", (self._last, channel, event_uuid, event.schema_id, at.timestamp(), text))
            run("UPDATE last SET replay_id = ?, issued = ?", (self._last, self._issued))
            if self._issued % _PRUNE_EVERY == 0:
                self._prune()
            run("COMMIT")
        for listener in tuple(self.on_append):
            listener(event)
        return event.replay_id

    def group(self, channel: str, members: Iterable[str]) -> None:
        """Let ``channel`` carry the events of other channels as well (``/data/ChangeEvents``, custom channels)."""
        self._groups[channel] = tuple(dict.fromkeys(members))

    def members(self, channel: str) -> tuple[str, ...]:
        """The channels whose events a subscriber of ``channel`` receives; itself when it is no group."""
        return self._groups.get(channel, (channel,))

    def since(self, channel: str, replay_id: int) -> list[Event]:
        """The retained events after ``replay_id``, oldest first; none for -1, all for -2.

        Raises InvalidReplayIdError for an id that is not retained or was never issued on this channel.
        """
        if replay_id == NEW_ONLY:
            return []
        members = self.members(channel)
        carried = f"channel IN ({', '.join('?' * len(members))})"
        with self._lock:
            read = self._database.execute
            if replay_id != ALL_RETAINED:
                known = read(f"SELECT 1 FROM event WHERE replay_id = ? AND {carried}", (replay_id, *members)).fetchone()
                if known is None:
                    raise InvalidReplayIdError(channel, replay_id)
            wanted = "channel, replay_id, event_uuid, payload, at, schema_id"
            rows = read(
                f"SELECT {wanted} FROM event WHERE replay_id > ? AND {carried} ORDER BY replay_id", (replay_id, *members)
            ).fetchall()
        return [Event(row[0], row[1], row[2], json.loads(row[3]), datetime.fromtimestamp(row[4], UTC), row[5]) for row in rows]

    def last_replay_id(self) -> int:
        """The highest replay id issued so far, on any channel."""
        return self._last

    def expire_before(self, limit: int | datetime) -> int:
        """Forget the events before a replay id, or published before a time; return how many went."""
        column, value = ("at", limit.timestamp()) if isinstance(limit, datetime) else ("replay_id", limit)
        with self._lock:
            gone: int = self._database.execute(f"DELETE FROM event WHERE {column} < ?", (value,)).rowcount
        return gone

    def name_schema(self, channel: str, schema_id: str, definition: Mapping[str, object]) -> None:
        """Let the events of a channel carry this schema id from now on; the definition stays known for good."""
        with self._lock:
            self._schema_ids[channel] = schema_id
            self._database.execute("INSERT OR IGNORE INTO schema VALUES (?, ?)", (schema_id, json.dumps(definition)))

    def schema(self, schema_id: str) -> dict[str, object] | None:
        """The definition that a schema id stands for, also one of an earlier run; None when it was never issued."""
        with self._lock:
            found = self._database.execute("SELECT definition FROM schema WHERE id = ?", (schema_id,)).fetchone()
        return None if found is None else dict(json.loads(found[0]))

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _prune(self) -> None:
        """Keep the newest events only, when there are too many."""
        kept = self._database.execute("SELECT replay_id FROM event ORDER BY replay_id DESC LIMIT 1 OFFSET ?", (self._most - 1,)).fetchone()
        if kept is not None:
            self._database.execute("DELETE FROM event WHERE replay_id < ?", kept)
