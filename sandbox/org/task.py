"""What a chunk of rows is to become, and what came of each row.

Must not hold behaviour. Invariant: cells of a row stand in the order of the task's columns.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from typing import Literal

from sandbox.org.errors import OrgError
from sandbox.org.schema import Field, ObjectType
from sandbox.org.types import Session
from sandbox.org.values import Stored

Operation = Literal["insert", "update", "upsert", "delete", "hardDelete"]
Admit = Callable[[int, Sequence[str]], OrgError | None]
"""Asked before a row (by its place in the chunk) is written, with the ids of the records it would lock."""

NULL = "#N/A"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the rows: the field it fills; for `Account.Ext__c` also the parent's object and the key it is found by.

    known: what cells were read as, kept from chunk to chunk; not for references.
    """

    field: Field
    parent: ObjectType | None = None
    key: Field | None = None
    known: dict[str, Stored] = dataclass_field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Task:
    """What is done with rows whose cells stand in these columns. An empty cell is not given; `#N/A` is null."""

    operation: Operation
    object: ObjectType
    columns: tuple[Column, ...]
    session: Session
    key: Field | None = None
    all_duplicates_fail: bool = True


@dataclass(slots=True)
class Outcome:
    """What came of one row."""

    id: str = ""
    created: bool = False
    error: OrgError | None = None


def with_client(session: Session, version: str) -> Session:
    """The session of a job: writes name Bulk API as their origin. Source: Change Data Capture Guide, "Change Event Header"."""
    return replace(session, api=f"bulkapi/{version}")
