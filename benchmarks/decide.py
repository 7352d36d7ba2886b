"""`decide` beside zen-engine (GoRules) on the same 100,000 payers, and `assess` on a whole org at once.

    .venv/bin/python benchmarks/decide.py [--payers 100000] [--rounds 3] [--seed 1] [--json] [--skip-frames]

zen-engine is no part of Dunwell: `.venv/bin/pip install zen-engine` gets it; without it our side is measured alone.

How it is kept fair. Both sides get the same Positions: a nightly mix, 5 % in arrears (decide_scene.py), all with a past.
zen-engine evaluates the table of the default policy, translated cell by cell (decide_jdm.py), as one decision made
beforehand, fed with exactly those facts the table asks about, computed beforehand and not counted; payers with nothing open
meet a row that stands in front for them. Its quicker way of being fed (dictionaries or JSON) counts. Our side does
everything: facts, table, guards, ladders, times in the payer's zone, keys, and a reason for everything. That both chose the
same row for every installment is checked in the same run. Rounds take turns and are timed in CPU seconds of the whole
process; the median counts. The first round of each is not counted. The collector of garbage is set as in the daemon.
"""

import argparse
import gc
import importlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from burst_ends import ROOT, machine
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(ROOT))
import decide_jdm as jdm
from decide_scene import NOW, nightly_mix

from connector.core.decide import _plan, decide
from connector.core.model import Position
from connector.core.policy import Policy
from connector.mapping.policy_folder import load_policies
from connector.mapping.reasons import load_reasons
from connector.mapping.rules import load_rules

MAPPINGS = ROOT / "mappings"
RATE_TARGET, RATIO_TARGET = 50_000, 5.0
HOW_TO_GET_IT = ".venv/bin/pip install zen-engine"
Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Side:
    """What one side took: CPU seconds of each round, over everybody and over those in arrears alone."""

    name: str
    payers: int
    in_arrears: int
    everybody: list[float]
    arrears: list[float]

    @property
    def rate(self) -> float:
        """Payers a second, of the mix."""
        return self.payers / statistics.median(self.everybody)

    @property
    def arrears_rate(self) -> float:
        """Payers in arrears a second."""
        return self.in_arrears / statistics.median(self.arrears)


@dataclass(frozen=True, slots=True)
class Asked:
    """One payer as a table sees them: the facts of each installment, and the row that Dunwell chose for it."""

    contexts: list[dict[str, object]]
    rows: list[str]


def questions(positions: Sequence[Position], policy: Policy) -> list[Asked]:
    """What zen-engine is asked about each position."""
    wanted, found = jdm.columns(policy), []
    empty = dict.fromkeys(wanted) | {"open_installments": 0}
    for one in positions:
        works = _plan(one, policy, NOW, frozenset())[1] if one.open_items else []
        contexts = [jdm.context(work.facts, wanted) for work in works]
        found.append(Asked(contexts or [empty], [work.ruling.name for work in works] or [jdm.NOTHING_OPEN]))
    return found


def zen_decision(policy: Policy) -> Any:  # noqa: ANN401 - a package that is not always there
    """The table as a decision of zen-engine, or None where that is not installed."""
    try:
        zen = importlib.import_module("zen")
    except ImportError:
        return None
    return zen.ZenEngine().create_decision(jdm.model(policy))


def same_rows(decision: Any, asked: Sequence[Asked]) -> int:  # noqa: ANN401 - the same
    """Check that zen-engine chooses the row that Dunwell chose, for every installment; returns of how many."""
    for one in asked:
        rows = [decision.evaluate(each)["result"]["row"] for each in one.contexts]
        if rows != one.rows:
            raise RuntimeError(f"the tables differ: {one.rows} here, {rows} there, for {one.contexts}")
    return sum(len(one.rows) for one in asked)


