"""What those who run an org do with it, past rights, triggers and events: fill it, hide rows, empty the bin, keep facts.

Must not be reachable by clients of the org. A part of Org, with its lock and its transactions. Invariant: nothing here is told
to listeners.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager

from sandbox.org import ids, kept
from sandbox.org.access import Access
from sandbox.org.bulk import Loader
from sandbox.org.errors import not_found
from sandbox.org.filling import filling
from sandbox.org.schema import Schema
from sandbox.org.storage import Database
from sandbox.org.transaction import Transactions
from sandbox.org.types import User


class Upkeep:
    """The upkeep of one org."""

    schema: Schema
    admin: User
    _lock: AbstractContextManager[bool]
    _database: Database
    _access: Access
    _transactions: Transactions

    def _loader(self, user_id: str) -> Loader:
        raise NotImplementedError

    def bulk_load(self, sobject: str, rows: Sequence[Mapping[str, object]]) -> list[str]:
        """Insert many rows without events or triggers; return their ids. Rows may set ids and audit fields.

        Created rows that name no time of change count as changed when they were created. Raises OrgError.
        """
        with self._lock, self._transactions.scope():
            return self._loader(self.admin.id).load(sobject, rows)

    @contextmanager
    def filling(self) -> Iterator[None]:
        """Fill the org faster while this lasts: nothing is synced, unique values are checked at the end, nobody else may write.

        Raises sqlite3.IntegrityError for a unique value given twice; the org is then no use.
        """
        with self._lock:
            self._database.before_write()
            with filling(self._database.connection):
                yield

    def remember(self, name: str, value: str) -> None:
        """Keep a fact about the org with its rows."""
        with self._lock:
            kept.remember(self._database.connection, name, value)

    def recall(self, name: str) -> str | None:
        """Give a fact kept before, or None."""
        with self._lock:
            return kept.recall(self._database.connection, name)

    def hide(self, sobject: str, record_ids: Sequence[str], from_user: str) -> None:
        """Let a user no longer see some records, as a change of sharing would."""
        del sobject
        with self._lock:
            self._database.before_write()
            self._access.hide([ids.normal(each) or each for each in record_ids], from_user)

    def unhide(self, sobject: str, record_ids: Sequence[str] | None, from_user: str) -> None:
        """Let a user see records again: those named, or all of the object. Raises OrgError for an unknown object."""
        one = self.schema.get(sobject)
        if one is None:
            raise not_found()
        with self._lock:
            self._database.before_write()
            wanted = None if record_ids is None else [ids.normal(each) or each for each in record_ids]
            self._access.unhide(one.key_prefix, wanted, from_user)

    def ids_where(self, sobject: str, field: str, value: str) -> list[str]:
        """List the ids of the live records that have a value in a field, whoever may see them."""
        with self._lock:
            return self._database.live_ids(self.schema.objects[sobject], field, value)

    def empty_bin(self) -> int:
        """Empty the recycle bin for good; return how many records went."""
        with self._lock:
            self._database.before_write()
            return self._database.remove_deleted()
