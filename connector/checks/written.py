"""What Dunwell writes: fields it fills when it makes a record, and fields it changes, object by object.

Must not write. Invariant: every field that ``mapping/write``, ``mapping/outcomes`` and the pipeline set stands here; a test compares.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connector.mapping import own
from connector.mapping.org import Mapping as OrgMapping
from connector.mapping.queries import REPORTED_FIELDS

_FOLLOW_UP: Final = (
    "Kind__c", "Level__c", "Planned_At__c", "Done_At__c", "Channel__c", "Tone__c", "Template__c", "Status__c", "Rule__c", "Reasons__c",
    "Subject__c", "Policy__c", "Policy_Version__c", "Task_Id__c", "Installments__c", "Currency__c", "Assignee__c", "Priority__c",
    "Withheld__c", "Withheld_Until__c", "After__c", "Cause__c", "Amount__c",
)  # fmt: skip
_POSITION: Final = (
    "Status__c", "Since__c", "Level__c", "Last_Key__c", "Failures_12m__c", "Next_Follow_Up__c", "Next_Kind__c", "Look_Again__c", "Why__c",
    "Installments__c", "Currency__c", "Amount__c",
)  # fmt: skip
_ATTEMPT: Final = (*REPORTED_FIELDS, "Installment_Id__c", "Category__c", "Status__c", "Parked_Because__c", "Event_Uuid__c")
_RUN: Final = (
    "Started_At__c", "Ended_At__c", "Duration_Seconds__c", "Mode__c", "Scope__c", "Payers__c", "In_Arrears__c", "Changes__c", "Follow_Ups__c",
    "Withheld__c", "Parked__c", "Missing__c", "For_A_Person__c", "Amounts__c", "Needs_Person__c", "Compared__c", "Report__c",
)  # fmt: skip
_DECIDED: Final = (
    "Key__c", "Kind__c", "Payer__c", "Follow_Up__c", "Channel__c", "Tone__c", "Template__c", "Planned_At__c", "Task_Id__c", "Installments__c",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Written:
    """Fields of one object."""

    made: tuple[str, ...] = ()
    """Filled in new records; empty = none are made."""
    changed: tuple[str, ...] = ()
    keyed: bool = False
    """New records carry the key that is made only once."""


def written(mapping: OrgMapping) -> Mapping[str, Written]:
    """Everything that Dunwell writes in an org with this mapping, by object; mapped objects are the last."""
    links = tuple(dict.fromkeys(one.own_link for one in mapping.payers))
    told = tuple(dict.fromkeys(one.task_link for one in mapping.payers))
    found = {
        own.POSITION: Written((own.KEY, *links, *_POSITION), _POSITION, keyed=True),
        own.FOLLOW_UP: Written((own.KEY, *links, *_FOLLOW_UP, "Shadow__c"), _FOLLOW_UP, keyed=True),
        own.ATTEMPT: Written(
            (own.KEY, *links, *_ATTEMPT), (own.KEY, *links, "Status__c", "Parked_Because__c", "Installment_Id__c"), keyed=True
        ),
        own.HOLD: Written((own.KEY, *links, "Cause__c", "From__c", "Until__c", "Installments__c", "Evidence__c"), keyed=True),
        own.PROMISE: Written(changed=("State__c",)),
        own.PLAN: Written(changed=("State__c",)),
        own.RUN: Written((own.KEY, *_RUN), keyed=True),
        own.DECIDED_EVENT: Written(_DECIDED),
        "Task": Written(
            (own.KEY, *told, "Subject", "Description", "ActivityDate", "Priority", "Status", "OwnerId"), ("Status",), keyed=True
        ),
    }
    for payer in mapping.payers:
        if payer.flag is not None:
            found[payer.object] = Written(changed=(payer.flag,))
    retry = mapping.installments.retry
    if retry is not None:
        found[mapping.installments.object] = Written(changed=(retry.status, retry.due_on, retry.stamp))
    if records_money(mapping):
        found[mapping.payments.object] = Written(_payment(mapping), keyed=True)
    return found


def records_money(mapping: OrgMapping) -> bool:
    """Whether Dunwell makes payment records for any processor."""
    return "dunwell" in {one.records_money for one in (*mapping.processors.values(), mapping.default_processor)}


def _payment(mapping: OrgMapping) -> tuple[str, ...]:
    one = mapping.payments
    wanted = (
        one.key, one.installment, *(payer.link for payer in mapping.payers), one.amount, one.on, one.at, one.reference, one.reason_code,
        one.payment_method, one.processor, one.payer_initiated, mapping.installments.currency,
    )  # fmt: skip
    return tuple(name for name in wanted if name)
