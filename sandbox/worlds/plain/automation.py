"""What this org does by itself: the admin's two triggers, on payments and on receivables.

Must not invent money. Invariant: after every payment what has been paid is the sum of the payments that were not paid back,
and the status says so; Disputed, Written Off and Cancelled are people's words and stay until nothing is open.
"""

from collections.abc import Mapping
from decimal import Decimal
from zoneinfo import ZoneInfo

from sandbox.org import Change, Session
from sandbox.org.org import Org
from sandbox.worlds.hiring import PACKAGE

RECEIVABLE, PAYMENT = "Receivable__c", "Payment__c"
PEOPLES_WORDS = frozenset({"Disputed", "Written Off", "Cancelled"})
Row = Mapping[str, object]


def automate(org: Org) -> None:
    """Let the org's own triggers run inside every transaction of `org`."""
    org.on_change.append(lambda change: _after(org, change))


def _after(org: Org, change: Change) -> None:
    if change.sobject == PAYMENT and change.record.get("Receivable__c"):
        _recount(org, str(change.record["Receivable__c"]), change)
    elif change.sobject == RECEIVABLE and change.record.get("Status__c") == "In Collection" and "Status__c" in change.changed_fields:
        today = org.clock.now().astimezone(ZoneInfo(org.time_zone)).date()
        tries = int(float(str(change.record.get("Collection_Tries__c") or 0)))
        _write(org, change.id, {"Collection_Tries__c": tries + 1, "Last_Tried_On__c": today.isoformat()})


def _recount(org: Org, receivable_id: str, change: Change) -> None:
    receivable = org.query(
        "SELECT Amount__c, Status__c, (SELECT Amount__c FROM Payments__r WHERE Kind__c != 'Paid Back') "
        f"FROM {RECEIVABLE} WHERE Id = '{receivable_id}'",
        user_id=org.admin.id,
    ).records[0]
    children = receivable["Payments__r"]
    paid = sum((_money(one["Amount__c"]) for one in children["records"]), Decimal(0)) if children else Decimal(0)
    news: dict[str, object] = {"Amount_Paid__c": float(paid), "Status__c": _status(receivable, paid, change)}
    if change.kind == "CREATE" and change.record.get("Kind__c") == "Returned":
        news["Return_Code__c"] = change.record.get("Return_Code__c")
    _write(org, receivable_id, news)


def _status(receivable: Row, paid: Decimal, change: Change) -> str:
    status = str(receivable["Status__c"])
    if paid >= _money(receivable["Amount__c"]):
        return "Paid"
    if status in PEOPLES_WORDS:
        return status
    if change.kind == "CREATE" and change.record.get("Kind__c") == "Returned":
        return "Returned"
    return "Partly Paid" if paid > 0 else "Open" if status in ("Paid", "Partly Paid") else status


def _write(org: Org, receivable_id: str, fields: Row) -> None:
    user = org.user_by_name(PACKAGE) or org.admin
    org.update(RECEIVABLE, receivable_id, fields, session=Session(user_id=user.id))


def _money(value: object) -> Decimal:
    return Decimal(str(value or 0))
