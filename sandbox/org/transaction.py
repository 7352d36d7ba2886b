"""Transactions: everything in one happens, or nothing does; what follows from it happens once, at its end.

Must not know what is written. Invariant: changes and events of work that was rolled back are never delivered.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4, uuid5

from sandbox.org.clock import Clock
from sandbox.org.storage import Database
from sandbox.org.types import Change, Commit


class SpoiltError(Exception):
    """A trial in which something failed and was caught, so that part of a write may be left."""


class Transactions:
    """The transactions of one org; they nest, inner ones as savepoints."""

    def __init__(self, database: Database, clock: Clock, org_id: str) -> None:
        self._database = database
        self._clock = clock
        self._org_id = org_id
        self._depth = 0
        self._number = 0
        self._run = uuid4()
        self._changes: list[Change] = []
        self._waiting: list[Callable[[], object]] = []
        self._trial: bool = False
        self._spoilt: bool = False
        self.on_commit: list[Callable[[Commit], None]] = []

    @property
    def running(self) -> bool:
        """Whether a transaction is open."""
        return self._depth > 0

    def note(self, change: Change) -> None:
        """Remember a change until the transaction ends."""
        self._changes.append(change)

    def after_commit(self, action: Callable[[], object]) -> None:
        """Do something once the transaction has ended well."""
        self._waiting.append(action)

    def unique(self, what: str, number: int) -> str:
        """Make an identifier that never comes again, not even when the org is opened anew: transaction keys, event uuids."""
        return str(uuid5(self._run, f"{self._org_id}/{what}/{number}"))

    def noted(self, since: int = 0) -> list[Change]:
        """List the changes of the open transaction, from the n-th on."""
        return self._changes[since:]

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Try many writes with one savepoint for all: whatever fails in it, even if caught, undoes it whole.

        Raises SpoiltError when something inside failed and was caught: then do the same work without a trial.
        """
        if self._trial:
            yield
            return
        with self.scope():
            self._trial, self._spoilt = True, False
            try:
                yield
            finally:
                self._trial = False
            if self._spoilt:
                raise SpoiltError

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Open a transaction, or a savepoint inside one (none inside a trial)."""
        if self._trial:
            try:
                yield
            except BaseException:
                self._spoilt = True
                raise
            return
        run = self._database.connection.execute
        depth = self._depth
        changes, waiting = len(self._changes), len(self._waiting)
        if depth == 0:
            self._database.before_write()
        run("BEGIN" if depth == 0 else f"SAVEPOINT s{depth}")
        self._depth += 1
        try:
            yield
        except BaseException:
            self._depth = depth
            run("ROLLBACK" if depth == 0 else f"ROLLBACK TO s{depth}")
            if depth:
                run(f"RELEASE s{depth}")
            del self._changes[changes:]
            del self._waiting[waiting:]
            raise
        self._depth = depth
        run("COMMIT" if depth == 0 else f"RELEASE s{depth}")
        if depth == 0:
            self._deliver()

    def _deliver(self) -> None:
        changes, self._changes = tuple(self._changes), []
        waiting, self._waiting = self._waiting, []
        if changes:
            self._number += 1
            commit = Commit(self.unique("transaction", self._number), self._number, changes, self._clock.now())
            for listener in tuple(self.on_commit):
                listener(commit)
        for action in waiting:
            action()
