"""What single standard objects insist on before they are written or deleted: record types, tasks, payments, assignment.

Must not write. Source: Object Reference, Task, Payment; platform notes E.1 and E.3; Salesforce Help, "Record Types",
"Assignment Rules". Invariant: a write that passes here changes nothing an object's own states forbid.
"""

from collections.abc import Callable

from sandbox.org.assignment import Assignment
from sandbox.org.errors import OrgError
from sandbox.org.parts import Parts
from sandbox.org.recordtypes import RecordTypes
from sandbox.org.schema import ObjectType
from sandbox.org.storage import Row
from sandbox.org.types import Session

_NEXT = {"Draft": ("Draft", "Processed", "Canceled"), "Processed": ("Processed", "Canceled")}
_CANCELLATION = "Cancellation"


class Conduct:
    """The rules of single objects in one org."""

    def __init__(self, parts: Parts) -> None:
        self._schema = parts.schema
        self._record_types = RecordTypes(parts.schema, parts.database, parts.access)
        self._assignment = Assignment(parts.schema, parts.database)

    def before(self, one: ObjectType, given: Row, before: Row | None, session: Session, default_owner: str | None) -> None:
        """Complete and check the values of a write; `before` is the row as it was, None for a new one. Raises OrgError."""
        self._record_types.complete(one, given, before, session)
        if session.auto_assign and one.name in ("Case", "Lead"):
            owner = self._assignment.owner(one, {**(before or {}), **given})
            if owner is None and one.name == "Case":
                owner = default_owner
            if owner is not None:
                given["OwnerId"] = owner
        check = _CHECKS.get(one.name)
        if check is not None:
            check(self, given, before)

    def before_delete(self, one: ObjectType, row: Row) -> None:
        """Refuse to delete what its state protects. Raises OrgError."""
        if one.name in ("Payment", "Refund") and row.get("Status") != "Draft":
            raise _bad_state(one.label, str(row.get("Status")), "deleted")

    def _task(self, given: Row, before: Row | None) -> None:
        if given.get("IsRecurrence") or given.get("RecurrenceType"):
            raise OrgError(400, "FUNCTIONALITY_NOT_ENABLED", "recurring tasks are not available in this org", ["IsRecurrence"])
        after = {**(before or {}), **given}
        who = self._schema.of_id(str(after["WhoId"])) if after.get("WhoId") else None
        if who is not None and who.name == "Lead" and after.get("WhatId"):
            words = "If WhoId is a Lead, WhatId must be empty"
            raise OrgError(400, "FIELD_INTEGRITY_EXCEPTION", words, ["WhatId"])

    def _payment(self, given: Row, before: Row | None) -> None:
        if before is None:
            return
        now, then = str(before["Status"]), given.get("Status", before["Status"])
        if then not in _NEXT.get(now, (now,)):
            raise OrgError(400, "FIELD_INTEGRITY_EXCEPTION", f"Status can't change from {now} to {then}", ["Status"])
        changed = [name for name, value in given.items() if value != before[name] and name != "Status"]
        if now != "Draft" and any(not name.startswith(_CANCELLATION) for name in changed):
            raise _bad_state("Payment", now, "edited")


def _bad_state(label: str, status: str, what: str) -> OrgError:
    return OrgError(400, "FIELD_INTEGRITY_EXCEPTION", f"{label} in status {status} can't be {what}", ["Status"])


_CHECKS: dict[str, Callable[[Conduct, Row, Row | None], None]] = {
    "Task": Conduct._task,  # noqa: SLF001 - the class's own table
    "Payment": Conduct._payment,  # noqa: SLF001 - the same
    "Refund": Conduct._payment,  # noqa: SLF001 - the same
}
