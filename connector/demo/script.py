"""The stories file as the demo reads it, and the acting out of one step through the org's public interfaces.

Must not judge. Invariant: a step does exactly what its line says; a word it does not know is an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from connector.demo.people import People, Record
from connector.demo.world import World
from connector.errors import PermanentError

CHUNK = 200


@dataclass(frozen=True, slots=True)
class Story:
    """One story: its payer's record, its steps and what is expected of it."""

    name: str
    of: str | None
    title: str
    payer: str
    """Record id."""
    is_person: bool
    expect: Mapping[str, Any]
    steps: tuple[Mapping[str, Any], ...]
    installments: Mapping[str, Record] = field(repr=False)
    """Label (``2026-03``, ``b:2026-03``) → record."""

    @property
    def link(self) -> str:
        """Dunwell's own field that points at the payer."""
        return "Contact__c" if self.is_person else "Account__c"


@dataclass(frozen=True, slots=True)
class Book:
    """All stories and the stretch of time they need, in the world they are told in."""

    world: World
    starts_at: datetime
    ends_at: datetime
    zone: ZoneInfo
    stories: tuple[Story, ...]

    def moment(self, value: object) -> datetime:
        """A time of the file, which is local to the creditor."""
        found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return found if found.tzinfo else found.replace(tzinfo=self.zone)


def opening(path: Path) -> tuple[datetime, ZoneInfo]:
    """When the stories begin, before there is an org to read them against."""
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    zone = ZoneInfo(raw["time_zone"])
    return datetime.fromisoformat(str(raw["starts"])).replace(tzinfo=zone), zone


def read_book(world: World, people: People) -> Book:
    """Read the stories of a world and find their payers in the org."""
    raw = yaml.safe_load(world.stories.read_text(encoding="utf-8"))
    zone = ZoneInfo(raw["time_zone"])
    payers = {
        str(one["Story__c"]): str(one["Id"])
        for sobject in ("Contact", "Account")
        for one in people.query(f"SELECT Id, Story__c FROM {sobject} WHERE Story__c != null")
    }
    installments: dict[str, dict[str, Record]] = {}
    label_of = world.names.story_label
    for record in people.query(f"SELECT {world.fields()} FROM {world.bill} WHERE {label_of} LIKE '%:%'"):
        name, _, label = str(record[label_of]).partition(":")
        installments.setdefault(name, {})[label] = record
    stories = tuple(
        Story(
            one["name"],
            one.get("of"),
            one["title"],
            payers[one["name"]],
            one["payer"]["kind"] == "person",
            one["expect"],
            tuple(one["steps"]),
            installments[one["name"]],
        )
        for one in raw["stories"]
    )
    return Book(world, _local(raw["starts"], zone), _local(raw["ends"], zone), zone, stories)


