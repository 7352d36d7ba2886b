"""Which other records a write of a row locks.

Pure. Source: Salesforce, "Record Locking Cheat Sheet" and "Managing Lookup Skew" (masters always, lookup targets when the lookup
is set or moved). Users, queues, record types and profiles are left out. Invariant: a row without references locks nothing else.
"""

from sandbox.org.schema import ObjectType
from sandbox.org.storage import Row

_UNLOCKED = frozenset({"User", "Group", "RecordType", "Profile", "Organization"})


def parents(one: ObjectType, values: Row) -> list[str]:
    """List the records that lookups among the values point at."""
    fields = one.fields
    return [
        str(value)
        for name, value in values.items()
        if value and fields[name].type == "reference" and not _UNLOCKED.intersection(fields[name].reference_to)
    ]


def masters(one: ObjectType, row: Row) -> list[str]:
    """List the masters of a row."""
    return [str(row[name]) for name, field in one.fields.items() if field.cascade_delete and not field.nillable and row.get(name)]
