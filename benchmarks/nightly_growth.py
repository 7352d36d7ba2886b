"""How the nightly pass grows: the same pass over 10,000 to 1,000,000 installments, with a picture.

    .venv/bin/python benchmarks/nightly_growth.py [--keep FOLDER] [--picture FILE.svg] [--json]

Each size is an org of its own, filled once in ``--keep`` and copied; a pass over it is a process of its own (``nightly_ours.py``). A pass over a
handful of payers tells the part that is there whatever the size. Growth is linear where, after that part, an installment of the largest org
takes at most a quarter more than one of the smallest: seconds, processor seconds and memory. Exit 1 if one does not.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from burst_ends import ROOT, machine
from nightly import LOOKED_AT, Told, copied, filled, served, told_by

FEW = 20
"""Payers of the org that tells the fixed part: those of the stories."""
SIZES = (2_000, 10_000, 40_000, 200_000)
"""Payers; a fifth of the installments."""
MORE = 1.25
FIGURES = {"seconds": "seconds", "cpu_seconds": "processor seconds", "peak_mb": "peak memory, MB"}
PICTURE = ROOT / "docs" / "pictures" / "nightly-growth.svg"


def one_pass(payers: int, keep: Path) -> Told:
    """What a first pass over an org of so many payers takes."""
    with tempfile.TemporaryDirectory(prefix="dunwell-growth-") as name:
        folder = Path(name)
        with served(copied(filled(keep, payers), folder / "org.db"), "--now", LOOKED_AT) as org:
            found = told_by("nightly_ours.py", org, f"sqlite:///{folder / 'dunwell.db'}", str(folder / "writes.json"))
    return {"payers": payers, "installments": max(count for name, count in found["rows"].items() if "Installment" in name), **found}


def measure(keep: Path | None) -> list[Told]:
    """A pass over each size, the smallest first."""
    with tempfile.TemporaryDirectory(prefix="dunwell-orgs-") as name:
        return [one_pass(payers, keep or Path(name)) for payers in (FEW, *SIZES)]


def growth(found: list[Told]) -> dict[str, list[float]]:
    """By figure: what a thousand installments add to the fixed part, in each org."""
    fixed, *rest = found
    return {
        name: [
            (one[name] - fixed[name]) / (one["installments"] - fixed["installments"]) * 1000 for one in rest
        ]
        for name in FIGURES
    }  # fmt: skip


def verdicts(found: list[Told]) -> dict[str, bool]:
    """Whether each figure grows no faster than the org."""
    return {name: each[-1] <= MORE * each[0] for name, each in growth(found).items()}


def draw(found: list[Told], to: Path) -> None:
    """A picture: the figures by installments, and the straight line from the fixed part through the largest."""
    import matplotlib as mpl  # noqa: PLC0415 - only the picture needs it

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "dunwell", "font.size": 9})
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after its settings

    figure, axes = plt.subplots(1, len(FIGURES), figsize=(10.5, 3.2), layout="constrained")
    across = [one["installments"] / 1000 for one in found]
    for ax, (name, words) in zip(axes, FIGURES.items(), strict=True):
        up = [one[name] for one in found]
        ax.plot([across[0], across[-1]], [up[0], up[-1]], color="#b0b0b0", linestyle="--", label="a straight line")
        ax.plot(across, up, "o-", color="#1f5fa8", label="measured")
        ax.set(title=words, xlabel="thousand installments", xlim=(0, None), ylim=(0, None))
        ax.grid(visible=True, color="#eeeeee")
    axes[0].legend(frameon=False)
    to.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(to, metadata={"Date": None})
    plt.close(figure)


def show(found: list[Told]) -> None:
    """A table for people."""
    on, each = machine(), growth(found)
    print(f"{on['cpu']}, {on['cores']} cores, Python {on['python']}, load {on['load']}")
    print(f"{'installments':>14}{'payers':>10}" + "".join(f"{words:>22}" for words in FIGURES.values()) + f"{'API calls':>12}")
    for one in found:
        print(
            f"{one['installments']:>14,}{one['payers']:>10,}"
            + "".join(f"{one[name]:>22,.1f}" for name in FIGURES)
            + f"{one['api_calls']:>12}"
        )
    for name, words in FIGURES.items():
        told = "linear" if verdicts(found)[name] else "NOT linear"
        parts = ", ".join(f"{one:.4f}" for one in each[name])
        print(f"{words} per thousand installments: {parts}; the largest takes {each[name][-1] / each[name][0]:.2f} of the smallest: {told}")


def main() -> None:
    """Measure, draw and tell; exit 1 where growth is not linear."""
    parser = argparse.ArgumentParser(description="How the nightly pass grows.")
    parser.add_argument("--keep", type=Path, help="a folder where orgs stay once they are filled")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    found = measure(chosen.keep)
    draw(found, chosen.picture)
    if chosen.as_json:
        print(json.dumps({"machine": machine(), "passes": found, "growth": growth(found), "linear": verdicts(found)}))
    else:
        show(found)
    sys.exit(0 if all(verdicts(found).values()) else 1)


if __name__ == "__main__":
    main()