def _local(value: object, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(str(value)).replace(tzinfo=zone)


class Stagehand:
    """Acts out steps. ``published`` counts the events it has published."""

    def __init__(self, people: People, book: Book) -> None:
        self._people, self._book, self._world = people, book, book.world
        self.published = 0

    def act(self, story: Story, step: Mapping[str, Any], now: datetime) -> None:
        """Do one step of ``story``; one that the org has to refuse must be refused."""
        try:
            getattr(self, f"_{step['do']}", self._unknown)(story, step, now)
        except PermanentError as error:
            if "refused" not in step or str(step["refused"]) not in str(error):
                raise
        else:
            if "refused" in step:
                raise PermanentError(f"{story.name}: the org did not refuse what it should have refused with {step['refused']}")

    def publish(self, events: list[Record]) -> None:
        """Publish payment outcomes."""
        if events:
            self._people.insert("Payment_Outcome__e", events)
            self.published += len(events)

    def _unknown(self, story: Story, step: Mapping[str, Any], _now: datetime) -> None:
        raise PermanentError(f"{story.name}: the demo cannot act out '{step['do']}'")

    def _outcome(self, story: Story, step: Mapping[str, Any], now: datetime) -> None:
        record = story.installments[str(step["installment"])]
        occurred_at = self._book.moment(step["occurred_at"]) if "occurred_at" in step else now
        reference = step.get("provider_reference") or f"{story.name}-{step['installment']}-{step['outcome']}-{now:%Y%m%d%H%M}"
        event = self._world.outcome(record, str(step["outcome"]), occurred_at, reference)
        event |= {
            "Reason_Code__c": step.get("reason_code"),
            "Code_Set__c": step.get("code_set"),
            "Reason_Text__c": step.get("reason_text"),
            "Payer_Initiated__c": bool(step.get("payer_initiated")),
        }
        if step.get("amount"):
            event["Amount__c"] = float(step["amount"])
        if step.get("by_reference"):
            event |= {"Installment__c": None, "Installment_Reference__c": record[self._world.names.told_by]}
        self.publish([{name: value for name, value in event.items() if value is not None}] * int(step.get("times", 1)))

    def _package(self, story: Story, step: Mapping[str, Any], _now: datetime) -> None:
        fields = {name: _plain(value) for name, value in step["fields"].items()}
        if step.get("update_mandate"):
            sobject, lookup = self._world.names.agreement
            mandate = next(str(one[lookup]) for one in reversed(list(story.installments.values())) if one[lookup])
            self._people.update(sobject, [{"Id": mandate, **fields}])
        elif "update" in step:
            self._people.update(self._world.bill, [{"Id": story.installments[str(step["update"])]["Id"], **fields}])
        else:
            record = story.installments[str(step["installment"])]
            self._people.insert(str(step["insert"]), [{**self._world.belongs(record), **fields}])

    def _pay(self, story: Story, step: Mapping[str, Any], now: datetime) -> None:
        record = story.installments[str(step["installment"])]
        amount = step.get("amount") or self._open(record)
        paid = self._world.paid_by_link(record, amount, now, f"{story.name}-pay-{now:%Y%m%d%H%M}")
        self._people.insert(self._world.money, [paid])

    def _open(self, record: Record) -> object:
        """What is open of an installment, as the org itself says."""
        field = self._world.mapping.findings.open_amount or self._world.mapping.installments.amount
        return self._people.query(f"SELECT {field} FROM {self._world.bill} WHERE Id = '{record['Id']}'")[0][field]

    def _insert(self, story: Story, step: Mapping[str, Any], _now: datetime) -> None:
        fields = {name: _plain(value) for name, value in step["fields"].items()}
        if fields.pop("payer", False):
            own = str(step["sobject"]).startswith("Dunwell_")
            link = (
                story.link
                if own
                else {"Case": "ContactId" if story.is_person else "AccountId", "Task": "WhoId" if story.is_person else "WhatId"}[
                    str(step["sobject"])
                ]
            )
            fields[link] = story.payer
        if "installment" in step:
            fields = {**self._world.belongs(story.installments[str(step["installment"])]), **fields}
        self._people.insert(str(step["sobject"]), [fields], who=str(step.get("by") or "admin"))

    def _update(self, story: Story, step: Mapping[str, Any], _now: datetime) -> None:
        record = story.installments[str(step["installment"])]
        fields = {name: _plain(value) for name, value in step["fields"].items()}
        self._people.update(str(step["sobject"]), [{"Id": record["Id"], **fields}], who=str(step.get("by") or "admin"))

    def _close_case(self, story: Story, step: Mapping[str, Any], _now: datetime) -> None:
        link = "ContactId" if story.is_person else "AccountId"
        found = self._people.query(f"SELECT Id FROM Case WHERE {link} = '{story.payer}' AND IsClosed = false")
        self._people.update("Case", [{"Id": one["Id"], "Status": "Closed"} for one in found], who=str(step.get("by") or "admin"))

    def _complete_tasks(self, story: Story, step: Mapping[str, Any], _now: datetime) -> None:
        complete_tasks(self._people, [story.payer], tuple(step.get("kinds") or ()))

    def _hide(self, story: Story, step: Mapping[str, Any], _now: datetime) -> None:
        self._people.hide(self._world.bill, [str(story.installments[str(label)]["Id"]) for label in step["installments"]])


def complete_tasks(people: People, payers: list[str], kinds: tuple[str, ...]) -> int:
    """Complete our open Tasks of these kinds (none = all) on ``payers``, as colleagues or a Flow would. Returns how many."""
    done: list[Record] = []
    for at in range(0, len(payers), CHUNK):
        ids = "', '".join(payers[at : at + CHUNK])
        found = people.query(
            f"SELECT Id, Dunwell_Key__c FROM Task WHERE IsClosed = false AND Status != 'Deferred' AND Dunwell_Key__c != null AND (WhoId IN ('{ids}') OR WhatId IN ('{ids}'))"
        )
        done += [
            {"Id": one["Id"], "Status": "Completed"}
            for one in found
            if not kinds or str(one["Dunwell_Key__c"]).startswith(tuple(f"{kind}-" for kind in kinds))
        ]
    people.update("Task", done, who="admin")
    return len(done)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
