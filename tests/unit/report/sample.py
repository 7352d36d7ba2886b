"""A pass with something of everything, for tests of its report."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from connector.core.reconciliation import Matter, Reconciliation, kept, read
from connector.core.tally import Listed, Share, Tally

NIGHT = datetime(2026, 3, 2, 2, 0, tzinfo=ZoneInfo("Europe/Amsterdam"))
ORG = "https://example.my.salesforce.com"


def record(number: int, prefix: str = "003") -> str:
    """An id as Salesforce gives them."""
    return f"{prefix}{number:012d}AAA"


def tally(more: int = 0) -> Tally:
    """What a pass over some hundred payers may find."""
    return Tally(
        payers=400 + more,
        statuses={
            "Clear": Share(360), "Watch": Share(4, 4, {"EUR": 16_000}), "In Arrears": Share(30 + more, 36, {"EUR": 1_234_500 + 100 * more, "GBP": 7_000}),
            "On Hold": Share(6, 6, {"EUR": 24_000}),
        },
        reasons={
            "insufficient_funds": Share(25 + more, 30, {"EUR": 1_000_000 + 100 * more}), "do_not_contact": Share(1, 1, {"EUR": 4_000}),
            "unpaid": Share(14, 15, {"EUR": 270_500, "GBP": 7_000}),
        },
        ageing={"not yet due": Share(1, 1, {"EUR": 500}), "1-30": Share(30, 36, {"EUR": 1_174_500 + 100 * more, "GBP": 7_000}), "over 90": Share(9, 9, {"EUR": 100_000})},
        overdue=Share(40 + more, 46, {"EUR": 1_274_500 + 100 * more, "GBP": 7_000}),
        gifts=Share(2, 2, {"EUR": 2_500}),
        planned={"remind": 20, "call": 5}, withheld={"open_case": 3, "do_not_contact": 1}, withheld_in_all=4, made={"remind": 7},
        inserted={"Dunwell_Follow_Up__c": 7, "Task": 2}, updated={"Dunwell_Position__c": 9},
        parked={"the org refused a Task with STRING_TOO_LONG": Listed(2, (record(1), record(2)))},
        asked={"review": Listed(60, tuple(record(number) for number in range(100, 160)))},
        codes={"bacs_arudd:Z9": 2},
    )  # fmt: skip


def a_pass(passes: int = 3, **more) -> Reconciliation:
    """The last of so many nightly passes."""
    history = None
    for number in range(passes):
        at = NIGHT + timedelta(days=number)
        one = Reconciliation(
            at, at + timedelta(seconds=72), tally(number), policy="default 3", before=history, figures={"api_calls": 117},
            findings=(Matter("recollection", 1, "1 installment waits for a collection that does not come.", (record(1, "a0B"),)),),
        )  # fmt: skip
        history = read(kept(one))
    return replace(one, **more)
