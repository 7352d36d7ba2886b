"""The floor: a script without any logic that moves the same data.

It consumes the same events through aiosfstream-ng (manual replay storage, marker on the disk after the work), reads
the same rows with the same SOQL in equally large composite calls, and posts the records that it was handed, in
collections of 200. It parses what it reads and looks at nothing. Must not grow a thought: every line it gains makes
the product look better than it is.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from aiosfstream_ng.auth import AuthenticatorBase
from aiosfstream_ng.client import Client, ReplayMarkerStoragePolicy
from aiosfstream_ng.replay import ReplayMarker, ReplayMarkerStorage

from connector.mapping import own, queries
from connector.mapping.org import load_mapping

ROWS, PER_CALL = 200, 5
Record = dict[str, Any]


class Marker(ReplayMarkerStorage):
    """One marker in one file, on the disk before the next event is taken."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    async def get_replay_marker(self, subscription: str) -> ReplayMarker | None:  # noqa: ARG002 - the library's signature
        """What is on the disk."""
        return ReplayMarker(**json.loads(self._path.read_text())) if self._path.exists() else None

    async def set_replay_marker(self, subscription: str, replay_marker: ReplayMarker) -> None:  # noqa: ARG002 - the library's signature
        """Write beside, flush, put in place."""
        fresh = self._path.with_suffix(".new")
        with fresh.open("w") as file:
            json.dump({"date": replay_marker.date, "replay_id": replay_marker.replay_id}, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)


class Token(AuthenticatorBase):
    """A token that was handed over."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__()
        self._given = dict(given)

    async def _authenticate(self) -> tuple[int, dict[str, str]]:
        return 200, self._given


class Stream(Client):
    """The library's client, at the API version in use."""

    api_version = ""

    def get_cometd_url(self, instance_url: str) -> str:  # type: ignore[override]
        """Return the endpoint."""
        return f"{instance_url}/cometd/{self.api_version}"


