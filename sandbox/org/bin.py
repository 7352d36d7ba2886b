"""What went into the recycle bin together, so that it comes back together.

Must not mark rows as deleted: the Writer does. Source: Salesforce Help, "Manage Your Recycle Bin"; Object Reference,
undelete(): details return with their master, and lookups that were cleared are set again unless they were given another
value. Invariant: a record taken out of the bin is remembered here no longer.
"""

from sandbox.org.storage import Database


class Bin:
    """Remembers what one deletion took along."""

    def __init__(self, database: Database) -> None:
        self._database = database
        run = database.connection.execute
        run("CREATE TABLE IF NOT EXISTS _bin (record_id TEXT PRIMARY KEY, root_id TEXT NOT NULL) WITHOUT ROWID")
        run("CREATE INDEX IF NOT EXISTS _bin_root ON _bin (root_id)")
        run("CREATE TABLE IF NOT EXISTS _bin_cleared (root_id TEXT, child TEXT, child_id TEXT, field TEXT, parent_id TEXT)")
        run("CREATE INDEX IF NOT EXISTS _bin_cleared_root ON _bin_cleared (root_id)")

    def threw(self, record_id: str, root_id: str) -> None:
        """Note that a record went in because of another, or of itself."""
        self._database.connection.execute("INSERT OR REPLACE INTO _bin VALUES (?, ?)", (record_id, root_id))

    def cleared(self, child: str, child_id: str, field: str, parent_id: str, root_id: str) -> None:
        """Note a lookup that was cleared."""
        self._database.connection.execute("INSERT INTO _bin_cleared VALUES (?, ?, ?, ?, ?)", (root_id, child, child_id, field, parent_id))

    def thrown_with(self, record_id: str) -> list[str]:
        """List what went in with a record, itself first, and forget it."""
        found = [str(row[0]) for row in self._database.rows("SELECT record_id FROM _bin WHERE root_id = ?", (record_id,))]
        self._database.connection.execute("DELETE FROM _bin WHERE root_id = ? OR record_id = ?", (record_id, record_id))
        return [record_id, *(each for each in found if each != record_id)]

    def take_cleared(self, record_id: str) -> list[tuple[str, str, str, str]]:
        """List the lookups a deletion cleared as object, id, field, value, and forget them."""
        sql = "SELECT child, child_id, field, parent_id FROM _bin_cleared WHERE root_id = ?"
        found = [(str(row[0]), str(row[1]), str(row[2]), str(row[3])) for row in self._database.rows(sql, (record_id,))]
        self._database.connection.execute("DELETE FROM _bin_cleared WHERE root_id = ?", (record_id,))
        return found
