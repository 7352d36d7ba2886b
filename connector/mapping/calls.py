"""What a credit manager said of a call: whether somebody was spoken to, and whether the payer's words stop everything.

Must not read the org or decide. Invariant: words that stop contact (a dispute, hardship) stop it from the moment they are logged, and until a
person made a Hold of that cause for the payer after the call, or corrected or deleted what was logged. A call without an outcome is one in
which somebody was spoken to, as before there was the field.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from connector.core.words import HoldCause
from connector.mapping import own
from connector.mapping.org import Mapping
from connector.mapping.read import Record, Row, flag, moment, payer_of, text

NEVER: Final = datetime.min.replace(tzinfo=UTC)
NOBODY_SPOKEN_TO: Final = frozenset({"no_answer", "wrong_number"})
STOPS: Final = MappingProxyType({"dispute": HoldCause.DISPUTE, "hardship": HoldCause.VULNERABLE})


def spoken_to(task: Record | None) -> bool:
    """Tell whether a call that was made reached somebody of the payer's."""
    return task is None or text(task, own.CALL_OUTCOME) not in NOBODY_SPOKEN_TO


def stops(mapping: Mapping, tasks: Iterable[Record], holds: Iterable[Record]) -> list[Row]:
    """Rows of ``holds`` that stand on nothing but the outcome of a call."""
    newest: dict[tuple[str | None, str | None], datetime] = {}
    for record in holds:
        whose = (payer_of(mapping, record, own_links=True), text(record, "Cause__c"))
        newest[whose] = max(newest.get(whose, NEVER), moment(record, "CreatedDate") or NEVER)
    found: list[Row] = []
    for task in tasks:
        cause, called = STOPS.get(text(task, own.CALL_OUTCOME) or ""), moment(task, "CompletedDateTime")
        if cause is None or called is None or flag(task, "IsDeleted"):
            continue
        payer = text(task, "WhoId") or text(task, "WhatId")
        if newest.get((payer, cause), NEVER) > called:
            continue
        day = called.astimezone(mapping.creditor.zone).date()
        found.append({"id": text(task, "Id"), "payer": payer, "cause": cause, "from_on": day, "until": None, "installment": None})
    return found
