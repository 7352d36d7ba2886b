"""Changes in the model's words → records in the org's fields.

Must not decide what changes. Invariant: only fields that the mapping gives Dunwell or that are its own are
written; no OwnerId of an existing record ever.
"""

from collections.abc import Mapping as MappingOf
from datetime import date

from connector.core.changes import Change, Value, as_instant
from connector.core.model import FollowUp
from connector.core.money import to_decimal
from connector.core.words import CONTACT_KINDS
from connector.mapping import own
from connector.mapping.org import Mapping

Fields = dict[str, object]
TASK_STATUS = {"open": "Not Started", "deferred": "Deferred", "completed": "Completed"}
"""Standard Task statuses (salesforce.md E.1)."""

_FOLLOW_UP = {
    "kind": "Kind__c", "level": "Level__c", "planned_at": "Planned_At__c", "done_at": "Done_At__c", "channel": "Channel__c", "tone": "Tone__c",
    "template": "Template__c", "status": "Status__c", "rule": "Rule__c", "reasons": "Reasons__c", "subject": "Subject__c", "policy": "Policy__c",
    "policy_version": "Policy_Version__c", "task_id": "Task_Id__c", "installments": "Installments__c", "currency": "Currency__c",
    "assignee": "Assignee__c", "priority": "Priority__c", "withheld": "Withheld__c", "withheld_until": "Withheld_Until__c", "after": "After__c",
    "cause": "Cause__c",
}  # fmt: skip
_POSITION = {
    "status": "Status__c", "since": "Since__c", "level": "Level__c", "last_key": "Last_Key__c", "failures_12m": "Failures_12m__c",
    "next_follow_up": "Next_Follow_Up__c", "next_kind": "Next_Kind__c", "look_again": "Look_Again__c", "why": "Why__c",
    "installments": "Installments__c", "currency": "Currency__c",
}  # fmt: skip
_HOLD = {"cause": "Cause__c", "from_on": "From__c", "until": "Until__c", "installments": "Installments__c", "evidence": "Evidence__c"}
_INSTANTS = frozenset({"planned_at", "done_at", "withheld_until", "next_follow_up", "look_again"})


def follow_up(mapping: Mapping, change: Change, *, shadow: bool = False) -> Fields:
    """Fields of a follow-up record; on insert with its key and payer."""
    fields = _named(_FOLLOW_UP, change.values)
    if "amount_minor" in change.values and change.values["amount_minor"] is not None:
        fields["Amount__c"] = to_decimal(int(str(change.values["amount_minor"])), str(change.values["currency"]))
    if change.op == "insert":
        fields = {name: value for name, value in fields.items() if value is not None}
        fields |= {own.KEY: f"shadow-{change.key}"[:100] if shadow else change.key, mapping.payer_of(change.payer).own_link: change.payer}
        fields |= {"Shadow__c": True} if shadow else {}
    return fields


def position(mapping: Mapping, change: Change, currency: str) -> Fields:
    """Fields of an Arrears Position; on insert with its key and payer."""
    fields = _named(_POSITION, change.values)
    if "amount_minor" in change.values:
        fields["Amount__c"] = to_decimal(int(str(change.values["amount_minor"])), currency)
    if change.op == "insert":
        fields |= {own.KEY: change.key, mapping.payer_of(change.payer).own_link: change.payer}
    return fields


def hold(mapping: Mapping, change: Change) -> Fields:
    """Fields of a new hold."""
    fields = {name: value for name, value in _named(_HOLD, change.values).items() if value not in (None, "")}
    return fields | {own.KEY: change.key, mapping.payer_of(change.payer).own_link: change.payer}


def recollection(mapping: Mapping, change: Change) -> Fields | None:
    """What a retry sets on its installment, in the org's own terms; None where the org retries in no such way."""
    retry, on = mapping.installments.retry, as_instant(change.values["retry_on"])  # type: ignore[arg-type]
    if retry is None or on is None:
        return None
    return {retry.status: retry.value, retry.due_on: on.astimezone(mapping.creditor.zone).date(), retry.stamp: change.values["stamp"]}


def agreement(change: Change) -> Fields:
    """What a promise or a plan becomes."""
    return {"State__c": str(change.values["state"]).capitalize()}


def task(mapping: Mapping, one: FollowUp, payer: str, roles: MappingOf[str, str], words: str) -> Fields:
    """Fields of the Task that is a follow-up's visible form."""
    fields: Fields = {
        own.KEY: one.key,
        mapping.payer_of(payer).task_link: payer,
        "Subject": one.subject[:255],
        "Description": words[:32_000],
        "ActivityDate": one.at.astimezone(mapping.creditor.zone).date(),
        "Priority": one.priority,
        "Status": TASK_STATUS["open"],
    }
    owner = owner_of(one, roles)
    return fields | ({"OwnerId": owner} if owner else {})


def task_status(change: Change) -> Fields:
    """What a Task becomes: open, deferred or completed."""
    return {"Status": TASK_STATUS[str(change.values["status"])]}


def owner_of(one: FollowUp, roles: MappingOf[str, str]) -> str | None:
    """Id of who gets the Task: the named colleague, the role's queue or user, or outreach for contacts."""
    if one.assignee and one.assignee.startswith("case_owner:"):
        return one.assignee.partition(":")[2] or roles.get("credit_manager")
    role = one.assignee or ("outreach" if one.kind in CONTACT_KINDS else "credit_manager")
    return roles.get(role) or roles.get("credit_manager")


def decided_event(one: FollowUp, payer: str, follow_up_id: str | None, task_id: str | None) -> Fields:
    """Fields of ``Follow_Up_Decided__e``: what was decided has come due."""
    wanted: Fields = {
        "Key__c": one.key, "Kind__c": one.kind, "Payer__c": payer, "Follow_Up__c": follow_up_id, "Channel__c": one.channel, "Tone__c": one.tone,
        "Template__c": one.template, "Planned_At__c": one.at, "Task_Id__c": task_id, "Installments__c": " ".join(one.installments),
    }  # fmt: skip
    return {name: value for name, value in wanted.items() if value is not None}


def _named(names: MappingOf[str, str], values: MappingOf[str, Value]) -> Fields:
    fields: Fields = {}
    for word, value in values.items():
        if word in names:
            fields[names[word]] = as_instant(value) if word in _INSTANTS and isinstance(value, date) else value
    return fields
