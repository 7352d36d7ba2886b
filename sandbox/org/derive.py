"""Fields that follow from others: full names, closed flags, the account of a task.

Must not check anything. Source: Salesforce Object Reference, Task, Case, Contact, Opportunity. Invariant: deriving twice
changes nothing.
"""

from collections.abc import Callable

from sandbox.org.persons import full_name
from sandbox.org.schema import ObjectType, Schema
from sandbox.org.storage import Database, Row
from sandbox.org.values import Stored

Derive = Callable[["Surroundings", Row, Row | None], None]


class Surroundings:
    """What deriving may look at: the schema, the rows, and the time of the write in the kept form."""

    def __init__(self, schema: Schema, database: Database, at: str) -> None:
        self.schema = schema
        self.database = database
        self.at = at

    def value(self, record_id: Stored, name: str) -> Stored:
        """Read one field of another record; None where there is no record or no such field."""
        one = self.schema.of_id(str(record_id)) if record_id else None
        if one is None or name not in one.fields:
            return None
        found = self.database.rows(f'SELECT "{name}" FROM "{one.name}" WHERE "Id" = ?', (record_id,))
        return found[0][0] if found else None

    def is_closed(self, sobject: str, field: str, value: Stored) -> bool:
        """Tell whether a status counts as closed."""
        return any(each.closed and each.value == value for each in self.schema.objects[sobject].fields[field].choices)


def _person(around: Surroundings, row: Row, before: Row | None) -> None:
    del around, before
    row["Name"] = " ".join(str(part) for part in (row.get("FirstName"), row.get("LastName")) if part) or None


def _account_of(around: Surroundings, row: Row) -> Stored:
    what = around.schema.of_id(str(row["WhatId"])) if row.get("WhatId") else None
    if what is not None and what.name == "Account":
        return row["WhatId"]
    found = around.value(row["WhatId"], "AccountId") if what is not None and what.name in ("Case", "Opportunity") else None
    return found or around.value(row.get("WhoId"), "AccountId")


def _task(around: Surroundings, row: Row, before: Row | None) -> None:
    closed = around.is_closed("Task", "Status", row.get("Status"))
    row["IsClosed"] = int(closed)
    row["IsHighPriority"] = int(row.get("Priority") == "High")
    was_closed = before is not None and bool(before.get("IsClosed"))
    if not closed:
        row["CompletedDateTime"] = None
    elif not was_closed and not row.get("CompletedDateTime"):
        row["CompletedDateTime"] = around.at
    row["AccountId"] = _account_of(around, row)


def _event(around: Surroundings, row: Row, before: Row | None) -> None:
    del before
    row["AccountId"] = _account_of(around, row)


def _case(around: Surroundings, row: Row, before: Row | None) -> None:
    closed = around.is_closed("Case", "Status", row.get("Status"))
    row["IsClosed"] = int(closed)
    was_closed = before is not None and bool(before.get("IsClosed"))
    if not closed:
        row["ClosedDate"] = None
    elif not was_closed and not row.get("ClosedDate"):
        row["ClosedDate"] = around.at
    moved = before is None or before.get("ContactId") != row.get("ContactId")
    if row.get("ContactId") and not row.get("AccountId") and moved:
        row["AccountId"] = around.value(row["ContactId"], "AccountId")


def _opportunity(around: Surroundings, row: Row, before: Row | None) -> None:
    stages = around.schema.objects["Opportunity"].fields["StageName"].choices
    stage = next((each for each in stages if each.value == row.get("StageName")), None)
    row["IsClosed"] = int(stage is not None and stage.closed)
    row["IsWon"] = int(stage is not None and stage.won)
    moved = before is None or before.get("StageName") != row.get("StageName")
    if stage is not None and moved:
        row["ForecastCategory"] = row["ForecastCategoryName"] = stage.forecast or "Pipeline"
        given = row.get("Probability") is not None and (before is None or before.get("Probability") != row["Probability"])
        row["Probability"] = row["Probability"] if given else stage.probability
    if before is not None and moved:
        row["LastStageChangeDate"] = around.at
    amount, chance = row.get("Amount"), row.get("Probability")
    both = isinstance(amount, int | float) and isinstance(chance, int | float)
    row["ExpectedRevenue"] = round(float(amount) * float(chance) / 100, 2) if both else None  # type: ignore[arg-type]
    closes = str(row.get("CloseDate") or "")
    if closes:
        year, quarter = int(closes[:4]), (int(closes[5:7]) + 2) // 3
        row |= {"FiscalYear": year, "FiscalQuarter": quarter, "Fiscal": f"{year} {quarter}"}


def _account(around: Surroundings, row: Row, before: Row | None) -> None:
    del around, before
    if row.get("IsPersonAccount"):
        row["Name"] = full_name(row)


def _order(around: Surroundings, row: Row, before: Row | None) -> None:
    active = row.get("Status") == "Activated"
    row["StatusCode"] = "Activated" if active else "Draft"
    if active and not (before and before.get("StatusCode") == "Activated"):
        row["ActivatedDate"] = around.at


def _payment(around: Surroundings, row: Row, before: Row | None) -> None:
    """Nothing is applied until payment lines are: they are not worked out here."""
    del around, before
    row["Balance"] = row.get("Amount")
    row["NetApplied"] = row["NetRefundApplied"] = 0.0


_DERIVED: dict[str, Derive] = {
    "Account": _account,
    "Contact": _person,
    "User": _person,
    "Task": _task,
    "Event": _event,
    "Case": _case,
    "Opportunity": _opportunity,
    "Lead": _person,
    "Order": _order,
    "Contract": _order,
    "Payment": _payment,
}


def has_derived(one: ObjectType) -> bool:
    """Tell whether anything of an object's rows is derived."""
    return one.name in _DERIVED and (one.name != "Account" or "IsPersonAccount" in one.fields)


def derive(around: Surroundings, one: ObjectType, row: Row, before: Row | None) -> None:
    """Fill the derived fields of a row about to be written. `before` is the row as it was, None for a new one."""
    function = _DERIVED.get(one.name)
    if function is not None:
        function(around, row, before)
