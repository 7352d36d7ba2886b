"""One sandbox with its failures chosen, and what was written into it.

Must not measure. Invariant: the same payers, singles, rounds and seed give the same scene, down to the record ids.
"""

import json
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import requests
from burst_ends import Talker, talking

from connector.demo.people import People
from connector.demo.world import world

HERE = Path(__file__).resolve().parent
AGE = timedelta(days=28)
"""How long ago the org was filled: the installments of a month are unpaid since."""
STORY_PAYERS, UNUSED = 60, 1.3
"""More payers than are used: those of the stories, and those with a case, a hold or nothing due are left alone."""
CODES = {
    "sepa_core": ("AM04", "AM04", "AM04", "MS03", "MS03", "AC04", "MD01"),
    "bacs": ("0", "0", "0", "1", "B"),
    "card": ("51", "51", "05", "91", "54"),
}
"""What a burst fails with: codes as providers really send them, the commonest most often."""
CODE_SETS = {"sepa_core": "iso20022_return", "bacs": "bacs_arudd", "card": "iso8583"}
UNKNOWN_CODE = "ZZ99"
"""What one event alone fails with: a person must look, so there is a Task at once."""
PATIENCE_SECONDS = 600.0
WRITTEN = ("Task", "Dunwell_Attempt__c", "Dunwell_Follow_Up__c", "Dunwell_Position__c", "Dunwell_Hold__c", "cpm__Payment__c")
PAYER_LINKS = ("Contact__c", "Account__c", "WhoId", "WhatId", "cpm__Contact__c", "cpm__Account__c")
DECIDED = "Follow_Up_Decided__e"
Record = dict[str, Any]
Posts = dict[str, dict[str, list[Record]]]


@dataclass(slots=True)
class Scene:
    """``singles`` and each of ``bursts`` are event bodies, about one installment each of different payers."""

    box: Talker
    people: People
    line: dict[str, str]
    singles: list[Record]
    bursts: list[list[Record]]
    dump: Path
    now: datetime
    decided_id: int = -2

    def fail(self) -> None:
        """Let the package say that the installments failed, as it does before its provider's event arrives."""
        rows = [
            {"Id": one["Installment__c"], "cpm__Status__c": "Failed", "cpm__Last_ReasonCode_Received__c": one["Reason_Code__c"]}
            for events in (self.singles, *self.bursts)
            for one in events
            if one["Provider__c"].startswith("PaymentHub")
        ]
        self.people.update("cpm__Installment__c", rows)

    def publish(self, events: Sequence[Record]) -> float:
        """Publish, 200 to a call; when the first call began (monotonic)."""
        self.box.taken()
        began = time.monotonic()
        self.people.insert("Payment_Outcome__e", events)
        return began

    def task_seconds(self, began: float) -> list[float]:
        """Time from ``began`` to the commit that held the first Task; nothing if there was none."""
        time.sleep(0.02)  # the line of the last commit is on its way
        times = [one["at"] for one in self.box.taken() if "CREATE Task" in one.get("counts", {})]
        return [times[0] - began] if times else []

    def counts(self) -> dict[str, int]:
        """Records written since the last publish."""
        time.sleep(0.2)
        found: Counter[str] = Counter()
        for line in self.box.taken():
            found.update(line.get("counts", {}))
        return dict(sorted(found.items()))

    def written(self) -> Posts:
        """What was written since this was last asked: payer → object → records, as another script can post them."""
        self.box.process.send_signal(signal.SIGUSR1)
        self.box.next("dumped", PATIENCE_SECONDS)
        writable = {name: self._createable(name) for name in (*WRITTEN, DECIDED)}
        rows = json.loads(self.dump.read_text())
        keys = {one["id"]: one["fields"].get("Dunwell_Key__c") for one in rows}
        posts: Posts = {}

        def post(payer: str, kind: str, sobject: str, fields: Record) -> None:
            posts.setdefault(payer, {}).setdefault(kind, []).append({"attributes": {"type": sobject}, **fields})

        for one in rows:
            sobject, fields = one["sobject"], one["fields"]
            if one["kind"] == "CREATE" and sobject in writable:
                kept = {name: value for name, value in fields.items() if value is not None and name in writable[sobject]}
                post(next(kept[name] for name in PAYER_LINKS if kept.get(name)), sobject, sobject, kept)
            elif one["kind"] == "UPDATE" and sobject in ("Contact", "Account"):
                post(one["id"], "edits", sobject, {"id": one["id"], **fields, "Dunwell_Position__c": keys[fields["Dunwell_Position__c"]]})
            elif one["kind"] == "UPDATE" and sobject == "cpm__Installment__c":
                post(self._whose(one["id"]), "edits", sobject, {"id": one["id"], **fields})
        for event in self._decided():
            kept = {name: value for name, value in event.items() if value is not None and name in writable[DECIDED]}
            post(kept["Payer__c"], DECIDED, DECIDED, kept)
        return posts

    def _decided(self) -> list[Record]:
        asked = {"channel": f"/event/{DECIDED}", "since": str(self.decided_id)}
        found = requests.get(f"{self.line['admin_url']}/events", params=asked, timeout=60).json()
        self.decided_id = max((one["replay_id"] for one in found), default=self.decided_id)
        return [one["payload"] for one in found]

    def _whose(self, installment: str) -> str:
        (one,) = self.people.query(f"SELECT cpm__Contact__c, cpm__Account__c FROM cpm__Installment__c WHERE Id = '{installment}'")
        return str(one["cpm__Contact__c"] or one["cpm__Account__c"])

    def _createable(self, sobject: str) -> set[str]:
        described = self.people._send("GET", f"{self.people._base}/sobjects/{sobject}/describe", "admin")  # noqa: SLF001 - the demo's hands
        return {one["name"] for one in described["fields"] if one["createable"]}


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    payers: int
    rounds: int
    singles: int
    seed: int

    @property
    def needed(self) -> int:
        """Payers in all."""
        return self.payers * self.rounds + self.singles


