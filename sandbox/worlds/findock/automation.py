"""What the payment package does by itself when a payment is booked or an installment's status is set.

Must not invent money. Invariant: after every booking an installment's status and open amount say what the sum of its
payments says. Sources: FinDock documentation, "Last <status> date" and "# of times <status>" (written with each payment;
for Failed and Cancelled with the change of status, dated that day); a refund is money given back and opens nothing.
"""

from collections.abc import Mapping
from decimal import Decimal
from zoneinfo import ZoneInfo

from sandbox.org import Change, Session
from sandbox.org.org import Org
from sandbox.worlds.findock.staff import PACKAGE

INSTALLMENT = "cpm__Installment__c"
PAYMENT = "cpm__Payment__c"
COUNTED = {
    "Failed": ("cpm__Last_Failed_Date__c", "cpm__of_times_failed__c"),
    "Rejected": ("cpm__Last_Rejection_Date__c", "cpm__of_times_rejected__c"),
    "Cancelled": ("cpm__Last_Cancelled_Date__c", "cpm__of_times_cancelled__c"),
}
"""Statuses in which no money moves: (date of the last time, how often)."""
TAKEN_BACK = ("Reversal", "Chargeback")
Row = Mapping[str, object]


def automate(org: Org) -> None:
    """Let the package's own triggers run inside every transaction of `org`."""
    org.on_change.append(lambda change: _after(org, change))


def _after(org: Org, change: Change) -> None:
    if change.sobject == PAYMENT and change.kind == "CREATE":
        _booked(org, change.record)
    elif change.sobject == INSTALLMENT and change.kind == "UPDATE" and "cpm__Status__c" in change.changed_fields:
        _status_set(org, change)
    elif change.sobject == INSTALLMENT and change.kind == "CREATE" and change.record.get("cpm__Amount_Open__c") is None:
        _write(org, change.id, {"cpm__Amount_Open__c": change.record.get("cpm__Amount__c")})


def _booked(org: Org, payment: Row) -> None:
    installment_id = payment.get("cpm__Installment__c")
    if not installment_id:
        return
    found = org.query(
        "SELECT cpm__Amount__c, cpm__Status__c, cpm__Collection_Count__c, cpm__of_times_reversed__c, cpm__of_times_refunded__c, "
        f"(SELECT cpm__Amount__c, cpm__Reason_for_Mutation__c FROM {_donations(org)}) FROM {INSTALLMENT} WHERE Id = '{installment_id}'",
        user_id=org.admin.id,
    ).records[0]
    owed = _money(found["cpm__Amount__c"])
    rows = found[_donations(org)]["records"]
    received = sum((_money(one["cpm__Amount__c"]) for one in rows if one["cpm__Reason_for_Mutation__c"] != "Refund"), Decimal(0))
    _write(
        org, str(installment_id), {"cpm__Amount_Open__c": float(max(owed - received, Decimal(0))), **_news(found, payment, owed, received)}
    )


def _news(installment: Row, payment: Row, owed: Decimal, received: Decimal) -> dict[str, object]:
    """Say what one booking changes on its installment besides the open amount."""
    day = payment.get("cpm__Collection_Date__c")
    settled = "Collected" if received >= owed else "Partially paid" if received > 0 else None
    if _money(payment["cpm__Amount__c"]) >= 0:
        changes: dict[str, object] = {
            "cpm__Last_Collection_Date__c": day,
            "cpm__Collection_Count__c": _next(installment, "cpm__Collection_Count__c"),
        }
        return changes | ({"cpm__Status__c": settled} if settled else {})
    if payment.get("cpm__Reason_for_Mutation__c") == "Refund":
        return {
            "cpm__Last_Refunded_Date__c": day,
            "cpm__of_times_refunded__c": _next(installment, "cpm__of_times_refunded__c"),
            "cpm__Status__c": "Refunded",
        }
    changes = {"cpm__Status__c": settled or "Reversed"}
    if payment.get("cpm__Reason_for_Mutation__c") in TAKEN_BACK or payment.get("cpm__Reversal_Reason_Code__c"):
        changes |= {"cpm__Last_Reversal_Date__c": day, "cpm__of_times_reversed__c": _next(installment, "cpm__of_times_reversed__c")}
        changes["cpm__Last_ReasonCode_Received__c"] = payment.get("cpm__Reversal_Reason_Code__c")
    return changes


def _status_set(org: Org, change: Change) -> None:
    status = str(change.record.get("cpm__Status__c"))
    if status in COUNTED:
        last_on, times = COUNTED[status]
        today = org.clock.now().astimezone(ZoneInfo(org.time_zone)).date()
        _write(org, change.id, {last_on: today.isoformat(), times: _next(change.record, times)})


def _write(org: Org, installment_id: str, fields: Mapping[str, object]) -> None:
    user = org.user_by_name(PACKAGE) or org.admin
    org.update(INSTALLMENT, installment_id, fields, session=Session(user_id=user.id))


def _next(row: Row, counter: str) -> int:
    return int(str(row.get(counter) or 0).split(".")[0]) + 1


def _money(value: object) -> Decimal:
    return Decimal(str(value or 0))


def _donations(org: Org) -> str:
    """Name of the child relationship from an installment to its payments, as the org spells it."""
    return next(end.name for end in org.schema.children[INSTALLMENT] if end.child == PAYMENT and end.name)
