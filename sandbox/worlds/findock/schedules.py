"""Payment schedules: the collection runs of each processor, past and coming.

Must not collect anything. Invariant: every run's collection date is a working day of its rail, one run a rail and day.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from sandbox.worlds.findock import days
from sandbox.worlds.findock.rails import RAILS

WEEKS_BACK = 8
WEEKS_AHEAD = 26


def schedules(today: date) -> Iterator[dict[str, object]]:
    """Make all runs, weekly on each weekday of a rail; where that day is closed, on the next open one."""
    monday = today - timedelta(days=today.weekday())
    for rail in RAILS.values():
        dates = {
            days.on_or_after(monday + timedelta(weeks=week, days=weekday), rail.processor)
            for week in range(-WEEKS_BACK, WEEKS_AHEAD)
            for weekday in rail.run_weekdays
        }
        for day in sorted(dates):
            run_on = days.plus(day, -1, rail.processor)
            yield {
                "cpm__Collection_Date__c": day.isoformat(),
                "cpm__Run_Date__c": run_on.isoformat(),
                "cpm__Selection_Date__c": day.isoformat(),
                "cpm__Status__c": "Scheduled" if run_on >= today and day > today else "Done",
                "cpm__Source__c": "PaymentHub",
                "cpm__PaymentMethod__c": rail.method,
                "cpm__Payment_Method__c": rail.method,
                "cpm__Payment_Processor__c": rail.processor,
                "cpm__Target__c": rail.target,
            }
