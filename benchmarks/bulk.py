"""Bulk API 2.0, rows a second in and out: client and org on one machine, over local loopback, the client's own work included.

    python benchmarks/bulk.py [--rows 200000] [--store] [--also update upsert] [--json]

The org is served by a process of its own (as users run it), this one is the client. In: one ingest job of ROWS installments as CSV,
from its creation to its results read. Out: one query job over the same rows, read page by page and parsed. `--also` changes the
rows again by another job, by their ids or by their external ids. Uploads are made and results read as they go, so that the peak of
memory says what a million rows need.
"""

import argparse
import csv
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice, pairwise
from pathlib import Path

import requests

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

VERSION = "66.0"
OBJECT = "cpm__Installment__c"
KEY = "cpm__External_ID__c"
TARGET = 20_000
PART = 10_000


@dataclass(frozen=True, slots=True)
class Again:
    """What changing the rows again took."""

    operation: str
    per_second: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured."""

    rows: int
    in_per_second: float
    out_per_second: float
    upload_seconds: float
    work_seconds: float
    results_seconds: float
    query_seconds: float
    download_seconds: float
    in_cpu_seconds: float
    out_cpu_seconds: float
    server_peak_mb: float
    client_peak_mb: float
    again: list[Again] = field(default_factory=list)


class Org:
    """The org in a process of its own."""

    def __init__(self, store: Path | None) -> None:
        words = [sys.executable, "-m", "sandbox", "--port", "0", "--admin-port", "0", "--world", "findock", "--payers", "50"]
        words += ["--store", str(store)] if store else []
        self.process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own command
        line = self.process.stdout.readline() if self.process.stdout else ""
        self.told = json.loads(line)
        self.url = self.told["instance_url"]
        self.session = requests.Session()
        issued = self.session.post(self.told["admin_url"] + "/tokens/issue", json={"username": "admin@sandbox.example"}, timeout=30).json()
        self.session.headers["Authorization"] = f"Bearer {issued['access_token']}"

    def __call__(self, method: str, path: str, **rest: object) -> requests.Response:
        """One request; it must succeed."""
        url = path if path.startswith("/") else f"/services/data/v{VERSION}/{path}"
        reply = self.session.request(method, self.url + url, timeout=600, **rest)  # type: ignore[arg-type]
        if reply.status_code >= 400:
            raise RuntimeError(reply.text)
        return reply

    def ended(self, path: str) -> dict[str, object]:
        """Poll a job to its end."""
        while True:
            job = self("GET", path).json()
            if job["state"] in ("JobComplete", "Failed", "Aborted"):
                return dict(job)
            time.sleep(0.05)

    def uploaded(self, operation: str, data: Iterator[bytes]) -> str:
        """Make an ingest job, upload and close it; its path."""
        key = {"externalIdFieldName": KEY} if operation == "upsert" else {}
        job = self("POST", "jobs/ingest", json={"object": OBJECT, "operation": operation, **key}).json()
        self("PUT", f"jobs/ingest/{job['id']}/batches", data=data, headers={"Content-Type": "text/csv"})
        self("PATCH", f"jobs/ingest/{job['id']}", json={"state": "UploadComplete"})
        return f"jobs/ingest/{job['id']}"

    def worked(self, path: str) -> None:
        """Wait for an ingest job; every row must have been written."""
        done = self.ended(path)
        if done["state"] != "JobComplete" or done["numberRecordsFailed"]:
            raise RuntimeError(f"{done}: {self('GET', path + '/failedResults').text[:400]}")

    def table(self, path: str, **params: str) -> tuple[Iterator[list[str]], requests.Response]:
        """The rows of a page of results below its header, read as they come."""
        reply = self("GET", path, params=params, stream=True)
        reply.raw.decode_content, reply.raw.auto_close = True, False
        return islice(csv.reader(io.TextIOWrapper(reply.raw, "utf-8", newline="")), 1, None), reply

    def cpu_seconds(self) -> float:
        """The processor time the org's process has used so far."""
        spent = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(spent[11]) + int(spent[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self) -> float:
        """The largest resident memory of the org's process so far."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
        return 0.0

    def stop(self) -> None:
        """End the org."""
        self.session.close()
        self.process.terminate()
        self.process.wait(30)
        if self.process.stdout:
            self.process.stdout.close()


def csv_of(rows: Iterator[list[str]]) -> Iterator[bytes]:
    """Rows as CSV, many at a time."""
    while part := list(islice(rows, PART)):
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator="\n").writerows(part)
        yield out.getvalue().encode()


def rows_of(count: int, contact: str, cents: str = "50") -> Iterator[list[str]]:
    """The upload: installments of one payer."""
    yield [KEY, "cpm__Contact__c", "cpm__Amount__c", "cpm__Due_Date__c", "cpm__Status__c", "cpm__Amount_Open__c"]
    for number in range(count):
        amount = f"{number % 900 + 10}.{cents}"
        yield [f"bench-{number}", contact, amount, "2026-11-01", "New", amount]


def changes_of(ids: list[str]) -> Iterator[list[str]]:
    """The upload of an update: other amounts and another status."""
    yield ["Id", "cpm__Amount__c", "cpm__Status__c"]
    for number, record_id in enumerate(ids):
        yield [record_id, f"{number % 700 + 5}.25", "Paid"]


def once_more(org: Org, operation: str, data: Iterator[list[str]], count: int) -> Again:
    """Change the rows by another job."""
    began, cpu = time.perf_counter(), org.cpu_seconds()
    path = org.uploaded(operation, csv_of(data))
    org.worked(path)
    rows, _ = org.table(f"{path}/successfulResults")
    if (good := sum(row[1] == "false" for row in rows)) != count:
        raise RuntimeError(f"{good} rows changed out of {count}")
    return Again(operation, count / (time.perf_counter() - began), org.cpu_seconds() - cpu)


def measure(count: int, store: Path | None, also: list[str]) -> Figures:
    """Load and read back."""
    org = Org(store)
    try:
        contact = org("GET", "query", params={"q": "SELECT Id FROM Contact LIMIT 1"}).json()["records"][0]["Id"]
        marks, cpu = [time.perf_counter()], [org.cpu_seconds()]
        path = org.uploaded("insert", csv_of(rows_of(count, contact)))
        marks.append(time.perf_counter())
        org.worked(path)
        marks.append(time.perf_counter())
        made, _ = org.table(f"{path}/successfulResults")
        ids: list[str] = []
        good = 0
        for row in made:
            good += row[1] == "true"
            if "update" in also:
                ids.append(row[0])
        marks.append(time.perf_counter())
        cpu.append(org.cpu_seconds())
        soql = f"SELECT Id, {KEY}, cpm__Contact__c, cpm__Amount__c, cpm__Due_Date__c, cpm__Status__c FROM {OBJECT}"
        job = org("POST", "jobs/query", json={"operation": "query", "query": soql}).json()
        org.ended(f"jobs/query/{job['id']}")
        marks.append(time.perf_counter())
        read, locator = 0, ""
        while locator != "null":
            page, reply = org.table(f"jobs/query/{job['id']}/results", **({"locator": locator} if locator else {}))
            read += sum(1 for _ in page)
            locator = reply.headers["Sforce-Locator"]
        marks.append(time.perf_counter())
        cpu.append(org.cpu_seconds())
        if good != count or read < count:
            raise RuntimeError(f"{good} rows in, {read} rows out of {count}")
        steps = [later - sooner for sooner, later in pairwise(marks)]
        uploads = {"update": lambda: changes_of(ids), "upsert": lambda: rows_of(count, contact, "75")}
        again = [once_more(org, each, uploads[each](), count) for each in also]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rates = count / sum(steps[:3]), read / sum(steps[3:])
        return Figures(count, *rates, *steps, cpu[1] - cpu[0], cpu[2] - cpu[1], org.peak_mb(), peak, again)
    finally:
        org.stop()


def main() -> None:
    """Measure and tell; exit 1 below the target."""
    parser = argparse.ArgumentParser(description="Rows a second through Bulk API 2.0, in and out.")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--store", action="store_true", help="keep the org in a file instead of in memory")
    parser.add_argument("--also", nargs="*", choices=["update", "upsert"], default=[], help="change the rows by another job as well")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dunwell-bulk-") as folder:
        found = measure(chosen.rows, Path(folder) / "org.db" if chosen.store else None, chosen.also)
    if chosen.as_json:
        print(json.dumps(asdict(found) | {"cores": os.cpu_count()}))
    else:
        print(f"{found.rows:,} rows, {os.cpu_count()} cores, {'file' if chosen.store else 'memory'}")
        print(
            f"in   {found.in_per_second:>9,.0f} rows/s  (upload {found.upload_seconds:.1f} s, work {found.work_seconds:.1f} s, results {found.results_seconds:.1f} s)"
        )
        print(f"out  {found.out_per_second:>9,.0f} rows/s  (query {found.query_seconds:.1f} s, download {found.download_seconds:.1f} s)")
        print(
            f"processor time of the org: in {found.in_cpu_seconds:.1f} s, out {found.out_cpu_seconds:.1f} s; load {os.getloadavg()[0]:.1f}"
        )
        for each in found.again:
            print(f"{each.operation:<6}{each.per_second:>9,.0f} rows/s  (processor time of the org {each.cpu_seconds:.1f} s)")
        print(f"peak memory: org {found.server_peak_mb:,.0f} MB, client {found.client_peak_mb:,.0f} MB")
    sys.exit(0 if min(found.in_per_second, found.out_per_second) >= TARGET else 1)


if __name__ == "__main__":
    main()
