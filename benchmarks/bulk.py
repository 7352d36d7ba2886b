"""Bulk API 2.0, rows a second in and out: client and org on one machine, over local loopback, the client's own work included.

    python benchmarks/bulk.py [--rows 200000] [--store] [--json]

The org is served by a process of its own (as users run it), this one is the client. In: one ingest job of ROWS installments as CSV,
from its creation to its results read. Out: one query job over the same rows, read page by page and parsed.
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
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import requests

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

VERSION = "66.0"
OBJECT = "cpm__Installment__c"
TARGET = 20_000


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


def rows_of(count: int, contact: str) -> bytes:
    """The upload: installments of one payer."""
    out = io.StringIO(newline="")
    write = csv.writer(out, lineterminator="\n").writerow
    write(["cpm__External_ID__c", "cpm__Contact__c", "cpm__Amount__c", "cpm__Due_Date__c", "cpm__Status__c", "cpm__Amount_Open__c"])
    for number in range(count):
        write([f"bench-{number}", contact, f"{number % 900 + 10}.50", "2026-11-01", "New", f"{number % 900 + 10}.50"])
    return out.getvalue().encode()


def measure(count: int, store: Path | None) -> Figures:
    """Load and read back."""
    org = Org(store)
    try:
        contact = org("GET", "query", params={"q": "SELECT Id FROM Contact LIMIT 1"}).json()["records"][0]["Id"]
        data = rows_of(count, contact)
        marks, cpu = [time.perf_counter()], [org.cpu_seconds()]
        job = org("POST", "jobs/ingest", json={"object": OBJECT, "operation": "insert"}).json()
        org("PUT", f"jobs/ingest/{job['id']}/batches", data=data, headers={"Content-Type": "text/csv"})
        org("PATCH", f"jobs/ingest/{job['id']}", json={"state": "UploadComplete"})
        marks.append(time.perf_counter())
        done = org.ended(f"jobs/ingest/{job['id']}")
        if done["state"] != "JobComplete" or done["numberRecordsFailed"]:
            raise RuntimeError(f"{done}: {org('GET', 'jobs/ingest/' + str(job['id']) + '/failedResults').text[:400]}")
        marks.append(time.perf_counter())
        good = sum(1 for _ in csv.reader(io.StringIO(org("GET", f"jobs/ingest/{job['id']}/successfulResults").text))) - 1
        marks.append(time.perf_counter())
        cpu.append(org.cpu_seconds())
        soql = f"SELECT Id, cpm__External_ID__c, cpm__Contact__c, cpm__Amount__c, cpm__Due_Date__c, cpm__Status__c FROM {OBJECT}"
        job = org("POST", "jobs/query", json={"operation": "query", "query": soql}).json()
        org.ended(f"jobs/query/{job['id']}")
        marks.append(time.perf_counter())
        read, locator = 0, ""
        while locator != "null":
            page = org("GET", f"jobs/query/{job['id']}/results", params={"locator": locator} if locator else {})
            read += sum(1 for _ in csv.reader(io.StringIO(page.text))) - 1
            locator = page.headers["Sforce-Locator"]
        marks.append(time.perf_counter())
        cpu.append(org.cpu_seconds())
        if good != count or read < count:
            raise RuntimeError(f"{good} rows in, {read} out of {count}")
        steps = [later - sooner for sooner, later in pairwise(marks)]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rates = count / sum(steps[:3]), read / sum(steps[3:])
        return Figures(count, *rates, *steps, cpu[1] - cpu[0], cpu[2] - cpu[1], org.peak_mb(), peak)
    finally:
        org.stop()


def main() -> None:
    """Measure and tell; exit 1 below the target."""
    parser = argparse.ArgumentParser(description="Rows a second through Bulk API 2.0, in and out.")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--store", action="store_true", help="keep the org in a file instead of in memory")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dunwell-bulk-") as folder:
        found = measure(chosen.rows, Path(folder) / "org.db" if chosen.store else None)
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
        print(f"peak memory: org {found.server_peak_mb:,.0f} MB, client {found.client_peak_mb:,.0f} MB")
    sys.exit(0 if min(found.in_per_second, found.out_per_second) >= TARGET else 1)


if __name__ == "__main__":
    main()
