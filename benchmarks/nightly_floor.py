"""The floor of the nightly pass: the same rows by bare HTTP, parsed with pyarrow, and the same changes written. No logic, no strictness.

A script of its own, so that its processor time and memory are its own; told what to do as JSON on stdin, tells what it took as JSON.
It logs in with a token, waits for jobs at a steady pause, repeats nothing and checks only that what it does succeeded.
"""

import csv
import io
import json
import resource
import sys
import time
from typing import Any

import pyarrow as pa
import requests
from pyarrow import csv as arrow_csv

ROWS, PARTS = 200, 5
PAGE_ROWS = 100_000
Row = dict[str, Any]


class Org:
    """One org."""

    def __init__(self, told: Row) -> None:
        self.root = f"{told['instance_url']}/services/data/v{told['api_version']}/"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {told['token']}"
        self.calls = 0

    def __call__(self, method: str, path: str, **rest: Any) -> requests.Response:  # noqa: ANN401 - what requests takes
        """One request; it must succeed."""
        self.calls += 1
        reply = self.session.request(method, self.root + path, timeout=600, **rest)
        if reply.status_code >= 400:
            raise RuntimeError(reply.text[:500])
        return reply

    def ended(self, path: str) -> None:
        """Wait for a job."""
        while True:
            state = self("GET", path).json()["state"]
            if state in ("JobComplete", "Failed", "Aborted"):
                if state != "JobComplete":
                    raise RuntimeError(f"{path} ended as {state}")
                return
            time.sleep(1.0)


def download(org: Org, queries: list[list[Any]]) -> int:
    """Every query to its last page, as tables."""
    jobs = [
        org("POST", "jobs/query", json={"operation": "queryAll" if every else "query", "query": soql}).json()["id"]
        for soql, every in queries
    ]
    tables: list[pa.Table] = []
    for job in jobs:
        org.ended(f"jobs/query/{job}")
        locator = ""
        while locator != "null":
            params = {"maxRecords": str(PAGE_ROWS), **({"locator": locator} if locator else {})}
            page = org("GET", f"jobs/query/{job}/results", params=params)
            tables.append(arrow_csv.read_csv(pa.BufferReader(page.content), parse_options=arrow_csv.ParseOptions(newlines_in_values=True)))
            locator = page.headers["Sforce-Locator"]
    return sum(len(one) for one in tables)


def upload(org: Org, writes: list[Row], bulk_rows: int) -> int:
    """The same writes in the same order and by the same ways; ids that ours were given are put in place by those given here."""
    ids: dict[str, str] = {}
    rows = 0
    for one in writes:
        inserts, updates = one["inserts"], one["updates"]
        for _, values in [*inserts, *((name, values) for name, _, values in updates)]:
            for name, value in values.items():
                if isinstance(value, str) and value in ids:
                    values[name] = ids[value]
        updates = [(name, ids.get(record, record), values) for name, record, values in updates]
        rows += len(inserts) + len(updates)
        wide = (
            set()
            if one["serial"]
            else {name for name in {row[0] for row in inserts} if sum(row[0] == name for row in inserts) >= bulk_rows}
        )
        for name in sorted(wide):
            ids.update(
                _by_job(org, name, [(values, old) for (which, values), old in zip(inserts, one["ids"], strict=True) if which == name])
            )
        together = [(name, values, old) for (name, values), old in zip(inserts, one["ids"], strict=True) if name not in wide]
        slim = sorted(together, key=lambda row: str(row[0]))  # a collection holds ten runs of one type at most
        made = _collections(org, "POST", [{"attributes": {"type": name}, **values} for name, values, _ in slim])
        ids.update({old: new for (_, _, old), new in zip(slim, made, strict=True) if old and new})
        _collections(
            org,
            "PATCH",
            [
                {"attributes": {"type": name}, "id": record, **values}
                for name, record, values in sorted(updates, key=lambda row: str(row[0]))
            ],
        )
    return rows


def _by_job(org: Org, sobject: str, rows: list[tuple[Row, str]]) -> dict[str, str]:
    columns = sorted({name for values, _ in rows for name in values})
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([["#N/A" if (value := values.get(name, "")) is None else value for name in columns] for values, _ in rows])
    job = org("POST", "jobs/ingest", json={"object": sobject, "operation": "insert"}).json()["id"]
    org("PUT", f"jobs/ingest/{job}/batches", data=out.getvalue().encode(), headers={"Content-Type": "text/csv"})
    org("PATCH", f"jobs/ingest/{job}", json={"state": "UploadComplete"})
    org.ended(f"jobs/ingest/{job}")
    told = csv.DictReader(io.StringIO(org("GET", f"jobs/ingest/{job}/successfulResults").text, newline=""))
    made = {row["Dunwell_Key__c"]: row["sf__Id"] for row in told}
    if len(made) != len(rows):
        raise RuntimeError(f"{len(rows) - len(made)} rows of {sobject} were refused")
    return {old: made[values["Dunwell_Key__c"]] for values, old in rows}


def _collections(org: Org, method: str, records: list[Row]) -> list[str | None]:
    made: list[str | None] = []
    parts = [records[at : at + ROWS] for at in range(0, len(records), ROWS)]
    for at in range(0, len(parts), PARTS):
        asked = [
            {"method": method, "url": f"/services/data/{org.root.rsplit('/', 2)[1]}/composite/sobjects", "referenceId": f"r{number}",
             "body": {"allOrNone": False, "records": part}}
            for number, part in enumerate(parts[at : at + PARTS])
        ]  # fmt: skip
        answer = org("POST", "composite", json={"allOrNone": False, "collateSubrequests": False, "compositeRequest": asked}).json()
        for part in answer["compositeResponse"]:
            refused = [one for one in part["body"] if not one["success"]]
            if refused:
                raise RuntimeError(f"a write was refused: {str(refused[0])[:300]}")
            made += [one.get("id") for one in part["body"]]
    return made


def main() -> None:
    """Do it once."""
    told = json.load(sys.stdin)
    org = Org(told)
    cpu, began = time.process_time(), time.perf_counter()
    rows = download(org, told["queries"])
    loaded = time.perf_counter()
    load_cpu = time.process_time() - cpu
    written = upload(org, told["writes"], told["bulk_rows"])
    print(json.dumps({
        "seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu, "load_seconds": loaded - began, "load_cpu_seconds": load_cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "api_calls": org.calls, "rows_read": rows, "rows_written": written,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
