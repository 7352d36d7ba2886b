"""The clock walks through the weeks: stories are acted out, background payers pay or fail, the daemon does its job.

Must not judge. Invariant: time moves on only when the daemon has nothing left to do at the present moment.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, TaskID

from connector.demo.judge import Judge, Verdict
from connector.demo.people import People, Record
from connector.demo.script import Book, Stagehand, complete_tasks, opening, read_book
from connector.demo.stage import Stage, staged
from connector.demo.world import world
from connector.errors import TransientError

PATIENCE_SECONDS = 30.0
POLL = timedelta(seconds=61)
"""Longer than the daemon's poll: after it, what people changed has been seen."""
SENDING_KINDS = ("notify", "remind", "request_method", "confirm", "apologise", "offer_plan")
FAILURES = {"sepa_core": ("AM04", "AM04", "MS03", "AC04"), "bacs": ("0", "0", "B"), "card": ("51", "51", "05", "91", "54")}
CODE_SETS = {"sepa_core": "iso20022_return", "bacs": "bacs_arudd", "card": "iso8583"}
FAILURE_SHARE = 0.06


@dataclass(slots=True)
class Told:
    """Everything that came of it, read back from the org."""

    payers: int
    events: int
    records: dict[str, int]
    verdicts: list[Verdict]
    duplicates: int
    second_pass_changes: int
    api_calls: int
    statuses: dict[str, int]
    overdue: dict[str, str]
    seconds: float
    ended_at: datetime
    """In the creditor's time zone."""
    world: str
    timeline: list[Record] = field(default_factory=list)

    @property
    def untold(self) -> dict[str, str]:
        """Stories that were not told, and what is missing; and what must never be."""
        found = {one.story.name: "; ".join(one.faults) for one in self.verdicts if one.faults}
        if self.duplicates:
            found["duplicates"] = f"{self.duplicates} records were made twice"
        if self.second_pass_changes:
            found["second pass"] = f"a second pass changed {self.second_pass_changes} records"
        return found

    def summary(self) -> dict[str, object]:
        """What ``--json`` prints."""
        return {
            "payers": self.payers, "events": self.events, "records": self.records, "stories": [one.summary() for one in self.verdicts if one.story.of is None],
            "duplicates": self.duplicates, "second_pass_changes": self.second_pass_changes, "api_calls": self.api_calls,
        }  # fmt: skip


def play(*, payers: int, seed: int, keep: Path | None, console: Console | None, name: str = "findock") -> Told:
    """Tell every story of a world on a fresh sandbox.

    Raises:
        ConfigError: there is no sandbox beside this installation, or no such world.
        TransientError: a process did not start, or the daemon did not come to rest.

    """
    began = time.monotonic()
    here = world(name)
    starts_at, _ = opening(here.stories)
    with _progress(console) as (progress, bar), staged(here, payers=payers, seed=seed, now=starts_at.isoformat(), keep=keep) as stage:
        people = People(stage.sandbox)
        book = read_book(here, people)
        walk = Walk(stage, people, book, seed)
        walk.run(lambda done: progress.update(bar, completed=round(done * 100), total=100))
        first, second = stage.reconcile()
        return walk.told(first, second, time.monotonic() - began)


@contextmanager
def _progress(console: Console | None) -> Iterator[tuple[Progress, TaskID]]:
    with Progress(console=console, disable=console is None or not console.is_terminal, transient=True) as progress:
        yield progress, progress.add_task("walking through the weeks", total=None)