class Rest:
    """Composite calls with requests."""

    def __init__(self, instance: str, version: str, token: str) -> None:
        self._root, self._version = f"{instance}/services/data/v{version}", version
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.headers.update({"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        self._standing = {"Sforce-Auto-Assign": "FALSE", "Sforce-Call-Options": "client=bare", "Sforce-Mru": "updateMru=false"}
        self._http.headers.update(self._standing)
        self.calls = 0

    def read(self, wanted: Sequence[queries.Query]) -> list[list[Record]]:
        """Rows of each query, five queries or pages to a call."""
        found: list[list[Record]] = [[] for _ in wanted]
        waiting = deque((at, f"{'queryAll' if one.all_rows else 'query'}?q={quote(one.soql, safe='')}") for at, one in enumerate(wanted))
        while waiting:
            bundle = [waiting.popleft() for _ in range(min(PER_CALL, len(waiting)))]
            answers = self._composite([{"method": "GET", "url": f"/services/data/v{self._version}/{path}"} for _, path in bundle])
            for (at, _), answer in zip(bundle, answers, strict=True):
                found[at] += answer["records"]
                if not answer["done"]:
                    waiting.append((at, answer["nextRecordsUrl"].partition(f"v{self._version}/")[2]))
        return found

    def post(self, rows: Sequence[Record], method: str = "POST") -> list[str]:
        """Ids of the records, 200 to a collection, five collections to a call; PATCH changes those that have an ``id``."""
        ids: list[str] = []
        chunks = [rows[at : at + ROWS] for at in range(0, len(rows), ROWS)]
        for at in range(0, len(chunks), PER_CALL):
            requests_ = [
                {
                    "method": method, "url": f"/services/data/v{self._version}/composite/sobjects", "httpHeaders": self._standing,
                    "body": {"allOrNone": False, "records": chunk},
                }
                for chunk in chunks[at : at + PER_CALL]
            ]  # fmt: skip
            for answer in self._composite(requests_):
                for result in answer:
                    if not result["success"]:
                        raise RuntimeError(f"the org refused a record of the floor: {result['errors']}")
                    ids.append(result["id"])
        return ids

    def _composite(self, parts: Sequence[Record]) -> list[Any]:
        self.calls += 1
        body = {"allOrNone": False, "compositeRequest": [{**part, "referenceId": f"r{at}"} for at, part in enumerate(parts)]}
        answer = self._http.post(f"{self._root}/composite", data=json.dumps(body), timeout=120)
        answer.raise_for_status()
        found = {one["referenceId"]: one for one in answer.json()["compositeResponse"]}
        ordered = [found[f"r{at}"] for at in range(len(parts))]
        if any(one["httpStatusCode"] >= 300 for one in ordered):
            raise RuntimeError(f"the org refused a part: {[one['body'] for one in ordered if one['httpStatusCode'] >= 300][:1]}")
        return [one["body"] for one in ordered]


class Floor:
    """Reads and posts for a batch of events."""

    def __init__(self, rest: Rest, now: datetime, mappings: Path) -> None:
        self._rest, self._now = rest, now
        self.posts: Mapping[str, Mapping[str, list[Record]]] = {}
        self._mapping = load_mapping(mappings, "findock")[0]

    def prepare(self, posts: Path) -> None:
        """Take the records to post from a file."""
        self.posts = json.loads(posts.read_text())

    def work(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Do for these events what a program without a thought would do."""
        named = [message["data"]["payload"]["Installment__c"] for message in messages]
        found = self._rest.read([one for ids in _chunks(named) for one in queries.known_installments(self._mapping, ids, [])])
        payers = list(dict.fromkeys(row["cpm__Contact__c"] or row["cpm__Account__c"] for rows in found for row in rows))
        self._rest.read([one for ids in _chunks(named) for one in queries.known_money(self._mapping, ids, [])])
        self._rest.post(self._of(payers, own.ATTEMPT, "cpm__Payment__c"))
        for chunk in _chunks(payers):
            self._rest.read(queries.for_payers(self._mapping, chunk, self._now))
            tasks = self._of(chunk, "Task")
            task_of = dict(zip((one[own.KEY] for one in tasks), self._rest.post(tasks), strict=True))
            follow_ups = self._of(chunk, own.FOLLOW_UP)
            for one in follow_ups:
                if one[own.KEY] in task_of:
                    one["Task_Id__c"] = task_of[one[own.KEY]]
            positions = self._of(chunk, own.POSITION)
            ids = self._rest.post([*follow_ups, *positions, *self._of(chunk, own.HOLD)])
            follow_up_of = dict(zip((one[own.KEY] for one in follow_ups), ids, strict=False))
            position_of = dict(zip((one[own.KEY] for one in positions), ids[len(follow_ups) :], strict=False))
            edits = sorted(self._of(chunk, "edits"), key=lambda one: str(one["attributes"]["type"]))
            for one in edits:
                if "Dunwell_Position__c" in one:
                    one["Dunwell_Position__c"] = position_of[one["Dunwell_Position__c"]]
            self._rest.post(edits, "PATCH")
            events = self._of(chunk, own.DECIDED_EVENT)
            for one in events:
                one["Task_Id__c"], one["Follow_Up__c"] = task_of[one["Key__c"]], follow_up_of.get(one["Key__c"])
            self._rest.post(events)

    def _of(self, payers: Iterable[str], *sobjects: str) -> list[Record]:
        return [row for sobject in sobjects for payer in payers for row in self.posts.get(payer, {}).get(sobject, ())]


def _chunks(items: Sequence[str]) -> list[Sequence[str]]:
    return [items[at : at + ROWS] for at in range(0, len(items), ROWS)]


async def consume(arguments: argparse.Namespace) -> None:
    """Told how many events to expect and where the records for them are, take these events and say when the work is done."""
    line = json.loads(arguments.line)
    given = {"access_token": arguments.token, "token_type": "Bearer", "instance_url": line["instance_url"]}
    rest = Rest(line["instance_url"], line["api_version"], arguments.token)
    floor = Floor(rest, arguments.now, arguments.mappings)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # the library complains of its own closing
    Stream.api_version = line["api_version"]
    client = Stream(
        Token(given), replay=Marker(arguments.marker), replay_storage_policy=ReplayMarkerStoragePolicy.MANUAL, connection_timeout=0, max_pending_count=0
    )  # fmt: skip
    async with client:
        await client.subscribe(own.OUTCOME_CHANNEL)
        _say({"subscribed": True})
        while told := await asyncio.to_thread(sys.stdin.readline):
            wanted = json.loads(told)
            floor.prepare(Path(wanted["posts"]))
            rest.calls = 0
            _say({"ready": True})
            messages = [await client.receive() for _ in range(wanted["expect"])]
            async with client.replay_storage(messages[-1]):
                floor.work(messages)
            _say({"done": len(messages), "at": time.monotonic(), "calls": rest.calls})


def _say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--line", required=True, help="what the sandbox printed")
    parser.add_argument("--token", required=True)
    parser.add_argument("--marker", type=Path, required=True)
    parser.add_argument("--mappings", type=Path, required=True)
    parser.add_argument("--now", type=datetime.fromisoformat, required=True)
    asyncio.run(consume(parser.parse_args()))