@contextmanager
def scene(size: Size, now: datetime, folder: Path) -> Iterator[Scene]:
    """Start a sandbox that was filled a month ago, and choose one unpaid installment each of as many payers as are needed."""
    folder.mkdir()
    words = [str(HERE / "burst_box.py"), "--payers", str(round(size.needed * UNUSED) + STORY_PAYERS), "--seed", str(size.seed)]
    with talking([*words, "--built-at", (now - AGE).isoformat(), "--dump", str(folder / "records.json")]) as box:
        line = box.next("instance_url", PATIENCE_SECONDS)
        people = People(line)
        chosen = _chosen(people, now)
        chosen = [*chosen[: size.singles], *_mixed(chosen[size.singles :])][: size.needed]
        if len(chosen) < size.needed:
            raise RuntimeError(f"the world has only {len(chosen)} payers with an unpaid installment")
        chance = Random(size.seed)  # noqa: S311 - a benchmark, not a secret
        ones = [_event(one, UNKNOWN_CODE, now) for one in chosen[: size.singles]]
        many = [_event(one, chance.choice(CODES[_scheme(one)]), now) for one in chosen[size.singles :]]
        bursts = [many[at * size.payers : (at + 1) * size.payers] for at in range(size.rounds)]
        yield Scene(box, people, line, ones, bursts, folder / "records.json", now)


def _chosen(people: People, now: datetime) -> list[Record]:
    """Unpaid installments of different payers; gifts last, for one that fails makes no Task."""
    rows = people.query(
        "SELECT Id, cpm__Contact__c, cpm__Account__c, cpm__Amount__c, CurrencyIsoCode, cpm__Payment_Processor__c, cpm__Payment_Method__c, Claim_Kind__c FROM cpm__Installment__c "
        f"WHERE cpm__Status__c = 'New' AND cpm__Original_Due_Date__c > {(now - AGE).date()} "
        f"AND cpm__Original_Due_Date__c <= {now.date()} ORDER BY Id"
    )
    by_payer = {str(one["cpm__Contact__c"] or one["cpm__Account__c"]): one for one in reversed(rows)}
    spoken_for = _spoken_for(people)
    found = [one for payer, one in sorted(by_payer.items()) if payer not in spoken_for]
    return sorted(_mixed(found), key=lambda one: bool(one["Claim_Kind__c"] == "gift"))


def _mixed(installments: list[Record]) -> list[Record]:
    """Persons and companies, debts and gifts, in no order but always the same."""
    return Random(7).sample(installments, len(installments))  # noqa: S311


def _spoken_for(people: People) -> set[str]:
    """Payers of the stories, and those with an open case or a hold: nothing is done for them at once."""
    rows = [row for name in ("Contact", "Account") for row in people.query(f"SELECT Id FROM {name} WHERE Story__c != null")]
    rows += people.query("SELECT ContactId, AccountId FROM Case WHERE IsClosed = false")
    rows += people.query("SELECT Contact__c, Account__c FROM Dunwell_Hold__c")
    return {str(value) for row in rows for name, value in row.items() if name != "attributes" and value}


def _scheme(installment: Record) -> str:
    return {"PaymentHub-SEPA": "sepa_core", "PaymentHub-Bacs": "bacs"}.get(str(installment["cpm__Payment_Processor__c"]), "card")


def _event(installment: Record, code: str, now: datetime) -> Record:
    event = world("findock").outcome(installment, "failed", now - timedelta(minutes=5), f"burst-{installment['Id']}")
    return {**event, "Reason_Code__c": code, "Code_Set__c": CODE_SETS[_scheme(installment)]}