class Walk:
    """One walk through time."""

    def __init__(self, stage: Stage, people: People, book: Book, seed: int) -> None:
        self._stage, self._people, self._book, self._world = stage, people, book, book.world
        self._hands = Stagehand(people, book)
        self._judge = Judge(people, book)
        self._chance = random.Random(seed)  # noqa: S311 - a story, not a secret
        self._steps = sorted(
            ((book.moment(step["at"]), story, step) for story in book.stories for step in story.steps), key=lambda one: one[0]
        )
        self._told_of = {story.payer for story in book.stories}
        self._background = self._due()

    def run(self, report: Callable[[float], None]) -> None:
        """Walk from the first to the last moment."""
        book, at = self._book, self._book.starts_at
        self._rest(at)
        while at < book.ends_at:
            at = self._next(at)
            self._people.set_clock(at)
            self._rest(at, polled=self._has_work(at))
            if self._happens(at):
                self._people.set_clock(at + POLL)
                self._rest(at + POLL, polled=True)
                at += POLL
            self._judge.look(at)
            report((at - book.starts_at) / (book.ends_at - book.starts_at))

    def _next(self, at: datetime) -> datetime:
        """The next moment at which anything happens: a step, a check, a working day's hours, a planned follow-up."""
        coming = [moment for moment, _, _ in self._steps if moment > at][:1]
        coming += [moment for moment in self._judge.moments if moment > at][:1]
        coming += [hour for hour in self._hours(at) if hour > at and self._needed(hour)][:1]
        planned = self._people.query(
            f"SELECT Planned_At__c FROM Dunwell_Follow_Up__c WHERE Status__c = 'Planned' AND Task_Id__c = null AND Planned_At__c > {_soql(at)} ORDER BY Planned_At__c LIMIT 1"
        )
        coming += [_stop(self._local(one["Planned_At__c"])) for one in planned]
        looks = self._people.query(
            f"SELECT Look_Again__c FROM Dunwell_Position__c WHERE Look_Again__c > {_soql(at)} ORDER BY Look_Again__c LIMIT 1"
        )
        coming += [_stop(self._local(one["Look_Again__c"])) for one in looks]
        return min([*coming, self._book.ends_at]).astimezone(self._book.zone)

    def _local(self, value: object) -> datetime:
        return datetime.fromisoformat(str(value)).astimezone(self._book.zone)

    def _hours(self, at: datetime) -> list[datetime]:
        """On working days at ten outcomes come in, and at half past five the outreach desk has sent what was due."""
        days = [at.astimezone(self._book.zone).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=n) for n in range(5)]
        return [day.replace(hour=hour, minute=minute) for day in days if day.weekday() < 5 for hour, minute in ((10, 0), (17, 30))]

    def _needed(self, hour: datetime) -> bool:
        """Whether anybody has something to do at a working hour: outcomes to come in, or Tasks to complete."""
        if hour.hour == 10:
            return any(day <= hour.date().isoformat() for day in self._background)
        return bool(
            self._people.query("SELECT Id FROM Task WHERE IsClosed = false AND Status != 'Deferred' AND Dunwell_Key__c != null LIMIT 1")
        )

    def _has_work(self, at: datetime) -> bool:
        """Whether people will act now: the daemon's poll must not fall between two of their acts."""
        return at in self._hours(at) or any(moment == at for moment, _, _ in self._steps)

    def _happens(self, at: datetime) -> bool:
        """Act out everything that belongs to this moment. True = people changed something."""
        acted = [(story, step) for moment, story, step in self._steps if moment == at]
        for story, step in acted:
            self._hands.act(story, step, at)
        local = at.astimezone(self._book.zone)
        if local.weekday() < 5 and (local.hour, local.minute) == (17, 30):
            stories = complete_tasks(self._people, sorted(self._told_of), ("notify",))
            return complete_tasks(self._people, sorted(self._others()), SENDING_KINDS) + stories > 0 or bool(acted)
        if (local.hour, local.minute) == (10, 0):
            return self._outcomes(local) or bool(acted)
        return bool(acted)

    def _due(self) -> dict[str, list[Record]]:
        """Installments of background payers that come due during the walk, by day."""
        first, last = self._book.starts_at.date(), self._book.ends_at.date()
        here, words = self._world, "', '".join(self._world.names.under_way)
        found = self._people.query(
            f"SELECT {here.fields()} FROM {here.bill} WHERE {here.due_on} >= {first} AND {here.due_on} <= {last} AND {here.mapping.installments.status} IN ('{words}')"
        )
        days: dict[str, list[Record]] = {}
        for one in found:
            if here.payer(one) not in self._told_of and here.is_collected(one):
                days.setdefault(str(one[here.due_on]), []).append(one)
        return days

    def _others(self) -> set[str]:
        return {self._world.payer(one) for day in self._background.values() for one in day}

    def _outcomes(self, local: datetime) -> bool:
        """What came of the installments due since the last working day: most are collected, some fail."""
        days = [day for day in sorted(self._background) if day <= local.date().isoformat()]
        due = [one for day in days for one in self._background.pop(day)]
        payments, failed, events = [], [], []
        for one in due:
            reference = f"bg-{one['Id']}"
            event = self._world.outcome(one, "collected", local, reference)
            scheme = str(event["Scheme__c"])
            if self._chance.random() < FAILURE_SHARE:
                code = self._chance.choice(FAILURES[scheme])
                events.append({**event, "Outcome__c": "failed", "Reason_Code__c": code, "Code_Set__c": CODE_SETS[scheme]})
                failed.append({"Id": one["Id"], **self._world.names.failed(code)})
            elif self._world.is_booked_by_dunwell(one):
                events.append(event)
            else:
                payments.append(self._world.paid(one, one[self._world.mapping.installments.amount], local.date(), reference))
        if payments:
            self._people.insert(self._world.money, payments)
        if failed:
            self._people.update(self._world.bill, failed)
        self._hands.publish(events)
        return bool(due)

    def _rest(self, at: datetime, *, polled: bool = False) -> None:
        """Wait until the daemon has nothing left to do at ``at``."""
        until = time.monotonic() + PATIENCE_SECONDS
        status: dict[str, object] = {}
        while time.monotonic() < until:
            status = self._stage.status()
            idle = not (status["busy"] or status["due"] or status["inbox"] or status["leased"])
            seen = datetime.fromisoformat(str(status["now"])) >= at and int(str(status["received"])) >= self._hands.published
            asked = not polled or (status["polled_at"] is not None and datetime.fromisoformat(str(status["polled_at"])) >= at)
            if idle and seen and asked:
                return
            time.sleep(0.04)
        raise TransientError(f"the daemon did not come to rest at {at:%Y-%m-%d %H:%M}: {status}")

    def told(self, first: Record, second: Record, seconds: float) -> Told:
        """Read back what came of it."""
        records = {name: self._count(name, where) for name, where in _records(self._world.money).items()}
        keys = Counter(
            (str(one["Dunwell_Key__c"])) for one in self._people.query("SELECT Dunwell_Key__c FROM Task WHERE Dunwell_Key__c != null")
        )
        paid = self._world.mapping.payments
        money = Counter(
            (one[paid.installment], one[paid.reference], float(one[paid.amount]) > 0)
            for one in self._people.query(
                f"SELECT {paid.installment}, {paid.reference}, {paid.amount} FROM {paid.object} WHERE {paid.reference} != null AND {paid.key} != null"
            )
        )
        duplicates = sum(count - 1 for counter in (keys, money) for count in counter.values())
        statuses = first["statuses"] if isinstance(first["statuses"], dict) else {}
        overdue = first["overdue"] if isinstance(first["overdue"], dict) else {}
        return Told(
            payers=int(str(first["payers"])), events=self._hands.published, records=records, verdicts=self._judge.verdicts(), duplicates=duplicates,
            second_pass_changes=int(str(second["changes"])), api_calls=int(str(self._stage.status()["api_calls"])) + int(str(first["api_calls"])) + int(str(second["api_calls"])), statuses=statuses, overdue=overdue, seconds=seconds,
            ended_at=self._book.ends_at, world=self._world.name, timeline=self._judge.timeline(),
        )  # fmt: skip

    def _count(self, sobject: str, where: str) -> int:
        return len(self._people.query(f"SELECT Id FROM {sobject}{where}"))


def _records(money: str) -> dict[str, str]:
    """What is counted in the end, and which of it."""
    ours = ("Dunwell_Follow_Up__c", "Dunwell_Attempt__c", "Dunwell_Position__c", "Dunwell_Hold__c", "Dunwell_Run__c")
    return {**dict.fromkeys(("Task", money), " WHERE Dunwell_Key__c != null"), **dict.fromkeys(ours, "")}


def _soql(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


STOPS = (11 * 60, 14 * 60, 17 * 60 + 30, 20 * 60 + 30)
"""Minutes of the day at which the walk stops for what is planned: every hour of habit would be too many."""


def _stop(at: datetime) -> datetime:
    """The next stop at or after a planned moment, in the creditor's time zone."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    stops = (midnight + timedelta(days=day, minutes=minute) for day in (0, 1) for minute in STOPS)
    return next(stop for stop in stops if stop >= at)
