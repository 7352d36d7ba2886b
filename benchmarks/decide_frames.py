"""How long ``assess`` takes for the frames of a whole org at once: 1,000,000 installments and 2,000,000 payments.

    python benchmarks/decide_frames.py [--installments 1000000] [--seed 1]

Run by ``decide.py`` in a process of its own, so that its peak memory is its own. Prints one JSON line: rows, seconds of CPU,
payers, and resident memory before (the frames in hand) and at its peak. Linux only.
"""

import argparse
import gc
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from connector.core.frames import SCHEMA, Snapshot, frame  # noqa: E402 - run as a script from anywhere
from connector.core.ledger import assess  # noqa: E402 - the same
from connector.mapping.reasons import load_reasons  # noqa: E402 - the same

NOW = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
EACH = 12
"""Installments of a payer: a year of months."""
FAILING, OPEN = 0.06, 0.005
"""Share of installments that failed at least once, and of those that are open still."""


def table(name: str, length: int, **columns: Any) -> pd.DataFrame:  # noqa: ANN401 - arrays and lists of one length
    """Columns as the declared frame; those not given are null."""
    schema = SCHEMA[name]
    made = {column: pd.array(columns[column], dtype=dtype) if column in columns else None for column, dtype in schema.items()}
    empty = {column: pd.Series(None, index=range(length), dtype=dtype).array for column, dtype in schema.items() if made[column] is None}
    return pd.DataFrame({column: empty[column] if cells is None else cells for column, cells in made.items()}, copy=False)


def snapshot(count: int, seed: int) -> Snapshot:
    """Frames of ``count`` installments and about twice as many payments: most are collected in two parts, some failed before."""
    random = np.random.default_rng(seed)
    number = np.arange(count)
    payers = count // EACH
    payer = number % payers
    names = np.array([f"003{one:015d}" for one in range(payers)], dtype=object)
    ids = np.array([f"a0X{one:015d}" for one in range(count)], dtype=object)
    months = number // payers
    due = np.datetime64("2026-02-15") - (months * 30 + payer % 28).astype("timedelta64[D]")
    is_open, failing = random.random(count) < OPEN, random.random(count) < FAILING
    failing |= is_open
    amount = 1500 + 500 * (payer % 17)
    money = {"amount_minor": amount, "currency": np.full(count, "EUR", dtype=object)}
    status, scheme = np.where(is_open, "Failed", "Collected"), np.full(count, "sepa_core", dtype=object)
    installments = table(
        "installments", count, id=ids, payer=names[payer], due_on=due.astype("datetime64[s]"), status=status, scheme=scheme, **money
    )
    paid, failed = np.flatnonzero(~is_open), np.flatnonzero(failing)
    in_parts = paid[: 2 * count - len(paid) - len(failed)]
    rows = np.concatenate([paid, in_parts, failed])
    failures = np.arange(len(rows)) >= len(rows) - len(failed)
    outcome = np.where(failures, "failed", "collected")
    moved = amount[rows]
    moved[: len(in_parts)] //= 2
    moved[len(paid) : len(paid) + len(in_parts)] -= moved[: len(in_parts)]
    hours = np.where(failures, 3, 40).astype("timedelta64[h]")
    at = pd.Series(due[rows].astype("datetime64[us]") + hours).dt.tz_localize("UTC")
    codes = random.choice(np.array(["AM04", "AM04", "AM04", "MS03", "AC04", "MD01"], dtype=object), len(rows))
    payments = table(
        "payments", len(rows), id=[f"p{one}" for one in range(len(rows))], payer=names[payer[rows]], installment=ids[rows],
        amount_minor=moved, currency=np.full(len(rows), "EUR", dtype=object), at=at.array, outcome=outcome, scheme=scheme[rows],
        reference=[f"r{one}" for one in range(len(rows))], code_set=np.where(failures, "iso20022_return", None), reason_code=np.where(failures, codes, None),
    )  # fmt: skip
    people = table("payers", payers, id=names, country=np.full(payers, "NL", dtype=object))
    rest = {name: frame(name, ()) for name in SCHEMA if name not in ("payers", "installments", "payments")}
    return Snapshot(payers=people, installments=installments, payments=payments, **rest)


def memory_mb(name: str) -> float:
    """Memory of this process in megabytes (proc(5)): ``VmRSS`` resident now, ``VmHWM`` the most since it was last forgotten."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def forget_peak() -> None:
    """Let the peak begin anew: what it took to make the frames up is no part of the measure."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(description="assess() of a whole org's frames at once.")
    parser.add_argument("--installments", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    frames, catalogue = snapshot(chosen.installments, chosen.seed), load_reasons(ROOT / "mappings" / "reasons", None)
    forget_peak()
    before, cpu, clock = memory_mb("VmRSS"), time.process_time(), time.perf_counter()
    found = assess(frames, catalogue, NOW, "Europe/Amsterdam")
    cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
    figures = {
        "installments": len(frames.installments), "payments": len(frames.payments), "payers": len(found), "cpu_seconds": cpu, "seconds": clock,
        "in_arrears": sum(1 for one in found.values() if one.overdue), "frames_mb": before, "peak_mb": memory_mb("VmHWM"),
    }  # fmt: skip
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
