"""Every figure that the nightly pass is held to, in one go, with the machine it ran on.

    .venv/bin/python benchmarks/nightly_all.py [--keep FOLDER] [--payers 200000]

Ours beside the floor (``nightly.py``), growth from 10,000 to 1,000,000 installments with its picture (``nightly_growth.py``), and the skewed
world under contention (``nightly_skewed.py``). With orgs that are kept it takes some ten minutes, without some twenty. Exit 1 if one figure
is missed.
"""

import argparse
import sys
from pathlib import Path

import nightly
import nightly_growth
import nightly_skewed


def main() -> None:
    """Measure everything, one after the other."""
    parser = argparse.ArgumentParser(description="Every figure of the nightly pass.")
    parser.add_argument("--keep", type=Path, help="a folder where orgs stay once they are filled")
    parser.add_argument("--payers", type=int, default=200_000)
    chosen = parser.parse_args()
    beside = nightly.measure(chosen.payers, chosen.keep)
    nightly.show(beside, chosen.payers)
    grown = nightly_growth.measure(chosen.keep)
    nightly_growth.draw(grown, nightly_growth.PICTURE)
    nightly_growth.show(grown)
    skewed = nightly_skewed.measure()
    nightly_skewed.show(skewed)
    met = {**nightly.verdicts(beside), **{f"growth of {name}": told for name, told in nightly_growth.verdicts(grown).items()}}
    met |= {f"skewed: {name}": told for name, told in nightly_skewed.verdicts(skewed).items()}
    print("every figure is met" if all(met.values()) else f"missed: {', '.join(name for name, told in met.items() if not told)}")
    sys.exit(0 if all(met.values()) else 1)


if __name__ == "__main__":
    main()
