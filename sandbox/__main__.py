"""``python -m sandbox``: serve one org until SIGTERM, printing one JSON line once it does.

Nothing else goes to stdout; metadata that a real org would act on and this one does not is named on stderr. Its invariant: the
line is printed only when both ports answer.
"""

import argparse
import asyncio
import gc
import json
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from sandbox import FaultSpec, serve
from sandbox.options import Options
from sandbox.worlds.opening import WorldError, known_worlds

_SHAPE = ("months", "children", "parts")
_RARELY = (20_000, 20, 50)
"""When the process looks for cycles: rows come and go by the thousand without making any."""
N = TypeVar("N", int, float)
_FAULTS = TypeAdapter(list[FaultSpec])


def _aware(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("a time needs an offset, for example 2026-03-02T09:00:00+01:00")
    return moment


def _at_least(least: float, kind: type[N]) -> Callable[[str], N]:
    """Make the reader of a number that is not below a bound."""

    def number(text: str) -> N:
        found = kind(text)
        if found < least:
            raise argparse.ArgumentTypeError(f"not below {least}")
        return found

    return number


def _faults(text: str) -> list[FaultSpec]:
    try:
        raw = Path(text[1:]).read_text("utf-8") if text.startswith("@") else text
        found = json.loads(raw)
        return _FAULTS.validate_python(found if isinstance(found, list) else [found])
    except (OSError, ValueError) as problem:
        raise argparse.ArgumentTypeError(f"faults are JSON as the admin port takes them: {problem}") from problem


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A Salesforce-compatible org on localhost.")
    parser.add_argument("--port", type=int, default=8800, help="port of the org; 0 takes a free one")
    parser.add_argument("--admin-port", type=int, default=8801, help="port for clock, faults and statistics; 0 takes a free one")
    parser.add_argument(
        "--world",
        default="findock",
        help=f"which packages and people the org has: {', '.join(known_worlds())}, or the path or dotted module of another (default %(default)s)",
    )
    parser.add_argument("--payers", type=_at_least(0, int), default=300, help="how many payers a new org has (default %(default)s)")
    parser.add_argument(
        "--months",
        type=_at_least(1, int),
        help="months of history of each payer; default 24, and 4 in a findock of more than 5000 payers (about five installments each)",
    )
    parser.add_argument(
        "--parts", type=_at_least(1, int), help="in a findock, money of a month comes in N and N-1 payments by turns (default 1)"
    )
    parser.add_argument("--children", type=_at_least(1, int), help="records below the big Account of the world skewed (default 10000)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same org")
    parser.add_argument("--now", type=_aware, help="freeze the clock at this time, with offset")
    parser.add_argument(
        "--speed", type=_at_least(0, float), help="let the clock run from --now on, so many seconds in one (1 = as in life)"
    )
    parser.add_argument(
        "--faults", type=_faults, default=[], metavar="JSON|@FILE", help="faults to begin with, as the admin port takes them"
    )
    parser.add_argument("--store", type=Path, help="keep the org in this file: filled once, then as it was left")
    parser.add_argument("--key-file", type=Path, help="where to write the private key (mode 0600); default a temporary file")
    parser.add_argument("--poll-seconds", type=_at_least(0.01, float), help="how long a streaming poll is held")
    return parser


async def _serve(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    options = Options() if arguments.poll_seconds is None else Options(long_poll_seconds=arguments.poll_seconds)
    box = serve(
        world=arguments.world,
        payers=arguments.payers,
        seed=arguments.seed,
        now=arguments.now,
        port=arguments.port,
        admin_port=arguments.admin_port,
        store=arguments.store,
        options=options,
        faults=arguments.faults,
        key_file=arguments.key_file,
        speed=arguments.speed,
        shape={name: getattr(arguments, name) for name in _SHAPE if getattr(arguments, name) is not None},
    )
    async with box:
        for one in box.org.schema.ignored:
            if one.changes_behaviour:
                sys.stderr.write(f"not carried out: {one.path} ({one.kind}): {one.why}\n")
        sys.stdout.write(json.dumps(box.credentials()) + "\n")
        sys.stdout.flush()
        await stop.wait()


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = _parser()
    gc.set_threshold(*_RARELY)
    try:
        asyncio.run(_serve(parser.parse_args(argv)))
    except (WorldError, OSError) as problem:
        parser.error(str(problem))


if __name__ == "__main__":
    main()
