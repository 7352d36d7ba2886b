"""A PostgreSQL of the tests' own: started from the binaries that are installed, gone with the block that asked for it.

Must not know what is stored. Invariants: it listens on a Unix socket in a folder of its own and on no port, so that
nobody else can reach it and no two get in each other's way; it never runs as root, which PostgreSQL refuses.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

USER = "dunwell"
_START_SECONDS = 30.0
_HOMES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
_SETTINGS = {
    "listen_addresses": "", "unix_socket_permissions": "0700", "max_connections": "60", "shared_buffers": "16MB",
    "fsync": "off", "full_page_writes": "off", "autovacuum": "off", "deadlock_timeout": "100ms", "timezone": "Asia/Kathmandu",
}  # fmt: skip
"""Processes are killed here, machines are not: nothing need reach the disk. A time zone that nobody expects shows who relies on it."""


def binaries() -> Path | None:
    """The folder of the newest PostgreSQL that is installed; None = there is none."""
    found = [folder for home in _HOMES for folder in Path("/").glob(home.lstrip("/")) if (folder / "initdb").exists()]
    on_path = shutil.which("initdb")
    if not found and on_path:
        found = [Path(on_path).resolve().parent]
    return max(found, key=lambda folder: (len(folder.parent.name), folder.parent.name), default=None)


class Postgres:
    """One running server."""

    def __init__(self, home: Path, folder: Path) -> None:
        self._home, self._folder = home, folder
        self._data = folder / "data"
        self._password = secrets.token_urlsafe(16)
        self._server: subprocess.Popen[bytes] | None = None
        self._make()
        self.start()

    def url(self, database: str = "postgres", *, password: str | None = None) -> str:
        """Where a database of this server is reached."""
        return f"postgresql+pg8000://{USER}:{password or self._password}@/{database}?unix_sock={self._folder}/.s.PGSQL.5432"

    def fresh(self) -> str:
        """URL of its one database, emptied: another database would be a thousand files more."""
        engine = create_engine(self.url())
        try:
            with engine.begin() as connection:
                connection.execute(text("DROP SCHEMA public CASCADE"))
                connection.execute(text("CREATE SCHEMA public"))
        finally:
            engine.dispose()
        return self.url()

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = [f"-c{name}={value}" for name, value in _SETTINGS.items()]
        words = [str(self._home / "postgres"), "-D", str(self._data), "-k", str(self._folder), *options]
        with (self._folder / "server.log").open("ab") as log:
            self._server = subprocess.Popen(self._as_nobody(words), stdout=log, stderr=log, stdin=subprocess.DEVNULL)  # noqa: S603 - our own words
        until = time.monotonic() + _START_SECONDS
        while subprocess.run([self._home / "pg_isready", "-q", "-h", self._folder], check=False).returncode:  # noqa: S603 - our own words
            if self._server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL did not start: {(self._folder / 'server.log').read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT cuts every connection, SIGQUIT is a crash."""
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait(_START_SECONDS)
            self._server = None

    def _make(self) -> None:
        secret = self._folder / "password"
        secret.write_text(self._password)
        secret.chmod(0o644)
        words = ["initdb", "-D", str(self._data), "-U", USER, "--pwfile", str(secret), "-A", "scram-sha-256", "-E", "UTF8", "--no-locale"]
        words[0] = str(self._home / "initdb")
        words = self._as_nobody([*words, "--no-sync", "--no-instructions"])
        done = subprocess.run(words, capture_output=True, check=False)  # noqa: S603 - our own words
        secret.unlink()
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stderr.decode()[-2000:]}")

    def _as_nobody(self, words: list[str]) -> list[str]:
        """The same command as another user where we are root, and so that it ends when we do."""
        if os.geteuid() != 0:
            return words
        user, group = _somebody()
        return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--pdeathsig=INT", "--", *words]


def _somebody() -> tuple[int, int]:
    """User and group that are not root: those that PostgreSQL's package makes, or else nobody."""
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            found = pwd.getpwnam(name)
            return found.pw_uid, found.pw_gid
    return 65534, 65534


@contextmanager
def running() -> Iterator[Postgres]:
    """Run a server. Skips the test where none is installed, except in CI: there it fails."""
    home = binaries()
    if home is None:
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL is not installed: .ci/clients should have")
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="dunwell-pg-"))  # not pytest's: the way there is closed to other users
    if os.geteuid() == 0:
        os.chown(folder, *_somebody())
    server = None
    try:
        server = Postgres(home, folder)
        yield server
    finally:
        if server is not None:
            server.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)
