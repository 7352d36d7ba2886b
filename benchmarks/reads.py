"""Single reads: how many records a second the sandbox hands out one by one over REST.

    .venv/bin/python benchmarks/reads.py [--seconds 5] [--connections 8] [--seed 1] [--json] [--profile FILE]

One run starts a sandbox in a process of its own and reads Accounts of it by id, over connections that are kept open:
once with named fields, once with all fields, once by query. The client (aiohttp) runs on the other core and is part of the
figure; its own CPU time is told beside the server's. Every reply is parsed and its id compared with the one asked for.
The target counts for the read with named fields.
"""

import argparse
import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from urllib.parse import quote

import aiohttp
from burst_ends import ROOT, cpu_of, end, machine

TARGET = 2000.0
ROOT_PATH = "/services/data/v66.0"
SHAPES: dict[str, Callable[[str], str]] = {
    "four fields": lambda one: f"{ROOT_PATH}/sobjects/Account/{one}?fields=Id,Name,BillingCity,LastModifiedDate",
    "all fields": lambda one: f"{ROOT_PATH}/sobjects/Account/{one}",
    "by query": lambda one: f"{ROOT_PATH}/query?q={quote(f'SELECT Id, Name, BillingCity FROM Account WHERE Id = {chr(39)}{one}{chr(39)}')}",
}


@dataclass(frozen=True, slots=True)
class Reads:
    """What one kind of read took."""

    shape: str
    reads_per_second: float
    server_cpu_ms: float
    client_cpu_ms: float


@contextmanager
def sandbox(seed: int, profile: Path | None) -> Iterator[tuple[dict[str, str], int]]:
    """A sandbox process: what it printed, and its process id."""
    profiled = [] if profile is None else ["-m", "cProfile", "-o", str(profile)]
    words = [sys.executable, *profiled, "-m", "sandbox", "--port", "0", "--admin-port", "0", "--seed", str(seed)]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own program
    try:
        if process.stdout is None:
            raise RuntimeError("the sandbox has no output")
        yield json.loads(process.stdout.readline()), process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        end(process)


async def reader(session: aiohttp.ClientSession, url: Callable[[str], str], ids: Iterator[str], until: float) -> int:
    """One connection: read until the time is over; how many."""
    done = 0
    while time.monotonic() < until:
        wanted = next(ids)
        async with session.get(url(wanted)) as reply:
            body = json.loads(await reply.read())
            row = body["records"][0] if "records" in body else body
            if reply.status != 200 or row["Id"] != wanted:
                raise RuntimeError(f"a wrong answer: {reply.status} {body}")
        done += 1
    return done


async def measure(line: dict[str, str], pid: int, seconds: float, connections: int) -> list[Reads]:
    """All kinds of read, one after the other."""
    form = {"grant_type": "client_credentials", "client_id": line["client_id"], "client_secret": line["client_secret"]}
    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(line["instance_url"], connector=connector) as session:
        async with session.post("/services/oauth2/token", data=form) as reply:
            token = (await reply.json())["access_token"]
        async with session.post(f"{line['admin_url']}/settings", json={"api_limit": 10**9}) as reply:
            reply.raise_for_status()
        session.headers["Authorization"] = f"Bearer {token}"
        async with session.get(f"{ROOT_PATH}/query", params={"q": "SELECT Id FROM Account LIMIT 100"}) as reply:
            ids = [str(row["Id"]) for row in (await reply.json())["records"]]
        found = []
        for shape, url in SHAPES.items():
            await asyncio.gather(*(reader(session, url, cycle(ids), time.monotonic() + 0.5) for _ in range(connections)))
            server, own, began = cpu_of(pid), resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
            many = sum(await asyncio.gather(*(reader(session, url, cycle(ids), began + seconds) for _ in range(connections))))
            took, now = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF)
            client = now.ru_utime + now.ru_stime - own.ru_utime - own.ru_stime
            found.append(Reads(shape, many / took, (cpu_of(pid) - server) / many * 1000, client / many * 1000))
        return found


def main() -> None:
    """Measure and tell; exit 1 if the target is missed."""
    parser = argparse.ArgumentParser(description="Single reads over REST.")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each kind is read")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--profile", type=Path, help="run the sandbox under cProfile and keep it here: figures then mean nothing")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    with sandbox(chosen.seed, chosen.profile) as (line, pid):
        found = asyncio.run(measure(line, pid, chosen.seconds, chosen.connections))
    met = found[0].reads_per_second >= TARGET
    if chosen.as_json:
        sys.stdout.write(json.dumps({"machine": machine(), "reads": [asdict(one) for one in found], "met": met}) + "\n")
    else:
        on = machine()
        print(f"{on['cpu']}, {on['cores']} cores, Python {on['python']}, load {on['load']}; {chosen.connections} connections")
        for one in found:
            print(
                f"{one.shape:12} {one.reads_per_second:8,.0f} reads/s   server {one.server_cpu_ms:.2f} ms, client {one.client_cpu_ms:.2f} ms a read"
            )
        print("the target is met" if met else f"missed: {TARGET:,.0f} reads/s with named fields")
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
