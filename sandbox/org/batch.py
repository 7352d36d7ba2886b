"""Chunks of rows, each chunk one transaction in which every row succeeds or fails by itself.

Must not know HTTP, jobs or CSV. Rows that name one record are refused beforehand. A chunk is first tried whole with one savepoint; rows that break a validation rule are left
out and the rest is tried again, as the platform does; if a trigger refuses, each row gets a savepoint of its own. Triggers
hear of the rows when all of them are written, as on the platform. Invariant: what comes of a row is what came of it had it
been written alone after those before it, and of a failed row nothing is left.
"""

from collections.abc import Sequence

from sandbox.org.chunk import Chunk, RefusedError, Tools
from sandbox.org.dml import Writer
from sandbox.org.doubles import doubles
from sandbox.org.errors import OrgError
from sandbox.org.expressions import Expressions
from sandbox.org.parts import Parts
from sandbox.org.prepare import Preparation
from sandbox.org.schema import ObjectType
from sandbox.org.task import Admit, Outcome, Task
from sandbox.org.transaction import SpoiltError
from sandbox.org.types import Session

_ROUNDS = 5


class Batches:
    """Writes chunks of one org."""

    def __init__(self, parts: Parts, writer: Writer, expressions: Expressions) -> None:
        self._parts = parts
        self._transactions = parts.transactions
        self._expressions = expressions
        self._tools = Tools(parts, writer, Preparation(parts.schema, parts.database, parts.access), self._broken)

    def write(self, task: Task, rows: Sequence[Sequence[str]], admit: Admit | None = None) -> list[Outcome]:
        """Write a chunk; return what came of each row. Never raises OrgError."""
        refused = doubles(task, rows)
        for _ in range(_ROUNDS):
            try:
                with self._transactions.trial():
                    return Chunk(self._tools, task, admit).run(rows, refused)
            except RefusedError as found:
                refused.update(found.refused)
            except (OrgError, SpoiltError):
                break
        with self._transactions.scope():
            return [self._alone(task, row, refused.get(place), _shifted(admit, place)) for place, row in enumerate(rows)]

    def _alone(self, task: Task, row: Sequence[str], refused: OrgError | None, admit: Admit | None) -> Outcome:
        if refused is not None:
            return Outcome(error=refused)
        try:
            with self._transactions.scope():
                return Chunk(self._tools, task, admit).run([row], {})[0]
        except RefusedError as found:
            return Outcome(error=found.refused[0])
        except OrgError as error:
            return Outcome(error=error)

    def _broken(self, one: ObjectType, record_ids: Sequence[str], session: Session) -> dict[str, OrgError]:
        """Find the records, already written, that break a validation rule."""
        rights, now = self._parts.access.rights(session.user_id), self._parts.clock.now()
        found: dict[str, OrgError] = {}
        for record_id in record_ids:
            try:
                self._expressions.check_rules(one, record_id, rights, now)
            except OrgError as error:
                found[record_id] = error
        return found


def _shifted(admit: Admit | None, place: int) -> Admit | None:
    return None if admit is None else lambda _, locked: admit(place, locked)
