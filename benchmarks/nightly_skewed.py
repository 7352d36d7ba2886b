"""The nightly pass over the skewed world: 10,000 records below one Account, and batches of jobs side by side that want its lock.

    .venv/bin/python benchmarks/nightly_skewed.py [--children 10000] [--payers 300] [--json]

Forty days after the world was made nobody has collected anything, and the bank has refused every debit of the big Account: all its flats are
written about in one night. Everything goes by ingest jobs of small batches, a lost race always fails its row (``lock_contention`` 1), and the
pass must end with nobody parked, nobody left for later, and nothing to do for a second pass.
"""

import argparse
import json
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from burst_ends import ROOT, machine
from nightly import MADE_AT, Told, served

sys.path.insert(0, str(ROOT))

from connector import app as wiring
from connector import log
from connector.pipeline.sweep import sweep
from connector.salesforce.saved import LOCKED, UNPROCESSED
from connector.settings import load

HUB = "Proefdam Housing Association BV"
SETTINGS = {"lock_contention": 1.0, "bulk_batch_rows": 20, "bulk_chunk_rows": 5}
BULK_ROWS = 20
"""From so many rows on a job is used here, so that there is something to contend for."""
DAYS = 40
MANY = 200


def admin(org: Told, where: str, **body: object) -> Any:  # noqa: ANN401 - JSON
    """One request to the admin port."""
    answer = requests.post(f"{org['admin_url']}{where}", json=body, timeout=60)
    answer.raise_for_status()
    return answer.json()


def refuse_debits(org: Told) -> tuple[str, int]:
    """Let every debit of the big Account that is due fail, as the package would set it; its id, and how many."""
    token = admin(org, "/tokens/issue", username="package@sandbox.example")["access_token"]
    root, headers = f"{org['instance_url']}/services/data/v{org['api_version']}", {"Authorization": f"Bearer {token}"}

    def query(soql: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = requests.get(f"{root}/query", params={"q": soql}, headers=headers, timeout=60).json()["records"]
        return found

    hub = query(f"SELECT Id FROM Account WHERE Name = '{HUB}'")[0]["Id"]
    due = query(f"SELECT Id FROM cpm__Installment__c WHERE cpm__Account__c = '{hub}' AND cpm__Status__c IN ('New', 'Pending Processing')")
    for start in range(0, len(due), MANY):
        records = [
            {"attributes": {"type": "cpm__Installment__c"}, "id": one["Id"], "cpm__Status__c": "Failed", "cpm__Last_ReasonCode_Received__c": "AM04"}
            for one in due[start : start + MANY]
        ]  # fmt: skip
        body = {"allOrNone": True, "records": records}
        requests.patch(f"{root}/composite/sobjects", json=body, headers=headers, timeout=60).raise_for_status()
    return hub, len(due)


@contextmanager
def opened(org: Told, folder: Path) -> Iterator[wiring.App]:
    """The product against the org."""
    settings = load(
        {
            "DUNWELL_LOGIN_URL": org["instance_url"], "DUNWELL_CLIENT_ID": org["client_id"], "DUNWELL_USERNAME": org["username"],
            "DUNWELL_KEY_FILE": org["key_file"], "DUNWELL_CLOCK_URL": f"{org['admin_url']}/clock",
            "DUNWELL_STORE_URL": f"sqlite:///{folder / 'dunwell.db'}", "DUNWELL_API_VERSION": org["api_version"],
        },
        env_file=None,
    )  # fmt: skip
    with wiring.opened(settings) as app:
        yield app


def measure(children: int = 10_000, payers: int = 300) -> Told:
    """One pass under contention, and one after it."""
    log.configure("error", stream=sys.stderr)
    logging.disable()
    with tempfile.TemporaryDirectory(prefix="dunwell-skewed-") as name:
        folder = Path(name)
        shape = ("--world", "skewed", "--children", str(children), "--payers", str(payers), "--now", MADE_AT)
        with served(folder / "org.db", *shape) as org, opened(org, folder) as app:
            admin(org, "/clock", advance_seconds=DAYS * 86400)
            hub, refused = refuse_debits(org)
            admin(org, "/clock", advance_seconds=86400)
            admin(org, "/settings", **SETTINGS)
            bulk = app.context.bulk
            bulk._bulk_rows = BULK_ROWS  # noqa: SLF001 - there is no setting for it
            met, jobs, write = Counter[str | None](), [0], bulk._writing.write  # noqa: SLF001 - to count what it answers

            def counted(*given: Any, **rest: Any) -> Any:  # noqa: ANN401 - handed on
                saved = write(*given, **rest)
                jobs[0] += 1
                met.update(one.code for one in saved if not one.ok)
                return saved

            bulk._writing.write = counted  # noqa: SLF001
            began = time.perf_counter()
            first = sweep(app.context, batch_payers=200, wide=True, force=True)
            seconds = time.perf_counter() - began
            below = app.org.query(f"SELECT COUNT(Id) made FROM Dunwell_Follow_Up__c WHERE Account__c = '{hub}'")
            left = [mark.payer for mark in app.store.lease_due(app.clock.now(), 10_000, 60) if mark.why == "locked"]
            again = sweep(app.context, batch_payers=200, wide=True, force=True)
            return {
                "children": children, "payers": first.payers, "refused_debits": refused, "seconds": seconds, "changes": first.changes, "jobs": jobs[0],
                "below": int(str(below[0]["made"])), "locked_rows": met[LOCKED] + met[UNPROCESSED], "parked": len(first.parked), "left": len(left), "again": again.changes,
            }  # fmt: skip


def verdicts(found: Told) -> dict[str, bool]:
    """Whether contention was met, and nobody was lost to it."""
    return {"contention": found["locked_rows"] > 0, **{name: found[name] == 0 for name in ("parked", "left", "again")}}


def show(found: Told) -> None:
    """A few lines for people."""
    print(
        f"skewed: {found['children']:,} records below one Account, {found['refused_debits']} of its debits refused, {found['payers']} payers"
    )
    print(
        f"{found['changes']:,} changes, {found['below']} follow-ups below it, in {found['seconds']:.1f} s, by {found['jobs']} jobs and collections"
    )
    print(
        f"{found['locked_rows']} rows lost a race and were written again; {found['parked']} parked, {found['left']} left, {found['again']} changes by a second pass"
    )


def main() -> None:
    """Measure and tell; exit 1 if somebody was lost."""
    parser = argparse.ArgumentParser(description="The nightly pass where one Account is above all.")
    parser.add_argument("--children", type=int, default=10_000)
    parser.add_argument("--payers", type=int, default=300)
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    found = measure(chosen.children, chosen.payers)
    if chosen.as_json:
        print(json.dumps({"machine": machine(), **found, "met": verdicts(found)}))
    else:
        show(found)
    sys.exit(0 if all(verdicts(found).values()) else 1)


if __name__ == "__main__":
    main()