def taken(work: Work) -> float:
    """CPU seconds of the whole process that ``work`` takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def ours(positions: Sequence[Position], policy: Policy) -> Work:
    """Decide everything, one payer after the other."""

    def work() -> None:
        for one in positions:
            decide(one, policy, NOW)

    return work


def theirs(decision: Any, asked: Sequence[Sequence[object]]) -> Work:  # noqa: ANN401 - the same
    """Evaluate the table for every installment, one payer after the other."""

    def work() -> None:
        evaluate = decision.evaluate
        for contexts in asked:
            for one in contexts:
                evaluate(one)

    return work


def measure(chosen: argparse.Namespace) -> tuple[list[Side], int]:
    """Both sides in turns, and for how many installments they chose the same row."""
    policy = load_policies(MAPPINGS / "policies", load_rules(MAPPINGS / "rules"))["default"]
    positions = nightly_mix(chosen.payers, chosen.seed, policy, load_reasons(MAPPINGS / "reasons", None))
    late = [one for one in positions if one.open_items]
    works: dict[str, tuple[Work, Work]] = {"dunwell": (ours(positions, policy), ours(late, policy))}
    decision, same = zen_decision(policy), 0
    if decision is not None:
        asked = questions(positions, policy)
        same = same_rows(decision, asked)
        fed = {"dictionaries": [one.contexts for one in asked], "JSON": [[json.dumps(each) for each in one.contexts] for one in asked]}
        sample = {how: taken(theirs(decision, contexts[: len(contexts) // 10])) for how, contexts in fed.items()}
        how = min(sample, key=lambda one: sample[one])
        of_late = [contexts for contexts, one in zip(fed[how], positions, strict=True) if one.open_items]
        works[f"zen-engine ({how})"] = (theirs(decision, fed[how]), theirs(decision, of_late))
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
    times: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in works}
    for number in range(chosen.rounds + 1):
        for name, (everybody, arrears) in works.items():
            seconds = taken(everybody), taken(arrears)
            if number:
                times[name][0].append(seconds[0])
                times[name][1].append(seconds[1])
    return [Side(name, len(positions), len(late), *found) for name, found in times.items()], same


def whole_org(chosen: argparse.Namespace) -> dict[str, float]:
    """Figures of ``decide_frames.py``, run in a process of its own."""
    words = [sys.executable, str(Path(__file__).with_name("decide_frames.py")), "--seed", str(chosen.seed)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    return dict(json.loads(done.stdout))


def verdicts(sides: Sequence[Side]) -> dict[str, bool]:
    """Whether the targets are met."""
    found = {"rate": sides[0].rate >= RATE_TARGET}
    if len(sides) > 1:
        found["ratio"] = sides[0].rate >= RATIO_TARGET * sides[1].rate
    return found


def show(sides: Sequence[Side], same: int, org: dict[str, float], console: Console) -> None:
    """Tables for people."""
    first, on = sides[0], machine()
    console.print(
        f"{first.payers:,} payers of a nightly mix, {first.in_arrears:,} in arrears; median of {len(first.everybody)} rounds, CPU seconds"
    )
    console.print(f"{on['cpu']}, {on['cores']} cores, Python {on['python']}, load {on['load']}", style="dim")
    table = Table("", *(one.name for one in sides), "ratio", "target", box=None, pad_edge=False)
    versus = [one.rate for one in sides], [one.arrears_rate for one in sides]
    compared = [f"{rates[0] / rates[1]:.1f}" if len(rates) > 1 else "-" for rates in versus]
    table.add_row("payers a second", *(f"{rate:,.0f}" for rate in versus[0]), compared[0], f"{RATE_TARGET:,}, {RATIO_TARGET:.0f} times")
    table.add_row("payers in arrears a second", *(f"{rate:,.0f}" for rate in versus[1]), compared[1], "")
    table.add_row("each in arrears, microseconds", *(f"{1e6 / rate:,.0f}" for rate in versus[1]), "", "")
    console.print(table)
    if len(sides) > 1:
        console.print(
            f"The same row for each of {same:,} questions. dunwell decides and explains everything; zen-engine only finds the row."
        )
    else:
        console.print(f"zen-engine is not installed, so there is nothing beside it: {HOW_TO_GET_IT}", style="yellow")
    if org:
        console.print(
            f"\nassess() of {org['installments']:,} installments and {org['payments']:,} payments of {org['payers']:,} payers at once:"
        )
        rows = org["installments"] + org["payments"]
        wide = Table("CPU seconds", "rows a second", "memory: frames", "peak", "in arrears", box=None, pad_edge=False)
        memory = f"{org['frames_mb']:,.0f} MB", f"{org['peak_mb']:,.0f} MB"
        wide.add_row(f"{org['cpu_seconds']:.1f}", f"{rows / org['cpu_seconds']:,.0f}", *memory, f"{org['in_arrears']:,}")
        console.print(wide)
    missed = [name for name, met in verdicts(sides).items() if not met]
    console.print(f"missed: {', '.join(missed)}" if missed else "every target is met", style="red" if missed else "green")


def main() -> None:
    """Measure and tell; exit 1 if a target is missed."""
    parser = argparse.ArgumentParser(description="decide() beside zen-engine on a nightly mix, and assess() of a whole org.")
    parser.add_argument("--payers", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skip-frames", action="store_true", help="leave the whole org out")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    sides, same = measure(chosen)
    org = {} if chosen.skip_frames else whole_org(chosen)
    met = verdicts(sides)
    if chosen.as_json:
        told = {one.name: {**asdict(one), "rate": one.rate, "arrears_rate": one.arrears_rate} for one in sides}
        print(json.dumps({"machine": machine(), "sides": told, "same_rows": same, "whole_org": org, "met": met}))
    else:
        show(sides, same, org, Console(soft_wrap=True, highlight=False))
    sys.exit(0 if all(met.values()) else 1)


if __name__ == "__main__":
    main()
