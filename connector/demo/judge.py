"""Holds every story against its expectations, by what the org shows.

Must not act. Invariant: a story is told only if all its expectations hold; each fault says what was found.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connector.core.changes import DISCREET
from connector.demo.people import People, Record
from connector.demo.script import Book, Story

CONTACTS = ("notify", "remind", "request_method", "confirm", "apologise", "offer_plan")
FOLLOW_UP = "Id, Dunwell_Key__c, Kind__c, Level__c, Planned_At__c, Done_At__c, Status__c, Tone__c, Channel__c, Subject__c, Reasons__c, Cause__c, Withheld__c, Withheld_Until__c, Task_Id__c, Contact__c, Account__c, Rule__c, Installments__c, CreatedDate"
TASK = "Id, Dunwell_Key__c, Subject, Description, Status, Priority, IsClosed, CreatedDate, CompletedDateTime, ActivityDate, WhoId, WhatId, Owner.Name, OwnerId"
POSITION = "Status__c, Amount__c, Since__c, Level__c, Why__c, Currency__c, Contact__c, Account__c"


@dataclass(slots=True)
class Verdict:
    """One story, and what is missing from it."""

    story: Story
    reason_category: str | None
    follow_ups: list[str]
    withheld: list[str]
    why: str
    faults: list[str] = field(default_factory=list)
    next_at: str | None = None
    payer_name: str = ""

    def summary(self) -> dict[str, object]:
        """What ``--json`` prints of it."""
        return {
            "name": self.story.name,
            "payer": self.story.payer,
            "reason_category": self.reason_category,
            "follow_ups": self.follow_ups,
            "withheld": self.withheld,
            "why": self.why,
        }


class Judge:
    """Looks when a check says so, and judges at the end."""

    def __init__(self, people: People, book: Book) -> None:
        self._people, self._book = people, book
        self.moments = sorted(
            {
                book.moment(one["at"])
                for story in book.stories
                for check in story.expect.get("checks", ())
                for one in check.values()
                if isinstance(one, dict) and "at" in one
            }
        )
        self._waiting = list(self.moments)
        self._seen: dict[tuple[str, datetime], tuple[list[Record], list[Record]]] = {}
        self._withheld: dict[str, set[str]] = {story.payer: set() for story in book.stories}

    def look(self, now: datetime) -> None:
        """Keep what is withheld now, and what the org shows at each check's moment."""
        for one in self._people.query("SELECT Withheld__c, Contact__c, Account__c FROM Dunwell_Follow_Up__c WHERE Withheld__c != null"):
            payer = str(one["Contact__c"] or one["Account__c"])
            if payer in self._withheld:
                self._withheld[payer].update(str(one["Withheld__c"]).split(";"))
        while self._waiting and self._waiting[0] <= now:
            moment = self._waiting.pop(0)
            positions = self._people.query(f"SELECT {POSITION} FROM Dunwell_Position__c")
            tasks = self._people.query(
                "SELECT Dunwell_Key__c, IsClosed, WhoId, WhatId FROM Task WHERE Dunwell_Key__c != null AND IsClosed = false"
            )
            for story in self._book.stories:
                mine = [one for one in positions if story.payer in (one["Contact__c"], one["Account__c"])]
                self._seen[story.name, moment] = (mine, [one for one in tasks if story.payer in (one["WhoId"], one["WhatId"])])

    def verdicts(self) -> list[Verdict]:
        """Judge every story."""
        follow_ups = self._people.query(f"SELECT {FOLLOW_UP} FROM Dunwell_Follow_Up__c ORDER BY CreatedDate, Id")
        tasks = self._people.query(f"SELECT {TASK} FROM Task WHERE Dunwell_Key__c != null")
        names = {
            str(one["Id"]): str(one["Name"])
            for sobject in ("Contact", "Account")
            for one in self._people.query(f"SELECT Id, Name FROM {sobject} WHERE Story__c != null")
        }
        found = []
        for story in self._book.stories:
            mine = [one for one in follow_ups if story.payer in (one["Contact__c"], one["Account__c"])]
            theirs = [one for one in tasks if story.payer in (one["WhoId"], one["WhatId"])]
            found.append(self._verdict(story, mine, theirs, names.get(story.payer, "")))
        return found

    def timeline(self) -> list[Record]:
        """Every Task of ours in order, for the table."""
        return self._people.query(
            "SELECT Subject, Who.Name, What.Name, CreatedDate, ActivityDate, Priority, Status, Owner.Name FROM Task WHERE Dunwell_Key__c != null ORDER BY CreatedDate"
        )

    def _verdict(self, story: Story, follow_ups: list[Record], tasks: list[Record], name: str) -> Verdict:
        happened = [
            one for one in follow_ups if one["Status__c"] != "Withheld" and not (one["Status__c"] == "Superseded" and not one["Task_Id__c"])
        ]
        wanted = [one for one in follow_ups if one["Status__c"] != "Withheld"]
        withheld = sorted({cause for reason in self._withheld[story.payer] for cause in self._causes(story, reason)})
        category = next((str(one["Cause__c"]) for one in follow_ups if one["Cause__c"]), None) or self._attempt_category(story)
        planned = [one for one in happened if one["Planned_At__c"]]
        why = next((_why(str(one["Reasons__c"])) for one in wanted if one["Reasons__c"]), "") or "Nothing had to be done."
        verdict = Verdict(story, category, list(dict.fromkeys(str(one["Kind__c"]) for one in wanted)), withheld, why, payer_name=name)
        verdict.next_at = str(planned[0]["Planned_At__c"]) if planned else None
        self._basics(verdict, {str(one["Kind__c"]) for one in happened})
        for check in story.expect.get("checks", ()):
            ((word, about),) = check.items()
            fault = getattr(self, f"_check_{word}", self._unknown)(_Case(story, about, follow_ups, tasks, self._book.zone))
            if fault:
                verdict.faults.append(f"{word}: {fault}")
        return verdict

    def _basics(self, verdict: Verdict, happened: set[str]) -> None:
        expect = verdict.story.expect
        if expect.get("reason_category") and verdict.reason_category != expect["reason_category"]:
            verdict.faults.append(f"reason category {verdict.reason_category}, expected {expect['reason_category']}")
        missing = [kind for kind in expect.get("follow_ups", ()) if kind not in verdict.follow_ups]
        if missing:
            verdict.faults.append(f"no {', '.join(missing)} (there were: {', '.join(verdict.follow_ups) or 'none'})")
        wrong = [kind for kind in expect.get("never", ()) if kind in happened]
        if wrong:
            verdict.faults.append(f"there must be no {', '.join(wrong)}")
        unheld = [reason for reason in expect.get("withheld", ()) if reason not in verdict.withheld]
        if unheld:
            verdict.faults.append(f"not withheld for {', '.join(unheld)} (but for: {', '.join(verdict.withheld) or 'nothing'})")

    def _causes(self, story: Story, reason: str) -> list[str]:
        """A reason as the closed list has it: where records say "do not contact", the hold's restricted cause."""
        if reason != DISCREET:
            return [reason]
        holds = self._people.query(f"SELECT Cause__c FROM Dunwell_Hold__c WHERE {story.link} = '{story.payer}'")
        return [f"hold:{one['Cause__c']}" for one in holds]

    def _attempt_category(self, story: Story) -> str | None:
        found = self._people.query(
            f"SELECT Category__c FROM Dunwell_Attempt__c WHERE {story.link} = '{story.payer}' AND Category__c != null ORDER BY Occurred_At__c DESC LIMIT 1"
        )
        return str(found[0]["Category__c"]) if found else None

    def _unknown(self, case: "_Case") -> str:
        return f"the demo does not know this check for {case.story.name}"

    def _check_position(self, case: "_Case") -> str | None:
        about = case.about
        positions, _ = self._seen.get((case.story.name, self._book.moment(about["at"])), ([], []))
        if not positions:
            return None if about.get("or_none") else "there is no Arrears Position"
        one = positions[0]
        if "status" in about and one["Status__c"] != about["status"]:
            return f"status {one['Status__c']}, expected {about['status']}"
        if "status_not" in about and one["Status__c"] == about["status_not"]:
            return f"status is {one['Status__c']}"
        if "amount" in about and float(one["Amount__c"] or 0) != float(about["amount"]):
            return f"amount {one['Amount__c']}, expected {about['amount']}"
        if "since" in about and str(one["Since__c"]) != str(about["since"]):
            return f"since {one['Since__c']}, expected {about['since']}"
        if "level_at_most" in about and float(one["Level__c"] or 0) > float(about["level_at_most"]):
            return f"level {one['Level__c']}"
        return None

    def _check_contact(self, case: "_Case") -> str | None:
        about = case.about
        found = [one for one in case.follow_ups if one["Kind__c"] == about["kind"] and one["Status__c"] != "Withheld" and one["Task_Id__c"]]
        if not found:
            return f"no {about['kind']} was made"
        if "count" in about and len(found) != int(about["count"]):
            return f"{len(found)} of kind {about['kind']}, expected {about['count']}"
        if "tone" in about and found[0]["Tone__c"] != about["tone"]:
            return f"tone {found[0]['Tone__c']}, expected {about['tone']}"
        if "tone_not" in about and any(one["Tone__c"] in _several(about["tone_not"]) for one in found):
            return f"tone {found[0]['Tone__c']}"
        if "local_time" in about and (at := case.local(found[0]["Planned_At__c"]).strftime("%H:%M")) != about["local_time"]:
            return f"planned at {at}, expected {about['local_time']}"
        if about.get("pay_link") and not any(
            "https://" in str(task["Description"]) for task in case.tasks if task["Dunwell_Key__c"] == found[0]["Dunwell_Key__c"]
        ):
            return "its words hold no pay link"
        return None

    def _check_task(self, case: "_Case") -> str | None:
        about = case.about
        found = [one for one in case.tasks if "kind" not in about or str(one["Dunwell_Key__c"]).startswith(f"{about['kind']}-")]
        if "queue" in about or "user" in about:
            found = [one for one in found if one["OwnerId"] in self._owners(str(about.get("queue") or about.get("user")))]
        if "priority" in about:
            found = [one for one in found if one["Priority"] == about["priority"]]
        least = int(about.get("at_least", 1))
        if len(found) < least or ("count" in about and len(found) != int(about["count"])):
            return f"{len(found)} such Tasks ({', '.join(sorted({str(one['Subject']) for one in case.tasks})) or 'none at all'})"
        return None

    def _owners(self, name: str) -> set[str]:
        groups = self._people.query(f"SELECT Id FROM Group WHERE DeveloperName = '{name}'")
        users = self._people.query(f"SELECT Id FROM User WHERE Username LIKE '{name}%'")
        return {str(one["Id"]) for one in (*groups, *users)}

    def _check_retry(self, case: "_Case") -> str | None:
        retries = [one for one in case.follow_ups if one["Kind__c"] == "retry" and one["Status__c"] in ("Planned", "Done")]
        if not retries:
            return "no retry"
        on = case.local(retries[0]["Planned_At__c"]).date().isoformat()
        runs = self._book.world.mapping.runs
        if case.about.get("on_run") and not (runs and self._people.query(f"SELECT Id FROM {runs.object} WHERE {runs.on} = {on} LIMIT 1")):
            return f"the retry on {on} falls on no collection run"
        notices = [one for one in case.follow_ups if one["Kind__c"] == "notify" and one["Status__c"] in ("Planned", "Done")]
        if case.about.get("after_notice") and not any(str(one["Planned_At__c"]) < str(retries[0]["Planned_At__c"]) for one in notices):
            return "the retry was not announced"
        return None

    def _check_records(self, case: "_Case") -> str | None:
        about = case.about
        sobject = str(about["object"])
        month = "2026-03"
        first = next((str(record["Id"]) for label, record in case.story.installments.items() if label.endswith(month)), "")
        owned = f"{case.story.link} = '{case.story.payer}'"
        world = self._book.world
        where = f"{world.mapping.payments.installment} = '{first}'" if sobject == world.money else owned
        count = len(case.tasks) if sobject == "Task" else len(self._people.query(f"SELECT Id FROM {sobject} WHERE {where}"))
        return None if count == int(about["count"]) else f"{count} of {sobject}, expected {about['count']}"

    def _check_open_tasks(self, case: "_Case") -> str | None:
        _, tasks = self._seen.get((case.story.name, self._book.moment(case.about["at"])), ([], []))
        kinds = tuple(f"{kind}-" for kind in _several(case.about.get("kinds", ())))
        found = [one for one in tasks if not kinds or str(one["Dunwell_Key__c"]).startswith(kinds)]
        return None if len(found) == int(case.about["count"]) else f"{len(found)} open"

    def _check_hold(self, case: "_Case") -> str | None:
        cause = case.about["cause"]
        found = self._people.query(
            f"SELECT Id FROM Dunwell_Hold__c WHERE {case.story.link} = '{case.story.payer}' AND Cause__c = '{cause}'"
        )
        return None if found else f"no hold for {cause}"

    def _check_silent(self, case: "_Case") -> str | None:
        """No contact became visible between two moments."""
        begins, ends = self._book.moment(case.about["from"]), self._book.moment(case.about["until"])
        kinds = tuple(f"{kind}-" for kind in (*CONTACTS, "call"))
        loud = [
            one
            for one in case.tasks
            if str(one["Dunwell_Key__c"]).startswith(kinds) and begins + timedelta(minutes=5) < case.local(one["CreatedDate"]) < ends
        ]
        return f"'{loud[0]['Subject']}' at {case.local(loud[0]['CreatedDate']):%d %b %H:%M}" if loud else None

    def _check_no_words(self, case: "_Case") -> str | None:
        words = [
            word for word in case.about if any(word.lower() in f"{task['Subject']} {task['Description']}".lower() for task in case.tasks)
        ]
        return f"a Task says '{words[0]}'" if words else None

    def _check_steps_in_order(self, case: "_Case") -> str | None:
        levels = [
            int(one["Level__c"])
            for one in sorted(case.follow_ups, key=lambda one: str(one["Planned_At__c"]))
            if one["Level__c"] is not None and one["Task_Id__c"]
        ]
        skipped = [(a, b) for a, b in zip([0, *levels], levels, strict=False) if b > a + 1]
        return f"levels went {levels}" if skipped else None

    def _check_same_end_as(self, case: "_Case") -> str | None:
        other = next(one for one in self._book.stories if one.name == str(case.about))
        mine, theirs = self._end(case.story), self._end(other)
        return None if mine == theirs else f"ended as {mine}, not as {theirs}"

    def _end(self, story: Story) -> Mapping[str, object]:
        payer = f"{story.link} = '{story.payer}'"
        kinds = sorted(
            str(one["Kind__c"])
            for one in self._people.query(f"SELECT Kind__c, Status__c FROM Dunwell_Follow_Up__c WHERE {payer}")
            if one["Status__c"] in ("Planned", "Done")
        )
        return {"follow_ups": kinds, "attempts": len(self._people.query(f"SELECT Id FROM Dunwell_Attempt__c WHERE {payer}"))}


@dataclass(frozen=True, slots=True)
class _Case:
    """What one check is about."""

    story: Story
    about: Any
    follow_ups: list[Record]
    tasks: list[Record]
    zone: ZoneInfo

    def local(self, value: object) -> datetime:
        """An instant of the org in the creditor's time zone."""
        return datetime.fromisoformat(str(value)).astimezone(self.zone)


def _why(reasons: str) -> str:
    """The reasons without the planned time, which has a column of its own."""
    return reasons.partition(" Planned for ")[0].replace("do_not_contact", "Do not contact.")


def _several(value: object) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(str(one) for one in value)  # type: ignore[attr-defined]
