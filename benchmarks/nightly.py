"""The nightly pass: Dunwell beside merely downloading the same rows and uploading the same changes.

    .venv/bin/python benchmarks/nightly.py [--payers 200000] [--keep FOLDER] [--profile FILE] [--json]

One run, for both: total seconds, processor seconds, peak memory, API calls. The org is filled once (and kept in ``--keep``, where the next
run finds it) and copied, so that each side finds the same; each side and its sandbox are processes of their own, one after the other. The floor
(``nightly_floor.py``) asks the very queries of ours and writes the very records ours wrote, by the same ways. Then ours runs again: nothing is
to be written but its run record. Targets: at most 1.5 times the floor's seconds and 2 times its processor seconds, under 2 GB and 300 calls.
"""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from burst_ends import ROOT, machine

HERE = Path(__file__).parent
MADE_AT, LOOKED_AT = "2026-03-02T09:00:00+01:00", "2026-03-02T11:00:00+01:00"
"""Later on the same day: what is made with the org does not count as changed since, and nothing more is overdue."""
WORLD = ("--months", "4", "--parts", "3")
"""Five installments a payer, and two payments an installment: money of a month comes in two or three parts."""
TARGETS = {"seconds": 1.5, "cpu_seconds": 2.0}
PEAK_MB, CALLS = 2000, 300
Told = dict[str, Any]


@contextmanager
def served(store: Path, *words: str) -> Iterator[Told]:
    """An org in a process of its own, out of the file ``store``."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--admin-port", "0", "--store", str(store), *words]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own command
    try:
        yield json.loads(process.stdout.readline() if process.stdout else "")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)
        if process.stdout:
            process.stdout.close()


def filled(folder: Path, payers: int) -> Path:
    """The org with so many payers that is kept in ``folder``; made anew when it is not there or of another schema."""
    store = folder / f"{payers}.db"
    folder.mkdir(parents=True, exist_ok=True)
    for _ in range(2):
        try:
            with served(store, "--payers", str(payers), "--now", MADE_AT, *WORLD):
                return store
        except json.JSONDecodeError:
            for one in folder.glob(store.name + "*"):
                one.unlink()
    raise RuntimeError(f"no org could be made in {store}")


def copied(store: Path, to: Path) -> Path:
    """The org once more, with the log of events that stands beside it."""
    for one in store.parent.glob(store.name + "*"):
        shutil.copyfile(one, to.parent / (to.name + one.name.removeprefix(store.name)))
    return to


def told_by(script: str, given: Told, *words: str) -> Told:
    """What one side says of its run."""
    command = [sys.executable, str(HERE / script), *words]
    done = subprocess.run(command, cwd=ROOT, input=json.dumps(given), capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if done.returncode:
        raise RuntimeError(f"{script} failed:\n{done.stderr[-3000:]}")
    found: Told = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(payers: int, keep: Path | None, profile: Path | None = None) -> dict[str, Told]:
    """Ours, the floor, and ours again."""
    with tempfile.TemporaryDirectory(prefix="dunwell-nightly-") as name:
        folder = Path(name)
        kept = filled(keep or folder / "kept", payers)
        ours, floor = copied(kept, folder / "ours.db"), copied(kept, folder / "floor.db")
        store, writes = f"sqlite:///{folder / 'dunwell.db'}", folder / "writes.json"
        with served(ours, "--now", LOOKED_AT) as org:
            first = told_by("nightly_ours.py", org, store, str(writes), *([str(profile)] if profile else []))
            again = told_by("nightly_ours.py", org, store, str(folder / "nothing.json"))
        with served(floor, "--now", LOOKED_AT) as org:
            issued = requests.post(f"{org['admin_url']}/tokens/issue", json={"username": org["username"]}, timeout=30).json()
            beside = told_by("nightly_floor.py", {**org, "token": issued["access_token"], **json.loads(writes.read_text())})
        return {"ours": first, "floor": beside, "again": again}


def verdicts(found: dict[str, Told]) -> dict[str, bool]:
    """Whether the targets are met."""
    ours, floor = found["ours"], found["floor"]
    return {
        **{name: ours[name] <= most * floor[name] for name, most in TARGETS.items()},
        "peak_mb": ours["peak_mb"] < PEAK_MB,
        "api_calls": ours["api_calls"] < CALLS,
        "again": found["again"]["changes"] == 0,
    }


def show(found: dict[str, Told], payers: int) -> None:
    """A table for people."""
    ours, floor, again, on = found["ours"], found["floor"], found["again"], machine()
    late = sum(count for status, count in ours["statuses"].items() if status != "Clear")
    held = ", ".join(f"{count:,} {name}" for name, count in ours["rows"].items())
    print(f"{payers:,} payers, {late / ours['payers']:.1%} of them in arrears, watched or on hold; {held}")
    print(f"{floor['rows_read']:,} rows read, {floor['rows_written']:,} written")
    print(f"{on['cpu']}, {on['cores']} cores, Python {on['python']}, load {on['load']}")
    print(f"{'':24}{'ours':>10}{'floor':>10}{'ratio':>8}   target{'again':>12}")
    for name, target in (
        ("seconds", "at most 1.5"),
        ("cpu_seconds", "at most 2.0"),
        ("peak_mb", f"under {PEAK_MB:,}"),
        ("api_calls", f"under {CALLS}"),
    ):
        print(f"{name:24}{ours[name]:>10,.1f}{floor[name]:>10,.1f}{ours[name] / floor[name]:>8.2f}   {target:12}{again[name]:>9,.1f}")
    print(f"{'changes':24}{ours['changes']:>10,}{'':30}none{again['changes']:>17,}")
    missed = [name for name, met in verdicts(found).items() if not met]
    print(f"missed: {', '.join(missed)}" if missed else "every target is met")


def main() -> None:
    """Measure and tell; exit 1 if a target is missed."""
    parser = argparse.ArgumentParser(description="The nightly pass beside its floor.")
    parser.add_argument("--payers", type=int, default=200_000)
    parser.add_argument("--keep", type=Path, help=f"a folder where orgs stay once they are filled, as of {MADE_AT}; each is copied")
    parser.add_argument("--profile", type=Path, help="run ours under cProfile and keep it here: figures then mean nothing")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    found = measure(chosen.payers, chosen.keep, chosen.profile)
    met = verdicts(found)
    if chosen.as_json:
        print(json.dumps({"machine": machine(), "payers": chosen.payers, **found, "met": met}))
    else:
        show(found, chosen.payers)
    sys.exit(0 if all(met.values()) else 1)


if __name__ == "__main__":
    main()
