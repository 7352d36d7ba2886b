"""A burst of failures: Dunwell beside a script without any logic that moves the same data.

    .venv/bin/python benchmarks/burst.py [--payers 1000] [--rounds 3] [--singles 100] [--seed 1] [--json]

One run gives, for both: events per second from the first publish until every record stands in the org and the
cursor is on the disk; CPU seconds (user and system, all threads) per 1,000 events; API calls; and for one event
alone the time from publish to its Task in the org. Singles (an unknown code: a Task at once) come first, then the
bursts (the codes providers really send).

How it is kept fair: each side has a fresh sandbox in a process of its own, filled alike; both
live in real time, so at night and on Sundays less is due at once (the records are told).
The sides take turns, a round each, and the one that waits is stopped; ratios are those of the round, and the median
round is told, because a shared machine's speed changes from minute to minute. The script (burst_bare.py) posts the very
records that Dunwell wrote in the same round: same fields, same number. Both are warm for the first burst.
"""

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from burst_ends import ROOT, Running, Talker, daemon, machine, talking
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(ROOT))
from burst_scene import HERE, PATIENCE_SECONDS, Record, Scene, Size, scene

RATE_TARGET, CPU_TARGET, CALLS_TARGET = 0.5, 3.0, 60


@dataclass(frozen=True, slots=True)
class Burst:
    """What one burst took."""

    events: int
    seconds: float
    cpu_seconds: float
    api_calls: int
    records: dict[str, int]

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.events / self.seconds

    @property
    def cpu(self) -> float:
        """CPU seconds per 1,000 events."""
        return self.cpu_seconds / self.events * 1000


@dataclass(slots=True)
class Side:
    """One side's rounds."""

    name: str
    bursts: list[Burst] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)


class Dunwell:
    """The daemon, watched through its store and the kernel."""

    def __init__(self, at: Scene, running: Running) -> None:
        self.side = Side("dunwell")
        self._at, self._running, self._sent = at, running, 0

    def play(self, number: int | None) -> None:
        """Measure one burst; None = the singles."""
        if number is None:
            self.singles()
        else:
            self.burst(number)

    def singles(self) -> None:
        """Measure events one by one."""
        for event in self._at.singles:
            began = self._send([event])
            self.side.latencies += self._at.task_seconds(began)

    def burst(self, number: int) -> None:
        """Measure one burst."""
        events = self._at.bursts[number]
        calls, cpu = int(self._running.status()["api_calls"]), self._running.cpu
        began = self._send(events)
        seconds, cpu = self._ended - began, self._running.cpu - cpu
        status = self._running.status()
        if status["parked"] or status["parked_events"] or status["waiting"]:
            raise RuntimeError(f"the daemon put something aside: {status}")
        self.side.bursts.append(Burst(len(events), seconds, cpu, int(status["api_calls"]) - calls, self._at.counts()))

    def _send(self, events: Sequence[Record]) -> float:
        self._sent += len(events)
        began = self._at.publish(events)
        self._ended = self._running.wait(self._sent, PATIENCE_SECONDS)
        return began


class Bare:
    """The script, which is handed what to post before each round."""

    def __init__(self, at: Scene, script: Talker, posts: Path) -> None:
        self.side = Side("bare script")
        self.posts = posts
        self._at, self._script = at, script

    def play(self, number: int | None) -> None:
        """Measure one burst; None = the singles."""
        if number is None:
            self.singles()
        else:
            self.burst(number)

    def singles(self) -> None:
        """Measure events one by one."""
        for event in self._at.singles:
            self._expect(1)
            began = self._at.publish([event])
            self._script.next("done", PATIENCE_SECONDS)
            self.side.latencies += self._at.task_seconds(began)

    def burst(self, number: int) -> None:
        """Measure one burst."""
        events = self._at.bursts[number]
        self._expect(len(events))
        cpu = self._script.cpu
        began = self._at.publish(events)
        done = self._script.next("done", PATIENCE_SECONDS)
        self.side.bursts.append(Burst(len(events), done["at"] - began, self._script.cpu - cpu, done["calls"], self._at.counts()))

    def _expect(self, events: int) -> None:
        self._script.say({"expect": events, "posts": str(self.posts)})
        self._script.next("ready", PATIENCE_SECONDS)


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Keep a process from running for a while."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def script_words(at: Scene, folder: Path) -> list[str]:
    """The command line of the script; its token is the integration user's, as the daemon's is."""
    token = at.people._post_admin("tokens/issue", {})["access_token"]  # noqa: SLF001 - the demo's hands
    words = [str(HERE / "burst_bare.py"), "--line", json.dumps(at.line), "--token", token, "--now", at.now.isoformat()]
    return [*words, "--marker", str(folder / "marker.json"), "--mappings", str(ROOT / "mappings")]


