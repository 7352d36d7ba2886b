"""Judging everyone here and on a cluster: the same payers, by this process and by local workers.

    .venv/bin/python benchmarks/cluster.py [--payers 20000] [--org KEPT.db] [--workers 1 2] [--quiet-too] [--json]

An org is filled (or taken from ``--org``, as ``nightly.py`` keeps it) and downloaded once; then its payers who need a look are assessed and
decided: here, and by each number of worker processes of one thread. Told are seconds, the processor seconds of this process, which makes
the frames and packs and unpacks what travels, and the bytes that travelled. Every way must come to the same decisions.
"""

import argparse
import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from burst_ends import machine
from distributed import LocalCluster
from nightly import LOOKED_AT, MADE_AT, served

from connector import app as wiring
from connector import log
from connector.core.frames import Snapshot
from connector.core.plain import to_json
from connector.pipeline import load_wide
from connector.pipeline.cluster import Cluster
from connector.pipeline.cluster_work import seal
from connector.pipeline.judgement import Judgement, Terms
from connector.pipeline.judging import Slices, judge
from connector.pipeline.load_wide import Everyone, everyone
from connector.pipeline.ports import Judges
from connector.settings import load


class Weighed(Cluster):
    """A cluster that counts what it is sent and what comes back."""

    sent = received = 0

    def judge(
        self, snapshots: Iterable[Snapshot], terms: Terms, now: datetime, pulse: Callable[[], None]
    ) -> Generator[Judgement, None, None]:
        """As a cluster does."""
        kept = []

        def weighed() -> Iterable[Snapshot]:
            for one in snapshots:
                kept.append(one)
                yield one

        answers = list(super().judge(weighed(), terms, now, pulse))
        self.sent, self.received = (sum(len(seal(one).data) for one in many) for many in (kept, answers))
        yield from answers


def timed(app: wiring.App, found: Everyone, judges: Judges | None) -> tuple[dict[str, float], bytes]:
    """What one way took, and what it decided."""
    context = replace(app.context, judges=judges)
    cpu, began = time.process_time(), time.perf_counter()
    result = judge(context, found, datetime.fromisoformat(LOOKED_AT), lambda _: None)
    took = {"seconds": time.perf_counter() - began, "cpu_seconds_here": time.process_time() - cpu}
    return took, to_json(result.decisions)


def measure(payers: int, kept: Path | None, counts: list[int], *, quiet_too: bool) -> dict[str, Any]:
    """All ways, one after the other; the first time of each is not counted. What makes the frames is the same, and always here."""
    with (
        tempfile.TemporaryDirectory(prefix="dunwell-cluster-") as name,
        served(kept or Path(name) / "org.db", *([] if kept else ["--payers", str(payers)]), "--now", MADE_AT) as told,
    ):
        settings = load(
            {
                "DUNWELL_LOGIN_URL": told["instance_url"], "DUNWELL_CLIENT_ID": told["client_id"], "DUNWELL_USERNAME": told["username"],
                "DUNWELL_KEY_FILE": told["key_file"], "DUNWELL_STORE_URL": f"sqlite:///{name}/store.db", "DUNWELL_REQUEST_TIMEOUT_SECONDS": "300",
            },
            env_file=None,
        )  # fmt: skip
        if quiet_too:
            load_wide.quiet = lambda *given: np.zeros(given[1], dtype=np.bool_)  # type: ignore[assignment]
        with wiring.opened(settings) as app:
            found = everyone(app.context.bulk, app.context.mapping, datetime.fromisoformat(LOOKED_AT))  # type: ignore[arg-type]
            timed(app, found, None)
            here, decided = timed(app, found, None)
            cpu, began = time.process_time(), time.perf_counter()
            for _ in Slices(app.context, found, datetime.fromisoformat(LOOKED_AT)):
                pass
            frames = {"seconds": time.perf_counter() - began, "cpu_seconds_here": time.process_time() - cpu}
            ways: dict[str, dict[str, float]] = {"this process": here, "of it frames": frames}
            for count in counts:
                with LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=":0", host="127.0.0.1") as cluster:  # type: ignore[no-untyped-call]
                    address = str(cluster.scheduler_address)
                    weighed = Weighed(address)
                    same = timed(app, found, weighed)[1] == decided
                    ways[f"{count} workers"] = timed(app, found, Cluster(address))[0]
                    ways[f"{count} workers"] |= {"sent_mb": weighed.sent / 1e6, "received_mb": weighed.received / 1e6, "same": same}
            return {"payers": found.seen, "judged": len(found.payers), "ways": ways}


def main() -> None:
    """Measure and tell; exit 1 if a cluster decided otherwise."""
    parser = argparse.ArgumentParser(description="Judging everyone here and on a cluster.")
    parser.add_argument("--payers", type=int, default=20_000)
    parser.add_argument("--org", type=Path, help=f"an org that is filled already, as of {MADE_AT}; nothing is written to it")
    parser.add_argument("--quiet-too", action="store_true", help="judge also those who need no look: as if all were in arrears")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    log.configure("error", stream=sys.stderr)
    logging.disable()
    found = measure(chosen.payers, chosen.org, chosen.workers, quiet_too=chosen.quiet_too)
    if chosen.as_json:
        print(json.dumps({"machine": machine(), **found}))
    else:
        on = machine()
        print(f"{found['payers']:,} payers, {found['judged']:,} judged; {on['cpu']}, {on['cores']} cores, load {on['load']}")
        for name, took in found["ways"].items():
            print(f"{name:14}" + "  ".join(f"{what} {value:,.1f}" for what, value in took.items() if what != "same"))
    sys.exit(0 if all(one.get("same", True) for one in found["ways"].values()) else 1)


if __name__ == "__main__":
    main()
