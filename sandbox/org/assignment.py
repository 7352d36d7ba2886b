"""Assignment rules: who gets a new case or lead.

Must not write. The active rule of an object is read line by line; the first line whose criteria hold decides. Source:
Metadata API Developer Guide, AssignmentRules; Salesforce Help, "Set Up Assignment Rules". Lines with a formula never fit and
are listed as ignored. Invariant: without an active rule nobody is chosen.
"""

from collections.abc import Mapping

from sandbox.org.criteria import holds
from sandbox.org.schema import ObjectType, Schema
from sandbox.org.setup import AssignmentEntry
from sandbox.org.storage import Database
from sandbox.org.values import Stored


class Assignment:
    """The assignment rules of one org."""

    def __init__(self, schema: Schema, database: Database) -> None:
        self._database = database
        self._active = {each.sobject: each for each in schema.assignment_rules if each.active}

    def owner(self, one: ObjectType, row: Mapping[str, Stored]) -> str | None:
        """Give the id of the user or queue a record goes to, or None."""
        rule = self._active.get(one.name)
        if rule is None:
            return None
        fits = (each for each in rule.entries if each.formula is None and holds(one, each.criteria, row))
        return next((self._id(each) for each in fits), None)

    def _id(self, entry: AssignmentEntry) -> str | None:
        if entry.assigned_to is None:
            return None
        if entry.assigned_to_type == "Queue":
            sql = 'SELECT "Id" FROM "Group" WHERE "DeveloperName" = ? AND "Type" = \'Queue\' AND "IsDeleted" = 0'
        else:
            sql = 'SELECT "Id" FROM "User" WHERE "Username" = ?'
        found = self._database.rows(sql, (entry.assigned_to,))
        return str(found[0][0]) if found else None