def measure(chosen: argparse.Namespace) -> list[Side]:
    """Both sides in turns."""
    size, now = Size(chosen.payers, chosen.rounds, chosen.singles, chosen.seed), datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="dunwell-burst-") as name, ExitStack() as open_:
        ours, theirs = Path(name) / "dunwell", Path(name) / "bare"
        at = open_.enter_context(scene(size, now, ours))
        beside = None if chosen.only_dunwell else open_.enter_context(scene(size, now, theirs))
        running = open_.enter_context(daemon(at.line, ours, chosen.profile))
        dunwell = Dunwell(at, running)
        at.fail()
        if beside is None:
            dunwell.singles()
            for number in range(chosen.rounds):
                dunwell.burst(number)
            return [dunwell.side]
        if (at.singles, at.bursts) != (beside.singles, beside.bursts):
            raise RuntimeError("the two sandboxes are not filled alike")
        script = open_.enter_context(talking(script_words(beside, theirs)))
        script.next("subscribed", PATIENCE_SECONDS)
        bare = Bare(beside, script, theirs / "posts.json")
        beside.fail()
        for number in (None, *range(chosen.rounds)):
            with stopped(script.process.pid):
                dunwell.play(number)
                bare.posts.write_text(json.dumps(at.written()))
            with stopped(running.process.pid):
                bare.play(number)
        return [dunwell.side, bare.side]


def figures(side: Side) -> dict[str, float]:
    """The median round, and the slowest single."""
    return {
        "events_per_second": statistics.median(one.rate for one in side.bursts),
        "cpu_seconds_per_1000": statistics.median(one.cpu for one in side.bursts),
        "api_calls": max(one.api_calls for one in side.bursts),
        "median_ms": statistics.median(side.latencies) * 1000 if side.latencies else 0.0,
        "worst_ms": max(side.latencies, default=0.0) * 1000,
    }


def ratios(ours: Side, floor: Side) -> dict[str, float]:
    """Ours to the floor's: of the median round, each round by itself; of singles, as they stand."""
    pairs = list(zip(ours.bursts, floor.bursts, strict=True))
    mine, theirs = figures(ours), figures(floor)
    return {
        **{name: mine[name] / theirs[name] if theirs[name] else 0.0 for name in mine},
        "events_per_second": statistics.median(one.rate / other.rate for one, other in pairs),
        "cpu_seconds_per_1000": statistics.median(one.cpu / other.cpu for one, other in pairs),
    }


def verdicts(ours: Side, floor: Side) -> dict[str, bool]:
    """Whether the targets are met."""
    found = ratios(ours, floor)
    return {
        "rate": found["events_per_second"] >= RATE_TARGET,
        "cpu": found["cpu_seconds_per_1000"] <= CPU_TARGET,
        "api_calls": figures(ours)["api_calls"] * 1000 < CALLS_TARGET * max(1000, ours.bursts[0].events),
    }


ROWS = (
    ("events per second, publish to done", "events_per_second", "{:,.0f}", f"at least {RATE_TARGET}"),
    ("CPU seconds per 1,000 events", "cpu_seconds_per_1000", "{:,.2f}", f"at most {CPU_TARGET}"),
    ("API calls", "api_calls", "{:,.0f}", f"{CALLS_TARGET - 1} calls"),
    ("one alone, to its Task: median ms", "median_ms", "{:,.0f}", ""),
    ("one alone, to its Task: worst ms", "worst_ms", "{:,.0f}", ""),
)


def show(sides: Sequence[Side], console: Console) -> None:
    """A table for people."""
    found, on = [figures(one) for one in sides], machine()
    compared = ratios(*sides) if len(sides) > 1 else {}
    events, alone = sides[0].bursts[0].events, len(sides[0].latencies)
    console.print(f"{events:,} failures of {events:,} payers at once, median of {len(sides[0].bursts)} rounds; {alone} one by one")
    console.print(f"{on['cpu']}, {on['cores']} cores, Python {on['python']}, load {on['load']}", style="dim")
    table = Table("", *(one.name for one in sides), "ratio", "target", box=None, pad_edge=False)
    for title, name, form, target in ROWS:
        table.add_row(title, *(form.format(one[name]) for one in found), f"{compared[name]:.2f}" if compared else "-", target)
    console.print(table)
    for side in sides:
        each = ", ".join(f"{one.rate:,.0f}/s {one.cpu:.2f} s" for one in side.bursts)
        records = ", ".join(f"{name.lower()} {count:,}" for name, count in side.bursts[-1].records.items())
        console.print(f"{side.name}: {each}; last round: {records}", style="dim")
    if len(sides) > 1:
        missed = [name for name, met in verdicts(*sides).items() if not met]
        console.print(f"missed: {', '.join(missed)}" if missed else "every target is met", style="red" if missed else "green")


def main() -> None:
    """Measure and tell; exit 1 if a target is missed."""
    parser = argparse.ArgumentParser(description="1,000 failures at once, and one alone: Dunwell beside a script without any logic.")
    parser.add_argument("--payers", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3, help="bursts of each side")
    parser.add_argument("--singles", type=int, default=100, help="events one by one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only-dunwell", action="store_true", help="leave the script out")
    parser.add_argument(
        "--profile", type=Path, help="run the daemon under cProfile and keep what its worker did here: figures then mean nothing"
    )
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    sides = measure(chosen)
    met = verdicts(*sides) if len(sides) > 1 else {}
    if chosen.as_json:
        told = {one.name: {**figures(one), **asdict(one)} for one in sides}
        compared = ratios(*sides) if len(sides) > 1 else {}
        sys.stdout.write(json.dumps({"machine": machine(), "payers": chosen.payers, "sides": told, "ratios": compared, "met": met}) + "\n")
    else:
        show(sides, Console(soft_wrap=True, highlight=False))
    sys.exit(0 if all(met.values()) else 1)


if __name__ == "__main__":
    main()
