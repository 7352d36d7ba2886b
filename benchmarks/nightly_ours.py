"""One nightly pass of Dunwell in a process of its own; what it took as JSON on stdout, what it wrote into a file for the floor.

python benchmarks/nightly_ours.py STORE_URL WRITES_FILE [PROFILE] < sandbox's line of JSON
"""

import cProfile
import json
import logging
import resource
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from connector import app as wiring
from connector import log
from connector.pipeline.sweep import sweep
from connector.salesforce.bulk_org import BULK_ROWS, BulkOrg
from connector.salesforce.bulk_query import Asked, Page
from connector.salesforce.client import Saved
from connector.salesforce.wire import encode
from connector.settings import load


def watched(bulk: BulkOrg) -> tuple[list[Asked], list[tuple[Any, ...]]]:
    """Keep what is asked in bulk, and what is given to ``write`` with what it answers, without copying."""
    asked: list[Asked] = []
    seen: list[tuple[Any, ...]] = []
    load, real = bulk.download, bulk.write

    def download(queries: Sequence[Asked], parse: Callable[[int, Page], Any]) -> list[list[Any]]:
        asked.extend(queries)
        return load(queries, parse)

    def write(inserts: Sequence[Any], updates: Sequence[Any], *, serial: bool = False, **rest: Any) -> tuple[list[Saved], list[Saved]]:  # noqa: ANN401 - handed on
        saved = real(inserts, updates, serial=serial, **rest)
        seen.append((inserts, updates, serial, [one.id for one in saved[0]]))
        return saved

    bulk.download, bulk.write = download, write  # type: ignore[method-assign]
    return asked, seen


def main() -> None:
    """Do it once."""
    told = json.load(sys.stdin)
    url, writes = sys.argv[1], Path(sys.argv[2])
    log.configure("error", stream=sys.stderr)
    logging.disable()
    settings = load(
        {
            "DUNWELL_LOGIN_URL": told["instance_url"], "DUNWELL_CLIENT_ID": told["client_id"], "DUNWELL_USERNAME": told["username"],
            "DUNWELL_KEY_FILE": told["key_file"], "DUNWELL_CLOCK_URL": f"{told['admin_url']}/clock", "DUNWELL_STORE_URL": url,
            "DUNWELL_API_VERSION": told["api_version"], "DUNWELL_REQUEST_TIMEOUT_SECONDS": "300",
        },
        env_file=None,
    )  # fmt: skip
    profile = cProfile.Profile() if len(sys.argv) > 3 else None
    with wiring.opened(settings) as app:
        asked, seen = watched(app.context.bulk)
        calls, cpu, began = app.org.calls, time.process_time(), time.perf_counter()
        with profile or nullcontext():
            found = sweep(app.context, batch_payers=200, wide=True, force=True)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({
            "seconds": seconds, "cpu_seconds": cpu, "peak_mb": peak, "api_calls": app.org.calls - calls, "changes": found.changes, **found.summary(),
            "rows": app.context.bulk.record_counts([app.context.mapping.installments.object, app.context.mapping.payments.object]),
        }))  # fmt: skip
        body = [
            {"inserts": [*map(list, inserts)], "updates": [*map(list, updates)], "serial": serial, "ids": ids}
            for inserts, updates, serial, ids in seen
        ]
        writes.write_text(
            f'{{"queries": {encode([[one.soql, one.all_rows] for one in asked])}, "bulk_rows": {BULK_ROWS}, "writes": {encode(body)}}}'
        )
    if profile:
        profile.dump_stats(sys.argv[3])


if __name__ == "__main__":
    main()
