"""The sandbox in a process of its own, with a note of when each of the client's records was committed.

Must not slow one side more than the other: a commit costs one line of counts, the records themselves are written
out only when asked for (SIGUSR1), and then forgotten. Invariant: times are ``time.monotonic()``, which all processes of a machine share.
"""

import argparse
import asyncio
import json
import signal
import sys
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

import sandbox
from sandbox.org.types import Commit

AUDIT = frozenset({"CreatedById", "CreatedDate", "LastModifiedById", "LastModifiedDate", "SystemModstamp"})
"""What the org writes itself, and nobody may post."""


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--payers", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--built-at", type=datetime.fromisoformat, required=True, help="as of when the org is filled")
    parser.add_argument("--dump", type=Path, required=True, help="where to write the records on SIGUSR1")
    asyncio.run(_serve(parser.parse_args()))


async def _serve(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    box = sandbox.serve(world="findock", payers=arguments.payers, seed=arguments.seed, now=arguments.built_at)
    async with box:
        box.org.clock._frozen_at = None  # noqa: SLF001 - filled as of a month ago, it lives in real time from here on
        commits: list[Commit] = []
        integration = box.integration.id

        def committed(commit: Commit) -> None:
            ours = [change for change in commit.changes if change.session.user_id == integration]
            if ours:
                commits.append(commit)
                counts = Counter(f"{change.kind} {change.sobject}" for change in ours)
                _say({"at": time.monotonic(), "counts": counts})

        def dump() -> None:
            rows = [
                {
                    "sobject": one.sobject,
                    "kind": one.kind,
                    "id": one.id,
                    "fields": {name: one.record.get(name) for name in one.changed_fields if name not in AUDIT},
                }
                for commit in commits
                for one in commit.changes
                if one.session.user_id == integration
            ]
            commits.clear()
            arguments.dump.write_text(json.dumps(rows))
            _say({"dumped": len(rows)})

        box.org.on_commit.append(committed)
        loop.add_signal_handler(signal.SIGUSR1, dump)
        _say(box.credentials())
        await stop.wait()


def _say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
